//! The selection of one audience in a dataflow: its file name, export mode and schedule.

use std::borrow::Cow;

use chrono::{NaiveDate, Timelike};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::leaf::{Leaf, Object, Text, not_one_of, shown};
use super::{PlatformError, Show, read};
use crate::destination::schedule::{ExportMode, Frequency, Schedule, ScheduleError, StartTime, Trigger, parse_date};
use crate::template::{Template, TemplateError, TemplateRules};

/// One audience of a dataflow, with its schedule.
///
/// | field | values | required |
/// |---|---|---|
/// | `type` | `PLATFORM_SEGMENT` | yes |
/// | `value.id` | the id of the audience | yes |
/// | `value.name`, `value.description` | any text | no |
/// | `value.filenameTemplate`, or `fileNameTemplate` | a [`Template`] for a file name | no |
/// | `value.exportMode` | [`ExportMode`] | yes |
/// | `value.schedule.frequency` | [`Frequency`] | yes |
/// | `value.schedule.triggerType` | [`Trigger`] | for full exports |
/// | `value.schedule.startDate` | `YYYY-MM-DD` | yes |
/// | `value.schedule.endDate` | `YYYY-MM-DD`, exclusive | no |
/// | `value.schedule.startTime` | `HH:00`, UTC; without it `00:00` | no |
///
/// The rules between them are those of [`Schedule`]. `createTime` and `updateTime`, which the platform sets, are read
/// over and not written.
///
/// ```
/// use consign::destination::platform::AudienceSelection;
/// use consign::destination::schedule::Frequency;
///
/// let selection = AudienceSelection::parse(
///     r#"{"type": "PLATFORM_SEGMENT", "value": {"id": "25768be6", "exportMode": "FIRST_FULL_THEN_INCREMENTAL",
///         "schedule": {"frequency": "EVERY_6_HOURS", "startDate": "2024-01-04", "startTime": "09:00"}}}"#,
/// )?;
/// assert_eq!(selection.schedule().frequency(), Frequency::Every6Hours);
///
/// let error = AudienceSelection::parse(
///     r#"{"type": "PLATFORM_SEGMENT", "value": {"id": "25768be6", "exportMode": "FIRST_FULL_THEN_INCREMENTAL",
///         "schedule": {"frequency": "EVERY_6_HOURS", "startDate": "2024-01-04", "startTime": "09:30"}}}"#,
/// )
/// .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "value.schedule.startTime: invalid start time `09:30`: the minutes must be `00` at line 2 column 92"
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(from = "Object<Raw>")]
pub struct AudienceSelection(Audience);

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Object<RawValue>")]
struct Audience {
    id: String,
    name: Option<String>,
    description: Option<String>,
    file_name: Option<Template>,
    schedule: Schedule,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(rename = "type")]
    _kind: Text<Kind>,
    value: Audience,
}

#[derive(Serialize)]
struct Written {
    #[serde(rename = "type")]
    kind: Text<Kind>,
    value: RawValue,
}

struct Kind;

impl Leaf for Kind {
    fn read(text: &str) -> Result<Self, String> {
        if text == "PLATFORM_SEGMENT" { Ok(Self) } else { Err(not_one_of(text, &["PLATFORM_SEGMENT"])) }
    }

    fn write(&self) -> Cow<'_, str> {
        "PLATFORM_SEGMENT".into()
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawValue {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(alias = "fileNameTemplate", rename = "filenameTemplate", skip_serializing_if = "Option::is_none")]
    file_name: Option<Text<NameTemplate>>,
    export_mode: Text<ExportMode>,
    schedule: Object<RawSchedule>,
    #[serde(rename = "createTime", skip_serializing)]
    _create_time: Option<IgnoredAny>,
    #[serde(rename = "updateTime", skip_serializing)]
    _update_time: Option<IgnoredAny>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawSchedule {
    frequency: Text<Frequency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_type: Option<Text<Trigger>>,
    start_date: Text<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<Text<NaiveDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<Text<StartTime>>,
}

/// A template for a file name.
struct NameTemplate(Template);

impl Leaf for NameTemplate {
    fn read(text: &str) -> Result<Self, String> {
        let template = Template::parse_with(text, TemplateRules::FileName);
        template.map(Self).map_err(|error: TemplateError| format!("{}: {error}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl Leaf for ExportMode {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Leaf for Frequency {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Leaf for Trigger {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Leaf for StartTime {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl Leaf for NaiveDate {
    fn read(text: &str) -> Result<Self, String> {
        parse_date(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.format("%Y-%m-%d").to_string().into()
    }
}

impl AudienceSelection {
    /// Reads the selection from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have, or the schedule
    /// breaks a rule between them.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::of(json))
    }

    /// Writes the selection as JSON, with the canonical spellings.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Audience { id, name, description, file_name, schedule } = &self.0;
        let trigger = schedule.trigger();
        let start_time = || StartTime::from_hour(schedule.start().hour());
        super::write(&Written {
            kind: Text(Kind),
            value: RawValue {
                id: id.clone(),
                name: name.clone(),
                description: description.clone(),
                file_name: file_name.clone().map(|template| Text(NameTemplate(template))),
                export_mode: Text(schedule.mode()),
                schedule: Object(RawSchedule {
                    frequency: Text(schedule.frequency()),
                    trigger_type: (schedule.mode() == ExportMode::Full).then_some(Text(trigger)),
                    start_date: Text(schedule.start().date_naive()),
                    end_date: schedule.end().map(|end| Text(end.date_naive())),
                    start_time: (trigger == Trigger::Scheduled).then(start_time).flatten().map(Text),
                }),
                _create_time: None,
                _update_time: None,
            },
        })
    }

    /// The id of the audience.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// What it is.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The template of its file names, if it has one of its own.
    #[must_use]
    pub fn file_name(&self) -> Option<&Template> {
        self.0.file_name.as_ref()
    }

    /// When it is exported.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.0.schedule
    }
}

impl From<Object<Raw>> for AudienceSelection {
    fn from(Object(raw): Object<Raw>) -> Self {
        Self(raw.value)
    }
}

impl TryFrom<Object<RawValue>> for Audience {
    type Error = String;

    fn try_from(Object(raw): Object<RawValue>) -> Result<Self, String> {
        let schedule = raw.schedule.0;
        let (Text(mode), Text(frequency), Text(start_date)) =
            (raw.export_mode, schedule.frequency, schedule.start_date);
        if mode == ExportMode::Full && schedule.trigger_type.is_none() {
            return Err(format!("expected a `triggerType` in `schedule`, as `exportMode` is \"{mode}\""));
        }
        let mut builder = Schedule::builder(mode, frequency, start_date)
            .with_trigger(schedule.trigger_type.map(|trigger| trigger.0).unwrap_or_default());
        if let Some(Text(date)) = schedule.end_date {
            builder = builder.with_end_date(date);
        }
        if let Some(Text(time)) = schedule.start_time {
            builder = builder.with_start_time(time);
        }
        let schedule = builder.build().map_err(|error: ScheduleError| error.to_string())?;
        let RawValue { id, name, description, file_name, .. } = raw;
        Ok(Self { id, name, description, file_name: file_name.map(|template| template.0.0), schedule })
    }
}
