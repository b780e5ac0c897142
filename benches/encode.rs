//! The CSV encode path: rows into a buffer, single-threaded and without I/O.
//!
//! Tables are made by a formula; each group varies one of their traits and leaves the others at the usual. To see one
//! group: `cargo bench --bench encode -- encode/width`.

use std::hint::black_box;
use std::time::Duration;

use chrono::NaiveDate;
use consign::format::csv::{Dialect, Encoder, Escape, QuoteStyle};
use consign::row::{Batch, FieldNames, Value};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

const AIRPORTS: &[u8] = include_bytes!("../tests/data/airports.csv");

/// What the fields of a table take together: more than the caches near a core, as blocks of an export do.
const TABLE: usize = 512 * 1024;

fn main() {
    let mut criterion =
        Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    criterion = criterion.sample_size(20).configure_from_args();
    airports(&mut criterion);
    shapes(&mut criterion);
    types(&mut criterion);
    #[cfg(feature = "arrow")]
    arrow::types(&mut criterion);
    criterion.final_summary();
}

/// A real table, as text and typed.
fn airports(criterion: &mut Criterion) {
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
        let mut encoder = dialect.encoder();
        measure(&mut group, BenchmarkId::from_parameter(name), batch.rows(), |out| {
            write_batch(&mut encoder, &batch, out);
        });
    }
    group.finish();
}

/// A table of texts.
#[derive(Clone, Copy)]
struct Shape {
    width: usize,
    /// Bytes of a field.
    length: usize,
    /// How many in a hundred fields need quotes.
    care: usize,
    /// How many in a hundred fields are null.
    nulls: usize,
}

const USUAL: Shape = Shape { width: 16, length: 16, care: 0, nulls: 0 };

fn shapes(criterion: &mut Criterion) {
    for (group, shapes) in [
        ("encode/width", [3, 16, 100, 1_000].map(|width| (width, Shape { width, ..USUAL }))),
        ("encode/care", [0, 1, 20, 100].map(|care| (care, Shape { care, ..USUAL }))),
        ("encode/length", [4, 16, 100, 4_000].map(|length| (length, Shape { length, ..USUAL }))),
        ("encode/nulls", [0, 1, 50, 100].map(|nulls| (nulls, Shape { nulls, ..USUAL }))),
    ] {
        let mut group = criterion.benchmark_group(group);
        for (parameter, shape) in shapes {
            fronts(&mut group, parameter, shape);
        }
        group.finish();
    }
}

/// The same rows through every front.
fn fronts(group: &mut BenchmarkGroup<'_, WallTime>, parameter: usize, shape: Shape) {
    let rows = shape.rows();
    let dialect = Dialect::rfc4180();
    let mut batch = Batch::new(shape.width);
    for row in &rows {
        batch.push_record(row.iter().map(|field| Value::from(field.as_deref()))).expect("the row has all columns");
    }

    let mut encoder = dialect.encoder();
    measure(group, BenchmarkId::new("batch", parameter), rows.len(), |out| write_batch(&mut encoder, &batch, out));

    // Slices of bytes know no null.
    if shape.nulls == 0 {
        let mut encoder = dialect.encoder();
        measure(group, BenchmarkId::new("fields", parameter), rows.len(), |out| {
            for row in &rows {
                write_fields(&mut encoder, row.iter().flatten().map(String::as_bytes), out);
            }
        });
    }

    let (mut encoder, mut batch, mut names) = (dialect.encoder(), Batch::default(), FieldNames::Unknown);
    measure(group, BenchmarkId::new("serde", parameter), rows.len(), |out| {
        batch.clear();
        for row in &rows {
            batch.push_row(row, &mut names).expect("all rows are alike");
        }
        write_batch(&mut encoder, &batch, out);
    });

    #[cfg(feature = "arrow")]
    {
        let (mut encoder, rows) = (dialect.encoder(), arrow::texts(&rows));
        measure(group, BenchmarkId::new("arrow", parameter), rows.num_rows(), |out| {
            encoder.record_batch(&rows, out).expect("every row can be written");
        });
    }
}

impl Shape {
    fn rows(self) -> Vec<Vec<Option<String>>> {
        let rows = (TABLE / self.width / self.length).max(2);
        (0..rows).map(|row| (0..self.width).map(|column| self.field(row * self.width + column)).collect()).collect()
    }

    fn field(self, number: usize) -> Option<String> {
        // Steps by a number that has no factor in common with 100 spread what is asked for over rows and columns.
        let of_hundred = number * 37 % 100;
        if of_hundred < self.nulls {
            return None;
        }
        let mut text = format!("{number:0length$}", length = self.length);
        text.truncate(self.length);
        if of_hundred < self.care {
            text.replace_range(self.length / 2..=self.length / 2, ",");
        }
        Some(text)
    }
}

/// Sixteen columns of one type.
fn types(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode/type");
    let day = |number: i32| NaiveDate::from_epoch_days(number % 20_000).expect("a day of this age");
    let types: [(&str, &dyn Fn(i32) -> Value<'static>); 8] = [
        ("boolean", &|n| Value::Boolean(n % 3 == 0)),
        ("date", &|n| Value::Date(day(n))),
        ("decimal", &|n| Value::Decimal { unscaled: i128::from(n) * 7_919, scale: 2 }),
        ("float32", &|n| Value::Float32(1.0 / f32::from(i16::try_from(n % 9_973 + 1).expect("below 9,974")))),
        ("float64", &|n| Value::Float64(1.0 / f64::from(n + 1))),
        ("integer", &|n| Value::Integer(i128::from(n) * 7_919)),
        ("text", &|n| Value::Text(["AIR", "TRUCK", "RAIL"][usize::try_from(n % 3).expect("not negative")])),
        ("timestamp", &|n| Value::Timestamp(day(n).and_hms_milli_opt(12, 34, 56, 789).expect("a time").and_utc())),
    ];
    for (name, value) in types {
        let mut batch = Batch::new(16);
        for row in 0..4_096 {
            batch.push_record((0..16).map(|column| value(row * 16 + column))).expect("the row has all columns");
        }
        let mut encoder = Dialect::rfc4180().encoder();
        measure(&mut group, BenchmarkId::from_parameter(name), batch.rows(), |out| {
            write_batch(&mut encoder, &batch, out);
        });
    }
    group.finish();
}

/// Measures bytes of output, after a reader has counted the records.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    records: usize,
    mut write: impl FnMut(&mut Vec<u8>),
) {
    let mut out = Vec::new();
    write(&mut out);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*out);
    assert_eq!(reader.byte_records().filter_map(Result::ok).count(), records);

    group.throughput(Throughput::Bytes(out.len() as u64));
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            out.clear();
            write(&mut out);
            black_box(&mut out);
        });
    });
}

fn write_batch(encoder: &mut Encoder, batch: &Batch, out: &mut Vec<u8>) {
    let columns: Vec<usize> = (0..batch.width()).collect();
    encoder.batch(batch, &columns, out).expect("every row can be written");
}

fn write_fields<'a>(encoder: &mut Encoder, fields: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    let texts = fields.map(|field| Value::Text(std::str::from_utf8(field).expect("the table is text")));
    let _outcome = encoder.record(texts, out).expect("every row can be written");
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

/// The front for Arrow's columns.
#[cfg(feature = "arrow")]
mod arrow {
    use std::sync::Arc;

    use consign::arrow_array::types::Int32Type;
    use consign::arrow_array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, RecordBatch,
        StringArray, StringViewArray, TimestampMicrosecondArray,
    };
    use consign::format::csv::Dialect;
    use criterion::{BenchmarkId, Criterion};

    use crate::measure;

    pub(crate) fn texts(rows: &[Vec<Option<String>>]) -> RecordBatch {
        let column =
            |at: usize| -> ArrayRef { Arc::new(rows.iter().map(|row| row[at].as_deref()).collect::<StringArray>()) };
        RecordBatch::try_from_iter((0..rows[0].len()).map(|at| (at.to_string(), column(at)))).expect("equal lengths")
    }

    /// Sixteen columns of one type.
    pub(crate) fn types(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("encode/arrow type");
        let numbers = || 0..4_096_i32;
        let word = |n: i32| ["AIR", "TRUCK", "RAIL"][usize::try_from(n % 3).expect("not negative")];
        let decimals = Decimal128Array::from_iter_values(numbers().map(|n| i128::from(n) * 7_919));
        let types: [(&str, ArrayRef); 9] = [
            ("boolean", Arc::new(numbers().map(|n| Some(n % 3 == 0)).collect::<BooleanArray>())),
            ("date", Arc::new(Date32Array::from_iter_values(numbers()))),
            ("decimal", Arc::new(decimals.with_precision_and_scale(15, 2).expect("a precision of up to 38"))),
            ("dictionary", Arc::new(numbers().map(word).collect::<DictionaryArray<Int32Type>>())),
            ("float", Arc::new(Float64Array::from_iter_values(numbers().map(|n| 1.0 / f64::from(n + 1))))),
            ("integer", Arc::new(Int64Array::from_iter_values(numbers().map(|n| i64::from(n) * 7_919)))),
            ("text", Arc::new(StringArray::from_iter_values(numbers().map(word)))),
            ("text view", Arc::new(StringViewArray::from_iter_values(numbers().map(word)))),
            (
                "timestamp",
                Arc::new(TimestampMicrosecondArray::from_iter_values(numbers().map(|n| i64::from(n) * 98_765_432_101))),
            ),
        ];
        for (name, column) in types {
            let columns = (0..16).map(|at| (at.to_string(), Arc::clone(&column)));
            let rows = RecordBatch::try_from_iter(columns).expect("equal lengths");
            let mut encoder = Dialect::rfc4180().encoder();
            measure(&mut group, BenchmarkId::from_parameter(name), rows.num_rows(), |out| {
                encoder.record_batch(&rows, out).expect("every row can be written");
            });
        }
        group.finish();
    }
}
