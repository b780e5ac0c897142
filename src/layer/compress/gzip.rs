//! The gzip stage: one member, the same bytes for the same rows.

use std::fmt;
use std::io;

use async_compression::codecs::flate::params::FlateEncoderParams;
use async_compression::codecs::{EncodeV2, GzipEncoder};
use async_compression::core::util::{PartialBuffer, WriteBuffer};

use crate::Span;
use crate::layer::{Layer, LayerError, Transform};
use crate::span::Caret;

/// How hard gzip works: 0 (store only) to 9 (smallest), 6 by default.
///
/// ```
/// use consign::layer::compress::GzipLevel;
///
/// assert_eq!(GzipLevel::default().get(), 6);
/// assert_eq!(GzipLevel::try_new(9)?.get(), 9);
/// assert_eq!(GzipLevel::try_new(10).unwrap_err().to_string(), "expected a gzip level from 0 to 9, found `10`");
/// # Ok::<_, consign::layer::compress::GzipLevelError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GzipLevel(u8);

impl GzipLevel {
    /// Level 6, the default of gzip and zlib: beyond it, time grows much faster than files shrink.
    pub const DEFAULT: Self = Self(6);

    /// The level of this number.
    ///
    /// # Errors
    ///
    /// If the number is above 9, the highest level of zlib.
    pub const fn try_new(level: u8) -> Result<Self, GzipLevelError> {
        if level > 9 {
            return Err(GzipLevelError { found: level });
        }
        Ok(Self(level))
    }

    /// The number of the level.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for GzipLevel {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A number that is no [`GzipLevel`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct GzipLevelError {
    found: u8,
}

impl GzipLevelError {
    /// Where: the whole of the number's decimal text.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(0, self.found.to_string().len())
    }
}

impl fmt::Display for GzipLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a gzip level from 0 to 9, found `{}`", self.found)?;
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.found.to_string(), span: self.span() })?;
        }
        Ok(())
    }
}

impl std::error::Error for GzipLevelError {}

impl From<GzipLevelError> for crate::Error {
    fn from(error: GzipLevelError) -> Self {
        Self::new(crate::ErrorKind::Destination, "could not parse the gzip level").with_source(error)
    }
}

/// The layer that makes each file one gzip member (RFC 1952).
///
/// The header names no file, no time (`MTIME` 0) and no operating system (`OS` 255), and the deflate stream depends on
/// nothing but the bytes and the level, so the same rows give the same file.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Gzip {
    level: GzipLevel,
}

impl Gzip {
    /// Gzip at this level.
    #[must_use]
    pub const fn new(level: GzipLevel) -> Self {
        Self { level }
    }
}

impl Layer for Gzip {
    fn extension(&self) -> &'static str {
        ".gz"
    }

    fn start(&self) -> Result<Box<dyn Transform>, LayerError> {
        let level = flate2::Compression::new(self.level.get().into());
        Ok(Box::new(Member {
            encoder: GzipEncoder::new(FlateEncoderParams::from(level)),
            block: Vec::with_capacity(BLOCK),
            state: State::Open,
        }))
    }
}

/// How much the encoder is given at once, whatever the pushes are.
///
/// zlib's output may depend on how its input is cut (level 0 does: each stored block is what was there), so the cuts are
/// ours. 64 KiB is two windows of deflate: enough that the calls do not show, little enough to stay in the cache.
const BLOCK: usize = 64 * 1024;

/// How much room the encoder has at once; constant for the same reason as [`BLOCK`], and more than an incompressible
/// block needs (5 bytes for each stored block of 65,535, and what was pending from before).
const ROOM: usize = BLOCK + 16 * 1024;

/// One member on its way.
struct Member {
    encoder: GzipEncoder,
    /// What was pushed since the last whole block; always shorter than [`BLOCK`] between calls.
    block: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Open,
    Poisoned,
}

impl Transform for Member {
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), LayerError> {
        self.usable()?;
        if !self.block.is_empty() {
            let (head, rest) = input.split_at(input.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(head);
            input = rest;
            if self.block.len() < BLOCK {
                return Ok(());
            }
            let result = encode(&mut self.encoder, &self.block, out);
            self.block.clear();
            self.poison_on(result)?;
        }
        let mut blocks = input.chunks_exact(BLOCK);
        for block in &mut blocks {
            let result = encode(&mut self.encoder, block, out);
            self.poison_on(result)?;
        }
        self.block.extend_from_slice(blocks.remainder());
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), LayerError> {
        self.usable()?;
        encode(&mut self.encoder, &self.block, out).map_err(failed)?;
        while !with_room(out, |room| self.encoder.finish(room)).map_err(failed)? {}
        Ok(())
    }
}

impl Member {
    fn usable(&self) -> Result<(), LayerError> {
        match self.state {
            State::Open => Ok(()),
            State::Poisoned => Err(LayerError::new("gzip cannot go on after an error")),
        }
    }

    fn poison_on(&mut self, result: io::Result<()>) -> Result<(), LayerError> {
        result.map_err(|e| {
            self.state = State::Poisoned;
            failed(e)
        })
    }
}

/// Encodes all of the input.
fn encode(encoder: &mut GzipEncoder, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut input = PartialBuffer::new(input);
    // The codec takes a call without input for a lack of progress, hence an error.
    while !input.unwritten().is_empty() {
        with_room(out, |room| encoder.encode(&mut input, room))?;
    }
    Ok(())
}

/// Appends what `f` writes into a fresh room of [`ROOM`] bytes.
fn with_room<T>(out: &mut Vec<u8>, f: impl FnOnce(&mut WriteBuffer<'_>) -> io::Result<T>) -> io::Result<T> {
    let start = out.len();
    out.resize(start + ROOM, 0);
    let mut room = WriteBuffer::new_initialized(&mut out[start..]);
    let result = f(&mut room);
    let written = room.written_len();
    out.truncate(start + written);
    result
}

fn failed(e: io::Error) -> LayerError {
    LayerError::new("gzip failed").with_source(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_poisons_the_state() {
        let member = || Member {
            encoder: GzipEncoder::new(FlateEncoderParams::from(flate2::Compression::default())),
            block: Vec::new(),
            state: State::Open,
        };
        let mut state = member();
        let e = state.poison_on(Err(io::Error::other("out of order"))).unwrap_err();
        assert_eq!(format!("{:#}", crate::Error::from(e)), "a layer failed: gzip failed: out of order");

        let mut out = Vec::new();
        assert_eq!(state.push(b"a", &mut out).unwrap_err().to_string(), "gzip cannot go on after an error");
        assert_eq!(Box::new(state).finish(&mut out).unwrap_err().to_string(), "gzip cannot go on after an error");
        assert!(out.is_empty());
        Box::new(member()).finish(&mut out).unwrap();
    }
}
