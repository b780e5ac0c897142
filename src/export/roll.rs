//! Where one file ends and the next begins.

use std::num::NonZeroU64;

/// Counts the rows of the open file. A file ends only when it is full; the next one begins only with a further row, so
/// that a table of exactly as many rows as a file may have is one file.
#[derive(Debug)]
pub(super) struct Roll {
    max_rows: NonZeroU64,
    file: NonZeroU64,
    rows: u64,
    begun: bool,
}

impl Roll {
    pub(super) fn new(max_rows: NonZeroU64) -> Self {
        Self { max_rows, file: NonZeroU64::MIN, rows: 0, begun: false }
    }

    /// The open file's index.
    pub(super) fn file(&self) -> NonZeroU64 {
        self.file
    }

    /// Whether the open file takes no more rows.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.max_rows.get()
    }

    /// How many more rows the open file takes.
    #[cfg(feature = "arrow")]
    pub(super) fn room(&self) -> u64 {
        self.max_rows.get().saturating_sub(self.rows)
    }

    #[cfg(feature = "arrow")]
    pub(super) fn add_rows(&mut self, rows: u64) {
        self.rows += rows;
    }

    pub(super) fn add_row(&mut self) {
        self.rows += 1;
    }

    /// Tells whether a block is the first of its file, and makes every later one not.
    pub(super) fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    /// Whether a file is open: rows have come that are not ended with it, or no file has been delivered at all.
    pub(super) fn is_open(&self) -> bool {
        self.begun || self.rows > 0 || self.file == NonZeroU64::MIN
    }

    /// Opens the next file after a full one.
    pub(super) fn next_file(&mut self) {
        self.file = self.file.saturating_add(1);
        self.rows = 0;
        self.begun = false;
    }
}
