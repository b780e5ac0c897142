//! Rows in one block of memory.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

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
#[derive(Clone, Debug, Default)]
pub struct Batch {
    width: usize,
    rows: usize,
    cells: Vec<Cell>,
    text: String,
    bytes: Vec<u8>,
}

/// Where a value lies: in `text` for text and nested values, in `bytes` for the others.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: u32,
    len: u32,
    tag: Tag,
}

#[derive(Clone, Copy, Debug)]
enum Tag {
    Null,
    Boolean,
    Integer,
    Float32,
    Float64,
    Decimal,
    Decimal256,
    Date,
    DateAt,
    Time,
    Timestamp,
    TimestampAt,
    LocalTimestamp,
    LocalTimestampAt,
    Duration,
    Months,
    Interval,
    Text,
    Binary,
    Nested,
}

impl Batch {
    /// The most that the text or the other values of one batch may take: 1 GiB. A batch is handed over long before.
    pub const MAX_BYTES: usize = 1 << 30;

    /// An empty batch for rows of `width` fields.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
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
        self.text.len() + self.bytes.len() + self.cells.len() * size_of::<Cell>()
    }

    /// Takes all rows out and keeps the room.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.cells.clear();
        self.text.clear();
        self.bytes.clear();
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
            fields.into_iter().enumerate().try_for_each(|(column, bytes)| {
                let bytes = bytes.as_ref();
                if null == Some(bytes) {
                    return batch.push_value(Value::Null);
                }
                let text = std::str::from_utf8(bytes)
                    .map_err(|e| RowError::new(RowErrorKind::Utf8 { column, valid: e.valid_up_to() }))?;
                batch.push_value(Value::Text(text))
            })
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
        let before = (self.cells.len(), self.text.len(), self.bytes.len());
        let pushed = push(self).and_then(|()| {
            let found = self.cells.len() - before.0;
            if found == self.width {
                return Ok(());
            }
            Err(RowError::new(RowErrorKind::Width { expected: self.width, found }).into())
        });
        if pushed.is_ok() {
            self.rows += 1;
        } else {
            self.cells.truncate(before.0);
            self.text.truncate(before.1);
            self.bytes.truncate(before.2);
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

    /// Adds one field of the row that [`whole_row`](Self::whole_row) is adding.
    pub(super) fn push_value(&mut self, value: Value<'_>) -> Result<(), RowError> {
        let (text, bytes) = (self.text.len(), self.bytes.len());
        let tag = match value {
            Value::Null => Tag::Null,
            Value::Boolean(value) => self.push_fixed(Tag::Boolean, &[u8::from(value)]),
            Value::Integer(value) => self.push_fixed(Tag::Integer, &value.to_ne_bytes()),
            Value::Float32(value) => self.push_fixed(Tag::Float32, &value.to_ne_bytes()),
            Value::Float64(value) => self.push_fixed(Tag::Float64, &value.to_ne_bytes()),
            Value::Decimal { unscaled, scale } => {
                self.bytes.extend_from_slice(&unscaled.to_ne_bytes());
                self.push_fixed(Tag::Decimal, &scale.to_ne_bytes())
            }
            Value::Decimal256 { unscaled, scale } => {
                self.bytes.extend_from_slice(unscaled);
                self.push_fixed(Tag::Decimal256, &scale.to_ne_bytes())
            }
            Value::Date(value) => self.push_fixed(Tag::Date, &value.to_epoch_days().to_ne_bytes()),
            Value::DateAt { days } => self.push_fixed(Tag::DateAt, &days.to_ne_bytes()),
            Value::Time(value) => {
                self.bytes.extend_from_slice(&value.num_seconds_from_midnight().to_ne_bytes());
                self.push_fixed(Tag::Time, &value.nanosecond().to_ne_bytes())
            }
            Value::Timestamp(value) => self.push_instant(Tag::Timestamp, value.naive_utc()),
            Value::TimestampAt { seconds, nanoseconds } => self.push_at(Tag::TimestampAt, seconds, nanoseconds),
            Value::LocalTimestamp(value) => self.push_instant(Tag::LocalTimestamp, value),
            Value::LocalTimestampAt { seconds, nanoseconds } => {
                self.push_at(Tag::LocalTimestampAt, seconds, nanoseconds)
            }
            Value::Duration { nanoseconds } => self.push_fixed(Tag::Duration, &nanoseconds.to_ne_bytes()),
            Value::Months(value) => self.push_fixed(Tag::Months, &value.to_ne_bytes()),
            Value::Interval { months, days, nanoseconds } => {
                self.bytes.extend_from_slice(&months.to_ne_bytes());
                self.bytes.extend_from_slice(&days.to_ne_bytes());
                self.push_fixed(Tag::Interval, &nanoseconds.to_ne_bytes())
            }
            Value::Text(value) => self.push_str(Tag::Text, value)?,
            Value::Binary(value) if value.len() > Self::MAX_BYTES => return Err(RowError::new(RowErrorKind::TooLarge)),
            Value::Binary(value) => self.push_fixed(Tag::Binary, value),
            Value::Nested(value) => self.push_str(Tag::Nested, value)?,
        };
        let too_large = |_| RowError::new(RowErrorKind::TooLarge);
        let (start, len) = match tag {
            Tag::Text | Tag::Nested => (text, self.text.len() - text),
            _ => (bytes, self.bytes.len() - bytes),
        };
        if start + len > Self::MAX_BYTES {
            return Err(RowError::new(RowErrorKind::TooLarge));
        }
        let (start, len) = (u32::try_from(start).map_err(too_large)?, u32::try_from(len).map_err(too_large)?);
        self.cells.push(Cell { start, len, tag });
        Ok(())
    }

    fn push_str(&mut self, tag: Tag, text: &str) -> Result<Tag, RowError> {
        if text.len() > Self::MAX_BYTES {
            return Err(RowError::new(RowErrorKind::TooLarge));
        }
        self.text.push_str(text);
        Ok(tag)
    }

    fn push_fixed(&mut self, tag: Tag, bytes: &[u8]) -> Tag {
        self.bytes.extend_from_slice(bytes);
        tag
    }

    fn push_instant(&mut self, tag: Tag, value: NaiveDateTime) -> Tag {
        let utc = value.and_utc();
        self.push_at(tag, utc.timestamp(), utc.timestamp_subsec_nanos())
    }

    fn push_at(&mut self, tag: Tag, seconds: i64, nanoseconds: u32) -> Tag {
        self.bytes.extend_from_slice(&seconds.to_ne_bytes());
        self.push_fixed(tag, &nanoseconds.to_ne_bytes())
    }

    fn cell(&self, cell: &Cell) -> Value<'_> {
        let range = cell.start as usize..cell.start as usize + cell.len as usize;
        match cell.tag {
            Tag::Null => Value::Null,
            Tag::Boolean => Value::Boolean(self.bytes[range.start] != 0),
            Tag::Integer => Value::Integer(i128::from_ne_bytes(self.fixed(range.start))),
            Tag::Float32 => Value::Float32(f32::from_ne_bytes(self.fixed(range.start))),
            Tag::Float64 => Value::Float64(f64::from_ne_bytes(self.fixed(range.start))),
            Tag::Decimal => Value::Decimal {
                unscaled: i128::from_ne_bytes(self.fixed(range.start)),
                scale: i8::from_ne_bytes(self.fixed(range.start + 16)),
            },
            Tag::Decimal256 => Value::Decimal256 {
                unscaled: self.bytes[range.start..].first_chunk().expect("the value has 32 bytes"),
                scale: i8::from_ne_bytes(self.fixed(range.start + 32)),
            },
            Tag::Date => Value::Date(
                NaiveDate::from_epoch_days(i32::from_ne_bytes(self.fixed(range.start)))
                    .expect("the days came from a date"),
            ),
            Tag::DateAt => Value::DateAt { days: i32::from_ne_bytes(self.fixed(range.start)) },
            Tag::Time => Value::Time(self.time(range.start)),
            Tag::Timestamp => Value::Timestamp(self.instant(range.start).and_utc()),
            Tag::TimestampAt => {
                let (seconds, nanoseconds) = self.at(range.start);
                Value::TimestampAt { seconds, nanoseconds }
            }
            Tag::LocalTimestamp => Value::LocalTimestamp(self.instant(range.start)),
            Tag::LocalTimestampAt => {
                let (seconds, nanoseconds) = self.at(range.start);
                Value::LocalTimestampAt { seconds, nanoseconds }
            }
            Tag::Duration => Value::Duration { nanoseconds: i128::from_ne_bytes(self.fixed(range.start)) },
            Tag::Months => Value::Months(i32::from_ne_bytes(self.fixed(range.start))),
            Tag::Interval => Value::Interval {
                months: i32::from_ne_bytes(self.fixed(range.start)),
                days: i32::from_ne_bytes(self.fixed(range.start + 4)),
                nanoseconds: i64::from_ne_bytes(self.fixed(range.start + 8)),
            },
            Tag::Text => Value::Text(&self.text[range]),
            Tag::Binary => Value::Binary(&self.bytes[range]),
            Tag::Nested => Value::Nested(&self.text[range]),
        }
    }

    fn instant(&self, start: usize) -> NaiveDateTime {
        let (seconds, nanos) = self.at(start);
        let second = DateTime::from_timestamp(seconds, 0).expect("the seconds came from a timestamp").naive_utc();
        // More than a second of nanoseconds is a leap second, which chrono takes at any second in this way alone.
        second.with_nanosecond(nanos).expect("the nanoseconds came from a timestamp")
    }

    fn at(&self, start: usize) -> (i64, u32) {
        (i64::from_ne_bytes(self.fixed(start)), u32::from_ne_bytes(self.fixed(start + 8)))
    }

    fn time(&self, start: usize) -> NaiveTime {
        let (seconds, nanos) = (u32::from_ne_bytes(self.fixed(start)), u32::from_ne_bytes(self.fixed(start + 4)));
        let second = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).expect("the seconds came from a time");
        // A leap second, as in `instant`.
        second.with_nanosecond(nanos).expect("the nanoseconds came from a time")
    }

    fn fixed<const N: usize>(&self, start: usize) -> [u8; N] {
        self.bytes[start..start + N].try_into().expect("the range has N bytes")
    }
}
