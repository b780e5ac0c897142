//! The buffers of blocks, which are used again.

use std::sync::{Mutex, PoisonError};

use super::writer::BLOCK_BYTES;
use crate::memory::{MemoryBudget, Permit};
use crate::row::Batch;

/// What a full block is counted as: twice its bytes, since buffers grow by doubling.
const ROOM: usize = 2 * BLOCK_BYTES;

/// Buffers whose rows have been encoded, with the right to hold them, for the next blocks of the same export: memory that
/// comes fresh from the system is cleared by it first, and buffers that grow are copied.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Vec<(Batch, Permit)>>);

impl Spares {
    /// Keeps the buffers of a full block, if the budget has room for them.
    pub(super) fn keep(&self, mut batch: Batch, memory: &MemoryBudget) {
        // Small ones are not worth it, and those of rows that are large hold more than they are counted as.
        if !(BLOCK_BYTES / 2..=BLOCK_BYTES / 8 * 9).contains(&batch.bytes()) {
            return;
        }
        if let Some(permit) = memory.ask_spare(ROOM) {
            batch.clear();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((batch, permit));
        }
    }

    /// Buffers that hold a full block, if there are such.
    pub(super) fn take(&self) -> Option<(Batch, Permit)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
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
