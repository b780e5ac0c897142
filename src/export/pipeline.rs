//! From blocks of rows to parts in the store.
//!
//! One task drives an export. It takes blocks from a channel, has them encoded by blocking workers, several at once and
//! joined in order, has the bytes compressed and encrypted by another worker, in order, and sends the parts. The number
//! of blocks under way and of parts in flight is the bound of its memory. When the export is dropped, aborted, or
//! fails, the task takes back everything that was sent.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::{StreamExt, pin_mut};
use tokio::task::spawn_blocking;

use super::commit;
use super::progress::{Progress, Stage};
use crate::destination::{Destination, FileName};
use crate::format::csv::{EncodeError, Header};
use crate::layer::{LayerError, Transform};
use crate::manifest::{FileEntry, Manifest};
use crate::row::{Batch, Mapping};
use crate::store::{Digest, PartSchedule, Store, Upload, Uploader};
use crate::template::Context;
use crate::{Error, ErrorKind, Result};

/// How many blocks are encoded at the same time.
const ENCODERS: usize = 2;

/// Everything that stays the same during an export.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) destination: Destination,
    pub(super) context: Context,
    pub(super) id: String,
    pub(super) progress: Progress,
}

/// What the writer tells the task.
#[derive(Debug)]
pub(super) enum Message {
    Block(Block),
    /// All rows have come: complete the files. A channel that closes without it is an export that was given up.
    Commit,
}

/// Rows of one file, in order.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) batch: Batch,
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
}

/// The plain bytes of a block.
struct Encoded {
    plain: Vec<u8>,
    rows: u64,
    file: NonZeroU64,
    first: bool,
    last: bool,
}

/// The files of an export that are not completed yet.
#[derive(Debug)]
struct Files {
    uploader: Uploader,
    open: Option<Upload>,
    ended: Vec<Ended>,
}

/// Runs the export to its end: the manifest, or nothing left.
pub(super) async fn run(
    run: Run,
    store: Store,
    messages: mpsc::Receiver<Message>,
    cancelled: oneshot::Receiver<()>,
) -> Result<Manifest> {
    let run = Arc::new(run);
    let mut files = Files { uploader: Uploader::new(store), open: None, ended: Vec::new() };
    let staged = {
        let stage = stage(&run, messages, &mut files);
        pin_mut!(stage);
        match select(cancelled, stage).await {
            Either::Left(_) => Err(given_up()),
            Either::Right((staged, _)) => staged,
        }
    };
    match staged {
        Ok(()) => commit::complete(&run, files.uploader, files.ended).await,
        Err(error) => {
            let uploads = files.open.into_iter().chain(files.ended.into_iter().map(|file| file.upload));
            Err(commit::abort(uploads, error).await)
        }
    }
}

/// What the task of an export ends with that was aborted or dropped.
fn given_up() -> Error {
    Error::new(ErrorKind::Aborted, "the export was given up before its commit")
}

/// Brings every file to where only its completion is missing.
async fn stage(run: &Arc<Run>, messages: mpsc::Receiver<Message>, files: &mut Files) -> Result<()> {
    let mut encoded = messages
        .map(|message| {
            let run = Arc::clone(run);
            async move {
                match message {
                    Message::Block(block) => worker(move || encode(&run, &block)).await.map(Some),
                    Message::Commit => Ok(None),
                }
            }
        })
        .buffered(ENCODERS);
    let mut open: Option<OpenFile> = None;
    while let Some(block) = encoded.next().await {
        let Some(block) = block? else { return Ok(()) };
        if block.first {
            let (name, layers) = {
                let run = Arc::clone(run);
                worker(move || {
                    let name = run.destination.file_name(&run.context, block.file)?;
                    Ok((name, Layers::start(&run.destination)?))
                })
                .await?
            };
            let schedule = files.uploader.schedule();
            files.open = Some(files.uploader.start(name.key().as_str()).await?);
            open =
                Some(OpenFile { name, layers, rows: 0, plain_bytes: 0, stored: Digest::default(), schedule, parts: 0 });
        }
        let mut file = open.take().expect("the first block of a file opens it");
        let upload = files.open.as_mut().expect("an open file has an upload");
        let (file_back, pushed) = {
            let run = Arc::clone(run);
            worker(move || file.push(&block, &run.progress).map(|pushed| (file, pushed))).await?
        };
        file = file_back;
        let start = Instant::now();
        for part in pushed.parts {
            run.progress.stored(part.len());
            upload.part(part).await?;
        }
        match pushed.rest {
            None => open = Some(file),
            Some(rest) => {
                run.progress.stored(rest.len());
                files.uploader.end(upload, rest).await?;
                run.progress.file_ended();
                let upload = files.open.take().expect("an open file has an upload");
                files.ended.push(Ended { entry: file.entry(), digest: file.stored, upload });
            }
        }
        run.progress.spent(Stage::Upload, start);
    }
    Err(given_up())
}

/// Runs work that keeps a processor busy where it holds up no other task.
async fn worker<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(Error::new(ErrorKind::Internal, "a worker of the export did not end").with_source(e)),
    }
}

fn encode(run: &Run, block: &Block) -> Result<Encoded> {
    let start = Instant::now();
    let mut encoder = run.destination.dialect().encoder();
    let mut plain = Vec::with_capacity(block.batch.bytes());
    let names = block.mapping.names();
    // A table of unknown columns has no header, and no rows either.
    if block.first && !(names.is_empty() && run.destination.dialect().header() == Header::Write) {
        encoder.header(names, &mut plain).map_err(|e| unwritable("the header", names, &e))?;
    }
    let picks = block.mapping.picks();
    for row in 0..block.batch.rows() {
        let fields = picks.iter().map(|&column| block.batch.value(row, column));
        // A record that the dialect loses or skips is in the encoder's counts.
        let _ = encoder.record(fields, &mut plain).map_err(|e| unwritable(&block.place(row), names, &e))?;
    }
    let rows = encoder.counts().written();
    run.progress.encoded(rows, plain.len());
    run.progress.spent(Stage::Encode, start);
    Ok(Encoded { plain, rows, file: block.file, first: block.first, last: block.last })
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

/// A file that waits to be completed.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) entry: FileEntry,
    pub(super) digest: Digest,
    pub(super) upload: Upload,
}

/// What a block has made ready to be sent.
struct Pushed {
    parts: Vec<Bytes>,
    /// The last bytes of the file, which may be none, when the block was its last.
    rest: Option<Bytes>,
}

/// A file whose bytes are being made.
struct OpenFile {
    name: FileName,
    layers: Layers,
    rows: u64,
    plain_bytes: u64,
    stored: Digest,
    schedule: PartSchedule,
    parts: u32,
}

impl OpenFile {
    /// Puts a block through the layers.
    fn push(&mut self, block: &Encoded, progress: &Progress) -> Result<Pushed> {
        self.rows += block.rows;
        self.plain_bytes += block.plain.len() as u64;
        self.layers.push(&block.plain, progress)?;
        if block.last {
            self.layers.finish(progress)?;
        }
        let mut parts = Vec::new();
        loop {
            let Some(size) = self.schedule.size(self.parts + 1) else {
                let text =
                    format!("`{}` has more parts than a store takes: give it fewer rows", self.name.key().as_str());
                return Err(Error::new(ErrorKind::Store, text));
            };
            let Some(part) = self.layers.take_part(size) else { break };
            self.parts += 1;
            self.stored.update(&part);
            parts.push(part);
        }
        let rest = block.last.then(|| self.layers.take_rest());
        self.stored.update(rest.as_deref().unwrap_or_default());
        Ok(Pushed { parts, rest })
    }

    fn entry(&self) -> FileEntry {
        FileEntry::new(self.name.folder(), self.name.name())
            .with_rows(self.rows)
            .with_plain_bytes(self.plain_bytes)
            .with_stored_bytes(self.stored.bytes())
    }
}

/// The states of the layers of one file, and the bytes that have come out of the last one.
struct Layers {
    compress: Option<Box<dyn Transform>>,
    encrypt: Option<Box<dyn Transform>>,
    compressed: Vec<u8>,
    out: Vec<u8>,
}

impl Layers {
    fn start(destination: &Destination) -> Result<Self, LayerError> {
        let start = |layer: Option<Box<dyn crate::layer::Layer>>| layer.map(|layer| layer.start()).transpose();
        Ok(Self {
            compress: start(destination.compression_layer())?,
            encrypt: start(destination.encryption_layer())?,
            compressed: Vec::new(),
            out: Vec::new(),
        })
    }

    fn push(&mut self, plain: &[u8], progress: &Progress) -> Result<(), LayerError> {
        let Self { compress, encrypt, compressed, out } = self;
        let Some(compress) = compress else { return seal(encrypt, plain, out, progress) };
        let start = Instant::now();
        compressed.clear();
        compress.push(plain, compressed)?;
        progress.spent(Stage::Compress, start);
        seal(encrypt, compressed, out, progress)
    }

    fn finish(&mut self, progress: &Progress) -> Result<(), LayerError> {
        let Self { compress, encrypt, compressed, out } = self;
        if let Some(compress) = compress.take() {
            let start = Instant::now();
            compressed.clear();
            compress.finish(compressed)?;
            progress.spent(Stage::Compress, start);
            seal(encrypt, compressed, out, progress)?;
        }
        if let Some(encrypt) = encrypt.take() {
            let start = Instant::now();
            encrypt.finish(out)?;
            progress.spent(Stage::Encrypt, start);
        }
        Ok(())
    }

    /// A part of exactly `size` bytes, once there are more than that: the last bytes of a file are taken as its rest.
    fn take_part(&mut self, size: u64) -> Option<Bytes> {
        let size = usize::try_from(size).ok().filter(|&size| self.out.len() > size)?;
        let rest = self.out.split_off(size);
        Some(std::mem::replace(&mut self.out, rest).into())
    }

    fn take_rest(&mut self) -> Bytes {
        std::mem::take(&mut self.out).into()
    }
}

/// Encrypts, where the destination does.
fn seal(
    encrypt: &mut Option<Box<dyn Transform>>,
    bytes: &[u8],
    out: &mut Vec<u8>,
    progress: &Progress,
) -> Result<(), LayerError> {
    let Some(encrypt) = encrypt else {
        out.extend_from_slice(bytes);
        return Ok(());
    };
    let start = Instant::now();
    encrypt.push(bytes, out)?;
    progress.spent(Stage::Encrypt, start);
    Ok(())
}
