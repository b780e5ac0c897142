//! The pattern language of Spark: Java's `DateTimeFormatterBuilder.appendPattern`, less what Spark refuses, with `y`
//! read as the year of the calendar unless an era is printed.

use super::error::{PatternError, PatternErrorKind};
use super::pattern::{
    Colons, Field, Item, Length, Number, OffsetParts, OffsetStyle, Pad, Plus, Text, Usage, Width, YearOf,
};
use crate::Span;

/// Parses a pattern of Spark for writing.
pub(super) fn parse(pattern: &str) -> Result<Vec<Item>, PatternError> {
    let year = if has_era(pattern) { YearOf::Era } else { YearOf::Calendar };
    // The innermost open list is the last one; the first is the pattern itself.
    let mut open: Vec<Vec<Item>> = vec![Vec::new()];
    let mut chars = pattern.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let single = Span::new(start, start + c.len_utf8());
        let refused = |kind, span| PatternError::new(kind, span, pattern);
        let item = match c {
            'a'..='z' | 'A'..='Z' => {
                let mut count = 1;
                while chars.next_if(|&(_, next)| next == c).is_some() {
                    count += 1;
                }
                let span = Span::new(start, start + count);
                Item::Field(field(c, count, year).map_err(|kind| refused(kind, span))?, span)
            }
            '\'' => {
                let mut text = String::new();
                let mut end = None;
                while let Some((at, next)) = chars.next() {
                    if next != '\'' {
                        text.push(next);
                    } else if chars.next_if(|&(_, after)| after == '\'').is_some() {
                        text.push('\'');
                    } else {
                        end = Some(at + 1);
                        break;
                    }
                }
                let Some(end) = end else {
                    return Err(refused(PatternErrorKind::OpenQuote, Span::new(start, pattern.len())));
                };
                // Two quotes and nothing between them are one quote.
                Item::Literal(if end == start + 2 { "'".to_owned() } else { text })
            }
            '[' => {
                open.push(Vec::new());
                continue;
            }
            ']' => {
                let section = open.pop().filter(|_| !open.is_empty());
                Item::Optional(section.ok_or_else(|| refused(PatternErrorKind::UnmatchedBracket, single))?)
            }
            '{' | '}' | '#' => return Err(refused(PatternErrorKind::Reserved, single)),
            c => Item::Literal(c.to_string()),
        };
        append(&mut open, item);
    }
    // An unclosed section ends with the pattern.
    while let Some(section) = open.pop() {
        if open.is_empty() {
            return Ok(section);
        }
        append(&mut open, Item::Optional(section));
    }
    Ok(Vec::new())
}

/// Appends to the innermost list; literals that touch become one.
fn append(open: &mut [Vec<Item>], item: Item) {
    let Some(list) = open.last_mut() else { return };
    match (list.last_mut(), item) {
        (Some(Item::Literal(text)), Item::Literal(more)) => text.push_str(&more),
        (_, item) => list.push(item),
    }
}

/// Whether an era is printed: a `G` outside of quotes.
fn has_era(pattern: &str) -> bool {
    pattern.split('\'').step_by(2).any(|part| part.contains('G'))
}

/// What a run of one letter means.
fn field(letter: char, count: usize, year: YearOf) -> Result<Field, PatternErrorKind> {
    use PatternErrorKind::{Narrow, TooMany, UnknownLetter, Unsupported, WeekBased, WrongCount};

    let most = |most| if count > most { Err(TooMany { most }) } else { Ok(()) };
    let number = |number| {
        most(2)?;
        Ok(Field::Number(number, if count == 1 { Pad::None } else { Pad::Zeros(2) }))
    };
    match letter {
        'Y' | 'W' | 'w' | 'u' | 'e' | 'c' => Err(WeekBased),
        'A' | 'B' | 'n' | 'N' | 'p' => Err(Unsupported),
        'G' | 'M' | 'L' | 'E' | 'Q' | 'q' if count == 5 => Err(Narrow),
        'G' | 'M' | 'L' | 'E' | 'Q' | 'q' if count > 5 => Err(TooMany { most: 4 }),

        'y' if count == 2 => Ok(Field::ShortYear(year)),
        'y' => {
            // More digits than six do not fit what Spark can hold.
            most(6)?;
            let plus = if count < 4 { Plus::Never } else { Plus::BeyondWidth };
            Ok(Field::Year(year, Width { least: count, pad: Pad::Zeros(count), plus }))
        }
        'G' => Ok(Field::Text(Text::Era(if count == 4 { Length::Full } else { Length::Short }))),
        'M' | 'L' | 'Q' | 'q' => {
            let usage = if matches!(letter, 'M' | 'Q') { Usage::Format } else { Usage::Standalone };
            let length = match count {
                1 | 2 => return number(if matches!(letter, 'M' | 'L') { Number::Month } else { Number::Quarter }),
                3 => Length::Short,
                _ => Length::Full,
            };
            Ok(Field::Text(if matches!(letter, 'M' | 'L') {
                Text::Month(length, usage)
            } else {
                Text::Quarter(length, usage)
            }))
        }
        'E' => Ok(Field::Text(Text::Weekday(if count == 4 { Length::Full } else { Length::Short }))),
        'D' => {
            most(3)?;
            Ok(Field::Number(Number::DayOfYear, if count == 1 { Pad::None } else { Pad::Zeros(count) }))
        }
        'd' => number(Number::Day),
        'F' => {
            most(1)?;
            Ok(Field::Number(Number::DayInMonthWeek, Pad::None))
        }
        'g' => {
            most(19)?;
            Ok(Field::ModifiedJulianDay(count))
        }
        'a' => {
            most(1)?;
            Ok(Field::Text(Text::HalfDay))
        }
        'H' => number(Number::Hour),
        'k' => number(Number::ClockHour),
        'K' => number(Number::HalfDayHour),
        'h' => number(Number::HalfDayClockHour),
        'm' => number(Number::Minute),
        's' => number(Number::Second),
        'S' => {
            most(9)?;
            Ok(Field::Fraction(u8::try_from(count).map_err(|_| TooMany { most: 9 })?))
        }
        'V' if count == 2 => Ok(Field::ZoneId),
        'V' => Err(WrongCount { expected: "twice" }),
        'v' if count == 1 => Ok(Field::GenericZoneName(Length::Short)),
        'v' if count == 4 => Ok(Field::GenericZoneName(Length::Full)),
        'z' => {
            most(4)?;
            Ok(Field::ZoneName(if count == 4 { Length::Full } else { Length::Short }))
        }
        'O' if count == 1 => Ok(Field::LocalizedOffset(Length::Short)),
        'Z' | 'O' if count == 4 => Ok(Field::LocalizedOffset(Length::Full)),
        'v' | 'O' => Err(WrongCount { expected: "once or four times" }),
        'Z' | 'X' | 'x' => {
            most(5)?;
            Ok(Field::Offset(offset(letter, count)))
        }
        _ => Err(UnknownLetter),
    }
}

/// The offset patterns of `Z` (but for four letters), `X` and `x`.
fn offset(letter: char, count: usize) -> OffsetStyle {
    let (parts, colons) = match (letter, count) {
        ('Z', 5) => (OffsetParts::MinutesMaybeSeconds, Colons::With),
        ('Z', _) | (_, 2) => (OffsetParts::Minutes, Colons::Without),
        (_, 1) => (OffsetParts::HoursMaybeMinutes, Colons::Without),
        (_, 3) => (OffsetParts::Minutes, Colons::With),
        (_, 4) => (OffsetParts::MinutesMaybeSeconds, Colons::Without),
        _ => (OffsetParts::MinutesMaybeSeconds, Colons::With),
    };
    let zero = match (letter, count) {
        ('Z', 5) | ('X', _) => "Z",
        ('x', 1) => "+00",
        ('x', 3 | 5) => "+00:00",
        _ => "+0000",
    };
    OffsetStyle { parts, colons, zero }
}
