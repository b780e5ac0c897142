//! What an export that goes on does with the files of the one that died.

#[cfg(feature = "aws")]
use object_store::path::Path;

use super::{ObjectUpload, Open, Origin, Proof, State, Upload, Uploader};
use crate::Result;
use crate::store::ledger::{self, Finished, Kept};
#[cfg(feature = "aws")]
use crate::{
    ErrorKind,
    store::{Store, failure, uploads, wire::Opened},
};

impl Uploader {
    /// Starts a file; nothing is sent before its first part. One that an export which died has brought to its completion,
    /// or completed, is taken up, and what is known of it given too.
    pub(crate) async fn start(&mut self, key: &str) -> Result<(Upload, Option<Finished>)> {
        let kept = self.ledger.as_ref().and_then(|ledger| ledger.take_up(key));
        let Some(Kept { entry, token, finished, sent }) = kept else {
            return Ok((self.start_new(key).await?, None));
        };
        let visible = ledger::stands(&self.store, key, token.as_deref(), &finished.stored).await?;
        let state = match (sent, &self.wire) {
            _ if visible => State::There(match (&self.wire, token) {
                (Some(wire), Some(token)) => Proof::Token(wire.clone(), self.store.path(key)?, token),
                _ => Proof::None,
            }),
            (Some((opened, sent)), Some(wire)) => {
                let path = self.store.path(key)?;
                #[cfg(feature = "aws")]
                if let (Opened::Parts { id, .. }, true) = (&opened, self.store.lists_uploads())
                    && is_gone(&self.store, &path, id).await?
                {
                    return Err(failure::gone(key));
                }
                let new = ObjectUpload::new(wire.clone(), path, self.claims, None);
                let object =
                    ObjectUpload { open: Open::Yes(opened, Some(entry)), sent, origin: Origin::TakenUp, ..new };
                return Ok((self.upload(key, State::Object(object), None), Some(finished)));
            }
            _ => {
                let upload = self.start_new(key).await?;
                return Ok((Upload { noted: Some(entry), token, ..upload }, None));
            }
        };
        Ok((self.upload(key, state, Some(entry)), Some(finished)))
    }

    /// A file that an export had finished which died, and that this one has not come to, besides the one of this key.
    pub(crate) fn left_over(&self, but: &str) -> Option<String> {
        self.ledger.as_ref()?.left_over(but)
    }

    /// Writes down what is about to be made visible, where the journal has to know.
    pub(crate) async fn prepare(&self) -> Result<()> {
        match &self.ledger {
            Some(ledger) => ledger.prepare().await,
            None => Ok(()),
        }
    }
}

/// Whether the store no longer knows an upload; one that may not be asked for is taken to be there.
#[cfg(feature = "aws")]
async fn is_gone(store: &Store, path: &Path, id: &str) -> Result<bool> {
    match uploads::parts(store, path, id).await {
        Err(e) if e.kind() == ErrorKind::Denied => Ok(false),
        parts => Ok(parts?.is_none()),
    }
}
