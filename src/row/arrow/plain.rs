//! Arrays whose values hold no others.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTime, IntervalDayTimeType,
    IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalYearMonthType, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, LargeBinaryArray, LargeStringArray,
    PrimitiveArray, StringArray, StringViewArray,
};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveTime;
use serde::Serialize;

use super::{Cell, Unreadable};
use crate::row::{Value, iso};

pub(crate) type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// An array whose values hold no others.
pub(crate) enum Plain<'a> {
    Binary(&'a BinaryArray),
    BinaryView(&'a BinaryViewArray),
    Boolean(&'a BooleanArray),
    /// Days since 1970-01-01.
    Days(&'a [i32]),
    DayTime(&'a [IntervalDayTime]),
    Decimal(Integers<'a>, i8),
    Decimal256(&'a PrimitiveArray<Decimal256Type>, i8),
    Duration(&'a [i64], TimeUnit),
    FixedSizeBinary(&'a FixedSizeBinaryArray),
    Float16(&'a [Half]),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Integer(Integers<'a>),
    LargeBinary(&'a LargeBinaryArray),
    LargeText(&'a LargeStringArray),
    /// Without a zone.
    LocalTimestamp(&'a [i64], TimeUnit),
    /// Milliseconds since 1970-01-01, of whole days.
    Milliseconds(&'a [i64]),
    MonthDayNano(&'a [IntervalMonthDayNano]),
    Months(&'a [i32]),
    Null,
    Text(&'a StringArray),
    TextView(&'a StringViewArray),
    Time(Integers<'a>, TimeUnit),
    Timestamp(&'a [i64], TimeUnit),
}

/// Integers of any width.
pub(crate) enum Integers<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    I128(&'a [i128]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
}

impl<'a> Integers<'a> {
    /// None for an array of another type.
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Int8 => Self::I8(values::<Int8Type>(array)),
            DataType::Int16 => Self::I16(values::<Int16Type>(array)),
            DataType::Int32 => Self::I32(values::<Int32Type>(array)),
            DataType::Int64 => Self::I64(values::<Int64Type>(array)),
            DataType::UInt8 => Self::U8(values::<UInt8Type>(array)),
            DataType::UInt16 => Self::U16(values::<UInt16Type>(array)),
            DataType::UInt32 => Self::U32(values::<UInt32Type>(array)),
            DataType::UInt64 => Self::U64(values::<UInt64Type>(array)),
            _ => return None,
        })
    }

    /// Makes some of them integers of one width, and `other` of those that have more than 64 bits.
    pub(crate) fn widen(&self, rows: Range<usize>, other: i64, out: &mut [i64]) {
        #[inline]
        fn all<T: Copy>(values: &[T], out: &mut [i64], widen: impl Fn(T) -> i64) {
            for (out, value) in out.iter_mut().zip(values) {
                *out = widen(*value);
            }
        }
        match self {
            Self::I8(values) => all(&values[rows], out, i64::from),
            Self::I16(values) => all(&values[rows], out, i64::from),
            Self::I32(values) => all(&values[rows], out, i64::from),
            Self::I64(values) => all(&values[rows], out, |n| n),
            Self::I128(values) => all(&values[rows], out, |n| i64::try_from(n).unwrap_or(other)),
            Self::U8(values) => all(&values[rows], out, i64::from),
            Self::U16(values) => all(&values[rows], out, i64::from),
            Self::U32(values) => all(&values[rows], out, i64::from),
            Self::U64(values) => all(&values[rows], out, |n| i64::try_from(n).unwrap_or(other)),
        }
    }

    pub(super) fn get(&self, row: usize) -> i128 {
        match self {
            Self::I8(values) => values[row].into(),
            Self::I16(values) => values[row].into(),
            Self::I32(values) => values[row].into(),
            Self::I64(values) => values[row].into(),
            Self::I128(values) => values[row],
            Self::U8(values) => values[row].into(),
            Self::U16(values) => values[row].into(),
            Self::U32(values) => values[row].into(),
            Self::U64(values) => values[row].into(),
        }
    }
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

impl<'a> Plain<'a> {
    pub(super) fn new(array: &'a dyn Array) -> Self {
        match array.data_type() {
            DataType::Binary => Self::Binary(array.as_binary()),
            DataType::BinaryView => Self::BinaryView(array.as_binary_view()),
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Date32 => Self::Days(values::<Date32Type>(array)),
            DataType::Date64 => Self::Milliseconds(values::<Date64Type>(array)),
            DataType::Decimal32(_, scale) => Self::Decimal(Integers::I32(values::<Decimal32Type>(array)), *scale),
            DataType::Decimal64(_, scale) => Self::Decimal(Integers::I64(values::<Decimal64Type>(array)), *scale),
            DataType::Decimal128(_, scale) => Self::Decimal(Integers::I128(values::<Decimal128Type>(array)), *scale),
            DataType::Decimal256(_, scale) => Self::Decimal256(array.as_primitive(), *scale),
            DataType::Duration(unit) => {
                let values = match unit {
                    TimeUnit::Second => values::<DurationSecondType>(array),
                    TimeUnit::Millisecond => values::<DurationMillisecondType>(array),
                    TimeUnit::Microsecond => values::<DurationMicrosecondType>(array),
                    TimeUnit::Nanosecond => values::<DurationNanosecondType>(array),
                };
                Self::Duration(values, *unit)
            }
            DataType::FixedSizeBinary(_) => Self::FixedSizeBinary(array.as_fixed_size_binary()),
            DataType::Float16 => Self::Float16(values::<Float16Type>(array)),
            DataType::Float32 => Self::Float32(values::<Float32Type>(array)),
            DataType::Float64 => Self::Float64(values::<Float64Type>(array)),
            DataType::Interval(IntervalUnit::YearMonth) => Self::Months(values::<IntervalYearMonthType>(array)),
            DataType::Interval(IntervalUnit::DayTime) => Self::DayTime(values::<IntervalDayTimeType>(array)),
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                Self::MonthDayNano(values::<IntervalMonthDayNanoType>(array))
            }
            DataType::LargeBinary => Self::LargeBinary(array.as_binary()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string()),
            DataType::Time32(TimeUnit::Second) => {
                Self::Time(Integers::I32(values::<Time32SecondType>(array)), TimeUnit::Second)
            }
            DataType::Time32(_) => {
                Self::Time(Integers::I32(values::<Time32MillisecondType>(array)), TimeUnit::Millisecond)
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Time(Integers::I64(values::<Time64MicrosecondType>(array)), TimeUnit::Microsecond)
            }
            DataType::Time64(_) => {
                Self::Time(Integers::I64(values::<Time64NanosecondType>(array)), TimeUnit::Nanosecond)
            }
            DataType::Timestamp(unit, zone) => {
                let values = match unit {
                    TimeUnit::Second => values::<TimestampSecondType>(array),
                    TimeUnit::Millisecond => values::<TimestampMillisecondType>(array),
                    TimeUnit::Microsecond => values::<TimestampMicrosecondType>(array),
                    TimeUnit::Nanosecond => values::<TimestampNanosecondType>(array),
                };
                if zone.is_some() { Self::Timestamp(values, *unit) } else { Self::LocalTimestamp(values, *unit) }
            }
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Utf8View => Self::TextView(array.as_string_view()),
            DataType::Null => Self::Null,
            _ => Self::Integer(Integers::of(array).expect("all other plain types are integers")),
        }
    }

    /// The value of a row, which is not null.
    pub(super) fn cell(&self, row: usize) -> Result<Cell<'a>, Unreadable> {
        Ok(Cell::Value(match self {
            Self::Binary(array) => Value::Binary(array.value(row)),
            Self::BinaryView(array) => Value::Binary(array.value(row)),
            Self::Boolean(array) => Value::Boolean(array.value(row)),
            Self::Days(values) => Value::DateAt { days: values[row] },
            Self::DayTime(values) => {
                let nanoseconds = i64::from(values[row].milliseconds) * 1_000_000;
                Value::Interval { months: 0, days: values[row].days, nanoseconds }
            }
            Self::Decimal(values, scale) => Value::Decimal { unscaled: values.get(row), scale: *scale },
            Self::Decimal256(array, scale) => {
                let unscaled = array.value(row);
                match unscaled.to_i128() {
                    Some(unscaled) => Value::Decimal { unscaled, scale: *scale },
                    None => return Ok(Cell::Decimal256(unscaled.to_le_bytes(), *scale)),
                }
            }
            Self::Duration(values, unit) => {
                Value::Duration { nanoseconds: i128::from(values[row]) * i128::from(1_000_000_000 / per_second(*unit)) }
            }
            Self::FixedSizeBinary(array) => Value::Binary(array.value(row)),
            Self::Float16(values) => Value::Float32(short(values[row])),
            Self::Float32(values) => Value::Float32(values[row]),
            Self::Float64(values) => Value::Float64(values[row]),
            Self::Integer(values) => Value::Integer(values.get(row)),
            Self::LargeBinary(array) => Value::Binary(array.value(row)),
            Self::LargeText(array) => Value::Text(array.value(row)),
            Self::LocalTimestamp(values, unit) => {
                let (seconds, nanoseconds) = split(values[row].into(), *unit);
                Value::LocalTimestampAt { seconds, nanoseconds }
            }
            Self::Milliseconds(values) => Value::DateAt { days: day(values[row])? },
            Self::MonthDayNano(values) => {
                let IntervalMonthDayNano { months, days, nanoseconds } = values[row];
                Value::Interval { months, days, nanoseconds }
            }
            Self::Months(values) => Value::Months(values[row]),
            Self::Null => Value::Null,
            Self::Text(array) => Value::Text(array.value(row)),
            Self::TextView(array) => Value::Text(array.value(row)),
            Self::Time(values, unit) => Value::Time(time(values.get(row), *unit)?),
            Self::Timestamp(values, unit) => {
                let (seconds, nanoseconds) = split(values[row].into(), *unit);
                Value::TimestampAt { seconds, nanoseconds }
            }
        }))
    }

    /// Appends the value of a row, which is not null, as JSON.
    pub(super) fn json(&self, row: usize, out: &mut String) -> Result<(), Unreadable> {
        let value = match self.cell(row)? {
            Cell::Value(value) => value,
            Cell::Decimal256(unscaled, scale) => {
                let unscaled = <Decimal256Type as ArrowPrimitiveType>::Native::from_le_bytes(unscaled);
                push_decimal(&unscaled.to_string(), scale, out);
                return Ok(());
            }
            Cell::Json(..) => unreachable!("a plain value is no JSON"),
        };
        match value {
            Value::Null => out.push_str("null"),
            Value::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
            Value::Integer(value) => out.push_str(&value.to_string()),
            Value::Float32(value) if value.is_finite() => push_json(&value, out),
            Value::Float64(value) if value.is_finite() => push_json(&value, out),
            Value::Float32(value) => push_special(value.into(), out),
            Value::Float64(value) => push_special(value, out),
            Value::Decimal { unscaled, scale } => push_decimal(&unscaled.to_string(), scale, out),
            Value::DateAt { days } => push_text(&iso::date(days.into()), out),
            Value::Time(value) => push_text(&iso::time(value), out),
            Value::TimestampAt { seconds, nanoseconds } => {
                push_text(&format!("{}Z", iso::timestamp(seconds, nanoseconds)), out);
            }
            Value::LocalTimestampAt { seconds, nanoseconds } => push_text(&iso::timestamp(seconds, nanoseconds), out),
            Value::Duration { nanoseconds } => push_text(&iso::duration(nanoseconds), out),
            Value::Months(months) => push_text(&iso::interval(months, 0, 0), out),
            Value::Interval { months, days, nanoseconds } => push_text(&iso::interval(months, days, nanoseconds), out),
            Value::Text(value) => push_text(value, out),
            Value::Binary(value) => push_text(&STANDARD.encode(value), out),
            _ => unreachable!("no cell of Arrow has this value"),
        }
        Ok(())
    }
}

/// Appends a text as JSON.
pub(super) fn push_text(text: &str, out: &mut String) {
    push_json(text, out);
}

fn push_json(value: &(impl Serialize + ?Sized), out: &mut String) {
    out.push_str(&serde_json::to_string(value).expect("texts and finite numbers are JSON"));
}

/// Appends a number that JSON has no number for.
fn push_special(value: f64, out: &mut String) {
    out.push_str(match value {
        f64::INFINITY => "\"Infinity\"",
        f64::NEG_INFINITY => "\"-Infinity\"",
        _ => "\"NaN\"",
    });
}

/// Appends a decimal with all its digits.
fn push_decimal(unscaled: &str, scale: i8, out: &mut String) {
    let digits = unscaled.trim_start_matches('-');
    out.push_str(&unscaled[..unscaled.len() - digits.len()]);
    match usize::try_from(scale) {
        Ok(0) => out.push_str(digits),
        Ok(scale) => {
            let digits = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        Err(_) => {
            out.push_str(digits);
            if digits != "0" {
                out.extend(std::iter::repeat_n('0', scale.unsigned_abs().into()));
            }
        }
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Whole seconds and the nanoseconds after them.
fn split(value: i128, unit: TimeUnit) -> (i64, u32) {
    let per_second = i128::from(per_second(unit));
    let seconds = i64::try_from(value.div_euclid(per_second)).expect("times of Arrow have at most 64 bits");
    let nanoseconds = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (seconds, u32::try_from(nanoseconds).expect("a second has fewer nanoseconds"))
}

/// The day that begins so many milliseconds after 1970-01-01.
fn day(milliseconds: i64) -> Result<i32, Unreadable> {
    const DAY: i64 = 86_400_000;
    let (days, rest) = (milliseconds.div_euclid(DAY), milliseconds.rem_euclid(DAY));
    let date = || iso::date(days);
    let what = match i32::try_from(days) {
        Ok(day) if rest == 0 => return Ok(day),
        Ok(_) => format!("the date {} is {rest} ms past midnight: expected whole days", date()),
        Err(_) => format!("the date {} is too far from 1970-01-01: expected at most {} days", date(), i32::MAX),
    };
    Err(Unreadable { what, raw: milliseconds.into() })
}

fn time(value: i128, unit: TimeUnit) -> Result<NaiveTime, Unreadable> {
    let (seconds, nanoseconds) = split(value, unit);
    let time = u32::try_from(seconds).ok().and_then(|s| NaiveTime::from_num_seconds_from_midnight_opt(s, nanoseconds));
    time.ok_or_else(|| {
        let length = iso::duration(value * i128::from(1_000_000_000 / per_second(unit)));
        let what = format!("the time of day is {length} after midnight: expected less than 24 hours");
        Unreadable { what, raw: value }
    })
}

/// The float of 32 bits that has the shortest text which reads back as this one of 16 bits.
fn short(half: Half) -> f32 {
    let exact = half.to_f32();
    // No more than five digits are ever needed, and all texts of so few survive in 32 bits.
    let mut texts = (0..5).map(|digits| format!("{exact:.digits$e}"));
    let reads_back = |text: &String| text.parse().is_ok_and(|value: f64| Half::from_f64(value) == half);
    match texts.find(reads_back) {
        Some(text) if exact.is_finite() => text.parse().unwrap_or(exact),
        _ => exact,
    }
}
