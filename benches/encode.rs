//! The CSV encode path: a batch of real rows into a buffer, single-threaded and without I/O.

use std::hint::black_box;

use consign::format::csv::{Dialect, Escape, QuoteStyle};
use consign::row::{Batch, Value};
use criterion::{BenchmarkId, Criterion, Throughput};

const AIRPORTS: &[u8] = include_bytes!("../tests/data/airports.csv");

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    encode(&mut criterion);
    criterion.final_summary();
}

fn encode(criterion: &mut Criterion) {
    let platform = Dialect::default();
    let quoted = Dialect::builder()
        .with_escape(Escape::Doubled)
        .with_quote_style(QuoteStyle::All)
        .build()
        .expect("the settings do not clash");

    let mut group = criterion.benchmark_group("encode/airports");
    for (name, dialect, batch) in [
        ("text/platform", &platform, text()),
        ("text/all quoted", &quoted, text()),
        ("typed/platform", &platform, typed()),
    ] {
        let mut out = Vec::new();
        write(dialect, &batch, &mut out);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*out);
        assert_eq!(reader.records().filter_map(Result::ok).count(), batch.rows());

        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &batch, |bencher, batch| {
            bencher.iter(|| {
                out.clear();
                write(dialect, batch, &mut out);
                black_box(&mut out);
            });
        });
    }
    group.finish();
}

fn write(dialect: &Dialect, batch: &Batch, out: &mut Vec<u8>) {
    let mut encoder = dialect.encoder();
    for row in 0..batch.rows() {
        let _outcome = encoder.record(batch.row(row), out).expect("every row can be written");
    }
}

/// The table as it stands in the file: every field is text.
fn text() -> Batch {
    batch(|field, _| Value::Text(field))
}

/// The table as it was before somebody wrote it as text: coordinates are floats, altitude and zone are integers.
fn typed() -> Batch {
    batch(|field, column| match column {
        2 | 3 => field.parse().map_or(Value::Null, Value::Float64),
        4 | 5 => field.parse().map_or(Value::Null, Value::Integer),
        _ => Value::Text(field),
    })
}

fn batch(value: impl Fn(&str, usize) -> Value<'_>) -> Batch {
    let mut reader = csv::Reader::from_reader(AIRPORTS);
    let mut batch = Batch::new(8);
    for record in reader.records() {
        let record = record.expect("the table is CSV");
        let row = record.iter().enumerate().map(|(column, field)| value(field, column));
        batch.push_record(row).expect("the table has 8 columns");
    }
    assert_eq!(batch.rows(), 1_458);
    batch
}
