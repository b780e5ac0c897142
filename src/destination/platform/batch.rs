//! `batchConfig` of the platform's kit: what customers may choose about file names and schedules.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::leaf::{Flag, Leaf, Object, Text, not_one_of, shown};
use super::{PlatformError, Show, read};
use crate::destination::schedule::{ExportMode, Frequency, StartTime};
use crate::template::{Item, Macro, Template, TemplateError, TemplateRules};

/// The `batchConfig` object of a destination that the platform's kit describes.
///
/// | field | values | without it |
/// |---|---|---|
/// | `allowMandatoryFieldSelection`, `allowDedupeKeyFieldSelection`, `segmentGroupingEnabled` | `true`, `false` | `false` |
/// | `defaultExportMode` | [`ExportMode`] | `DAILY_FULL_EXPORT` |
/// | `allowedExportMode`, or `allowedExportModes` | a list of [`ExportMode`] | |
/// | `allowedScheduleFrequency` | a list of [`Frequency`] | |
/// | `defaultFrequency` | [`Frequency`] | `DAILY` |
/// | `defaultStartTime` | [`StartTime`] | `00:00` |
/// | `filenameConfig` | [`FilenameConfig`] | |
///
/// The macros of merge policies may be options of a file name, or stand in its fixed part, only where
/// `segmentGroupingEnabled` is `true`.
///
/// ```
/// use consign::destination::platform::BatchConfig;
///
/// let config = BatchConfig::parse(
///     r#"{"defaultFrequency": "DAILY", "filenameConfig": {
///         "allowedFilenameAppendOptions": ["SEGMENT_NAME", "DATETIME", "CUSTOM_TEXT"],
///         "defaultFilenameAppendOptions": ["DATETIME"],
///         "defaultFilename": "%DESTINATION%_%SEGMENT_ID%"}}"#,
/// )?;
/// let template = config.filename_config().and_then(|names| names.default_template()).map(|names| names.as_str());
/// assert_eq!(template, Some("%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%"));
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Object<RawBatch>", into = "RawBatch")]
pub struct BatchConfig(RawBatch);

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawBatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_mandatory_field_selection: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_dedupe_key_field_selection: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_export_mode: Option<Text<ExportMode>>,
    #[serde(alias = "allowedExportModes", skip_serializing_if = "Option::is_none")]
    allowed_export_mode: Option<Vec<Text<ExportMode>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_schedule_frequency: Option<Vec<Text<Frequency>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_frequency: Option<Text<Frequency>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_start_time: Option<Text<StartTime>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename_config: Option<FilenameConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segment_grouping_enabled: Option<Flag>,
}

impl BatchConfig {
    /// Reads the object from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have, or a merge policy
    /// stands in file names without grouping.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::of(json))
    }

    /// Writes the object as JSON, with the canonical spellings.
    #[must_use]
    pub fn to_json(&self) -> String {
        super::write(self)
    }

    /// The export mode that is preselected.
    #[must_use]
    pub fn default_export_mode(&self) -> ExportMode {
        self.0.default_export_mode.map_or(ExportMode::Full, |mode| mode.0)
    }

    /// The export modes that customers may choose.
    pub fn allowed_export_modes(&self) -> impl Iterator<Item = ExportMode> {
        self.0.allowed_export_mode.iter().flatten().map(|mode| mode.0)
    }

    /// The frequency that is preselected.
    #[must_use]
    pub fn default_frequency(&self) -> Frequency {
        self.0.default_frequency.map_or(Frequency::Daily, |frequency| frequency.0)
    }

    /// The frequencies that customers may choose.
    pub fn allowed_frequencies(&self) -> impl Iterator<Item = Frequency> {
        self.0.allowed_schedule_frequency.iter().flatten().map(|frequency| frequency.0)
    }

    /// The start time that is preselected.
    #[must_use]
    pub fn default_start_time(&self) -> StartTime {
        self.0.default_start_time.map(|time| time.0).unwrap_or_default()
    }

    /// What customers may choose about file names.
    #[must_use]
    pub fn filename_config(&self) -> Option<&FilenameConfig> {
        self.0.filename_config.as_ref()
    }
}

impl From<BatchConfig> for RawBatch {
    fn from(config: BatchConfig) -> Self {
        config.0
    }
}

impl TryFrom<Object<RawBatch>> for BatchConfig {
    type Error = String;

    fn try_from(Object(raw): Object<RawBatch>) -> Result<Self, String> {
        let grouped = raw.segment_grouping_enabled.is_some_and(|flag| flag.0);
        if let Some(config) = raw.filename_config.as_ref().filter(|_| !grouped) {
            const OF_POLICY: [&str; 2] = ["MERGE_POLICY_ID", "MERGE_POLICY_NAME"];

            let allowed = config.allowed.iter().map(|option| ("allows", option.as_str()));
            let fixed = config.fixed.iter().flat_map(Template::items).filter_map(|item| match item {
                Item::Macro(found) => Some(("has in its `defaultFilename`", found.name())),
                _ => None,
            });
            if let Some((does, name)) = allowed.chain(fixed).find(|(_, name)| OF_POLICY.contains(name)) {
                return Err(format!(
                    "`filenameConfig` {does} \"{name}\": expected it only where `segmentGroupingEnabled` is true"
                ));
            }
        }
        Ok(Self(raw))
    }
}

/// A macro that a customer may append to a file name, in the order in which the platform shows them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FilenameOption {
    /// `DESTINATION`: the name of the destination's card.
    Destination,
    /// `SEGMENT_ID`
    SegmentId,
    /// `SEGMENT_NAME`
    SegmentName,
    /// `DESTINATION_INSTANCE_ID`: the id of the dataflow.
    DestinationInstanceId,
    /// `DESTINATION_INSTANCE_NAME`: the name of the dataflow.
    DestinationInstanceName,
    /// `ORGANIZATION_NAME`
    OrganizationName,
    /// `SANDBOX_NAME`
    SandboxName,
    /// `DATETIME`: `YYYYMMDD_HHMMSS`, UTC.
    Datetime,
    /// `CUSTOM_TEXT`
    CustomText,
    /// `TIMESTAMP`: seconds since 1970.
    Timestamp,
    /// `MERGE_POLICY_ID`
    MergePolicyId,
    /// `MERGE_POLICY_NAME`
    MergePolicyName,
}

impl FilenameOption {
    /// Every option, in the platform's order.
    pub const ALL: [Self; 12] = [
        Self::Destination,
        Self::SegmentId,
        Self::SegmentName,
        Self::DestinationInstanceId,
        Self::DestinationInstanceName,
        Self::OrganizationName,
        Self::SandboxName,
        Self::Datetime,
        Self::CustomText,
        Self::Timestamp,
        Self::MergePolicyId,
        Self::MergePolicyName,
    ];

    /// The platform's name of the option, which is that of its macro.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Destination => "DESTINATION",
            Self::SegmentId => "SEGMENT_ID",
            Self::SegmentName => "SEGMENT_NAME",
            Self::DestinationInstanceId => "DESTINATION_INSTANCE_ID",
            Self::DestinationInstanceName => "DESTINATION_INSTANCE_NAME",
            Self::OrganizationName => "ORGANIZATION_NAME",
            Self::SandboxName => "SANDBOX_NAME",
            Self::Datetime => "DATETIME",
            Self::CustomText => "CUSTOM_TEXT",
            Self::Timestamp => "TIMESTAMP",
            Self::MergePolicyId => "MERGE_POLICY_ID",
            Self::MergePolicyName => "MERGE_POLICY_NAME",
        }
    }

    /// How it stands in a template.
    fn spelled(self) -> String {
        match self {
            Self::Datetime => "%DATETIME(YYYYMMdd_HHmmss)%".to_owned(),
            other => format!("%{}%", other.as_str()),
        }
    }
}

impl Leaf for FilenameOption {
    fn read(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|option| option.as_str() == text);
        found.ok_or_else(|| not_one_of(text, &Self::ALL.map(Self::as_str)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

/// The `filenameConfig` object: which macros customers may append to file names.
///
/// | field | values | required |
/// |---|---|---|
/// | `allowedFilenameAppendOptions` | a list of [`FilenameOption`] | yes |
/// | `defaultFilenameAppendOptions` | those of them that are preselected | yes |
/// | `defaultFilename` | a [`Template`] that customers cannot change | no |
///
/// # Rules
///
/// - Where `defaultFilename` is absent or empty, one option or more is allowed.
/// - The preselected options are allowed ones. No option stands twice, in a list or in `defaultFilename` beside it.
/// - A name has `DATETIME` or `TIMESTAMP`, not both.
/// - `CUSTOM_TEXT` does not stand in `defaultFilename`.
/// - Chosen options stand behind `defaultFilename` in the order in which they were chosen, joined by `_`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Object<RawFilename>", into = "RawFilename")]
pub struct FilenameConfig {
    allowed: Vec<FilenameOption>,
    preselected: Vec<FilenameOption>,
    fixed: Option<Template>,
    default: Option<Template>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawFilename {
    #[serde(rename = "allowedFilenameAppendOptions")]
    allowed: Vec<Text<FilenameOption>>,
    #[serde(rename = "defaultFilenameAppendOptions")]
    preselected: Vec<Text<FilenameOption>>,
    #[serde(rename = "defaultFilename", skip_serializing_if = "Option::is_none")]
    fixed: Option<Text<Fixed>>,
}

/// A template that may be empty.
struct Fixed(Template);

impl Leaf for Fixed {
    fn read(text: &str) -> Result<Self, String> {
        let rules = if text.is_empty() { TemplateRules::Lenient } else { TemplateRules::FileName };
        Template::parse_with(text, rules).map(Self).map_err(|error| format!("{}: {error}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl FilenameConfig {
    /// Reads the object from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have, or a rule is broken.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::of(json))
    }

    /// The options that customers may choose.
    #[must_use]
    pub fn allowed(&self) -> &[FilenameOption] {
        &self.allowed
    }

    /// The options that are preselected.
    #[must_use]
    pub fn preselected(&self) -> &[FilenameOption] {
        &self.preselected
    }

    /// The template of a name with the preselected options; `None` where the customer has to choose one first, since
    /// nothing is fixed and nothing preselected.
    #[must_use]
    pub fn default_template(&self) -> Option<&Template> {
        self.default.as_ref()
    }

    /// The template of a name with these options.
    ///
    /// # Errors
    ///
    /// When an option is not allowed, or chosen twice, both times are chosen, or nothing is left of the name.
    ///
    /// ```
    /// use consign::destination::platform::{FilenameConfig, FilenameOption};
    ///
    /// let config = FilenameConfig::parse(
    ///     r#"{"allowedFilenameAppendOptions": ["SEGMENT_ID", "TIMESTAMP"],
    ///         "defaultFilenameAppendOptions": [], "defaultFilename": "%DESTINATION%"}"#,
    /// )?;
    /// let template = config.template(&[FilenameOption::SegmentId, FilenameOption::Timestamp])?;
    /// assert_eq!(template.as_str(), "%DESTINATION%_%SEGMENT_ID%_%TIMESTAMP%");
    ///
    /// let error = config.template(&[FilenameOption::CustomText]).unwrap_err();
    /// assert_eq!(error.to_string(), "\"CUSTOM_TEXT\" is not allowed: expected \"SEGMENT_ID\" or \"TIMESTAMP\"");
    /// # Ok::<(), consign::Error>(())
    /// ```
    pub fn template(&self, chosen: &[FilenameOption]) -> crate::Result<Template> {
        join(&self.allowed, self.fixed.as_ref(), chosen)
            .map_err(|text| crate::Error::new(crate::ErrorKind::Destination, text))
    }
}

/// The template of the fixed part and the chosen options, by the rules of [`FilenameConfig`].
fn join(allowed: &[FilenameOption], fixed: Option<&Template>, chosen: &[FilenameOption]) -> Result<Template, String> {
    let names = || allowed.iter().map(|option| option.as_str()).collect::<Vec<_>>();
    for (i, option) in chosen.iter().enumerate() {
        if !allowed.contains(option) {
            let expected = if allowed.is_empty() { "none".to_owned() } else { super::leaf::one_of(&names()) };
            return Err(format!("\"{}\" is not allowed: expected {expected}", option.as_str()));
        }
        if chosen[..i].contains(option) {
            return Err(format!("\"{}\" stands twice: expected it once", option.as_str()));
        }
    }
    let fixed = fixed.map(|template| template.as_str().to_owned()).filter(|text| !text.is_empty());
    let parts: Vec<String> = fixed.into_iter().chain(chosen.iter().map(|option| option.spelled())).collect();
    let text = parts.join("_");
    Template::parse_with(&text, TemplateRules::FileName)
        .map_err(|error: TemplateError| format!("{}: {error}", shown(&text)))
}

impl From<FilenameConfig> for RawFilename {
    fn from(config: FilenameConfig) -> Self {
        Self {
            allowed: config.allowed.into_iter().map(Text).collect(),
            preselected: config.preselected.into_iter().map(Text).collect(),
            fixed: config.fixed.map(|template| Text(Fixed(template))),
        }
    }
}

impl TryFrom<Object<RawFilename>> for FilenameConfig {
    type Error = String;

    fn try_from(Object(raw): Object<RawFilename>) -> Result<Self, String> {
        let allowed: Vec<FilenameOption> = raw.allowed.into_iter().map(|option| option.0).collect();
        let preselected: Vec<FilenameOption> = raw.preselected.into_iter().map(|option| option.0).collect();
        let fixed = raw.fixed.map(|fixed| fixed.0.0);

        for (i, option) in allowed.iter().enumerate() {
            if allowed[..i].contains(option) {
                return Err(format!("`allowedFilenameAppendOptions` has \"{}\" twice", option.as_str()));
            }
        }
        let macros = fixed.iter().flat_map(Template::items).filter_map(|item| match item {
            Item::Macro(found) => Some(found),
            _ => None,
        });
        for found in macros {
            if *found == Macro::CustomText {
                return Err("`defaultFilename` holds \"CUSTOM_TEXT\": expected it as an option alone".to_owned());
            }
            if allowed.iter().any(|option| option.as_str() == found.name()) {
                let name = found.name();
                return Err(format!(
                    "\"{name}\" stands in `defaultFilename` and in `allowedFilenameAppendOptions`: expected one of them"
                ));
            }
        }
        if fixed.as_ref().is_none_or(|template| template.as_str().is_empty()) && allowed.is_empty() {
            return Err("expected a `defaultFilename`, or at least one of `allowedFilenameAppendOptions`".to_owned());
        }
        let nothing = fixed.as_ref().is_none_or(|template| template.as_str().is_empty()) && preselected.is_empty();
        let default = if nothing { None } else { Some(join(&allowed, fixed.as_ref(), &preselected)?) };
        Ok(Self { allowed, preselected, fixed, default })
    }
}
