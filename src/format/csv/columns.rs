//! Record batches by their columns: how a column's fields are put down is decided once.
//!
//! The texts of a column are searched all at once for what needs care. Dictionaries and runs are spelled once for each of
//! their values. What is left, and types that are seldom, go the way of single values.

use std::slice;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, RunEndIndexType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, GenericStringArray, OffsetSizeTrait, RecordBatch, RunArray};
use arrow_schema::DataType;

use super::dialect::Plan;
use super::memo::{Memo, spell_in};
use super::plain::{Enclosed, FIELD, Plain, Short, write_decimal};
use super::text::digits::write_integer;
use super::text::{DecimalText, FloatText};
use crate::row::arrow::{Cells, Reader};

/// How the fields of a batch are put down.
pub(super) struct Columns<'a> {
    columns: Vec<Column<'a>>,
    style: Style<'a>,
}

/// What is the same for all columns.
#[derive(Clone, Copy)]
struct Style<'a> {
    plan: &'a Plan,
    plain: &'a Plain,
    floats: Option<FloatText>,
    decimals: Option<DecimalText>,
    /// None where null needs another way: a record of one field may be no bytes at all.
    null: Option<&'a Short>,
}

struct Column<'a> {
    nulls: Nulls<'a>,
    data: Data<'a>,
}

/// A bit for each row, which is clear for a null, and where the first of them is; none where nothing is null.
#[derive(Clone, Copy)]
struct Nulls<'a>(Option<(&'a [u8], usize)>);

impl Nulls<'_> {
    #[inline]
    fn has(self, row: usize) -> bool {
        self.0.is_some_and(|(valid, offset)| valid[(offset + row) / 8] >> ((offset + row) % 8) & 1 == 0)
    }
}

/// Where fields of one column are put down.
trait Target {
    /// Lets `put` write the field of each row, in their order: at a place of a buffer, saying where it ends; none where it
    /// needs another way, or room.
    fn each(&mut self, put: impl FnMut(usize, &mut [u8], usize) -> Option<usize>);
}

/// A single field, at a place of a buffer, and where it has ended.
struct Single<'o> {
    row: usize,
    out: &'o mut [u8],
    at: usize,
    end: Option<usize>,
}

impl Target for Single<'_> {
    #[inline]
    fn each(&mut self, mut put: impl FnMut(usize, &mut [u8], usize) -> Option<usize>) {
        self.end = put(self.row, self.out, self.at);
    }
}

/// Rows that are put down together, each in a stretch of its own: column by column, so that each column is one tight loop.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    stride: usize,
    first: usize,
    /// Where each row goes on in its stretch; beyond it for a row that needs another way.
    ends: Vec<usize>,
}

/// So much of a block is in the nearest cache.
const BLOCK: usize = 24 * 1024;

/// More rows at once do not pay.
const ROWS: usize = 128;

/// No place in a buffer.
const NOWHERE: usize = usize::MAX / 2;

impl Block {
    /// How many rows are put down together where they take up to `stride` bytes.
    pub(super) fn begin(&mut self, stride: usize) -> usize {
        self.stride = stride.min(BLOCK);
        let rows = (BLOCK / self.stride).clamp(1, ROWS);
        self.bytes.resize(rows * self.stride, 0);
        rows
    }

    /// Puts down `rows` rows from `first` on.
    pub(super) fn fill(&mut self, columns: &mut Columns<'_>, first: usize, rows: usize, memo: &mut Memo) {
        self.first = first;
        self.ends.clear();
        self.ends.resize(rows, 0);
        let delimiter = columns.style.plain.delimiter;
        for column in &mut columns.columns {
            column.put(columns.style, memo, &mut Fields { block: self, delimiter });
        }
    }

    /// The bytes of one of the rows that were put down, if it was plain and had room.
    pub(super) fn record(&mut self, row: usize, plain: &Plain) -> Option<&[u8]> {
        let stretch = &mut self.bytes[row * self.stride..][..self.stride];
        let end = plain.terminator.put(self.ends[row] - plain.delimiter.len(), stretch)?;
        Some(&stretch[..end])
    }
}

/// The fields of one column of a block, each with a delimiter behind it.
struct Fields<'b> {
    block: &'b mut Block,
    delimiter: Short,
}

impl Target for Fields<'_> {
    #[inline]
    fn each(&mut self, mut put: impl FnMut(usize, &mut [u8], usize) -> Option<usize>) {
        let Block { bytes, stride, first, ends } = &mut *self.block;
        for (row, (stretch, end)) in (*first..).zip(bytes.chunks_exact_mut(*stride).zip(ends)) {
            let put = put(row, stretch, *end).and_then(|end| self.delimiter.put(end, stretch));
            *end = put.unwrap_or(NOWHERE);
        }
    }
}

enum Data<'a> {
    Boolean(&'a BooleanArray),
    Days(&'a [i32]),
    Decimal32(&'a [i32], i8),
    Decimal64(&'a [i64], i8),
    Decimal128(&'a [i128], i8),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    LargeText(Texts<'a, i64>),
    /// What may need more than a look.
    Other,
    /// Values of other types, whose texts are looked at one by one.
    Rendered(&'a Reader<'a>, usize),
    Spelled(Spelled),
    Text(Texts<'a, i32>),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    /// The views, and the buffers of the longer texts.
    View(&'a [u8], Vec<&'a [u8]>),
}

/// Texts that lie one behind the other.
struct Texts<'a, O> {
    offsets: &'a [O],
    bytes: &'a [u8],
    /// Where they need care, in their order, from the first text on.
    places: Vec<u32>,
    base: usize,
}

/// Fields that are spelled already: for each row which of them, and where they are.
struct Spelled {
    rows: Vec<u32>,
    /// From where to where in `bytes`; none for what goes the way of single values.
    fields: Vec<Option<(u32, u32)>>,
    bytes: Vec<u8>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(batch: &'a RecordBatch, readers: &'a [Reader<'a>], dialect: &'a Plan, plain: &'a Plain) -> Self {
        let columns = batch.columns().iter().zip(readers).enumerate();
        let columns = columns.map(|(column, (array, reader))| {
            let array = &**array;
            // Of these the nulls are among what is spelled, or the array has no list of them.
            let nulls = if matches!(array.data_type(), DataType::RunEndEncoded(..)) { None } else { array.nulls() };
            let valid = nulls.map(|nulls| (nulls.validity(), nulls.offset()));
            Column { nulls: Nulls(valid), data: Data::new(array, column, reader, dialect, plain) }
        });
        let numbers = dialect.renderers.numbers();
        let style = Style {
            plan: dialect,
            plain,
            floats: numbers.map(|(floats, _)| floats).filter(|_| plain.floats),
            decimals: numbers.map(|(_, decimals)| decimals).filter(|_| plain.digits),
            null: plain.null.as_ref().filter(|_| batch.num_columns() > 1),
        };
        Self { columns: columns.collect(), style }
    }

    pub(super) fn plain(&self) -> &'a Plain {
        self.style.plain
    }

    /// How many bytes the longest of the records may take, with what moves reach beyond them.
    pub(super) fn stride(&self) -> usize {
        let longest = self.columns.iter().map(|column| match &column.data {
            Data::Text(texts) => texts.longest(),
            Data::LargeText(texts) => texts.longest(),
            Data::View(views, _) => (0..views.len() / 16).map(|row| view(views, row)[0]).max().unwrap_or_default(),
            Data::Spelled(spelled) => {
                let fields = spelled.fields.iter().flatten();
                fields.map(|(from, to)| (to - from) as usize).max().unwrap_or_default()
            }
            Data::Rendered(..) => 32,
            _ => 24,
        });
        // Quotes, a delimiter, and the last move.
        longest.map(|len| len + 8).sum::<usize>() + FIELD
    }

    /// Writes a field that is surely plain, and says where it ends.
    pub(super) fn put_field(
        &mut self,
        row: usize,
        column: usize,
        memo: &mut Memo,
        out: &mut [u8],
        at: usize,
    ) -> Option<usize> {
        let mut single = Single { row, out, at, end: None };
        self.columns[column].put(self.style, memo, &mut single);
        single.end
    }
}

impl Column<'_> {
    /// Puts fields down; the type is looked at once for all of them.
    #[inline]
    fn put(&self, style: Style<'_>, memo: &mut Memo, target: &mut impl Target) {
        let Style { plan, plain, floats, decimals, null } = style;
        let nulls = self.nulls;
        /// Each value by an expression, or null.
        macro_rules! each {
            (|$row:ident, $out:ident, $at:ident| $put:expr) => {
                target.each(|$row, $out, $at| {
                    if nulls.has($row) {
                        return null?.put($at, $out);
                    }
                    $put
                })
            };
        }
        macro_rules! integers {
            ($values:ident) => {
                each!(|row, out, at| {
                    let n = i64::try_from($values[row]).ok().filter(|_| plain.digits)?;
                    plain.numbers.put_number(at, out, |out| Some(write_integer(n, out)))
                })
            };
        }
        macro_rules! decimals {
            ($values:ident, $scale:ident) => {
                each!(|row, out, at| {
                    let (unscaled, style) = (i64::try_from($values[row]).ok()?, decimals?);
                    plain.numbers.put_number(at, out, |out| write_decimal(style, unscaled, *$scale, out))
                })
            };
        }
        match &self.data {
            Data::I8(values) => integers!(values),
            Data::I16(values) => integers!(values),
            Data::I32(values) => integers!(values),
            Data::I64(values) => integers!(values),
            Data::U8(values) => integers!(values),
            Data::U16(values) => integers!(values),
            Data::U32(values) => integers!(values),
            Data::U64(values) => integers!(values),
            Data::Decimal32(values, scale) => decimals!(values, scale),
            Data::Decimal64(values, scale) => decimals!(values, scale),
            Data::Decimal128(values, scale) => decimals!(values, scale),
            Data::Float32(values) => each!(|row, out, at| {
                let style = floats?;
                plain.numbers.put_number(at, out, |out| style.write_f32(values[row], out))
            }),
            Data::Float64(values) => each!(|row, out, at| {
                let style = floats?;
                plain.numbers.put_number(at, out, |out| style.write_f64(values[row], out))
            }),
            Data::Text(texts) => {
                let mut next = None;
                each!(|row, out, at| texts.put(row, &mut next, plain, at, out));
            }
            Data::LargeText(texts) => {
                let mut next = None;
                each!(|row, out, at| texts.put(row, &mut next, plain, at, out));
            }
            Data::View(views, buffers) => each!(|row, out, at| put_view(row, (views, buffers), plain, at, out)),
            Data::Spelled(spelled) => each!(|row, out, at| {
                let (from, to) = spelled.fields[spelled.rows[row] as usize]?;
                Enclosed::Bare.put_text(&spelled.bytes, from as usize, (to - from) as usize, at, out)
            }),
            Data::Days(values) => each!(|row, out, at| memo.date(plan, values[row])?.put(at, out)),
            Data::Boolean(array) => each!(|row, out, at| memo.boolean(plan, array.value(row))?.put(at, out)),
            Data::Rendered(reader, column) => {
                let (mut cells, mut text) = (Cells::default(), Vec::new());
                each!(|row, out, at| {
                    let value = cells.read(slice::from_ref(*reader), row).ok()?.next()?;
                    text.clear();
                    plan.renderers.append(*column, value, &mut text).ok()?;
                    plain.enclosed(&text)?.put_text(&text, 0, text.len(), at, out)
                });
            }
            Data::Other => target.each(|_, _, _| None),
        }
    }
}

impl<'a> Data<'a> {
    fn new(array: &'a dyn Array, column: usize, reader: &'a Reader<'a>, dialect: &Plan, plain: &Plain) -> Self {
        let spelled = |count: usize, rows: Vec<u32>| {
            let mut cells = Cells::default();
            Self::Spelled(Spelled::new(array, count, rows, |row| {
                let mut values = cells.read(slice::from_ref(reader), row).ok()?;
                spell_in(dialect, column, values.next()?)
            }))
        };
        match array.data_type() {
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Date32 => Self::Days(values::<Date32Type>(array)),
            DataType::Decimal32(_, scale) => Self::Decimal32(values::<Decimal32Type>(array), *scale),
            DataType::Decimal64(_, scale) => Self::Decimal64(values::<Decimal64Type>(array), *scale),
            DataType::Decimal128(_, scale) => Self::Decimal128(values::<Decimal128Type>(array), *scale),
            DataType::Float32 => Self::Float32(values::<Float32Type>(array)),
            DataType::Float64 => Self::Float64(values::<Float64Type>(array)),
            DataType::Int8 => Self::I8(values::<Int8Type>(array)),
            DataType::Int16 => Self::I16(values::<Int16Type>(array)),
            DataType::Int32 => Self::I32(values::<Int32Type>(array)),
            DataType::Int64 => Self::I64(values::<Int64Type>(array)),
            DataType::UInt8 => Self::U8(values::<UInt8Type>(array)),
            DataType::UInt16 => Self::U16(values::<UInt16Type>(array)),
            DataType::UInt32 => Self::U32(values::<UInt32Type>(array)),
            DataType::UInt64 => Self::U64(values::<UInt64Type>(array)),
            DataType::Utf8 => Texts::new(array.as_string(), plain).map_or(Self::Other, Self::Text),
            DataType::LargeUtf8 => Texts::new(array.as_string(), plain).map_or(Self::Other, Self::LargeText),
            DataType::Utf8View => {
                let array = array.as_string_view();
                Self::View(array.views().inner(), array.data_buffers().iter().map(|buffer| &**buffer).collect())
            }
            DataType::Dictionary(..) if !array.as_any_dictionary().values().is_empty() => {
                let dictionary = array.as_any_dictionary();
                let keys: Result<Vec<_>, _> = dictionary.normalized_keys().into_iter().map(u32::try_from).collect();
                keys.map_or(Self::Other, |keys| spelled(dictionary.values().len(), keys))
            }
            DataType::RunEndEncoded(ends, _) => {
                let (count, rows) = match ends.data_type() {
                    DataType::Int16 => runs(array.as_run::<Int16Type>()),
                    DataType::Int32 => runs(array.as_run::<Int32Type>()),
                    _ => runs(array.as_run::<Int64Type>()),
                };
                spelled(count, rows)
            }
            // Where quotes are a matter of need, they are so for all types.
            DataType::Date64
            | DataType::Duration(_)
            | DataType::Float16
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
                if (plain.texts, plain.numbers) == (Enclosed::Bare, Enclosed::Bare) =>
            {
                Self::Rendered(reader, column)
            }
            _ => Self::Other,
        }
    }
}

impl<'a, O: OffsetSizeTrait> Texts<'a, O> {
    /// None where they are more bytes than places can say.
    fn new(array: &'a GenericStringArray<O>, plain: &Plain) -> Option<Self> {
        let (offsets, bytes) = (array.value_offsets(), array.value_data());
        let (base, end) = (offsets.first()?.as_usize(), offsets.last()?.as_usize());
        u32::try_from(end - base).ok()?;
        let mut places = Vec::new();
        plain.scan.find_inside(&bytes[base..end], &mut places);
        Some(Self { offsets, bytes, places, base })
    }

    fn longest(&self) -> usize {
        self.offsets.windows(2).map(|ends| (ends[1] - ends[0]).as_usize()).max().unwrap_or_default()
    }

    /// Writes a text that needs no care, and says where it ends. The next place is kept for the next row.
    #[inline]
    fn put(&self, row: usize, next: &mut Option<usize>, plain: &Plain, at: usize, out: &mut [u8]) -> Option<usize> {
        let (start, end) = (self.offsets[row].as_usize(), self.offsets[row + 1].as_usize());
        if !plain.ends_hold(&self.bytes[start..end]) {
            return None;
        }
        let place = |next| self.places.get(next).map_or(usize::MAX, |&place| self.base + place as usize);
        let next = next.get_or_insert_with(|| self.places.partition_point(|&at| self.base + (at as usize) < start));
        while place(*next) < start {
            *next += 1;
        }
        let enclosed = if place(*next) < end {
            let care = (*next..).map(place).take_while(|&place| place < end);
            plain.enclosing(care.map(|place| self.bytes[place]))?
        } else {
            plain.texts
        };
        enclosed.put_text(self.bytes, start, end - start, at, out)
    }
}

/// The numbers of a view: the length, then up to twelve bytes; or four of them, the buffer, and where it begins there.
#[inline]
fn view(views: &[u8], row: usize) -> [usize; 4] {
    let (fours, _) = views[row * 16..][..16].as_chunks();
    [0, 1, 2, 3].map(|i| u32::from_le_bytes(fours[i]) as usize)
}

/// Writes the text of a view, as [`Texts::put`].
#[inline]
fn put_view(
    row: usize,
    (views, buffers): (&&[u8], &[&[u8]]),
    plain: &Plain,
    at: usize,
    out: &mut [u8],
) -> Option<usize> {
    let [len, _, buffer, start] = view(views, row);
    let (bytes, start) = if len > 12 { (*buffers.get(buffer)?, start) } else { (*views, row * 16 + 4) };
    plain.enclosed(&bytes[start..start + len])?.put_text(bytes, start, len, at, out)
}

impl Spelled {
    /// For each row one of `count` fields, which `spell` spells by a row that has it.
    fn new(array: &dyn Array, count: usize, rows: Vec<u32>, mut spell: impl FnMut(usize) -> Option<Vec<u8>>) -> Self {
        let (mut fields, mut bytes) = (vec![None; count], Vec::new());
        let mut asked = vec![false; count];
        for (row, &field) in rows.iter().enumerate() {
            let field = field as usize;
            // The key of a null may be any.
            if !array.is_null(row) && !std::mem::replace(&mut asked[field], true) {
                fields[field] = spell(row).and_then(|field| {
                    let from = u32::try_from(bytes.len()).ok()?;
                    let to = u32::try_from(bytes.len() + field.len()).ok()?;
                    bytes.extend_from_slice(&field);
                    Some((from, to))
                });
            }
        }
        Self { rows, fields, bytes }
    }
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

/// How many runs there are, and for each row in which one it is.
fn runs<E: RunEndIndexType<Native: Into<i64>>>(array: &RunArray<E>) -> (usize, Vec<u32>) {
    let ends = array.run_ends();
    let mut rows = Vec::with_capacity(array.len());
    for (run, end) in ends.values().iter().enumerate() {
        let end = usize::try_from((*end).into()).unwrap_or_default().saturating_sub(ends.offset()).min(array.len());
        rows.resize(end.max(rows.len()), u32::try_from(run).unwrap_or(u32::MAX));
    }
    (ends.values().len(), rows)
}
