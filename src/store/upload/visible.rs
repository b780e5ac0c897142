//! Files that are visible, of an export that may have to take them back.

use std::sync::Arc;

use object_store::path::Path;
use tokio::task::spawn_blocking;

use crate::store::failure;
use crate::store::ledger::Entry;
use crate::store::local::Published;
use crate::store::wire::{Owner, Wire};
use crate::{Error, Result};

/// A file that is visible, and how to tell that it is the one that was written.
#[derive(Debug)]
pub(super) struct Visible {
    pub(super) key: String,
    pub(super) by: Proof,
    /// By which an export that goes on knows it.
    pub(super) noted: Option<Entry>,
}

#[derive(Debug)]
pub(super) enum Proof {
    Token(Wire, Path, String),
    File(Arc<Published>),
    None,
}

impl Visible {
    pub(super) async fn owner(&self) -> Result<Owner> {
        match &self.by {
            Proof::Token(wire, path, token) => wire.owner(path, token).await.map_err(|e| self.failed(e)),
            Proof::File(file) => {
                let file = Arc::clone(file);
                spawn_blocking(move || file.owner()).await.map_err(|e| failure::task("look at a file", e))
            }
            Proof::None => Ok(Owner::Untold),
        }
    }

    /// Takes the file back, if it is surely ours and the store lets go of it; says whether nothing of ours stands there.
    pub(super) async fn take_back(&self) -> bool {
        match (self.owner().await, &self.by) {
            (Ok(Owner::Another), _) => true,
            (Ok(Owner::We), Proof::Token(wire, path, _)) => wire.remove(path).await.is_ok(),
            (Ok(Owner::We), Proof::File(file)) => {
                let file = Arc::clone(file);
                spawn_blocking(move || file.remove()).await.is_ok_and(|removed| removed.is_ok())
            }
            _ => false,
        }
    }

    /// It need not be known any more.
    pub(super) fn close(&self) {
        if let Some(noted) = &self.noted {
            noted.close();
        }
    }

    fn failed(&self, error: object_store::Error) -> Error {
        failure::object(&format!("ask whether `{}` is still there", self.key), error)
    }
}
