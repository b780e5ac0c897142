//! Whatever Spark's options are, its bytes can be written: exact mode answers every row, from one encoder or from many,
//! and so does fixed mode, unless a row is refused.
//!
//! The input is texts that end at the byte 0xFF, since that stands in no UTF-8. The first thirteen are the values of
//! options, in the order of [`OPTIONS`], where an empty one is not given; the rest are cells of rows of three. A cell of
//! the one byte 0xFE is null.

use consign::format::csv::{Counts, Dialect, Header, Mode, Outcome, Refused, SparkOptions};
use consign::row::Value;

const OPTIONS: [&str; 13] = [
    "sep",
    "quote",
    "escape",
    "charToEscapeQuoteEscaping",
    "escapeQuotes",
    "quoteAll",
    "nullValue",
    "emptyValue",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "lineSep",
    "comment",
    "encoding",
];

pub fn run(data: &[u8]) {
    let texts: Vec<Option<String>> = data
        .split(|byte| *byte == 0xFF)
        .map(|text| (text != b"\xFE").then(|| String::from_utf8_lossy(text).into_owned()))
        .collect();
    let (values, cells) = texts.split_at(OPTIONS.len().min(texts.len()));
    let given = OPTIONS.iter().zip(values).filter_map(|(key, value)| {
        let value = value.as_deref()?;
        (!value.is_empty()).then_some((*key, value))
    });
    let Ok(options) = SparkOptions::parse(given) else { return };
    let rows: Vec<&[Option<String>]> = cells.chunks_exact(3).collect();
    let names: Vec<&str> = cells.iter().take(3).flatten().map(String::as_str).collect();

    if let Ok(dialect) = options.builder(Mode::Exact).with_header(Header::Write).build() {
        dialect.encoder().header(&names, &mut Vec::new()).expect("Spark refuses no name");
        let outcomes = check(&dialect, &rows);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Written | Outcome::Lost)));
    }
    if let Ok(dialect) = options.builder(Mode::Fixed).with_refused(Refused::Reject).build() {
        let outcomes = check(&dialect, &rows);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Written | Outcome::Rejected(_))));
    }
}

/// One encoder and one for each row write the same bytes and count the same.
fn check(dialect: &Dialect, rows: &[&[Option<String>]]) -> Vec<Outcome> {
    let (mut together, mut apart) = (Vec::new(), Vec::new());
    let mut one = dialect.encoder();
    let mut counts = Counts::default();
    let mut outcomes = Vec::new();
    for row in rows {
        let before = together.len();
        let outcome = one.record(values(row), &mut together).expect("rows are rejected and not failed");
        assert_eq!(outcome == Outcome::Written, together.len() > before, "a record that was written has bytes");
        let mut encoder = dialect.encoder();
        assert_eq!(encoder.record(values(row), &mut apart).as_ref(), Ok(&outcome));
        counts.merge(encoder.counts());
        outcomes.push(outcome);
    }
    assert_eq!(together, apart, "the records are the same from one encoder and from many");
    assert_eq!(&counts, one.counts(), "and so are the counts");
    outcomes
}

fn values(row: &[Option<String>]) -> impl Iterator<Item = Value<'_>> {
    row.iter().map(|cell| Value::from(cell.as_deref()))
}
