//! The plans that turn values into text: made once for a column, shared by all threads, and unable to fail.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use super::civil::{self, Civil};
use super::error::PatternError;
use super::locale::Locale;
use super::pattern::Pattern;
use super::steps::{Kind, Moment, Steps};
use super::zone::{Season, Shift, Zone};

/// The days from the first day of year 1, as chrono counts them, to 1970-01-01.
const DAYS_FROM_CE: i64 = 719_163;

/// Turns dates into text.
///
/// ```
/// use consign::format::csv::datetime::{DateText, Locale, Pattern};
/// use chrono::NaiveDate;
///
/// let text = DateText::new(&Pattern::spark("yyyy-MM-dd")?, Locale::EN_US)?;
/// assert_eq!(text.to_text(NaiveDate::from_ymd_opt(2024, 1, 2).unwrap()), "2024-01-02");
/// assert_eq!(text.to_text(NaiveDate::from_ymd_opt(-44, 3, 15).unwrap()), "-0044-03-15");
/// assert_eq!(text.to_text(NaiveDate::from_ymd_opt(12024, 2, 29).unwrap()), "+12024-02-29");
/// # Ok::<(), consign::format::csv::datetime::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DateText {
    steps: Steps,
}

impl DateText {
    /// The text of dates by a pattern, in the words of a locale.
    ///
    /// # Errors
    ///
    /// When the pattern prints a time of day, an offset or a zone outside of `[…]`.
    pub fn new(pattern: &Pattern, locale: Locale) -> Result<Self, PatternError> {
        Ok(Self { steps: Steps::compile(pattern, locale, Kind::Date)? })
    }

    /// Appends the text of a date.
    pub fn append(&self, date: NaiveDate, out: &mut Vec<u8>) {
        let days = i64::from(date.num_days_from_ce()) - DAYS_FROM_CE;
        let civil = Civil { year: date.year().into(), month: small(date.month()), day: small(date.day()) };
        self.steps.append(&Moment::from_day(days, civil), &Zone::UTC, out);
    }

    /// Appends the text of the date so many days after 1970-01-01, which may lie beyond the years of chrono
    /// (±262,143).
    pub fn append_day(&self, days: i32, out: &mut Vec<u8>) {
        let days = i64::from(days);
        self.steps.append(&Moment::from_day(days, civil::from_days(days)), &Zone::UTC, out);
    }

    /// The text of a date.
    #[must_use]
    pub fn to_text(&self, date: NaiveDate) -> String {
        text(|out| self.append(date, out))
    }
}

/// Turns times of day into text.
///
/// ```
/// use consign::format::csv::datetime::{Locale, Pattern, TimeText};
/// use chrono::NaiveTime;
///
/// let text = TimeText::new(&Pattern::spark("h:mm:ss.SSS a")?, Locale::EN_US)?;
/// assert_eq!(text.to_text(NaiveTime::from_hms_milli_opt(19, 4, 5, 123).unwrap()), "7:04:05.123 PM");
/// # Ok::<(), consign::format::csv::datetime::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TimeText {
    steps: Steps,
}

impl TimeText {
    /// The text of times of day by a pattern, in the words of a locale.
    ///
    /// # Errors
    ///
    /// When the pattern prints a date, an offset or a zone outside of `[…]`.
    pub fn new(pattern: &Pattern, locale: Locale) -> Result<Self, PatternError> {
        Ok(Self { steps: Steps::compile(pattern, locale, Kind::Time)? })
    }

    /// Appends the text of a time. A leap second is written as the second after it.
    pub fn append(&self, time: NaiveTime, out: &mut Vec<u8>) {
        let shift = Shift { seconds: 0, season: Season::Standard };
        let moment = Moment::from_instant(time.num_seconds_from_midnight().into(), time.nanosecond(), |_| shift);
        self.steps.append(&moment, &Zone::UTC, out);
    }

    /// The text of a time.
    #[must_use]
    pub fn to_text(&self, time: NaiveTime) -> String {
        text(|out| self.append(time, out))
    }
}

/// Turns timestamps without a zone into text.
///
/// ```
/// use consign::format::csv::datetime::{LocalText, Locale, Pattern};
/// use chrono::NaiveDate;
///
/// let text = LocalText::new(&Pattern::spark("yyyy-MM-dd'T'HH:mm:ss[.SSS]")?, Locale::EN_US)?;
/// let time = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap().and_hms_opt(3, 4, 5).unwrap();
/// assert_eq!(text.to_text(time), "2024-01-02T03:04:05.000");
/// # Ok::<(), consign::format::csv::datetime::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LocalText {
    steps: Steps,
}

impl LocalText {
    /// The text of timestamps without a zone by a pattern, in the words of a locale.
    ///
    /// # Errors
    ///
    /// When the pattern prints an offset or a zone outside of `[…]`.
    pub fn new(pattern: &Pattern, locale: Locale) -> Result<Self, PatternError> {
        Ok(Self { steps: Steps::compile(pattern, locale, Kind::Local)? })
    }

    /// Appends the text of a timestamp. A leap second is written as the second after it.
    pub fn append(&self, timestamp: NaiveDateTime, out: &mut Vec<u8>) {
        let utc = timestamp.and_utc();
        self.append_at(utc.timestamp(), utc.timestamp_subsec_nanos(), out);
    }

    /// Appends the text of the timestamp so many seconds and nanoseconds after 1970-01-01T00:00:00, which may lie
    /// beyond the years of chrono (±262,143).
    pub fn append_at(&self, seconds: i64, nanoseconds: u32, out: &mut Vec<u8>) {
        let shift = Shift { seconds: 0, season: Season::Standard };
        self.steps.append(&Moment::from_instant(seconds, nanoseconds, |_| shift), &Zone::UTC, out);
    }

    /// The text of a timestamp.
    #[must_use]
    pub fn to_text(&self, timestamp: NaiveDateTime) -> String {
        text(|out| self.append(timestamp, out))
    }
}

/// Turns instants into text, as the clocks of a zone show them.
///
/// ```
/// use consign::format::csv::datetime::{Locale, Pattern, TimestampText, Zone};
/// use chrono::DateTime;
///
/// let instant = DateTime::from_timestamp(1_704_164_645, 123_456_000).unwrap();
/// let pattern = Pattern::spark("yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]")?;
/// let text = TimestampText::new(&pattern, Locale::EN_US, &Zone::UTC)?;
/// assert_eq!(text.to_text(instant), "2024-01-02T03:04:05.123Z");
/// let text = TimestampText::new(&pattern, Locale::EN_US, &Zone::parse("America/Los_Angeles")?)?;
/// assert_eq!(text.to_text(instant), "2024-01-01T19:04:05.123-08:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TimestampText {
    steps: Steps,
    zone: Zone,
}

impl TimestampText {
    /// The text of instants by a pattern, in the words of a locale, on the clocks of a zone.
    ///
    /// # Errors
    ///
    /// When the pattern prints the name of a region's zone, and the locale's are not carried.
    pub fn new(pattern: &Pattern, locale: Locale, zone: &Zone) -> Result<Self, PatternError> {
        Ok(Self { steps: Steps::compile(pattern, locale, Kind::Instant(zone))?, zone: zone.clone() })
    }

    /// Appends the text of an instant. A leap second is written as the second after it.
    pub fn append(&self, instant: DateTime<Utc>, out: &mut Vec<u8>) {
        self.append_at(instant.timestamp(), instant.timestamp_subsec_nanos(), out);
    }

    /// Appends the text of the instant so many seconds and nanoseconds after 1970-01-01T00:00:00Z, which may lie
    /// beyond the years of chrono (±262,143).
    pub fn append_at(&self, seconds: i64, nanoseconds: u32, out: &mut Vec<u8>) {
        self.steps.append(&Moment::from_instant(seconds, nanoseconds, |at| self.zone.shift_at(at)), &self.zone, out);
    }

    /// The text of an instant.
    #[must_use]
    pub fn to_text(&self, instant: DateTime<Utc>) -> String {
        text(|out| self.append(instant, out))
    }
}

fn text(append: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    append(&mut out);
    String::from_utf8(out).expect("patterns, words and digits are UTF-8")
}

fn small(n: u32) -> u8 {
    u8::try_from(n).expect("months and days of chrono are small")
}
