//! What an upload asks of an object store, whichever of the two interfaces the store has.
//!
//! Stores with [`MultipartStore`] are driven part by part, under our own part numbers, so that a part can be sent again.
//! Others give an upload object whose parts have the order in which they were started; a part of it that fails is final.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
};

use super::digest::Digest;
use super::retry::{Patience, reached, try_limit};

/// A store that can be driven part by part.
pub(super) trait PartStore: MultipartStore + ObjectStore {}

impl<S: MultipartStore + ObjectStore> PartStore for S {}

/// A connection to a store, shared by the uploads of one export.
#[derive(Clone)]
pub(super) struct Wire {
    store: Interface,
    /// Whether the store has answered anything yet.
    answered: Arc<AtomicBool>,
}

#[derive(Clone)]
pub(super) enum Interface {
    Object(Arc<dyn ObjectStore>),
    Parts(Arc<dyn PartStore>),
}

impl Interface {
    pub(super) fn store(&self) -> &dyn ObjectStore {
        match self {
            Self::Object(store) => store.as_ref(),
            Self::Parts(parts) => parts.as_ref(),
        }
    }
}

/// An upload that the store has opened.
pub(super) enum Opened {
    Object(Box<dyn MultipartUpload>),
    Parts { id: String, token: Option<String> },
}

/// A file that could not be completed.
#[derive(Debug)]
pub(super) enum Incomplete {
    /// It is not there. Its upload has been aborted, unless that failed too.
    NotWritten { error: object_store::Error, left: Option<object_store::Error> },
    /// It may be there, whole: the store did not say, and cannot be asked.
    Unknown(object_store::Error),
}

impl Incomplete {
    fn error(&self) -> &object_store::Error {
        match self {
            Self::NotWritten { error, .. } | Self::Unknown(error) => error,
        }
    }
}

/// The metadata entry that tells our write from another's with the same key.
const TOKEN: &str = "consign-token";

type Result<T, E = object_store::Error> = std::result::Result<T, E>;

impl Wire {
    pub(super) fn new(store: Interface) -> Self {
        Self { store, answered: Arc::default() }
    }

    fn patience(&self, bytes: usize) -> Patience {
        Patience::new(bytes, self.answered.load(Ordering::Relaxed))
    }

    fn heard<T>(&self, answer: T) -> T {
        self.answered.store(true, Ordering::Relaxed);
        answer
    }

    pub(super) async fn open(&self, path: &Path, token: &str) -> Result<Opened> {
        let parts = match &self.store {
            Interface::Object(store) => return store.put_multipart(path).await.map(Opened::Object),
            Interface::Parts(parts) => parts,
        };
        let mut patience = self.patience(0);
        let mut token = Some(token);
        loop {
            let attributes = token.map(attributes).unwrap_or_default();
            let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
            match parts.create_multipart_opts(path, options).await {
                // Azure needs no request to open an upload, and has no id for it. It is asked for something, so that an
                // address that nobody answers is told before any part is sent, and a line that goes down later is not.
                Ok(id) if id.is_empty() => match self.store.store().head(path).await {
                    Err(e) if !reached(&e) => {
                        if !patience.again(&e).await {
                            return Err(e);
                        }
                    }
                    _ => return self.heard(Ok(Opened::Parts { id, token: None })),
                },
                Ok(id) => return self.heard(Ok(Opened::Parts { id, token: token.map(str::to_owned) })),
                // The store's uploads take no metadata: our write will be told by its bytes.
                Err(object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. })
                    if token.is_some() =>
                {
                    token = None;
                }
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Sends a part, under the same number until the store has it.
    pub(super) async fn put_part(&self, path: &Path, id: &str, number: usize, bytes: Bytes) -> Result<PartId> {
        let Interface::Parts(parts) = &self.store else {
            unreachable!("only a store of parts opens an upload with an id")
        };
        let mut patience = self.patience(bytes.len());
        let id = id.to_owned();
        loop {
            let sending = parts.put_part(path, &id, number, PutPayload::from(bytes.clone()));
            match timely(bytes.len(), sending).await {
                Ok(part) => return self.heard(Ok(part)),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Puts a file with one request, as often as needed: the last try of several has the same effect as the first.
    pub(super) async fn put(&self, path: &Path, bytes: Bytes) -> Result<()> {
        let mut patience = self.patience(bytes.len());
        loop {
            let payload = PutPayload::from(bytes.clone());
            let putting = self.store.store().put_opts(path, payload, PutOptions::default());
            match timely(bytes.len(), putting).await {
                Ok(_) => return self.heard(Ok(())),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Completes an upload. A reply that does not say whether it took effect is resolved by asking for the object: what
    /// stands there must be ours, by its token or by its bytes; that something stands there proves nothing.
    pub(super) async fn complete(
        &self,
        path: &Path,
        opened: Opened,
        sent: Vec<PartId>,
        digest: &Digest,
    ) -> Result<(), Incomplete> {
        match (opened, &self.store) {
            (Opened::Object(mut upload), _) => match upload.complete().await {
                Ok(_) => Ok(()),
                Err(e) => self.settle(path, None, digest, e).await,
            },
            (Opened::Parts { id, token }, Interface::Parts(parts)) => {
                let mut patience = self.patience(0);
                loop {
                    let Err(e) = parts.complete_multipart(path, &id, sent.clone()).await else { return Ok(()) };
                    let Err(e) = self.settle(path, token.as_deref(), digest, e).await else { return Ok(()) };
                    if patience.again(e.error()).await {
                        continue;
                    }
                    let Incomplete::NotWritten { error, .. } = e else { return Err(e) };
                    // Its parts would be kept.
                    let left = match parts.abort_multipart(path, &id).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => None,
                        Err(e) => Some(e),
                    };
                    return Err(Incomplete::NotWritten { error, left });
                }
            }
            (Opened::Parts { .. }, Interface::Object(_)) => {
                unreachable!("only a store of parts opens an upload with an id")
            }
        }
    }

    /// Asks what stands at the path after a reply that did not tell.
    async fn settle(
        &self,
        path: &Path,
        token: Option<&str>,
        digest: &Digest,
        error: object_store::Error,
    ) -> Result<(), Incomplete> {
        match self.is_ours(path, token, digest).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(object_store::Error::NotFound { .. }) => Err(Incomplete::NotWritten { error, left: None }),
            Err(_) => Err(Incomplete::Unknown(error)),
        }
    }

    async fn is_ours(&self, path: &Path, token: Option<&str>, digest: &Digest) -> Result<bool> {
        let found = self.store.store().get(path).await?;
        let written = found.attributes.get(&Attribute::Metadata(TOKEN.into()));
        if let (Some(token), Some(written)) = (token, written) {
            return Ok(written.as_ref() == token);
        }
        if found.meta.size != digest.bytes() {
            return Ok(false);
        }
        let mut read = Digest::default();
        let mut stream = found.into_stream();
        while let Some(bytes) = stream.try_next().await? {
            read.update(&bytes);
        }
        Ok(read.sha256() == digest.sha256())
    }

    pub(super) async fn abort(&self, path: &Path, opened: Opened) -> Result<()> {
        match (opened, &self.store) {
            (Opened::Object(mut upload), _) => upload.abort().await,
            (Opened::Parts { id, .. }, Interface::Parts(parts)) => {
                let mut patience = self.patience(0);
                loop {
                    match parts.abort_multipart(path, &id).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => return Ok(()),
                        Err(e) => {
                            if !patience.again(&e).await {
                                return Err(e);
                            }
                        }
                    }
                }
            }
            (Opened::Parts { .. }, Interface::Object(_)) => {
                unreachable!("only a store of parts opens an upload with an id")
            }
        }
    }
}

/// Ends a try of a request that takes longer than its size explains.
async fn timely<T>(bytes: usize, request: impl Future<Output = Result<T>>) -> Result<T> {
    let limit = try_limit(bytes);
    tokio::time::timeout(limit, request).await.unwrap_or_else(|_| {
        let source =
            std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs()));
        Err(object_store::Error::Generic { store: "consign", source: source.into() })
    })
}

fn attributes(token: &str) -> Attributes {
    Attributes::from_iter([(Attribute::Metadata(TOKEN.into()), token.to_owned())])
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.store.store())
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(upload) => write!(f, "Opened({upload:?})"),
            Self::Parts { id, .. } => write!(f, "Opened({id})"),
        }
    }
}
