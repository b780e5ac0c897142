//! How large cells are, about: how many bytes their texts may take.

use std::ops::Range;

use arrow_array::OffsetSizeTrait;

use super::nested::{Nested, Ranges};
use super::plain::Plain;
use super::{Data, Reader};

/// What a cell takes whose text has a bound: most do not take more, with the delimiter behind it.
const CELL: usize = 16;

/// How many of the rows from `start` on are as large as `bytes` at most, but one at least, and how large those are.
/// More than `most` are not looked at.
pub(crate) fn fitting(readers: &[Reader<'_>], start: usize, most: usize, bytes: usize) -> (usize, usize) {
    let mut rows = most;
    loop {
        let size = readers.iter().map(|reader| reader.size(start..start + rows)).sum();
        if size <= bytes || rows <= 1 {
            return (rows, size);
        }
        rows /= 2;
    }
}

impl Reader<'_> {
    fn size(&self, rows: Range<usize>) -> usize {
        match &self.data {
            Data::Plain(plain) => rows.len() * CELL + plain.size(rows),
            // What stands for a value may be much smaller than the value.
            Data::Dictionary(..) | Data::Runs(..) | Data::Union(..) => {
                let located = rows.map(|row| self.locate(row));
                located.map(|at| at.map_or(CELL, |(reader, row)| reader.size(row..row + 1))).sum()
            }
            Data::Nested(nested) => rows.len() * CELL + nested.size(rows),
        }
    }
}

impl Nested<'_> {
    fn size(&self, rows: Range<usize>) -> usize {
        match self {
            Self::List(ranges, values) => ranges.sum(rows, &mut |range| values.size(range)),
            Self::Map { offsets, keys, values } => {
                Ranges::Short(offsets).sum(rows, &mut |range| keys.size(range.clone()) + values.size(range))
            }
            Self::Struct(fields) => {
                fields.iter().map(|(name, values)| rows.len() * name.len() + values.size(rows.clone())).sum()
            }
        }
    }
}

impl Ranges<'_> {
    /// Adds up the sizes of what lists hold; the same of it may be in several.
    fn sum(&self, rows: Range<usize>, size: &mut dyn FnMut(Range<usize>) -> usize) -> usize {
        match self {
            Self::LongViews(..) | Self::ShortViews(..) => rows.map(|row| size(self.of(row))).sum(),
            _ if rows.is_empty() => 0,
            _ => size(self.of(rows.start).start..self.of(rows.end - 1).end),
        }
    }
}

impl Plain<'_> {
    fn size(&self, rows: Range<usize>) -> usize {
        match self {
            Self::Binary(array) => between(array.value_offsets(), rows),
            Self::BinaryView(array) => rows.map(|row| array.value(row).len()).sum(),
            Self::FixedSizeBinary(array) => rows.len() * usize::try_from(array.value_length()).unwrap_or_default(),
            Self::LargeBinary(array) => between(array.value_offsets(), rows),
            Self::LargeText(array) => between(array.value_offsets(), rows),
            Self::Text(array) => between(array.value_offsets(), rows),
            Self::TextView(array) => rows.map(|row| array.value(row).len()).sum(),
            // Most digits: those of the numbers themselves.
            Self::Decimal256(..) => rows.len() * 64,
            _ => 0,
        }
    }
}

fn between<O: OffsetSizeTrait>(offsets: &[O], rows: Range<usize>) -> usize {
    (offsets[rows.end] - offsets[rows.start]).to_usize().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::{Int8Type, Int32Type};
    use arrow_array::{Array, DictionaryArray, Int8Array, Int32Array, ListArray, StringArray};

    use super::{Reader, fitting};

    #[track_caller]
    fn check(array: &dyn Array, start: usize, expected: (usize, usize)) {
        assert_eq!(fitting(&[Reader::new(array)], start, array.len() - start, 1_000), expected);
    }

    #[test]
    fn rows_fit_by_what_they_are_written_as() {
        check(&Int32Array::from(vec![0; 100]), 0, (50, 800));
        check(&Int32Array::from(vec![0; 100]), 90, (10, 160));
        check(&Int32Array::from(vec![0; 0]), 0, (0, 0));
        let long = "x".repeat(400);
        check(&StringArray::from(vec!["a", "b", &long, &long, &long]), 0, (2, 34));
        check(&StringArray::from(vec![long.repeat(10)]), 0, (1, 4_016));
        // A value counts as often as it is written.
        let values = Arc::new(StringArray::from(vec![long.as_str()]));
        let keys = Int8Array::from(vec![Some(0), None, Some(0), Some(0), Some(0), Some(0), Some(0), Some(0)]);
        check(&DictionaryArray::<Int8Type>::try_new(keys, values).unwrap(), 0, (2, 432));
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>((0..20).map(|_| Some(vec![Some(1); 10])));
        check(&list, 0, (5, 5 * 11 * 16));
    }
}
