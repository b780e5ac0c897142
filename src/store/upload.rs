//! Uploads of one export: many files, each invisible until it is completed.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use object_store::PutPayload;
use object_store::multipart::PartId;
use object_store::path::Path;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use super::digest::Digest;
use super::local::{LocalFile, Staging};
use super::wire::{Incomplete, Opened, Wire};
use super::{Backend, PartSchedule, Store, failure};
use crate::Result;

/// How many parts of one export are sent at the same time. Each is held in memory until the store has it.
const PARTS_IN_FLIGHT: usize = 4;

/// How many bytes of files that are small enough for one request are held until the export commits; a file beyond
/// that is sent as an upload of one part.
const HELD: usize = 16 * 1024 * 1024;

/// Opens the uploads of one export.
#[derive(Debug)]
pub(crate) struct Uploader {
    store: Store,
    wire: Option<Wire>,
    staging: Option<Arc<Staging>>,
    held: usize,
}

impl Uploader {
    pub(crate) fn new(store: Store) -> Self {
        let wire = match &store.backend {
            Backend::Object(interface) => Some(Wire::new(interface.clone())),
            Backend::Folder(_) => None,
        };
        Self { store, wire, staging: None, held: 0 }
    }

    /// How large the parts of this store are.
    pub(crate) fn schedule(&self) -> PartSchedule {
        self.store.schedule
    }

    /// Starts a file; nothing is sent before its first part.
    pub(crate) async fn start(&mut self, key: &str) -> Result<Upload> {
        let key = key.to_owned();
        let state = match &self.store.backend {
            Backend::Object(_) => {
                let wire = self.wire.clone().expect("an object store has a wire");
                State::Object(ObjectUpload::new(wire, self.store.path(&key)?))
            }
            Backend::Folder(root) => {
                let staging = if let Some(staging) = &self.staging {
                    Arc::clone(staging)
                } else {
                    let root = root.clone();
                    let made = spawn_blocking(move || Staging::create(&root)).await;
                    let made = Arc::new(made.map_err(|e| failure::task("make a folder", e))??);
                    Arc::clone(self.staging.insert(made))
                };
                let file = spawn_blocking(move || LocalFile::create(staging)).await;
                State::Local(Local::Idle(file.map_err(|e| failure::task("make a file", e))??))
            }
        };
        Ok(Upload { key, state })
    }

    /// Sends the last bytes of a file, after which it waits to be completed.
    pub(crate) async fn end(&mut self, upload: &mut Upload, last: Bytes) -> Result<()> {
        match &mut upload.state {
            State::Object(object) if matches!(object.open, Open::Not) && self.held + last.len() <= HELD => {
                self.held += last.len();
                object.open = Open::Held(last);
                Ok(())
            }
            State::Object(object) if matches!(object.open, Open::Not) || !last.is_empty() => {
                object.part(&upload.key, last).await?;
                object.flush(&upload.key).await
            }
            State::Object(object) => object.flush(&upload.key).await,
            State::Local(_) => upload.part(last).await,
        }
    }
}

/// One file on its way. It is visible after [`complete`](Self::complete) and not before.
#[derive(Debug)]
pub(crate) struct Upload {
    key: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Object(ObjectUpload),
    Local(Local),
}

/// A file of a local folder.
#[derive(Debug)]
enum Local {
    Idle(LocalFile),
    /// A worker writes to it, and gives it back.
    Busy(JoinHandle<Result<LocalFile>>),
    /// A write has failed, and with it the file is gone.
    Gone,
}

impl Upload {
    /// Sends a part; waits while as many as may be are in flight.
    pub(crate) async fn part(&mut self, bytes: Bytes) -> Result<()> {
        match &mut self.state {
            State::Object(object) => object.part(&self.key, bytes).await,
            State::Local(state) => {
                let Local::Idle(mut file) = std::mem::replace(state, Local::Gone) else {
                    unreachable!("no part follows a failed one, or one that is not done")
                };
                let key = self.key.clone();
                let writing = spawn_blocking(move || file.write(&key, &bytes).map(|()| file));
                *state = Local::Busy(writing);
                let Local::Busy(writing) = state else { unreachable!("the file is being written") };
                let written = writing.await;
                *state = Local::Gone;
                *state = Local::Idle(written.map_err(|e| failure::task("write a file", e))??);
                Ok(())
            }
        }
    }

    /// Makes the file visible, whole.
    pub(crate) async fn complete(self, digest: &Digest) -> Result<()> {
        let Self { key, state } = self;
        match state {
            State::Object(object) => object.complete(&key, digest).await,
            State::Local(state) => {
                let Local::Idle(file) = state else { unreachable!("a file that failed is not completed") };
                let published = spawn_blocking(move || file.publish(&key)).await;
                published.map_err(|e| failure::task("publish a file", e))?
            }
        }
    }

    /// Takes back what was sent.
    pub(crate) async fn abort(self) -> Result<()> {
        match self.state {
            State::Object(object) => object.abort(&self.key).await,
            State::Local(Local::Idle(file)) => {
                spawn_blocking(move || drop(file)).await.map_err(|e| failure::task("remove an unfinished file", e))
            }
            // The worker removes the file when nobody takes it back, or has done so when the write failed.
            State::Local(Local::Busy(writing)) => {
                drop(writing.await);
                Ok(())
            }
            State::Local(Local::Gone) => Ok(()),
        }
    }
}

/// A file on its way to an object store.
#[derive(Debug)]
struct ObjectUpload {
    wire: Wire,
    path: Path,
    open: Open,
    /// The parts in flight; each task ends with the part's number, and its receipt where the store gives one.
    parts: JoinSet<object_store::Result<(usize, Option<PartId>)>>,
    /// The receipts, by part number from 0.
    sent: Vec<Option<PartId>>,
}

#[derive(Debug)]
enum Open {
    /// Nothing was sent.
    Not,
    /// The whole file fits one request, which is made when the export commits.
    Held(Bytes),
    /// The store has been asked for an upload. A task of its own waits for the reply, so that an upload whose export
    /// is dropped meanwhile can still be aborted.
    Asked(JoinHandle<object_store::Result<Opened>>),
    /// Parts can be sent.
    Yes(Opened),
}

impl ObjectUpload {
    fn new(wire: Wire, path: Path) -> Self {
        Self { wire, path, open: Open::Not, parts: JoinSet::new(), sent: Vec::new() }
    }

    async fn part(&mut self, key: &str, bytes: Bytes) -> Result<()> {
        while self.parts.len() >= PARTS_IN_FLIGHT {
            self.part_done(key).await?;
        }
        if let Open::Not = self.open {
            let (wire, path) = (self.wire.clone(), self.path.clone());
            let token = token();
            self.open = Open::Asked(tokio::spawn(async move { wire.open(&path, &token).await }));
        }
        if let Open::Asked(asked) = &mut self.open {
            let opened = asked.await;
            // Until it is known to be open, nothing is: a task that is done must not be asked again.
            self.open = Open::Not;
            let opened = opened.map_err(|e| failure::task("open an upload", e))?;
            self.open = Open::Yes(opened.map_err(|e| failure::object(&format!("write `{key}`"), e))?);
        }
        let number = self.sent.len();
        self.sent.push(None);
        match &mut self.open {
            Open::Yes(Opened::Object(upload)) => {
                let sending = upload.put_part(PutPayload::from(bytes));
                self.parts.spawn(async move { sending.await.map(|()| (number, None)) });
            }
            Open::Yes(Opened::Parts { id, .. }) => {
                let (wire, path, id) = (self.wire.clone(), self.path.clone(), id.clone());
                self.parts.spawn(async move {
                    let receipt = wire.put_part(&path, &id, number, bytes).await?;
                    Ok((number, Some(receipt)))
                });
            }
            Open::Not | Open::Held(_) | Open::Asked(_) => unreachable!("the upload was opened above"),
        }
        Ok(())
    }

    async fn part_done(&mut self, key: &str) -> Result<()> {
        match self.parts.join_next().await {
            None => Ok(()),
            Some(Ok(Ok((number, receipt)))) => {
                self.sent[number] = receipt;
                Ok(())
            }
            Some(Ok(Err(e))) => Err(failure::object(&format!("write `{key}`"), e)),
            Some(Err(e)) => Err(failure::task("send a part", e)),
        }
    }

    async fn flush(&mut self, key: &str) -> Result<()> {
        while !self.parts.is_empty() {
            self.part_done(key).await?;
        }
        Ok(())
    }

    async fn complete(self, key: &str, digest: &Digest) -> Result<()> {
        let doing = format!("complete `{key}`");
        match self.open {
            Open::Held(bytes) => self.wire.put(&self.path, bytes).await.map_err(|e| failure::object(&doing, e)),
            Open::Yes(opened) => {
                let sent = self.sent.into_iter().flatten().collect();
                self.wire.complete(&self.path, opened, sent, digest).await.map_err(|e| match e {
                    Incomplete::NotWritten { error, left: None } => failure::object(&doing, error),
                    Incomplete::NotWritten { error, left: Some(left) } => failure::object(&doing, error)
                        .with_note(&format!("besides, its upload could not be aborted: {left}")),
                    Incomplete::Unknown(e) => failure::unknown(&doing, e),
                })
            }
            Open::Not | Open::Asked(_) => unreachable!("a file is ended before it is completed"),
        }
    }

    async fn abort(mut self, key: &str) -> Result<()> {
        self.parts.shutdown().await;
        let opened = match self.open {
            Open::Not | Open::Held(_) => return Ok(()),
            Open::Asked(asked) => asked.await.map_err(|e| failure::task("open an upload", e))?,
            Open::Yes(opened) => Ok(opened),
        };
        match opened {
            Ok(opened) => {
                self.wire.abort(&self.path, opened).await.map_err(|e| failure::object(&format!("abort `{key}`"), e))
            }
            // Nothing was opened.
            Err(_) => Ok(()),
        }
    }
}

/// A word that no other write has.
fn token() -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(0_u8), RandomState::new().hash_one(1_u8))
}
