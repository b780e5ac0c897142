//! Uploads of one export: many files, each invisible until it is completed.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use super::local::{LocalFile, Staging};
use super::{Backend, Store, failure};
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
    staging: Option<Arc<Staging>>,
    held: usize,
}

impl Uploader {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, staging: None, held: 0 }
    }

    /// Starts a file; nothing is sent before its first part.
    pub(crate) async fn start(&mut self, key: &str) -> Result<Upload> {
        let key = key.to_owned();
        let state = match &self.store.backend {
            Backend::Object(store) => State::Object(ObjectUpload {
                path: self.store.path(&key)?,
                store: Arc::clone(store),
                parts: JoinSet::new(),
                open: Open::Not,
            }),
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
                State::Local(Some(file.map_err(|e| failure::task("make a file", e))??))
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
    /// The file is away while a worker writes to it; it stays away when the writing failed.
    Local(Option<LocalFile>),
}

impl Upload {
    /// Sends a part; waits while as many as may be are in flight.
    pub(crate) async fn part(&mut self, bytes: Bytes) -> Result<()> {
        match &mut self.state {
            State::Object(object) => object.part(&self.key, bytes).await,
            State::Local(slot) => {
                let mut file = slot.take().expect("no part follows a failed one");
                let key = self.key.clone();
                let written = spawn_blocking(move || file.write(&key, &bytes).map(|()| file)).await;
                *slot = Some(written.map_err(|e| failure::task("write a file", e))??);
                Ok(())
            }
        }
    }

    /// Makes the file visible, whole.
    pub(crate) async fn complete(self) -> Result<()> {
        let Self { key, state } = self;
        match state {
            State::Object(object) => object.complete(&key).await,
            State::Local(file) => {
                let file = file.expect("a file that failed is not completed");
                let published = spawn_blocking(move || file.publish(&key)).await;
                published.map_err(|e| failure::task("publish a file", e))?
            }
        }
    }

    /// Takes back what was sent.
    pub(crate) async fn abort(self) -> Result<()> {
        match self.state {
            State::Object(object) => object.abort(&self.key).await,
            State::Local(file) => {
                spawn_blocking(move || drop(file)).await.map_err(|e| failure::task("remove an unfinished file", e))
            }
        }
    }
}

/// A file on its way to an object store.
#[derive(Debug)]
struct ObjectUpload {
    store: Arc<dyn ObjectStore>,
    path: object_store::path::Path,
    open: Open,
    parts: JoinSet<object_store::Result<()>>,
}

#[derive(Debug)]
enum Open {
    /// Nothing was sent.
    Not,
    /// The whole file fits one request, which is made when the export commits.
    Held(Bytes),
    /// The store has been asked for an upload. A task of its own waits for the reply, so that an upload whose export
    /// is dropped meanwhile can still be aborted.
    Asked(JoinHandle<object_store::Result<Box<dyn MultipartUpload>>>),
    /// Parts can be sent.
    Yes(Box<dyn MultipartUpload>),
}

impl ObjectUpload {
    async fn part(&mut self, key: &str, bytes: Bytes) -> Result<()> {
        while self.parts.len() >= PARTS_IN_FLIGHT {
            self.part_done(key).await?;
        }
        if let Open::Not = self.open {
            let (store, path) = (Arc::clone(&self.store), self.path.clone());
            self.open = Open::Asked(tokio::spawn(async move { store.put_multipart(&path).await }));
        }
        if let Open::Asked(asked) = &mut self.open {
            let upload = asked.await.map_err(|e| failure::task("open an upload", e))?;
            match upload {
                Ok(upload) => self.open = Open::Yes(upload),
                Err(e) => {
                    self.open = Open::Not;
                    return Err(failure::object(&format!("write `{key}`"), e));
                }
            }
        }
        let Open::Yes(upload) = &mut self.open else { unreachable!("the upload was opened above") };
        self.parts.spawn(upload.put_part(PutPayload::from(bytes)));
        Ok(())
    }

    async fn part_done(&mut self, key: &str) -> Result<()> {
        match self.parts.join_next().await {
            Some(Ok(Ok(()))) | None => Ok(()),
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

    async fn complete(self, key: &str) -> Result<()> {
        let completed = match self.open {
            Open::Held(bytes) => self.store.put(&self.path, PutPayload::from(bytes)).await.map(|_| ()),
            Open::Yes(mut upload) => upload.complete().await.map(|_| ()),
            Open::Not | Open::Asked(_) => unreachable!("a file is ended before it is completed"),
        };
        completed.map_err(|e| failure::object(&format!("complete `{key}`"), e))
    }

    async fn abort(mut self, key: &str) -> Result<()> {
        self.parts.shutdown().await;
        let upload = match self.open {
            Open::Not | Open::Held(_) => return Ok(()),
            Open::Asked(asked) => asked.await.map_err(|e| failure::task("open an upload", e))?,
            Open::Yes(upload) => Ok(upload),
        };
        match upload {
            Ok(mut upload) => upload.abort().await.map_err(|e| failure::object(&format!("abort `{key}`"), e)),
            // Nothing was opened.
            Err(_) => Ok(()),
        }
    }
}
