//! The object store: where it is, part sizes, uploads that stay invisible until they are completed, kinds of failure.
//!
//! [`Store`] is any `Arc<dyn ObjectStore>`, or a local folder. Uploads are driven by this crate's own code rather than
//! by the writers that come with `object_store`: those publish files with holes after an error, leave uploads behind,
//! or hide the first cause behind a failed abort.
//!
//! A local folder has a way of its own: files are written under a temporary name in a folder of ours beside the data,
//! and renamed when the export commits, so that a reader never sees half a file under its name.
//!
//! Each try of a request has a limit that goes by its size, so that a server that never answers holds no export up: half a
//! minute, and as long as its body takes at 64 KiB a second; to complete an upload, a minute and a tenth of a second for each
//! part. What fails is repeated for a minute, what fails late is tried three times; a server that has not answered yet is
//! given up at once where it cannot be reached, else after ten seconds. A client that has a shorter limit of its own for all
//! requests ends what is slow, and begins it anew: see [`Store::multipart`].
//!
//! ```
//! use consign::store::Store;
//!
//! let store = Store::from_url("memory:///")?;
//! assert_eq!(store.bucket(), None);
//!
//! let error = Store::from_url("sftp://host/folder").unwrap_err();
//! assert_eq!(error.to_string(), "cannot deliver to `sftp://host/folder`: expected a URL that begins with file:///, \
//!     memory:///, s3://, gs://, az:// or https://");
//! # Ok::<(), consign::Error>(())
//! ```

mod address;
#[cfg(feature = "aws")]
mod ask;
#[cfg(feature = "aws")]
mod create;
mod digest;
mod exists;
mod failure;
mod journal;
mod ledger;
mod local;
#[cfg(feature = "aws")]
mod objects;
mod part;
mod payload;
mod preflight;
mod reap;
mod retry;
mod upload;
#[cfg(feature = "aws")]
mod uploads;
mod watch;
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::multipart::MultipartStore;
use tokio::sync::OnceCell;

use self::exists::Conditions;
use self::local::Fsync;
use self::wire::{Interface, PartStore};
use crate::{Error, ErrorKind, Result};

pub(crate) use digest::{Differs, Digest, Marked, Sum};
pub use exists::{CreateCheck, OnExists};
pub use journal::{Journal, Keep};
pub use ledger::ReapedJournal;
pub(crate) use ledger::{Finished, Ledger, PLACE, Resume, Settings, setting};
pub use part::PartSchedule;
pub(crate) use payload::Payload;
pub use preflight::{Finding, Operation, Preflight};
pub use reap::{Reaped, Reaping};
pub(crate) use upload::{MayStand, Upload, Uploader};
pub(crate) use watch::Watch;

/// A place that files are delivered to. Cheap to clone; clones are the same place.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    bucket: Option<String>,
    prefix: object_store::path::Path,
    schedule: PartSchedule,
    create_check: CreateCheck,
    fsync: Fsync,
    /// A client that makes objects only where nothing stands.
    create: Option<Arc<dyn PartStore>>,
    /// What was found out about the server, once it was asked.
    conditions: Arc<OnceCell<Conditions>>,
    /// The same store once more, where it is S3, which can be asked more than others.
    #[cfg(feature = "aws")]
    s3: Option<Arc<object_store::aws::AmazonS3>>,
}

#[derive(Clone)]
enum Backend {
    Object(Interface),
    Folder(PathBuf),
}

impl Store {
    /// Any object store.
    ///
    /// The bucket is the store's business: an `Arc<dyn ObjectStore>` does not tell it, so the destination's bucket
    /// name is a label that is not compared. Give it with [`with_bucket`](Self::with_bucket) to have it compared.
    ///
    /// For a local folder [`folder`](Self::folder) is the better way: it never publishes a file with holes. The client's own
    /// limits are its maker's to set, as with [`multipart`](Self::multipart).
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self::with_backend(Backend::Object(Interface::Object(store)), PartSchedule::default())
    }

    /// An object store that takes the parts of an upload one by one: Amazon S3, Google Cloud Storage, Azure, memory.
    ///
    /// It is the better way for them: a part that fails is sent again under its own number, and a commit whose reply
    /// was lost is told from one that failed.
    ///
    /// Unless told otherwise, the clients of `object_store` give each request 30 s, whatever its size, and begin it anew then:
    /// a part of 8 MiB has to go at 280 kB/s. Give yours a timeout that the largest part does not reach; what takes too long is
    /// ended here. Let it repeat only what fails at once, too, so that its repeats leave each try its time:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use consign::object_store::{ClientOptions, RetryConfig};
    ///
    /// let options = ClientOptions::new().with_timeout(Duration::from_secs(24 * 3600));
    /// let retry = RetryConfig { retry_timeout: Duration::from_secs(10), ..RetryConfig::default() };
    /// // … .with_client_options(options).with_retry(retry)
    /// # let _ = (options, retry);
    /// ```
    #[must_use]
    pub fn multipart<S: MultipartStore + ObjectStore>(store: Arc<S>) -> Self {
        Self::with_backend(Backend::Object(Interface::Parts(store)), PartSchedule::default())
    }

    /// Amazon S3, and what speaks its protocol: as [`multipart`](Self::multipart), and what was left behind can be
    /// [reaped](Self::reap). For exports that keep what exists ([`OnExists`]), give it a
    /// [second client](Self::with_create_client). For its timeout, see [`multipart`](Self::multipart).
    #[cfg(feature = "aws")]
    #[must_use]
    pub fn s3(store: Arc<object_store::aws::AmazonS3>) -> Self {
        Self { s3: Some(Arc::clone(&store)), ..Self::multipart(store) }
    }

    fn with_backend(backend: Backend, schedule: PartSchedule) -> Self {
        Self {
            backend,
            bucket: None,
            prefix: object_store::path::Path::default(),
            schedule,
            create_check: CreateCheck::default(),
            fsync: Fsync::default(),
            create: None,
            conditions: Arc::default(),
            #[cfg(feature = "aws")]
            s3: None,
        }
    }

    /// A folder of this machine, which is created with the first file if it is not there.
    ///
    /// What is delivered survives the process, but the machine only [with `fsync`](Self::with_fsync).
    #[must_use]
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::with_backend(Backend::Folder(path.into()), PartSchedule::FOLDER)
    }

    /// The same store; if it is a folder, each file is forced out to the disk (`fsync`) before it gets its name, and so is
    /// the name, with those of the folders that lead to it, before the manifest is written. After a crash of the machine,
    /// too, a manifest that is there then names files that are there, whole; and what a commit has returned for stays.
    ///
    /// By default nothing is forced out, so that exports wait for no disk. After a crash of the machine, files may be empty
    /// or gone that were delivered in the last half minute or so, their manifest there or not; a process that is killed
    /// loses nothing. Some network file systems tell of failed writes only when they are forced out.
    ///
    /// ```
    /// use consign::store::Store;
    ///
    /// let store = Store::folder("/srv/exports").with_fsync();
    /// ```
    #[must_use]
    pub fn with_fsync(self) -> Self {
        Self { fsync: Fsync::On, ..self }
    }

    /// The same store, in which everything stands under `prefix`, below the prefix that it has.
    ///
    /// # Errors
    ///
    /// When the prefix is no path of non-empty segments without `.` and `..`.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self> {
        let prefix = object_store::path::Path::parse(prefix)
            .map_err(|e| Error::new(ErrorKind::Name, format!("`{prefix}` is no prefix for keys")).with_source(e))?;
        match &mut self.backend {
            Backend::Folder(root) => root.extend(prefix.as_ref().split('/').filter(|segment| !segment.is_empty())),
            Backend::Object(_) => self.prefix = self.path(prefix.as_ref())?,
        }
        Ok(self)
    }

    /// The same store, known to be this bucket: a destination of another bucket is then refused.
    #[must_use]
    pub fn with_bucket(self, bucket: impl Into<String>) -> Self {
        Self { bucket: Some(bucket.into()), ..self }
    }

    /// The same store with another part schedule. Default: [`PartSchedule::S3`]; a store from a URL has that of its cloud.
    #[must_use]
    pub fn with_part_schedule(self, schedule: PartSchedule) -> Self {
        Self { schedule, ..self }
    }

    /// The store that a URL names; credentials and settings come from the environment.
    ///
    /// | URL | store | feature |
    /// |---|---|---|
    /// | `file:///folder` | a local folder | |
    /// | `memory:///` | memory, gone with the store | |
    /// | `s3://bucket/prefix` | Amazon S3 and what speaks its protocol; `AWS_*` variables | `aws` |
    /// | `gs://bucket/prefix` | Google Cloud Storage; `GOOGLE_*` variables | `gcp` |
    /// | `az://container/prefix`, `abfss://…` | Azure Blob Storage; `AZURE_*` variables | `azure` |
    /// | `https://…` | any of the above by its host, else `WebDAV` | that of the store, or `http` |
    ///
    /// What is sent to S3 carries a checksum that the store compares, by the variable `AWS_CHECKSUM_ALGORITHM`:
    ///
    /// | value | checksum |
    /// |---|---|
    /// | `crc64nvme`, or none given | CRC-64/NVME: finds what a network damages, at the least cost |
    /// | `sha256` | SHA-256: for a bucket whose rules ask for it |
    /// | `none` | none: for a server that refuses the header |
    ///
    /// The signature holds no hash of the body, unless `AWS_UNSIGNED_PAYLOAD` is `false`.
    ///
    /// The part schedule is that of the cloud; an endpoint of Cloudflare R2 or of Scaleway, in the URL or in
    /// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or `AWS_ENDPOINT`, is known, and has its own.
    ///
    /// Each request has as long as its size explains (see [the module](self)), unless `AWS_TIMEOUT`, `GOOGLE_TIMEOUT` or
    /// `AZURE_TIMEOUT` gives all of them a shorter time, such as `90s`.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, its scheme is none of these or needs a feature that is off, or the store cannot be
    /// set up from the environment.
    pub fn from_url(url: &str) -> Result<Self> {
        address::store(url)
    }

    /// The bucket or container, where it is known.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// The folder, where the store is one.
    #[must_use]
    pub fn as_folder(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Folder(path) => Some(path),
            Backend::Object(_) => None,
        }
    }

    /// The object store, where the store is one.
    #[must_use]
    pub fn as_object_store(&self) -> Option<&dyn ObjectStore> {
        match &self.backend {
            Backend::Object(interface) => Some(interface.store()),
            Backend::Folder(_) => None,
        }
    }

    /// The place, as far as it is known: the folder, or the bucket and the prefix in it.
    pub(crate) fn place(&self) -> String {
        match &self.backend {
            Backend::Folder(root) => root.display().to_string(),
            Backend::Object(_) => format!("{}/{}", self.bucket.as_deref().unwrap_or_default(), self.prefix),
        }
    }

    /// The path of a key in the object store, to the byte: [`object_store::path::Path::from`] would encode some
    /// characters that a key may hold.
    fn path(&self, key: &str) -> Result<object_store::path::Path> {
        let whole = format!("{}/{key}", self.prefix);
        object_store::path::Path::parse(&whole)
            .map_err(|e| Error::new(ErrorKind::Name, format!("the store cannot hold the key `{key}`")).with_source(e))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Store");
        match &self.backend {
            // `Display` of an object store names it without its credentials; `Debug` may not.
            Backend::Object(interface) => f.field("object_store", &format_args!("{}", interface.store())),
            Backend::Folder(path) => f.field("folder", path),
        };
        f.field("bucket", &self.bucket)
            .field("prefix", &self.prefix.as_ref())
            .field("schedule", &self.schedule)
            .field("create_check", &self.create_check)
            .field("fsync", &self.fsync)
            .finish_non_exhaustive()
    }
}
