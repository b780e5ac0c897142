//! One file while its bytes are made: its layers, its parts, its numbers.

use std::sync::Arc;
use std::time::Instant;

use super::event::Event;
use super::part::Gathered;
use super::pipeline::{Run, worker};
use super::progress::Stage;
use crate::destination::Destination;
use crate::layer::{Layer, LayerError, Transform};
use crate::location::ObjectKey;
use crate::manifest::FileEntry;
use crate::memory::{Buffer, MemoryBudget};
use crate::store::{Differs, Digest, Finished, Marked, PartSchedule, Payload, Sum, Upload, Uploader};
use crate::{Error, ErrorKind, Result};

/// The plain bytes of a block, for one file.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
    /// The file ends with these bytes.
    pub(super) last: bool,
}

/// A file that waits to be completed.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) entry: FileEntry,
    pub(super) sum: Sum,
    pub(super) upload: Upload,
}

/// What became of a file that was given more bytes.
pub(super) enum Advanced {
    Open(OpenFile),
    Ended(Ended),
}

/// A file whose bytes are being made. Its upload is kept apart, where it can be aborted whatever becomes of the rest.
pub(super) struct OpenFile {
    key: ObjectKey,
    layers: Layers,
    rows: u64,
    plain_bytes: u64,
    /// Where there is a journal, by whose word the rows of a resumed export are the same, and layers make other bytes.
    plain: Option<Digest>,
    /// What an export that died had sent of it: all. The rows are only compared then.
    finished: Option<Finished>,
    /// What is stored, or is to be the same again.
    stored: Marked,
    /// None where bytes are stored as they come.
    schedule: Option<PartSchedule>,
    parts: u32,
    gathered: Gathered,
}

impl OpenFile {
    /// Opens a file and its upload.
    pub(super) async fn start(
        run: &Arc<Run>,
        uploader: &mut Uploader,
        upload: &mut Option<Upload>,
        key: impl FnOnce(&Run) -> Result<ObjectKey> + Send + 'static,
    ) -> Result<Self> {
        let (key, layers) = {
            let run = Arc::clone(run);
            worker(move || Ok((key(&run)?, Layers::start(&run.destination)?))).await?
        };
        let (started, finished) = uploader.start(key.as_str()).await?;
        *upload = Some(started);
        run.events.tell(|| Event::FileOpened { key: key.as_str().to_owned() });
        let schedule = uploader.schedule();
        let stored = match &finished {
            Some(finished) if layers.are_none() => Marked::like(finished),
            _ => Marked::new(run.digest(), schedule.filter(|_| run.journaled)),
        };
        Ok(Self {
            plain: (run.journaled && !layers.are_none()).then(Digest::lasting),
            key,
            layers,
            rows: 0,
            plain_bytes: 0,
            finished,
            stored,
            schedule,
            parts: 0,
            gathered: Gathered::new(run.memory.clone()),
        })
    }

    /// Brings bytes to the store; gives the file back, or what waits for the commit if they were its last.
    pub(super) async fn advance(
        mut self,
        run: &Arc<Run>,
        uploader: &mut Uploader,
        slot: &mut Option<Upload>,
        plain: Plain,
    ) -> Result<Advanced> {
        let last = plain.last;
        let (mut file, bytes) = if self.layers.are_none() {
            // Nothing but a hash, which takes less than a change of threads.
            let bytes = self.push(plain, run)?;
            (self, bytes)
        } else {
            let run = Arc::clone(run);
            worker(move || self.push(plain, &run).map(|bytes| (self, bytes))).await?
        };
        if let Some(finished) = &file.finished {
            if !last {
                return Ok(Advanced::Open(file));
            }
            file.compare(finished)?;
            let (sum, upload) = (finished.stored.clone(), slot.take().expect("an open file has an upload"));
            return Ok(Advanced::Ended(file.ended(run, sum, upload)));
        }
        let upload = slot.as_mut().expect("an open file has an upload");
        let start = Instant::now();
        run.progress.stored(bytes.len());
        match file.schedule {
            Some(schedule) => file.gather(schedule, upload, bytes, &run.memory).await?,
            // The block's own permit holds them until they are written.
            None if !bytes.is_empty() => {
                upload.part(Payload::uncounted(Buffer::new(bytes, &run.memory).freeze())).await?;
            }
            None => {}
        }
        if last {
            uploader.end(upload, file.gathered.take().await?).await?;
        }
        run.progress.spent(Stage::Upload, start);
        if !last {
            return Ok(Advanced::Open(file));
        }
        if run.journaled {
            upload.finished(file.rows, file.plain_sum(), &file.stored).await?;
        }
        let sum = file.stored.sum();
        let upload = slot.take().expect("an open file has an upload");
        Ok(Advanced::Ended(file.ended(run, sum, upload)))
    }

    /// Gathers bytes in parts, and sends those that are full once there are more bytes: the last ones of a file are
    /// its end.
    async fn gather(
        &mut self,
        schedule: PartSchedule,
        upload: &mut Upload,
        bytes: Vec<u8>,
        memory: &MemoryBudget,
    ) -> Result<()> {
        let capacity = bytes.capacity();
        let mut bytes = Buffer::new(bytes, memory).freeze();
        while !bytes.is_empty() {
            let Some(size) = schedule.size(self.parts + 1) else {
                let text = format!("`{}` has more parts than a store takes: give it fewer rows", self.key);
                return Err(Error::new(ErrorKind::Store, text));
            };
            let room = size - self.gathered.len();
            if room == 0 {
                self.parts += 1;
                upload.part(self.gathered.take().await?).await?;
                continue;
            }
            let fitting = bytes.split_to(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            self.gathered.add(fitting, capacity).await?;
        }
        Ok(())
    }

    /// Puts bytes through the layers.
    fn push(&mut self, plain: Plain, run: &Run) -> Result<Vec<u8>> {
        self.rows += plain.rows;
        self.plain_bytes += plain.bytes.len() as u64;
        if let Some(digest) = &mut self.plain {
            digest.update(&plain.bytes);
        }
        if self.finished.is_some() {
            if self.plain.is_none() {
                self.store(&plain.bytes)?;
            }
            return Ok(Vec::new());
        }
        let mut out = self.layers.push(plain.bytes, run)?;
        if plain.last {
            self.layers.finish(&mut out, run)?;
        }
        self.store(&out)?;
        Ok(out)
    }

    /// Counts and hashes what is stored.
    fn store(&mut self, bytes: &[u8]) -> Result<()> {
        self.stored.update(bytes).map_err(|Differs(first, last)| {
            let text = format!(
                "`{}` cannot be resumed: expected the rows of the export that died, found others in its bytes {first} \
                 to {last}",
                self.key
            );
            Error::new(ErrorKind::Resume, text)
        })
    }

    /// The sum of the bytes before the layers.
    fn plain_sum(&self) -> Sum {
        self.plain.as_ref().map_or_else(|| self.stored.sum(), Digest::sum)
    }

    fn ended(&self, run: &Run, sum: Sum, upload: Upload) -> Ended {
        run.events.tell(|| Event::FileFinished {
            key: self.key.as_str().to_owned(),
            rows: self.rows,
            plain_bytes: self.plain_bytes,
            stored_bytes: sum.bytes,
        });
        let entry = FileEntry::new(self.key.as_str())
            .with_rows(self.rows)
            .with_plain_bytes(self.plain_bytes)
            .with_stored_bytes(sum.bytes);
        Ended { entry, sum, upload }
    }

    /// Refuses other rows than those of the file that was finished before.
    fn compare(&self, finished: &Finished) -> Result<()> {
        compare(&self.key, finished, self.rows, &self.plain_sum())
    }
}

/// Refuses other rows than those that an export which died had put into a file.
pub(super) fn compare(key: &ObjectKey, finished: &Finished, rows: u64, plain: &Sum) -> Result<()> {
    if *plain == finished.plain {
        return Ok(());
    }
    let text = format!(
        "`{key}` cannot be resumed: expected the rows of the export that died, {} in {} bytes, found {rows} in {} \
         bytes{}",
        finished.rows,
        finished.plain.bytes,
        plain.bytes,
        if finished.plain.bytes == plain.bytes { " with another SHA-256" } else { "" },
    );
    Err(Error::new(ErrorKind::Resume, text))
}

/// The states of the layers of one file.
struct Layers {
    compress: Option<Box<dyn Transform>>,
    encrypt: Option<Box<dyn Transform>>,
}

impl Layers {
    fn start(destination: &Destination) -> Result<Self, LayerError> {
        let start = |layer: Option<Box<dyn Layer>>| layer.map(|layer| layer.start()).transpose();
        Ok(Self { compress: start(destination.compression_layer())?, encrypt: start(destination.encryption_layer())? })
    }

    fn are_none(&self) -> bool {
        self.compress.is_none() && self.encrypt.is_none()
    }

    fn push(&mut self, plain: Vec<u8>, run: &Run) -> Result<Vec<u8>, LayerError> {
        let compressed = through(self.compress.as_mut(), plain, Stage::Compress, run)?;
        run.progress.compressed(compressed.len());
        through(self.encrypt.as_mut(), compressed, Stage::Encrypt, run)
    }

    fn finish(&mut self, out: &mut Vec<u8>, run: &Run) -> Result<(), LayerError> {
        let progress = &run.progress;
        if let Some(compress) = self.compress.take() {
            let start = Instant::now();
            let mut compressed = Vec::new();
            compress.finish(&mut compressed)?;
            progress.spent(Stage::Compress, start);
            progress.compressed(compressed.len());
            out.append(&mut through(self.encrypt.as_mut(), compressed, Stage::Encrypt, run)?);
        }
        if let Some(encrypt) = self.encrypt.take() {
            let start = Instant::now();
            encrypt.finish(out)?;
            progress.spent(Stage::Encrypt, start);
        }
        Ok(())
    }
}

/// Puts bytes through a layer, where there is one.
fn through(
    layer: Option<&mut Box<dyn Transform>>,
    bytes: Vec<u8>,
    stage: Stage,
    run: &Run,
) -> Result<Vec<u8>, LayerError> {
    let Some(layer) = layer else { return Ok(bytes) };
    let start = Instant::now();
    let mut out = Vec::new();
    layer.push(&bytes, &mut out)?;
    run.memory.recycle(bytes);
    run.progress.spent(stage, start);
    Ok(out)
}
