//! The part that a file is gathering.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::ops::Range;

use bytes::Bytes;

use crate::memory::{CHUNK, Chunk, MemoryBudget, Permit};
use crate::store::Payload;
use crate::{Error, ErrorKind, Result};

use super::pipeline::worker;

/// Bytes that wait until there are enough for a part: in memory while the budget lets them rest there, else in an
/// unnamed file of the system's temporary folder.
#[derive(Debug)]
pub(super) struct Gathered {
    budget: MemoryBudget,
    len: u64,
    chunks: Vec<Chunk>,
    permit: Permit,
    file: Option<File>,
}

impl Gathered {
    pub(super) fn new(budget: MemoryBudget) -> Self {
        Self { budget, len: 0, chunks: Vec::new(), permit: Permit::default(), file: None }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Adds bytes; gives the buffer back, with the same bytes.
    pub(super) async fn add(&mut self, bytes: Vec<u8>, range: Range<usize>) -> Result<Vec<u8>> {
        self.len += range.len() as u64;
        if self.file.is_none() && self.make_room(range.len()).await {
            let mut rest = &bytes[range];
            if let Some(last) = self.chunks.last_mut() {
                rest = last.fill(rest);
            }
            while !rest.is_empty() {
                let mut chunk = self.budget.chunk();
                rest = chunk.fill(rest);
                self.chunks.push(chunk);
            }
            return Ok(bytes);
        }
        let file = self.file.take();
        let chunks = std::mem::take(&mut self.chunks);
        let (file, bytes) = worker(move || {
            let write = || {
                let mut file = file.map_or_else(tempfile::tempfile, Ok)?;
                for chunk in &chunks {
                    file.write_all(chunk.as_ref())?;
                }
                file.write_all(&bytes[range.clone()])?;
                Ok(file)
            };
            match write() {
                Ok(file) => Ok((file, bytes)),
                Err(e) => Err(unwritable(e)),
            }
        })
        .await?;
        self.permit = Permit::default();
        self.file = Some(file);
        Ok(bytes)
    }

    /// Takes what has been gathered, which begins anew.
    pub(super) async fn take(&mut self) -> Result<Payload> {
        let next = Self::new(self.budget.clone());
        let Self { budget, len, chunks, permit, file } = std::mem::replace(self, next);
        let Some(mut file) = file else {
            let mut permit = permit;
            if let [only] = &*chunks
                && only.as_ref().len() < CHUNK / 2
            {
                // A small file is held for the commit, and perhaps many of them.
                permit.shrink(only.as_ref().len());
                return Ok(Payload { bytes: Bytes::copy_from_slice(only.as_ref()).into(), permit });
            }
            return Ok(Payload { bytes: chunks.into_iter().map(Chunk::freeze).collect(), permit });
        };
        let len = usize::try_from(len).expect("a part fits into memory");
        let permit = budget.part(len).await;
        worker(move || {
            let mut read = || {
                file.rewind()?;
                let mut left = len;
                let mut chunks = Vec::with_capacity(len.div_ceil(CHUNK));
                while left > 0 {
                    let mut chunk = budget.chunk();
                    left -= chunk.read(&mut file, left)?;
                    chunks.push(chunk.freeze());
                }
                Ok(chunks)
            };
            match read() {
                Ok(chunks) => Ok(Payload { bytes: chunks.into_iter().collect(), permit }),
                Err(e) => Err(unwritable(e)),
            }
        })
        .await
    }

    /// Whether as many more bytes may stay in memory.
    async fn make_room(&mut self, more: usize) -> bool {
        let room = self.chunks.last().map_or(0, |last| CHUNK - last.as_ref().len());
        let chunks = more.saturating_sub(room).div_ceil(CHUNK);
        if chunks == 0 {
            return true;
        }
        let Some(permit) = self.budget.rest(chunks * CHUNK).await else { return false };
        self.permit.merge(permit);
        true
    }
}

#[cold]
fn unwritable(error: io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let kind = if full { ErrorKind::Full } else { ErrorKind::Store };
    let folder = std::env::temp_dir();
    let text =
        format!("could not keep the bytes of a part that the memory budget has no room for in `{}`", folder.display());
    Error::new(kind, text).with_source(error)
}
