//! What can be wrong with a schedule.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use super::{ExportMode, Frequency, StartTime, Trigger};
use crate::Span;
use crate::span::Caret;

/// A text is no word of a schedule, or two settings exclude one another.
///
/// `{}` is one line; `{:#}` adds the text with carets, where a text was parsed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScheduleError {
    kind: ScheduleErrorKind,
    text: String,
    input: Option<(String, Span)>,
}

/// What kind of rule a schedule breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ScheduleErrorKind {
    /// No mode has this name.
    Mode,
    /// No frequency has this name, or the mode does not allow it.
    Frequency,
    /// No trigger has this name, or the mode or frequency does not allow it.
    Trigger,
    /// A text is no start date or end date.
    Date,
    /// A text is no start time, or the trigger does not allow one.
    StartTime,
    /// The end does not lie after the start, or the schedule cannot have an end.
    End,
    /// The first run comes less than an hour after the activation.
    Activation,
}

impl ScheduleError {
    /// What kind of rule was broken.
    #[must_use]
    pub fn kind(&self) -> ScheduleErrorKind {
        self.kind
    }

    /// The bytes at fault, where a text was parsed; `None` where two settings exclude one another.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.input.as_ref().map(|(_, span)| *span)
    }

    fn rule(kind: ScheduleErrorKind, text: String) -> Self {
        Self { kind, text, input: None }
    }

    fn parse(kind: ScheduleErrorKind, text: String, input: &str, span: Span) -> Self {
        Self { kind, text, input: Some((input.to_owned(), span)) }
    }

    fn name(kind: ScheduleErrorKind, what: &str, found: &str, expected: &str) -> Self {
        let text = format!("unknown {what} `{}`: expected {expected}", found.escape_debug());
        Self::parse(kind, text, found, Span::new(0, found.len()))
    }

    pub(super) fn mode(found: &str) -> Self {
        Self::name(ScheduleErrorKind::Mode, "export mode", found, &list(&ExportMode::ALL))
    }

    pub(super) fn frequency(found: &str) -> Self {
        Self::name(ScheduleErrorKind::Frequency, "frequency", found, &list(&Frequency::ALL))
    }

    pub(super) fn trigger(found: &str) -> Self {
        Self::name(ScheduleErrorKind::Trigger, "trigger type", found, &list(&Trigger::ALL))
    }

    pub(super) fn date(found: &str, span: Span, rule: &str) -> Self {
        let text = format!("invalid date `{}`: {rule}", found.escape_debug());
        Self::parse(ScheduleErrorKind::Date, text, found, span)
    }

    pub(super) fn start_time(found: &str, span: Span, rule: &str) -> Self {
        let text = format!("invalid start time `{}`: {rule}", found.escape_debug());
        Self::parse(ScheduleErrorKind::StartTime, text, found, span)
    }

    pub(super) fn mode_and_frequency(what: &str, mode: ExportMode, found: Frequency, allowed: &[Frequency]) -> Self {
        let text = format!("frequency `{found}` is not for `{mode}` of {what}: expected {}", list(allowed));
        Self::rule(ScheduleErrorKind::Frequency, text)
    }

    pub(super) fn after_evaluation(mode: ExportMode, frequency: Frequency) -> Self {
        let text = format!(
            "trigger type `{}` is not for `{mode}` with frequency `{frequency}`: expected `{}` with `{}` or `{}`",
            Trigger::AfterEvaluation,
            ExportMode::Full,
            Frequency::Once,
            Frequency::Daily,
        );
        Self::rule(ScheduleErrorKind::Trigger, text)
    }

    pub(super) fn start_time_after_evaluation(time: StartTime) -> Self {
        let text = format!("start time `{time}` is not for trigger type `{}`", Trigger::AfterEvaluation);
        Self::rule(ScheduleErrorKind::StartTime, text)
    }

    pub(super) fn end_of_once(end: NaiveDate) -> Self {
        let text = format!("end date `{end}` is not for `{}` with frequency `{}`", ExportMode::Full, Frequency::Once);
        Self::rule(ScheduleErrorKind::End, text)
    }

    pub(super) fn end_date(start: NaiveDate, end: NaiveDate) -> Self {
        let text = format!("end date `{end}` does not lie after start date `{start}`: the end date is exclusive");
        Self::rule(ScheduleErrorKind::End, text)
    }

    pub(super) fn end_instant(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let text =
            format!("end `{}` does not lie after start `{}`: the end is exclusive", instant(end), instant(start));
        Self::rule(ScheduleErrorKind::End, text)
    }

    pub(super) fn too_soon(start: DateTime<Utc>, activation: DateTime<Utc>) -> Self {
        let text = format!(
            "first run `{}` comes less than 1 hour after the activation `{}`: it would not be picked up",
            instant(start),
            instant(activation),
        );
        Self::rule(ScheduleErrorKind::Activation, text)
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `` `a`, `b` or `c` ``.
fn list<T: fmt::Display>(items: &[T]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.input {
            Some((text, span)) if f.alternate() => write!(f, "\n{}", Caret { text, span: *span }),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ScheduleError {}

impl From<ScheduleError> for crate::Error {
    fn from(error: ScheduleError) -> Self {
        Self::new(crate::ErrorKind::Destination, "the schedule is wrong").with_source(error)
    }
}
