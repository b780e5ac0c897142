//! Batches of rows: most fields are plain, and are found to be so many at a time.
//!
//! A page of rows is looked over once for the places that need care. Rows of texts without such a place are copied as
//! they lie in the batch, with delimiters for its marks. In other rows each field is put down by itself: by a move where
//! it is plain, else by the way that knows all the rules.

use super::dialect::Plan;
use super::memo::Memo;
use super::plain::{Enclosed, FIELD, Page, Plain, write_decimal};
use super::scan::{append_rows, is_mark};
use super::text::digits::write_integer;
use super::text::{DecimalText, FloatText};
use super::{EncodeError, Encoder, Outcome, RecordError};
use crate::row::{Batch, Cell, Layout, Value};

/// How many bytes of text are looked over at once: few enough to be in the nearest cache when they are copied.
const PAGE: usize = 16 * 1024;

/// What an encoder keeps from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) page: Page,
    pub(super) memo: Memo,
    /// Where the page of rows needs care.
    places: Vec<u32>,
    #[cfg(feature = "arrow")]
    pub(super) tools: super::columns::Tools,
}

/// What stays the same for all rows of a batch.
struct Rows<'a> {
    batch: &'a Batch,
    layout: Layout<'a>,
    columns: &'a [usize],
    plan: &'a Plan,
    plain: &'a Plain,
    numbers: Option<(FloatText, DecimalText)>,
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
                let rows = Rows {
                    batch,
                    layout: batch.layout(),
                    columns,
                    plan: &dialect.0,
                    plain,
                    numbers: dialect.0.renderers.numbers(),
                };
                let mut desk = self.desk.take().unwrap_or_default();
                let written = rows.append(self, &mut desk, &mut rejected, out);
                desk.page.flush(out);
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
        let Desk { page, memo, places, .. } = desk;
        let Layout { text, row_ends, texts_only, .. } = self.layout;
        let width = self.batch.width();
        let whole = texts_only && self.columns.iter().copied().eq(0..width);
        let (mut row, mut from) = (0, row_start(row_ends, 0));
        let mut written = Ok(());
        while row < row_ends.len() && written.is_ok() {
            let rest = &row_ends[row..];
            let rows = rest.partition_point(|&end| end as usize <= from + PAGE).max(1);
            let to = rest[rows - 1] as usize;
            places.clear();
            let marks = self.plain.scan.find(&text[..to], from, places);
            written = match self.plain.marks {
                // Were there more marks, a text would hold one.
                Some(as_bytes) if whole && marks == rows * width => {
                    self.append_whole(encoder, row..row + rows, places, as_bytes, page, rejected, out)
                }
                _ => self.append_each(encoder, row..row + rows, places, (page, memo), rejected, out),
            };
            (row, from) = (row + rows, to);
        }
        written
    }

    /// Appends rows of texts as they lie in the batch, but for those that need care.
    #[expect(clippy::too_many_arguments, reason = "the parts of an encoder, borrowed one by one")]
    fn append_whole(
        &self,
        encoder: &mut Encoder,
        rows: std::ops::Range<usize>,
        places: &[u32],
        (delimiter, terminator): (u8, u8),
        page: &mut Page,
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let Layout { text, row_ends, .. } = self.layout;
        page.flush(out);
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

    fn cells(&self, row: usize) -> &[Cell] {
        &self.layout.cells[row * self.batch.width()..][..self.batch.width()]
    }

    /// Appends rows field by field.
    fn append_each(
        &self,
        encoder: &mut Encoder,
        rows: std::ops::Range<usize>,
        places: &[u32],
        (page, memo): (&mut Page, &mut Memo),
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let mut places = places;
        for row in rows {
            let end = self.layout.row_ends[row];
            let own = places.iter().take_while(|&&place| place < end).count();
            self.append_row(encoder, row, &places[..own], (page, memo), rejected, out)?;
            places = &places[own..];
        }
        Ok(())
    }

    fn append_row(
        &self,
        encoder: &mut Encoder,
        row: usize,
        places: &[u32],
        (page, memo): (&mut Page, &mut Memo),
        rejected: &mut Vec<RecordError>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let room =
            self.layout.row_ends[row] as usize - row_start(self.layout.row_ends, row) + self.columns.len() * FIELD;
        if places.is_empty() && page.room(room, out) && page.record(|bytes, at| self.put_record(row, memo, bytes, at)) {
            encoder.counts.written += 1;
            return Ok(());
        }
        page.flush(out);
        // A record of one field may be no bytes at all, of which the long way knows what to make.
        if let [only] = self.columns {
            let outcome = encoder.record([self.batch.value(row, *only)], out);
            return keep(outcome, row, rejected);
        }
        let start = out.len();
        encoder.met.clear();
        let cells = self.cells(row);
        for (column, &pick) in self.columns.iter().enumerate() {
            if column > 0 {
                out.extend_from_slice(self.plain.delimiter.as_bytes());
            }
            let is_put = is_clear(places, &cells[pick]) && {
                page.record(|bytes, at| self.put_field(&cells[pick], memo, bytes, at))
            };
            if is_put {
                page.flush(out);
            } else if let Err(error) = encoder.field(column, self.batch.value(row, pick), out) {
                let written = encoder.settle(Err(error), start, out);
                return keep(encoder.outcome(written, start, out), row, rejected);
            }
        }
        out.extend_from_slice(self.plain.terminator.as_bytes());
        let written = encoder.settle(Ok(()), start, out);
        keep(encoder.outcome(written, start, out), row, rejected)
    }

    /// Writes a record of which no text needs care, and says where it ends; none where a field needs another way, or room.
    #[inline]
    fn put_record(&self, row: usize, memo: &mut Memo, out: &mut [u8], at: usize) -> Option<usize> {
        let cells = self.cells(row);
        let (mut at, mut last) = (at, at);
        for &pick in self.columns {
            last = self.put_field(&cells[pick], memo, out, at)?;
            at = self.plain.delimiter.put(last, out)?;
        }
        self.plain.terminator.put(last, out)
    }

    /// Writes a field that is surely plain, and says where it ends.
    #[inline]
    fn put_field(&self, cell: &Cell, memo: &mut Memo, out: &mut [u8], at: usize) -> Option<usize> {
        let plain = self.plain;
        match cell {
            Cell::Text { start, len } => {
                plain.texts.put_text(self.layout.text, *start as usize, *len as usize, at, out)
            }
            Cell::Integer(n) if plain.digits => plain.numbers.put_number(at, out, |out| Some(write_integer(*n, out))),
            Cell::Float64(value) if plain.floats => {
                let (style, _) = self.numbers?;
                plain.numbers.put_number(at, out, |out| style.write_f64(*value, out))
            }
            Cell::Decimal { unscaled, scale } if plain.digits => {
                let (_, style) = self.numbers?;
                plain.numbers.put_number(at, out, |out| write_decimal(style, *unscaled, *scale, out))
            }
            // A record of one field may be no bytes at all, of which the long way knows what to make.
            Cell::Null if self.columns.len() > 1 => plain.null.as_ref()?.put(at, out),
            Cell::Date(days) | Cell::DateAt(days) => memo.date(self.plan, *days)?.put(at, out),
            Cell::Boolean(value) => memo.boolean(self.plan, *value)?.put(at, out),
            _ => None,
        }
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

/// Whether no place is in the text of a cell, if it has one, or at the mark behind it.
fn is_clear(places: &[u32], cell: &Cell) -> bool {
    let Cell::Text { start, len } = *cell else { return true };
    let next = places.get(places.partition_point(|&place| place < start));
    next.is_none_or(|&place| place > start + len)
}
