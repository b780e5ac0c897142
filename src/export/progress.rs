//! How far an export is, as data: a snapshot at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use super::pipeline::ENCODERS;

/// A view of a running export that can be kept, cloned and asked from any thread, also after the export has ended.
///
/// ```no_run
/// # fn show(export: &consign::Export) {
/// let progress = export.progress();
/// let now = progress.snapshot();
/// println!("{} rows, {} bytes, {:?} is what it waits for", now.rows, now.plain_bytes, now.bottleneck());
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    rows: AtomicU64,
    plain_bytes: AtomicU64,
    compressed_bytes: AtomicU64,
    stored_bytes: AtomicU64,
    files: AtomicU64,
    parts_in_flight: AtomicU64,
    retries: AtomicU64,
    nanos: [AtomicU64; 5],
}

/// What an export has done up to a moment.
///
/// As JSON, times are numbers of seconds, and the bottleneck stands beside them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Rows that were encoded.
    pub rows: u64,
    /// Bytes that the format made of them.
    pub plain_bytes: u64,
    /// Bytes that the compression made of those; the same number where there is none.
    pub compressed_bytes: u64,
    /// Bytes after compression and encryption that were handed to the store.
    pub stored_bytes: u64,
    /// Files that wait for the commit, or are committed.
    pub files: u64,
    /// Parts that are on their way to the store.
    pub parts_in_flight: u64,
    /// Requests that were made again after a failure, beyond those that `object_store` repeats by itself.
    pub retries: u64,
    /// The time spent waiting for blocks that were not encoded yet.
    pub input: Duration,
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

/// A stage of an export, in the order in which bytes go through them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// The caller, who gives the rows.
    Input,
    /// Rows become the bytes of the format.
    Encode,
    /// Compression.
    Compress,
    /// Encryption.
    Encrypt,
    /// The store takes the bytes.
    Upload,
}

impl Snapshot {
    /// The stage that the others have waited for most; none before there is anything to tell.
    ///
    /// ```
    /// use std::time::Duration;
    /// use consign::export::{Snapshot, Stage};
    ///
    /// let mut now = Snapshot::default();
    /// assert_eq!(now.bottleneck(), None);
    /// now.compress = Duration::from_secs(20);
    /// now.upload = Duration::from_secs(3);
    /// assert_eq!(now.bottleneck(), Some(Stage::Compress));
    /// ```
    #[must_use]
    pub fn bottleneck(&self) -> Option<Stage> {
        // The wait for blocks is the encoders' fault if they were busy meanwhile, and the caller's otherwise.
        let waited_for = if self.encode / ENCODERS > self.input / 2 { Stage::Encode } else { Stage::Input };
        let times = [
            (self.input, waited_for),
            (self.compress, Stage::Compress),
            (self.encrypt, Stage::Encrypt),
            (self.upload, Stage::Upload),
        ];
        let (most, stage) = times.into_iter().max_by_key(|(time, _)| *time)?;
        (most > Duration::ZERO).then_some(stage)
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape {
            rows: u64,
            plain_bytes: u64,
            compressed_bytes: u64,
            stored_bytes: u64,
            files: u64,
            parts_in_flight: u64,
            retries: u64,
            input_seconds: f64,
            encode_seconds: f64,
            compress_seconds: f64,
            encrypt_seconds: f64,
            upload_seconds: f64,
            bottleneck: Option<Stage>,
        }
        let shape = Shape {
            rows: self.rows,
            plain_bytes: self.plain_bytes,
            compressed_bytes: self.compressed_bytes,
            stored_bytes: self.stored_bytes,
            files: self.files,
            parts_in_flight: self.parts_in_flight,
            retries: self.retries,
            input_seconds: self.input.as_secs_f64(),
            encode_seconds: self.encode.as_secs_f64(),
            compress_seconds: self.compress.as_secs_f64(),
            encrypt_seconds: self.encrypt.as_secs_f64(),
            upload_seconds: self.upload.as_secs_f64(),
            bottleneck: self.bottleneck(),
        };
        shape.serialize(serializer)
    }
}

impl Progress {
    /// What has been done up to now. The numbers are read one after the other while the export goes on, so they may be
    /// a block apart.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let counters = &*self.0;
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let time = |stage: Stage| Duration::from_nanos(number(&counters.nanos[stage as usize]));
        Snapshot {
            rows: number(&counters.rows),
            plain_bytes: number(&counters.plain_bytes),
            compressed_bytes: number(&counters.compressed_bytes),
            stored_bytes: number(&counters.stored_bytes),
            files: number(&counters.files),
            parts_in_flight: number(&counters.parts_in_flight),
            retries: number(&counters.retries),
            input: time(Stage::Input),
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

    pub(super) fn compressed(&self, bytes: usize) {
        self.0.compressed_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn stored(&self, bytes: usize) {
        self.0.stored_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn file_ended(&self) {
        self.0.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn part_begun(&self) {
        self.0.parts_in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn part_ended(&self) {
        self.0.parts_in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn retried(&self) {
        self.0.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the time since `start` to a stage.
    pub(super) fn spent(&self, stage: Stage, start: Instant) {
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.nanos[stage as usize].fetch_add(nanos, Ordering::Relaxed);
    }
}
