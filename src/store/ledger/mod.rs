//! What an export has open, and what its journal says of it.

mod line;
mod reap;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use object_store::multipart::PartId;
use tokio::sync::OwnedMutexGuard;

use self::line::{Id, Line, Open, State};
use super::digest::Sum;
use super::journal::{Journal, Keep};
use super::upload::Sent;
use super::wire::Opened;
use super::{Store, failure};
use crate::{Error, ErrorKind, Result};

pub(crate) use self::line::{Finished, PLACE, Settings, setting};
pub use self::reap::ReapedJournal;
pub(super) use self::reap::stands;

/// How many settings a refusal names.
const NAMED: usize = 5;

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
    pending: Arc<tokio::sync::Mutex<Pending>>,
}

#[derive(Debug, Default)]
struct Pending {
    text: String,
    /// Whether it names files that are about to be made visible.
    ready: bool,
}

/// An upload, a file or a folder in a journal.
#[derive(Debug)]
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    number: u64,
}

/// A file that an export which died had brought to where only its completion was missing.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) entry: Entry,
    pub(super) token: Option<String>,
    pub(super) finished: Finished,
    /// Its upload and its parts; a file that is put or linked has none.
    pub(super) sent: Option<(Opened, Vec<Option<Sent>>)>,
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
    pub(crate) async fn admit(&self, resume: Resume, settings: Settings) -> Result<()> {
        let is_ended = {
            let state = self.state();
            state.written && state.settings.is_some() && state.open.is_empty()
        };
        if is_ended {
            // That export could not remove it, and perhaps this one can: if not, a new head stands behind the old lines.
            let _ = self.keep.remove().await;
        }
        let mut state = self.state();
        let place = &self.place;
        if !state.written || is_ended {
            (state.settings, state.names, state.written) = (Some(settings), None, false);
            return Ok(());
        }
        if resume == Resume::Refuse {
            let text = format!("the journal `{place}` is of an export that did not end: resume that one, or reap it");
            return Err(Error::new(ErrorKind::Exists, text));
        }
        let Some(other) = &state.settings else {
            let text = format!("the journal `{place}` does not say of which export it is");
            return Err(Error::new(ErrorKind::Resume, text));
        };
        let differ: Vec<_> = settings
            .keys()
            .chain(other.keys().filter(|name| !settings.contains_key(*name)))
            .filter(|name| settings.get(*name) != other.get(*name))
            .map(|name| format!("`{name}`"))
            .collect();
        if differ.is_empty() {
            return Ok(());
        }
        let more = match differ.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "the journal `{place}` is of another export: expected what that one had, found another {}{more}",
            differ[..differ.len().min(NAMED)].join(", ")
        );
        Err(Error::new(ErrorKind::Resume, text))
    }

    /// Whether it is a journal, and says of which export.
    pub(super) fn is_of_an_export(&self) -> bool {
        self.state().settings.is_some()
    }

    /// Whether it is of an export to this place.
    pub(super) fn is_of_place(&self, place: &str) -> bool {
        let state = self.state();
        let of = state.settings.as_ref().and_then(|settings| settings.get(PLACE));
        of.is_some_and(|of| *of == setting(&place.into()))
    }

    /// The number behind the names of the export that this one goes on with.
    pub(crate) fn names(&self) -> Option<NonZeroU32> {
        self.state().names
    }

    /// Makes it the journal of this export: of what an export that died has open, what is finished is kept, and the rest
    /// taken back. Returns the keys of which an upload may be open that is not known.
    pub(crate) async fn begin(&self, names: NonZeroU32, store: &Store) -> Result<Vec<String>> {
        let written = {
            let mut state = self.state();
            if !state.written {
                state.names = Some(names);
            }
            state.written
        };
        if written {
            // Files that are visible are told by their links in the folder of the dead one, until they are delivered.
            let linked = self.state().open.values().any(|open| matches!(open, Open::Ready { .. }));
            let is_meant = |_, open: &Open| open.kept().is_none() && !(linked && matches!(open, Open::Folder { .. }));
            return Ok(self.take_back(store, is_meant).await?.unsure);
        }
        let head = self.state().head();
        self.pending.lock().await.text = head;
        Ok(Vec::new())
    }

    /// Takes the file of this key up; that can be done once.
    pub(super) fn take_up(self: &Arc<Self>, key: &str) -> Option<Kept> {
        let mut state = self.state();
        let number = state.kept.remove(key)?;
        let open = state.open.get(&number)?;
        let (_, token, finished) = open.kept()?;
        let sent = match open {
            Open::Upload { id: Some(Id { id, token }), .. } => {
                let parts = finished.parts.iter().enumerate().map(|(number, content_id)| {
                    let receipt = Some(PartId { content_id: content_id.clone() });
                    Some(Sent { receipt, bytes: finished.sizes.get(number).copied() })
                });
                Some((Opened::Parts { id: id.clone(), token: token.clone() }, parts.collect()))
            }
            _ => None,
        };
        let (token, finished) = (token.map(str::to_owned), finished.clone());
        Some(Kept { entry: Entry { ledger: Arc::clone(self), number }, token, finished, sent })
    }

    /// A file that nobody has taken up, besides the one of this key.
    pub(super) fn left_over(&self, but: &str) -> Option<String> {
        self.state().kept.keys().find(|key| *key != but).cloned()
    }

    /// What is known of the file of this key, if an export that died had finished it: its token and its bytes.
    pub(super) fn known(&self, key: &str) -> Option<(Option<String>, Sum)> {
        let state = self.state();
        let (_, token, finished) = state.open.get(state.kept.get(key)?)?.kept()?;
        Some((token.map(str::to_owned), finished.stored.clone()))
    }

    /// Writes down what is about to be made visible at once, if anything is.
    pub(super) async fn prepare(&self) -> Result<()> {
        let pending = Arc::clone(&self.pending).lock_owned().await;
        if pending.ready { self.write(pending, String::new()).await } else { Ok(()) }
    }

    /// Brings the journal to what is open: it goes where that is nothing.
    async fn settle(&self) -> Result<()> {
        let mut pending = Arc::clone(&self.pending).lock_owned().await;
        let (is_empty, written, closed) = {
            let state = self.state();
            let closed: String = state.closed.iter().map(|number| Line::Closed { number: *number }.to_text()).collect();
            (state.open.is_empty(), state.written, closed)
        };
        if written && is_empty {
            if let Err(error) = self.keep.remove().await {
                // It is to name nothing, at least; but one that may be gone is not to come back.
                let stays = error.kind() == ErrorKind::Denied;
                if stays && !closed.is_empty() && self.write(pending, closed).await.is_ok() {
                    self.state().closed.clear();
                }
                return Err(error);
            }
            let mut state = self.state();
            *pending = Pending { text: state.head(), ready: false };
            state.written = false;
            state.closed.clear();
        } else if written && !closed.is_empty() {
            self.write(pending, closed).await?;
            self.state().closed.clear();
        }
        Ok(())
    }

    async fn append(&self, line: &Line) -> Result<()> {
        let pending = Arc::clone(&self.pending).lock_owned().await;
        self.write(pending, line.to_text()).await
    }

    /// Writes lines in a task of its own: what a caller no longer waits for must not take effect after what comes next.
    async fn write(&self, mut pending: OwnedMutexGuard<Pending>, lines: String) -> Result<()> {
        self.state().written = true;
        let keep = Arc::clone(&self.keep);
        let writing = tokio::spawn(async move {
            let written = keep.append(format!("{}{lines}", pending.text)).await;
            if written.is_ok() {
                *pending = Pending::default();
            }
            written
        });
        writing.await.map_err(|e| failure::task("write the journal", e))?
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Writes down that an upload of this key is about to be opened.
    pub(super) async fn upload(ledger: Arc<Ledger>, key: &str) -> Result<Self> {
        let (key, at) = (key.to_owned(), Utc::now().timestamp());
        let number = ledger.state().add(Open::Upload { key: key.clone(), at, id: None, finished: None });
        Self { ledger, number }.note(&Line::Upload { number, key, at }).await
    }

    /// Writes down that a folder of unfinished files with this name is about to be made.
    pub(super) async fn folder(ledger: Arc<Ledger>, name: &str) -> Result<Self> {
        let name = name.to_owned();
        let number = ledger.state().add(Open::Folder { name: name.clone() });
        Self { ledger, number }.note(&Line::Folder { number, name }).await
    }

    /// Writes down that the store is about to be tried out with an object of this key.
    pub(super) async fn trial(ledger: Arc<Ledger>, key: &str) -> Result<Self> {
        let key = key.to_owned();
        let number = ledger.state().add(Open::Trial { key: key.clone() });
        Self { ledger, number }.note(&Line::Trial { number, key }).await
    }

    /// Keeps a line for [`Ledger::prepare`], by which a file that is about to be made visible at once can be told to be
    /// this export's. One that an export which died has written keeps its entry.
    pub(super) async fn ready(
        ledger: &Arc<Ledger>,
        kept: Option<Self>,
        key: &str,
        token: Option<String>,
        seal: bool,
        file: Finished,
    ) -> Self {
        let open = Open::Ready { key: key.to_owned(), token: token.clone(), seal, file: file.clone() };
        let entry = if let Some(entry) = kept {
            entry
        } else {
            let number = ledger.state().add(open);
            Self { ledger: Arc::clone(ledger), number }
        };
        let line = Line::Ready { number: entry.number, key: key.to_owned(), token, seal, file };
        let mut pending = ledger.pending.lock().await;
        pending.text.push_str(&line.to_text());
        pending.ready = true;
        entry
    }

    /// Writes down what nothing is open for yet: where that fails, there is nothing to be noted.
    async fn note(self, first: &Line) -> Result<Self> {
        let unnoted = Unnoted(&self);
        self.ledger.append(first).await?;
        std::mem::forget(unnoted);
        Ok(self)
    }

    pub(super) async fn opened(&self, id: &str, token: Option<&str>) -> Result<()> {
        if let Some(Open::Upload { id: known, .. }) = self.ledger.state().open.get_mut(&self.number) {
            *known = Some(Id { id: id.to_owned(), token: token.map(str::to_owned) });
        }
        let opened = Line::Opened { number: self.number, id: id.to_owned(), token: token.map(str::to_owned) };
        self.ledger.append(&opened).await
    }

    pub(super) async fn finished(&self, file: Finished) -> Result<()> {
        self.ledger.append(&Line::Finished { number: self.number, file }).await
    }

    /// It is not open any more.
    pub(super) fn close(&self) {
        self.ledger.state().close(self.number);
    }
}

/// An entry that is being written, for which nothing is open if that comes to no end.
struct Unnoted<'a>(&'a Entry);

impl Drop for Unnoted<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
