//! One file while its bytes are made: its layers, its parts, its numbers.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::pipeline::{Run, worker};
use super::progress::{Progress, Stage};
use crate::destination::Destination;
use crate::layer::{Layer, LayerError, Transform};
use crate::location::ObjectKey;
use crate::manifest::FileEntry;
use crate::store::{Digest, PartSchedule, Upload, Uploader};
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
    pub(super) digest: Digest,
    pub(super) upload: Upload,
}

/// What became of a file that was given more bytes.
pub(super) enum Advanced {
    Open(OpenFile),
    Ended(Ended),
}

/// What a block has made ready to be sent.
struct Pushed {
    parts: Vec<Bytes>,
    /// The last bytes of the file, which may be none, when the block was its last.
    rest: Option<Bytes>,
}

/// A file whose bytes are being made. Its upload is kept apart, where it can be aborted whatever becomes of the rest.
pub(super) struct OpenFile {
    key: ObjectKey,
    layers: Layers,
    rows: u64,
    plain_bytes: u64,
    stored: Digest,
    schedule: PartSchedule,
    parts: u32,
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
        *upload = Some(uploader.start(key.as_str()).await?);
        let schedule = uploader.schedule();
        Ok(Self { key, layers, rows: 0, plain_bytes: 0, stored: Digest::default(), schedule, parts: 0 })
    }

    /// Brings bytes to the store; gives the file back, or what waits for the commit if they were its last.
    pub(super) async fn advance(
        mut self,
        run: &Arc<Run>,
        uploader: &mut Uploader,
        slot: &mut Option<Upload>,
        plain: Plain,
    ) -> Result<Advanced> {
        let (file, pushed) = {
            let run = Arc::clone(run);
            worker(move || self.push(&plain, &run.progress).map(|pushed| (self, pushed))).await?
        };
        let upload = slot.as_mut().expect("an open file has an upload");
        let start = Instant::now();
        for part in pushed.parts {
            run.progress.stored(part.len());
            upload.part(part).await?;
        }
        let Some(rest) = pushed.rest else {
            run.progress.spent(Stage::Upload, start);
            return Ok(Advanced::Open(file));
        };
        run.progress.stored(rest.len());
        uploader.end(upload, rest).await?;
        run.progress.spent(Stage::Upload, start);
        let upload = slot.take().expect("an open file has an upload");
        Ok(Advanced::Ended(Ended { entry: file.entry(), digest: file.stored, upload }))
    }

    /// Puts bytes through the layers.
    fn push(&mut self, plain: &Plain, progress: &Progress) -> Result<Pushed> {
        self.rows += plain.rows;
        self.plain_bytes += plain.bytes.len() as u64;
        self.layers.push(&plain.bytes, progress)?;
        if plain.last {
            self.layers.finish(progress)?;
        }
        let mut parts = Vec::new();
        loop {
            let Some(size) = self.schedule.size(self.parts + 1) else {
                let text = format!("`{}` has more parts than a store takes: give it fewer rows", self.key);
                return Err(Error::new(ErrorKind::Store, text));
            };
            let Some(part) = self.layers.take_part(size) else { break };
            self.parts += 1;
            self.stored.update(&part);
            parts.push(part);
        }
        let rest = plain.last.then(|| self.layers.take_rest());
        self.stored.update(rest.as_deref().unwrap_or_default());
        Ok(Pushed { parts, rest })
    }

    fn entry(&self) -> FileEntry {
        FileEntry::new(self.key.as_str())
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
        let start = |layer: Option<Box<dyn Layer>>| layer.map(|layer| layer.start()).transpose();
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
        // Room for the next part and the block that makes it full, so that the buffer does not grow by doubling.
        let mut rest = Vec::with_capacity(size + BLOCK);
        rest.extend_from_slice(&self.out[size..]);
        self.out.truncate(size);
        Some(std::mem::replace(&mut self.out, rest).into())
    }

    fn take_rest(&mut self) -> Bytes {
        std::mem::take(&mut self.out).into()
    }
}

/// About what a block adds to a part.
const BLOCK: usize = 1024 * 1024;

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
