//! The destination file: the platform's JSON of a target, with the further options of this crate beside it.

use std::fmt;
use std::num::NonZeroU64;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};

use super::columns::RawColumn;
use super::dialect::Further;
use super::leaf::{Choice, Filled, Flag, Object, Text, Word, shown};
use super::{
    ConnectionMode, ConnectionSpec, CsvOptions, EncryptionAlgorithm, EncryptionSpec, FileType, PlatformError,
    PlatformErrorKind, Show, read_text,
};
use crate::Result;
use crate::destination::{Commit, Destination, ManifestFile};
use crate::format::csv::Dialect;
use crate::layer::compress::Compression;
use crate::location::{BucketName, BucketRules, FolderPath, FolderRules};
use crate::row::{Columns, Dots};
use crate::store::OnExists;
use crate::template::{Template, TemplateRules};

/// A destination as a JSON file: what the platform's API takes, with further options beside it.
///
/// The fields that the platform puts into the `params` of a target connection may stand there or on the top level, so
/// that a target connection can be used as it is, and a file written by hand can be flat. Only `bucketName` and `path`
/// are required.
///
/// | field, may be in `params` | values | without it |
/// |---|---|---|
/// | `bucketName` | a [`BucketName`] by `bucketRules` | required |
/// | `path` | a [`FolderPath`] by `folderRules`; `""` is the root of the bucket | required |
/// | `fileType` | `CSV`; `JSON` and `PARQUET` are not built yet | `CSV` |
/// | `compression` | `NONE`, `GZIP` | `NONE` (the platform requires it) |
/// | `csvOptions` | [`CsvOptions`] | the platform's dialect |
/// | `includeFileManifest` | `true`, `false` | `true` (the platform writes none: see below) |
/// | `mode` | `Server-to-server`, `S3`, `FTP`, `AZURE_BLOB`; without effect | |
///
/// | field, on the top level | values | without it |
/// |---|---|---|
/// | `name` | any text, the `%DESTINATION%` of names | none |
/// | `filenameTemplate`, or `fileNameTemplate` | a [`Template`] | [`DEFAULT_FILENAME_TEMPLATE`](Self::DEFAULT_FILENAME_TEMPLATE) |
/// | `maxFileRowCount` | rows of one file: 1 or more, from 1,000,000 to 10,000,000 where `fileRules` are strict | 5,000,000 |
/// | `encryption` | an [`EncryptionSpec`]; needs the crate's feature `openpgp` | none |
/// | `description`, `connectionSpec`, `baseConnectionId`, `data` | as in a target connection; without effect | |
///
/// | further option of this crate | values | without it |
/// |---|---|---|
/// | `columns` | a list of names, or of `{"source": "a", "target": "b"}`; their order is that of the file | all columns |
/// | `columnDots` | `keep`, or `underscore` as the platform has it: `person.name` becomes `person_name` | `keep` |
/// | `commit` | `group`, `per-file`: [`Commit`] | `group` |
/// | `onExists` | `overwrite`, `fail`, `skip`, `suffix`: [`OnExists`] | `overwrite` |
/// | `fileExtension` | what names end in, with its dot | `.csv` and the layers', such as `.csv.gz.gpg` |
/// | `dialect` | settings of CSV that the platform has no option for, below | |
/// | `bucketRules` | `strict`, `lenient`, `platform`, `platform-api`, `aws`, `aws-directory`, `gcs`, `azure`: [`BucketRules`] | `strict` |
/// | `folderRules` | `strict`, `lenient`, `platform`, `platform-api`, `aws`, `gcs`, `azure`: [`FolderRules`] | `lenient` |
/// | `fileRules` | `strict`: file name and row limit by the platform's documents ([`TemplateRules::Strict`]); `lenient` | `lenient` |
///
/// | setting in `dialect` | values; the first is the default |
/// |---|---|
/// | `mode` | `fixed`, `exact`: [`Mode`](crate::format::csv::Mode) |
/// | `quoteStyle` | `minimal`, `all`, `all-but-null`, `non-numeric`, `strings`, `never`: [`QuoteStyle`](crate::format::csv::QuoteStyle) |
/// | `nulls` | `marked`, `as-text`: [`Nulls`](crate::format::csv::Nulls) |
/// | `blank` | `quoted`, `bare`: [`Blank`](crate::format::csv::Blank) |
/// | `bom` | `omit`, `write`: [`Bom`](crate::format::csv::Bom) |
/// | `unmappable` | `error`, `escape`, `replace`: [`Unmappable`](crate::format::csv::Unmappable) |
/// | `formulaGuard` | `off`, `apostrophe`: [`Guard`](crate::format::csv::Guard) |
/// | `onHazard` | `count`, `refuse`: [`OnHazard`](crate::format::csv::OnHazard) |
/// | `refused` | `fail`, `reject`, `skip`: [`Refused`](crate::format::csv::Refused) |
///
/// - The manifest is written unless it is switched off, since without one a reader cannot tell a finished export from
///   one that is under way. The platform has it the other way round.
/// - What the platform adds in its answers (`id`, `etag`, `createdAt` and the like) is read over.
/// - A `null` is the same as no field.
///
/// ```
/// use consign::destination::platform::DestinationFile;
///
/// let destination = DestinationFile::parse(
///     r#"{
///         "bucketName": "acme-exports",
///         "path": "campaigns/%SEGMENT_NAME%",
///         "compression": "GZIP",
///         "csvOptions": {"delimiter": ";"},
///         "columns": ["id", {"source": "mail", "target": "email"}]
///     }"#,
/// )?
/// .into_destination("2026-11-22T08:00:00Z".parse()?)?;
/// assert_eq!(destination.bucket().as_str(), "acme-exports");
/// # #[cfg(feature = "gzip")]
/// assert_eq!(destination.extension(), ".csv.gz");
///
/// let error = DestinationFile::parse("{\n  \"bucketName\": \"Acme\",\n  \"path\": \"\"\n}").unwrap_err();
/// assert_eq!(error.path(), "bucketName");
/// assert_eq!((error.line(), error.column()), (2, 17));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DestinationFile {
    name: Option<String>,
    bucket: BucketName,
    folder: FolderPath,
    file_name: Template,
    dialect: Dialect,
    compression: Compression,
    #[cfg(feature = "openpgp")]
    encryption: Option<EncryptionSpec>,
    columns: Columns,
    max_rows: NonZeroU64,
    manifest: ManifestFile,
    on_exists: OnExists,
    commit: Commit,
    extension: Option<String>,
}

super::in_envelope! {
    struct Raw {
        params: Option<Object<RawParams>>,
        mode: Option<Text<ConnectionMode>>,
        bucket_name: Option<String>,
        path: Option<String>,
        file_type: Option<Text<FileType>>,
        dataset_file_type: Option<Text<FileType>>,
        compression: Option<Text<Compression>>,
        csv_options: Option<CsvOptions>,
        include_file_manifest: Option<Flag>,
        name: Option<String>,
        #[serde(rename = "description")]
        _description: Option<String>,
        filename_template: Option<String>,
        file_name_template: Option<String>,
        max_file_row_count: Option<Rows>,
        encryption: Option<EncryptionSpec>,
        columns: Option<Vec<RawColumn>>,
        column_dots: Option<Word<Dots>>,
        dialect: Option<Object<Further>>,
        on_exists: Option<Word<OnExists>>,
        commit: Option<Word<Commit>>,
        file_extension: Option<Text<Filled>>,
        bucket_rules: Option<Word<BucketRules>>,
        folder_rules: Option<Word<FolderRules>>,
        file_rules: Option<Word<FileRules>>,
        #[serde(rename = "connectionSpec")]
        _connection_spec: Option<ConnectionSpec>,
        #[serde(rename = "baseConnectionId")]
        _base_connection_id: Option<String>,
        #[serde(rename = "data")]
        _data: Option<IgnoredAny>,
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawParams {
    mode: Option<Text<ConnectionMode>>,
    bucket_name: Option<String>,
    path: Option<String>,
    file_type: Option<Text<FileType>>,
    dataset_file_type: Option<Text<FileType>>,
    compression: Option<Text<Compression>>,
    csv_options: Option<CsvOptions>,
    include_file_manifest: Option<Flag>,
}

impl DestinationFile {
    /// The file names without a `filenameTemplate`: `%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%`, which is
    /// the platform's own default.
    pub const DEFAULT_FILENAME_TEMPLATE: &'static str = "%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%";

    /// The rows that the platform's kit allows in one file: 1,000,000 to 10,000,000.
    pub const STRICT_ROWS: std::ops::RangeInclusive<u64> = 1_000_000..=10_000_000;

    /// Reads the file. A byte order mark before it is skipped.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have, two of them exclude
    /// one another, or one asks for what is not built. The error names the field, the value, the rule and the place.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        let show = Show::of(json);
        read_text(json, |text| {
            let Object(raw) = super::read_value(text, show)?;
            Self::from_raw(raw, &Faults { text, show })
        })
    }

    fn from_raw(raw: Raw, faults: &Faults<'_>) -> Result<Self, PlatformError> {
        let params = raw.params.as_ref().map(|_| "params.").unwrap_or_default();
        let inner = raw.params.map(|params| params.0).unwrap_or_default();
        faults.one_of("mode", raw.mode, inner.mode)?;
        let (bucket, bucket_at) = faults.required("bucketName", raw.bucket_name, inner.bucket_name, params)?;
        let (folder, folder_at) = faults.required("path", raw.path, inner.path, params)?;
        let (file_type, file_type_at) = faults.one_of("fileType", raw.file_type, inner.file_type)?;
        let (dataset, dataset_at) = faults.one_of("datasetFileType", raw.dataset_file_type, inner.dataset_file_type)?;
        let (compression, _) = faults.one_of("compression", raw.compression, inner.compression)?;
        let (csv, _) = faults.one_of("csvOptions", raw.csv_options, inner.csv_options)?;
        let (manifest, _) =
            faults.one_of("includeFileManifest", raw.include_file_manifest, inner.include_file_manifest)?;

        let bucket_rules = raw.bucket_rules.map(|rules| rules.0).unwrap_or_default();
        let bucket = BucketName::parse_with(&bucket, bucket_rules)
            .map_err(|error| faults.value(&bucket_at, format!("{}: {error}", shown(&bucket))))?;
        let folder_rules = raw.folder_rules.map(|rules| rules.0).unwrap_or_default();
        let folder = FolderPath::parse_with(&folder, folder_rules)
            .map_err(|error| faults.value(&folder_at, format!("{}: {error}", shown(&folder))))?;

        if dataset.is_some() {
            return Err(faults.rule(&dataset_at, "expected `fileType` \"CSV\" instead: datasets are not built yet"));
        }
        if let Some(Text(kind)) = file_type.filter(|kind| kind.0 != FileType::Csv) {
            let text = format!("expected \"CSV\", the only type that is built, found {}", shown(kind.as_str()));
            return Err(faults.rule(&file_type_at, text));
        }
        let csv = csv.unwrap_or_default();
        let further = raw.dialect.map(|further| further.0).unwrap_or_default();
        let dialect =
            further.apply(csv.builder()).build().map_err(|error| faults.value("dialect", error.to_string()))?;

        let file_rules = raw.file_rules.map(|rules| rules.0).unwrap_or_default();
        let (template, template_at) = match (&raw.filename_template, &raw.file_name_template) {
            (Some(_), Some(_)) => {
                let text = "expected only one of `filenameTemplate` and `fileNameTemplate`";
                return Err(faults.rule("fileNameTemplate", text));
            }
            (None, Some(template)) => (template.as_str(), "fileNameTemplate"),
            (Some(template), None) => (template.as_str(), "filenameTemplate"),
            (None, None) => (Self::DEFAULT_FILENAME_TEMPLATE, "filenameTemplate"),
        };
        let file_name = Template::parse_with(template, file_rules.of_names())
            .map_err(|error| faults.value(template_at, format!("{}: {error}", shown(template))))?;
        let max_rows = raw.max_file_row_count.map_or(Destination::DEFAULT_MAX_ROWS, |rows| rows.0);
        if file_rules == FileRules::Strict && !Self::STRICT_ROWS.contains(&max_rows.get()) {
            let text =
                format!("expected a number from 1000000 to 10000000 where `fileRules` is \"strict\", found {max_rows}");
            return Err(faults.rule("maxFileRowCount", text));
        }

        let encryption = raw.encryption.filter(|spec| spec.algorithm() != EncryptionAlgorithm::None);
        if encryption.is_some() && cfg!(not(feature = "openpgp")) {
            return Err(faults.rule("encryption", "the crate's feature `openpgp` is needed, and is off"));
        }

        let columns = match raw.columns {
            Some(list) if list.is_empty() => {
                return Err(faults.value("columns", "expected at least one column, found none".to_owned()));
            }
            Some(list) => Columns::select(list.into_iter().map(|column| column.0)),
            None => Ok(Columns::all()),
        };
        let columns = columns
            .and_then(|columns| columns.with_dots(raw.column_dots.map(|dots| dots.0).unwrap_or_default()))
            .map_err(|error| faults.value("columns", error.to_string()))?;

        Ok(Self {
            name: raw.name,
            bucket,
            folder,
            file_name,
            dialect,
            compression: compression.map(|compression| compression.0).unwrap_or_default(),
            #[cfg(feature = "openpgp")]
            encryption,
            columns,
            max_rows,
            manifest: manifest.map(ManifestFile::from).unwrap_or_default(),
            on_exists: raw.on_exists.map(|rule| rule.0).unwrap_or_default(),
            commit: raw.commit.map(|commit| commit.0).unwrap_or_default(),
            extension: raw.file_extension.map(|extension| extension.0.0),
        })
    }

    /// Makes the destination; `now` is when the encryption key has to be valid.
    ///
    /// # Errors
    ///
    /// When the key of `encryption` cannot be used, or two settings of the destination exclude one another.
    pub fn into_destination(self, now: DateTime<Utc>) -> Result<Destination> {
        let mut builder = Destination::builder(self.bucket, self.folder, self.file_name)
            .with_dialect(self.dialect)
            .with_compression(self.compression)
            .with_columns(self.columns)
            .with_max_rows(self.max_rows)
            .with_manifest(self.manifest)
            .with_on_exists(self.on_exists)
            .with_commit(self.commit);
        if let Some(name) = self.name {
            builder = builder.with_name(name);
        }
        if let Some(extension) = self.extension {
            builder = builder.with_extension(extension);
        }
        #[cfg(feature = "openpgp")]
        if let Some(key) = self.encryption.as_ref().and_then(EncryptionSpec::public_key) {
            use crate::layer::encrypt::{Encryption, Recipient};

            let encryption = Recipient::parse(key.as_bytes(), now).and_then(Encryption::to).map_err(|error| {
                let text = "the `publicKey` of the destination's `encryption` cannot be used";
                crate::Error::new(crate::ErrorKind::Recipient, text).with_source(error)
            })?;
            builder = builder.with_encryption(encryption);
        }
        #[cfg(not(feature = "openpgp"))]
        let _ = now;
        builder.build()
    }
}

/// Makes errors of what is wrong between fields, or could only be parsed once others were known.
struct Faults<'a> {
    text: &'a str,
    show: Show,
}

impl Faults<'_> {
    /// The value of a field that may stand in `params` or on the top level, and its path.
    fn one_of<T>(&self, name: &str, outer: Option<T>, inner: Option<T>) -> Result<(Option<T>, String), PlatformError> {
        let in_params = format!("params.{name}");
        match (outer, inner) {
            (Some(_), Some(_)) => {
                Err(self
                    .rule(&in_params, format!("expected `{name}` in `params` or on the top level, found it in both")))
            }
            (None, Some(value)) => Ok((Some(value), in_params)),
            (value, None) => Ok((value, name.to_owned())),
        }
    }

    /// As [`one_of`](Self::one_of), for a field that has to be there; `params` is where it is missed.
    fn required<T>(
        &self,
        name: &str,
        outer: Option<T>,
        inner: Option<T>,
        params: &str,
    ) -> Result<(T, String), PlatformError> {
        let (value, path) = self.one_of(name, outer, inner)?;
        match value {
            Some(value) => Ok((value, path)),
            None => {
                Err(self.error(PlatformErrorKind::MissingField, &format!("{params}{name}"), "missing field".into()))
            }
        }
    }

    fn value(&self, path: &str, text: String) -> PlatformError {
        self.error(PlatformErrorKind::Value, path, text)
    }

    fn rule(&self, path: &str, text: impl Into<String>) -> PlatformError {
        self.error(PlatformErrorKind::Rule, path, text.into())
    }

    fn error(&self, kind: PlatformErrorKind, path: &str, text: String) -> PlatformError {
        PlatformError::at(kind, self.text, path, text, self.show)
    }
}

/// How many rows a file has at most.
#[derive(Clone, Copy)]
struct Rows(NonZeroU64);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        fn wrong<E: de::Error>(found: impl fmt::Display) -> E {
            E::custom(format!("expected a whole number of rows of at least 1, found {found}"))
        }

        impl Visitor<'_> for Read {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of rows of at least 1")
            }

            fn visit_u64<E: de::Error>(self, rows: u64) -> Result<Rows, E> {
                NonZeroU64::new(rows).map(Rows).ok_or_else(|| wrong(rows))
            }

            fn visit_i64<E: de::Error>(self, rows: i64) -> Result<Rows, E> {
                Err(wrong(rows))
            }

            fn visit_f64<E: de::Error>(self, rows: f64) -> Result<Rows, E> {
                Err(wrong(format_args!("{rows:?}")))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

/// Whether names and limits of files are those of the platform's documents.
#[derive(Clone, Copy, Default, PartialEq)]
enum FileRules {
    #[default]
    Lenient,
    Strict,
}

impl FileRules {
    fn of_names(self) -> TemplateRules {
        match self {
            Self::Lenient => TemplateRules::FileName,
            Self::Strict => TemplateRules::Strict,
        }
    }
}

impl Choice for FileRules {
    const ALL: &'static [(&'static str, Self)] = &[("lenient", Self::Lenient), ("strict", Self::Strict)];
}

impl Choice for Dots {
    const ALL: &'static [(&'static str, Self)] = &[("keep", Self::Keep), ("underscore", Self::Underscore)];
}

impl Choice for Commit {
    const ALL: &'static [(&'static str, Self)] = &[("group", Self::Group), ("per-file", Self::PerFile)];
}

impl Choice for OnExists {
    const ALL: &'static [(&'static str, Self)] =
        &[("overwrite", Self::Overwrite), ("fail", Self::Fail), ("skip", Self::Skip), ("suffix", Self::Suffix)];
}

impl Choice for BucketRules {
    const ALL: &'static [(&'static str, Self)] = &[
        ("strict", Self::Strict),
        ("lenient", Self::Lenient),
        ("platform", Self::Platform),
        ("platform-api", Self::PlatformApi),
        ("aws", Self::Aws),
        ("aws-directory", Self::AwsDirectory),
        ("gcs", Self::Gcs),
        ("azure", Self::Azure),
    ];
}

impl Choice for FolderRules {
    const ALL: &'static [(&'static str, Self)] = &[
        ("strict", Self::Strict),
        ("lenient", Self::Lenient),
        ("platform", Self::Platform),
        ("platform-api", Self::PlatformApi),
        ("aws", Self::Aws),
        ("gcs", Self::Gcs),
        ("azure", Self::Azure),
    ];
}
