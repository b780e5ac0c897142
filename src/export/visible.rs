//! Which files are visible before the commit, for whoever has to tell of a failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// How many keys an error names.
const NAMED: usize = 10;

/// The keys of the files that are visible, or are about to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Visible(Arc<Mutex<Vec<String>>>);

impl Visible {
    pub(super) fn add(&self, key: &str) {
        self.keys().push(key.to_owned());
    }

    pub(super) fn remove(&self, key: &str) {
        self.keys().retain(|known| known != key);
    }

    /// The error with what stays visible after it.
    pub(super) fn note(&self, error: Error) -> Error {
        let keys = self.keys();
        if keys.is_empty() {
            return error;
        }
        let named: Vec<_> = keys.iter().take(NAMED).map(|key| format!("`{key}`")).collect();
        let more = match keys.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        error.with_note(&format!("visible without a manifest: {}{more}", named.join(", ")))
    }

    fn keys(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
