//! Uploads of one export: many files, each invisible until it is completed.

mod resumed;
mod visible;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, stream};
use object_store::multipart::PartId;
use object_store::path::Path;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use self::visible::{Proof, Visible};
use super::digest::{Marked, Sum};
use super::exists::{self, Claim, Claims};
use super::ledger::{self, Entry, Finished, Ledger};
use super::local::{LocalFile, Staging};
use super::retry::{Limit, timely};
use super::watch::{Underway, Watch};
use super::wire::{Incomplete, Opened, Owner, Wire};
use super::{Backend, OnExists, PartSchedule, Payload, Store, failure};
use crate::{Error, ErrorKind, Result};

/// How many parts of one export are sent at the same time. Each is held in memory until the store has it.
const PARTS_IN_FLIGHT: usize = 4;

/// How many bytes of files that are small enough for one request an export holds until its commit, if the budget lets
/// them rest; a file beyond that is sent as an upload of one part.
const HELD: usize = 16 * 1024 * 1024;

/// Opens the uploads of one export.
#[derive(Debug)]
pub(crate) struct Uploader {
    store: Store,
    wire: Option<Wire>,
    staging: Option<Arc<Staging>>,
    ledger: Option<Arc<Ledger>>,
    held: usize,
    claims: Claims,
    /// Which keys are looked at before their files are begun.
    looks: Looks,
    written: Written,
}

#[derive(Debug)]
enum Looks {
    AtNone,
    /// The first file's has been looked at.
    AtAllBut(String),
}

/// The files that are visible, of an export that keeps what exists.
type Written = Arc<Mutex<Vec<Arc<Visible>>>>;

/// Whether the manifest of an export that has failed may be there, or come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MayStand {
    No,
    Yes,
}

/// How long the completion of an upload may take a server: whoever completed one at the same moment has written by then.
const OVERLAP: Duration = Duration::from_millis(250);

/// How many files are taken back at the same time.
const TAKEN_BACK: usize = 8;

impl Uploader {
    pub(crate) fn new(store: Store, ledger: Option<Arc<Ledger>>, watch: Arc<dyn Watch>) -> Self {
        let wire = match &store.backend {
            Backend::Object(interface) => Some(Wire::new(&store, interface.clone(), watch)),
            Backend::Folder(_) => None,
        };
        Self {
            store,
            wire,
            staging: None,
            ledger,
            held: 0,
            claims: Claims::default(),
            looks: Looks::AtNone,
            written: Written::default(),
        }
    }

    /// From here on, files keep what exists as the rule says; `first` is the key of the first, which was free just now.
    /// Fails where the store cannot be held to it.
    pub(crate) async fn keep(&mut self, rule: OnExists, first: &str) -> Result<()> {
        self.claims = exists::claims(&self.store, self.wire.as_ref(), rule, first, self.ledger.as_ref()).await?;
        if let OnExists::Fail | OnExists::Suffix = rule {
            self.looks = Looks::AtAllBut(first.to_owned());
        }
        Ok(())
    }

    /// Whether files keep what exists.
    pub(crate) fn keeps(&self) -> bool {
        self.claims.put != Claim::Replace
    }

    /// Whether something stands at a key that is not the file of the export that this one goes on with.
    pub(crate) async fn exists(&self, key: &str) -> Result<bool> {
        let known = self.ledger.as_ref().and_then(|ledger| ledger.known(key));
        if let Some((token, stored)) = known
            && ledger::stands(&self.store, key, token.as_deref(), &stored).await?
        {
            return Ok(false);
        }
        let doing = format!("ask whether `{key}` exists");
        match (&self.store.backend, &self.wire) {
            (Backend::Folder(root), _) => {
                let (root, key) = (root.clone(), key.to_owned());
                let found = spawn_blocking(move || super::local::exists(&root, &key)).await;
                found.map_err(|e| failure::task("look for a file", e))?.map_err(|e| failure::file(&doing, e))
            }
            (Backend::Object(_), wire) => {
                let wire = wire.as_ref().expect("an object store has a wire");
                wire.exists(&self.store.path(key)?).await.map_err(|e| failure::object(&doing, e))
            }
        }
    }

    /// Completes the first file of an export that keeps what exists, which is what exports with the same names race for.
    pub(crate) async fn claim(&self, first: Upload, sum: &Sum) -> Result<()> {
        let in_steps = matches!(&first.state, State::Object(object) if matches!(object.open, Open::Yes(..)));
        first.complete(sum).await?;
        if in_steps {
            tokio::time::sleep(OVERLAP).await;
        }
        self.confirm().await
    }

    /// As [`claim`](Self::claim), for a first file that is completed already.
    pub(crate) async fn claimed(&self) -> Result<()> {
        tokio::time::sleep(OVERLAP).await;
        self.confirm().await
    }

    /// Asks whether the first file is still ours: some servers obey a condition on the completion of an upload by looking
    /// first and writing then (`SeaweedFS` does), so that of two exports at the same moment both are told that they were
    /// alone. Whoever wrote last has the file.
    pub(crate) async fn confirm(&self) -> Result<()> {
        let first = self.written.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
        let Some(first) = first else { return Ok(()) };
        match first.owner().await? {
            Owner::We | Owner::Untold => Ok(()),
            Owner::Another => Err(failure::another(&first.key)),
        }
    }

    /// Takes back what is visible, after the export has failed with this error: only an export that keeps what exists has
    /// something to take back. What cannot be told to be ours stays, and the error says so; so does all, where a manifest may
    /// stand there that names it.
    pub(crate) async fn take_back(&self, error: Error, manifest: MayStand) -> Error {
        let written = std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner));
        let sure = manifest == MayStand::No;
        let mut left: Vec<String> = stream::iter(written.into_iter().rev())
            .map(|file| async move {
                if sure && file.take_back().await {
                    file.close();
                    None
                } else {
                    Some(file.key.clone())
                }
            })
            .buffered(TAKEN_BACK)
            .filter_map(std::future::ready)
            .collect()
            .await;
        left.sort();
        let [first, rest @ ..] = &*left else { return error };
        let stays = match rest.len() {
            0 => format!("`{first}` stays"),
            more => format!("`{first}` and {more} more files stay"),
        };
        error.with_note(&match manifest {
            MayStand::No => format!("besides, {stays} visible without a manifest"),
            MayStand::Yes => format!("besides, {stays} visible, since it may be a manifest of that"),
        })
    }

    /// The export has come to its end: what is visible is what was to be delivered.
    pub(crate) fn delivered(&self) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|file| file.close());
    }

    /// How large the parts of this store are; none for a folder, which takes bytes as they come.
    pub(crate) fn schedule(&self) -> Option<PartSchedule> {
        match self.store.backend {
            Backend::Object(_) => Some(self.store.schedule),
            Backend::Folder(_) => None,
        }
    }

    fn upload(&self, key: &str, state: State, noted: Option<Entry>) -> Upload {
        let written = self.keeps().then(|| Arc::clone(&self.written));
        let (ledger, claim) = (self.ledger.clone(), self.claims.put);
        Upload { key: key.to_owned(), state, claim, written, ledger, noted, token: None }
    }

    /// Starts a file of which nothing is there.
    async fn start_new(&mut self, key: &str) -> Result<Upload> {
        if let Looks::AtAllBut(first) = &self.looks
            && first != key
            && self.exists(key).await?
        {
            let text = format!("`{key}` exists, and this destination replaces nothing");
            return Err(Error::new(ErrorKind::Exists, text));
        }
        let state = match &self.store.backend {
            Backend::Object(_) => {
                let wire = self.wire.clone().expect("an object store has a wire");
                State::Object(ObjectUpload::new(wire, self.store.path(key)?, self.claims, self.ledger.clone()))
            }
            Backend::Folder(root) => {
                let staging = if let Some(staging) = &self.staging {
                    Arc::clone(staging)
                } else {
                    let root = root.clone();
                    let name = Staging::name(&root);
                    let noted = match &self.ledger {
                        Some(ledger) => Some(Entry::folder(Arc::clone(ledger), &name).await?),
                        None => None,
                    };
                    let fsync = self.store.fsync;
                    let made = spawn_blocking(move || Staging::create(&root, &name, fsync, noted)).await;
                    let made = Arc::new(made.map_err(|e| failure::task("make a folder", e))??);
                    Arc::clone(self.staging.insert(made))
                };
                let key = key.to_owned();
                let file = spawn_blocking(move || LocalFile::create(staging, &key)).await;
                State::Local(Local::Idle(file.map_err(|e| failure::task("make a file", e))??))
            }
        };
        Ok(self.upload(key, state, None))
    }

    /// Sends the last bytes of a file, after which it waits to be completed.
    pub(crate) async fn end(&mut self, upload: &mut Upload, last: Payload) -> Result<()> {
        match &mut upload.state {
            State::Object(object) if matches!(object.open, Open::Not) && self.may_hold(&last) => {
                self.held += last.len();
                object.open = Open::Held(last);
                Ok(())
            }
            State::Object(object) if matches!(object.open, Open::Not) || last.len() > 0 => {
                object.part(&upload.key, last).await?;
                object.flush(&upload.key).await
            }
            State::Object(object) => object.flush(&upload.key).await,
            State::Local(_) if last.len() > 0 => upload.part(last).await,
            State::Local(_) | State::There(_) => Ok(()),
        }
    }

    /// Whether a whole file may stay in memory until the commit.
    fn may_hold(&self, last: &Payload) -> bool {
        self.held + last.len() <= HELD && !last.permit.is_awaited()
    }
}

/// One file on its way. It is visible after [`complete`](Self::complete) and not before.
#[derive(Debug)]
pub(crate) struct Upload {
    key: String,
    state: State,
    claim: Claim,
    /// Where it is noted once it is visible, if it has to be taken back then.
    written: Option<Written>,
    ledger: Option<Arc<Ledger>>,
    /// What the journal has of a file that is put or linked, or is there already.
    noted: Option<Entry>,
    /// What a put writes into the metadata, where the journal has it.
    token: Option<String>,
}

#[derive(Debug)]
enum State {
    Object(ObjectUpload),
    Local(Local),
    /// An export that died has made it visible.
    There(Proof),
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
    pub(crate) async fn part(&mut self, bytes: Payload) -> Result<()> {
        match &mut self.state {
            State::Object(object) => object.part(&self.key, bytes).await,
            State::There(_) => unreachable!("a file that is there gets no bytes"),
            State::Local(state) => {
                let Local::Idle(mut file) = std::mem::replace(state, Local::Gone) else {
                    unreachable!("no part follows a failed one, or one that is not done")
                };
                let key = self.key.clone();
                let writing = spawn_blocking(move || file.write(&key, &bytes.bytes).map(|()| file));
                *state = Local::Busy(writing);
                let Local::Busy(writing) = state else { unreachable!("the file is being written") };
                let written = writing.await;
                *state = Local::Gone;
                *state = Local::Idle(written.map_err(|e| failure::task("write a file", e))??);
                Ok(())
            }
        }
    }

    /// Writes down that all bytes of the file are made: at once where they are in the store, else right before it is made
    /// visible, if it is then to be known among what exists.
    pub(crate) async fn finished(&mut self, rows: u64, plain: Sum, stored: &Marked) -> Result<()> {
        self.note(rows, plain, stored, false).await
    }

    /// As [`finished`](Self::finished), for the manifest, without which the files before it are taken back.
    pub(crate) async fn finished_seal(&mut self, stored: &Marked) -> Result<()> {
        self.note(0, stored.sum(), stored, true).await
    }

    async fn note(&mut self, rows: u64, plain: Sum, marked: &Marked, seal: bool) -> Result<()> {
        let stored = marked.sum();
        let token = match &self.state {
            State::Object(ObjectUpload { open: Open::Yes(Opened::Parts { .. }, Some(noted)), sent, .. }) => {
                let sent = || sent.iter().flatten();
                let parts = sent().filter_map(|part| Some(part.receipt.as_ref()?.content_id.clone())).collect();
                let sizes = sent().filter_map(|part| part.bytes).collect();
                return noted.finished(Finished { parts, sizes, hashes: marked.marks(), rows, plain, stored }).await;
            }
            State::Object(ObjectUpload { open: Open::Held(_), .. }) => Some(self.token.take().unwrap_or_else(token)),
            State::Local(_) => None,
            State::Object(_) | State::There(_) => return Ok(()),
        };
        if let (Some(ledger), true) = (&self.ledger, self.written.is_some()) {
            self.token.clone_from(&token);
            let (parts, sizes, hashes) = (Vec::new(), Vec::new(), Vec::new());
            let file = Finished { parts, sizes, hashes, rows, plain, stored };
            self.noted = Some(Entry::ready(ledger, self.noted.take(), &self.key, token, seal, file).await);
        }
        Ok(())
    }

    /// Whether it is of an export that died.
    pub(crate) fn is_taken_up(&self) -> bool {
        match &self.state {
            State::Object(object) => object.origin == Origin::TakenUp,
            State::Local(_) => false,
            State::There(_) => true,
        }
    }

    /// Makes the file visible, whole.
    pub(crate) async fn complete(self, sum: &Sum) -> Result<()> {
        let Self { key, state, claim, written, mut noted, token, .. } = self;
        let shown = match state {
            State::Object(object) => {
                let (shown, entry) = object.complete(&key, sum, token).await;
                noted = noted.or(entry);
                shown
            }
            State::Local(state) => {
                let Local::Idle(file) = state else { unreachable!("a file that failed is not completed") };
                let name = key.clone();
                let published = spawn_blocking(move || file.publish(&name, claim)).await;
                let published = published.unwrap_or_else(|e| Err(failure::task("publish a file", e)));
                published.map(|file| Proof::File(Arc::new(file)))
            }
            State::There(by) => Ok(by),
        };
        match (shown, written) {
            (Ok(by), Some(written)) => {
                written.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(Visible { key, by, noted }));
                Ok(())
            }
            (shown, _) => {
                if let (Some(noted), false) = (noted, shown.as_ref().is_err_and(|e| e.kind() == ErrorKind::Unknown)) {
                    noted.close();
                }
                shown.map(drop)
            }
        }
    }

    /// Takes back what was sent, but leaves in the journal what would be told by it of files that may come late.
    pub(crate) async fn abort_noted(self) -> Result<()> {
        Self { noted: None, ..self }.abort().await
    }

    /// Takes back what was sent.
    pub(crate) async fn abort(self) -> Result<()> {
        if let State::There(_) = self.state
            && self.written.is_some()
        {
            // It stays, and what exists is kept: without the journal, it would be in the way of the next run.
            return Ok(());
        }
        if let Some(noted) = self.noted {
            noted.close();
        }
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
            State::Local(Local::Gone) | State::There(_) => Ok(()),
        }
    }
}

/// A file on its way to an object store.
#[derive(Debug)]
struct ObjectUpload {
    wire: Wire,
    path: Path,
    claims: Claims,
    open: Open,
    /// The parts in flight; each task ends with the part's number, from 0.
    parts: JoinSet<object_store::Result<(usize, Sent)>>,
    /// The parts that the store has, by their number from 0.
    sent: Vec<Option<Sent>>,
    ledger: Option<Arc<Ledger>>,
    origin: Origin,
}

/// A part that the store has.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Where the store gives one.
    pub(super) receipt: Option<PartId>,
    /// How many it has acknowledged; a journal may not say.
    pub(super) bytes: Option<u64>,
}

/// Who has begun an upload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    This,
    TakenUp,
}

#[derive(Debug)]
enum Open {
    /// Nothing was sent.
    Not,
    /// The whole file fits one request, which is made when the export commits.
    Held(Payload),
    /// The store has been asked for an upload. A task of its own waits for the reply, so that an upload whose export
    /// is dropped meanwhile can still be aborted.
    Asked(JoinHandle<Result<(Opened, Option<Entry>)>>),
    /// Parts can be sent.
    Yes(Opened, Option<Entry>),
}

impl ObjectUpload {
    fn new(wire: Wire, path: Path, claims: Claims, ledger: Option<Arc<Ledger>>) -> Self {
        let (open, parts, sent) = (Open::Not, JoinSet::new(), Vec::new());
        Self { wire, path, claims, open, parts, sent, ledger, origin: Origin::This }
    }

    async fn part(&mut self, key: &str, part: Payload) -> Result<()> {
        let Payload { bytes, mut permit } = part;
        permit.depart();
        while self.parts.len() >= PARTS_IN_FLIGHT {
            self.part_done(key).await?;
        }
        if let Open::Not = self.open {
            let (wire, path, ledger) = (self.wire.clone(), self.path.clone(), self.ledger.clone());
            let key = key.to_owned();
            self.open = Open::Asked(tokio::spawn(async move { open(&wire, &path, &key, ledger).await }));
        }
        if let Open::Asked(asked) = &mut self.open {
            let opened = asked.await;
            // Until it is known to be open, nothing is: a task that is done must not be asked again.
            self.open = Open::Not;
            let (opened, noted) = opened.map_err(|e| failure::task("open an upload", e))??;
            self.open = Open::Yes(opened, noted);
        }
        let number = self.sent.len();
        let (size, underway) = (bytes.content_length(), Underway::new(&self.wire.watch, key));
        self.sent.push(None);
        match &mut self.open {
            Open::Yes(Opened::Object(upload), _) => {
                let sending = timely(Limit::of_body(size), upload.put_part(bytes));
                self.parts.spawn(async move {
                    let sent = sending.await;
                    drop(permit);
                    sent?;
                    underway.sent(number + 1, size);
                    Ok((number, Sent { receipt: None, bytes: Some(size as u64) }))
                });
            }
            Open::Yes(Opened::Parts { id, .. }, _) => {
                let (wire, path, id) = (self.wire.clone(), self.path.clone(), id.clone());
                self.parts.spawn(async move {
                    let receipt = wire.put_part(&path, &id, number, bytes).await;
                    drop(permit);
                    let receipt = receipt?;
                    underway.sent(number + 1, size);
                    Ok((number, Sent { receipt: Some(receipt), bytes: Some(size as u64) }))
                });
            }
            Open::Not | Open::Held(_) | Open::Asked(_) => unreachable!("the upload was opened above"),
        }
        Ok(())
    }

    async fn part_done(&mut self, key: &str) -> Result<()> {
        match self.parts.join_next().await {
            None => Ok(()),
            Some(Ok(Ok((number, sent)))) => {
                self.sent[number] = Some(sent);
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

    /// Completes the upload, and gives back what stands in the journal until the file is known not to be taken back.
    async fn complete(self, key: &str, sum: &Sum, held: Option<String>) -> (Result<Proof>, Option<Entry>) {
        let Self { wire, path, claims, open, sent, origin, .. } = self;
        let (written, noted) = match open {
            Open::Held(bytes) => {
                let token = held.unwrap_or_else(token);
                (wire.put(&path, bytes.bytes, claims.put, token, sum).await, None)
            }
            Open::Yes(opened, noted) => {
                let token = if let Opened::Parts { token, .. } = &opened { token.clone() } else { None };
                let acknowledged: Option<u64> =
                    sent.iter().map(|part| part.as_ref().map_or(Some(0), |p| p.bytes)).sum();
                if let Some(bytes) = acknowledged
                    && bytes != sum.bytes
                {
                    let left = wire.abort(&path, opened).await.err();
                    return incomplete(failure::incomplete(key, bytes, sum.bytes), left, noted);
                }
                let sent = sent.into_iter().map(|part| part?.receipt).collect();
                (wire.complete(&path, opened, sent, claims.complete, sum).await.map(|()| token), noted)
            }
            Open::Not | Open::Asked(_) => unreachable!("a file is ended before it is completed"),
        };
        let (error, left) = match written {
            Ok(token) => return (Ok(token.map_or(Proof::None, |token| Proof::Token(wire, path, token))), noted),
            Err(Incomplete::NotWritten { error: object_store::Error::NotFound { .. }, .. })
                if origin == Origin::TakenUp =>
            {
                (failure::gone(key), None)
            }
            Err(Incomplete::NotWritten { error, left }) => (failure::not_written(key, error), left),
            Err(Incomplete::Another { left }) => (failure::another(key), left),
            Err(Incomplete::Unknown { error, left }) => (failure::unknown(key, error), left),
            Err(Incomplete::Replaced(error)) => (failure::replaced(key, error), None),
        };
        incomplete(error, left, noted)
    }

    async fn abort(mut self, key: &str) -> Result<()> {
        self.parts.shutdown().await;
        let (opened, noted) = match self.open {
            Open::Not | Open::Held(_) => return Ok(()),
            Open::Asked(asked) => match asked.await.map_err(|e| failure::task("open an upload", e))? {
                Ok(opened) => opened,
                // Nothing was opened.
                Err(_) => return Ok(()),
            },
            Open::Yes(opened, noted) => (opened, noted),
        };
        let aborted = self.wire.abort(&self.path, opened).await;
        aborted.map_err(|e| failure::object(&format!("abort `{key}`"), e))?;
        if let Some(noted) = noted {
            noted.close();
        }
        Ok(())
    }
}

/// What a file that was not completed comes to, with what its upload was left open by.
fn incomplete(error: Error, left: Option<object_store::Error>, noted: Option<Entry>) -> (Result<Proof>, Option<Entry>) {
    match left {
        Some(left) => (Err(error.with_note(&format!("besides, its upload could not be aborted: {left}"))), None),
        None => (Err(error), noted),
    }
}

/// Opens an upload, which is in the journal before, and with its id right after.
async fn open(wire: &Wire, path: &Path, key: &str, ledger: Option<Arc<Ledger>>) -> Result<(Opened, Option<Entry>)> {
    let noted = match ledger {
        Some(ledger) => Some(Entry::upload(ledger, key).await?),
        None => None,
    };
    match wire.open(path, &token()).await {
        Ok(opened) => {
            let Some(noted) = noted else { return Ok((opened, None)) };
            let Opened::Parts { id, token } = &opened else { return Ok((opened, Some(noted))) };
            let Err(error) = noted.opened(id, token.as_deref()).await else { return Ok((opened, Some(noted))) };
            match wire.abort(path, opened).await {
                Ok(()) => {
                    noted.close();
                    Err(error)
                }
                Err(left) => Err(error.with_note(&format!("besides, its upload could not be aborted: {left}"))),
            }
        }
        Err(e) => {
            let unopened = failure::is_refusal(&e)
                || failure::is_no_connection(&e)
                || matches!(e, object_store::Error::NotFound { .. });
            if let Some(noted) = noted.filter(|_| unopened) {
                noted.close();
            }
            Err(failure::object(&format!("write `{key}`"), e))
        }
    }
}

/// A word that no other write has.
fn token() -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(0_u8), RandomState::new().hash_one(1_u8))
}
