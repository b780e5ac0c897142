//! Rows: batches keep every value, and take rows whole or not at all.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use consign::row::{Batch, Column, Columns, Dots, FieldNames, RowError, RowErrorKind, Value};
use proptest::prelude::*;
use serde::Serialize;

/// Values of every kind, owned so that they can be borrowed from.
#[derive(Clone, Debug)]
enum Owned {
    Fixed(Value<'static>),
    Text(String),
    Nested(String),
    Binary(Vec<u8>),
    Decimal256([u8; 32], i8),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Fixed(value) => *value,
            Self::Text(text) => Value::Text(text),
            Self::Nested(text) => Value::Nested(text),
            Self::Binary(bytes) => Value::Binary(bytes),
            Self::Decimal256(unscaled, scale) => Value::Decimal256 { unscaled, scale: *scale },
        }
    }
}

/// Any moment that chrono holds, leap seconds at any second among them.
fn moments() -> impl Strategy<Value = NaiveDateTime> {
    let range = DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp();
    (range, 0_u32..2_000_000_000).prop_map(|(seconds, nanos)| {
        DateTime::from_timestamp(seconds, 0).unwrap().naive_utc().with_nanosecond(nanos).unwrap()
    })
}

fn values() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Fixed(Value::Null)),
        any::<bool>().prop_map(|v| Owned::Fixed(Value::Boolean(v))),
        any::<i128>().prop_map(|v| Owned::Fixed(Value::Integer(v))),
        any::<f32>().prop_map(|v| Owned::Fixed(Value::Float32(v))),
        any::<f64>().prop_map(|v| Owned::Fixed(Value::Float64(v))),
        any::<(i128, i8)>().prop_map(|(unscaled, scale)| Owned::Fixed(Value::Decimal { unscaled, scale })),
        moments().prop_map(|v| Owned::Fixed(Value::Date(v.date()))),
        any::<([u8; 32], i8)>().prop_map(|(unscaled, scale)| Owned::Decimal256(unscaled, scale)),
        any::<i32>().prop_map(|days| Owned::Fixed(Value::DateAt { days })),
        moments().prop_map(|v| Owned::Fixed(Value::Time(v.time()))),
        any::<(i64, u32, bool)>().prop_map(|(seconds, nanoseconds, local)| {
            let value = if local {
                Value::LocalTimestampAt { seconds, nanoseconds }
            } else {
                Value::TimestampAt { seconds, nanoseconds }
            };
            Owned::Fixed(value)
        }),
        any::<i128>().prop_map(|nanoseconds| Owned::Fixed(Value::Duration { nanoseconds })),
        any::<i32>().prop_map(|v| Owned::Fixed(Value::Months(v))),
        any::<(i32, i32, i64)>()
            .prop_map(|(months, days, nanoseconds)| { Owned::Fixed(Value::Interval { months, days, nanoseconds }) }),
        moments().prop_map(|v| Owned::Fixed(Value::Timestamp(v.and_utc()))),
        moments().prop_map(|v| Owned::Fixed(Value::LocalTimestamp(v))),
        ".{0,9}".prop_map(Owned::Text),
        ".{0,9}".prop_map(Owned::Nested),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Owned::Binary),
    ]
}

proptest! {
    #[test]
    fn a_batch_gives_back_what_it_was_given(rows in prop::collection::vec(prop::collection::vec(values(), 3), 0..20)) {
        let mut batch = Batch::new(3);
        for row in &rows {
            batch.push_record(row.iter().map(Owned::value)).unwrap();
            // A row that is refused leaves no trace.
            prop_assert!(batch.push_record(row.iter().take(2).map(Owned::value)).is_err());
        }
        prop_assert_eq!(batch.rows(), rows.len());
        for (n, row) in rows.iter().enumerate() {
            let expected: Vec<_> = row.iter().map(|value| format!("{:?}", value.value())).collect();
            let found: Vec<_> = batch.row(n).map(|value| format!("{value:?}")).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[track_caller]
fn check_row<T: Serialize>(row: T, expected: &[Value<'_>]) {
    let mut batch = Batch::default();
    batch.push_row(&row, &mut FieldNames::Unknown).unwrap();
    assert_eq!(batch.row(0).collect::<Vec<_>>(), expected);
}

#[track_caller]
fn check_row_error<T: Serialize>(row: T, text: &str) {
    let error = Batch::default().push_row(&row, &mut FieldNames::Unknown).unwrap_err();
    assert_eq!(error.to_string(), text);
}

#[derive(Serialize)]
enum Shape {
    Unit,
    Tuple(i32, i32),
    Struct { side: f64 },
}

#[test]
fn serialize_values_become_typed_fields() {
    check_row((1_u8, -2_i64, u64::MAX), &[Value::Integer(1), Value::Integer(-2), Value::Integer(u64::MAX.into())]);
    check_row((0.5_f32, 0.25_f64, true), &[Value::Float32(0.5), Value::Float64(0.25), Value::Boolean(true)]);
    check_row(("a", 'b', String::from("c")), &[Value::Text("a"), Value::Text("b"), Value::Text("c")]);
    check_row((None::<i32>, Some(1), ()), &[Value::Null, Value::Integer(1), Value::Null]);
    check_row(([1, 2], Some(["x"])), &[Value::Nested("[1,2]"), Value::Nested("[\"x\"]")]);
    let shapes = (Shape::Unit, Shape::Tuple(1, 2), Shape::Struct { side: 1.5 });
    check_row(
        shapes,
        &[Value::Text("Unit"), Value::Nested(r#"{"Tuple":[1,2]}"#), Value::Nested(r#"{"Struct":{"side":1.5}}"#)],
    );
    let map = std::collections::BTreeMap::from([("a", 1), ("b", 2)]);
    check_row(map, &[Value::Integer(1), Value::Integer(2)]);
}

#[test]
fn values_that_are_no_row_are_refused() {
    check_row_error("text", "a row must be a struct, map, tuple or sequence, not text");
    check_row_error(None::<(i32,)>, "a row must be a struct, map, tuple or sequence, not null");
    check_row_error(Shape::Unit, "a row must be a struct, map, tuple or sequence, not an enum");
    check_row_error((u128::MAX,), &format!("{} is larger than the largest integer, {}", u128::MAX, i128::MAX));
}

#[test]
fn a_skipped_field_keeps_its_column() {
    #[derive(Serialize)]
    struct Row {
        a: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<i32>,
    }
    let (mut batch, mut names) = (Batch::default(), FieldNames::Unknown);
    batch.push_row(&Row { a: 1, b: Some(2) }, &mut names).unwrap();
    batch.push_row(&Row { a: 3, b: None }, &mut names).unwrap();
    assert_eq!(batch.row(1).collect::<Vec<_>>(), [Value::Integer(3), Value::Null]);
}

#[test]
fn columns_that_clash_are_refused() {
    let two = || [Column::new("a"), Column::new("b").renamed("a")];
    let error = Columns::select(two()).unwrap_err();
    assert_eq!(error.to_string(), "two columns would be named `a`");
    let error = Columns::select([Column::new("a\n\u{1b}"), Column::new("a\n\u{1b}")]).unwrap_err();
    assert_eq!(error.to_string(), "two columns would be named `a\\n\\u{1b}`");
    let error: RowError = Columns::all()
        .with_dots(Dots::Underscore)
        .unwrap()
        .resolve(&["a.b"])
        .map(|mapping| {
            assert_eq!(mapping.names(), ["a_b"]);
            Columns::select([Column::new("x").renamed("a.b")]).unwrap().with_dots(Dots::Underscore).unwrap_err()
        })
        .unwrap();
    assert!(matches!(error.kind(), RowErrorKind::Dot { .. }));
    assert_eq!(error.to_string(), "the column name `a.b` holds a dot, which the platform does not take: use `_`");
}

#[test]
fn a_day_before_christ_survives() {
    let day = NaiveDate::from_ymd_opt(-44, 3, 15).unwrap();
    let mut batch = Batch::new(1);
    batch.push_record([Value::Date(day)]).unwrap();
    assert_eq!(batch.value(0, 0), Value::Date(day));
}
