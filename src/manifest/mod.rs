//! What was delivered: the JSON object that is written last.
//!
//! A reader starts from the manifest: files that no manifest names are those of an export that did not end. Its JSON
//! has the platform's shape, so that receivers who read the platform's manifests read these.
//!
//! ```
//! use chrono::{TimeZone, Utc};
//! use consign::manifest::{FileEntry, Manifest};
//!
//! let manifest = Manifest::new("0ac8f3c0", Utc.with_ymd_and_hms(2023, 8, 18, 1, 0, 0).unwrap())
//!     .with_files([FileEntry::new("destination/output001/a.csv").with_stored_bytes(145_854)]);
//! assert_eq!(
//!     manifest.to_json(),
//!     r#"{"flowRunId":"0ac8f3c0","scheduledTime":"2023-08-18T01:00:00Z","exportResults":[{"sinkPath":"/destination/output001","name":"a.csv","size":145854}]}"#,
//! );
//! ```

mod platform;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// The files of one export.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    run_id: String,
    scheduled_time: DateTime<Utc>,
    files: Vec<FileEntry>,
    rejects: Option<FileEntry>,
    counts: BTreeMap<String, u64>,
    key: Option<String>,
    delivery: Delivery,
}

/// Whether an export delivered what it was given.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Delivery {
    /// Its files stand there, the default.
    #[default]
    Done,
    /// Nothing was delivered, since files with its names exist and its destination skips such exports
    /// ([`OnExists::Skip`](crate::store::OnExists::Skip)). The manifest names no files.
    Skipped,
}

impl Manifest {
    /// A manifest of no files yet.
    pub fn new(run_id: impl Into<String>, scheduled_time: DateTime<Utc>) -> Self {
        Self {
            run_id: run_id.into(),
            scheduled_time,
            files: Vec::new(),
            rejects: None,
            counts: BTreeMap::new(),
            key: None,
            delivery: Delivery::default(),
        }
    }

    /// The same manifest with these files.
    #[must_use]
    pub fn with_files(self, files: impl IntoIterator<Item = FileEntry>) -> Self {
        Self { files: files.into_iter().collect(), ..self }
    }

    /// The same manifest with the file of the rows that the dialect rejected, if there were any.
    #[must_use]
    pub fn with_rejects(self, rejects: Option<FileEntry>) -> Self {
        Self { rejects, ..self }
    }

    /// The same manifest with counts of what happened to rows and cells, by name; zeros are left out.
    #[must_use]
    pub fn with_counts<S: Into<String>>(self, counts: impl IntoIterator<Item = (S, u64)>) -> Self {
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        Self { counts: counts.map(|(name, count)| (name.into(), count)).collect(), ..self }
    }

    /// The same manifest, which is or will be delivered under this key.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// The same manifest, of an export that delivered or did not.
    #[must_use]
    pub fn with_delivery(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// Whether the export delivered what it was given. It is not part of the JSON: what was skipped has no manifest.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The id of the run.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The slot of the schedule that the export was made for; the time of its context.
    #[must_use]
    pub fn scheduled_time(&self) -> DateTime<Utc> {
        self.scheduled_time
    }

    /// The files, in the order of their rows.
    #[must_use]
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The file of the rows that the dialect rejected, where it was asked to hand them back and there were any. It is
    /// not among the files: whoever loads those need not know of it.
    #[must_use]
    pub fn rejects(&self) -> Option<&FileEntry> {
        self.rejects.as_ref()
    }

    /// What happened to rows and cells, by name: rows that were `lost`, `skipped` or `rejected`, characters that were
    /// `unmappable`, cells that were `guarded`, and the hazards of the dialect that cells met. What never happened is not
    /// listed. The platform's shape of a manifest has no place for them, so they are not in its JSON.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// The key of the manifest itself, unless the destination asked for none.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The rows of all files together, without headers.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(FileEntry::rows).sum()
    }

    /// The manifest as the platform writes it: one line, without a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        platform::to_json(self)
    }
}

/// One delivered file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileEntry {
    key: String,
    rows: u64,
    plain_bytes: u64,
    stored_bytes: u64,
}

impl FileEntry {
    /// A file with this key: its folder, which may be empty, `/` and its name.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), rows: 0, plain_bytes: 0, stored_bytes: 0 }
    }

    /// The same file with its number of rows, the header not counted.
    #[must_use]
    pub fn with_rows(self, rows: u64) -> Self {
        Self { rows, ..self }
    }

    /// The same file with the number of bytes before compression and encryption.
    #[must_use]
    pub fn with_plain_bytes(self, plain_bytes: u64) -> Self {
        Self { plain_bytes, ..self }
    }

    /// The same file with the number of bytes in the store.
    #[must_use]
    pub fn with_stored_bytes(self, stored_bytes: u64) -> Self {
        Self { stored_bytes, ..self }
    }

    /// The whole key: folder and name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The folder, without `/` at its end.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.key.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The name in the folder.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key.rsplit_once('/').map_or(&*self.key, |(_, name)| name)
    }

    /// The rows, the header not counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes before compression and encryption.
    #[must_use]
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// The bytes in the store.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }
}
