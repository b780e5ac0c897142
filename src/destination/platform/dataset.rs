//! `scheduleParams` of a dataset's dataflow: schedule and folder.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::leaf::{Leaf, Object, Text, not_one_of, shown};
use super::{PlatformError, Show, read};
use crate::destination::schedule::{ExportMode, Frequency, Schedule};
use crate::template::{Template, TemplateRules};

/// The `scheduleParams` of a dataset's dataflow.
///
/// | field | values | required |
/// |---|---|---|
/// | `exportMode` | `DAILY_FULL_EXPORT`, once; `FIRST_FULL_THEN_INCREMENTAL` | yes |
/// | `timeUnit` | `day`, `hour` | yes |
/// | `interval` | once: `day` and 0; daily: `day` and 1; `hour`: 3, 6, 8, 9 or 12 | yes |
/// | `startTime` | seconds since 1970, UTC | yes |
/// | `endTime` | seconds since 1970, exclusive; without it 6 months after the start | no |
/// | `foldernameTemplate`, or `folderNameTemplate` | a [`Template`] by [`TemplateRules::DatasetFolder`] | no |
///
/// One page of the platform lists 8 hours and another 9; both are read.
///
/// ```
/// use consign::destination::platform::DatasetSchedule;
///
/// let params = DatasetSchedule::parse(
///     r#"{"exportMode": "FIRST_FULL_THEN_INCREMENTAL", "timeUnit": "hour", "interval": 3, "startTime": 1675901210}"#,
/// )?;
/// let next = params.schedule().next_after("2023-02-09T00:30:00Z".parse()?).map(|run| run.at().to_rfc3339());
/// assert_eq!(next.as_deref(), Some("2023-02-09T03:06:50+00:00"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Object<Raw>")]
pub struct DatasetSchedule {
    schedule: Schedule,
    end_given: Option<DateTime<Utc>>,
    folder: Option<Template>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Raw {
    export_mode: Text<ExportMode>,
    time_unit: Text<TimeUnit>,
    interval: u64,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    #[serde(alias = "folderNameTemplate", rename = "foldernameTemplate", skip_serializing_if = "Option::is_none")]
    folder: Option<Text<FolderTemplate>>,
}

#[derive(Clone, Copy)]
enum TimeUnit {
    Day,
    Hour,
}

impl Leaf for TimeUnit {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "day" => Ok(Self::Day),
            "hour" => Ok(Self::Hour),
            _ => Err(not_one_of(text, &["day", "hour"])),
        }
    }

    fn write(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Day => "day".into(),
            Self::Hour => "hour".into(),
        }
    }
}

struct FolderTemplate(Template);

impl Leaf for FolderTemplate {
    fn read(text: &str) -> Result<Self, String> {
        let template = Template::parse_with(text, TemplateRules::DatasetFolder);
        template.map(Self).map_err(|error| format!("{}: {error}", shown(text)))
    }

    fn write(&self) -> std::borrow::Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl DatasetSchedule {
    /// Reads the object from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have, or mode, unit and
    /// interval do not go together.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::of(json))
    }

    /// Writes the object as JSON, with the canonical spellings.
    #[must_use]
    pub fn to_json(&self) -> String {
        let frequency = self.schedule.frequency();
        let (unit, interval) = match frequency.hours() {
            Some(hours) => (TimeUnit::Hour, u64::from(hours)),
            None => (TimeUnit::Day, u64::from(frequency != Frequency::Once)),
        };
        super::write(&Raw {
            export_mode: Text(self.schedule.mode()),
            time_unit: Text(unit),
            interval,
            start_time: self.schedule.start().timestamp(),
            end_time: self.end_given.map(|end| end.timestamp()),
            folder: self.folder.clone().map(|folder| Text(FolderTemplate(folder))),
        })
    }

    /// When the dataset is exported.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The template of the folder, if it has one of its own.
    #[must_use]
    pub fn folder(&self) -> Option<&Template> {
        self.folder.as_ref()
    }
}

impl TryFrom<Object<Raw>> for DatasetSchedule {
    type Error = String;

    fn try_from(Object(raw): Object<Raw>) -> Result<Self, String> {
        let frequency = match (raw.time_unit.0, raw.interval) {
            (TimeUnit::Day, 0) => Frequency::Once,
            (TimeUnit::Day, 1) => Frequency::Daily,
            (TimeUnit::Hour, 3) => Frequency::Every3Hours,
            (TimeUnit::Hour, 6) => Frequency::Every6Hours,
            (TimeUnit::Hour, 8) => Frequency::Every8Hours,
            (TimeUnit::Hour, 9) => Frequency::Every9Hours,
            (TimeUnit::Hour, 12) => Frequency::Every12Hours,
            (TimeUnit::Day, other) => {
                return Err(format!("expected an `interval` of 0, once, or 1 for \"day\", found {other}"));
            }
            (TimeUnit::Hour, other) => {
                return Err(format!("expected an `interval` of 3, 6, 8, 9 or 12 for \"hour\", found {other}"));
            }
        };
        let instant = |seconds: i64| {
            let instant = DateTime::from_timestamp(seconds, 0);
            instant.ok_or_else(|| format!("expected seconds since 1970 within the calendar, found {seconds}"))
        };
        let end_given = raw.end_time.map(instant).transpose()?;
        let schedule = Schedule::for_dataset(raw.export_mode.0, frequency, instant(raw.start_time)?, end_given);
        let schedule = schedule.map_err(|error| error.to_string())?;
        Ok(Self { schedule, end_given, folder: raw.folder.map(|folder| folder.0.0) })
    }
}
