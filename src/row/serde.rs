//! Rows from values of any [`Serialize`] type.
//!
//! A struct or a map gives the names of the columns with its first row; every later row must have the same fields in
//! the same order. A tuple or a sequence gives fields without names.

use std::fmt;

use ::serde::ser::{self, Impossible, Serialize};

use super::batch::{Cell, Known};
use super::{Batch, RowError, RowErrorKind, Value};

/// The names of the fields of the rows of an input, as far as they are known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum FieldNames {
    /// No row has come yet.
    #[default]
    Unknown,
    /// Rows are sequences of fields; the table has no names for them.
    Unnamed,
    /// The names, in the order of the fields.
    Named(Vec<String>),
}

impl Batch {
    /// Adds a row from a struct, map, tuple or sequence.
    ///
    /// | value | field |
    /// |---|---|
    /// | `None`, `()` | null |
    /// | `bool`, integers, floats | the same, typed |
    /// | `&str`, `char`, unit variants | text |
    /// | bytes | binary |
    /// | sequences, maps, structs, other variants | nested, as JSON text |
    ///
    /// The first row decides the number of fields and, where it has names, the names.
    ///
    /// ```
    /// use consign::row::{Batch, FieldNames, Value};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Airport { faa: &'static str, alt: i32, tags: Vec<&'static str>, closed: Option<u16> }
    ///
    /// let (mut batch, mut names) = (Batch::default(), FieldNames::Unknown);
    /// batch.push_row(&Airport { faa: "04G", alt: 1044, tags: vec!["ohio"], closed: None }, &mut names)?;
    /// assert_eq!(names, FieldNames::Named(["faa", "alt", "tags", "closed"].map(String::from).to_vec()));
    /// assert_eq!(
    ///     batch.row(0).collect::<Vec<_>>(),
    ///     [Value::Text("04G"), Value::Integer(1044), Value::Nested(r#"["ohio"]"#), Value::Null],
    /// );
    /// # Ok::<(), consign::row::RowError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value is no struct, map, tuple or sequence, when its fields differ from those of the rows before, or
    /// when it takes more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn push_row<T: Serialize + ?Sized>(&mut self, row: &T, names: &mut FieldNames) -> Result<(), RowError> {
        let mut first = (*names == FieldNames::Unknown).then(Vec::new);
        let known = std::mem::take(names);
        let mut known_names = match known {
            FieldNames::Named(list) => Some(list),
            FieldNames::Unknown | FieldNames::Unnamed => None,
        };
        let pushed = self.whole_row(|batch| {
            let mut fields =
                Fields { batch: &mut *batch, expected: known_names.as_deref(), first: first.as_mut(), named: 0 };
            row.serialize(Row(&mut fields))?;
            if first.is_some() {
                let found = batch.open_fields();
                batch.set_width(found);
            }
            Ok::<(), Stop>(())
        });
        *names = match (&pushed, first) {
            (Ok(()), Some(found)) if found.is_empty() => FieldNames::Unnamed,
            (Ok(()), Some(found)) => FieldNames::Named(found),
            (Err(_), Some(_)) => FieldNames::Unknown,
            (_, None) => known_names.take().map_or(FieldNames::Unnamed, FieldNames::Named),
        };
        pushed.map_err(|stop| match stop {
            Stop::Nested => RowError::new(RowErrorKind::Unsupported { what: "a nested value stopped the row".into() }),
            Stop::Row(error) => error,
        })
    }
}

/// Why a serializer stopped: an error, or a value that has to be written as JSON by whoever holds it whole.
#[derive(Debug)]
enum Stop {
    Nested,
    Row(RowError),
}

impl From<RowError> for Stop {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nested => f.write_str("a nested value"),
            Self::Row(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Row(RowError::new(RowErrorKind::Unsupported { what: text.to_string() }))
    }
}

/// The fields of the row that is being added.
struct Fields<'a> {
    batch: &'a mut Batch,
    expected: Option<&'a [String]>,
    first: Option<&'a mut Vec<String>>,
    named: usize,
}

impl Fields<'_> {
    /// The name of a struct's field: where it lies in memory, it stays.
    #[inline]
    fn static_name(&mut self, name: &'static str) -> Result<(), Stop> {
        let at = self.named;
        let expected = self.expected.and_then(|names| names.get(at)).map_or(0, |name| name.as_ptr().addr());
        let (place, len) = (name.as_ptr().addr(), name.len());
        if self.first.is_none()
            && let Some(known) = self.batch.known.get(at)
            && known.place == place
            && known.len == len
            && known.expected == expected
        {
            self.named += 1;
            return Ok(());
        }
        self.learn_name(name, Known { place, len, expected })
    }

    #[cold]
    fn learn_name(&mut self, name: &str, known: Known) -> Result<(), Stop> {
        let at = self.named;
        self.name(name)?;
        self.batch.known.truncate(at);
        if self.first.is_none() && self.batch.known.len() == at {
            self.batch.known.push(known);
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), Stop> {
        if let Some(first) = &mut self.first {
            first.push(name.to_owned());
        } else if let Some(expected) = self.expected.and_then(|names| names.get(self.named))
            && expected != name
        {
            {
                return Err(
                    RowError::new(RowErrorKind::Name { expected: expected.clone(), found: name.to_owned() }).into()
                );
            }
        }
        self.named += 1;
        Ok(())
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        match value.serialize(Field(self.batch)) {
            Err(Stop::Nested) => {
                let json = serde_json::to_string(value).map_err(<Stop as ser::Error>::custom)?;
                Ok(self.batch.push_value(Value::Nested(&json))?)
            }
            other => other,
        }
    }
}

/// Takes the row as a whole.
struct Row<'a, 'b>(&'a mut Fields<'b>);

/// Refuses what is no row.
macro_rules! no_row {
    ($($method:ident($($kind:ty)?) $what:literal,)*) => {$(
        fn $method(self $(, _: $kind)?) -> Result<(), Stop> {
            Err(no_row($what))
        }
    )*};
}

fn no_row(what: &str) -> Stop {
    ser::Error::custom(format_args!("a row must be a struct, map, tuple or sequence, not {what}"))
}

impl<'a, 'b> ser::Serializer for Row<'a, 'b> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Open<'a, 'b>;
    type SerializeTuple = Open<'a, 'b>;
    type SerializeTupleStruct = Open<'a, 'b>;
    type SerializeTupleVariant = Impossible<(), Stop>;
    type SerializeMap = Open<'a, 'b>;
    type SerializeStruct = Open<'a, 'b>;
    type SerializeStructVariant = Impossible<(), Stop>;

    no_row! {
        serialize_bool(bool) "a boolean",
        serialize_i8(i8) "an integer",
        serialize_i16(i16) "an integer",
        serialize_i32(i32) "an integer",
        serialize_i64(i64) "an integer",
        serialize_u8(u8) "an integer",
        serialize_u16(u16) "an integer",
        serialize_u32(u32) "an integer",
        serialize_u64(u64) "an integer",
        serialize_f32(f32) "a float",
        serialize_f64(f64) "a float",
        serialize_char(char) "a character",
        serialize_str(&str) "text",
        serialize_bytes(&[u8]) "bytes",
        serialize_none() "null",
        serialize_unit() "null",
        serialize_unit_struct(&'static str) "a unit struct",
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Stop> {
        Err(no_row("an enum"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stop> {
        Err(no_row("an enum"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a, 'b>, Stop> {
        Ok(Open(self.0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a, 'b>, Stop> {
        Ok(Open(self.0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'a, 'b>, Stop> {
        Ok(Open(self.0))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Stop>, Stop> {
        Err(no_row("an enum"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a, 'b>, Stop> {
        Ok(Open(self.0))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a, 'b>, Stop> {
        Ok(Open(self.0))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Stop>, Stop> {
        Err(no_row("an enum"))
    }
}

/// The row, open for its fields.
struct Open<'a, 'b>(&'a mut Fields<'b>);

impl ser::SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.0.value(value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

impl ser::SerializeTuple for Open<'_, '_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.0.value(value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

impl ser::SerializeTupleStruct for Open<'_, '_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.0.value(value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

impl ser::SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        match serde_json::to_value(key) {
            Ok(serde_json::Value::String(name)) => self.0.name(&name),
            Ok(other) => self.0.name(&other.to_string()),
            Err(error) => Err(ser::Error::custom(error)),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.0.value(value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

impl ser::SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = Stop;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Stop> {
        self.0.static_name(key)?;
        self.0.value(value)
    }

    /// A field left out by `skip_serializing_if` is null: the column stays where it is.
    fn skip_field(&mut self, key: &'static str) -> Result<(), Stop> {
        self.0.static_name(key)?;
        Ok(self.0.batch.push_null()?)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

/// Takes one field.
struct Field<'a>(&'a mut Batch);

macro_rules! integers {
    ($($method:ident($kind:ty),)*) => {$(
        #[inline]
        fn $method(self, value: $kind) -> Result<(), Stop> {
            match i64::try_from(value) {
                Ok(value) => self.0.push_cell(Cell::Integer(value)),
                Err(_) => self.0.push_value(Value::Integer(value.into()))?,
            }
            Ok(())
        }
    )*};
}

impl ser::Serializer for Field<'_> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Impossible<(), Stop>;
    type SerializeTuple = Impossible<(), Stop>;
    type SerializeTupleStruct = Impossible<(), Stop>;
    type SerializeTupleVariant = Impossible<(), Stop>;
    type SerializeMap = Impossible<(), Stop>;
    type SerializeStruct = Impossible<(), Stop>;
    type SerializeStructVariant = Impossible<(), Stop>;

    integers! {
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
    }

    fn serialize_u128(self, value: u128) -> Result<(), Stop> {
        let value = i128::try_from(value).map_err(|_| {
            <Stop as ser::Error>::custom(format_args!("{value} is larger than the largest integer, {}", i128::MAX))
        })?;
        Ok(self.0.push_value(Value::Integer(value))?)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Boolean(value))?)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Float32(value))?)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Stop> {
        self.0.push_cell(Cell::Float64(value));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Text(value.encode_utf8(&mut [0; 4])))?)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Stop> {
        Ok(self.0.push_text_bytes(value.as_bytes())?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Binary(value))?)
    }

    fn serialize_none(self) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Null)?)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Null)?)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Null)?)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Stop> {
        Ok(self.0.push_value(Value::Text(variant))?)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stop> {
        Err(Stop::Nested)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }

    fn serialize_tuple(self, _: usize) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Stop>, Stop> {
        Err(Stop::Nested)
    }
}
