//! The cells of record batches by other means than the library's: each array is sliced down to one row, and that row is
//! asked for.

use chrono::{DateTime, NaiveDate, NaiveTime};
use consign::arrow_array::cast::AsArray;
use consign::arrow_array::types::*;
use consign::arrow_array::{Array, ArrowPrimitiveType, RecordBatch, RunArray};
use consign::arrow_schema::{DataType, IntervalUnit, TimeUnit};
use consign::chrono;
use consign::format::csv::Dialect;
use consign::format::csv::datetime::{DateText, LocalText, Locale, Pattern};
use consign::format::csv::text::{BinaryText, DecimalText};
use consign::row::Value;

/// A value that is its own.
pub(super) enum Owned {
    Binary(Vec<u8>),
    Nested(String),
    Text(String),
    Value(Value<'static>),
    Wide([u8; 32], i8),
}

impl Owned {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Binary(bytes) => Value::Binary(bytes),
            Self::Nested(json) => Value::Nested(json),
            Self::Text(text) => Value::Text(text),
            Self::Value(value) => *value,
            Self::Wide(unscaled, scale) => Value::Decimal256 { unscaled, scale: *scale },
        }
    }
}

/// The cells of a row; none where one of them is no date or time.
pub(super) fn row(batch: &RecordBatch, row: usize) -> Option<Vec<Owned>> {
    batch.columns().iter().map(|column| cell(&column.slice(row, 1))).collect()
}

/// Whether a column may hold lists, maps or structs, and nothing else.
pub(super) fn is_nested(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_nested(values),
        DataType::RunEndEncoded(_, values) => is_nested(values.data_type()),
        _ => data_type.is_nested() && !matches!(data_type, DataType::Union(..)),
    }
}

/// Whether a column may hold intervals of months and days, and nothing else.
pub(super) fn is_interval(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_interval(values),
        DataType::RunEndEncoded(_, values) => is_interval(values.data_type()),
        DataType::Interval(unit) => *unit != IntervalUnit::YearMonth,
        _ => false,
    }
}

/// The only value of an array.
fn only<T: ArrowPrimitiveType>(array: &dyn Array) -> T::Native {
    array.as_primitive::<T>().value(0)
}

fn cell(array: &dyn Array) -> Option<Owned> {
    if array.is_null(0) {
        return Some(Owned::Value(Value::Null));
    }
    let decimal = |unscaled, scale: &i8| Value::Decimal { unscaled, scale: *scale };
    Some(Owned::Value(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Boolean(array.as_boolean().value(0)),
        DataType::Int8 => Value::Integer(only::<Int8Type>(array).into()),
        DataType::Int16 => Value::Integer(only::<Int16Type>(array).into()),
        DataType::Int32 => Value::Integer(only::<Int32Type>(array).into()),
        DataType::Int64 => Value::Integer(only::<Int64Type>(array).into()),
        DataType::UInt8 => Value::Integer(only::<UInt8Type>(array).into()),
        DataType::UInt16 => Value::Integer(only::<UInt16Type>(array).into()),
        DataType::UInt32 => Value::Integer(only::<UInt32Type>(array).into()),
        DataType::UInt64 => Value::Integer(only::<UInt64Type>(array).into()),
        DataType::Float16 => half(only::<Float16Type>(array)),
        DataType::Float32 => Value::Float32(only::<Float32Type>(array)),
        DataType::Float64 => Value::Float64(only::<Float64Type>(array)),
        DataType::Decimal32(_, scale) => decimal(only::<Decimal32Type>(array).into(), scale),
        DataType::Decimal64(_, scale) => decimal(only::<Decimal64Type>(array).into(), scale),
        DataType::Decimal128(_, scale) => decimal(only::<Decimal128Type>(array), scale),
        DataType::Decimal256(_, scale) => {
            return Some(Owned::Wide(only::<Decimal256Type>(array).to_le_bytes(), *scale));
        }
        DataType::Date32 => date(only::<Date32Type>(array).into())?,
        DataType::Date64 => {
            let milliseconds = only::<Date64Type>(array);
            if milliseconds % 86_400_000 != 0 {
                return None;
            }
            date(milliseconds / 86_400_000)?
        }
        DataType::Time32(TimeUnit::Second) => time(i64::from(only::<Time32SecondType>(array)), 1_000_000_000)?,
        DataType::Time32(_) => time(i64::from(only::<Time32MillisecondType>(array)), 1_000_000)?,
        DataType::Time64(TimeUnit::Microsecond) => time(only::<Time64MicrosecondType>(array), 1_000)?,
        DataType::Time64(_) => time(only::<Time64NanosecondType>(array), 1)?,
        DataType::Timestamp(unit, zone) => {
            let nanoseconds = match unit {
                TimeUnit::Second => i128::from(only::<TimestampSecondType>(array)) * 1_000_000_000,
                TimeUnit::Millisecond => i128::from(only::<TimestampMillisecondType>(array)) * 1_000_000,
                TimeUnit::Microsecond => i128::from(only::<TimestampMicrosecondType>(array)) * 1_000,
                TimeUnit::Nanosecond => only::<TimestampNanosecondType>(array).into(),
            };
            timestamp(nanoseconds, zone.is_some())
        }
        DataType::Duration(unit) => Value::Duration {
            nanoseconds: match unit {
                TimeUnit::Second => i128::from(only::<DurationSecondType>(array)) * 1_000_000_000,
                TimeUnit::Millisecond => i128::from(only::<DurationMillisecondType>(array)) * 1_000_000,
                TimeUnit::Microsecond => i128::from(only::<DurationMicrosecondType>(array)) * 1_000,
                TimeUnit::Nanosecond => only::<DurationNanosecondType>(array).into(),
            },
        },
        DataType::Interval(IntervalUnit::YearMonth) => Value::Months(only::<IntervalYearMonthType>(array)),
        DataType::Interval(IntervalUnit::DayTime) => {
            let interval = only::<IntervalDayTimeType>(array);
            let nanoseconds = i64::from(interval.milliseconds) * 1_000_000;
            Value::Interval { months: 0, days: interval.days, nanoseconds }
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let interval = only::<IntervalMonthDayNanoType>(array);
            Value::Interval { months: interval.months, days: interval.days, nanoseconds: interval.nanoseconds }
        }
        DataType::Binary => return Some(Owned::Binary(array.as_binary::<i32>().value(0).to_vec())),
        DataType::LargeBinary => return Some(Owned::Binary(array.as_binary::<i64>().value(0).to_vec())),
        DataType::BinaryView => return Some(Owned::Binary(array.as_binary_view().value(0).to_vec())),
        DataType::FixedSizeBinary(_) => return Some(Owned::Binary(array.as_fixed_size_binary().value(0).to_vec())),
        DataType::Utf8 => return Some(Owned::Text(array.as_string::<i32>().value(0).to_owned())),
        DataType::LargeUtf8 => return Some(Owned::Text(array.as_string::<i64>().value(0).to_owned())),
        DataType::Utf8View => return Some(Owned::Text(array.as_string_view().value(0).to_owned())),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let Some(Owned::Value(Value::Integer(key))) = cell(dictionary.keys()) else { unreachable!("a key") };
            return cell(&dictionary.values().slice(usize::try_from(key).expect("keys are positive"), 1));
        }
        DataType::RunEndEncoded(ends, _) => {
            return match ends.data_type() {
                DataType::Int16 => run(array.as_run::<Int16Type>()),
                DataType::Int32 => run(array.as_run::<Int32Type>()),
                _ => run(array.as_run::<Int64Type>()),
            };
        }
        DataType::Union(..) => return cell(&array.as_union().value(0)),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..) => return Some(Owned::Nested(json(array)?)),
    }))
}

fn run<R: RunEndIndexType>(runs: &RunArray<R>) -> Option<Owned>
where
    R::Native: Into<i64>,
{
    let offset = i64::try_from(runs.offset()).expect("tables are small");
    let ends: Vec<i64> = runs.run_ends().inner().iter().map(|&end| end.into()).collect();
    cell(&runs.values().slice(ends.partition_point(|&end| end <= offset), 1))
}

/// The float whose text has the fewest digits of all that are nearer to this half than to its neighbours.
fn half(value: <Float16Type as ArrowPrimitiveType>::Native) -> Value<'static> {
    let exact = value.to_f64();
    if !exact.is_finite() || exact == 0.0 {
        return Value::Float32(value.to_f32());
    }
    let bits = value.to_bits();
    let neighbour = |bits| <Float16Type as ArrowPrimitiveType>::Native::from_bits(bits).to_f64();
    let inner = neighbour(bits - 1);
    // Beyond the greatest half, the step goes on.
    let outer = if bits & 0x7FFF == 0x7BFF { exact + (exact - inner) } else { neighbour(bits + 1) };
    let even = bits % 2 == 0;
    let nearest = |text: f64| {
        let ours = (text - exact).abs();
        [inner, outer].iter().all(|other| {
            let (text, other) = (ours, (other - text).abs());
            if even { text <= other } else { text < other }
        })
    };
    let text = (0..5).map(|digits| format!("{exact:.digits$e}")).find(|text| nearest(text.parse().expect("a number")));
    Value::Float32(text.expect("five digits are enough").parse().expect("a number"))
}

fn date(days: i64) -> Option<Value<'static>> {
    let days = i32::try_from(days).ok()?;
    Some(NaiveDate::from_epoch_days(days).map_or(Value::DateAt { days }, Value::Date))
}

fn time(value: i64, nanoseconds: i64) -> Option<Value<'static>> {
    const DAY: i64 = 86_400_000_000_000;
    let of_day = value.checked_mul(nanoseconds).filter(|n| (0..DAY).contains(n))?;
    let time = NaiveTime::MIN.overflowing_add_signed(chrono::TimeDelta::nanoseconds(of_day)).0;
    Some(Value::Time(time))
}

fn timestamp(nanoseconds: i128, zoned: bool) -> Value<'static> {
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).expect("Arrow has 64 bits");
    let nanoseconds = u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).expect("a remainder");
    match (DateTime::from_timestamp(seconds, nanoseconds), zoned) {
        (Some(instant), true) => Value::Timestamp(instant),
        (Some(instant), false) => Value::LocalTimestamp(instant.naive_utc()),
        (None, true) => Value::TimestampAt { seconds, nanoseconds },
        (None, false) => Value::LocalTimestampAt { seconds, nanoseconds },
    }
}

/// The only value of an array as JSON.
fn json(array: &dyn Array) -> Option<String> {
    if array.is_null(0) {
        return Some("null".to_owned());
    }
    let members = |array: &dyn Array| (0..array.len()).map(|i| json(&array.slice(i, 1))).collect::<Option<Vec<_>>>();
    Some(match array.data_type() {
        DataType::List(_) => format!("[{}]", members(&array.as_list::<i32>().value(0))?.join(",")),
        DataType::LargeList(_) => format!("[{}]", members(&array.as_list::<i64>().value(0))?.join(",")),
        DataType::ListView(_) => format!("[{}]", members(&array.as_list_view::<i32>().value(0))?.join(",")),
        DataType::LargeListView(_) => format!("[{}]", members(&array.as_list_view::<i64>().value(0))?.join(",")),
        DataType::FixedSizeList(..) => format!("[{}]", members(&array.as_fixed_size_list().value(0))?.join(",")),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members =
                fields.iter().zip(columns).map(|(f, column)| Some(format!("{}:{}", quoted(f.name()), json(column)?)));
            format!("{{{}}}", members.collect::<Option<Vec<_>>>()?.join(","))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(0);
            let (keys, values) = (members(entries.column(0))?, members(entries.column(1))?);
            let members = keys.iter().zip(values).map(|(key, value)| {
                if key.starts_with('"') { format!("{key}:{value}") } else { format!("\"{key}\":{value}") }
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        _ => plain_json(&cell(array)?),
    })
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ..' ' => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn plain_json(cell: &Owned) -> String {
    let text = |append: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        append(&mut out);
        String::from_utf8(out).expect("texts are UTF-8")
    };
    let float = |value: f64, json: String| match value {
        _ if value.is_finite() => json,
        _ if value.is_nan() => "\"NaN\"".to_owned(),
        _ if value > 0.0 => "\"Infinity\"".to_owned(),
        _ => "\"-Infinity\"".to_owned(),
    };
    match cell.value() {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float32(value) => float(value.into(), serde_json::to_string(&value).expect("a number")),
        Value::Float64(value) => float(value, serde_json::to_string(&value).expect("a number")),
        Value::Decimal { unscaled, scale } => text(&|out| DecimalText::Plain.append(unscaled, scale, out)),
        Value::Decimal256 { unscaled, scale } => text(&|out| DecimalText::Plain.append_256(unscaled, scale, out)),
        Value::Date(date) => quoted(&date.to_string()),
        Value::DateAt { days } => {
            let pattern = Pattern::spark("yyyy-MM-dd").expect("a pattern");
            let plan = DateText::new(&pattern, Locale::EN_US).expect("a plan");
            quoted(&text(&|out| plan.append_day(days, out)))
        }
        Value::Time(time) => quoted(&time.to_string()),
        Value::Timestamp(instant) => quoted(&format!("{:?}Z", instant.naive_utc())),
        Value::LocalTimestamp(local) => quoted(&format!("{local:?}")),
        Value::TimestampAt { seconds, nanoseconds } => quoted(&format!("{}Z", far(seconds, nanoseconds))),
        Value::LocalTimestampAt { seconds, nanoseconds } => quoted(&far(seconds, nanoseconds)),
        Value::Duration { .. } | Value::Months(_) | Value::Interval { .. } => {
            let mut out = Vec::new();
            let _written = Dialect::default().encoder().record([cell.value()], &mut out).expect("lengths have texts");
            quoted(String::from_utf8(out).expect("texts are UTF-8").trim_end())
        }
        Value::Text(value) => quoted(value),
        Value::Binary(value) => quoted(&text(&|out| BinaryText::Base64.append(value, out))),
        Value::Nested(value) => value.to_owned(),
        other => unreachable!("{other:?}"),
    }
}

/// A timestamp beyond chrono.
fn far(seconds: i64, nanoseconds: u32) -> String {
    let pattern = Pattern::spark("yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSS").expect("a pattern");
    let plan = LocalText::new(&pattern, Locale::EN_US).expect("a plan");
    let mut out = Vec::new();
    plan.append_at(seconds, nanoseconds, &mut out);
    let text = String::from_utf8(out).expect("texts are UTF-8");
    let least = match nanoseconds {
        0 => 10,
        n if n % 1_000_000 == 0 => 6,
        n if n % 1_000 == 0 => 3,
        _ => 0,
    };
    text[..text.len() - least].to_owned()
}
