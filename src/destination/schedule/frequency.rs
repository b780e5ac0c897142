//! The words of a schedule: modes, frequencies, triggers, dates and start times, as the platform spells them.

use std::fmt;

use chrono::{NaiveDate, NaiveTime};

use super::{Period, ScheduleError};
use crate::Span;

/// Whether the runs of a schedule are full or hold changes. There are no other modes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ExportMode {
    /// Every run exports every row: `DAILY_FULL_EXPORT`.
    Full,
    /// The first run exports every row, the others what has changed: `FIRST_FULL_THEN_INCREMENTAL`.
    Incremental,
}

impl ExportMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Full, Self::Incremental];

    /// Reads the platform's name of a mode, in its exact case.
    ///
    /// # Errors
    ///
    /// When the name is no mode's.
    pub fn parse(name: &str) -> Result<Self, ScheduleError> {
        find(&Self::ALL, Self::as_str, name).ok_or_else(|| ScheduleError::mode(name))
    }

    /// The platform's name of the mode.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "DAILY_FULL_EXPORT",
            Self::Incremental => "FIRST_FULL_THEN_INCREMENTAL",
        }
    }
}

impl fmt::Display for ExportMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often a schedule runs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Frequency {
    /// One run: `ONCE`.
    Once,
    /// Every day: `DAILY`.
    Daily,
    /// Every seven days: `WEEKLY`.
    Weekly,
    /// Every month, on its last day where it lacks the day of the start: `MONTHLY`.
    Monthly,
    /// `EVERY_3_HOURS`.
    Every3Hours,
    /// `EVERY_6_HOURS`.
    Every6Hours,
    /// `EVERY_8_HOURS`.
    Every8Hours,
    /// Datasets only; counted from the start, so the hours of the day move. Written `EVERY_9_HOURS` here.
    Every9Hours,
    /// `EVERY_12_HOURS`.
    Every12Hours,
}

impl Frequency {
    /// Every frequency, from once to the shortest hours.
    pub const ALL: [Self; 9] = [
        Self::Once,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Every3Hours,
        Self::Every6Hours,
        Self::Every8Hours,
        Self::Every9Hours,
        Self::Every12Hours,
    ];

    /// Reads the platform's name of a frequency, in its exact case.
    ///
    /// # Errors
    ///
    /// When the name is no frequency's; `CHAINED`, which stands in one sample of the platform without a meaning, is
    /// none.
    pub fn parse(name: &str) -> Result<Self, ScheduleError> {
        find(&Self::ALL, Self::as_str, name).ok_or_else(|| ScheduleError::frequency(name))
    }

    /// The platform's name of the frequency.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "ONCE",
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Every3Hours => "EVERY_3_HOURS",
            Self::Every6Hours => "EVERY_6_HOURS",
            Self::Every8Hours => "EVERY_8_HOURS",
            Self::Every9Hours => "EVERY_9_HOURS",
            Self::Every12Hours => "EVERY_12_HOURS",
        }
    }

    /// How many hours lie between two runs, of the frequencies that are counted in hours.
    #[must_use]
    pub const fn hours(self) -> Option<u8> {
        match self {
            Self::Every3Hours => Some(3),
            Self::Every6Hours => Some(6),
            Self::Every8Hours => Some(8),
            Self::Every9Hours => Some(9),
            Self::Every12Hours => Some(12),
            Self::Once | Self::Daily | Self::Weekly | Self::Monthly => None,
        }
    }

    pub(super) fn period(self) -> Period {
        match self {
            Self::Once => Period::Once,
            Self::Daily => Period::Seconds(86_400),
            Self::Weekly => Period::Seconds(7 * 86_400),
            Self::Monthly => Period::Month,
            Self::Every3Hours => Period::Seconds(3 * 3_600),
            Self::Every6Hours => Period::Seconds(6 * 3_600),
            Self::Every8Hours => Period::Seconds(8 * 3_600),
            Self::Every9Hours => Period::Seconds(9 * 3_600),
            Self::Every12Hours => Period::Seconds(12 * 3_600),
        }
    }

    /// The activation guide's table of modes and frequencies.
    pub(super) fn check_audience(self, mode: ExportMode) -> Result<(), ScheduleError> {
        let allowed: &[Self] = match mode {
            ExportMode::Full => &[Self::Once, Self::Daily, Self::Weekly, Self::Monthly],
            ExportMode::Incremental => {
                &[Self::Daily, Self::Every3Hours, Self::Every6Hours, Self::Every8Hours, Self::Every12Hours]
            }
        };
        self.check("an audience", mode, allowed)
    }

    /// The dataset guide's schedules, with the union of the hours that its two versions list.
    pub(super) fn check_dataset(self, mode: ExportMode) -> Result<(), ScheduleError> {
        let allowed: &[Self] = match mode {
            ExportMode::Full => &[Self::Once],
            ExportMode::Incremental => &[
                Self::Daily,
                Self::Every3Hours,
                Self::Every6Hours,
                Self::Every8Hours,
                Self::Every9Hours,
                Self::Every12Hours,
            ],
        };
        self.check("a dataset", mode, allowed)
    }

    /// An evaluation is a daily event, and what follows it is a full export.
    pub(super) fn check_evaluation(self, mode: ExportMode) -> Result<(), ScheduleError> {
        match (mode, self) {
            (ExportMode::Full, Self::Once | Self::Daily) => Ok(()),
            _ => Err(ScheduleError::after_evaluation(mode, self)),
        }
    }

    fn check(self, what: &str, mode: ExportMode, allowed: &[Self]) -> Result<(), ScheduleError> {
        if allowed.contains(&self) {
            return Ok(());
        }
        Err(ScheduleError::mode_and_frequency(what, mode, self, allowed))
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes a schedule run. There are no other triggers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Trigger {
    /// A fixed time, UTC: `SCHEDULED`.
    #[default]
    Scheduled,
    /// The end of the daily evaluation of audiences: `AFTER_SEGMENT_EVAL`. Only for a full export, once or daily.
    AfterEvaluation,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 2] = [Self::Scheduled, Self::AfterEvaluation];

    /// Reads the platform's name of a trigger, in its exact case.
    ///
    /// # Errors
    ///
    /// When the name is no trigger's.
    pub fn parse(name: &str) -> Result<Self, ScheduleError> {
        find(&Self::ALL, Self::as_str, name).ok_or_else(|| ScheduleError::trigger(name))
    }

    /// The platform's name of the trigger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::AfterEvaluation => "AFTER_SEGMENT_EVAL",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn find<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> Option<T> {
    all.iter().copied().find(|&item| name_of(item) == name)
}

/// A full hour of the day, UTC, from `00:00` to `23:00`.
///
/// ```
/// use consign::destination::schedule::StartTime;
///
/// assert_eq!(StartTime::parse("07:00").map(|time| time.to_string()), Ok("07:00".to_owned()));
/// let error = StartTime::parse("07:30").unwrap_err();
/// assert_eq!(error.to_string(), "invalid start time `07:30`: the minutes must be `00`");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StartTime {
    hour: u8,
}

impl StartTime {
    /// Reads `HH:00`, two digits each.
    ///
    /// # Errors
    ///
    /// When the text is no time of that form, its hour is above 23, or its minutes are not `00`.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
            return Err(ScheduleError::start_time(text, Span::new(0, text.len()), "expected `HH:00`, 24 hours, UTC"));
        };
        if ![h1, h2, m1, m2].iter().all(u8::is_ascii_digit) {
            return Err(ScheduleError::start_time(text, Span::new(0, text.len()), "expected `HH:00`, 24 hours, UTC"));
        }
        let hour = (h1 - b'0') * 10 + (h2 - b'0');
        if hour > 23 {
            return Err(ScheduleError::start_time(text, Span::new(0, 2), "the hour must be from `00` to `23`"));
        }
        if (m1, m2) != (b'0', b'0') {
            return Err(ScheduleError::start_time(text, Span::new(3, 5), "the minutes must be `00`"));
        }
        Ok(Self { hour })
    }

    /// The time at a full hour; `None` above 23.
    pub(in crate::destination) fn from_hour(hour: u32) -> Option<Self> {
        u8::try_from(hour).ok().filter(|hour| *hour < 24).map(|hour| Self { hour })
    }

    /// The hour, from 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    pub(super) fn time(self) -> NaiveTime {
        NaiveTime::from_hms_opt(u32::from(self.hour), 0, 0).expect("the hour is at most 23")
    }
}

impl fmt::Display for StartTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:00", self.hour)
    }
}

/// Reads a calendar day as the platform writes it: `YYYY-MM-DD`, all ten characters.
///
/// # Errors
///
/// When the text has another form, or the calendar has no such day.
///
/// ```
/// use consign::destination::schedule::parse_date;
///
/// assert!(parse_date("2024-02-29").is_ok());
/// let error = parse_date("2023-02-29").unwrap_err();
/// assert_eq!(error.to_string(), "invalid date `2023-02-29`: the calendar has no such day");
/// ```
pub fn parse_date(text: &str) -> Result<NaiveDate, ScheduleError> {
    let whole = Span::new(0, text.len());
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, byte)| if i == 4 || i == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    if !shaped {
        return Err(ScheduleError::date(text, whole, "expected `YYYY-MM-DD`"));
    }
    text.parse().map_err(|_| ScheduleError::date(text, whole, "the calendar has no such day"))
}
