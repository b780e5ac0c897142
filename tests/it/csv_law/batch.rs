//! Batches of rows come out as their records do one by one, whatever is found to be plain in them.

use consign::chrono::{DateTime, NaiveDate};
use consign::format::csv::text::{DecimalText, FloatText};
use consign::format::csv::{
    Counts, Dialect, DialectBuilder, Escape, EscapeSelf, Mode, NullText, OnHazard, Outcome, QuoteStyle, RecordError,
    Refused, Render, SparkOptions,
};
use consign::row::{Batch, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A value that a batch can own.
#[derive(Clone, Debug)]
pub(super) enum Owned {
    Null,
    Boolean(bool),
    Integer(i128),
    Float32(f32),
    Float64(f64),
    Decimal(i128, i8),
    Date(i32),
    Timestamp(i64, u32),
    Text(String),
    Binary(Vec<u8>),
    Nested(String),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(v) => Value::Boolean(*v),
            Self::Integer(v) => Value::Integer(*v),
            Self::Float32(v) => Value::Float32(*v),
            Self::Float64(v) => Value::Float64(*v),
            Self::Decimal(unscaled, scale) => Value::Decimal { unscaled: *unscaled, scale: *scale },
            Self::Date(days) => Value::Date(NaiveDate::from_epoch_days(*days).unwrap()),
            Self::Timestamp(seconds, nanos) => Value::Timestamp(DateTime::from_timestamp(*seconds, *nanos).unwrap()),
            Self::Text(text) => Value::Text(text),
            Self::Binary(bytes) => Value::Binary(bytes),
            Self::Nested(json) => Value::Nested(json),
        }
    }
}

/// Texts of which most need nothing, some are as long as a move is or longer, and some hold what a batch marks texts with.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z]{1,12}",
        2 => "[a-z ]{0,3}[A-Za-z0-9 .-]{10,70}",
        1 => super::texts(),
        1 => super::texts().prop_map(|text| format!("{text}\u{1f}")),
        1 => select(vec!["", "\u{1e}", "\u{1f}", "\u{1f}null", "null", "nul", "nulls", "\u{feff}x", "\u{fb00}", "\\.", "-1", "=1", " a", "a ", "\u{3000}+1"]).prop_map(str::to_owned),
    ]
}

fn integers() -> impl Strategy<Value = i128> {
    prop_oneof![
        (-1000..1000_i128),
        any::<i32>().prop_map(i128::from),
        any::<i64>().prop_map(i128::from),
        any::<i128>(),
        (0..38_u32, -1..2_i128).prop_map(|(power, step)| 10_i128.pow(power) + step),
    ]
}

fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        (any::<i32>(), 0..5_i32).prop_map(|(n, scale)| f64::from(n) / 10_f64.powi(scale)),
        any::<u64>().prop_map(f64::from_bits),
        select(vec![0.0, -0.0, 0.5, 1e15, 1e16, 1e-5, 9.9e-6, 1e7, 1e-3, f64::NAN, f64::INFINITY, 4e13, 5e-324, 0.07]),
    ]
}

fn typed() -> impl Strategy<Value = Owned> {
    prop_oneof![
        3 => integers().prop_map(Owned::Integer),
        3 => floats().prop_map(Owned::Float64),
        3 => (integers(), -2..9_i8).prop_map(|(unscaled, scale)| Owned::Decimal(unscaled, scale)),
        1 => any::<bool>().prop_map(Owned::Boolean),
        1 => any::<f32>().prop_map(Owned::Float32),
        1 => (-800_000..800_000_i32).prop_map(Owned::Date),
        1 => (any::<i32>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Owned::Timestamp(seconds.into(), nanos)),
        1 => vec(any::<u8>(), 0..9).prop_map(Owned::Binary),
        1 => texts().prop_map(Owned::Nested),
    ]
}

/// The cells of a column of one type, but for a few.
fn columns() -> impl Strategy<Value = BoxedStrategy<Owned>> {
    let kinds = vec![
        integers().prop_map(Owned::Integer).boxed(),
        (-90_000_000..110_000_000_i128).prop_map(Owned::Integer).boxed(),
        floats().prop_map(Owned::Float64).boxed(),
        any::<i32>().prop_map(|cents| Owned::Float64(f64::from(cents) / 100.0)).boxed(),
        (0..9_i8).prop_flat_map(|scale| integers().prop_map(move |n| Owned::Decimal(n, scale))).boxed(),
        any::<i32>().prop_map(|n| Owned::Decimal(n.into(), 2)).boxed(),
        any::<bool>().prop_map(Owned::Boolean).boxed(),
        (-800_000..800_000_i32).prop_map(Owned::Date).boxed(),
        texts().prop_map(Owned::Text).boxed(),
    ];
    (select(kinds), 0..3_u32)
        .prop_map(|(cells, nulls)| prop_oneof![20 => cells, nulls => Just(Owned::Null), 1 => typed()].boxed())
}

/// Tables of texts alone, of texts and nulls, of values of all kinds, and of columns of one type each; some are longer than
/// what is encoded at a time.
fn tables() -> impl Strategy<Value = Vec<Vec<Owned>>> {
    let rows = prop_oneof![30 => Just(1), 1 => Just(15)];
    (small_tables(), rows).prop_map(|(table, times)| table.iter().cycle().take(table.len() * times).cloned().collect())
}

fn small_tables() -> impl Strategy<Value = Vec<Vec<Owned>>> {
    let cells = || texts().prop_map(Owned::Text);
    let of_columns = vec(columns(), 1..6).prop_flat_map(|columns| vec(columns, 0..40));
    let of_cells = (1..6_usize, 0..3_u8).prop_flat_map(move |(width, kind)| {
        let cell = match kind {
            0 => cells().boxed(),
            1 => prop_oneof![9 => cells(), 1 => Just(Owned::Null)].boxed(),
            _ => prop_oneof![3 => cells(), 1 => Just(Owned::Null), 3 => typed()].boxed(),
        };
        vec(vec(cell, width), 0..40)
    });
    prop_oneof![of_cells, of_columns]
}

fn dialects() -> impl Strategy<Value = DialectBuilder> {
    let usual = (
        select(vec![Escape::Doubled, Escape::With('\\')]),
        select(vec!["", "null", "0", "\\N"]),
        select(vec![QuoteStyle::Minimal, QuoteStyle::All, QuoteStyle::NonNumeric, QuoteStyle::Strings]),
        select(vec![",", "|", "-", ".", "1", "\u{1f}", "; ", "<------->"]),
    );
    let usual = usual.prop_map(|(escape, null, style, delimiter)| {
        Dialect::builder()
            .with_escape(escape)
            .with_null(NullText::new(null))
            .with_quote_style(style)
            .with_delimiter(delimiter.parse().unwrap())
    });
    let spark = select(vec![Mode::Exact, Mode::Fixed])
        .prop_map(|mode| SparkOptions::default().dialect(mode).unwrap().to_builder());
    let any = super::dialects().prop_map(|(builder, _, _)| builder);
    let renders = select(vec![
        Render::new(),
        Render::new(),
        Render::spark(),
        Render::new().with_floats(FloatText::Java),
        Render::new().with_decimals(DecimalText::Java),
    ]);
    let refused = select(vec![Refused::Skip, Refused::Reject, Refused::Fail]);
    let hazards = select(vec![OnHazard::Count, OnHazard::Count, OnHazard::Refuse]);
    (prop_oneof![2 => usual, 1 => spark, 2 => any], renders, refused, hazards).prop_map(
        |(builder, render, refused, hazards)| builder.with_render(render).with_refused(refused).with_on_hazard(hazards),
    )
}

/// The records of a table one by one: the bytes, the counts, the rows handed back, and the row that ended it all.
pub(super) fn one_by_one(
    dialect: &Dialect,
    table: &[Vec<Owned>],
    columns: &[usize],
) -> (Vec<u8>, Counts, Vec<usize>, Option<usize>) {
    let mut encoder = dialect.encoder();
    let (mut out, mut rejected) = (Vec::new(), Vec::new());
    for (i, row) in table.iter().enumerate() {
        match encoder.record(columns.iter().map(|&column| row[column].value()), &mut out) {
            Ok(Outcome::Rejected(_)) => rejected.push(i),
            Ok(_) => {}
            Err(_) => return (Vec::new(), encoder.counts().clone(), rejected, Some(i)),
        }
    }
    (out, encoder.counts().clone(), rejected, None)
}

/// The same by batches of some rows, of which each thread takes its turns.
pub(super) fn in_threads(
    dialect: &Dialect,
    table: &[Vec<Owned>],
    columns: &[usize],
    rows: usize,
    threads: usize,
) -> (Vec<u8>, Counts, Vec<usize>, Option<usize>) {
    let batches: Vec<_> = table.chunks(rows).enumerate().collect();
    let share = |thread: usize| {
        let mut encoder = dialect.encoder();
        let mut batch = Batch::new(table.first().map_or(1, Vec::len));
        let mut written = Vec::new();
        for (i, records) in batches.iter().skip(thread).step_by(threads) {
            batch.clear();
            for row in *records {
                batch.push_record(row.iter().map(Owned::value)).unwrap();
            }
            let mut out = b"before".to_vec();
            let refused = encoder.batch(&batch, columns, &mut out);
            assert!(refused.is_ok() || out == b"before", "an error leaves what was there as it was");
            let out = out.split_off(b"before".len());
            let row = |error: &RecordError| i * rows + error.row();
            written.push((
                *i,
                out,
                refused.map(|refused| refused.iter().map(row).collect::<Vec<_>>()).map_err(|error| row(&error)),
            ));
        }
        (written, encoder.counts().clone())
    };
    let shares: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (mut counts, mut all) = (Counts::default(), Vec::new());
    for (written, own) in shares {
        counts.merge(&own);
        all.extend(written);
    }
    all.sort_by_key(|(i, ..)| *i);
    let (mut out, mut rejected) = (Vec::new(), Vec::new());
    for (_, bytes, refused) in all {
        match refused {
            Ok(rows) => rejected.extend(rows),
            Err(row) => return (Vec::new(), counts, rejected, Some(row)),
        }
        out.extend(bytes);
    }
    (out, counts, rejected, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_batch_is_its_records(
        builder in dialects(),
        table in tables(),
        picks in vec(any::<prop::sample::Index>(), 0..6),
        whole in any::<bool>(),
        rows in prop_oneof![1..50_usize, 50..600_usize],
        threads in 1..4_usize,
    ) {
        let Ok(dialect) = builder.build() else { return Ok(()) };
        let width = table.first().map_or(1, Vec::len);
        let columns: Vec<_> =
            if whole { (0..width).collect() } else { picks.iter().map(|pick| pick.index(width)).collect() };
        let (expected, counts, expected_rejected, expected_stop) = one_by_one(&dialect, &table, &columns);
        let (out, own_counts, rejected, stop) = in_threads(&dialect, &table, &columns, rows, threads);
        prop_assert_eq!(stop, expected_stop);
        if stop.is_none() {
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
            prop_assert_eq!(out, expected);
            prop_assert_eq!(rejected, expected_rejected);
            prop_assert_eq!(own_counts, counts);
        }
    }
}

/// Holds that a dialect writes a row, and counts what it meets, as a batch of one row does.
#[track_caller]
fn check_row(dialect: &Dialect, row: &[&str], expected: &str) {
    let table = [row.iter().map(|&text| Owned::Text(text.to_owned())).collect()];
    let columns: Vec<_> = (0..row.len()).collect();
    let (out, counts, ..) = one_by_one(dialect, &table, &columns);
    assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
    assert_eq!((out, counts), {
        let (out, counts, ..) = in_threads(dialect, &table, &columns, 1, 1);
        (out, counts)
    });
}

#[test]
fn an_escape_for_escapes_is_a_hazard_in_batches_too() {
    let dialect =
        Dialect::builder().with_escape(Escape::With('\\')).with_escape_self(EscapeSelf::With(',')).build().unwrap();
    check_row(&dialect, &["a,b", "c"], "\"a,b\",c\n");
}

#[test]
fn a_delimiter_that_spark_writes_as_a_line_end_is_one_in_batches_too() {
    let builder = SparkOptions::default().dialect(Mode::Exact).unwrap().to_builder();
    let builder = builder.with_delimiter("\n".parse().unwrap()).with_terminator("\r\n".parse().unwrap());
    check_row(&builder.build().unwrap(), &["a", "b"], "a\r\nb\r\n");
}

#[test]
fn what_follows_a_mark_in_a_text_needs_no_quotes() {
    let dialect = Dialect::builder().with_terminator("\n\u{1}".parse().unwrap()).build().unwrap();
    check_row(&dialect, &["a\u{1f}\u{1}b", "c"], "a\u{1f}\u{1}b,c\n\u{1}");
}
