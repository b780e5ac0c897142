//! The ways in: rows are gathered in blocks, and full blocks are handed to the pipeline.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use csv_async::{AsyncReader, ByteRecord};
use futures::channel::{mpsc, oneshot};
use futures::future::poll_fn;
use futures::{FutureExt, Sink, Stream, StreamExt, pin_mut};
use serde::Serialize;
use tokio::io::AsyncRead;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::begin;
use super::event::{Event, Events};
use super::pipeline::{self, Block, Message, Run};
use super::progress::Progress;
use super::roll::Roll;
use super::spare::Spares;
use super::visible::Visible;
use crate::destination::Destination;
use crate::format::csv::Header;
use crate::manifest::Manifest;
use crate::memory::{FREE_ROWS, MemoryBudget, Permit};
use crate::row::{Batch, FieldNames, Mapping, RowError, RowErrorKind, Value};
use crate::store::{Journal, Preflight, Resume, Store};
use crate::template::Context;
use crate::{Error, ErrorKind, Result};

#[cfg(feature = "arrow")]
mod arrow;

/// How much memory the rows of a block take, about, before it is handed over.
pub(super) const BLOCK_BYTES: usize = 1024 * 1024;
/// A block may be this many times its rows: buffers that have grown by doubling, what the rows are encoded to, and what
/// the layers make of that.
const BLOCK_FACTOR: usize = 4;

/// One run of a [`Destination`]: takes rows, and delivers files when it is committed.
///
/// The first error is final: every later call returns it again, and nothing becomes visible.
///
/// As a [`Sink`], an export takes rows of any [`Serialize`] type; flushing and closing the sink do not commit it.
#[must_use = "an export that is not committed delivers nothing"]
pub struct Export {
    destination: Destination,
    names: FieldNames,
    mapping: Option<Arc<Mapping>>,
    batch: Batch,
    /// The rows that are handed over next, instead of those of `batch`, and how many bytes they may be written as.
    #[cfg(feature = "arrow")]
    slice: Option<(arrow_array::RecordBatch, usize)>,
    /// That of the first record batch.
    #[cfg(feature = "arrow")]
    schema: Option<arrow_schema::SchemaRef>,
    lines: Vec<u64>,
    /// How many bytes of rows the open block may have.
    room: usize,
    room_permit: Permit,
    /// For the block that is to be handed over.
    block_permit: Option<Permit>,
    /// The wait for it.
    asked: Option<Pin<Box<dyn Future<Output = Permit> + Send + Sync>>>,
    memory: MemoryBudget,
    spares: Arc<Spares>,
    roll: Roll,
    rows: u64,
    blocks: mpsc::Sender<Message>,
    /// Until it has been joined.
    pipeline: Option<JoinHandle<Result<Manifest>>>,
    /// Dropped with the export, which tells the pipeline to take everything back.
    alive: Option<oneshot::Sender<()>>,
    failed: Option<Error>,
    progress: Progress,
    events: Events,
    visible: Visible,
}

/// Gathers what an [`Export`] may be given beside its context.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct ExportBuilder {
    destination: Destination,
    store: Store,
    context: Context,
    run_id: Option<String>,
    columns: Option<Vec<String>>,
    memory: Option<MemoryBudget>,
    journal: Option<Journal>,
    resume: Resume,
}

impl ExportBuilder {
    /// The memory that it shares with other exports; default [`MemoryBudget::process`].
    ///
    /// Exports whose callers wait for one another may share a budget: none of them ever waits for another's rows.
    pub fn with_memory(self, memory: MemoryBudget) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// The id of the run, which is part of the manifest and of its name; default: made from the context's time.
    pub fn with_run_id(self, run_id: impl Into<String>) -> Self {
        Self { run_id: Some(run_id.into()), ..self }
    }

    /// The names of the columns of the rows. Structs, maps and CSV files with a header bring their own; records of
    /// fields do not, and need these when the destination writes a header or picks columns.
    pub fn with_columns<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        Self { columns: Some(columns.into_iter().map(Into::into).collect()), ..self }
    }

    /// The list of the export's open uploads, so that what it leaves is known even if its process is killed; default: none.
    ///
    /// The export refuses to start where the journal of another stands, with [`ErrorKind::Exists`].
    pub fn with_journal(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// The journal beside the manifest of this export, to be given to [`with_journal`](Self::with_journal) or to
    /// [`Store::reap_journal`].
    ///
    /// # Errors
    ///
    /// When the manifest's name cannot be made from the context.
    pub fn journal_beside(&self) -> Result<Journal> {
        let run_id = self.run_id.clone().unwrap_or_else(|| default_run_id(&self.context));
        Ok(Journal::beside(self.destination.manifest_key(&self.context, &run_id)?.as_str()))
    }

    /// Goes on where an export died, by its journal; by default that beside the manifest.
    ///
    /// It is given the same rows again. They are encoded again, but files that were sent whole are neither compressed,
    /// encrypted nor sent: the hash of their bytes is compared, part by part where there are no layers, and they are completed
    /// as they are. Uploads that were not
    /// finished are aborted and made anew, and so are files that fit one part, and all files of a local folder. Where there
    /// is no journal, the export starts afresh.
    ///
    /// Destination, context, run id, columns, the store and the rows have to be the same; so give the export a run id and the
    /// time of the first try. Otherwise it is refused with [`ErrorKind::Resume`] and the names of the settings that differ,
    /// and journal and finished files stay for a try with the right ones, or for [`Store::reap_journal`]. So it is where the
    /// store has dropped a finished upload meanwhile, or a file that was completed has been removed or replaced; a store that
    /// cannot list uploads (all but S3) tells that at the commit. After any other failure all is taken back, as ever.
    ///
    /// An export that keeps what exists knows the files that the dead one made visible, by the tokens in the journal or by
    /// their bytes, and goes on with them, under the names that it had found free.
    ///
    /// ```
    /// # use chrono::{DateTime, Utc};
    /// # use consign::location::{BucketName, FolderPath};
    /// # use consign::template::{Context, Template};
    /// # use consign::{Destination, Export, store::Store};
    /// # #[tokio::main]
    /// # async fn main() -> consign::Result<()> {
    /// # let destination = Destination::builder(
    /// #     BucketName::parse("acme-exports")?, FolderPath::parse("a")?, Template::parse("a")?).build()?;
    /// # let store = Store::from_url("memory:///")?;
    /// let context = Context::new(DateTime::UNIX_EPOCH);
    /// let mut export = Export::builder(&destination, &store, context).with_run_id("1").with_resume().start()?;
    /// export.write(&[("faa", "04G")].into_iter().collect::<std::collections::BTreeMap<_, _>>()).await?;
    /// assert_eq!(export.commit().await?.rows(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_resume(self) -> Self {
        Self { resume: Resume::TakeUp, ..self }
    }

    /// Finds out whether the export could be delivered, by doing everything that it would do to the store with a few bytes
    /// in its folder, and undoing it: see [`Store::check`].
    ///
    /// ```
    /// # use chrono::Utc;
    /// # use consign::location::{BucketName, FolderPath};
    /// # use consign::template::{Context, Template};
    /// # use consign::{Destination, Export, store::Store};
    /// # #[tokio::main]
    /// # async fn main() -> consign::Result<()> {
    /// # let destination = Destination::builder(
    /// #     BucketName::parse("acme-exports")?, FolderPath::parse("a")?, Template::parse("a")?).build()?;
    /// # let store = Store::from_url("memory:///")?;
    /// let preflight = Export::builder(&destination, &store, Context::new(Utc::now())).check().await?;
    /// assert_eq!(preflight.findings().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a name cannot be made from the context, or the store is another bucket than the destination's. What the store
    /// does not allow is no error, but in what is returned.
    ///
    /// # Cancel safety
    ///
    /// As [`Store::check`].
    pub async fn check(&self) -> Result<Preflight> {
        let Self { destination, store, context, run_id, .. } = self;
        let run_id = run_id.clone().unwrap_or_else(|| default_run_id(context));
        begin::check(destination, store, context, &run_id)?;
        let key = destination.manifest_key(context, &run_id)?;
        let folder = key.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(store.check(folder, destination.on_exists()).await)
    }

    /// Starts the export. Nothing is sent before the first block of rows is full; a destination that keeps what exists
    /// ([`OnExists`](crate::store::OnExists)) is looked at right away, and an export that cannot begin fails with its first
    /// rows.
    ///
    /// # Errors
    ///
    /// When a name cannot be made from the context, the store is another bucket than the destination's, the
    /// destination asks for a column that there is not, or no tokio runtime runs here.
    pub fn start(self) -> Result<Export> {
        let Self { destination, store, context, run_id, columns, memory, journal, resume } = self;
        let memory = memory.unwrap_or_else(MemoryBudget::process);
        let runtime = Handle::try_current().map_err(|e| {
            Error::new(ErrorKind::Store, "an export runs on a tokio runtime, and none runs here").with_source(e)
        })?;
        let run_id = run_id.unwrap_or_else(|| default_run_id(&context));
        begin::check(&destination, &store, &context, &run_id)?;
        let journal = match (journal, resume) {
            (None, Resume::TakeUp) => Some(Journal::beside(destination.manifest_key(&context, &run_id)?.as_str())),
            (journal, _) => journal,
        };
        let given = columns.clone();
        let names = columns.map_or(FieldNames::Unknown, FieldNames::Named);
        let (mapping, width) = match &names {
            FieldNames::Named(names) => (Some(Arc::new(destination.columns().resolve(names)?)), names.len()),
            FieldNames::Unknown | FieldNames::Unnamed => (None, 0),
        };

        let spares = Arc::new(Spares::default());
        let (progress, events, visible) = (Progress::default(), Events::default(), Visible::default());
        let (blocks, messages) = mpsc::channel(0);
        let (alive, gone) = oneshot::channel();
        #[cfg(feature = "tracing")]
        let span = tracing::info_span!("export", run_id, bucket = destination.bucket().as_str());
        let run = Run {
            destination: destination.clone(),
            context,
            id: run_id,
            progress: progress.clone(),
            events: events.clone(),
            visible: visible.clone(),
            _entered: memory.enter(),
            memory: memory.clone(),
            spares: Arc::clone(&spares),
            columns: given,
            journaled: journal.is_some(),
        };
        let journal = journal.map(|journal| (journal, resume));
        let delivery = pipeline::run(run, store, journal, messages, gone);
        #[cfg(feature = "tracing")]
        let delivery = tracing::Instrument::instrument(delivery, span);
        Ok(Export {
            roll: Roll::new(destination.max_rows()),
            destination,
            names,
            mapping,
            batch: Batch::new(width),
            #[cfg(feature = "arrow")]
            slice: None,
            #[cfg(feature = "arrow")]
            schema: None,
            lines: Vec::new(),
            room: FREE_ROWS,
            room_permit: Permit::default(),
            block_permit: None,
            asked: None,
            memory,
            spares,
            rows: 0,
            blocks,
            pipeline: Some(runtime.spawn(delivery)),
            alive: Some(alive),
            failed: None,
            progress,
            events,
            visible,
        })
    }
}

impl Export {
    /// Starts an export of a destination to a store.
    ///
    /// # Errors
    ///
    /// As [`ExportBuilder::start`].
    pub fn start(destination: &Destination, store: &Store, context: Context) -> Result<Self> {
        Self::builder(destination, store, context).start()
    }

    /// An export that is given more than its context before it starts.
    pub fn builder(destination: &Destination, store: &Store, context: Context) -> ExportBuilder {
        ExportBuilder {
            destination: destination.clone(),
            store: store.clone(),
            context,
            run_id: None,
            columns: None,
            memory: None,
            journal: None,
            resume: Resume::Refuse,
        }
    }

    /// How far the export is; can be kept and asked at any time, from any thread.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// What happens in the export from now on, until it has ended. Any number may listen.
    ///
    /// The export waits for no listener: one that is more than 256 events behind is told with
    /// [`Event::Missed`] how many it has lost. The last event says how the export has ended.
    ///
    /// ```
    /// # use chrono::Utc;
    /// # use consign::location::{BucketName, FolderPath};
    /// # use consign::template::{Context, Template};
    /// # use consign::{Destination, Export, store::Store};
    /// use consign::export::Event;
    /// use futures::StreamExt;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> consign::Result<()> {
    /// # let destination = Destination::builder(
    /// #     BucketName::parse("acme-exports")?, FolderPath::parse("a")?, Template::parse("a")?).build()?;
    /// # let store = Store::from_url("memory:///")?;
    /// let mut export = Export::start(&destination, &store, Context::new(Utc::now()))?;
    /// let events = export.events();
    /// export.write(&std::collections::BTreeMap::from([("faa", "04G")])).await?;
    /// export.commit().await?;
    /// let events: Vec<Event> = events.collect().await;
    /// assert_eq!(events[0], Event::FileOpened { key: "a/a.csv".into() });
    /// assert!(matches!(events.last(), Some(Event::Committed { files: 1, rows: 1, .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        self.events.listen()
    }

    /// Takes a row: a struct, map, tuple or sequence. The fields of structs and maps are the columns.
    ///
    /// # Errors
    ///
    /// When the row differs from those before it, or the export has failed, now or earlier.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped before it is done, the row was not taken.
    pub async fn write<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        poll_fn(|task| self.poll_room(task)).await?;
        self.push(None, |batch, names| batch.push_row(row, names))
    }

    /// Takes a row of fields in the order of the columns.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// As [`write`](Self::write).
    pub async fn write_record<'a, V: Into<Value<'a>>>(&mut self, fields: impl IntoIterator<Item = V>) -> Result<()> {
        poll_fn(|task| self.poll_room(task)).await?;
        self.push(None, |batch, names| batch.push_fields(fields.into_iter().map(Into::into), names))
    }

    /// Takes every row of a stream.
    ///
    /// A stream that can fail goes in through the [`Sink`]: `rows.map_err(…).forward(&mut export)`.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped before it is done, the rows taken so far are taken, and the row that the stream gave
    /// last may be lost.
    pub async fn write_stream<T: Serialize>(&mut self, rows: impl Stream<Item = T>) -> Result<()> {
        pin_mut!(rows);
        while let Some(row) = rows.next().await {
            self.write(&row).await?;
        }
        Ok(())
    }

    /// Takes every record of a CSV reader; fields equal to `null_text` are null.
    ///
    /// The reader's header, if it has one, gives the names of the columns. The fields are text. The reader takes a quote
    /// that is never closed for a field that goes on to the end of the input.
    ///
    /// ```
    /// # use chrono::Utc;
    /// # use consign::location::{BucketName, FolderPath};
    /// # use consign::template::{Context, Template};
    /// # use consign::{Destination, Export, store::Store};
    /// # #[tokio::main]
    /// # async fn main() -> consign::Result<()> {
    /// # let destination = Destination::builder(
    /// #     BucketName::parse("acme-exports")?, FolderPath::parse("a")?, Template::parse("a")?).build()?;
    /// # let store = Store::from_url("memory:///")?;
    /// let mut reader = csv_async::AsyncReader::from_reader("faa,alt\n04G,1044\n06A,NA\n".as_bytes());
    /// let mut export = Export::start(&destination, &store, Context::new(Utc::now()))?;
    /// export.write_csv(&mut reader, Some("NA")).await?;
    /// assert_eq!(export.commit().await?.rows(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and when the input cannot be read, is no CSV, or is not UTF-8; the text names the line.
    ///
    /// # Cancel safety
    ///
    /// As [`write_stream`](Self::write_stream).
    pub async fn write_csv<R: AsyncRead + Send + Unpin>(
        &mut self,
        reader: &mut AsyncReader<R>,
        null_text: Option<&str>,
    ) -> Result<()> {
        if reader.has_headers() {
            let header = match reader.byte_headers().await {
                Ok(header) => header.clone(),
                Err(e) => return Err(self.fail(unreadable(&e))),
            };
            self.take_header(&header)?;
        }
        let null = null_text.map(str::as_bytes);
        let mut record = ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut record).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(e) => return Err(self.fail(unreadable(&e))),
            }
            let line = record.position().map(csv_async::Position::line);
            poll_fn(|task| self.poll_room(task)).await?;
            self.push(line, |batch, names| {
                if *names == FieldNames::Unknown {
                    batch.set_width(record.len());
                    *names = FieldNames::Unnamed;
                }
                batch.push_bytes(&record, null)
            })?;
        }
    }

    /// Completes the files, writes the manifest last, and returns it.
    ///
    /// An export without rows delivers one file, with the header if the columns are known.
    ///
    /// # Errors
    ///
    /// When the export has failed, now or earlier. A failure before the files are completed leaves nothing visible; one
    /// while they are being completed may leave some of them, but no manifest that names them. The error then says of the
    /// file at fault that it was not written, that this is unknown, or that another wrote it. A destination that keeps what
    /// exists takes its own files back, as far as it can tell them ([`OnExists`](crate::store::OnExists)).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped while rows are still under way, the export is aborted; once its files are being
    /// completed, it runs to its end all the same.
    pub async fn commit(mut self) -> Result<Manifest> {
        if let Err(error) = poll_fn(|task| self.poll_end(task)).await {
            // What a failed abort has to say is beside the error already, where the pipeline is what failed.
            let _ = self.join().await;
            return Err(error);
        }
        self.join().await.unwrap_or_else(|| Err(ended_early()))
    }

    /// Gives the export up and waits until everything that was sent has been taken back.
    ///
    /// # Errors
    ///
    /// When an upload could not be aborted; the store may then hold its parts until they expire.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the export goes on being taken back as long as the runtime runs.
    pub async fn abort(mut self) -> Result<()> {
        drop(self.alive.take());
        match self.join().await {
            Some(Err(error)) if error.kind() != ErrorKind::Aborted => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits for the end of the pipeline: it has committed, or taken everything back.
    async fn join(&mut self) -> Option<Result<Manifest>> {
        let ended = self.pipeline.as_mut()?.await;
        self.pipeline = None;
        Some(joined(ended))
    }

    /// Waits until the open block has room for a row, handing it over if it is full.
    fn poll_room(&mut self, task: &mut Task<'_>) -> Poll<Result<()>> {
        self.check()?;
        if self.roll.is_full() || !self.has_room() {
            ready!(self.poll_channel(task))?;
            ready!(self.poll_memory(task, self.batch.bytes()));
            ready!(self.hand_over(task, self.roll.is_full()))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Hands the last block over and tells the pipeline to commit.
    fn poll_end(&mut self, task: &mut Task<'_>) -> Poll<Result<()>> {
        self.check()?;
        ready!(self.poll_channel(task))?;
        if self.roll.is_open() {
            ready!(self.poll_memory(task, self.batch.bytes()));
            ready!(self.hand_over(task, true))?;
            ready!(self.poll_channel(task))?;
        }
        self.send(task, Message::Commit)
    }

    /// Waits until the pipeline takes a message, or has failed.
    fn poll_channel(&mut self, task: &mut Task<'_>) -> Poll<Result<()>> {
        if ready!(self.blocks.poll_ready(task)).is_ok() {
            return Poll::Ready(Ok(()));
        }
        self.poll_ended(task)
    }

    /// Whether the open block takes another row; it grows as long as the budget lets it.
    fn has_room(&mut self) -> bool {
        let bytes = self.batch.bytes();
        while bytes >= self.room && self.room < BLOCK_BYTES {
            // Twice, since buffers grow by doubling.
            let Some(more) = self.memory.ask_rows(2 * self.room) else { break };
            self.room_permit.merge(more);
            self.room *= 2;
        }
        bytes < self.room
    }

    /// Waits until the budget has room for a block of so many bytes in the pipeline.
    fn poll_memory(&mut self, task: &mut Task<'_>, bytes: usize) -> Poll<()> {
        if self.block_permit.is_none() {
            let asked = self.asked.get_or_insert_with(|| Box::pin(self.memory.block(BLOCK_FACTOR * bytes)));
            self.block_permit = Some(ready!(asked.as_mut().poll(task)));
            self.asked = None;
        }
        Poll::Ready(())
    }

    /// The error of a pipeline that no longer listens: it has ended, and not with a manifest.
    fn poll_ended(&mut self, task: &mut Task<'_>) -> Poll<Result<()>> {
        let error = match &mut self.pipeline {
            Some(pipeline) => {
                let ended = ready!(pipeline.poll_unpin(task));
                self.pipeline = None;
                joined(ended).err().unwrap_or_else(ended_early)
            }
            None => ended_early(),
        };
        Poll::Ready(Err(self.keep(error)))
    }

    /// Sends the open block; the channel must be ready, and the memory at hand.
    fn hand_over(&mut self, task: &mut Task<'_>, last: bool) -> Poll<Result<()>> {
        if self.roll.file() > Destination::MAX_FILES {
            let most = Destination::MAX_FILES;
            let text =
                format!("the rows make more than {most} files, the most of one export: allow more rows in a file");
            return Poll::Ready(Err(self.fail(Error::new(ErrorKind::Destination, text))));
        }
        let mapping = match &self.mapping {
            Some(mapping) => Arc::clone(mapping),
            None => self.resolve()?,
        };
        let next = if let Some((batch, permit)) = self.spares.take() {
            (self.room, self.room_permit) = (BLOCK_BYTES, permit);
            batch
        } else {
            (self.room, self.room_permit) = (FREE_ROWS, Permit::default());
            Batch::new(self.batch.width())
        };
        let bytes = self.batch.bytes();
        #[cfg(feature = "arrow")]
        let (slice, bytes) = self.slice.take().map_or((None, bytes), |(slice, bytes)| (Some(slice), bytes));
        let block = Block {
            first_row: self.rows - self.batch.rows() as u64 + 1,
            batch: std::mem::replace(&mut self.batch, next),
            #[cfg(feature = "arrow")]
            slice,
            bytes,
            lines: std::mem::take(&mut self.lines),
            mapping,
            permit: self.block_permit.take().unwrap_or_default(),
            file: self.roll.file(),
            first: self.roll.begin(),
            last,
        };
        if last {
            self.roll.next_file();
        }
        self.send(task, Message::Block(Box::new(block)))
    }

    /// Sends a message; the channel must be ready, and the pipeline may have ended since.
    fn send(&mut self, task: &mut Task<'_>, message: Message) -> Poll<Result<()>> {
        if self.blocks.start_send(message).is_ok() { Poll::Ready(Ok(())) } else { self.poll_ended(task) }
    }

    /// Adds a row to the open block, which has room.
    fn push(
        &mut self,
        line: Option<u64>,
        push: impl FnOnce(&mut Batch, &mut FieldNames) -> Result<(), RowError>,
    ) -> Result<()> {
        if let Err(error) = push(&mut self.batch, &mut self.names) {
            let place = line.map_or_else(|| format!("row {}", self.rows + 1), |line| format!("line {line}"));
            return Err(self.fail(misfit(&place, &self.names, &error)));
        }
        if self.mapping.is_none() {
            self.mapping = Some(self.resolve()?);
        }
        self.lines.extend(line);
        self.rows += 1;
        self.roll.add_row();
        Ok(())
    }

    /// Finds the destination's columns among those of the rows.
    fn resolve(&mut self) -> Result<Arc<Mapping>> {
        let resolved = match &self.names {
            FieldNames::Named(names) => self.destination.columns().resolve(names).map_err(Error::from),
            FieldNames::Unknown => Ok(Mapping::unnamed(0)),
            FieldNames::Unnamed => {
                let wants_names = match self.destination.dialect().header() {
                    Header::Write => Some("writes a header"),
                    Header::Omit => self.destination.columns().list().map(|_| "picks columns by name"),
                };
                match wants_names {
                    None => Ok(Mapping::unnamed(self.batch.width())),
                    Some(wants) => Err(Error::new(
                        ErrorKind::Row,
                        format!(
                            "the columns of the rows have no names, but the destination {wants}: give the names when the export is started"
                        ),
                    )),
                }
            }
        };
        resolved.map(Arc::new).map_err(|error| self.fail(error))
    }

    /// Takes the header of an input.
    fn take_header(&mut self, header: &ByteRecord) -> Result<()> {
        self.check()?;
        if header.is_empty() {
            let text = "line 1: expected the names of the columns, found an empty input";
            return Err(self.fail(Error::new(ErrorKind::Input, text)));
        }
        let mut names = Vec::with_capacity(header.len());
        for (column, name) in header.iter().enumerate() {
            let Ok(name) = std::str::from_utf8(name) else {
                let text = format!("line 1, column {}: the name of the column is not UTF-8", column + 1);
                return Err(self.fail(Error::new(ErrorKind::Input, text)));
            };
            names.push(name.to_owned());
        }
        match &self.names {
            FieldNames::Unknown => {
                self.batch.set_width(names.len());
                self.names = FieldNames::Named(names);
                self.mapping = Some(self.resolve()?);
                Ok(())
            }
            FieldNames::Named(known) if *known == names => Ok(()),
            known => {
                let known = match known {
                    FieldNames::Named(known) => format!("`{}`", known.join("`, `")),
                    _ => "columns without names".to_owned(),
                };
                let text =
                    format!("line 1: expected the columns of the rows before, {known}, found `{}`", names.join("`, `"));
                Err(self.fail(Error::new(ErrorKind::Row, text)))
            }
        }
    }

    fn check(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Keeps the first error and has the pipeline take everything back.
    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        let error = self.visible.note(error);
        self.keep(error)
    }

    /// As [`fail`](Self::fail), for an error of the pipeline's.
    fn keep(&mut self, error: Error) -> Error {
        self.events.failed(&error, &self.progress);
        self.alive = None;
        self.failed.get_or_insert(error).clone()
    }
}

impl<T: Serialize> Sink<T> for Export {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Result<()>> {
        self.poll_room(task)
    }

    fn start_send(mut self: Pin<&mut Self>, row: T) -> Result<()> {
        self.check()?;
        self.push(None, |batch, names| batch.push_row(&row, names))
    }

    /// Does nothing: rows become visible with the commit, and blocks are handed over when they are full.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Result<()>> {
        Poll::Ready(self.check())
    }

    /// Does nothing: a sink that is closed is not committed.
    fn poll_close(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Result<()>> {
        Poll::Ready(self.check())
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("destination", &self.destination)
            .field("rows", &self.rows)
            .field("file", &self.roll.file())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// The id of a run that was given none.
fn default_run_id(context: &Context) -> String {
    context.time().format("%Y%m%dT%H%M%S%.9fZ").to_string()
}

/// What the pipeline's task ended with.
fn joined(ended: Result<Result<Manifest>, tokio::task::JoinError>) -> Result<Manifest> {
    ended.unwrap_or_else(|e| {
        Err(Error::new(ErrorKind::Internal, "the task of the export did not run to its end").with_source(e))
    })
}

#[cold]
fn ended_early() -> Error {
    Error::new(ErrorKind::Internal, "the task of the export ended before its last row")
}

/// A row that does not fit, with its place.
#[cold]
fn misfit(place: &str, names: &FieldNames, error: &RowError) -> Error {
    let name = match (error.kind(), names) {
        (RowErrorKind::Utf8 { column, .. }, FieldNames::Named(names)) => names.get(*column),
        _ => None,
    };
    let name = name.map(|name| format!(" (column `{name}`)")).unwrap_or_default();
    Error::new(ErrorKind::Row, format!("{place}: {error}{name}"))
}

/// An input that is no CSV, or cannot be read.
#[cold]
fn unreadable(error: &csv_async::Error) -> Error {
    match error.kind() {
        csv_async::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let place = pos.as_ref().map_or_else(String::new, |pos| format!("line {}: ", pos.line()));
            let fields = if *expected_len == 1 { "field" } else { "fields" };
            let text = format!("{place}expected {expected_len} {fields} as the table has columns, found {len}");
            Error::new(ErrorKind::Row, text)
        }
        _ => Error::new(ErrorKind::Input, format!("the input cannot be read: {error}")),
    }
}
