//! A plain writer of a few dialects, one field at a time, that knows nothing of the encoder: records and batches come out
//! as it writes them.

#[cfg(feature = "arrow")]
use std::sync::Arc;

#[cfg(feature = "arrow")]
use consign::arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, types::Int32Type,
};
use consign::chrono::NaiveDate;
use consign::format::csv::{Dialect, EmptyText, Escape, NullText, QuoteStyle};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::batch::{Owned, in_threads, one_by_one};

/// A dialect whose fields are quoted by `"`, which is doubled inside.
#[derive(Clone, Debug)]
struct Plain {
    delimiter: &'static str,
    terminator: &'static str,
    null: &'static str,
    /// All but nulls are quoted.
    all: bool,
}

impl Plain {
    fn dialect(&self) -> Dialect {
        Dialect::builder()
            .with_escape(Escape::Doubled)
            .with_empty(EmptyText::QUOTED)
            .with_delimiter(self.delimiter.parse().unwrap())
            .with_terminator(self.terminator.parse().unwrap())
            .with_null(NullText::new(self.null))
            .with_quote_style(if self.all { QuoteStyle::AllNonNull } else { QuoteStyle::Minimal })
            .build()
            .unwrap()
    }

    fn table(&self, table: &[Vec<Owned>], columns: &[usize]) -> String {
        let record = |row: &Vec<Owned>| {
            let fields: Vec<_> = columns.iter().enumerate().map(|(at, &pick)| self.field(at, &row[pick])).collect();
            fields.join(self.delimiter) + self.terminator
        };
        table.iter().map(record).collect()
    }

    fn field(&self, column: usize, cell: &Owned) -> String {
        let text = match cell {
            Owned::Null => return self.null.to_owned(),
            Owned::Boolean(value) => value.to_string(),
            Owned::Integer(value) => value.to_string(),
            Owned::Float64(value) => format!("{value:?}"),
            Owned::Decimal(unscaled, scale) => decimal(*unscaled, usize::try_from(*scale).unwrap()),
            Owned::Date(days) => NaiveDate::from_epoch_days(*days).unwrap().format("%Y-%m-%d").to_string(),
            Owned::Text(text) => text.clone(),
            other => panic!("no column has {other:?}"),
        };
        // A reader would find the delimiter sooner than it is meant.
        let early = format!("{text}{}", self.delimiter).find(self.delimiter) != Some(text.len());
        let splits = early || text.contains(['"', '\n', '\r']);
        // What ends PostgreSQL's data, and what readers drop at the start of a file.
        let misleads = column == 0 && (text == "\\." || text.starts_with('\u{feff}'));
        if self.all || splits || misleads || text == self.null || text.is_empty() {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }
}

/// A number of which so many digits are behind the point.
fn decimal(unscaled: i128, scale: usize) -> String {
    let digits = format!("{:0>1$}", unscaled.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if unscaled < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
    format!("{sign}{whole}{point}{fraction}")
}

fn dialects() -> impl Strategy<Value = Plain> {
    let delimiter = select(vec![",", ";", "\t", "|", "::", "<------->"]);
    let null = select(vec!["", "\\N", "NULL", "0", "true"]);
    (delimiter, select(vec!["\n", "\r\n"]), null, any::<bool>()).prop_map(|(delimiter, terminator, null, all)| Plain {
        delimiter,
        terminator,
        null,
        all,
    })
}

/// The cells of a column of one type, with or without nulls.
fn column() -> impl Strategy<Value = BoxedStrategy<Owned>> {
    // Beyond these floats there are exponents, and beyond these days other ways to write a year.
    let floats = (-999_999_999_999_999..1_000_000_000_000_000_i64, 0..5_i32);
    #[expect(clippy::cast_precision_loss, reason = "any float will do")]
    let floats = floats.prop_map(|(n, places)| n as f64 / 10_f64.powi(places));
    let small = (-1_000..1_000_i32).prop_map(|n| f64::from(n) / 100.0);
    let text = prop_oneof![
        6 => "[a-z]{0,20}",
        2 => "[a-z,;|:\"\\\\N.<>-]{0,9}",
        1 => "\\PC{0,40}",
        1 => "[a-z \r\n\t\u{1e}\u{1f}]{0,90}",
        1 => select(vec!["\\.", "\u{feff}a", "NULL", "0", "::", "é,"]).prop_map(str::to_owned),
    ];
    let kinds = vec![
        any::<i64>().prop_map(|n| Owned::Integer(n.into())).boxed(),
        any::<i128>().prop_map(Owned::Integer).boxed(),
        (-100_000_001..100_000_002_i128).prop_map(Owned::Integer).boxed(),
        prop_oneof![floats, small].prop_map(Owned::Float64).boxed(),
        any::<bool>().prop_map(Owned::Boolean).boxed(),
        (-700_000..2_900_000_i32).prop_map(Owned::Date).boxed(),
        text.prop_map(Owned::Text).boxed(),
    ];
    let decimals = (0..10_i8, any::<bool>()).prop_map(|(scale, long)| {
        let unscaled = if long { any::<i64>().boxed() } else { any::<i16>().prop_map(i64::from).boxed() };
        unscaled.prop_map(move |n| Owned::Decimal(n.into(), scale)).boxed()
    });
    (prop_oneof![7 => select(kinds), 2 => decimals], 0..4_u32)
        .prop_map(|(cells, nulls)| prop_oneof![10 => cells, nulls => Just(Owned::Null)].boxed())
}

/// The table in columns of Arrow.
#[cfg(feature = "arrow")]
fn columns_of(table: &[Vec<Owned>], columns: &[usize]) -> RecordBatch {
    let column = |&pick: &usize| -> ArrayRef {
        /// The values of a column, if they are of the type that is asked for.
        fn all<'c, T>(cells: &[&'c Owned], get: impl Fn(&'c Owned) -> Option<T>) -> Option<Vec<Option<T>>> {
            let values =
                cells.iter().map(|cell| if matches!(cell, Owned::Null) { Some(None) } else { get(cell).map(Some) });
            values.collect()
        }
        let cells: Vec<_> = table.iter().map(|row| &row[pick]).collect();
        let scale = cells.iter().find_map(|cell| if let Owned::Decimal(_, scale) = cell { Some(*scale) } else { None });
        let integer = |cell: &Owned| if let Owned::Integer(n) = cell { Some(*n) } else { None };
        let long = |cell: &Owned| integer(cell).and_then(|n| i64::try_from(n).ok());
        let unscaled = |cell: &Owned| if let Owned::Decimal(n, _) = cell { Some(*n) } else { integer(cell) };
        if let Some(values) = all(&cells, long) {
            Arc::new(Int64Array::from(values))
        } else if let Some(values) = all(&cells, unscaled) {
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale.unwrap_or(0)).unwrap())
        } else if let Some(values) = all(&cells, |cell| if let Owned::Float64(v) = cell { Some(*v) } else { None }) {
            Arc::new(Float64Array::from(values))
        } else if let Some(values) = all(&cells, |cell| if let Owned::Boolean(v) = cell { Some(*v) } else { None }) {
            Arc::new(BooleanArray::from(values))
        } else if let Some(values) = all(&cells, |cell| if let Owned::Date(v) = cell { Some(*v) } else { None }) {
            Arc::new(Date32Array::from(values))
        } else {
            let values = all(&cells, |cell| if let Owned::Text(v) = cell { Some(&**v) } else { None });
            let values = values.expect("a column has one type");
            match pick % 4 {
                0 => Arc::new(StringArray::from(values)),
                1 => Arc::new(LargeStringArray::from(values)),
                2 => Arc::new(values.into_iter().collect::<DictionaryArray<Int32Type>>()),
                _ => Arc::new(StringViewArray::from(values)),
            }
        }
    };
    let columns = columns.iter().enumerate().map(|(at, pick)| (at.to_string(), column(pick)));
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The table by record batches of some rows, of which each thread takes its turns.
#[cfg(feature = "arrow")]
fn in_record_batches(dialect: &Dialect, batch: &RecordBatch, rows: usize, threads: usize) -> String {
    let starts: Vec<_> = (0..batch.num_rows()).step_by(rows).collect();
    let share = |thread: usize| {
        let mut encoder = dialect.encoder();
        let write = |&start: &usize| {
            let mut out = Vec::new();
            let slice = batch.slice(start, rows.min(batch.num_rows() - start));
            assert_eq!(encoder.record_batch(&slice, &mut out).unwrap(), []);
            (start, out)
        };
        starts.iter().skip(thread).step_by(threads).map(write).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_by_key(|(start, _)| *start);
    String::from_utf8(all.into_iter().flat_map(|(_, bytes)| bytes).collect()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_plain_writer_agrees(
        plain in dialects(),
        table in vec(column(), 2..7).prop_flat_map(|columns| vec(columns, 1..30)),
        times in prop_oneof![30 => Just(1_usize), 1 => Just(20)],
        swap in any::<bool>(),
        rows in prop_oneof![1..50_usize, 50..600_usize],
        threads in 1..4_usize,
    ) {
        let table: Vec<_> = table.iter().cycle().take(table.len() * times).cloned().collect();
        let mut columns: Vec<_> = (0..table[0].len()).collect();
        if swap {
            columns.reverse();
        }
        let (dialect, expected) = (plain.dialect(), plain.table(&table, &columns));
        let (records, ..) = one_by_one(&dialect, &table, &columns);
        prop_assert_eq!(String::from_utf8(records).unwrap(), &*expected);
        let (batches, ..) = in_threads(&dialect, &table, &columns, rows, threads);
        prop_assert_eq!(String::from_utf8(batches).unwrap(), &*expected);
        #[cfg(feature = "arrow")]
        prop_assert_eq!(in_record_batches(&dialect, &columns_of(&table, &columns), rows, threads), &*expected);
    }
}
