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
    Attribute, Attributes, GetOptions, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload,
};

use super::Store;
use super::digest::Sum;
use super::exists::Claim;
use super::failure;
use super::retry::{Limit, Patience, is_gone, reached, timely, took_no_effect};
use super::watch::Watch;

/// A store that can be driven part by part.
pub(super) trait PartStore: MultipartStore + ObjectStore {}

impl<S: MultipartStore + ObjectStore> PartStore for S {}

/// A connection to a store, shared by the uploads of one export.
#[derive(Clone)]
pub(super) struct Wire {
    store: Interface,
    /// Completes uploads only where nothing stands.
    create: Option<Arc<dyn PartStore>>,
    /// Whether the store has answered anything yet.
    answered: Arc<AtomicBool>,
    /// What stands before each key.
    prefix: Path,
    pub(super) watch: Arc<dyn Watch>,
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
    /// It may be there, whole, or come: the store did not say, and cannot be asked, or may yet do what it was asked for.
    /// What its abort has failed with, if it was tried.
    Unknown { error: object_store::Error, left: Option<object_store::Error> },
    /// It may have been there: its upload is gone, and something else is there, which may have replaced it.
    Replaced(object_store::Error),
    /// Something else is there, and stays. Its upload has been aborted, unless that failed too.
    Another { left: Option<object_store::Error> },
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    We,
    /// Somebody else's, or it is gone.
    Another,
    /// It does not say.
    Untold,
}

/// Whose what stands at a path is, as far as its bytes tell.
enum Stands {
    Ours,
    Other(ObjectMeta),
}

/// When an upload was aborted; what is said to be so before may have been completed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Aborted {
    Now,
    Before,
}

/// What the tries to make a file visible have come to.
#[derive(Debug, Default)]
struct Tries {
    /// Whether there was one.
    any: bool,
    /// Whether one of them got no answer, and may take effect yet.
    is_late: bool,
    /// Whether one of them may have taken effect.
    unclear: bool,
    /// What was seen first to stand there, and whether a try may have taken effect by then.
    seen: Option<(ObjectMeta, bool)>,
}

impl Tries {
    fn note(&mut self, error: &object_store::Error) {
        self.any = true;
        self.unclear |= !took_no_effect(error);
        self.is_late |= failure::is_unanswered(error);
    }

    /// What is to be said of a failure after which another's object stands there: the one that was to be replaced, or one
    /// that has replaced ours. It is the former for sure unless the upload is gone.
    fn judge(&mut self, stands: &ObjectMeta, error: object_store::Error, is_gone: bool) -> Incomplete {
        let (seen, late) = self.seen.get_or_insert_with(|| (stands.clone(), self.unclear));
        let changed = seen != stands;
        if !(self.unclear && is_gone) || !(changed || *late) {
            Incomplete::NotWritten { error, left: None }
        } else if changed {
            Incomplete::Another { left: None }
        } else {
            Incomplete::Replaced(error)
        }
    }
}

/// The metadata entry that tells our write from another's with the same key. Azure takes letters and digits in names.
const TOKEN: &str = "consigntoken";

type Result<T, E = object_store::Error> = std::result::Result<T, E>;

impl Wire {
    pub(super) fn new(store: &Store, interface: Interface, watch: Arc<dyn Watch>) -> Self {
        let (create, prefix) = (store.create.clone(), store.prefix.clone());
        Self { store: interface, create, prefix, answered: Arc::default(), watch }
    }

    pub(super) fn store(&self) -> &dyn ObjectStore {
        self.store.store()
    }

    pub(super) fn interface(&self) -> &Interface {
        &self.store
    }

    pub(super) fn create(&self) -> Option<&dyn PartStore> {
        self.create.as_deref()
    }

    pub(super) fn patience(&self, path: &Path) -> Patience {
        let key = path.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or_else(|| path.as_ref());
        let key = key.trim_start_matches('/').to_owned();
        Patience::new(Arc::clone(&self.answered), key, Arc::clone(&self.watch))
    }

    fn heard<T>(&self, answer: T) -> T {
        self.answered.store(true, Ordering::Relaxed);
        answer
    }

    pub(super) async fn open(&self, path: &Path, token: &str) -> Result<Opened> {
        let parts = match &self.store {
            Interface::Object(store) => {
                return timely(Limit::SHORT, store.put_multipart(path)).await.map(Opened::Object);
            }
            Interface::Parts(parts) => parts,
        };
        let mut patience = self.patience(path);
        let mut token = Some(token);
        loop {
            let attributes = token.map(attributes).unwrap_or_default();
            let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
            match timely(Limit::SHORT, parts.create_multipart_opts(path, options)).await {
                // Azure needs no request to open an upload, and has no id for it. It is asked for something, so that an
                // address that nobody answers is told before any part is sent, and a line that goes down later is not.
                Ok(id) if id.is_empty() => match timely(Limit::SHORT, self.store().head(path)).await {
                    Err(e) if !reached(&e) => {
                        if !patience.again(&e).await {
                            return Err(e);
                        }
                    }
                    _ => return self.heard(Ok(Opened::Parts { id, token: None })),
                },
                Ok(id) => return self.heard(Ok(Opened::Parts { id, token: token.map(str::to_owned) })),
                // The store's uploads take no metadata: our write will be told by its bytes.
                Err(e) if is_no_metadata(&e) && token.is_some() => token = None,
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Sends a part, under the same number until the store has it.
    pub(super) async fn put_part(&self, path: &Path, id: &str, number: usize, bytes: PutPayload) -> Result<PartId> {
        let Interface::Parts(parts) = &self.store else {
            unreachable!("only a store of parts opens an upload with an id")
        };
        let mut patience = self.patience(path);
        let id = id.to_owned();
        loop {
            let sending = parts.put_part(path, &id, number, bytes.clone());
            match timely(Limit::of_body(bytes.content_length()), sending).await {
                Ok(part) => return self.heard(Ok(part)),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Whether something stands at a path.
    pub(super) async fn exists(&self, path: &Path) -> Result<bool> {
        let mut patience = self.patience(path);
        loop {
            match timely(Limit::SHORT, self.store().head(path)).await {
                Ok(_) => return self.heard(Ok(true)),
                Err(object_store::Error::NotFound { .. }) => return self.heard(Ok(false)),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// The bytes of what stands at a path.
    pub(super) async fn read(&self, path: &Path) -> Result<Option<Bytes>> {
        let mut patience = self.patience(path);
        loop {
            let read = async {
                let found = timely(Limit::SHORT, self.store().get(path)).await?;
                let size = usize::try_from(found.meta.size).unwrap_or(usize::MAX);
                timely(Limit::of_body(size), found.bytes()).await
            };
            match read.await {
                Ok(bytes) => return self.heard(Ok(Some(bytes))),
                Err(object_store::Error::NotFound { .. }) => return self.heard(Ok(None)),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Deletes what stands at a path, if anything does.
    pub(super) async fn remove(&self, path: &Path) -> Result<()> {
        let mut patience = self.patience(path);
        loop {
            match timely(Limit::SHORT, self.store().delete(path)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => return self.heard(Ok(())),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    /// Puts a file with one request, as often as needed, and gives the token back that it has in its metadata. A file
    /// that replaces what stands there has none: the last try of several has the same effect as the first.
    pub(super) async fn put(
        &self,
        path: &Path,
        bytes: PutPayload,
        claim: Claim,
        token: String,
        sum: &Sum,
    ) -> Result<Option<String>, Incomplete> {
        let mut patience = self.patience(path);
        let mut token = Some(token).filter(|_| claim != Claim::Replace);
        let mut tries = Tries::default();
        // Once only: what is there after a try may be ours.
        if claim == Claim::Look {
            self.look(path).await?;
        }
        loop {
            let mode = if claim == Claim::Create { PutMode::Create } else { PutMode::Overwrite };
            let attributes = token.as_deref().map(attributes).unwrap_or_default();
            let options = PutOptions { mode, attributes, ..PutOptions::default() };
            let putting = self.store().put_opts(path, bytes.clone(), options);
            let error = match timely(Limit::of_body(bytes.content_length()), putting).await {
                Ok(_) => return self.heard(Ok(token)),
                Err(e) if is_no_metadata(&e) && token.is_some() => {
                    token = None;
                    continue;
                }
                Err(e) => e,
            };
            tries.note(&error);
            if claim == Claim::Replace && patience.again(&error).await {
                continue;
            }
            match self.settle(path, token.as_deref(), sum, claim, &mut tries, error).await {
                Ok(()) => return Ok(token),
                Err(Incomplete::NotWritten { error, .. } | Incomplete::Unknown { error, .. })
                    if claim != Claim::Replace && patience.again(&error).await => {}
                // Nothing can be aborted, as an upload can.
                Err(Incomplete::NotWritten { error, left }) if tries.is_late => {
                    return Err(Incomplete::Unknown { error, left });
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Completes an upload. A reply that does not say whether it took effect is resolved by asking for the object: what
    /// stands there must be ours, by its token or by its bytes; that something stands there proves nothing.
    pub(super) async fn complete(
        &self,
        path: &Path,
        opened: Opened,
        sent: Vec<Option<PartId>>,
        claim: Claim,
        sum: &Sum,
    ) -> Result<(), Incomplete> {
        let limit = Limit::of_parts(sent.len());
        let sent = sent.into_iter().flatten().collect();
        let mut tries = Tries::default();
        let (mut completed, token, aborted) = match (opened, &self.store) {
            (Opened::Object(mut upload), _) => {
                let mut completed = if claim == Claim::Replace { Ok(()) } else { self.look(path).await };
                if completed.is_ok() {
                    let Err(e) = timely(limit, upload.complete()).await else { return Ok(()) };
                    tries.note(&e);
                    completed = self.settle(path, None, sum, claim, &mut tries, e).await;
                }
                if let Err(Incomplete::NotWritten { left, .. } | Incomplete::Another { left }) = &mut completed {
                    *left = timely(Limit::SHORT, upload.abort()).await.err();
                }
                // What the store behind it does then is not known.
                (completed, None, None)
            }
            (Opened::Parts { id, token }, Interface::Parts(parts)) => {
                let by = match (claim, &self.create) {
                    (Claim::Create, Some(create)) => create,
                    _ => parts,
                };
                let as_token = token.as_deref();
                let mut completed = self.complete_parts(by, path, &id, as_token, sent, claim, sum, &mut tries).await;
                let mut aborted = None;
                if let Err(Incomplete::NotWritten { left, .. } | Incomplete::Another { left }) = &mut completed {
                    // Its parts would be kept. Azure, which has no ids, knows no abort.
                    match self.abort_parts(parts, path, &id).await {
                        Ok(when) => aborted = Some(when).filter(|_| !id.is_empty()),
                        Err(e) => *left = Some(e),
                    }
                }
                (completed, token, aborted)
            }
            (Opened::Parts { .. }, Interface::Object(_)) => {
                unreachable!("only a store of parts opens an upload with an id")
            }
        };
        let mut undone = aborted == Some(Aborted::Now);
        if let Err(Incomplete::NotWritten { .. } | Incomplete::Another { .. }) = &completed
            && tries.any
        {
            // A try to which nobody replied may have taken effect after we looked, and before the abort.
            match self.whose(path, token.as_deref(), sum).await {
                Ok(Stands::Ours) => return Ok(()),
                // An upload that is gone, and has not become the file, never will. It may have been the file before another.
                Ok(Stands::Other(stands)) => {
                    undone |= aborted.is_some();
                    completed = match completed {
                        Err(Incomplete::NotWritten { error, .. })
                            if claim == Claim::Replace && aborted == Some(Aborted::Before) =>
                        {
                            Err(tries.judge(&stands, error, true))
                        }
                        completed => completed,
                    };
                }
                Err(object_store::Error::NotFound { .. }) => undone |= aborted.is_some(),
                Err(_) => {}
            }
        }
        // Or it does so from here on.
        if let Err(Incomplete::NotWritten { error, left }) = completed {
            completed = Err(if undone || !tries.is_late {
                Incomplete::NotWritten { error, left }
            } else {
                Incomplete::Unknown { error, left }
            });
        }
        completed
    }

    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own about the one upload")]
    async fn complete_parts(
        &self,
        by: &Arc<dyn PartStore>,
        path: &Path,
        id: &String,
        token: Option<&str>,
        sent: Vec<PartId>,
        claim: Claim,
        sum: &Sum,
        tries: &mut Tries,
    ) -> Result<(), Incomplete> {
        let mut patience = self.patience(path);
        if claim == Claim::Look {
            self.look(path).await?;
        }
        loop {
            let completing = by.complete_multipart(path, id, sent.clone());
            let Err(e) = timely(Limit::of_parts(sent.len()), completing).await else { return Ok(()) };
            tries.note(&e);
            match self.settle(path, token, sum, claim, tries, e).await {
                Err(Incomplete::NotWritten { error, .. } | Incomplete::Unknown { error, .. })
                    if patience.again(&error).await => {}
                settled => return settled,
            }
        }
    }

    /// Asks for a key that has to be free.
    async fn look(&self, path: &Path) -> Result<(), Incomplete> {
        match self.exists(path).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Incomplete::Another { left: None }),
            Err(error) => Err(Incomplete::NotWritten { error, left: None }),
        }
    }

    /// Asks what stands at the path after a reply that did not tell.
    async fn settle(
        &self,
        path: &Path,
        token: Option<&str>,
        sum: &Sum,
        claim: Claim,
        tries: &mut Tries,
        error: object_store::Error,
    ) -> Result<(), Incomplete> {
        match self.whose(path, token, sum).await {
            Ok(Stands::Ours) => Ok(()),
            Ok(Stands::Other(_)) if claim != Claim::Replace => Err(Incomplete::Another { left: None }),
            Ok(Stands::Other(stands)) => {
                let is_gone = is_gone(&error);
                Err(tries.judge(&stands, error, is_gone))
            }
            Err(object_store::Error::NotFound { .. }) => Err(Incomplete::NotWritten { error, left: None }),
            Err(_) if self.took_no_effect(&error) => Err(Incomplete::NotWritten { error, left: None }),
            Err(_) => Err(Incomplete::Unknown { error, left: None }),
        }
    }

    /// Whether a failure says by itself that the store did nothing: it has refused us from the start, or nobody is there.
    fn took_no_effect(&self, error: &object_store::Error) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        !answered && (failure::is_refusal(error) || failure::is_no_connection(error))
    }

    /// Whose object stands at a path, of which we have written one with this token.
    pub(super) async fn owner(&self, path: &Path, token: &str) -> Result<Owner> {
        let mut patience = self.patience(path);
        loop {
            let options = GetOptions { head: true, ..GetOptions::default() };
            let error = match timely(Limit::SHORT, self.store().get_opts(path, options)).await {
                Ok(found) => {
                    return Ok(match found.attributes.get(&Attribute::Metadata(TOKEN.into())) {
                        Some(found) if found.as_ref() == token => Owner::We,
                        Some(_) => Owner::Another,
                        None => Owner::Untold,
                    });
                }
                Err(object_store::Error::NotFound { .. }) => return Ok(Owner::Another),
                Err(e) => e,
            };
            if !patience.again(&error).await {
                return Err(error);
            }
        }
    }

    /// Whether what stands at a path is ours, by its token or by its bytes.
    pub(super) async fn stands(&self, path: &Path, token: Option<&str>, sum: &Sum) -> Result<bool> {
        let mut patience = self.patience(path);
        loop {
            match self.whose(path, token, sum).await {
                Ok(stands) => return self.heard(Ok(matches!(stands, Stands::Ours))),
                Err(object_store::Error::NotFound { .. }) => return self.heard(Ok(false)),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }

    async fn whose(&self, path: &Path, token: Option<&str>, sum: &Sum) -> Result<Stands> {
        let mine = |ours, meta| if ours { Stands::Ours } else { Stands::Other(meta) };
        let found = timely(Limit::SHORT, self.store().get(path)).await?;
        let written = found.attributes.get(&Attribute::Metadata(TOKEN.into()));
        if let (Some(token), Some(written)) = (token, written) {
            return Ok(mine(written.as_ref() == token, found.meta));
        }
        if found.meta.size != sum.bytes {
            return Ok(Stands::Other(found.meta));
        }
        let meta = found.meta.clone();
        let mut read = sum.digest();
        let mut stream = found.into_stream();
        while let Some(bytes) = timely(Limit::SHORT, stream.try_next()).await? {
            read.update(&bytes);
        }
        Ok(mine(read.sum() == *sum, meta))
    }

    pub(super) async fn abort(&self, path: &Path, opened: Opened) -> Result<()> {
        match (opened, &self.store) {
            (Opened::Object(mut upload), _) => timely(Limit::SHORT, upload.abort()).await,
            (Opened::Parts { id, .. }, Interface::Parts(parts)) => self.abort_parts(parts, path, &id).await.map(drop),
            (Opened::Parts { .. }, Interface::Object(_)) => {
                unreachable!("only a store of parts opens an upload with an id")
            }
        }
    }

    async fn abort_parts(&self, parts: &Arc<dyn PartStore>, path: &Path, id: &String) -> Result<Aborted> {
        let mut patience = self.patience(path);
        loop {
            match timely(Limit::SHORT, parts.abort_multipart(path, id)).await {
                Ok(()) => return Ok(Aborted::Now),
                Err(object_store::Error::NotFound { .. }) => return Ok(Aborted::Before),
                Err(e) => {
                    if !patience.again(&e).await {
                        return Err(e);
                    }
                }
            }
        }
    }
}

/// Whether a request has failed since the store takes no metadata.
fn is_no_metadata(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. })
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
