//! The part that a file is gathering.

use std::fs::File;
use std::io::{self, Seek, Write};

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
    pieces: Vec<Piece>,
    permit: Permit,
    file: Option<File>,
}

/// Bytes of a part in one place.
#[derive(Debug)]
enum Piece {
    /// Few bytes, copied behind each other.
    Chunk(Chunk),
    /// Those of a block that fill their buffer, as they are.
    Block(Bytes),
}

impl Gathered {
    pub(super) fn new(budget: MemoryBudget) -> Self {
        Self { budget, len: 0, pieces: Vec::new(), permit: Permit::default(), file: None }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Adds bytes, which lie in a buffer of this capacity.
    pub(super) async fn add(&mut self, bytes: Bytes, capacity: usize) -> Result<()> {
        self.len += bytes.len() as u64;
        if self.file.is_none() {
            // A buffer that is kept is counted as a whole.
            let whole = self.budget.sends_whole(bytes.len()) && bytes.len() >= capacity / 4 * 3;
            if whole && let Some(permit) = self.budget.rest(capacity).await {
                self.permit.merge(permit);
                self.pieces.push(Piece::Block(bytes));
                return Ok(());
            }
            if !whole && self.make_room(bytes.len()).await {
                self.copy(&bytes);
                return Ok(());
            }
        }
        let file = self.file.take();
        let pieces = std::mem::take(&mut self.pieces);
        let file = worker(move || {
            let write = || {
                let mut file = file.map_or_else(tempfile::tempfile, Ok)?;
                for piece in &pieces {
                    file.write_all(piece.as_ref())?;
                }
                file.write_all(&bytes)?;
                Ok(file)
            };
            write().map_err(unwritable)
        })
        .await?;
        self.permit = Permit::default();
        self.file = Some(file);
        Ok(())
    }

    fn copy(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if let Some(Piece::Chunk(last)) = self.pieces.last_mut() {
            rest = last.fill(rest);
        }
        while !rest.is_empty() {
            let mut chunk = self.budget.chunk();
            rest = chunk.fill(rest);
            self.pieces.push(Piece::Chunk(chunk));
        }
    }

    /// Takes what has been gathered, which begins anew.
    pub(super) async fn take(&mut self) -> Result<Payload> {
        let next = Self::new(self.budget.clone());
        let Self { budget, len, pieces, permit, file } = std::mem::replace(self, next);
        let Some(mut file) = file else {
            let mut permit = permit;
            if let [Piece::Chunk(only)] = &*pieces
                && only.as_ref().len() < CHUNK / 2
            {
                // A small file is held for the commit, and perhaps many of them.
                permit.shrink(only.as_ref().len());
                return Ok(Payload { bytes: Bytes::copy_from_slice(only.as_ref()).into(), permit });
            }
            return Ok(Payload { bytes: pieces.into_iter().map(Piece::freeze).collect(), permit });
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
        let room = match self.pieces.last() {
            Some(Piece::Chunk(last)) => CHUNK - last.as_ref().len(),
            _ => 0,
        };
        let chunks = more.saturating_sub(room).div_ceil(CHUNK);
        if chunks == 0 {
            return true;
        }
        let Some(permit) = self.budget.rest(chunks * CHUNK).await else { return false };
        self.permit.merge(permit);
        true
    }
}

impl Piece {
    fn freeze(self) -> Bytes {
        match self {
            Self::Chunk(chunk) => chunk.freeze(),
            Self::Block(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Chunk(chunk) => chunk.as_ref(),
            Self::Block(bytes) => bytes,
        }
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
