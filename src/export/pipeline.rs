//! From blocks of rows to parts in the store.
//!
//! One task drives an export. It takes blocks from a channel, has them encoded by blocking workers, several at once and
//! joined in order, has the bytes compressed and encrypted by another worker, in order, and sends the parts. The number
//! of blocks under way and of parts in flight is the bound of its memory. When the export is dropped, aborted, or
//! fails, the task takes back everything that was sent.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::{StreamExt, pin_mut};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::begin::{Begun, begin, keep};
use super::commit::Done;
use super::event::{Event, Events, Onlooker};
use super::file::{Advanced, Ended, OpenFile, Plain};
use super::progress::{Progress, Stage};
use super::spare::Spares;
use super::visible::Visible;
use super::{commit, rejects, settings};
use crate::destination::{Commit, Destination};
use crate::format::csv::{Counts, EncodeError, Encoder, Header};
use crate::manifest::{FileEntry, Manifest};
use crate::memory::{Entered, MemoryBudget, Permit};
#[cfg(feature = "arrow")]
use crate::row::arrow::{Cells, Reader};
use crate::row::{Batch, Mapping};
use crate::store::{Digest, Journal, Ledger, Resume, Store, Upload, Uploader};
use crate::template::Context;
use crate::{Error, ErrorKind, Result};

/// How many blocks are encoded at the same time.
pub(super) const ENCODERS: u32 = 2;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(1);

/// Everything that stays the same during an export.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) destination: Destination,
    pub(super) context: Context,
    pub(super) id: String,
    pub(super) progress: Progress,
    pub(super) events: Events,
    /// The files of [`Commit::PerFile`](crate::destination::Commit) that may be visible.
    pub(super) visible: Visible,
    pub(super) memory: MemoryBudget,
    pub(super) spares: Arc<Spares>,
    /// The names that the rows' columns were given.
    pub(super) columns: Option<Vec<String>>,
    /// Whether there is a journal.
    pub(super) journaled: bool,
    pub(super) _entered: Entered,
}

/// What the writer tells the task.
#[derive(Debug)]
pub(super) enum Message {
    Block(Box<Block>),
    /// All rows have come: complete the files. A channel that closes without it is an export that was given up.
    Commit,
}

/// Rows of one file, in order.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) batch: Batch,
    /// Rows of Arrow's, instead of those of `batch`.
    #[cfg(feature = "arrow")]
    pub(super) slice: Option<arrow_array::RecordBatch>,
    /// What the rows take in memory, or may be written as, about.
    pub(super) bytes: usize,
    pub(super) mapping: Arc<Mapping>,
    pub(super) file: NonZeroU64,
    /// The file begins with this block.
    pub(super) first: bool,
    /// The file ends with this block.
    pub(super) last: bool,
    /// The number of the block's first row, from 1.
    pub(super) first_row: u64,
    /// The lines of the input that the rows stand at, where it has lines.
    pub(super) lines: Vec<u64>,
    /// For the block, from its rows to the bytes that are on their way.
    pub(super) permit: Permit,
}

/// A block as bytes: those of its file, and those of the rows that the dialect rejected.
struct Encoded {
    file: NonZeroU64,
    plain: Plain,
    rejects: Plain,
    counts: Counts,
}

/// The files of an export that are not completed yet.
#[derive(Debug)]
struct Files {
    uploader: Uploader,
    /// The upload of the file that is being made.
    upload: Option<Upload>,
    ended: Vec<Ended>,
    /// What is visible before the commit.
    visible: Vec<FileEntry>,
    rejects_upload: Option<Upload>,
    rejects: Option<Ended>,
    counts: Counts,
}

/// Runs the export to its end: the manifest, or nothing left.
pub(super) async fn run(
    run: Run,
    store: Store,
    journal: Option<(Journal, Resume)>,
    messages: mpsc::Receiver<Message>,
    cancelled: oneshot::Receiver<()>,
) -> Result<Manifest> {
    let (events, progress) = (run.events.clone(), run.progress.clone());
    let ended = deliver(run, store, journal, messages, cancelled).await;
    events.end(&ended, &progress);
    ended
}

async fn deliver(
    mut run: Run,
    store: Store,
    journal: Option<(Journal, Resume)>,
    messages: mpsc::Receiver<Message>,
    mut cancelled: oneshot::Receiver<()>,
) -> Result<Manifest> {
    let begun = {
        let starting = start(&mut run, &store, journal);
        pin_mut!(starting);
        match select(&mut cancelled, starting).await {
            Either::Left(_) => return Err(given_up()),
            Either::Right((begun, _)) => begun?,
        }
    };
    let Some((mut uploader, ledger)) = begun else {
        return read_over(messages).await.map(|()| commit::skipped(&run));
    };
    // Not given up half-way: what is tried out is in the journal until nothing is left of it.
    if let Err(error) = keep(&run, &mut uploader).await {
        return with_end(Err(error), ledger, &store).await;
    }
    let run = Arc::new(run);
    let mut files = Files {
        uploader,
        upload: None,
        ended: Vec::new(),
        visible: Vec::new(),
        rejects_upload: None,
        rejects: None,
        counts: Counts::default(),
    };
    let staged = {
        let stage = stage(&run, messages, &mut files);
        pin_mut!(stage);
        match select(cancelled, stage).await {
            Either::Left(_) => Err(given_up()),
            Either::Right((staged, _)) => staged,
        }
    };
    let ended = match staged {
        Ok(()) => {
            let done = Done { visible: files.visible, ended: files.ended, rejects: files.rejects };
            let committed = commit::complete(&run, files.uploader, done, &files.counts).await;
            committed.map_err(|error| run.visible.note(error))
        }
        Err(error) => {
            let open = files.upload.into_iter().chain(files.rejects_upload);
            let ended = files.ended.into_iter().chain(files.rejects).map(|file| file.upload);
            let error = run.visible.note(commit::abort(open.chain(ended), error).await);
            drop(files.uploader);
            Err(error)
        }
    };
    with_end(ended, ledger, &store).await
}

/// Ends the journal with the export.
async fn with_end(ended: Result<Manifest>, ledger: Option<Arc<Ledger>>, store: &Store) -> Result<Manifest> {
    let Some(ledger) = ledger else { return ended };
    match (ended, ledger.end(store).await) {
        // What was delivered is delivered: a journal that may not be removed names nothing.
        (Ok(manifest), _) => Ok(manifest),
        (Err(error), Ok(())) => Err(error),
        // Nothing else went wrong.
        (Err(error), Err(left)) if error.kind() == ErrorKind::Aborted => Err(left),
        (Err(error), Err(left)) => Err(error.with_note(&format!("besides, {left:#}"))),
    }
}

/// What an export needs to go on: where its files go to, and its journal.
type Started = (Uploader, Option<Arc<Ledger>>);

/// Looks at what is there; nothing where the export is skipped.
async fn start(run: &mut Run, store: &Store, journal: Option<(Journal, Resume)>) -> Result<Option<Started>> {
    let ledger = match &journal {
        Some((journal, resume)) => {
            let ledger = Ledger::open(journal, store).await?;
            ledger.admit(*resume, settings::of(run, store)).await?;
            Some(Arc::new(ledger))
        }
        None => None,
    };
    let onlooker = Onlooker { progress: run.progress.clone(), events: run.events.clone() };
    let uploader = Uploader::new(store.clone(), ledger.clone(), Arc::new(onlooker));
    let begun = begin(run, &uploader, ledger.as_ref().and_then(|ledger| ledger.names())).await?;
    let mut unsure = Vec::new();
    if let Some(ledger) = &ledger {
        unsure = match begun {
            Begun::Go => ledger.begin(run.destination.number(), store).await?,
            Begun::Skip => ledger.abandon(store).await?.unsure,
        };
    }
    for key in unsure {
        run.events.tell(|| Event::UploadLost { key });
    }
    Ok(if begun == Begun::Go { Some((uploader, ledger)) } else { None })
}

/// What the task of an export ends with that was aborted or dropped.
fn given_up() -> Error {
    Error::new(ErrorKind::Aborted, "the export was given up before its commit")
}

/// Takes the rows of an export that delivers nothing.
async fn read_over(mut messages: mpsc::Receiver<Message>) -> Result<()> {
    while let Some(message) = messages.next().await {
        if let Message::Commit = message {
            return Ok(());
        }
    }
    Err(given_up())
}

/// Brings every file to where only its completion is missing.
async fn stage(run: &Arc<Run>, messages: mpsc::Receiver<Message>, files: &mut Files) -> Result<()> {
    let mut encoded = messages
        .map(|message| {
            let run = Arc::clone(run);
            async move {
                match message {
                    Message::Block(mut block) => {
                        let permit = std::mem::take(&mut block.permit);
                        let encoding = worker(move || {
                            let encoded = encode(&run, &block)?;
                            run.spares.keep(block.batch, &run.memory);
                            Ok(encoded)
                        });
                        encoding.await.map(|encoded| Some((encoded, permit)))
                    }
                    Message::Commit => Ok(None),
                }
            }
        })
        .buffered(ENCODERS as usize);
    let mut open: Option<OpenFile> = None;
    let mut rejects: Option<OpenFile> = None;
    let mut told = Instant::now();
    loop {
        let start = Instant::now();
        let Some(block) = encoded.next().await else { return Err(given_up()) };
        run.progress.spent(Stage::Input, start);
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            run.events.tell(|| Event::Progress(run.progress.snapshot()));
        }
        let Some((block, _permit)) = block? else {
            if let Some(file) = rejects {
                let end = Plain { bytes: Vec::new(), rows: 0, last: true };
                match file.advance(run, &mut files.uploader, &mut files.rejects_upload, end).await? {
                    Advanced::Ended(ended) => files.rejects = Some(ended),
                    Advanced::Open(_) => unreachable!("the last bytes end a file"),
                }
            }
            let manifest = run.destination.manifest_key(&run.context, &run.id)?;
            if let Some(key) = files.uploader.left_over(manifest.as_str()) {
                let text =
                    format!("`{key}` cannot be resumed: the rows end before it, those of the export that died did not");
                return Err(Error::new(ErrorKind::Resume, text));
            }
            return Ok(());
        };
        files.counts.merge(&block.counts);
        if block.rejects.rows > 0 {
            let file = if let Some(file) = rejects.take() {
                file
            } else {
                let key = |run: &Run| run.destination.rejects_key(&run.context, &run.id);
                OpenFile::start(run, &mut files.uploader, &mut files.rejects_upload, key).await?
            };
            match file.advance(run, &mut files.uploader, &mut files.rejects_upload, block.rejects).await? {
                Advanced::Open(file) => rejects = Some(file),
                Advanced::Ended(_) => unreachable!("rejects end with the export"),
            }
        }
        let file = if let Some(file) = open.take() {
            file
        } else {
            let key = move |run: &Run| run.destination.file_key(&run.context, block.file);
            OpenFile::start(run, &mut files.uploader, &mut files.upload, key).await?
        };
        match file.advance(run, &mut files.uploader, &mut files.upload, block.plain).await? {
            Advanced::Open(file) => open = Some(file),
            Advanced::Ended(ended) => {
                run.progress.file_ended();
                match run.destination.commit() {
                    Commit::Group => files.ended.push(ended),
                    Commit::PerFile => {
                        let first = files.visible.is_empty();
                        files.visible.push(ended.entry.clone());
                        commit::show_early(run, &files.uploader, ended, first).await?;
                    }
                }
            }
        }
    }
}

/// Runs work that keeps a processor busy where it holds up no other task. More of it at the same time than there are
/// processors would end no sooner, and each thread costs memory of its own.
pub(super) async fn worker<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    static PROCESSORS: LazyLock<Semaphore> =
        LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZeroUsize::get)));
    // A task of its own, which runs while nobody asks for its end: a place in the queue that is not asked for would keep
    // everybody behind it waiting, be it the same export.
    let done = tokio::spawn(async move {
        let _processor = PROCESSORS.acquire().await;
        spawn_blocking(work).await
    });
    match done.await {
        Ok(Ok(done)) => done,
        Ok(Err(e)) | Err(e) => {
            Err(Error::new(ErrorKind::Internal, "a worker of the export did not end").with_source(e))
        }
    }
}

fn encode(run: &Run, block: &Block) -> Result<Encoded> {
    let start = Instant::now();
    let mut encoder = run.spares.encoder(run.destination.dialect());
    let mut plain = run.spares.encoded(block.bytes, &run.memory);
    let names = block.mapping.names();
    let mut at = 0;
    // A table of unknown columns has no header, and no rows either.
    if block.first && !(names.is_empty() && run.destination.dialect().header() == Header::Write) {
        plain.clear();
        encoder.header(names, &mut plain).map_err(|e| unwritable("the header", names, &e))?;
        at = plain.len();
    }
    let mut rejects = Plain { bytes: Vec::new(), rows: 0, last: false };
    #[cfg(feature = "arrow")]
    if let Some(slice) = &block.slice {
        encode_slice(block, slice, &mut encoder, at, &mut plain, &mut rejects)?;
    } else {
        encode_rows(block, &mut encoder, at, &mut plain, &mut rejects)?;
    }
    #[cfg(not(feature = "arrow"))]
    encode_rows(block, &mut encoder, at, &mut plain, &mut rejects)?;
    if block.first && !block.last {
        encoder.begin(&mut plain);
    }
    run.spares.note(block.bytes, plain.len());
    let counts = encoder.end();
    run.spares.keep_encoder(encoder, &run.memory);
    let rows = counts.written();
    run.progress.encoded(rows, plain.len());
    run.progress.spent(Stage::Encode, start);
    Ok(Encoded { file: block.file, plain: Plain { bytes: plain, rows, last: block.last }, rejects, counts })
}

/// Writes the rows of a block behind `start`.
fn encode_rows(
    block: &Block,
    encoder: &mut Encoder,
    start: usize,
    plain: &mut Vec<u8>,
    rejects: &mut Plain,
) -> Result<()> {
    plain.truncate(start);
    let names = block.mapping.names();
    let refused = encoder.batch(&block.batch, block.mapping.picks(), plain);
    for e in refused.map_err(|e| unwritable(&block.place(e.row()), names, e.error()))? {
        rejects.rows += 1;
        let why = unwritable(&block.place(e.row()), names, e.error());
        rejects::append(&mut rejects.bytes, &why, block.batch.row(e.row()));
    }
    Ok(())
}

/// Writes the rows of a block of Arrow's behind `start`, over what is there.
#[cfg(feature = "arrow")]
fn encode_slice(
    block: &Block,
    slice: &arrow_array::RecordBatch,
    encoder: &mut Encoder,
    start: usize,
    plain: &mut Vec<u8>,
    rejects: &mut Plain,
) -> Result<()> {
    let names = block.mapping.names();
    let picked = slice
        .project(block.mapping.picks())
        .map_err(|e| Error::new(ErrorKind::Internal, "the columns of a batch could not be picked").with_source(e))?;
    let refused = encoder.record_batch_at(&picked, start, plain);
    let refused = refused.map_err(|e| unwritable(&block.place(e.row()), names, e.error()))?;
    if refused.is_empty() {
        return Ok(());
    }
    let readers: Vec<_> = slice.columns().iter().map(|column| Reader::new(column)).collect();
    let mut cells = Cells::default();
    for e in refused {
        rejects.rows += 1;
        let why = unwritable(&block.place(e.row()), names, e.error());
        rejects::append(&mut rejects.bytes, &why, cells.read_raw(&readers, e.row()));
    }
    Ok(())
}

impl Run {
    /// For what is stored.
    pub(super) fn digest(&self) -> Digest {
        if self.journaled { Digest::lasting() } else { Digest::quick() }
    }
}

impl Block {
    /// Where a row of the block stands in the input.
    fn place(&self, row: usize) -> String {
        match self.lines.get(row) {
            Some(line) => format!("line {line}"),
            None => format!("row {}", self.first_row + row as u64),
        }
    }
}

#[cold]
fn unwritable(place: &str, names: &[String], error: &EncodeError) -> Error {
    let column = match names.get(error.column()) {
        Some(name) => format!("column {} (`{name}`)", error.column() + 1),
        None => format!("column {}", error.column() + 1),
    };
    Error::new(ErrorKind::Row, format!("{place}, {column}: {error}"))
}
