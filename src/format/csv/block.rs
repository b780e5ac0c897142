//! Rows that are put together at the same time: column by column their fields are laid down somewhere, then row by row
//! they are copied to where they go.
//!
//! So each column is one tight loop, and each short field one move of a fixed size.

#![expect(clippy::inline_always, reason = "loops over fields are nothing but these")]

use super::plain::{Enclosed, Mark, Plain};
use super::scan::{Work, widely};
#[cfg(feature = "arrow")]
use crate::row::{RECORD, UNIT};

/// The fields of some rows, and the bytes of which they are pieces.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// More of them than are used.
    bytes: Vec<u8>,
    /// How many are used in every block.
    kept: usize,
    used: usize,
    /// Row by row.
    pieces: Vec<Piece>,
    width: usize,
    /// How many bytes the fields take together, at most.
    most: usize,
    /// How many rows the next block shall have, as far as their bytes are known; 0 before the first.
    goal: usize,
    /// Whether the column that was laid down last lacks fields.
    missing: bool,
    /// Where the texts of a column need care, in their order.
    places: Vec<u32>,
}

/// A text of a column.
#[cfg(feature = "arrow")]
#[derive(Clone, Copy)]
pub(super) enum Text<'b> {
    /// In some bytes, where it begins, and its length.
    At(&'b [u8], usize, usize),
    /// With its length.
    Short([u8; 16], usize),
}

#[cfg(feature = "arrow")]
impl Text<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        let (Self::At(.., len) | Self::Short(_, len)) = self;
        len
    }
}

/// Where the bytes of a field are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    start: u32,
    len: u32,
}

impl Piece {
    /// For a field that needs another way.
    pub(super) const NONE: Self = Self { start: 0, len: u32::MAX };

    fn len(self) -> usize {
        if self == Self::NONE { 0 } else { self.len as usize }
    }

    fn start(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.start as usize)
    }
}

/// Fields of up to this length are copied by one move.
const MOVE: usize = 32;

/// How many bytes of fields a block shall have: they are in a cache that is near. Texts beyond twice as many go another way.
const BYTES: usize = 128 * 1024;

/// How many bytes of fields are laid down for all blocks of a batch.
const KEPT: usize = 1024 * 1024;

/// The most rows of a block.
const ROWS: usize = 256;

/// What a field takes, for a guess.
const SOME: usize = 24;

/// What moves may reach beyond what is used.
const BEYOND: usize = 128;

impl Block {
    pub(super) const ROWS: usize = ROWS;

    /// Begins a batch of so many columns.
    pub(super) fn begin(&mut self, width: usize) {
        if self.width != width {
            self.goal = BYTES / (width * SOME);
        }
        (self.kept, self.used, self.width) = (0, 0, width);
    }

    /// Lays down a field for all blocks of the batch.
    pub(super) fn keep(&mut self, field: &[u8]) -> Piece {
        if field.len() > KEPT.saturating_sub(self.used) {
            return Piece::NONE;
        }
        let piece = self.push(field);
        self.kept = self.used;
        piece
    }

    /// Begins a block of up to so many rows, and says how many it has.
    pub(super) fn clear(&mut self, rows: usize) -> usize {
        let rows = rows.min(self.goal.clamp(1, ROWS));
        self.used = self.kept;
        // Each column writes over all of its pieces.
        self.pieces.resize(rows * self.width, Piece::NONE);
        self.most = 0;
        rows
    }

    /// Ends a block.
    pub(super) fn end(&mut self) {
        self.goal = self.rows() * BYTES / (self.used - self.kept).max(1);
    }

    /// Takes room for some bytes, and says where it begins; more can be read and written behind it.
    fn take(&mut self, len: usize) -> usize {
        let start = self.used;
        self.used += len;
        if self.bytes.len() < self.used + BEYOND {
            self.bytes.resize(2 * (self.used + BEYOND), 0);
        }
        start
    }

    /// How many bytes more the block may have.
    fn room(&self) -> usize {
        (self.kept + 2 * BYTES).saturating_sub(self.used)
    }

    /// Lays a field down.
    pub(super) fn push(&mut self, field: &[u8]) -> Piece {
        if field.len() > self.room() {
            return Piece::NONE;
        }
        let start = self.take(field.len());
        self.bytes[start..self.used].copy_from_slice(field);
        piece(start, field.len())
    }

    /// The pieces of a column.
    #[inline(always)]
    fn column(pieces: &mut [Piece], width: usize, column: usize) -> impl Iterator<Item = &mut Piece> {
        pieces.chunks_exact_mut(width).filter_map(move |row| row.get_mut(column))
    }

    /// Lets `write` lay down a field of up to `N` bytes for each value of a column, and say how long it is; none where it
    /// needs another way.
    #[inline(always)]
    pub(super) fn write<T, const N: usize>(
        &mut self,
        column: usize,
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut [u8; N]) -> Option<usize>,
    ) {
        let mut start = self.take(self.rows() * N);
        let (slots, _) = self.bytes[start..].as_chunks_mut();
        for ((to, slot), value) in Self::column(&mut self.pieces, self.width, column).zip(slots).zip(values) {
            *to = if let Some(len) = write(value, slot) {
                piece(start, len)
            } else {
                self.missing = true;
                Piece::NONE
            };
            start += N;
        }
        self.most += self.rows() * N;
    }

    /// Lets `pick` say which piece the field of each value is.
    #[inline(always)]
    pub(super) fn pick<T>(
        &mut self,
        column: usize,
        values: impl IntoIterator<Item = T>,
        mut pick: impl FnMut(T) -> Piece,
    ) {
        for (to, value) in Self::column(&mut self.pieces, self.width, column).zip(values) {
            *to = pick(value);
            if *to == Piece::NONE {
                self.missing = true;
            } else {
                self.most += to.len as usize;
            }
        }
    }

    /// Copies the texts of a column; of those that need care the ones are left out that need more than quotes.
    #[cfg(feature = "arrow")]
    #[inline(always)]
    pub(super) fn gather<'b>(&mut self, column: usize, plain: &Plain, texts: impl IntoIterator<Item = Text<'b>>) {
        let rows = self.rows();
        let mut room = self.room();
        // A mark is before the first text and behind each, as in a batch of rows.
        let from = self.take(1 + room + rows) + 1;
        let bytes = &mut self.bytes[..];
        bytes[from - 1] = RECORD;
        let mut at = from;
        for (to, text) in Self::column(&mut self.pieces, self.width, column).zip(texts) {
            // Nothing there is a text that needs care.
            let len = if text.len() > room { 0 } else { text.len() };
            let window = bytes[at..].first_chunk_mut::<MOVE>().expect("there is room, and what is beyond it");
            match text {
                Text::Short(text, _) => *window.first_chunk_mut().expect("a window is longer") = text,
                Text::At(..) if len == 0 => {}
                Text::At(source, start, _) if len <= MOVE && source.len() >= start + MOVE => {
                    *window = *source[start..].first_chunk().expect("the text is no longer");
                }
                Text::At(source, start, _) => copy_long(&source[start..start + len], &mut bytes[at..]),
            }
            *to = piece(at, len);
            room -= len;
            at += len;
            bytes[at] = UNIT;
            at += 1;
        }
        self.used = at;
        self.most += at - from + 2 * rows;
        self.places.clear();
        plain.scan.find(&self.bytes[..at], from, &mut self.places);
        if !self.places.is_empty() || plain.texts != Enclosed::Bare {
            self.enclose(column, plain);
        }
    }

    /// Copies texts that have a mark before the first and behind each, and says where they are; none where there are too
    /// many.
    pub(super) fn take_texts(&mut self, texts: &[u8], plain: &Plain) -> Option<usize> {
        self.places.clear();
        let start = self.push(texts).start()?;
        plain.scan.find(&self.bytes[..self.used], start + 1, &mut self.places);
        self.most += texts.len();
        Some(start)
    }

    /// Lets `pick` say which of the texts that were taken each row has.
    #[inline(always)]
    pub(super) fn pick_texts<T>(
        &mut self,
        column: usize,
        plain: &Plain,
        values: impl IntoIterator<Item = T>,
        pick: impl FnMut(T) -> Option<(usize, usize)>,
    ) {
        let mut pick = pick;
        self.pick(column, values, |value| pick(value).map_or(Piece::NONE, |(start, len)| piece(start, len)));
        self.most += 2 * self.rows();
        if !self.places.is_empty() || plain.texts != Enclosed::Bare {
            self.enclose(column, plain);
        }
    }

    /// Encloses the texts that were gathered, where they have to be.
    fn enclose(&mut self, column: usize, plain: &Plain) {
        let Self { bytes, places, missing, .. } = self;
        let mut places = &**places;
        for piece in Self::column(&mut self.pieces, self.width, column) {
            if *piece == Piece::NONE {
                continue;
            }
            let (start, stop) = (piece.start as usize, piece.start as usize + piece.len as usize);
            let mut enclosed = Some(plain.texts);
            // Those before it are of other columns.
            while places.first().is_some_and(|&place| (place as usize) < start) {
                places = &places[1..];
            }
            if places.first().is_some_and(|&place| place as usize <= stop) {
                let own;
                (own, places) = places.split_at(places.iter().take_while(|&&place| place as usize <= stop).count());
                enclosed = plain
                    .ends_hold(&bytes[start..stop])
                    .then_some(own)
                    .and_then(|own| plain.enclosing(own.iter().map(|&place| bytes[place as usize])));
            }
            match enclosed {
                Some(Enclosed::Bare) => {}
                Some(Enclosed::By(quote)) => {
                    // In place of the marks; what a neighbour puts there is the same.
                    (bytes[start - 1], bytes[stop]) = (quote, quote);
                    *piece = Piece { start: piece.start - 1, len: piece.len + 2 };
                }
                None => {
                    *piece = Piece::NONE;
                    *missing = true;
                }
            }
        }
    }

    /// Takes out the fields of some rows of a column, for one that is the same for all.
    #[cfg(feature = "arrow")]
    pub(super) fn replace(&mut self, column: usize, by: Piece, is_meant: impl Fn(usize) -> bool) {
        for (row, to) in Self::column(&mut self.pieces, self.width, column).enumerate() {
            if is_meant(row) {
                *to = by;
                self.most += by.len();
                self.missing |= by == Piece::NONE;
            }
        }
    }

    /// The rows in which fields of a column are missing.
    pub(super) fn missing(&mut self, column: usize) -> Vec<usize> {
        if !std::mem::take(&mut self.missing) {
            return Vec::new();
        }
        let pieces = Self::column(&mut self.pieces, self.width, column).enumerate();
        pieces.filter(|(_, piece)| **piece == Piece::NONE).map(|(row, _)| row).collect()
    }

    /// Gives a row a field that is laid down.
    pub(super) fn set(&mut self, row: usize, column: usize, piece: Piece) {
        self.pieces[row * self.width + column] = piece;
        self.most += piece.len();
    }

    /// Lays down a field that was missing.
    pub(super) fn add(&mut self, row: usize, column: usize, field: &[u8]) {
        let piece = self.push(field);
        self.set(row, column, piece);
    }

    /// Whether a row needs another way.
    pub(super) fn lacks(&self, row: usize) -> bool {
        self.pieces[row * self.width..][..self.width].contains(&Piece::NONE)
    }

    pub(super) fn rows(&self) -> usize {
        self.pieces.len() / self.width
    }

    /// Makes room for all rows behind a place.
    pub(super) fn reserve(&self, at: usize, (delimiter, terminator): (Mark, Mark), out: &mut Vec<u8>) {
        let marks = self.pieces.len() * delimiter.len().max(terminator.len());
        let end = at + self.most + marks + BEYOND;
        // All behind the place is there to be written over.
        if out.len() < end {
            out.resize(end, 0);
        }
    }

    /// Writes rows at a place, from one of them on up to the first that needs another way or to the last, and says which
    /// comes next, and where these end.
    pub(super) fn copy(&self, row: usize, marks: (Mark, Mark), at: usize, out: &mut [u8]) -> (usize, usize) {
        if marks.0.len() == 1 {
            widely(Copying::<1> { block: self, row, marks, at, out })
        } else {
            widely(Copying::<0> { block: self, row, marks, at, out })
        }
    }
}

/// Rows on their way to where they go, with delimiters of `N` bytes, if it is not 0.
struct Copying<'b, const N: usize> {
    block: &'b Block,
    row: usize,
    marks: (Mark, Mark),
    at: usize,
    out: &'b mut [u8],
}

impl<const N: usize> Work for Copying<'_, N> {
    type Done = (usize, usize);

    #[inline(always)]
    fn run(self) -> (usize, usize) {
        let Self { block, mut row, marks: (delimiter, terminator), mut at, out } = self;
        let (bytes, marked) = (&*block.bytes, if N > 0 { N } else { delimiter.len() });
        let mut copy_row = |pieces: &[Piece], at: usize| {
            let mut at = at;
            for piece in pieces {
                let (start, len) = (piece.start as usize, piece.len as usize);
                if len <= MOVE {
                    let from: &[u8; MOVE] = bytes.get(start..start + MOVE)?.first_chunk()?;
                    let to: &mut [u8; MOVE + 8] = out.get_mut(at..at + MOVE + 8)?.first_chunk_mut()?;
                    *to.first_chunk_mut()? = *from;
                    delimiter.put(len, to)?;
                } else if len <= 2 * MOVE {
                    let from: &[u8; 2 * MOVE] = bytes.get(start..start + 2 * MOVE)?.first_chunk()?;
                    *out.get_mut(at..)?.first_chunk_mut()? = *from;
                    delimiter.put(at + len, out)?;
                } else {
                    let from = bytes.get(start..start.checked_add(len)?)?;
                    copy_long(from, out.get_mut(at..at + len)?);
                    delimiter.put(at + len, out)?;
                }
                at += len + marked;
            }
            terminator.put(at - marked, out)
        };
        for pieces in block.pieces.chunks_exact(block.width).skip(row) {
            let Some(end) = copy_row(pieces, at) else { break };
            (row, at) = (row + 1, end);
        }
        (row, at)
    }
}

/// A function of its own, so that moves of a fixed size are not made calls for the sake of this one.
#[inline(never)]
fn copy_long(text: &[u8], to: &mut [u8]) {
    to[..text.len()].copy_from_slice(text);
}

#[expect(clippy::cast_possible_truncation, reason = "a block takes a few MiB")]
#[inline(always)]
fn piece(start: usize, len: usize) -> Piece {
    Piece { start: start as u32, len: len as u32 }
}
