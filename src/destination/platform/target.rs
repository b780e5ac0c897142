//! The target connection: which bucket and folder, and in which format.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::leaf::{Flag, Leaf, Object, Text, not_one_of, shown};
use super::{ConnectionSpec, CsvOptions, PlatformError, Show, read};
use crate::destination::ManifestFile;
use crate::layer::compress::Compression;
use crate::location::{BucketName, BucketRules, FolderPath, FolderRules};

/// The format of the files, as the platform names it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FileType {
    /// `CSV`
    Csv,
    /// JSON, one object on each line: `JSON`
    Json,
    /// `PARQUET`
    Parquet,
}

impl FileType {
    const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Parquet];

    /// The name in a connection; the platform's kit has it in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "PARQUET",
        }
    }
}

impl Leaf for FileType {
    fn read(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| not_one_of(text, &["CSV", "JSON", "PARQUET"]))
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

/// How the platform reaches its target: `Server-to-server`, or one of the three words that it used before.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ConnectionMode {
    /// `AZURE_BLOB`
    AzureBlob,
    /// `FTP`
    Ftp,
    /// `S3`
    S3,
    /// `Server-to-server`
    #[default]
    ServerToServer,
}

impl ConnectionMode {
    const ALL: [Self; 4] = [Self::ServerToServer, Self::S3, Self::Ftp, Self::AzureBlob];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AzureBlob => "AZURE_BLOB",
            Self::Ftp => "FTP",
            Self::S3 => "S3",
            Self::ServerToServer => "Server-to-server",
        }
    }
}

impl Leaf for ConnectionMode {
    fn read(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        found.ok_or_else(|| not_one_of(text, &Self::ALL.map(Self::as_str)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

/// A bucket by the pattern of the platform's API.
pub(super) struct ApiBucket(BucketName);

impl Leaf for ApiBucket {
    fn read(text: &str) -> Result<Self, String> {
        let bucket = BucketName::parse_with(text, BucketRules::PlatformApi);
        bucket.map(Self).map_err(|error| format!("{}: {error}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

/// A folder by the pattern of the platform's API.
pub(super) struct ApiFolder(FolderPath);

impl Leaf for ApiFolder {
    fn read(text: &str) -> Result<Self, String> {
        let folder = FolderPath::parse_with(text, FolderRules::PlatformApi);
        folder.map(Self).map_err(|error| format!("{}: {error}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

/// The platform's target connection to a bucket, by the rules of its API.
///
/// | field | values | required |
/// |---|---|---|
/// | `name`, `description`, `baseConnectionId` | any text | no |
/// | `params.mode` | `Server-to-server`; older: `S3`, `FTP`, `AZURE_BLOB` | yes |
/// | `params.bucketName` | [`BucketRules::PlatformApi`] | yes |
/// | `params.path` | [`FolderRules::PlatformApi`] | yes |
/// | `params.fileType` | `CSV`, `JSON`, `PARQUET`, in any case | for audiences |
/// | `params.datasetFileType` | `JSON`, `PARQUET`, in any case | for datasets |
/// | `params.compression` | `NONE`, `GZIP`, in any case | yes |
/// | `params.csvOptions` | [`CsvOptions`]; only with `fileType` `CSV` | no |
/// | `params.includeFileManifest` | `true`, `false` | no |
/// | `connectionSpec` | `id` and `version` | no |
///
/// One of `fileType` and `datasetFileType` is given. What the platform adds in its answers is read over and not written.
/// To deliver to such a target, read the same text as a [`DestinationFile`](super::DestinationFile), which needs less.
///
/// ```
/// use consign::destination::platform::TargetConnection;
///
/// let json = r#"{"name": "exports", "params": {"mode": "Server-to-server", "bucketName": "acme-exports",
///     "path": "daily/%SEGMENT_ID%", "fileType": "csv", "compression": "gzip"}}"#;
/// let target = TargetConnection::parse(json)?;
/// assert_eq!(
///     target.to_json(),
///     r#"{
///   "name": "exports",
///   "params": {
///     "mode": "Server-to-server",
///     "bucketName": "acme-exports",
///     "path": "daily/%SEGMENT_ID%",
///     "fileType": "CSV",
///     "compression": "GZIP"
///   }
/// }"#
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(from = "Object<Raw>")]
pub struct TargetConnection {
    name: Option<String>,
    description: Option<String>,
    base_connection_id: Option<String>,
    params: TargetParams,
    spec: Option<ConnectionSpec>,
}

/// The `params` of a [`TargetConnection`].
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "Object<RawParams>")]
struct TargetParams {
    mode: ConnectionMode,
    bucket: BucketName,
    folder: FolderPath,
    format: Format,
    csv: Option<CsvOptions>,
    compression: Compression,
    manifest: Option<ManifestFile>,
}

/// What is exported, and as which type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    Audience(FileType),
    Dataset(FileType),
}

super::in_envelope! {
    struct Raw {
        name: Option<String>,
        description: Option<String>,
        base_connection_id: Option<String>,
        params: TargetParams,
        connection_spec: Option<ConnectionSpec>,
        #[serde(rename = "data")]
        _data: Option<serde::de::IgnoredAny>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_connection_id: Option<&'a str>,
    params: RawParams,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_spec: Option<&'a ConnectionSpec>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawParams {
    mode: Text<ConnectionMode>,
    bucket_name: Text<ApiBucket>,
    path: Text<ApiFolder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_type: Option<Text<FileType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_file_type: Option<Text<FileType>>,
    compression: Text<Compression>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csv_options: Option<CsvOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_file_manifest: Option<Flag>,
}

impl TargetConnection {
    /// Reads the connection from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have, or two of them
    /// exclude one another.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::of(json))
    }

    /// Writes the connection as JSON, with the canonical spellings.
    #[must_use]
    pub fn to_json(&self) -> String {
        let params = &self.params;
        super::write(&Written {
            name: self.name(),
            description: self.description(),
            base_connection_id: self.base_connection_id(),
            params: RawParams {
                mode: Text(params.mode),
                bucket_name: Text(ApiBucket(params.bucket.clone())),
                path: Text(ApiFolder(params.folder.clone())),
                file_type: self.file_type().map(Text),
                dataset_file_type: self.dataset_file_type().map(Text),
                compression: Text(params.compression),
                csv_options: params.csv.clone(),
                include_file_manifest: params.manifest.map(|manifest| Flag(manifest == ManifestFile::Write)),
            },
            connection_spec: self.connection_spec(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The id of the [`BaseConnection`](super::BaseConnection) that logs in.
    #[must_use]
    pub fn base_connection_id(&self) -> Option<&str> {
        self.base_connection_id.as_deref()
    }

    /// Which connector it uses.
    #[must_use]
    pub fn connection_spec(&self) -> Option<&ConnectionSpec> {
        self.spec.as_ref()
    }

    /// How the platform reaches it.
    #[must_use]
    pub fn mode(&self) -> ConnectionMode {
        self.params.mode
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &BucketName {
        &self.params.bucket
    }

    /// The folder, with its macros.
    #[must_use]
    pub fn folder(&self) -> &FolderPath {
        &self.params.folder
    }

    /// The format of an audience's files; `None` where the target is for datasets.
    #[must_use]
    pub fn file_type(&self) -> Option<FileType> {
        match self.params.format {
            Format::Audience(kind) => Some(kind),
            Format::Dataset(_) => None,
        }
    }

    /// The format of a dataset's files; `None` where the target is for audiences.
    #[must_use]
    pub fn dataset_file_type(&self) -> Option<FileType> {
        match self.params.format {
            Format::Audience(_) => None,
            Format::Dataset(kind) => Some(kind),
        }
    }

    /// The compression.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.params.compression
    }

    /// The CSV options, if any are given.
    #[must_use]
    pub fn csv_options(&self) -> Option<&CsvOptions> {
        self.params.csv.as_ref()
    }

    /// Whether a manifest is asked for; where the field is absent, the platform writes none.
    #[must_use]
    pub fn manifest(&self) -> Option<ManifestFile> {
        self.params.manifest
    }
}

impl From<Object<Raw>> for TargetConnection {
    fn from(Object(raw): Object<Raw>) -> Self {
        let Raw { name, description, base_connection_id, params, connection_spec, .. } = raw;
        Self { name, description, base_connection_id, params, spec: connection_spec }
    }
}

impl TryFrom<Object<RawParams>> for TargetParams {
    type Error = &'static str;

    fn try_from(Object(raw): Object<RawParams>) -> Result<Self, &'static str> {
        let format = match (raw.file_type, raw.dataset_file_type) {
            (Some(Text(kind)), None) => Format::Audience(kind),
            (None, Some(Text(FileType::Csv))) => return Err("expected \"JSON\" or \"PARQUET\" as `datasetFileType`"),
            (None, Some(Text(kind))) => Format::Dataset(kind),
            (None, None) => return Err("expected `fileType`, or `datasetFileType`"),
            (Some(_), Some(_)) => return Err("expected only one of `fileType` and `datasetFileType`"),
        };
        if raw.csv_options.is_some() && format != Format::Audience(FileType::Csv) {
            return Err("expected `csvOptions` only where `fileType` is \"CSV\"");
        }
        Ok(Self {
            mode: raw.mode.0,
            bucket: raw.bucket_name.0.0,
            folder: raw.path.0.0,
            format,
            csv: raw.csv_options,
            compression: raw.compression.0,
            manifest: raw.include_file_manifest.map(ManifestFile::from),
        })
    }
}

impl From<Flag> for ManifestFile {
    fn from(flag: Flag) -> Self {
        if flag.0 { Self::Write } else { Self::Omit }
    }
}
