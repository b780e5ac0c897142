//! The file of the rows that a dialect rejected: one line of JSON for each, with the reason and the whole row.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::Error;
use crate::format::csv::text::DecimalText;
use crate::row::{Value, iso};

/// Appends a row of the input, as it came in: no column is picked or renamed.
pub(super) fn append<'a>(out: &mut Vec<u8>, why: &Error, row: impl Iterator<Item = Value<'a>>) {
    let row: Vec<_> = row.map(to_json).collect();
    out.extend_from_slice(json!({ "error": why.to_string(), "row": row }).to_string().as_bytes());
    out.push(b'\n');
}

fn to_json(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(value) => value.into(),
        Value::Integer(value) => match i64::try_from(value) {
            Ok(value) => value.into(),
            Err(_) => value.to_string().into(),
        },
        Value::Float32(value) if value.is_finite() => value.into(),
        Value::Float32(value) => value.to_string().into(),
        Value::Float64(value) if value.is_finite() => value.into(),
        Value::Float64(value) => value.to_string().into(),
        Value::Decimal { unscaled, scale } => format!("{unscaled}E{}", -i32::from(scale)).into(),
        Value::Decimal256 { unscaled, scale } => {
            let mut text = Vec::new();
            DecimalText::Plain.append_256(unscaled, 0, &mut text);
            let digits = String::from_utf8_lossy(&text);
            format!("{digits}E{}", -i32::from(scale)).into()
        }
        Value::Date(value) => value.to_string().into(),
        Value::DateAt { days } => iso::date(days.into()).into(),
        Value::Time(value) => iso::time(value).into(),
        Value::TimestampAt { seconds, nanoseconds } => format!("{}Z", iso::timestamp(seconds, nanoseconds)).into(),
        Value::LocalTimestampAt { seconds, nanoseconds } => iso::timestamp(seconds, nanoseconds).into(),
        Value::Duration { nanoseconds } => iso::duration(nanoseconds).into(),
        Value::Months(months) => iso::interval(months, 0, 0).into(),
        Value::Interval { months, days, nanoseconds } => iso::interval(months, days, nanoseconds).into(),
        Value::Timestamp(value) => value.to_rfc3339().into(),
        Value::LocalTimestamp(value) => value.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into(),
        Value::Text(value) => value.into(),
        Value::Binary(value) => STANDARD.encode(value).into(),
        // What claims to be JSON and is not stays text.
        Value::Nested(value) => serde_json::from_str(value).unwrap_or_else(|_| value.into()),
    }
}
