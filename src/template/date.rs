//! The pattern of `%DATETIME(…)%`: which letters stand for which part of a time.

use std::borrow::Cow;
use std::fmt::{self, Write};

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::TemplateErrorKind;
use crate::Span;

/// The pattern of a time, as `%DATETIME(…)%` takes it. Times are in UTC.
///
/// # Letters
///
/// | letters | stand for |
/// |---|---|
/// | `YYYY`, `yyyy` | calendar year, four digits |
/// | `YY`, `yy` | calendar year, its last two digits |
/// | `MM`, `M` | month, two digits or as many as it has |
/// | `dd`, `d`, `DD`, `D` | day of the month |
/// | `HH`, `H` | hour, 0 to 23 |
/// | `mm`, `m` | minute |
/// | `ss`, `s` | second |
/// | `SSS` | millisecond |
/// | `'text'` | the text; `''` is an apostrophe |
///
/// Other letters are refused; what is no ASCII letter stands for itself, but for `%`, `(`, `)` and control characters.
///
/// Java tells the year `yyyy` from the year of the week `YYYY`, and the day of the month `dd` from the day of the year
/// `DD`. The platform writes `YYYYMMdd` and means the calendar year, and so do we: `YYYY` is never the year of the week.
///
/// # Patterns in one case
///
/// The platform's documents also spell the same pattern in capitals alone (`YYYYMMDD_HHMMSS`, `MMDDYYYY_HHMMSS`) and in
/// small letters alone (`yyyymmddhhmmss`). In a pattern whose letters are all capitals, or are all small and have a
/// year, case cannot tell months from minutes: there `MM` is the minute if it comes next after the hour or next before
/// the second, and else the month; `SS` is the second; `hh` is the hour from 0 to 23.
///
/// ```
/// use std::num::NonZeroU64;
///
/// use chrono::DateTime;
/// use consign::template::{Context, Template};
///
/// let context = Context::new(DateTime::from_timestamp(1_652_130_343, 0).expect("in range"));
/// for pattern in ["YYYYMMdd_HHmmss", "yyyyMMdd_HHmmss", "YYYYMMDD_HHMMSS", "yyyymmdd_hhmmss"] {
///     let template = Template::parse(&format!("%DATETIME({pattern})%"))?;
///     assert_eq!(template.expand(&context, NonZeroU64::MIN)?, "20220509_210543");
/// }
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct DateFormat {
    text: Cow<'static, str>,
    fields: Cow<'static, [Field]>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Field {
    Year,
    YearOfCentury,
    Month(Width),
    Day(Width),
    Hour(Width),
    Minute(Width),
    Second(Width),
    Millisecond,
    Text(char),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Width {
    Two,
    Natural,
}

/// What is wrong with a pattern, and where in it.
pub(super) struct DateFault {
    pub(super) kind: TemplateErrorKind,
    pub(super) span: Span,
    pub(super) text: String,
    pub(super) help: &'static str,
}

/// What `{:#}` of an error says about patterns.
const LETTERS: &str = "allowed: YYYY, MM, dd, HH, mm, ss, SSS, separators, and text in single quotes";

impl DateFormat {
    /// `YYYYMMdd_HHmmss`, what `%DATETIME%` without a pattern means.
    pub const PLATFORM: Self = {
        use Field::{Day, Hour, Minute, Month, Second, Text, Year};
        use Width::Two;
        Self {
            text: Cow::Borrowed("YYYYMMdd_HHmmss"),
            fields: Cow::Borrowed(&[Year, Month(Two), Day(Two), Text('_'), Hour(Two), Minute(Two), Second(Two)]),
        }
    };

    /// `YYYYMMddHHmm`, the time in `%EXPORT_TIME%`.
    pub(super) const MINUTE: Self = {
        use Field::{Day, Hour, Minute, Month, Year};
        use Width::Two;
        Self {
            text: Cow::Borrowed("YYYYMMddHHmm"),
            fields: Cow::Borrowed(&[Year, Month(Two), Day(Two), Hour(Two), Minute(Two)]),
        }
    };

    /// The pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn parse(pattern: &str) -> Result<Self, DateFault> {
        let fields = resolve(pattern, lex(pattern)?)?;
        if fields.iter().all(|it| matches!(it, Field::Text(_))) {
            return Err(fault(
                TemplateErrorKind::DatePattern,
                Span::new(0, pattern.len()),
                "expected letters of a date, found none".to_owned(),
            ));
        }
        Ok(Self { text: Cow::Owned(pattern.to_owned()), fields: Cow::Owned(fields) })
    }

    /// Appends the time; the year has to lie in 0 to 9999.
    pub(super) fn write(&self, time: DateTime<Utc>, out: &mut String) {
        for field in self.fields.iter() {
            match *field {
                Field::Year => number(out, i64::from(time.year()), 4),
                Field::YearOfCentury => number(out, i64::from(time.year().rem_euclid(100)), 2),
                Field::Month(width) => number(out, time.month().into(), width.digits()),
                Field::Day(width) => number(out, time.day().into(), width.digits()),
                Field::Hour(width) => number(out, time.hour().into(), width.digits()),
                Field::Minute(width) => number(out, time.minute().into(), width.digits()),
                Field::Second(width) => number(out, time.second().into(), width.digits()),
                // A leap second has a thousand milliseconds more.
                Field::Millisecond => number(out, i64::from(time.timestamp_subsec_millis()) % 1000, 3),
                Field::Text(c) => out.push(c),
            }
        }
    }
}

impl Width {
    const fn digits(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Natural => 1,
        }
    }
}

/// Appends a number with at least so many digits.
pub(super) fn number(out: &mut String, value: i64, digits: usize) {
    write!(out, "{value:0digits$}").expect("a string takes all that is written to it");
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DateFormat({:?})", self.text)
    }
}

/// A pattern cut up: text, and runs of one letter.
#[derive(Clone, Copy)]
enum Token {
    Text(char),
    Run { letter: char, count: usize, start: usize },
}

fn lex(pattern: &str) -> Result<Vec<Token>, DateFault> {
    let mut tokens = Vec::new();
    let mut chars = pattern.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_ascii_alphabetic() {
            let mut count = 1;
            while chars.next_if(|(_, next)| *next == c).is_some() {
                count += 1;
            }
            tokens.push(Token::Run { letter: c, count, start });
        } else if c != '\'' {
            tokens.push(Token::Text(c));
        } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
            tokens.push(Token::Text('\''));
        } else {
            loop {
                match chars.next() {
                    Some((_, '\'')) if chars.next_if(|(_, next)| *next == '\'').is_some() => {
                        tokens.push(Token::Text('\''));
                    }
                    Some((_, '\'')) => break,
                    Some((_, c)) => tokens.push(Token::Text(c)),
                    None => {
                        return Err(fault(
                            TemplateErrorKind::DatePattern,
                            Span::new(start, pattern.len()),
                            "expected a closing `'`, found the end of the date pattern".to_owned(),
                        ));
                    }
                }
            }
        }
    }
    Ok(tokens)
}

/// How a pattern tells months from minutes.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// By case, as Java does.
    Case,
    /// By place, since all letters are of one case.
    Place,
}

fn resolve(pattern: &str, tokens: Vec<Token>) -> Result<Vec<Field>, DateFault> {
    let letters: Vec<(char, usize)> = tokens
        .iter()
        .filter_map(|token| match *token {
            Token::Run { letter, count, .. } => Some((letter, count)),
            Token::Text(_) => None,
        })
        .collect();
    let small = letters.iter().all(|(letter, _)| letter.is_ascii_lowercase());
    let capitals = letters.iter().all(|(letter, _)| letter.is_ascii_uppercase());
    let style =
        if capitals || small && letters.iter().any(|(letter, _)| *letter == 'y') { Style::Place } else { Style::Case };

    let mut fields = Vec::with_capacity(tokens.len());
    let mut nth = 0_usize;
    for token in tokens {
        match token {
            Token::Text(c) => fields.push(Field::Text(c)),
            Token::Run { letter, count, start } => {
                let before = nth.checked_sub(1).map(|i| letters[i].0);
                let after = letters.get(nth + 1).copied();
                nth += 1;
                let place = Place { style, before, after };
                fields.push(place.field(letter, count).map_err(|advice| {
                    let run = Span::new(start, start + count);
                    let found = excerpt(&pattern[run.range()]);
                    let text = match advice {
                        None => format!("expected letters of a date, found `{found}`"),
                        Some(advice) => format!("expected letters of a date, found `{found}`: {advice}"),
                    };
                    fault(TemplateErrorKind::DatePattern, run, text)
                })?);
            }
        }
    }
    Ok(fields)
}

/// A run of letters among its neighbours.
struct Place {
    style: Style,
    before: Option<char>,
    after: Option<(char, usize)>,
}

impl Place {
    /// The field that a run of letters means, or advice.
    fn field(&self, letter: char, count: usize) -> Result<Field, Option<&'static str>> {
        let width = match count {
            1 => Some(Width::Natural),
            2 => Some(Width::Two),
            _ => None,
        };
        match (letter, self.style) {
            ('Y' | 'y', _) => match count {
                4 => Ok(Field::Year),
                2 => Ok(Field::YearOfCentury),
                _ => Err(Some("a year is `YYYY` or `YY`")),
            },
            ('D' | 'd', _) => width.map(Field::Day).ok_or(Some("a day is `dd` or `d`")),
            ('H', _) | ('h', Style::Place) => width.map(Field::Hour).ok_or(Some("an hour is `HH` or `H`")),
            ('h', Style::Case) => Err(Some("the hour from 0 to 23 is `HH`")),
            ('M', Style::Case) if self.before == Some('H') => Err(Some("the minute is `mm`")),
            ('m', Style::Case) => width.map(Field::Minute).ok_or(Some("a minute is `mm` or `m`")),
            ('M' | 'm', Style::Place) if self.is_minute() => {
                width.map(Field::Minute).ok_or(Some("a minute is `MM` or `M`"))
            }
            ('M' | 'm', _) => width.map(Field::Month).ok_or(Some("a month is `MM` or `M`")),
            ('S', _) if count == 3 => Ok(Field::Millisecond),
            ('s', _) | ('S', Style::Place) => width.map(Field::Second).ok_or(Some("a second is `ss` or `s`")),
            ('S', Style::Case) => Err(Some("the second is `ss`, the millisecond `SSS`")),
            _ => Err(None),
        }
    }

    /// Whether months and minutes of one case can only be minutes here.
    fn is_minute(&self) -> bool {
        let after_hour = matches!(self.before, Some('H' | 'h'));
        // Three capitals are milliseconds, which say nothing about what stands before them.
        let before_second = matches!(self.after, Some(('S' | 's', 1 | 2)));
        after_hour || before_second
    }
}

/// At most twenty characters, since a run may be as long as the template.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(20) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cold]
fn fault(kind: TemplateErrorKind, span: Span, text: String) -> DateFault {
    DateFault { kind, span, text, help: LETTERS }
}
