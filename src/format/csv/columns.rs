//! Record batches by their columns: how the fields of a column are put down is decided once.
//!
//! Numbers and dates are spelled by loops of their own. Texts are gathered and searched all at once for what needs care.
//! Dictionaries and runs are spelled once for each of their values. What is left, and types that are seldom, is spelled
//! field by field.

use std::ops::Range;
use std::{mem, slice};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, BooleanArray, GenericStringArray, OffsetSizeTrait, RecordBatch, RunArray, StringViewArray};
use arrow_schema::DataType;

use super::block::{Block, Piece, Text};
use super::dialect::Plan;
use super::memo::Speller;
use super::numbers::{Numbers, lay_days, lay_floats};
use super::plain::{Mark, Plain, fixed_scale};
use super::rows::Desk;
use super::text::FloatText;
use crate::row::Value;
use crate::row::arrow::{Cells, Integers, Plain as Values, Reader};

/// How the fields of a batch are laid down.
pub(super) struct Columns<'s, 'a> {
    list: Vec<Column<'s, 'a>>,
    plan: &'s Plan,
    plain: &'s Plain,
    floats: Option<FloatText>,
    null: Piece,
}

struct Column<'s, 'a> {
    reader: &'s Reader<'a>,
    nulls: Nulls<'a>,
    data: Data<'s, 'a>,
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

enum Data<'s, 'a> {
    Boolean(&'a BooleanArray, [Piece; 2]),
    Days(&'a [i32]),
    /// With so many digits behind the point.
    Fixed(&'s Integers<'a>, u8),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Integers(&'s Integers<'a>),
    LargeText(&'a GenericStringArray<i64>),
    Other,
    /// The fields are laid down already, and it is known which one each row has.
    Picked(Vec<u32>, Vec<Piece>),
    Text(&'a GenericStringArray<i32>),
    TextView(&'a StringViewArray),
}

impl<'s, 'a> Columns<'s, 'a> {
    /// None where the dialect has no short way, or there are no columns.
    pub(super) fn new(
        batch: &'a RecordBatch,
        readers: &'s [Reader<'a>],
        dialect: &'s Plan,
        desk: &mut Desk,
    ) -> Option<Self> {
        let plain = dialect.plain.as_ref().filter(|_| !readers.is_empty())?;
        desk.block.begin(readers.len());
        let columns = batch.columns().iter().zip(readers).enumerate();
        let columns = columns.map(|(column, (array, reader))| {
            // Of runs the nulls are among what is spelled.
            let nulls = if matches!(array.data_type(), DataType::RunEndEncoded(..)) { None } else { array.nulls() };
            let nulls = Nulls(nulls.map(|nulls| (nulls.validity(), nulls.offset())));
            let Desk { block, speller, .. } = &mut *desk;
            let keeper = Keeper { plan: dialect, column, alone: readers.len() == 1, block, speller };
            Column { reader, nulls, data: Data::new(array, reader, dialect, plain, keeper) }
        });
        let columns = columns.collect();
        let null = plain.null.as_ref().filter(|_| readers.len() > 1);
        Some(Self {
            list: columns,
            plan: dialect,
            plain,
            floats: dialect.renderers.numbers().map(|(floats, _)| floats).filter(|_| plain.floats),
            null: null.map_or(Piece::NONE, |null| desk.block.keep(null.as_bytes())),
        })
    }

    /// What is behind each field, and behind the last one.
    pub(super) fn ends(&self) -> (Mark, Mark) {
        self.plain.ends
    }

    /// Lays down rows, as many as it says, from the first one on.
    pub(super) fn lay(&self, rows: Range<usize>, desk: &mut Desk) -> usize {
        let rows = rows.start..rows.start + desk.block.clear(rows.len());
        for (index, column) in self.list.iter().enumerate() {
            self.lay_column(index, column, rows.clone(), desk);
            if let Nulls(Some(_)) = column.nulls {
                desk.block.replace(index, self.null, |row| column.nulls.has(rows.start + row));
            }
            for row in desk.block.missing(index) {
                self.spell(index, column, row, rows.start, desk);
            }
        }
        desk.block.end();
        rows.len()
    }

    fn lay_column(&self, index: usize, column: &Column<'s, 'a>, rows: Range<usize>, desk: &mut Desk) {
        let Desk { block, numbers, memo, .. } = desk;
        let enclosed = self.plain.numbers;
        match &column.data {
            Data::Integers(values) => {
                numbers.fill(|out| values.widen(rows, Numbers::UNKNOWN, out)).lay_integers(enclosed, index, block);
            }
            Data::Fixed(values, scale) => {
                numbers.fill(|out| values.widen(rows, Numbers::UNKNOWN, out)).lay_fixed(*scale, enclosed, index, block);
            }
            Data::Float32(values) => {
                lay_floats(&values[rows], self.floats, FloatText::write_f32, enclosed, index, block);
            }
            Data::Float64(values) => numbers.lay_doubles(&values[rows], self.floats, enclosed, index, block),
            Data::Days(values) => lay_days(values[rows].iter().copied().map(Some), self.plan, memo, index, block),
            Data::Boolean(array, fields) => {
                block.pick(index, rows, |row| fields[usize::from(array.value(row))]);
            }
            Data::Picked(picks, fields) => lay_picked(&picks[rows], fields, index, block),
            Data::Text(array) => lay_texts(array, rows, self.plain, index, block),
            Data::LargeText(array) => lay_texts(array, rows, self.plain, index, block),
            Data::TextView(array) => lay_views(array, rows, column.nulls, self.plain, index, block),
            Data::Other => block.pick(index, rows, |_| Piece::NONE),
        }
    }

    /// Spells a field by all the rules.
    #[cold]
    fn spell(&self, index: usize, column: &Column<'s, 'a>, row: usize, first: usize, desk: &mut Desk) {
        let mut cells = Cells::default();
        let Ok(mut values) = cells.read(slice::from_ref(column.reader), first + row) else { return };
        let field = values.next().and_then(|value| desk.speller.spell(self.plan, index, value));
        // A record of one empty field may be no bytes at all.
        if let Some(field) = field.filter(|field| !field.is_empty() || self.list.len() > 1) {
            desk.block.add(row, index, field);
        }
    }
}

#[inline(never)]
fn lay_picked(picks: &[u32], fields: &[Piece], column: usize, block: &mut Block) {
    block.pick(column, picks, |&pick| fields[pick as usize]);
}

#[inline(never)]
fn lay_texts<O: OffsetSizeTrait>(
    array: &GenericStringArray<O>,
    rows: Range<usize>,
    plain: &Plain,
    column: usize,
    block: &mut Block,
) {
    let (offsets, bytes) = (&array.value_offsets()[rows.start..=rows.end], array.value_data());
    let ends = offsets.windows(2).map(|ends| (ends[0].as_usize(), ends[1].as_usize()));
    block.gather(column, plain, ends.map(|(start, end)| Text::At(bytes, start, end - start)));
}

#[inline(never)]
fn lay_views(
    array: &StringViewArray,
    rows: Range<usize>,
    nulls: Nulls<'_>,
    plain: &Plain,
    column: usize,
    block: &mut Block,
) {
    let texts = array.views()[rows.clone()].iter().zip(rows).map(|(&view, row)| {
        let [len, _, buffer, start] = split(view);
        if len <= 12 {
            Text::Short((view >> 32).to_le_bytes(), len)
        } else if nulls.has(row) {
            // The view of a null may be anything.
            Text::Short([0; 16], 0)
        } else {
            Text::At(&array.data_buffers()[buffer], start, len)
        }
    });
    block.gather(column, plain, texts);
}

/// The numbers of a view: the length, then up to twelve bytes; or four of them, the buffer, and where it begins there.
#[inline]
fn split(view: u128) -> [usize; 4] {
    #[expect(clippy::cast_possible_truncation, reason = "each of the four is taken by itself")]
    [0, 32, 64, 96].map(|shift| (view >> shift) as u32 as usize)
}

impl<'s, 'a> Data<'s, 'a> {
    fn new(
        array: &'a dyn Array,
        reader: &'s Reader<'a>,
        dialect: &Plan,
        plain: &Plain,
        mut keeper: Keeper<'_>,
    ) -> Self {
        match array.data_type() {
            DataType::Dictionary(..) if !array.as_any_dictionary().values().is_empty() => {
                let dictionary = array.as_any_dictionary();
                let keys: Result<Vec<_>, _> = dictionary.normalized_keys().into_iter().map(u32::try_from).collect();
                let count = dictionary.values().len();
                return keys.map_or(Self::Other, |keys| picked(array, reader, count, keys, keeper));
            }
            DataType::RunEndEncoded(ends, _) => {
                let (count, rows) = match ends.data_type() {
                    DataType::Int16 => runs(array.as_run::<Int16Type>()),
                    DataType::Int32 => runs(array.as_run::<Int32Type>()),
                    _ => runs(array.as_run::<Int64Type>()),
                };
                return picked(array, reader, count, rows, keeper);
            }
            _ => {}
        }
        match reader.plain() {
            Some(Values::Boolean(array)) => {
                Self::Boolean(array, [false, true].map(|value| keeper.keep(Value::Boolean(value))))
            }
            Some(Values::Days(values)) => Self::Days(values),
            Some(Values::Decimal(values, scale)) if plain.digits => {
                let style = dialect.renderers.numbers().map(|(_, decimals)| decimals);
                match style.and_then(|style| fixed_scale(style, *scale)) {
                    None => Self::Other,
                    Some(0) => Self::Integers(values),
                    Some(scale) => Self::Fixed(values, scale),
                }
            }
            Some(Values::Float32(values)) => Self::Float32(values),
            Some(Values::Float64(values)) => Self::Float64(values),
            Some(Values::Integer(values)) if plain.digits => Self::Integers(values),
            Some(Values::LargeText(array)) => Self::LargeText(array),
            Some(Values::Text(array)) => Self::Text(array),
            Some(Values::TextView(array)) => Self::TextView(array),
            _ => Self::Other,
        }
    }
}

/// Lays down fields of one column for all rows.
struct Keeper<'k> {
    plan: &'k Plan,
    column: usize,
    /// There is no other column.
    alone: bool,
    block: &'k mut Block,
    speller: &'k mut Speller,
}

impl Keeper<'_> {
    fn keep(&mut self, value: Value<'_>) -> Piece {
        let field = self.speller.spell(self.plan, self.column, value);
        field.filter(|field| !self.alone || !field.is_empty()).map_or(Piece::NONE, |field| self.block.keep(field))
    }
}

/// For each row one of `count` fields, spelled by the first row that has it.
fn picked<'s, 'a>(
    array: &dyn Array,
    reader: &Reader<'_>,
    count: usize,
    rows: Vec<u32>,
    mut keeper: Keeper<'_>,
) -> Data<'s, 'a> {
    let mut cells = Cells::default();
    let mut fields = vec![Piece::NONE; count];
    let mut asked = vec![false; count];
    for (row, &field) in rows.iter().enumerate() {
        let field = field as usize;
        // The key of a null may be any.
        if !array.is_null(row) && !mem::replace(&mut asked[field], true) {
            let values = cells.read(slice::from_ref(reader), row);
            fields[field] =
                values.ok().and_then(|mut values| values.next()).map_or(Piece::NONE, |value| keeper.keep(value));
        }
    }
    Data::Picked(rows, fields)
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
