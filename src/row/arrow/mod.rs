//! The cells of Arrow's record batches as values.
//!
//! A [`Reader`] is made once for a column of a batch and knows its type; a [`Cells`] holds the values of one row, and
//! what of them does not lie in the arrays: JSON, and decimals of 256 bits.

mod nested;
mod plain;
mod size;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, RunArray, UnionArray};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use self::nested::Nested;
pub(crate) use self::plain::{Integers, Plain};
pub(crate) use self::size::fitting;
use super::Value;

/// How deep types may be nested. They are read by recursion, and nobody needs more.
const MAX_DEPTH: usize = 64;

/// What a dialect has to know of a type before it takes a column of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// An interval of both months and days.
    Interval,
    /// A list, map or struct.
    Nested,
    Plain,
}

/// What kind of values columns of this type hold, or why they cannot be written.
pub(crate) fn kind(data_type: &DataType) -> Result<Kind, String> {
    kind_at(data_type, 0)
}

fn kind_at(data_type: &DataType, depth: usize) -> Result<Kind, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the column's type is nested more than {MAX_DEPTH} deep: expected a flatter type"));
    }
    let inner = |data_type: &DataType| kind_at(data_type, depth + 1);
    match data_type {
        DataType::Dictionary(_, values) => inner(values),
        DataType::RunEndEncoded(_, values) => inner(values.data_type()),
        DataType::Union(fields, _) => {
            fields.iter().try_for_each(|(_, field)| inner(field.data_type()).map(drop)).map(|()| Kind::Plain)
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => inner(field.data_type()).map(|_| Kind::Nested),
        DataType::Struct(fields) => {
            fields.iter().try_for_each(|field| inner(field.data_type()).map(drop)).map(|()| Kind::Nested)
        }
        DataType::Map(entries, _) => {
            inner(entries.data_type())?;
            let key = match entries.data_type() {
                DataType::Struct(fields) => fields.first().map(|field| field.data_type()),
                _ => None,
            };
            match key.map(inner) {
                Some(Ok(Kind::Plain | Kind::Interval)) => Ok(Kind::Nested),
                _ => Err(format!(
                    "JSON has no text for the column's type {data_type}: expected keys that are not nested"
                )),
            }
        }
        DataType::Interval(IntervalUnit::DayTime | IntervalUnit::MonthDayNano) => Ok(Kind::Interval),
        DataType::Time32(TimeUnit::Microsecond | TimeUnit::Nanosecond)
        | DataType::Time64(TimeUnit::Second | TimeUnit::Millisecond) => {
            Err(format!("Arrow has no arrays of the column's type {data_type}: expected another unit"))
        }
        _ => Ok(Kind::Plain),
    }
}

/// Reads the cells of one column, or of what is inside of one.
pub(crate) struct Reader<'a> {
    array: &'a dyn Array,
    data: Data<'a>,
}

enum Data<'a> {
    Dictionary(Integers<'a>, Box<Reader<'a>>),
    Nested(Nested<'a>),
    Plain(Plain<'a>),
    Runs(Runs<'a>, Box<Reader<'a>>),
    /// With the reader of each type, which a type id may leave out.
    Union(&'a UnionArray, Vec<(i8, Reader<'a>)>),
}

enum Runs<'a> {
    Short(&'a RunArray<Int16Type>),
    Int(&'a RunArray<Int32Type>),
    Long(&'a RunArray<Int64Type>),
}

impl<'a> Reader<'a> {
    /// A reader of an array whose type has a [`kind`].
    pub(crate) fn new(array: &'a dyn Array) -> Self {
        let data = match array.data_type() {
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = Integers::of(dictionary.keys()).expect("the keys of dictionaries are integers");
                Data::Dictionary(keys, Self::boxed(dictionary.values()))
            }
            DataType::RunEndEncoded(ends, _) => {
                let (runs, values) = match ends.data_type() {
                    DataType::Int16 => (Runs::Short(array.as_run()), array.as_run::<Int16Type>().values()),
                    DataType::Int32 => (Runs::Int(array.as_run()), array.as_run::<Int32Type>().values()),
                    _ => (Runs::Long(array.as_run()), array.as_run::<Int64Type>().values()),
                };
                Data::Runs(runs, Self::boxed(values))
            }
            DataType::Union(fields, _) => {
                let union = array.as_union();
                Data::Union(union, fields.iter().map(|(id, _)| (id, Self::new(union.child(id)))).collect())
            }
            _ => match Nested::new(array) {
                Some(nested) => Data::Nested(nested),
                None => Data::Plain(Plain::new(array)),
            },
        };
        Self { array, data }
    }

    /// The values, if they hold no others.
    pub(crate) fn plain(&self) -> Option<&Plain<'a>> {
        match &self.data {
            Data::Plain(plain) => Some(plain),
            _ => None,
        }
    }

    fn boxed(array: &'a dyn Array) -> Box<Self> {
        Box::new(Self::new(array))
    }

    /// Where the value of a row lies: through dictionaries, runs and unions; none for null.
    fn locate(&self, row: usize) -> Option<(&Self, usize)> {
        if self.array.is_null(row) {
            return None;
        }
        match &self.data {
            Data::Nested(_) | Data::Plain(_) => Some((self, row)),
            Data::Dictionary(keys, values) => {
                values.locate(usize::try_from(keys.get(row)).expect("Arrow has checked the keys"))
            }
            Data::Runs(runs, values) => values.locate(match runs {
                Runs::Short(runs) => runs.get_physical_index(row),
                Runs::Int(runs) => runs.get_physical_index(row),
                Runs::Long(runs) => runs.get_physical_index(row),
            }),
            Data::Union(union, types) => of_type(types, union.type_id(row)).locate(union.value_offset(row)),
        }
    }

    /// Reads a cell; what of it is JSON is appended.
    fn cell(&self, row: usize, json: &mut String) -> Result<Cell<'a>, Unreadable> {
        match self.locate(row) {
            None => Ok(Cell::Value(Value::Null)),
            Some((Self { data: Data::Plain(plain), .. }, row)) => plain.cell(row),
            Some((reader, row)) => {
                let start = json.len();
                reader.json(row, json)?;
                Ok(Cell::Json(start, json.len()))
            }
        }
    }

    /// Appends a cell as JSON.
    fn json(&self, row: usize, out: &mut String) -> Result<(), Unreadable> {
        match self.locate(row) {
            None => out.push_str("null"),
            Some((Self { data: Data::Nested(nested), .. }, row)) => nested.json(row, out)?,
            Some((Self { data: Data::Plain(plain), .. }, row)) => plain.json(row, out)?,
            Some(_) => unreachable!("a value lies in a plain or a nested array"),
        }
        Ok(())
    }
}

fn of_type<'t, 'a>(types: &'t [(i8, Reader<'a>)], id: i8) -> &'t Reader<'a> {
    let (_, reader) = types.iter().find(|(of, _)| *of == id).expect("Arrow has checked the type ids");
    reader
}

/// The cells of one row.
#[derive(Default)]
pub(crate) struct Cells<'a> {
    cells: Vec<Cell<'a>>,
    json: String,
}

#[derive(Clone, Copy)]
enum Cell<'a> {
    Value(Value<'a>),
    /// From where to where in the row's JSON.
    Json(usize, usize),
    Decimal256([u8; 32], i8),
}

/// What of Arrow's types allows more than is a value.
pub(crate) struct Unreadable {
    /// What is wrong, and what would be right.
    pub(crate) what: String,
    /// The number in the array.
    raw: i128,
}

impl<'a> Cells<'a> {
    /// Reads a row, and gives its values; where a cell has none, its column and the reason.
    pub(crate) fn read(
        &mut self,
        readers: &[Reader<'a>],
        row: usize,
    ) -> Result<impl ExactSizeIterator<Item = Value<'_>>, (usize, Unreadable)> {
        self.cells.clear();
        self.json.clear();
        for (column, reader) in readers.iter().enumerate() {
            self.cells.push(reader.cell(row, &mut self.json).map_err(|why| (column, why))?);
        }
        Ok(self.values())
    }

    /// Reads a row that cannot be written: where a cell has no value, the number in the array stands for it, and null
    /// for a nested one.
    pub(crate) fn read_raw(&mut self, readers: &[Reader<'a>], row: usize) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.cells.clear();
        self.json.clear();
        for reader in readers {
            let start = self.json.len();
            self.cells.push(reader.cell(row, &mut self.json).unwrap_or_else(|why| {
                let nested = self.json.len() > start;
                self.json.truncate(start);
                Cell::Value(if nested { Value::Null } else { Value::Integer(why.raw) })
            }));
        }
        self.values()
    }

    fn values(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.cells.iter().map(|cell| match cell {
            Cell::Value(value) => *value,
            Cell::Json(start, end) => Value::Nested(&self.json[*start..*end]),
            Cell::Decimal256(unscaled, scale) => Value::Decimal256 { unscaled, scale: *scale },
        })
    }
}
