//! When a destination exports: full or incremental, how often, from when until when, and the runs that follow from it.
//!
//! A [`Schedule`] is checked when it is built; after that, its runs are arithmetic: [`Schedule::due`] lists the runs
//! of any window in UTC, exactly, without looking at a clock.

mod error;
mod frequency;
mod run;

pub use error::{ScheduleError, ScheduleErrorKind};
pub use frequency::{ExportMode, Frequency, StartTime, Trigger, parse_date};
pub use run::{Contents, Due, Run};

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};

/// How long before its first run a schedule has to be activated (the platform's activation guide).
pub const ACTIVATION_LEAD: TimeDelta = TimeDelta::hours(1);

/// For how many months a dataset is exported when no end is given (the platform's dataset guide).
pub const DATASET_MONTHS: Months = Months::new(6);

/// The validated schedule of one audience or dataset.
///
/// All times are UTC, which has neither summer time nor leap seconds here, so a day is 86,400 seconds.
///
/// # Rules for audiences ([`Schedule::builder`])
///
/// | mode | frequencies | trigger |
/// |---|---|---|
/// | full | once, daily | at a fixed time, or after evaluation |
/// | full | weekly, monthly | at a fixed time |
/// | incremental | daily, every 3, 6, 8 or 12 hours | at a fixed time |
///
/// - The start time is a full hour.
/// - The end date is exclusive: of a daily schedule from January 4 to January 11, the last run is on January 10.
/// - A full export that runs once has no end date.
/// - A weekly run falls on the weekday of the start date. A monthly run falls on its day of the month, or on the last
///   day of a month that lacks that day: January 31, February 29, March 31.
/// - The first run of an incremental schedule is a full one; the others hold the changes since the run before.
///
/// # Rules for datasets ([`Schedule::for_dataset`])
///
/// - Once in full, or incremental: daily, or every 3, 6, 8, 9 or 12 hours. (One page of the platform lists 8 and
///   another 9; both are accepted.)
/// - Start and end are instants, the end is exclusive, and without one the schedule ends after 6 months.
///
/// # Example
///
/// ```
/// use chrono::{DateTime, Utc};
/// use consign::destination::schedule::{ExportMode, Frequency, Schedule, StartTime, parse_date};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let schedule = Schedule::builder(ExportMode::Full, Frequency::Monthly, parse_date("2024-01-31")?)
///     .with_start_time(StartTime::parse("06:00")?)
///     .with_end_date(parse_date("2024-05-01")?)
///     .build()?;
///
/// let from: DateTime<Utc> = "2024-02-01T00:00:00Z".parse()?;
/// let to: DateTime<Utc> = "2025-01-01T00:00:00Z".parse()?;
/// let runs: Vec<String> = schedule.due(from, to).map(|run| run.at().to_rfc3339()).collect();
/// assert_eq!(runs, ["2024-02-29T06:00:00+00:00", "2024-03-31T06:00:00+00:00", "2024-04-30T06:00:00+00:00"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Schedule {
    mode: ExportMode,
    frequency: Frequency,
    trigger: Trigger,
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
}

impl Schedule {
    /// Begins the schedule of an audience; without more, it starts at midnight UTC of the start date and has no end.
    pub fn builder(mode: ExportMode, frequency: Frequency, start_date: NaiveDate) -> ScheduleBuilder {
        ScheduleBuilder {
            mode,
            frequency,
            start_date,
            trigger: Trigger::Scheduled,
            start_time: None,
            end_date: None,
            activation: None,
        }
    }

    /// The schedule of a dataset; fractions of a second are dropped, and without an `end` it ends 6 months after its
    /// start ([`DATASET_MONTHS`]).
    ///
    /// # Errors
    ///
    /// When the mode does not allow the frequency, or the end does not lie after the start.
    pub fn for_dataset(
        mode: ExportMode,
        frequency: Frequency,
        start: DateTime<Utc>,
        end: Option<DateTime<Utc>>,
    ) -> Result<Self, ScheduleError> {
        frequency.check_dataset(mode)?;
        let start = whole_seconds(start);
        let end = match (frequency, end) {
            (Frequency::Once, end) => end.map(whole_seconds),
            (_, Some(end)) => Some(whole_seconds(end)),
            (_, None) => start.checked_add_months(DATASET_MONTHS),
        };
        if let Some(end) = end
            && end <= start
        {
            return Err(ScheduleError::end_instant(start, end));
        }
        Ok(Self { mode, frequency, trigger: Trigger::Scheduled, start, end })
    }

    /// Whether runs are full or hold changes.
    #[must_use]
    pub fn mode(&self) -> ExportMode {
        self.mode
    }

    /// How often it runs.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// What makes it run.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// The instant of the first run; of a schedule that runs after evaluation, the midnight from which it may.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The instant before which all runs lie, if the schedule ends.
    #[must_use]
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.end
    }

    /// The runs that are due at or after `from` and before `to`, in order.
    ///
    /// Windows that meet give each run once: the runs of `a..b` and of `b..c` are those of `a..c`. A window that lies
    /// far from the start costs no more than one that is near.
    ///
    /// A schedule that runs after evaluation has no instants that could be listed, and gives none: ask
    /// [`run_after_evaluation`](Self::run_after_evaluation) when an evaluation has finished.
    pub fn due(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Due {
        Due::new(*self, self.index_at(from), to)
    }

    /// The first run after an instant, which itself is not looked at; `None` when there is none.
    ///
    /// ```
    /// use consign::destination::schedule::{ExportMode, Frequency, Schedule, parse_date};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let every_3_hours =
    ///     Schedule::builder(ExportMode::Incremental, Frequency::Every3Hours, parse_date("2024-02-29")?).build()?;
    /// let next = every_3_hours.next_after("2024-02-29T21:00:00Z".parse()?).map(|run| run.at().to_rfc3339());
    /// assert_eq!(next.as_deref(), Some("2024-03-01T00:00:00+00:00"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn next_after(&self, instant: DateTime<Utc>) -> Option<Run> {
        let from = instant.checked_add_signed(TimeDelta::nanoseconds(1))?;
        self.run(self.index_at(from))
    }

    /// The run that a finished evaluation starts; `None` when the schedule runs at fixed times, has not begun, or has
    /// ended.
    ///
    /// Every evaluation starts a run, also a second one on the same day; a schedule that runs once takes those of its
    /// start date. The number of the run is that of the day.
    #[must_use]
    pub fn run_after_evaluation(&self, finished: DateTime<Utc>) -> Option<Run> {
        if self.trigger != Trigger::AfterEvaluation || finished < self.start || self.end.is_some_and(|e| e <= finished)
        {
            return None;
        }
        let day = u64::try_from((finished - self.start).num_days()).ok()?;
        (self.frequency != Frequency::Once || day == 0).then(|| Run::new(finished, day, Contents::Full))
    }

    /// The run of this index, counted from zero, unless the schedule has ended by then.
    fn run(&self, index: u64) -> Option<Run> {
        let at = self.instant(index)?;
        if self.trigger == Trigger::AfterEvaluation || self.end.is_some_and(|end| end <= at) {
            return None;
        }
        let contents = match (self.mode, index.checked_sub(1)) {
            (ExportMode::Incremental, Some(before)) => Contents::Changes { since: self.instant(before)? },
            (ExportMode::Incremental, None) | (ExportMode::Full, _) => Contents::Full,
        };
        Some(Run::new(at, index, contents))
    }

    /// The instant of the run of this index, whatever the end; `None` past the last instant of the calendar.
    fn instant(&self, index: u64) -> Option<DateTime<Utc>> {
        match self.frequency.period() {
            Period::Once => (index == 0).then_some(self.start),
            Period::Seconds(period) => {
                let seconds = i64::try_from(index).ok()?.checked_mul(period)?;
                self.start.checked_add_signed(TimeDelta::try_seconds(seconds)?)
            }
            // Counted from the start, not from the run before: after February 29 comes March 31 again.
            Period::Month => self.start.checked_add_months(Months::new(u32::try_from(index).ok()?)),
        }
    }

    /// The index of the first run at or after an instant, whatever the end.
    fn index_at(&self, instant: DateTime<Utc>) -> u64 {
        use chrono::{Datelike, Timelike};

        if instant <= self.start {
            return 0;
        }
        let index = match self.frequency.period() {
            Period::Once => 1,
            Period::Seconds(period) => {
                let seconds = instant.timestamp() - self.start.timestamp() + i64::from(instant.nanosecond() > 0);
                (seconds + period - 1) / period
            }
            Period::Month => {
                let months = i64::from(instant.year() - self.start.year()) * 12 + i64::from(instant.month())
                    - i64::from(self.start.month());
                let same_month = u64::try_from(months).ok().and_then(|index| self.instant(index));
                months + i64::from(same_month.is_some_and(|run| run < instant))
            }
        };
        u64::try_from(index).expect("the instant lies after the start")
    }
}

/// How far apart the runs are.
#[derive(Clone, Copy)]
enum Period {
    Once,
    Seconds(i64),
    Month,
}

fn whole_seconds(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(instant.timestamp(), 0).unwrap_or(instant)
}

/// Collects the settings of an audience's [`Schedule`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ScheduleBuilder {
    mode: ExportMode,
    frequency: Frequency,
    start_date: NaiveDate,
    trigger: Trigger,
    start_time: Option<StartTime>,
    end_date: Option<NaiveDate>,
    activation: Option<DateTime<Utc>>,
}

impl ScheduleBuilder {
    /// What makes it run; [`Trigger::Scheduled`] unless set.
    pub fn with_trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// The hour of the day, UTC; midnight unless set. Not with [`Trigger::AfterEvaluation`].
    pub fn with_start_time(mut self, time: StartTime) -> Self {
        self.start_time = Some(time);
        self
    }

    /// The first day without a run; no end unless set. Not with a full export that runs once.
    pub fn with_end_date(mut self, date: NaiveDate) -> Self {
        self.end_date = Some(date);
        self
    }

    /// When the schedule is activated; unless set, the rule about it is not checked.
    ///
    /// The rule: a run at a fixed time is picked up when it lies at least an hour after the activation
    /// ([`ACTIVATION_LEAD`]), so the first run must.
    pub fn with_activation(mut self, instant: DateTime<Utc>) -> Self {
        self.activation = Some(instant);
        self
    }

    /// Checks the rules between the settings.
    ///
    /// # Errors
    ///
    /// When the mode does not allow the frequency or the trigger, a setting excludes another, the end date does not
    /// lie after the start date, or the first run comes less than an hour after the activation.
    pub fn build(self) -> Result<Schedule, ScheduleError> {
        let Self { mode, frequency, trigger, .. } = self;
        frequency.check_audience(mode)?;
        if trigger == Trigger::AfterEvaluation {
            frequency.check_evaluation(mode)?;
            if let Some(time) = self.start_time {
                return Err(ScheduleError::start_time_after_evaluation(time));
            }
        }
        let start_time = self.start_time.map_or(NaiveTime::MIN, StartTime::time);
        let start = self.start_date.and_time(start_time).and_utc();
        if let Some(end) = self.end_date {
            if mode == ExportMode::Full && frequency == Frequency::Once {
                return Err(ScheduleError::end_of_once(end));
            }
            if end <= self.start_date {
                return Err(ScheduleError::end_date(self.start_date, end));
            }
        }
        if let Some(activation) = self.activation
            && trigger == Trigger::Scheduled
            && start.signed_duration_since(activation) < ACTIVATION_LEAD
        {
            return Err(ScheduleError::too_soon(start, activation));
        }
        let end = self.end_date.map(|date| date.and_time(NaiveTime::MIN).and_utc());
        Ok(Schedule { mode, frequency, trigger, start, end })
    }
}
