//! Patterns of strftime: the specifiers are read by chrono, and printed by the same steps as Spark's.

use chrono::format::{Fixed, Item as Chrono, Numeric, Pad as ChronoPad, StrftimeItems};

use super::error::{PatternError, PatternErrorKind};
use super::pattern::{
    Colons, Field, Item, Length, Number, OffsetParts, OffsetStyle, Pad, Plus, Text, Usage, Width, YearOf,
};
use crate::Span;

/// Parses a pattern of strftime.
pub(super) fn parse(pattern: &str) -> Result<Vec<Item>, PatternError> {
    let mut items = Vec::new();
    let mut start = 0;
    while start < pattern.len() {
        let rest = &pattern[start..];
        let end = start + if rest.starts_with('%') { specifier(rest) } else { rest.find('%').unwrap_or(rest.len()) };
        let span = Span::new(start, end);
        let unknown = || PatternError::new(PatternErrorKind::UnknownSpecifier, span, pattern);
        for item in StrftimeItems::new(&pattern[span.range()]) {
            match item {
                Chrono::Literal(text) | Chrono::Space(text) => literal(&mut items, text),
                Chrono::Numeric(numeric, pad) => {
                    items.push(Item::Field(number(&numeric, pad).ok_or_else(unknown)?, span));
                }
                Chrono::Fixed(Fixed::RFC3339) => rfc_3339(&mut items, span),
                Chrono::Fixed(fixed) => {
                    let field = self::fixed(&fixed).or_else(|| undotted_fraction(&pattern[span.range()]));
                    items.push(Item::Field(field.ok_or_else(unknown)?, span));
                }
                _ => return Err(unknown()),
            }
        }
        start = end;
    }
    Ok(items)
}

/// How many bytes the specifier takes that the text begins with.
fn specifier(text: &str) -> usize {
    let mut end = 1;
    let mut chars = text[1..].chars();
    for c in chars.by_ref() {
        end += c.len_utf8();
        // All others stand between the percent sign and the letter.
        if !matches!(c, '-' | '_' | '0' | '#' | ':' | '.' | '3' | '6' | '9') {
            break;
        }
    }
    end
}

fn literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(before)) => before.push_str(text),
        _ => items.push(Item::Literal(text.to_owned())),
    }
}

fn number(numeric: &Numeric, pad: ChronoPad) -> Option<Field> {
    let pad_to = |width| match pad {
        ChronoPad::None => Pad::None,
        ChronoPad::Zero => Pad::Zeros(width),
        ChronoPad::Space => Pad::Spaces(width),
    };
    let year = |of| Field::Year(of, Width { least: 4, pad: pad_to(4), plus: Plus::BeyondWidth });
    let two = |number| Field::Number(number, pad_to(2));
    Some(match numeric {
        Numeric::Year => year(YearOf::Calendar),
        Numeric::IsoYear => year(YearOf::IsoWeek),
        Numeric::YearDiv100 => Field::Century(pad_to(2)),
        Numeric::YearMod100 => two(Number::YearOfCentury),
        Numeric::IsoYearMod100 => two(Number::IsoYearOfCentury),
        Numeric::Quarter => Field::Number(Number::Quarter, Pad::None),
        Numeric::Month => two(Number::Month),
        Numeric::Day => two(Number::Day),
        Numeric::WeekFromSun => two(Number::WeekFromSunday),
        Numeric::WeekFromMon => two(Number::WeekFromMonday),
        Numeric::IsoWeek => two(Number::IsoWeek),
        Numeric::NumDaysFromSun => Field::Number(Number::WeekdayFromSunday, Pad::None),
        Numeric::WeekdayFromMon => Field::Number(Number::WeekdayFromMonday, Pad::None),
        Numeric::Ordinal => Field::Number(Number::DayOfYear, pad_to(3)),
        Numeric::Hour => two(Number::Hour),
        Numeric::Hour12 => two(Number::HalfDayClockHour),
        Numeric::Minute => two(Number::Minute),
        Numeric::Second => two(Number::Second),
        Numeric::Nanosecond => Field::Number(Number::Nanosecond, pad_to(9)),
        Numeric::Timestamp => Field::Epoch,
        _ => return None,
    })
}

fn fixed(fixed: &Fixed) -> Option<Field> {
    let offset = |parts, colons| {
        // Chrono has no text of its own for zero.
        let zero = match (parts, colons) {
            (OffsetParts::Hours, _) => "+00",
            (OffsetParts::Seconds, _) => "+00:00:00",
            (_, Colons::With) => "+00:00",
            (_, Colons::Without) => "+0000",
        };
        Field::Offset(OffsetStyle { parts, colons, zero })
    };
    Some(match fixed {
        Fixed::ShortMonthName => Field::Text(Text::Month(Length::Short, Usage::Format)),
        Fixed::LongMonthName => Field::Text(Text::Month(Length::Full, Usage::Format)),
        Fixed::ShortWeekdayName => Field::Text(Text::Weekday(Length::Short)),
        Fixed::LongWeekdayName => Field::Text(Text::Weekday(Length::Full)),
        Fixed::LowerAmPm => Field::Text(Text::LowercaseHalfDay),
        Fixed::UpperAmPm => Field::Text(Text::HalfDay),
        Fixed::Nanosecond => Field::AutoFraction,
        Fixed::Nanosecond3 => Field::DottedFraction(3),
        Fixed::Nanosecond6 => Field::DottedFraction(6),
        Fixed::Nanosecond9 => Field::DottedFraction(9),
        Fixed::TimezoneName => Field::Abbreviation,
        Fixed::TimezoneOffset => offset(OffsetParts::RoundedMinutes, Colons::Without),
        Fixed::TimezoneOffsetColon => offset(OffsetParts::RoundedMinutes, Colons::With),
        Fixed::TimezoneOffsetDoubleColon => offset(OffsetParts::Seconds, Colons::With),
        Fixed::TimezoneOffsetTripleColon => offset(OffsetParts::Hours, Colons::Without),
        _ => return None,
    })
}

/// `%3f`, `%6f` and `%9f`, whose items chrono keeps to itself.
fn undotted_fraction(specifier: &str) -> Option<Field> {
    match specifier {
        "%3f" => Some(Field::Fraction(3)),
        "%6f" => Some(Field::Fraction(6)),
        "%9f" => Some(Field::Fraction(9)),
        _ => None,
    }
}

/// `%+`: the date and time of RFC 3339.
fn rfc_3339(items: &mut Vec<Item>, span: Span) {
    let two = |number| Item::Field(Field::Number(number, Pad::Zeros(2)), span);
    let width = Width { least: 4, pad: Pad::Zeros(4), plus: Plus::BeyondWidth };
    items.push(Item::Field(Field::Year(YearOf::Calendar, width), span));
    literal(items, "-");
    items.push(two(Number::Month));
    literal(items, "-");
    items.push(two(Number::Day));
    literal(items, "T");
    items.push(two(Number::Hour));
    literal(items, ":");
    items.push(two(Number::Minute));
    literal(items, ":");
    items.push(two(Number::Second));
    items.push(Item::Field(Field::AutoFraction, span));
    let style = OffsetStyle { parts: OffsetParts::RoundedMinutes, colons: Colons::With, zero: "+00:00" };
    items.push(Item::Field(Field::Offset(style), span));
}
