//! The presets: the dialects of well-known readers.

use consign::chrono::{DateTime, NaiveDate};
use consign::format::csv::{Dialect, Hazard, HazardKind};
use consign::row::Value;

/// A record of a value of each type, the first a null.
#[track_caller]
fn check_typed(dialect: &Dialect, expected: &str) {
    let instant = DateTime::from_timestamp(1_704_164_645, 123_456_000).unwrap();
    let row = [
        Value::Null,
        Value::Boolean(true),
        Value::Boolean(false),
        Value::Integer(-1),
        Value::Float64(1e7),
        Value::Decimal { unscaled: -150, scale: 2 },
        Value::Date(NaiveDate::from_ymd_opt(2024, 1, 2).unwrap()),
        Value::Timestamp(instant),
        Value::LocalTimestamp(instant.naive_utc()),
        Value::Binary(b"\x00\xff"),
    ];
    let mut out = Vec::new();
    let _ = dialect.encoder().record(row, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn typed_values_are_spelled_as_their_loaders_read_them() {
    let iso = "2024-01-02T03:04:05.123456Z,2024-01-02T03:04:05.123456";
    let blank = "2024-01-02 03:04:05.123456";
    let start = "true,false,-1,10000000.0,-1.50,2024-01-02";
    check_typed(&Dialect::bigquery(), &format!("\\N,{start},{iso},AP8=\n"));
    check_typed(&Dialect::duckdb(), &format!(",{start},{iso},\\x00\\xff\n"));
    check_typed(&Dialect::excel(), &format!(",{start},{iso},AP8=\r\n"));
    check_typed(
        &Dialect::mysql_load_data(),
        &format!("\\N,1,0,-1,10000000.0,-1.50,2024-01-02,{blank},{blank},\"AP8=\"\n"),
    );
    check_typed(&Dialect::platform(), &format!("null,{start},{iso},AP8=\n"));
    check_typed(&Dialect::postgres_copy(), &format!(",{start},{iso},\\x00ff\n"));
    check_typed(&Dialect::redshift_copy(), &format!("\\N,{start},{blank}+00:00,{blank},00ff\n"));
    check_typed(&Dialect::rfc4180(), &format!(",{start},{iso},AP8=\r\n"));
    check_typed(&Dialect::snowflake(), &format!(",{start},{iso},00ff\n"));
    let millis = "2024-01-02T03:04:05.123";
    check_typed(&Dialect::spark(), &format!(",true,false,-1,1.0E7,-1.50,2024-01-02,{millis}Z,{millis},AP8=\n"));
}

#[test]
fn presets_have_the_hazards_that_their_docs_tell() {
    let kinds = |dialect: Dialect| dialect.hazards().iter().map(Hazard::kind).collect::<Vec<_>>();
    assert_eq!(kinds(Dialect::postgres_copy()), []);
    assert_eq!(kinds(Dialect::duckdb()), []);
    assert_eq!(kinds(Dialect::mysql_load_data()), []);
    assert_eq!(kinds(Dialect::snowflake()), [HazardKind::BlankRecord]);
    assert_eq!(kinds(Dialect::rfc4180()), [HazardKind::EmptyIsNull]);
    assert_eq!(kinds(Dialect::excel()), [HazardKind::EmptyIsNull, HazardKind::Formula]);
    assert_eq!(kinds(Dialect::redshift_copy()), [HazardKind::NullText]);
    assert_eq!(kinds(Dialect::bigquery()), [HazardKind::NullText]);
    assert_eq!(kinds(Dialect::platform()), [HazardKind::NullText]);
}

/// `examples/csv_presets.rs` writes a table for the readers of `tests/readers/check.py`; here, the `csv` crate is one.
#[test]
fn the_presets_example_writes_what_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join("csv_presets");
    let status = std::process::Command::new(program).arg(folder.path()).status().unwrap();
    assert!(status.success());

    let table: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("table.json")).unwrap()).unwrap();
    let expected: Vec<Vec<String>> = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect())
        .collect();
    for preset in ["duckdb", "postgres_copy", "rfc4180", "snowflake"] {
        let reader = csv::Reader::from_path(folder.path().join(preset).with_extension("csv"));
        let found: Vec<Vec<String>> =
            reader.unwrap().into_records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(found, expected, "{preset}");
    }
}
