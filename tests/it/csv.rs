//! The CSV dialect and its encoder.

use consign::format::csv::{Counts, Dialect, DialectBuilder, DialectError, EncodeError, Encoder, Outcome};
use consign::row::Value;

/// The bytes of one record of texts (`None` is null) under a dialect.
#[track_caller]
fn check(dialect: &Dialect, row: &[Option<&str>], expected: &str) {
    let mut out = Vec::new();
    let mut encoder = dialect.encoder();
    let outcome = encoder.record(row.iter().map(|&field| Value::from(field)), &mut out).unwrap();
    assert_eq!(outcome, Outcome::Written);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn the_public_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Counts>();
    check::<Dialect>();
    check::<DialectBuilder>();
    check::<DialectError>();
    check::<EncodeError>();
    check::<Encoder>();
    check::<Outcome>();
}

#[test]
fn the_default_dialect_is_the_platforms() {
    let dialect = Dialect::default();
    check(&dialect, &[Some("a"), None, Some("")], "a,null,\n");
    check(&dialect, &[Some("a,b"), Some("say \"hi\"")], "\"a,b\",\"say \\\"hi\\\"\"\n");
    check(&dialect, &[Some("null"), Some("a\nb")], "\"null\",\"a\nb\"\n");
    check(&dialect, &[Some("")], "\"\"\n");
}
