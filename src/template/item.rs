//! The macros: one table of all their spellings.

use super::DateFormat;

/// A part of a template.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// A macro that a value replaces.
    Macro(&'a Macro),
}

/// What a macro stands for; the [table](super::Template#macros) has all of them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Macro {
    /// `%CUSTOM_TEXT%`, `%custom-text%`
    CustomText,
    /// `%DATASET_ID%`
    DatasetId,
    /// `%DATASET_NAME%`
    DatasetName,
    /// `%DATETIME(…)%`, `%DATETIME%`
    Datetime(DateFormat),
    /// `%DESTINATION%`, `%DESTINATION_NAME%`
    Destination,
    /// `%DESTINATION_INSTANCE_ID%`
    DestinationInstanceId,
    /// `%DESTINATION_INSTANCE_NAME%`
    DestinationInstanceName,
    /// `%EXPORT_TIME%`
    ExportTime,
    /// `%FILE_INDEX%`
    FileIndex,
    /// `%MERGE_POLICY_ID%`
    MergePolicyId,
    /// `%MERGE_POLICY_NAME%`
    MergePolicyName,
    /// `%ORGANIZATION_NAME%`
    OrganizationName,
    /// `%SANDBOX_NAME%`
    SandboxName,
    /// `%SEGMENT_ID%`
    SegmentId,
    /// `%SEGMENT_NAME%`
    SegmentName,
    /// `%TIMESTAMP%`
    Timestamp,
}

impl Macro {
    /// The name without percent signs and pattern, in its canonical spelling: `SEGMENT_ID`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CustomText => "CUSTOM_TEXT",
            Self::DatasetId => "DATASET_ID",
            Self::DatasetName => "DATASET_NAME",
            Self::Datetime(_) => "DATETIME",
            Self::Destination => "DESTINATION",
            Self::DestinationInstanceId => "DESTINATION_INSTANCE_ID",
            Self::DestinationInstanceName => "DESTINATION_INSTANCE_NAME",
            Self::ExportTime => "EXPORT_TIME",
            Self::FileIndex => "FILE_INDEX",
            Self::MergePolicyId => "MERGE_POLICY_ID",
            Self::MergePolicyName => "MERGE_POLICY_NAME",
            Self::OrganizationName => "ORGANIZATION_NAME",
            Self::SandboxName => "SANDBOX_NAME",
            Self::SegmentId => "SEGMENT_ID",
            Self::SegmentName => "SEGMENT_NAME",
            Self::Timestamp => "TIMESTAMP",
        }
    }
}

/// A way to spell a macro, and where the platform takes it.
pub(super) struct Spelling {
    pub(super) name: &'static str,
    pub(super) means: Macro,
    pub(super) file_name: Place,
    pub(super) dataset_folder: Place,
}

/// Whether a macro may stand somewhere.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Taken,
    /// Only where the export is grouped by merge policy.
    Grouped,
    /// An addition of this crate.
    Ours,
    Refused,
}

const fn spelling(name: &'static str, means: Macro, file_name: Place, dataset_folder: Place) -> Spelling {
    Spelling { name, means, file_name, dataset_folder }
}

/// All spellings, in the order in which the platform's user interface shows them.
pub(super) static SPELLINGS: [Spelling; 18] = {
    use Place::{Grouped, Ours, Refused, Taken};
    [
        spelling("DESTINATION", Macro::Destination, Taken, Taken),
        spelling("DESTINATION_NAME", Macro::Destination, Taken, Taken),
        spelling("SEGMENT_ID", Macro::SegmentId, Taken, Refused),
        spelling("SEGMENT_NAME", Macro::SegmentName, Taken, Refused),
        spelling("DESTINATION_INSTANCE_ID", Macro::DestinationInstanceId, Taken, Taken),
        spelling("DESTINATION_INSTANCE_NAME", Macro::DestinationInstanceName, Taken, Taken),
        spelling("ORGANIZATION_NAME", Macro::OrganizationName, Taken, Taken),
        spelling("SANDBOX_NAME", Macro::SandboxName, Taken, Taken),
        spelling("DATETIME", Macro::Datetime(DateFormat::PLATFORM), Taken, Taken),
        spelling("CUSTOM_TEXT", Macro::CustomText, Taken, Refused),
        spelling("custom-text", Macro::CustomText, Taken, Refused),
        spelling("TIMESTAMP", Macro::Timestamp, Taken, Refused),
        spelling("MERGE_POLICY_ID", Macro::MergePolicyId, Grouped, Refused),
        spelling("MERGE_POLICY_NAME", Macro::MergePolicyName, Grouped, Refused),
        spelling("DATASET_ID", Macro::DatasetId, Refused, Taken),
        spelling("DATASET_NAME", Macro::DatasetName, Refused, Taken),
        spelling("EXPORT_TIME", Macro::ExportTime, Refused, Taken),
        spelling("FILE_INDEX", Macro::FileIndex, Ours, Refused),
    ]
};

/// The spelling of this name, which has to be exact.
pub(super) fn lookup(name: &str) -> Option<&'static Spelling> {
    SPELLINGS.iter().find(|it| it.name == name)
}

/// The canonical spelling of a macro.
pub(super) fn spelling_of(found: &Macro) -> &'static Spelling {
    lookup(found.name()).expect("the canonical name of a macro is one of its spellings")
}
