//! Lists, maps and structs, which are JSON in a cell.

use std::ops::Range;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;

use super::plain::push_text;
use super::{Reader, Unreadable};

/// An array of values that hold others.
pub(super) enum Nested<'a> {
    List(Ranges<'a>, Box<Reader<'a>>),
    Map { offsets: &'a [i32], keys: Box<Reader<'a>>, values: Box<Reader<'a>> },
    Struct(Vec<(&'a str, Reader<'a>)>),
}

/// Which of the values of an array are those of one list.
pub(super) enum Ranges<'a> {
    Fixed(usize),
    Long(&'a [i64]),
    LongViews(&'a [i64], &'a [i64]),
    Short(&'a [i32]),
    ShortViews(&'a [i32], &'a [i32]),
}

impl Ranges<'_> {
    pub(super) fn of(&self, row: usize) -> Range<usize> {
        match self {
            Self::Fixed(size) => row * size..(row + 1) * size,
            Self::Long(offsets) => index(offsets[row])..index(offsets[row + 1]),
            Self::LongViews(starts, sizes) => index(starts[row])..index(starts[row] + sizes[row]),
            Self::Short(offsets) => index(offsets[row])..index(offsets[row + 1]),
            Self::ShortViews(starts, sizes) => index(starts[row])..index(starts[row] + sizes[row]),
        }
    }
}

fn index(offset: impl TryInto<usize>) -> usize {
    offset.try_into().ok().expect("Arrow has checked the offsets")
}

impl<'a> Nested<'a> {
    /// None for an array of values that hold no others.
    pub(super) fn new(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Self::List(Ranges::Short(list.value_offsets()), Reader::boxed(list.values()))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                Self::List(Ranges::Long(list.value_offsets()), Reader::boxed(list.values()))
            }
            DataType::ListView(_) => {
                let list = array.as_list_view::<i32>();
                Self::List(Ranges::ShortViews(list.value_offsets(), list.value_sizes()), Reader::boxed(list.values()))
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view::<i64>();
                Self::List(Ranges::LongViews(list.value_offsets(), list.value_sizes()), Reader::boxed(list.values()))
            }
            DataType::FixedSizeList(_, size) => {
                let size = usize::try_from(*size).expect("Arrow has checked the size");
                Self::List(Ranges::Fixed(size), Reader::boxed(array.as_fixed_size_list().values()))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (keys, values) = (Reader::boxed(map.keys()), Reader::boxed(map.values()));
                Self::Map { offsets: map.value_offsets(), keys, values }
            }
            DataType::Struct(fields) => {
                let names = fields.iter().map(|field| field.name().as_str());
                let columns = array.as_struct().columns().iter().map(|column| Reader::new(column));
                Self::Struct(names.zip(columns).collect())
            }
            _ => return None,
        })
    }

    /// Appends a value as JSON.
    pub(super) fn json(&self, row: usize, out: &mut String) -> Result<(), Unreadable> {
        match self {
            Self::List(ranges, values) => {
                out.push('[');
                for (i, value) in ranges.of(row).enumerate() {
                    comma(i, out);
                    values.json(value, out)?;
                }
                out.push(']');
            }
            Self::Map { offsets, keys, values } => {
                out.push('{');
                for (i, entry) in Ranges::Short(offsets).of(row).enumerate() {
                    comma(i, out);
                    let start = out.len();
                    keys.json(entry, out)?;
                    // The names of members are texts, whatever the keys are.
                    if !out[start..].starts_with('"') {
                        out.insert(start, '"');
                        out.push('"');
                    }
                    out.push(':');
                    values.json(entry, out)?;
                }
                out.push('}');
            }
            Self::Struct(fields) => {
                out.push('{');
                for (i, (name, values)) in fields.iter().enumerate() {
                    comma(i, out);
                    push_text(name, out);
                    out.push(':');
                    values.json(row, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

/// Appends what stands before all members but the first.
fn comma(member: usize, out: &mut String) {
    if member > 0 {
        out.push(',');
    }
}
