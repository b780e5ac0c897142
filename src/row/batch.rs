//! Rows in one block of memory.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::texts::Texts;
use super::{FieldNames, RowError, RowErrorKind, Value};

/// A block of rows of one width, stored in a few flat buffers that keep their room when the batch is cleared.
///
/// A row is added whole or not at all: when one of its fields is refused, what was added of it is taken back.
///
/// ```
/// use consign::row::{Batch, Value};
///
/// let mut batch = Batch::new(2);
/// batch.push_text(["04G", "Lansdowne Airport"])?;
/// let error = batch.push_text(["06A"]).unwrap_err();
/// assert_eq!(error.to_string(), "expected 2 fields as the table has columns, found 1");
/// assert_eq!(batch.rows(), 1);
/// assert_eq!(batch.row(0).collect::<Vec<_>>(), [Value::Text("04G"), Value::Text("Lansdowne Airport")]);
/// # Ok::<(), consign::row::RowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    width: usize,
    rows: usize,
    cells: Vec<Cell>,
    /// UTF-8: the texts of the cells in their order, each with a mark behind it, as has a null. An encoder that finds
    /// nothing between the marks that needs care can take the rows as they lie here, with delimiters and line ends for the
    /// marks.
    text: Texts,
    /// Where the text of each row ends.
    row_ends: Vec<u32>,
    /// Whether every cell is text or null, so that every cell has its mark.
    texts_only: bool,
    bytes: Vec<u8>,
    /// Numbers beyond 64 bits.
    wide: Vec<i128>,
    /// Where the names of a struct's fields lie that were found to be right, to be known again without a look at their
    /// letters: with the place of the name that each was compared with.
    pub(super) known: Vec<Known>,
}

/// The name of a field that was found to be right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) place: usize,
    pub(super) len: usize,
    pub(super) expected: usize,
}

/// Stands behind a text that is not the last of its row: ASCII's unit separator.
pub(crate) const UNIT: u8 = 0x1f;

/// Stands before the first row, and behind a text that is the last of its row: ASCII's record separator.
pub(crate) const RECORD: u8 = 0x1e;

/// A value, or where it lies: texts and nested values in `text`, binary values in `bytes`, long numbers in `wide`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Integer(i64),
    WideInteger {
        at: u32,
    },
    Float32(f32),
    Float64(f64),
    Decimal {
        unscaled: i64,
        scale: i8,
    },
    WideDecimal {
        at: u32,
        scale: i8,
    },
    /// 32 bytes.
    Decimal256 {
        at: u32,
        scale: i8,
    },
    /// Days from 1970-01-01.
    Date(i32),
    DateAt(i32),
    Time {
        seconds: u32,
        nanos: u32,
    },
    Timestamp {
        seconds: i64,
        nanos: u32,
    },
    TimestampAt {
        seconds: i64,
        nanos: u32,
    },
    LocalTimestamp {
        seconds: i64,
        nanos: u32,
    },
    LocalTimestampAt {
        seconds: i64,
        nanos: u32,
    },
    Duration {
        at: u32,
    },
    Months(i32),
    /// Months, days and nanoseconds, in 16 bytes.
    Interval {
        at: u32,
    },
    Text {
        start: u32,
        len: u32,
    },
    Binary {
        start: u32,
        len: u32,
    },
    Nested {
        start: u32,
        len: u32,
    },
}

/// A batch as an encoder sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout<'a> {
    /// Row by row.
    pub(crate) cells: &'a [Cell],
    pub(crate) text: &'a [u8],
    pub(crate) row_ends: &'a [u32],
    pub(crate) texts_only: bool,
}

impl Default for Batch {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Batch {
    /// The most that the text or the other values of one batch may take: 1 GiB. A batch is handed over long before.
    pub const MAX_BYTES: usize = 1 << 30;

    /// An empty batch for rows of `width` fields.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            width,
            rows: 0,
            cells: Vec::new(),
            text: Texts::new(),
            row_ends: Vec::new(),
            texts_only: true,
            bytes: Vec::new(),
            wide: Vec::new(),
            known: Vec::new(),
        }
    }

    /// How many fields each row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How much memory the values take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
            + self.bytes.len()
            + size_of_val(&*self.cells)
            + size_of_val(&*self.row_ends)
            + size_of_val(&*self.wide)
    }

    /// Takes all rows out and keeps the room.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.cells.clear();
        self.text.truncate(1);
        self.row_ends.clear();
        self.texts_only = true;
        self.bytes.clear();
        self.wide.clear();
    }

    /// Adds a row of values.
    ///
    /// # Errors
    ///
    /// When the row has not [`width`](Self::width) fields, or takes more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn push_record<'a>(&mut self, fields: impl IntoIterator<Item = Value<'a>>) -> Result<(), RowError> {
        self.whole_row(|batch| fields.into_iter().try_for_each(|value| batch.push_value(value)))
    }

    /// Adds a row of text fields.
    ///
    /// # Errors
    ///
    /// As [`push_record`](Self::push_record).
    pub fn push_text<S: AsRef<str>>(&mut self, fields: impl IntoIterator<Item = S>) -> Result<(), RowError> {
        self.whole_row(|batch| fields.into_iter().try_for_each(|text| batch.push_value(Value::Text(text.as_ref()))))
    }

    /// Adds a row of text fields that are given as bytes; those equal to `null` become null.
    ///
    /// # Errors
    ///
    /// As [`push_record`](Self::push_record), and when a field is not UTF-8.
    pub fn push_bytes<B: AsRef<[u8]>>(
        &mut self,
        fields: impl IntoIterator<Item = B>,
        null: Option<&[u8]>,
    ) -> Result<(), RowError> {
        self.whole_row(|batch| {
            let (row, text) = (batch.cells.len(), batch.text.len());
            for bytes in fields {
                let bytes = bytes.as_ref();
                if null == Some(bytes) { batch.push_null() } else { batch.push_text_bytes(bytes) }?;
            }
            // The marks are ASCII: the whole is UTF-8 if every field is.
            let row_text = &batch.text.as_bytes()[text..];
            if is_ascii(row_text) || std::str::from_utf8(row_text).is_ok() { Ok(()) } else { Err(batch.not_utf8(row)) }
        })
    }

    /// The value at a row and column, both zero-based.
    ///
    /// # Panics
    ///
    /// When there is no such row or column, as an index does.
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> Value<'_> {
        assert!(column < self.width, "column {column} of a batch of {} columns", self.width);
        self.cell(&self.cells[row * self.width + column])
    }

    /// The values of a row, in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there is no such row, as an index does.
    #[must_use]
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.cells[row * self.width..(row + 1) * self.width].iter().map(|cell| self.cell(cell))
    }

    /// Adds a row of values; the first one decides the width where no names are known.
    pub(crate) fn push_fields<'a>(
        &mut self,
        fields: impl Iterator<Item = Value<'a>>,
        names: &mut FieldNames,
    ) -> Result<(), RowError> {
        if *names != FieldNames::Unknown {
            return self.push_record(fields);
        }
        self.whole_row(|batch| {
            for value in fields {
                batch.push_value(value)?;
            }
            batch.set_width(batch.open_fields());
            Ok::<(), RowError>(())
        })?;
        *names = FieldNames::Unnamed;
        Ok(())
    }

    /// Runs `push`, checks that it added one row, and takes its fields back if not.
    pub(super) fn whole_row<E: From<RowError>>(
        &mut self,
        push: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = (self.cells.len(), self.text.len(), self.bytes.len(), self.wide.len());
        let texts_only = self.texts_only;
        let pushed = push(self).and_then(|()| {
            let found = self.cells.len() - before.0;
            if found != self.width {
                return Err(RowError::new(RowErrorKind::Width { expected: self.width, found }).into());
            }
            self.row_ends.push(place(self.text.len())?);
            Ok(())
        });
        if pushed.is_ok() {
            self.rows += 1;
            if let Some(Cell::Null | Cell::Text { .. }) = self.cells.last() {
                self.text.end_row();
            }
        } else {
            self.cells.truncate(before.0);
            self.text.truncate(before.1);
            self.bytes.truncate(before.2);
            self.wide.truncate(before.3);
            self.texts_only = texts_only;
        }
        pushed
    }

    /// How many fields stand behind the last whole row.
    pub(super) fn open_fields(&self) -> usize {
        self.cells.len() - self.rows * self.width
    }

    /// Lets the first row decide the width.
    pub(crate) fn set_width(&mut self, width: usize) {
        debug_assert_eq!(self.rows, 0, "the width of a batch that has rows cannot change");
        self.width = width;
    }

    /// The batch as it lies in memory.
    pub(crate) fn layout(&self) -> Layout<'_> {
        Layout { cells: &self.cells, text: self.text.as_bytes(), row_ends: &self.row_ends, texts_only: self.texts_only }
    }

    /// Adds a field that takes no room but its cell.
    #[inline]
    pub(super) fn push_cell(&mut self, cell: Cell) {
        self.texts_only = false;
        self.cells.push(cell);
    }

    /// Adds one field of the row that [`whole_row`](Self::whole_row) is adding.
    pub(super) fn push_value(&mut self, value: Value<'_>) -> Result<(), RowError> {
        let cell = match value {
            Value::Text(text) => return self.push_text_bytes(text.as_bytes()),
            Value::Null => return self.push_null(),
            Value::Boolean(value) => Cell::Boolean(value),
            Value::Integer(value) => match i64::try_from(value) {
                Ok(value) => Cell::Integer(value),
                Err(_) => Cell::WideInteger { at: self.push_wide(value)? },
            },
            Value::Float32(value) => Cell::Float32(value),
            Value::Float64(value) => Cell::Float64(value),
            Value::Decimal { unscaled, scale } => match i64::try_from(unscaled) {
                Ok(unscaled) => Cell::Decimal { unscaled, scale },
                Err(_) => Cell::WideDecimal { at: self.push_wide(unscaled)?, scale },
            },
            Value::Decimal256 { unscaled, scale } => Cell::Decimal256 { at: extend(&mut self.bytes, unscaled)?, scale },
            Value::Date(value) => Cell::Date(value.to_epoch_days()),
            Value::DateAt { days } => Cell::DateAt(days),
            Value::Time(value) => Cell::Time { seconds: value.num_seconds_from_midnight(), nanos: value.nanosecond() },
            Value::TimestampAt { seconds, nanoseconds } => Cell::TimestampAt { seconds, nanos: nanoseconds },
            Value::LocalTimestampAt { seconds, nanoseconds } => Cell::LocalTimestampAt { seconds, nanos: nanoseconds },
            Value::Duration { nanoseconds } => Cell::Duration { at: self.push_wide(nanoseconds)? },
            Value::Months(months) => Cell::Months(months),
            Value::Interval { months, days, nanoseconds } => {
                let at = extend(&mut self.bytes, &months.to_ne_bytes())?;
                extend(&mut self.bytes, &days.to_ne_bytes())?;
                extend(&mut self.bytes, &nanoseconds.to_ne_bytes())?;
                Cell::Interval { at }
            }
            Value::Timestamp(value) => {
                Cell::Timestamp { seconds: value.timestamp(), nanos: value.timestamp_subsec_nanos() }
            }
            Value::LocalTimestamp(value) => {
                let utc = value.and_utc();
                Cell::LocalTimestamp { seconds: utc.timestamp(), nanos: utc.timestamp_subsec_nanos() }
            }
            Value::Binary(value) => {
                let start = extend(&mut self.bytes, value)?;
                Cell::Binary { start, len: place(value.len())? }
            }
            Value::Nested(value) => {
                let start = self.text.push(value.as_bytes())?;
                Cell::Nested { start, len: place(value.len())? }
            }
        };
        self.push_cell(cell);
        Ok(())
    }

    #[inline]
    pub(super) fn push_null(&mut self) -> Result<(), RowError> {
        self.text.push(b"")?;
        self.cells.push(Cell::Null);
        Ok(())
    }

    /// Adds a field of text that is UTF-8, or is yet to be checked.
    #[inline]
    pub(super) fn push_text_bytes(&mut self, text: &[u8]) -> Result<(), RowError> {
        let start = self.text.push(text)?;
        self.cells.push(Cell::Text { start, len: place(text.len())? });
        Ok(())
    }

    fn push_wide(&mut self, value: i128) -> Result<u32, RowError> {
        place(size_of_val(&*self.wide))?;
        let at = place(self.wide.len())?;
        self.wide.push(value);
        Ok(at)
    }

    /// Which field of the row that begins with a cell is not UTF-8.
    #[cold]
    fn not_utf8(&self, row: usize) -> RowError {
        let columns = self.cells[row..].iter().enumerate();
        let bad = columns.filter_map(|(column, cell)| match *cell {
            Cell::Text { start, len } => {
                Some((column, std::str::from_utf8(&self.text.as_bytes()[range(start, len)]).err()?))
            }
            _ => None,
        });
        let (column, error) = bad.min_by_key(|(column, _)| *column).expect("a field is not UTF-8");
        RowError::new(RowErrorKind::Utf8 { column, valid: error.valid_up_to() })
    }

    fn cell(&self, cell: &Cell) -> Value<'_> {
        match *cell {
            Cell::Null => Value::Null,
            Cell::Boolean(value) => Value::Boolean(value),
            Cell::Integer(value) => Value::Integer(value.into()),
            Cell::WideInteger { at } => Value::Integer(self.wide[at as usize]),
            Cell::Float32(value) => Value::Float32(value),
            Cell::Float64(value) => Value::Float64(value),
            Cell::Decimal { unscaled, scale } => Value::Decimal { unscaled: unscaled.into(), scale },
            Cell::WideDecimal { at, scale } => Value::Decimal { unscaled: self.wide[at as usize], scale },
            Cell::Decimal256 { at, scale } => Value::Decimal256 {
                unscaled: self.bytes[at as usize..].first_chunk().expect("the value has 32 bytes"),
                scale,
            },
            Cell::DateAt(days) => Value::DateAt { days },
            Cell::Time { seconds, nanos } => Value::Time(time(seconds, nanos)),
            Cell::TimestampAt { seconds, nanos } => Value::TimestampAt { seconds, nanoseconds: nanos },
            Cell::LocalTimestampAt { seconds, nanos } => Value::LocalTimestampAt { seconds, nanoseconds: nanos },
            Cell::Duration { at } => Value::Duration { nanoseconds: self.wide[at as usize] },
            Cell::Months(months) => Value::Months(months),
            Cell::Interval { at } => Value::Interval {
                months: i32::from_ne_bytes(self.fixed(at)),
                days: i32::from_ne_bytes(self.fixed(at + 4)),
                nanoseconds: i64::from_ne_bytes(self.fixed(at + 8)),
            },
            Cell::Date(days) => Value::Date(NaiveDate::from_epoch_days(days).expect("the days came from a date")),
            Cell::Timestamp { seconds, nanos } => Value::Timestamp(instant(seconds, nanos).and_utc()),
            Cell::LocalTimestamp { seconds, nanos } => Value::LocalTimestamp(instant(seconds, nanos)),
            Cell::Text { start, len } => Value::Text(self.str(start, len)),
            Cell::Binary { start, len } => Value::Binary(&self.bytes[range(start, len)]),
            Cell::Nested { start, len } => Value::Nested(self.str(start, len)),
        }
    }

    fn fixed<const N: usize>(&self, at: u32) -> [u8; N] {
        *self.bytes[at as usize..].first_chunk().expect("the value has N bytes")
    }

    fn str(&self, start: u32, len: u32) -> &str {
        std::str::from_utf8(&self.text.as_bytes()[range(start, len)]).expect("texts were checked when they were added")
    }
}

/// Whether a text is ASCII, found by looks at 32 bytes at a time, the last of which may overlap.
#[inline]
fn is_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<32>() else { return text.is_ascii() };
    let (chunks, _) = text.as_chunks::<32>();
    let mut any = *last;
    for chunk in chunks {
        for (any, b) in any.iter_mut().zip(chunk) {
            *any |= b;
        }
    }
    any.iter().fold(0, |any, b| any | b) < 0x80
}

fn range(start: u32, len: u32) -> Range<usize> {
    start as usize..start as usize + len as usize
}

/// A place in a buffer, if it is not too far.
#[inline]
pub(super) fn place(at: usize) -> Result<u32, RowError> {
    match u32::try_from(at) {
        Ok(place) if at <= Batch::MAX_BYTES => Ok(place),
        _ => Err(RowError::new(RowErrorKind::TooLarge)),
    }
}

/// Appends bytes, and says where they begin.
fn extend(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<u32, RowError> {
    let start = place(buffer.len())?;
    if bytes.len() > Batch::MAX_BYTES - buffer.len() {
        return Err(RowError::new(RowErrorKind::TooLarge));
    }
    buffer.extend_from_slice(bytes);
    Ok(start)
}

fn time(seconds: u32, nanos: u32) -> NaiveTime {
    let second = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).expect("the seconds came from a time");
    // A leap second, as in `instant`.
    second.with_nanosecond(nanos).expect("the nanoseconds came from a time")
}

fn instant(seconds: i64, nanos: u32) -> NaiveDateTime {
    let second = DateTime::from_timestamp(seconds, 0).expect("the seconds came from a timestamp").naive_utc();
    // More than a second of nanoseconds is a leap second, which chrono takes at any second in this way alone.
    second.with_nanosecond(nanos).expect("the nanoseconds came from a timestamp")
}
