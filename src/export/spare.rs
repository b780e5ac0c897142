//! The buffers of blocks, which are used again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::writer::BLOCK_BYTES;
use crate::format::csv::{Dialect, Encoder};
use crate::memory::{CHUNK, MemoryBudget, Permit};
use crate::row::Batch;

/// What a full block is counted as: twice its bytes, since buffers grow by doubling.
const ROOM: usize = 2 * BLOCK_BYTES;

/// What an encoder holds, about.
const ENCODER: usize = BLOCK_BYTES;

/// Buffers whose rows have been encoded, with the right to hold them, for the next blocks of the same export: memory that
/// comes fresh from the system is cleared by it first, and buffers that grow are copied.
#[derive(Debug, Default)]
pub(super) struct Spares {
    rows: Mutex<Vec<(Batch, Permit)>>,
    encoders: Mutex<Vec<Encoder>>,
    /// How many bytes 1,024 bytes of the last block were encoded to; 0 before there was one.
    rate: AtomicUsize,
}

impl Spares {
    /// An encoder of the export's dialect.
    pub(super) fn encoder(&self, dialect: &Dialect) -> Encoder {
        let kept = self.encoders.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| dialect.encoder())
    }

    /// Keeps an encoder, where there are few exports: it has buffers, and has spelled values that come again.
    pub(super) fn keep_encoder(&self, encoder: Encoder, memory: &MemoryBudget) {
        if memory.may_spare(ENCODER) {
            self.encoders.lock().unwrap_or_else(PoisonError::into_inner).push(encoder);
        }
    }

    /// A buffer for what a block is encoded to, which it will about fill, going by the block before: then it can go to the
    /// store as it is. Bytes of an earlier block may still be in it, to be written over.
    pub(super) fn encoded(&self, block: usize, memory: &MemoryBudget) -> Vec<u8> {
        match self.rate.load(Ordering::Relaxed) {
            0 => Vec::with_capacity(block),
            _ if block < CHUNK => Vec::with_capacity(block),
            rate => {
                let likely = block.saturating_mul(rate) / 1024;
                memory.buffer((likely + likely / 32).next_multiple_of(CHUNK))
            }
        }
    }

    /// Takes note of what a block was encoded to.
    pub(super) fn note(&self, block: usize, encoded: usize) {
        if block >= CHUNK {
            self.rate.store(encoded.saturating_mul(1024).div_ceil(block), Ordering::Relaxed);
        }
    }

    /// Keeps the buffers of a full block, if the budget has room for them.
    pub(super) fn keep(&self, mut batch: Batch, memory: &MemoryBudget) {
        // Small ones are not worth it, and those of rows that are large hold more than they are counted as.
        if !(BLOCK_BYTES / 2..=BLOCK_BYTES / 8 * 9).contains(&batch.bytes()) {
            return;
        }
        if let Some(permit) = memory.ask_spare(ROOM) {
            batch.clear();
            self.rows.lock().unwrap_or_else(PoisonError::into_inner).push((batch, permit));
        }
    }

    /// Buffers that hold a full block, if there are such.
    pub(super) fn take(&self) -> Option<(Batch, Permit)> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Batch {
        let mut batch = Batch::new(1);
        while batch.bytes() < BLOCK_BYTES {
            batch.push_text(["x".repeat(1000)]).unwrap();
        }
        batch
    }

    #[test]
    fn buffers_of_a_full_block_are_kept_and_counted() {
        let memory = MemoryBudget::new(MemoryBudget::DEFAULT).unwrap();
        let _entered = memory.enter();
        let spares = Spares::default();
        spares.keep(full(), &memory);
        assert_eq!(memory.held(), ROOM);
        let (batch, permit) = spares.take().unwrap();
        assert_eq!((batch.rows(), batch.width()), (0, 1));
        drop(permit);
        assert_eq!(memory.held(), 0);
        assert!(spares.take().is_none());
    }

    #[test]
    fn small_and_oversized_buffers_are_not_kept() {
        let memory = MemoryBudget::new(MemoryBudget::DEFAULT).unwrap();
        let _entered = memory.enter();
        let spares = Spares::default();
        let mut large = full();
        large.push_text(["x".repeat(BLOCK_BYTES)]).unwrap();
        spares.keep(large, &memory);
        spares.keep(Batch::new(1), &memory);
        assert!(spares.take().is_none());
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn buffers_that_others_need_room_for_are_given_up() {
        let spares = Spares::default();
        let least = MemoryBudget::new(MemoryBudget::LEAST).unwrap();
        let _entered = least.enter();
        spares.keep(full(), &least);
        let memory = MemoryBudget::new(MemoryBudget::DEFAULT).unwrap();
        let _entered = [memory.enter(), memory.enter()];
        spares.keep(full(), &memory);
        assert!(spares.take().is_none());
        assert_eq!([least.held(), memory.held()], [0, 0]);
    }
}
