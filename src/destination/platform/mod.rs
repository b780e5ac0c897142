//! The JSON of the platform: connections, schedules, file names, encryption.
//!
//! Every type here reads each spelling that the platform's pages and schemas use, and writes the canonical one; what it
//! has written, it reads as the same value. Fields that it does not know are errors that name them by their path and
//! say which ones there are.
//!
//! Errors count lines and characters from 1, and mean the value at fault, not the place where reading stopped.

mod audience;
mod base;
mod batch;
mod columns;
mod csv_options;
mod dataset;
mod dialect;
mod encryption;
mod error;
mod file;
mod leaf;
mod place;
mod target;

pub use audience::AudienceSelection;
pub use base::{BaseConnection, ConnectionSpec};
pub use batch::{BatchConfig, FilenameConfig, FilenameOption};
pub use csv_options::CsvOptions;
pub use dataset::DatasetSchedule;
pub use encryption::{EncryptionAlgorithm, EncryptionSpec};
pub use error::{PlatformError, PlatformErrorKind};
pub use file::DestinationFile;
pub use target::{ConnectionMode, FileType, TargetConnection};

use error::Show;
use serde::de::DeserializeOwned;

/// Reads one JSON value and nothing after it. A byte order mark before it is skipped, as editors put one there.
fn read<T: DeserializeOwned>(json: &str, show: Show) -> Result<T, PlatformError> {
    read_text(json, |text| read_value(text, show))
}

/// Reads the text behind a byte order mark, and makes the places of errors those of the whole text.
fn read_text<T>(json: &str, read: impl FnOnce(&str) -> Result<T, PlatformError>) -> Result<T, PlatformError> {
    let text = json.strip_prefix('\u{feff}').unwrap_or(json);
    read(text).map_err(|error| error.moved(json.len() - text.len()))
}

fn read_value<T: DeserializeOwned>(text: &str, show: Show) -> Result<T, PlatformError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let value = T::deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track));
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| PlatformError::from_serde(text, &track.path(), &error, show))
}

/// Writes a value as JSON, indented by two spaces.
fn write<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("strings, numbers, lists and objects with text keys")
}

/// A structure that serde reads, and beside its fields those that the platform adds to everything in its answers, which
/// are read over.
macro_rules! in_envelope {
    (@$($(#[$meta:meta])* struct $name:ident { $($field:tt)* } $($json:literal $ignored:ident)*)?) => {$(
        $(#[$meta])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        struct $name {
            $($field)*
            $(#[serde(rename = $json)] $ignored: Option<serde::de::IgnoredAny>,)*
        }
    )?};
    ($($structure:tt)*) => {
        $crate::destination::platform::in_envelope! {
            @$($structure)*
            "createdAt" _created_at "createdBy" _created_by "createdClient" _created_client "etag" _etag "id" _id
            "imsOrgId" _ims_org_id "inheritedAttributes" _inherited_attributes "lastOperation" _last_operation
            "sandboxId" _sandbox_id "sandboxName" _sandbox_name "state" _state "updatedAt" _updated_at
            "updatedBy" _updated_by "updatedClient" _updated_client "version" _version
        }
    };
}
use in_envelope;

/// The fields that [`in_envelope`] adds, which no message offers.
const ENVELOPE: &[&str] = &[
    "createdAt",
    "createdBy",
    "createdClient",
    "etag",
    "id",
    "imsOrgId",
    "inheritedAttributes",
    "lastOperation",
    "sandboxId",
    "sandboxName",
    "state",
    "updatedAt",
    "updatedBy",
    "updatedClient",
    "version",
];
