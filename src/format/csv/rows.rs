//! Batches of rows: most fields are plain, and are found to be so many at a time.
//!
//! A page of rows is looked over once for the places that need care. Rows of texts without such a place are copied as
//! they lie in the batch, with delimiters for its marks. Rows of other values are laid down in blocks, column by column;
//! what is not plain in them, by the way that knows all the rules.

use std::ops::Range;

use super::block::{Block, Piece};
use super::dialect::Plan;
use super::memo::{Memo, Speller};
use super::numbers::{Numbers, lay_days};
use super::plain::{Enclosed, Mark, Plain, fixed_scale};
use super::scan::{append_rows, is_mark};
use super::{EncodeError, Encoder, Outcome, RecordError};
use crate::row::{Batch, Cell, Layout, Value};

/// How many bytes of text are looked over at once: few enough to be in the nearest cache when they are copied.
const PAGE: usize = 16 * 1024;

/// What an encoder keeps from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) block: Block,
    pub(super) numbers: Numbers,
    pub(super) memo: Memo,
    pub(super) speller: Speller,
    /// Where the page of rows needs care.
    places: Vec<u32>,
}

/// What stays the same for all rows of a batch.
struct Rows<'a> {
    batch: &'a Batch,
    layout: Layout<'a>,
    columns: &'a [usize],
    plan: &'a Plan,
    plain: &'a Plain,
}

impl Encoder {
    /// Appends the rows of a batch: of each the fields of these columns, in this order.
    ///
    /// The bytes are those of [`record`](Self::record) for each row, but come several times as fast. Rows that the
    /// dialect hands back for the rejects file are returned.
    ///
    /// ```
    /// use consign::format::csv::Dialect;
    /// use consign::row::Batch;
    ///
    /// let mut batch = Batch::new(3);
    /// batch.push_text(["04G", "Lansdowne Airport", "1044"])?;
    /// batch.push_text(["06A", "Moton Field, Alabama", "264"])?;
    ///
    /// let mut out = Vec::new();
    /// let rejected = Dialect::default().encoder().batch(&batch, &[2, 1], &mut out)?;
    /// assert_eq!(out, b"1044,Lansdowne Airport\n264,\"Moton Field, Alabama\"\n");
    /// assert!(rejected.is_empty());
    /// # Ok::<(), consign::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a row cannot be written and the dialect's policy is to fail; `out` is then as it was.
    ///
    /// # Panics
    ///
    /// When the batch has not so many columns, as an index does.
    pub fn batch(
        &mut self,
        batch: &Batch,
        columns: &[usize],
        out: &mut Vec<u8>,
    ) -> Result<Vec<RecordError>, RecordError> {
        let start = out.len();
        let dialect = self.dialect.clone();
        let mut rejected = Vec::new();
        let written = match &dialect.0.plain {
            Some(plain) if !columns.is_empty() && batch.width() > 0 => {
                let rows = Rows { batch, layout: batch.layout(), columns, plan: &dialect.0, plain };
                let mut desk = self.desk.take().unwrap_or_default();
                let written = rows.append(self, &mut desk, &mut rejected, out);
                self.desk = Some(desk);
                written
            }
            _ => (0..batch.rows()).try_for_each(|row| self.whole_row(batch, columns, row, &mut rejected, out)),
        };
        match written {
            Ok(()) => Ok(rejected),
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// Writes the rows of a block behind a place, and says where they end: what is behind that is there to be written
    /// over. A row that needs another way is appended by `long`.
    pub(super) fn put_block(
        &mut self,
        block: &Block,
        ends: (Mark, Mark),
        at: usize,
        out: &mut Vec<u8>,
        mut long: impl FnMut(&mut Self, usize, &mut Vec<u8>) -> Result<(), RecordError>,
    ) -> Result<usize, RecordError> {
        let (mut row, mut at) = (0, at);
        while row < block.rows() {
            let next = if block.lacks(row) {
                row
            } else {
                block.reserve(at, ends, out);
                let (next, end) = block.copy(row, ends, at, out);
                self.counts.written += (next - row) as u64;
                at = end;
                next
            };
            row = next;
            if row < block.rows() {
                out.truncate(at);
                long(self, row, out)?;
                (row, at) = (row + 1, out.len());
            }
        }
        Ok(at)
    }

    /// Appends a row the long way.
    fn whole_row(
        &mut self,
        batch: &Batch,
        columns: &[usize],
        row: usize,
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let outcome = self.record(columns.iter().map(|&column| batch.value(row, column)), out);
        keep(outcome, row, rejected)
    }
}

/// Keeps what is handed back.
pub(super) fn keep(
    outcome: Result<Outcome, EncodeError>,
    row: usize,
    rejected: &mut Vec<RecordError>,
) -> Result<(), RecordError> {
    match outcome {
        Ok(Outcome::Rejected(error)) => rejected.push(RecordError::new(row, error)),
        // A record that the dialect loses or skips is in the encoder's counts.
        Ok(Outcome::Written | Outcome::Lost | Outcome::Skipped(_)) => {}
        Err(error) => return Err(RecordError::new(row, error)),
    }
    Ok(())
}

impl Rows<'_> {
    fn append(
        &self,
        encoder: &mut Encoder,
        desk: &mut Desk,
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let Layout { text, row_ends, texts_only, .. } = self.layout;
        let width = self.batch.width();
        let as_bytes = self.plain.marks.filter(|_| texts_only && self.columns.iter().copied().eq(0..width));
        let Some(as_bytes) = as_bytes else {
            return self.append_each(encoder, 0..row_ends.len(), desk, rejected, out);
        };
        let (mut row, mut from) = (0, row_start(row_ends, 0));
        while row < row_ends.len() {
            let rest = &row_ends[row..];
            let rows = rest.partition_point(|&end| end as usize <= from + PAGE).max(1);
            let to = rest[rows - 1] as usize;
            desk.places.clear();
            let marks = self.plain.scan.find(&text[..to], from, &mut desk.places);
            // Were there more marks, a text would hold one.
            if marks == rows * width {
                self.append_whole(encoder, row..row + rows, &desk.places, as_bytes, rejected, out)?;
            } else {
                self.append_each(encoder, row..row + rows, desk, rejected, out)?;
            }
            (row, from) = (row + rows, to);
        }
        Ok(())
    }

    /// Appends rows of texts as they lie in the batch, but for those that need care.
    fn append_whole(
        &self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        places: &[u32],
        (delimiter, terminator): (u8, u8),
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let Layout { text, row_ends, .. } = self.layout;
        let (mut places, mut row, mut done) = (places, rows.start, row_start(row_ends, rows.start));
        while let Some(&place) = places.first() {
            let run = row_ends[row..rows.end].partition_point(|&end| end <= place);
            encoder.counts.written += run as u64;
            row += run;
            let (from, to) = (row_start(row_ends, row), row_ends[row]);
            append_rows(&text[done..from], delimiter, terminator, out);
            let start = out.len();
            done = from;
            let own;
            (own, places) = places.split_at(places.partition_point(|&place| place < to));
            let outcome = if self.columns.len() == 1 {
                // A record of one field may be no bytes at all, of which the long way knows what to make.
                done = to as usize;
                encoder.record([self.batch.value(row, 0)], out)
            } else {
                let written = self.append_careful(encoder, row, own, &mut done, (delimiter, terminator), out);
                match encoder.settle(written, start, out) {
                    Ok(()) => {
                        // Its other fields come with the next rows.
                        encoder.counts.written += 1;
                        Ok(Outcome::Written)
                    }
                    Err(error) => {
                        done = to as usize;
                        encoder.outcome(Err(error), start, out)
                    }
                }
            };
            keep(outcome, row, rejected)?;
            row += 1;
        }
        append_rows(&text[done..row_ends[rows.end - 1] as usize], delimiter, terminator, out);
        encoder.counts.written += (rows.end - row) as u64;
        Ok(())
    }

    /// Appends a row of texts up to its last field that needs care, and moves `done` there.
    fn append_careful(
        &self,
        encoder: &mut Encoder,
        row: usize,
        places: &[u32],
        done: &mut usize,
        (delimiter, terminator): (u8, u8),
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let text = self.layout.text;
        encoder.met.clear();
        let (mut places, mut column) = (places, 0);
        while let Some(&place) = places.first() {
            // The cells are not asked where the field is: they are far away, and the marks are at hand.
            let place = place as usize;
            let from = text[..place].iter().rposition(is_mark).map_or(0, |mark| mark + 1);
            let to = place + text[place..].iter().position(is_mark).expect("a mark is behind every text");
            column += text[*done..from].iter().filter(|b| is_mark(b)).count();
            append_rows(&text[*done..from], delimiter, terminator, out);
            let own = places.partition_point(|&place| place as usize <= to);
            let enclosed = if self.plain.ends_hold(&text[from..to]) {
                self.plain.enclosing(places[..own].iter().map(|&place| text[place as usize]))
            } else {
                None
            };
            if let Some(Enclosed::By(quote)) = enclosed {
                out.push(quote);
                out.extend_from_slice(&text[from..to]);
                out.push(quote);
            } else {
                let value =
                    if from < to { Value::Text(as_text(&text[from..to])) } else { self.batch.value(row, column) };
                match (value, &self.plain.null) {
                    (Value::Null, Some(null)) => out.extend_from_slice(null.as_bytes()),
                    (value, _) => encoder.field(column, value, out)?,
                }
            }
            *done = to;
            places = &places[own..];
        }
        Ok(())
    }

    /// Appends rows whose fields are laid down column by column.
    fn append_each(
        &self,
        encoder: &mut Encoder,
        rows: Range<usize>,
        desk: &mut Desk,
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        desk.block.begin(self.columns.len());
        // A record of one field may be no bytes at all, of which the long way knows what to make.
        let null = self.plain.null.as_ref().filter(|_| self.columns.len() > 1);
        let null = null.map_or(Piece::NONE, |null| desk.block.keep(null.as_bytes()));
        let (mut next, mut at) = (rows.start, out.len());
        while next < rows.end {
            let first = next;
            next += self.lay(first..rows.end, null, desk);
            at = encoder.put_block(&desk.block, self.plain.ends, at, out, |encoder, row, out| {
                encoder.whole_row(self.batch, self.columns, first + row, rejected, out)
            })?;
        }
        out.truncate(at);
        Ok(())
    }

    /// Lays down rows, as many as it says, from the first one on.
    fn lay(&self, rows: Range<usize>, null: Piece, desk: &mut Desk) -> usize {
        let Layout { text, row_ends, .. } = self.layout;
        let count = desk.block.clear(rows.len());
        let (from, to) = (row_start(row_ends, rows.start) - 1, row_ends[rows.start + count - 1] as usize);
        let texts = desk.block.take_texts(&text[from..to], self.plain).map(|start| (from, start));
        for (column, &pick) in self.columns.iter().enumerate() {
            self.lay_column(column, rows.start..rows.start + count, pick, texts, desk);
            let Desk { block, speller, .. } = desk;
            for row in block.missing(column) {
                let value = self.batch.value(rows.start + row, pick);
                if value == Value::Null && null != Piece::NONE {
                    block.set(row, column, null);
                } else if let Some(field) = speller.spell(self.plan, column, value)
                    && (self.columns.len() > 1 || !field.is_empty())
                {
                    block.add(row, column, field);
                }
            }
        }
        desk.block.end();
        count
    }

    /// Lays down the fields of a column that are of one type; the others are missing.
    fn lay_column(
        &self,
        column: usize,
        rows: Range<usize>,
        pick: usize,
        texts: Option<(usize, usize)>,
        desk: &mut Desk,
    ) {
        let Desk { block, numbers, memo, speller, .. } = desk;
        let width = self.batch.width();
        let cells = self.layout.cells[rows.start * width..rows.end * width].chunks_exact(width).map(|row| &row[pick]);
        let enclosed = self.plain.numbers;
        match cells.clone().find(|cell| !matches!(cell, Cell::Null)) {
            Some(Cell::Text { .. }) => {
                let Some((from, to)) = texts else { return block.pick(column, cells, |_| Piece::NONE) };
                block.pick_texts(column, self.plain, cells, |cell| match cell {
                    Cell::Text { start, len } => Some((*start as usize - from + to, *len as usize)),
                    _ => None,
                });
            }
            Some(Cell::Integer(_)) if self.plain.digits => {
                numbers.fill(|numbers| {
                    for (to, cell) in numbers.iter_mut().zip(cells) {
                        *to = if let Cell::Integer(n) = cell { *n } else { Numbers::UNKNOWN };
                    }
                });
                numbers.lay_integers(enclosed, column, block);
            }
            Some(Cell::Decimal { scale, .. }) if self.fixed(*scale).is_some() => {
                numbers.fill(|numbers| {
                    for (to, cell) in numbers.iter_mut().zip(cells) {
                        *to = match cell {
                            Cell::Decimal { unscaled, scale: own } if own == scale => *unscaled,
                            _ => Numbers::UNKNOWN,
                        };
                    }
                });
                match scale.unsigned_abs() {
                    0 => numbers.lay_integers(enclosed, column, block),
                    scale => numbers.lay_fixed(scale, enclosed, column, block),
                }
            }
            Some(Cell::Float64(_)) if self.plain.floats => {
                let mut floats = [f64::NAN; Block::ROWS];
                for (to, cell) in floats.iter_mut().zip(cells) {
                    *to = if let Cell::Float64(float) = cell { *float } else { f64::NAN };
                }
                let style = self.plan.renderers.numbers().map(|(style, _)| style);
                numbers.lay_doubles(&floats[..rows.len()], style, enclosed, column, block);
            }
            Some(Cell::Date(_) | Cell::DateAt(_)) => {
                let days = cells.map(|cell| match cell {
                    Cell::Date(days) | Cell::DateAt(days) => Some(*days),
                    _ => None,
                });
                lay_days(days, self.plan, memo, column, block);
            }
            Some(Cell::Boolean(_)) => {
                let fields = [false, true].map(|value| {
                    let field = speller.spell(self.plan, column, Value::Boolean(value));
                    field.filter(|field| !field.is_empty()).map_or(Piece::NONE, |field| block.push(field))
                });
                block.pick(column, cells, |cell| match cell {
                    Cell::Boolean(value) => fields[usize::from(*value)],
                    _ => Piece::NONE,
                });
            }
            _ => block.pick(column, cells, |_| Piece::NONE),
        }
    }

    /// How many digits are behind the point of decimals of this scale, if they are laid down as integers.
    fn fixed(&self, scale: i8) -> Option<u8> {
        let (_, style) = self.plan.renderers.numbers().filter(|_| self.plain.digits)?;
        fixed_scale(style, scale)
    }
}

fn as_text(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("texts were checked when they were added")
}

/// Where the text of a row begins.
fn row_start(row_ends: &[u32], row: usize) -> usize {
    // Before the first row stands a mark.
    if row == 0 { 1 } else { row_ends[row - 1] as usize }
}
