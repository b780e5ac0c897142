//! How far an export is, as data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A view of a running export that can be kept, cloned and asked from any thread, also after the export has ended.
///
/// ```no_run
/// # fn show(export: &consign::Export) {
/// let progress = export.progress();
/// let now = progress.snapshot();
/// println!("{} rows, {} bytes", now.rows, now.plain_bytes);
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    rows: AtomicU64,
    plain_bytes: AtomicU64,
    stored_bytes: AtomicU64,
    files: AtomicU64,
    nanos: [AtomicU64; 4],
}

/// What an export has done up to a moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Rows that were encoded.
    pub rows: u64,
    /// Bytes that the format made of them.
    pub plain_bytes: u64,
    /// Bytes after compression and encryption that were handed to the store.
    pub stored_bytes: u64,
    /// Files that wait for the commit, or are committed.
    pub files: u64,
    /// The time that workers spent on encoding; as stages run side by side, the times may add up to more than the
    /// clock's.
    pub encode: Duration,
    /// The time spent on compression.
    pub compress: Duration,
    /// The time spent on encryption.
    pub encrypt: Duration,
    /// The time spent waiting for the store.
    pub upload: Duration,
}

/// The stages whose time is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Encode,
    Compress,
    Encrypt,
    Upload,
}

impl Progress {
    /// What has been done up to now. The numbers are read one after the other while the export goes on, so they may be
    /// a block apart.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let counters = &*self.0;
        let time = |stage: Stage| Duration::from_nanos(counters.nanos[stage as usize].load(Ordering::Relaxed));
        Snapshot {
            rows: counters.rows.load(Ordering::Relaxed),
            plain_bytes: counters.plain_bytes.load(Ordering::Relaxed),
            stored_bytes: counters.stored_bytes.load(Ordering::Relaxed),
            files: counters.files.load(Ordering::Relaxed),
            encode: time(Stage::Encode),
            compress: time(Stage::Compress),
            encrypt: time(Stage::Encrypt),
            upload: time(Stage::Upload),
        }
    }

    pub(super) fn encoded(&self, rows: u64, plain_bytes: usize) {
        self.0.rows.fetch_add(rows, Ordering::Relaxed);
        self.0.plain_bytes.fetch_add(plain_bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn stored(&self, bytes: usize) {
        self.0.stored_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn file_ended(&self) {
        self.0.files.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the time since `start` to a stage.
    pub(super) fn spent(&self, stage: Stage, start: Instant) {
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.nanos[stage as usize].fetch_add(nanos, Ordering::Relaxed);
    }
}
