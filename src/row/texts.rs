//! Texts that lie one behind the other.

use super::batch::place;
use super::{Batch, RECORD, RowError, RowErrorKind, UNIT};

/// Texts, each with a mark behind it, and one before the first.
///
/// Its bytes are more than are used, all there to be written over: a short text is then put down by two moves that may
/// overlap, which is sooner done than a call.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    used: usize,
}

impl Texts {
    pub(super) fn new() -> Self {
        Self { bytes: vec![RECORD], used: 1 }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.used
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.used = self.used.min(len);
    }

    /// Adds a text, and says where it begins.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) -> Result<u32, RowError> {
        let (start, len) = (self.used, text.len());
        if len >= Batch::MAX_BYTES.saturating_sub(start) {
            return Err(RowError::new(RowErrorKind::TooLarge));
        }
        let end = start + len;
        if end >= self.bytes.len() {
            self.grow(end);
        }
        copy(text, &mut self.bytes[start..end]);
        self.bytes[end] = UNIT;
        self.used = end + 1;
        place(start)
    }

    /// Makes the mark behind the last text one of a row's end.
    #[inline]
    pub(super) fn end_row(&mut self) {
        self.bytes[self.used - 1] = RECORD;
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.bytes.resize(2 * end + 1, 0);
    }
}

/// Copies a text to where it has room.
#[inline]
fn copy(text: &[u8], to: &mut [u8]) {
    /// The first `N` bytes and the last ones.
    #[inline]
    fn ends<const N: usize>(text: &[u8], to: &mut [u8]) -> Option<()> {
        *to.first_chunk_mut()? = *text.first_chunk::<N>()?;
        *to.last_chunk_mut()? = *text.last_chunk::<N>()?;
        Some(())
    }
    let done = match text.len() {
        1 => ends::<1>(text, to),
        2 | 3 => ends::<2>(text, to),
        4..=7 => ends::<4>(text, to),
        8..=15 => ends::<8>(text, to),
        16..=31 => ends::<16>(text, to),
        32..=64 => ends::<32>(text, to),
        _ => None,
    };
    if done.is_none() {
        to.copy_from_slice(text);
    }
}
