//! What an onlooker is told of the requests of an export.

use std::fmt;
use std::sync::Arc;

use crate::ErrorKind;

/// Is told what happens on the way to the store. It must not block.
pub(crate) trait Watch: Send + Sync {
    /// A part goes to the store.
    fn part_begun(&self);

    /// It is no longer under way, however that came; `sent` is its number, from 1, and its size where the store has it.
    fn part_ended(&self, key: &str, sent: Option<(usize, usize)>);

    /// A request about a key failed and is made again. The kind is all that is told, so that no secret of an address is.
    fn retried(&self, key: &str, kind: ErrorKind);
}

/// Does not look.
pub(super) struct Nobody;

impl Watch for Nobody {
    fn part_begun(&self) {}
    fn part_ended(&self, _: &str, _: Option<(usize, usize)>) {}
    fn retried(&self, _: &str, _: ErrorKind) {}
}

/// A part on its way. Dropping it before it was sent tells that it is given up.
pub(super) struct Underway {
    watch: Arc<dyn Watch>,
    key: String,
    sent: Option<(usize, usize)>,
}

impl Underway {
    pub(super) fn new(watch: &Arc<dyn Watch>, key: &str) -> Self {
        watch.part_begun();
        Self { watch: Arc::clone(watch), key: key.to_owned(), sent: None }
    }

    /// The store has the part.
    pub(super) fn sent(mut self, number: usize, bytes: usize) {
        self.sent = Some((number, bytes));
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.watch.part_ended(&self.key, self.sent);
    }
}

impl fmt::Debug for dyn Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
