//! What an export has open, and what its journal says of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object_store::multipart::PartId;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;

use super::digest::Sum;
use super::journal::{Journal, Keep};
use super::watch::Nobody;
use super::wire::{Interface, Opened, Wire};
use super::{Backend, Store, failure, reap};
use crate::{Error, ErrorKind, Result};

/// A line of a journal. Those of one number are about one upload, or one folder.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "entry", rename_all = "lowercase")]
enum Line {
    /// Which export it is the journal of.
    Export { version: u32, plan: String },
    /// An upload is about to be opened.
    Upload { number: u64, key: String },
    /// A folder of unfinished files is about to be made.
    Folder { number: u64, name: String },
    /// The store has opened the upload.
    Opened { number: u64, id: String, token: Option<String> },
    /// All bytes of the file are in the store.
    Finished {
        number: u64,
        #[serde(flatten)]
        file: Finished,
    },
    /// Completed, aborted or removed.
    Closed { number: u64 },
}

/// The version of the journal's lines.
const VERSION: u32 = 1;

/// A file of which only the completion is missing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Finished {
    /// The receipts of its parts.
    pub(super) parts: Vec<String>,
    pub(crate) rows: u64,
    /// Its bytes before the layers.
    pub(crate) plain: Sum,
    pub(crate) stored: Sum,
}

/// What an export finds in the place of its journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resume {
    /// A journal there is that of another export.
    Refuse,
    /// It goes on with the export of which the journal is.
    TakeUp,
}

/// The journal of an export that runs.
#[derive(Debug)]
pub(crate) struct Ledger {
    place: String,
    keep: Arc<dyn Keep>,
    state: Mutex<State>,
    /// What is written before the next line. Whoever writes holds it, until that has taken effect.
    pending: Arc<tokio::sync::Mutex<String>>,
}

#[derive(Debug, Default)]
struct State {
    plan: Option<String>,
    next: u64,
    open: BTreeMap<u64, Open>,
    closed: Vec<u64>,
    /// Whether anything may stand in the journal.
    written: bool,
}

#[derive(Clone, Debug)]
enum Open {
    Folder { name: String },
    Upload { key: String, id: Option<Id>, finished: Option<Finished> },
}

#[derive(Clone, Debug)]
struct Id {
    id: String,
    token: Option<String>,
}

/// An upload or a folder in a journal.
#[derive(Debug)]
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    number: u64,
}

/// A finished file of an export that died.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) entry: Entry,
    pub(super) opened: Opened,
    pub(super) sent: Vec<Option<PartId>>,
    pub(super) finished: Finished,
}

impl Ledger {
    /// Reads what stands in the journal.
    pub(crate) async fn open(journal: &Journal, store: &Store) -> Result<Self> {
        let keep = journal.keep(store)?;
        let place = journal.to_string();
        let state = State::parse(&keep.read().await?, &place)?;
        Ok(Self { place, keep, state: Mutex::new(state), pending: Arc::default() })
    }

    /// Refuses what stands there, where this export does not go on with it.
    pub(crate) fn admit(&self, resume: Resume) -> Result<()> {
        if resume == Resume::Refuse && self.state().written {
            let text =
                format!("the journal `{}` is of an export that did not end: resume that one, or reap it", self.place);
            return Err(Error::new(ErrorKind::Exists, text));
        }
        Ok(())
    }

    /// Makes it the journal of this export: of what an export that died has open, what is finished is kept, and the rest
    /// taken back.
    pub(crate) async fn begin(&self, plan: String, store: &Store) -> Result<()> {
        let (is_same, written) = {
            let mut state = self.state();
            let is_same = state.plan.as_deref() == Some(&*plan);
            if !state.written {
                state.plan = Some(plan.clone());
            }
            (is_same, state.written)
        };
        if written && is_same {
            return self
                .take_back(store, |open| !matches!(open, Open::Upload { finished: Some(_), .. }))
                .await
                .map(drop);
        }
        if written {
            let text = format!(
                "the journal `{}` is of another export: expected the same destination, context, columns and store",
                self.place
            );
            return Err(Error::new(ErrorKind::Resume, text));
        }
        *self.pending.lock().await = line(&Line::Export { version: VERSION, plan });
        Ok(())
    }

    /// Takes back what is open and meant, and returns the keys and folders.
    async fn take_back(&self, store: &Store, is_meant: fn(&Open) -> bool) -> Result<Vec<String>> {
        let meant: Vec<_> = {
            let state = self.state();
            state.open.iter().filter(|(_, open)| is_meant(open)).map(|(number, open)| (*number, open.clone())).collect()
        };
        let mut names = Vec::new();
        for (number, open) in meant {
            names.extend(open.take_back(store).await?);
            self.close(number);
        }
        self.settle().await?;
        Ok(names)
    }

    /// The finished file of this key, of an export that died; it can be taken up once.
    pub(super) fn take_up(self: &Arc<Self>, key: &str, taken: &mut Vec<u64>) -> Option<Kept> {
        let state = self.state();
        let (number, id, finished) = state.open.iter().find_map(|(number, open)| match open {
            Open::Upload { key: found, id: Some(id), finished: Some(finished) }
                if found == key && !taken.contains(number) =>
            {
                Some((*number, id.clone(), finished.clone()))
            }
            _ => None,
        })?;
        taken.push(number);
        let sent = finished.parts.iter().map(|content_id| Some(PartId { content_id: content_id.clone() })).collect();
        let opened = Opened::Parts { id: id.id, token: id.token };
        Some(Kept { entry: Entry { ledger: Arc::clone(self), number }, opened, sent, finished })
    }

    /// A file that was finished, and that nobody has taken up.
    pub(super) fn left_over(&self, taken: &[u64]) -> Option<String> {
        self.state().open.iter().find_map(|(number, open)| match open {
            Open::Upload { key, finished: Some(_), .. } if !taken.contains(number) => Some(key.clone()),
            _ => None,
        })
    }

    /// The token of the finished file of this key.
    pub(super) fn token(&self, key: &str) -> Option<String> {
        self.state().open.values().find_map(|open| match open {
            Open::Upload { key: found, id: Some(id), finished: Some(_) } if found == key => id.token.clone(),
            _ => None,
        })
    }

    /// Ends the journal: it goes, unless something is still open.
    pub(crate) async fn end(&self) -> Result<()> {
        self.settle().await
    }

    /// Brings the journal to what is open: it goes where that is nothing.
    async fn settle(&self) -> Result<()> {
        let mut pending = Arc::clone(&self.pending).lock_owned().await;
        let (is_empty, written, closed) = {
            let state = self.state();
            let closed: String = state.closed.iter().map(|number| line(&Line::Closed { number: *number })).collect();
            (state.open.is_empty(), state.written, closed)
        };
        if written && is_empty {
            self.keep.remove().await?;
            let mut state = self.state();
            *pending =
                state.plan.clone().map(|plan| line(&Line::Export { version: VERSION, plan })).unwrap_or_default();
            state.written = false;
            state.closed.clear();
        } else if written && !closed.is_empty() {
            self.write(pending, closed).await?;
            self.state().closed.clear();
        }
        Ok(())
    }

    async fn append(&self, lines: String) -> Result<()> {
        let pending = Arc::clone(&self.pending).lock_owned().await;
        self.write(pending, lines).await
    }

    /// Writes lines in a task of its own: what a caller no longer waits for must not take effect after what comes next.
    async fn write(&self, mut pending: OwnedMutexGuard<String>, lines: String) -> Result<()> {
        self.state().written = true;
        let keep = Arc::clone(&self.keep);
        let writing = tokio::spawn(async move {
            let written = keep.append(format!("{pending}{lines}")).await;
            if written.is_ok() {
                pending.clear();
            }
            written
        });
        writing.await.map_err(|e| failure::task("write the journal", e))?
    }

    fn close(&self, number: u64) {
        let mut state = self.state();
        if state.open.remove(&number).is_some() {
            state.closed.push(number);
        }
    }

    fn add(&self, open: Open) -> u64 {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.open.insert(number, open);
        number
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn parse(text: &str, place: &str) -> Result<Self> {
        let mut state = Self { written: !text.is_empty(), ..Self::default() };
        let mut closed = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let wrong = |why: &str| {
                let text = format!("the journal `{place}` cannot be read: line {}: {why}", at + 1);
                Error::new(ErrorKind::Resume, text)
            };
            let line: Line = serde_json::from_str(text).map_err(|e| wrong("expected an entry").with_source(e))?;
            match line {
                Line::Export { version: VERSION, plan } => state.plan = Some(plan),
                Line::Export { version, .. } => {
                    return Err(wrong(&format!("expected version {VERSION}, found {version}")));
                }
                Line::Upload { number, key } => {
                    state.next = state.next.max(number + 1);
                    state.open.insert(number, Open::Upload { key, id: None, finished: None });
                }
                Line::Folder { number, name } => {
                    state.next = state.next.max(number + 1);
                    state.open.insert(number, Open::Folder { name });
                }
                Line::Opened { number, id: opened, token } => {
                    if let Some(Open::Upload { id, .. }) = state.open.get_mut(&number) {
                        *id = Some(Id { id: opened, token });
                    }
                }
                Line::Finished { number, file } => {
                    if let Some(Open::Upload { finished, .. }) = state.open.get_mut(&number) {
                        *finished = Some(file);
                    }
                }
                Line::Closed { number } => closed.push(number),
            }
        }
        for number in closed {
            state.open.remove(&number);
        }
        Ok(state)
    }
}

impl Open {
    /// Takes it back, if the store knows of it, and returns its names.
    async fn take_back(&self, store: &Store) -> Result<Vec<String>> {
        match (self, &store.backend) {
            (Self::Folder { name }, Backend::Folder(root)) if reap::is_ours(name) => {
                let folder = root.join(name);
                let removed = spawn_blocking(move || match std::fs::remove_dir_all(&folder) {
                    Ok(()) => Ok(vec![folder.display().to_string()]),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
                    Err(e) => Err(failure::file(&format!("remove `{}`", folder.display()), e)),
                });
                removed.await.map_err(|e| failure::task("remove unfinished files", e))?
            }
            (Self::Upload { key, id: Some(Id { id, token }), .. }, Backend::Object(interface)) => {
                if let Interface::Object(_) = interface {
                    return Ok(Vec::new());
                }
                let wire = Wire::new(store, interface.clone(), Arc::new(Nobody));
                let opened = Opened::Parts { id: id.clone(), token: token.clone() };
                let aborted = wire.abort(&store.path(key)?, opened).await;
                aborted.map_err(|e| failure::object(&format!("abort `{key}`"), e))?;
                Ok(vec![key.clone()])
            }
            // The reply that held its id may have been lost.
            #[cfg(feature = "aws")]
            (Self::Upload { key, id: None, .. }, Backend::Object(_)) if store.s3.is_some() => {
                let path = store.path(key)?;
                let aborted = reap::uploads::reap(store, key, |open, _| open == path.as_ref()).await?;
                Ok(aborted.into_iter().map(|_| key.clone()).collect())
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl Entry {
    /// Writes down that an upload of this key is about to be opened.
    pub(super) async fn upload(ledger: Arc<Ledger>, key: &str) -> Result<Self> {
        let number = ledger.add(Open::Upload { key: key.to_owned(), id: None, finished: None });
        let noted = Self { ledger, number };
        noted.note(&Line::Upload { number, key: key.to_owned() }).await
    }

    /// Writes down that a folder of unfinished files with this name is about to be made.
    pub(super) async fn folder(ledger: Arc<Ledger>, name: &str) -> Result<Self> {
        let number = ledger.add(Open::Folder { name: name.to_owned() });
        let noted = Self { ledger, number };
        noted.note(&Line::Folder { number, name: name.to_owned() }).await
    }

    /// Writes down what nothing is open for yet: where that fails, there is nothing to be noted.
    async fn note(self, first: &Line) -> Result<Self> {
        let unnoted = Unnoted { ledger: &self.ledger, number: self.number };
        self.ledger.append(line(first)).await?;
        std::mem::forget(unnoted);
        Ok(self)
    }

    pub(super) async fn opened(&self, id: &str, token: Option<&str>) -> Result<()> {
        if let Some(Open::Upload { id: known, .. }) = self.ledger.state().open.get_mut(&self.number) {
            *known = Some(Id { id: id.to_owned(), token: token.map(str::to_owned) });
        }
        let opened = Line::Opened { number: self.number, id: id.to_owned(), token: token.map(str::to_owned) };
        self.ledger.append(line(&opened)).await
    }

    pub(super) async fn finished(&self, file: Finished) -> Result<()> {
        self.ledger.append(line(&Line::Finished { number: self.number, file })).await
    }

    /// It is not open any more.
    pub(super) fn close(self) {
        self.ledger.close(self.number);
    }
}

/// An entry that is being written, for which nothing is open if that comes to no end.
struct Unnoted<'a> {
    ledger: &'a Ledger,
    number: u64,
}

impl Drop for Unnoted<'_> {
    fn drop(&mut self) {
        self.ledger.close(self.number);
    }
}

fn line(line: &Line) -> String {
    serde_json::to_string(line).expect("texts and numbers make JSON") + "\n"
}

impl Store {
    /// Removes what an export left that died without a word, by its journal: the uploads that it names are aborted, its
    /// folder of unfinished files is removed, and then the journal itself. Returns the keys of the uploads and the path of
    /// the folder; those of an upload that was completed or aborted just before the export died are among them.
    ///
    /// Unlike [`reap`](Self::reap), it touches nothing of other exports and needs no age, and a store need not be able to
    /// list uploads. Only where the process died between the request that opens an upload and the journal's note of its id,
    /// the open uploads of that very key are listed and aborted, in a store that can list them (S3). The export must be
    /// dead; a journal that is not there is no error.
    ///
    /// ```
    /// # use consign::store::{Journal, Store};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = std::env::temp_dir().join(format!("consign-reap-journal-{}", std::process::id()));
    /// std::fs::create_dir_all(folder.join("out/.consign-0123456789abcdef"))?;
    /// std::fs::write(folder.join("journal"), r#"{"entry":"folder","number":0,"name":".consign-0123456789abcdef"}
    /// "#)?;
    ///
    /// let journal = Journal::file(folder.join("journal"));
    /// let store = Store::folder(folder.join("out"));
    /// assert_eq!(store.reap_journal(&journal).await?.len(), 1);
    /// assert!(!folder.join("journal").exists());
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the journal cannot be read, or something cannot be removed; it then stays in the journal.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, some of what was to be removed may still be there, and the journal too.
    pub async fn reap_journal(&self, journal: &Journal) -> Result<Vec<String>> {
        Ledger::open(journal, self).await?.take_back(self, |_| true).await
    }
}
