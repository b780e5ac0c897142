//! One block of rows through each front, for a count of instructions; `scripts/instructions` runs it. With an argument,
//! only the case of that name.
//!
//! What is counted stands in [`measured`] alone. It runs when all of it has run once before, so that buffers have
//! their room and nothing is allocated; the rows are made by a formula, and the clock is asked nothing.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringViewArray};
use consign::format::csv::{Dialect, QuoteStyle};
use consign::row::{Batch, Value};
use consign_peers::{Structs, dialect};
use serde::Serialize;

const ROWS: usize = 1_000;

fn main() {
    let [plain, some, all] = [0, 20, 100].map(texts);
    let quoted = dialect().to_builder().with_quote_style(QuoteStyle::All).build().expect("the settings do not clash");
    case("contiguous", batch(&dialect(), &plain));
    case("contiguous, 20 % need quotes", batch(&dialect(), &some));
    case("contiguous, all need quotes", batch(&dialect(), &all));
    case("contiguous, all quoted", batch(&quoted, &plain));
    case("contiguous, platform", batch(&Dialect::platform(), &some));
    case("contiguous, Spark", batch(&Dialect::spark(), &some));
    case("contiguous, typed", batch(&dialect(), &typed(&plain)));
    case("iterators", fields(&plain));
    case("serde", structs(&plain));
    case("arrow", arrow(&plain));
}

fn case(name: &str, mut write: impl FnMut(&mut Vec<u8>)) {
    if std::env::args().nth(1).is_some_and(|only| only != name) {
        return;
    }
    let mut out = Vec::new();
    write(&mut out);
    assert!(out.len() > ROWS * 50, "{name}: {} bytes", out.len());
    out.clear();
    measured(&mut || write(&mut out));
    println!("{name}");
}

/// The name by which the profiler knows when to count.
#[inline(never)]
fn measured(write: &mut dyn FnMut()) {
    write();
}

fn batch(dialect: &Dialect, rows: &Batch) -> impl FnMut(&mut Vec<u8>) {
    let (mut encoder, rows) = (dialect.encoder(), rows.clone());
    move |out| consign_peers::batch(&mut encoder, &rows, out)
}

fn fields(rows: &Batch) -> impl FnMut(&mut Vec<u8>) {
    let rows = rows_of(rows);
    let mut fields = consign_peers::Fields::new(&dialect(), rows[0].len());
    move |out| fields.write(rows.iter(), out)
}

/// Eight texts in each row, as many of them with a comma as is asked for.
fn texts(percent_of_care: usize) -> Batch {
    let mut batch = Batch::new(8);
    for row in 0..ROWS {
        let comma = |column: usize| if (row * 8 + column) * 37 % 100 < percent_of_care { "," } else { "" };
        let field = |(column, text): (usize, String)| format!("{text}{}", comma(column));
        let texts = [
            format!("{}", row * 7_919 % 200_000),
            format!("{}.{:02}", row * 104_729 % 90_000, row % 100),
            format!("0.{:02}", row % 11),
            ["A", "N", "R"][row % 3].to_owned(),
            format!("199{}-{:02}-{:02}", row % 8, row % 12 + 1, row % 28 + 1),
            ["DELIVER IN PERSON", "TAKE BACK RETURN", "NONE", "COLLECT COD"][row % 4].to_owned(),
            ["AIR", "TRUCK", "RAIL"][row % 3].to_owned(),
            "carefully bold accounts sleep furiously above the ironic packages"[..10 + row % 50].to_owned(),
        ];
        batch.push_text(texts.into_iter().enumerate().map(field)).expect("eight fields");
    }
    batch
}

fn rows_of(batch: &Batch) -> Vec<Vec<String>> {
    let text = |value| match value {
        Value::Text(text) => str::to_owned(text),
        other => panic!("a batch of texts holds {other:?}"),
    };
    (0..batch.rows()).map(|row| batch.row(row).map(text).collect()).collect()
}

/// The same rows with an integer, two decimals and a date.
fn typed(texts: &Batch) -> Batch {
    fn value((column, text): (usize, &String)) -> Value<'_> {
        match column {
            0 => Value::Integer(text.parse().expect("an integer")),
            1 | 2 => Value::Decimal { unscaled: unscaled(text), scale: 2 },
            4 => Value::Date(text.parse().expect("a date")),
            _ => Value::Text(text),
        }
    }
    let mut batch = Batch::new(8);
    for row in rows_of(texts) {
        batch.push_record(row.iter().enumerate().map(value)).expect("eight fields");
    }
    batch
}

fn unscaled(text: &str) -> i128 {
    text.replace('.', "").parse().expect("a decimal")
}

fn structs(texts: &Batch) -> impl FnMut(&mut Vec<u8>) {
    #[derive(Serialize)]
    struct Row {
        id: i64,
        price: f64,
        discount: f64,
        flag: String,
        date: String,
        comment: String,
    }
    let row = |row: Vec<String>| Row {
        id: row[0].parse().expect("an integer"),
        price: row[1].parse().expect("a number"),
        discount: row[2].parse().expect("a number"),
        flag: row[3].clone(),
        date: row[4].clone(),
        comment: row[7].clone(),
    };
    let rows: Vec<Row> = rows_of(texts).into_iter().map(row).collect();
    let mut structs = Structs::new(&dialect());
    move |out| structs.write(&rows, out)
}

fn arrow(texts: &Batch) -> impl FnMut(&mut Vec<u8>) {
    let rows = rows_of(texts);
    let column = |column: usize| rows.iter().map(move |row| &row[column]);
    let decimals = |at: usize| {
        let array = Decimal128Array::from_iter_values(column(at).map(|text| unscaled(text)));
        Arc::new(array.with_precision_and_scale(15, 2).expect("a precision of up to 38")) as ArrayRef
    };
    let days = |text: &String| text.parse::<chrono::NaiveDate>().expect("a date").to_epoch_days();
    let views = |at: usize| Arc::new(StringViewArray::from_iter_values(column(at))) as ArrayRef;
    let integers = Int64Array::from_iter_values(column(0).map(|text| text.parse::<i64>().expect("an integer")));
    let dates = Date32Array::from_iter_values(column(4).map(days));
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(integers) as ArrayRef),
        ("price", decimals(1)),
        ("discount", decimals(2)),
        ("flag", views(3)),
        ("date", Arc::new(dates)),
        ("instruct", views(5)),
        ("mode", views(6)),
        ("comment", views(7)),
    ])
    .expect("all columns are of one length");
    let mut encoder = dialect().encoder();
    move |out| consign_peers::record_batch(&mut encoder, &batch, out)
}
