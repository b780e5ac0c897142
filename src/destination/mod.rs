//! The validated plan of a delivery, and the JSON of the platform that it is read from.
//!
//! A [`Destination`] says where and how: bucket, folder, file name, dialect, layers, split and manifest. Every part of
//! it was made by a parser, and [`DestinationBuilder::build`] checks what depends on several of them; after that,
//! nothing about an export fails because of its configuration. It is cheap to clone and can be shared by any number of
//! exports at the same time.
//!
//! ```
//! use std::num::NonZeroU64;
//!
//! use chrono::{TimeZone, Utc};
//! use consign::Destination;
//! use consign::layer::compress::Compression;
//! use consign::location::{BucketName, FolderPath};
//! use consign::template::{Context, Template};
//!
//! let destination = Destination::builder(
//!     BucketName::parse("acme-exports")?,
//!     FolderPath::parse("campaigns/%SEGMENT_NAME%")?,
//!     Template::parse("%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%")?,
//! )
//! .with_compression(Compression::gzip())
//! .build()?;
//!
//! let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap())
//!     .with_audience_id("ce5c5482")
//!     .with_audience_name("VIP");
//! let key = destination.file_key(&context, NonZeroU64::MIN)?;
//! assert_eq!(key.as_str(), "campaigns/VIP/ce5c5482_20261122_080000.csv.gz");
//! # Ok::<(), consign::Error>(())
//! ```

pub mod arn;
pub mod credentials;
mod naming;
pub mod platform;
pub mod policy;
pub mod schedule;
mod settings;

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use crate::format::csv::Dialect;
use crate::layer::Layer;
use crate::layer::compress::Compression;
#[cfg(feature = "openpgp")]
use crate::layer::encrypt::Encryption;
use crate::location::{BucketName, BucketWarning, FolderPath};
use crate::row::Columns;
use crate::store::OnExists;
use crate::template::Template;
use crate::{Error, ErrorKind, Result};

/// Where and how tables are delivered: a validated plan that exports are runs of.
#[derive(Clone)]
pub struct Destination(Arc<Plan>);

#[derive(Clone)]
struct Plan {
    name: Option<String>,
    bucket: BucketName,
    folder: FolderPath,
    file_name: Template,
    extension: Option<String>,
    dialect: Dialect,
    columns: Columns,
    compression: Compression,
    #[cfg(feature = "openpgp")]
    encryption: Option<Encryption>,
    max_rows: NonZeroU64,
    manifest: ManifestFile,
    commit: Commit,
    on_exists: OnExists,
    /// The number behind the names, by which they are free; 1 is none.
    number: NonZeroU32,
}

/// When the files of an export become visible.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Commit {
    /// All together when the export is committed, the default: a failure before leaves nothing visible.
    #[default]
    Group,
    /// Each as soon as it is done, for receivers that want files early. After a failure, those that were done stay
    /// visible, and the error names them; the manifest is written last all the same, and only if everything is there.
    PerFile,
}

/// Whether the manifest is delivered beside the files.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ManifestFile {
    /// It is the last object that is written, the default: without it, a reader cannot tell a whole export from one
    /// that is under way.
    #[default]
    Write,
    /// It is only given to the caller of the commit.
    Omit,
}

impl Destination {
    /// The platform's limit of rows in one file, and the default: 5,000,000.
    pub const DEFAULT_MAX_ROWS: NonZeroU64 = NonZeroU64::new(5_000_000).expect("5,000,000 is not zero");

    /// Starts a destination from what has no default.
    pub fn builder(bucket: BucketName, folder: FolderPath, file_name: Template) -> DestinationBuilder {
        DestinationBuilder(Plan {
            name: None,
            bucket,
            folder,
            file_name,
            extension: None,
            dialect: Dialect::default(),
            columns: Columns::all(),
            compression: Compression::default(),
            #[cfg(feature = "openpgp")]
            encryption: None,
            max_rows: Self::DEFAULT_MAX_ROWS,
            manifest: ManifestFile::default(),
            commit: Commit::default(),
            on_exists: OnExists::default(),
            number: NonZeroU32::MIN,
        })
    }

    /// A builder with everything as it is here, to vary it.
    pub fn to_builder(&self) -> DestinationBuilder {
        DestinationBuilder(Plan::clone(&self.0))
    }

    /// The name of the destination, where it has one: the `%DESTINATION%` of a context that gives none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &BucketName {
        &self.0.bucket
    }

    /// The folder, with its macros.
    #[must_use]
    pub fn folder(&self) -> &FolderPath {
        &self.0.folder
    }

    /// The template of the file names, without the extension.
    #[must_use]
    pub fn file_name_template(&self) -> &Template {
        &self.0.file_name
    }

    /// The dialect of the files.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.0.dialect
    }

    /// The columns that are delivered.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.0.columns
    }

    /// The most rows of one file.
    #[must_use]
    pub fn max_rows(&self) -> NonZeroU64 {
        self.0.max_rows
    }

    /// Whether the manifest is delivered.
    #[must_use]
    pub fn manifest(&self) -> ManifestFile {
        self.0.manifest
    }

    /// What becomes of files that exist.
    #[must_use]
    pub fn on_exists(&self) -> OnExists {
        self.0.on_exists
    }

    /// When the files become visible.
    #[must_use]
    pub fn commit(&self) -> Commit {
        self.0.commit
    }

    /// The layer that compresses a file's plain bytes, if one does.
    #[must_use]
    pub fn compression_layer(&self) -> Option<Box<dyn Layer>> {
        self.0.compression.layer()
    }

    /// The layer that encrypts what the compression made, if one does.
    #[must_use]
    pub fn encryption_layer(&self) -> Option<Box<dyn Layer>> {
        #[cfg(feature = "openpgp")]
        return self.0.encryption.clone().map(|encryption| Box::new(encryption) as Box<dyn Layer>);
        #[cfg(not(feature = "openpgp"))]
        None
    }

    /// The recipients and the cipher, if files are encrypted.
    #[cfg(feature = "openpgp")]
    #[must_use]
    pub fn encryption(&self) -> Option<&Encryption> {
        self.0.encryption.as_ref()
    }

    /// What file names end in, with its dot: `.csv`, and the extension of each layer, unless another one was given.
    #[must_use]
    pub fn extension(&self) -> String {
        self.0.extension.clone().unwrap_or_else(|| self.layered(".csv"))
    }

    /// What is legal but probably not meant.
    ///
    /// ```
    /// use consign::Destination;
    /// use consign::location::{BucketName, BucketRules, FolderPath};
    /// use consign::template::Template;
    ///
    /// let bucket = BucketName::parse_with("www.example.com", BucketRules::Lenient)?;
    /// let destination =
    ///     Destination::builder(bucket, FolderPath::parse("in/%SEGMENT_ID%")?, Template::parse("daily")?).build()?;
    /// let warnings: Vec<String> = destination.warnings().iter().map(ToString::to_string).collect();
    /// assert_eq!(warnings, [
    ///     "dots in a bucket name: TLS certificates do not match it as a host name, and it cannot use transfer acceleration",
    ///     "no macro for the time in the folder or the file name: later exports overwrite the files of this one",
    /// ]);
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<DestinationWarning> {
        let mut warnings: Vec<_> = self.bucket().warnings().into_iter().map(DestinationWarning::Bucket).collect();
        let overwrites = self.on_exists() == OnExists::Overwrite;
        if overwrites && !self.folder().template().has_time() && !self.file_name_template().has_time() {
            warnings.push(DestinationWarning::NoTime);
        }
        warnings
    }

    /// An extension and what the layers add to it.
    fn layered(&self, extension: &str) -> String {
        let layers = [self.compression_layer(), self.encryption_layer()];
        layers.iter().flatten().fold(extension.to_owned(), |all, layer| all + layer.extension())
    }
}

/// Something about a destination that is legal, but probably not meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DestinationWarning {
    /// What is to be said of the bucket's name.
    Bucket(BucketWarning),
    /// Neither the folder nor the file name changes with the time, so a later export with the same values overwrites
    /// the files of an earlier one. Only of a destination that overwrites.
    NoTime,
}

impl fmt::Display for DestinationWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucket(warning) => warning.fmt(f),
            Self::NoTime => f.write_str(
                "no macro for the time in the folder or the file name: later exports overwrite the files of this one",
            ),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Destination");
        f.field("name", &self.0.name)
            .field("bucket", &self.0.bucket)
            .field("folder", &self.0.folder)
            .field("file_name", &self.0.file_name)
            .field("extension", &self.extension())
            .field("dialect", &self.0.dialect)
            .field("columns", &self.0.columns)
            .field("compression", &self.0.compression);
        #[cfg(feature = "openpgp")]
        f.field("encryption", &self.0.encryption);
        f.field("max_rows", &self.0.max_rows).field("manifest", &self.0.manifest);
        f.field("on_exists", &self.0.on_exists).field("commit", &self.0.commit).finish()
    }
}

/// Gathers the settings of a [`Destination`]; each `with_` says its default.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct DestinationBuilder(Plan);

impl DestinationBuilder {
    /// The name; default none.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// The dialect; default [`Dialect::default`], the platform's.
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.0.dialect = dialect;
        self
    }

    /// The columns; default all.
    pub fn with_columns(mut self, columns: Columns) -> Self {
        self.0.columns = columns;
        self
    }

    /// The compression; default none.
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.0.compression = compression;
        self
    }

    /// The encryption; default none.
    #[cfg(feature = "openpgp")]
    pub fn with_encryption(mut self, encryption: Encryption) -> Self {
        self.0.encryption = Some(encryption);
        self
    }

    /// The most rows of one file, the header not counted; default [`Destination::DEFAULT_MAX_ROWS`].
    pub fn with_max_rows(mut self, max_rows: NonZeroU64) -> Self {
        self.0.max_rows = max_rows;
        self
    }

    /// Whether the manifest is delivered; default [`ManifestFile::Write`].
    pub fn with_manifest(mut self, manifest: ManifestFile) -> Self {
        self.0.manifest = manifest;
        self
    }

    /// When the files become visible; default [`Commit::Group`].
    pub fn with_commit(mut self, commit: Commit) -> Self {
        self.0.commit = commit;
        self
    }

    /// What becomes of files that exist; default [`OnExists::Overwrite`].
    pub fn with_on_exists(mut self, on_exists: OnExists) -> Self {
        self.0.on_exists = on_exists;
        self
    }

    /// What file names end in, with its dot if it has one; default `.csv` and what the layers add.
    pub fn with_extension(mut self, extension: impl Into<String>) -> Self {
        self.0.extension = Some(extension.into());
        self
    }

    /// Checks what depends on several settings.
    ///
    /// # Errors
    ///
    /// When the extension holds a `/` or a control character, which would make it more than the end of a name.
    pub fn build(self) -> Result<Destination> {
        if let Some(extension) = &self.0.extension
            && let Some(bad) = extension.chars().find(|c| *c == '/' || c.is_control())
        {
            let text =
                format!("the extension {extension:?} holds {bad:?}: expected the end of a file name, such as `.csv`");
            return Err(Error::new(ErrorKind::Destination, text));
        }
        Ok(Destination(Arc::new(self.0)))
    }
}

impl fmt::Debug for DestinationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Destination(Arc::new(self.0.clone())), f)
    }
}
