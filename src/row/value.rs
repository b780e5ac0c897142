//! One cell of a row, before a format has rendered it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// The value of one field of a row.
///
/// A value keeps its type until the dialect renders it, since the type decides: whether a quote style or the formula
/// guard looks at it, how a float or a date is spelled, and whether empty text is told apart from null.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A signed integer; every integer type of Rust and Arrow fits, but for `u128` above `i128::MAX`.
    Integer(i128),
    /// A 32-bit float, kept apart from [`Value::Float64`] since its shortest text differs.
    Float32(f32),
    /// A 64-bit float.
    Float64(f64),
    /// `unscaled × 10^-scale`.
    Decimal {
        /// The digits, as an integer.
        unscaled: i128,
        /// How many of the digits stand behind the point; negative scales append zeros.
        scale: i8,
    },
    /// `unscaled × 10^-scale`, for integers that an `i128` may not hold.
    Decimal256 {
        /// The digits, as an integer: two's complement, the lowest byte first.
        unscaled: &'a [u8; 32],
        /// As that of [`Value::Decimal`].
        scale: i8,
    },
    /// A calendar day.
    Date(NaiveDate),
    /// A calendar day, which may lie beyond the years of chrono (±262,143).
    DateAt {
        /// Days since 1970-01-01.
        days: i32,
    },
    /// A time of day.
    Time(NaiveTime),
    /// An instant.
    Timestamp(DateTime<Utc>),
    /// An instant, which may lie beyond the years of chrono (±262,143).
    TimestampAt {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
        /// Nanoseconds of that second, below 1,000,000,000.
        nanoseconds: u32,
    },
    /// A date and time of day without a zone.
    LocalTimestamp(NaiveDateTime),
    /// A date and time of day without a zone, which may lie beyond the years of chrono (±262,143).
    LocalTimestampAt {
        /// Seconds since 1970-01-01T00:00:00.
        seconds: i64,
        /// Nanoseconds of that second, below 1,000,000,000.
        nanoseconds: u32,
    },
    /// A length of time.
    Duration {
        /// How long, in nanoseconds.
        nanoseconds: i128,
    },
    /// An interval of whole months of the calendar.
    Months(i32),
    /// An interval of the calendar: a month has no fixed number of days, nor a day of hours, so neither is carried into
    /// the other.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// The rest, in nanoseconds.
        nanoseconds: i64,
    },
    /// Text.
    Text(&'a str),
    /// Bytes that are no text.
    Binary(&'a [u8]),
    /// A list, map or struct, as JSON text.
    Nested(&'a str),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}
