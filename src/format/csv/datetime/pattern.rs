//! Patterns: parsed once into items, checked against the values that they are to print.

use std::fmt;

use super::error::{PatternError, PatternErrorKind};
use super::{spark, strftime};
use crate::Span;

/// How dates and timestamps are spelled: a pattern of Spark (Java's `DateTimeFormatter` as Spark narrows it) or of
/// strftime.
///
/// A pattern is text until it meets a locale, a zone and a kind of value: [`DateText`](super::DateText),
/// [`TimestampText`](super::TimestampText) or [`LocalText`](super::LocalText).
///
/// ```
/// use consign::format::csv::datetime::{DateText, Locale, Pattern};
/// use chrono::NaiveDate;
///
/// let day = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap();
/// let text = DateText::new(&Pattern::spark("EEE, d MMM yyyy")?, Locale::parse("fr-FR")?)?;
/// assert_eq!(text.to_text(day), "mar., 2 janv. 2024");
/// let text = DateText::new(&Pattern::strftime("%a, %-d %b %Y")?, Locale::EN_US)?;
/// assert_eq!(text.to_text(day), "Tue, 2 Jan 2024");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pattern {
    text: String,
    items: Vec<Item>,
}

/// One piece of a pattern.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Item {
    Literal(String),
    Field(Field, Span),
    /// Printed if the value has all its fields.
    Optional(Vec<Self>),
}

/// What a field prints.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Field {
    /// A year, with a minus before year 0 and zeros up to a width.
    Year(YearOf, Width),
    /// The last two digits of the year without its sign.
    ShortYear(YearOf),
    Number(Number, Pad),
    /// The year without its last two digits.
    Century(Pad),
    /// Days since 1858-11-17, with zeros up to a width.
    ModifiedJulianDay(usize),
    Text(Text),
    /// So many digits of the fraction of the second.
    Fraction(u8),
    /// A point and so many digits of the fraction of the second.
    DottedFraction(u8),
    /// A point and three, six or nine digits, or nothing if the fraction is zero.
    AutoFraction,
    /// Seconds since 1970-01-01T00:00:00Z.
    Epoch,
    Offset(OffsetStyle),
    /// `GMT-8`, `GMT-08:00`.
    LocalizedOffset(Length),
    ZoneId,
    ZoneName(Length),
    /// The zone's name whatever the season: `PT`, `Pacific Time`.
    GenericZoneName(Length),
    /// The abbreviation of the IANA database.
    Abbreviation,
}

/// Which year is meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum YearOf {
    /// Year 0 is 1 BCE.
    Calendar,
    /// Counted within the era, from 1.
    Era,
    /// The year of the ISO 8601 week.
    IsoWeek,
}

/// How wide a year is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Width {
    pub(super) least: usize,
    pub(super) pad: Pad,
    pub(super) plus: Plus,
}

/// Whether a number that is wider than asked for gets a plus sign.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Plus {
    Never,
    BeyondWidth,
}

/// Small numbers that are never negative.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Number {
    Quarter,
    Month,
    Day,
    DayOfYear,
    /// The day within its run of seven from the first of the month, 1 to 7.
    DayInMonthWeek,
    /// 1 (Monday) to 7.
    WeekdayFromMonday,
    /// 0 (Sunday) to 6.
    WeekdayFromSunday,
    IsoWeek,
    WeekFromMonday,
    WeekFromSunday,
    YearOfCentury,
    IsoYearOfCentury,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HalfDayHour,
    /// 1 to 12.
    HalfDayClockHour,
    Minute,
    Second,
    Nanosecond,
}

/// What a number is filled with, and up to how many places.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Pad {
    None,
    Zeros(usize),
    Spaces(usize),
}

/// Words of the locale.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Text {
    Month(Length, Usage),
    Quarter(Length, Usage),
    Weekday(Length),
    Era(Length),
    HalfDay,
    LowercaseHalfDay,
}

/// Which form of a word.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Length {
    Short,
    Full,
}

/// Whether a word stands within a date or alone; languages that inflect tell them apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Usage {
    Format,
    Standalone,
}

/// How an offset is spelled.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct OffsetStyle {
    pub(super) parts: OffsetParts,
    pub(super) colons: Colons,
    /// What stands for an offset of zero.
    pub(super) zero: &'static str,
}

/// Which parts of an offset are printed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum OffsetParts {
    Hours,
    /// Minutes unless they are zero.
    HoursMaybeMinutes,
    Minutes,
    /// Seconds are rounded to the nearest minute, as chrono does.
    RoundedMinutes,
    /// Seconds unless they are zero.
    MinutesMaybeSeconds,
    Seconds,
}

/// Whether the parts of an offset have colons between them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Colons {
    Without,
    With,
}

/// What a value must have for a field to be printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Needs {
    Date,
    Time,
    Zone,
}

impl Pattern {
    /// Parses a pattern of Spark 3 and later, as it is used for writing.
    ///
    /// The letters and their forms stand in the table of the [module](super); all other ASCII letters are refused. Text in
    /// single quotes is printed as it stands, two single quotes print one, and every other character prints itself.
    /// `[…]` is printed if the value has all the fields within; an unclosed `[` reaches to the end.
    ///
    /// # Errors
    ///
    /// When Spark or Java refuses the pattern, whatever the value.
    ///
    /// ```
    /// use consign::format::csv::datetime::Pattern;
    ///
    /// let refused = |pattern| Pattern::spark(pattern).unwrap_err().to_string();
    /// assert_eq!(refused("YYYY-MM-dd"), "`YYYY` at byte 0 is a week-based letter, which Spark refuses since 3.0");
    /// assert_eq!(refused("yyyy-MM-ddd"), "`ddd` at byte 8 repeats a letter more than 2 times");
    /// assert_eq!(refused("yyyy-MM-ddThh"), "`T` at byte 10 is no pattern letter, and text must stand in single quotes");
    /// assert_eq!(refused("yyyy]"), "`]` at byte 4 closes no `[`");
    /// ```
    pub fn spark(pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { text: pattern.to_owned(), items: spark::parse(pattern)? })
    }

    /// Parses a pattern of strftime, with the specifiers of the crate `chrono`.
    ///
    /// Names of months and days are those of the locale; numbers are ASCII digits in every locale.
    ///
    /// # Errors
    ///
    /// When a `%` starts no specifier, or one that reads but does not print (`%#z`).
    ///
    /// ```
    /// use consign::format::csv::datetime::Pattern;
    ///
    /// assert!(Pattern::strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").is_ok());
    /// assert_eq!(Pattern::strftime("%Y-%Q").unwrap_err().to_string(), "`%Q` at byte 3 is no strftime specifier");
    /// ```
    pub fn strftime(pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { text: pattern.to_owned(), items: strftime::parse(pattern)? })
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether a date has all that the pattern prints outside of `[…]`.
    ///
    /// # Errors
    ///
    /// At the first field of the time of day, or of a zone.
    ///
    /// ```
    /// use consign::format::csv::datetime::Pattern;
    ///
    /// assert!(Pattern::spark("yyyy-MM-dd['T'HH:mm]")?.check_date().is_ok());
    /// assert_eq!(
    ///     Pattern::spark("yyyy-MM-dd HH")?.check_date().unwrap_err().to_string(),
    ///     "`HH` at byte 11 needs a time of day, which a date does not have",
    /// );
    /// # Ok::<(), consign::format::csv::datetime::PatternError>(())
    /// ```
    pub fn check_date(&self) -> Result<(), PatternError> {
        self.check(&[Needs::Date])
    }

    /// Whether a timestamp without a zone has all that the pattern prints outside of `[…]`.
    ///
    /// # Errors
    ///
    /// At the first field of a zone or an offset.
    ///
    /// ```
    /// use consign::format::csv::datetime::Pattern;
    ///
    /// assert!(Pattern::spark("HH:mm:ss[XXX]")?.check_local().is_ok());
    /// assert_eq!(
    ///     Pattern::spark("HH:mm:ssXXX")?.check_local().unwrap_err().to_string(),
    ///     "`XXX` at byte 8 needs a zone, which the value does not have",
    /// );
    /// # Ok::<(), consign::format::csv::datetime::PatternError>(())
    /// ```
    pub fn check_local(&self) -> Result<(), PatternError> {
        self.check(&[Needs::Date, Needs::Time])
    }

    fn check(&self, has: &[Needs]) -> Result<(), PatternError> {
        for item in &self.items {
            if let Item::Field(field, span) = item
                && !has.contains(&field.needs())
            {
                let kind = if field.needs() == Needs::Time {
                    PatternErrorKind::NeedsTime
                } else {
                    PatternErrorKind::NeedsZone
                };
                return Err(PatternError::new(kind, *span, &self.text));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    pub(super) fn needs(self) -> Needs {
        match self {
            Self::Number(number, _) => number.needs(),
            Self::Text(Text::HalfDay | Text::LowercaseHalfDay)
            | Self::Fraction(_)
            | Self::DottedFraction(_)
            | Self::AutoFraction => Needs::Time,
            Self::Text(_) | Self::Year(..) | Self::ShortYear(_) | Self::Century(_) | Self::ModifiedJulianDay(_) => {
                Needs::Date
            }
            Self::Epoch
            | Self::Offset(_)
            | Self::LocalizedOffset(_)
            | Self::ZoneId
            | Self::ZoneName(_)
            | Self::GenericZoneName(_)
            | Self::Abbreviation => Needs::Zone,
        }
    }
}

impl Number {
    fn needs(self) -> Needs {
        match self {
            Self::Hour
            | Self::ClockHour
            | Self::HalfDayHour
            | Self::HalfDayClockHour
            | Self::Minute
            | Self::Second
            | Self::Nanosecond => Needs::Time,
            _ => Needs::Date,
        }
    }
}
