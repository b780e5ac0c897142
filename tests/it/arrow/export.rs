//! Record batches through exports: names, files, blocks, rejects.

use std::num::NonZeroU64;
use std::sync::Arc;

use chrono::{TimeZone, Utc};
use consign::arrow_array::types::Int8Type;
use consign::arrow_array::*;
use consign::arrow_schema::{DataType, Field, Schema};
use consign::destination::DestinationBuilder;
use consign::format::csv::{Dialect, Header, QuoteStyle, Refused};
use consign::location::{BucketName, FolderPath};
use consign::object_store::ObjectStoreExt;
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::row::{Column, Columns, Value};
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Error, ErrorKind, Export, Result};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;

use super::reference::{self, Owned};
use super::table::{self, Source};

fn plan() -> DestinationBuilder {
    Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("out").unwrap(),
        Template::parse("t").unwrap(),
    )
}

fn start(plan: DestinationBuilder) -> (Arc<InMemory>, Export) {
    let memory = Arc::new(InMemory::new());
    let store = Store::multipart(Arc::clone(&memory));
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap());
    (memory, Export::start(&plan.build().unwrap(), &store, context).unwrap())
}

/// The texts of the files that an export commits.
async fn files(memory: &InMemory, export: Export) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for file in export.commit().await?.files() {
        let bytes = memory.get(&Path::from(file.key())).await.unwrap().bytes().await.unwrap();
        texts.push(String::from_utf8(bytes.to_vec()).unwrap());
    }
    Ok(texts)
}

fn airports() -> RecordBatch {
    let codes: ArrayRef = Arc::new(StringArray::from(vec!["04G", "06A", "06C", "06N", "09J"]));
    let altitudes: ArrayRef = Arc::new(Int32Array::from(vec![Some(1044), Some(264), None, Some(523), Some(11)]));
    let names: ArrayRef = Arc::new(StringArray::from(vec!["Lansdowne", "Moton, Field", "", "Randall", "Jekyll"]));
    RecordBatch::try_from_iter([("faa", codes), ("alt", altitudes), ("name", names)]).unwrap()
}

#[tokio::test]
async fn columns_are_picked_ordered_and_renamed() {
    let columns = Columns::select([Column::new("name").renamed("airport"), Column::new("faa")]).unwrap();
    let (memory, mut export) = start(plan().with_columns(columns));
    export.write_batch(airports().slice(0, 2)).await.unwrap();
    export.write_batch(airports().slice(3, 2)).await.unwrap();
    let expected = "airport,faa\nLansdowne,04G\n\"Moton, Field\",06A\nRandall,06N\nJekyll,09J\n";
    assert_eq!(files(&memory, export).await.unwrap(), [expected]);
}

/// The buffers of blocks are used again, with what earlier blocks have left in them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_any_size_follow_each_other() {
    let text = |row: usize| match row % 7 {
        0 => None,
        1 => Some("null".repeat(row % 5)),
        2 => Some(format!("north, {row}")),
        by => Some(format!("{row:06}").repeat(by * (row % 50))),
    };
    let batch = |from: usize, rows: usize| {
        let numbers = UInt64Array::from_iter_values((from..from + rows).map(|row| row as u64));
        let texts: StringArray = (from..from + rows).map(text).collect();
        let columns = [("number", Arc::new(numbers) as ArrayRef), ("text", Arc::new(texts) as ArrayRef)];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let (memory, mut export) = start(plan());
    let (mut expected, mut from) = (b"number,text\n".to_vec(), 0);
    let mut encoder = Dialect::default().encoder();
    for size in [1, 20_000, 3, 9_000, 700, 16_000, 12, 5_000, 10_000] {
        // Every other one by rows, which use the same buffers.
        if size % 1_000 == 0 {
            export.write_batch(batch(from, size)).await.unwrap();
        } else {
            for row in from..from + size {
                export.write(&Numbered { number: row as u64, text: text(row) }).await.unwrap();
            }
        }
        assert!(encoder.record_batch(&batch(from, size), &mut expected).unwrap().is_empty());
        from += size;
    }
    let found = files(&memory, export).await.unwrap();
    assert!(found.len() == 1 && found[0].as_bytes() == expected, "other bytes than the encoder's");
}

#[derive(Serialize)]
struct Numbered {
    number: u64,
    text: Option<String>,
}

#[tokio::test]
async fn files_end_where_they_are_full() {
    let whole =
        ["faa,alt,name\n04G,1044,Lansdowne\n06A,264,\"Moton, Field\"\n", "faa,alt,name\n06C,null,\n06N,523,Randall\n"];
    for (rows, last) in [(5, Some("faa,alt,name\n09J,11,Jekyll\n")), (4, None)] {
        for size in 1..=rows {
            let (memory, mut export) = start(plan().with_max_rows(NonZeroU64::new(2).unwrap()));
            for from in (0..rows).step_by(size) {
                export.write_batch(airports().slice(from, size.min(rows - from))).await.unwrap();
            }
            let expected: Vec<_> = whole.into_iter().chain(last).collect();
            assert_eq!(files(&memory, export).await.unwrap(), expected, "{rows} rows by {size}");
        }
    }
}

#[derive(Serialize)]
struct Airport {
    faa: &'static str,
    alt: i32,
    name: &'static str,
}

#[tokio::test]
async fn rows_and_batches_come_in_their_order() {
    let row = Airport { faa: "X", alt: 1, name: "x" };
    let (memory, mut export) = start(plan().with_max_rows(NonZeroU64::new(4).unwrap()));
    export.write(&row).await.unwrap();
    export.write_batch(airports().slice(0, 2)).await.unwrap();
    export.write(&row).await.unwrap();
    export.write(&row).await.unwrap();
    export.write_batch(airports().slice(4, 1)).await.unwrap();
    let first = "faa,alt,name\nX,1,x\n04G,1044,Lansdowne\n06A,264,\"Moton, Field\"\nX,1,x\n";
    assert_eq!(files(&memory, export).await.unwrap(), [first, "faa,alt,name\nX,1,x\n09J,11,Jekyll\n"]);
}

#[tokio::test]
async fn a_batch_without_rows_gives_the_header() {
    let (memory, mut export) = start(plan());
    export.write_batch(airports().slice(0, 0)).await.unwrap();
    assert_eq!(files(&memory, export).await.unwrap(), ["faa,alt,name\n"]);
}

#[tokio::test]
async fn large_batches_go_on_in_blocks() {
    let text = "x".repeat(10_000);
    let values: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
    let keys = Int8Array::from(vec![0; 1_000]);
    let dictionary: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::try_new(keys, values).unwrap());
    let numbers: ArrayRef = Arc::new((0..1_000).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter([("n", numbers), ("t", dictionary)]).unwrap();
    let (memory, mut export) = start(plan());
    let progress = export.progress();
    export.write_batch(batch).await.unwrap();
    let files = files(&memory, export).await.unwrap();
    let expected: Vec<_> = (0..1_000).map(|n| format!("{n},{text}\n")).collect();
    assert!(files[0].strip_prefix("n,t\n").unwrap() == expected.concat(), "the records in their order");
    assert_eq!(progress.snapshot().rows, 1_000);
}

#[tokio::test]
async fn batches_that_differ_are_refused() {
    #[track_caller]
    fn check(error: &Error, expected: &str) {
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Row, expected));
    }
    let column = |name: &str, array: ArrayRef| RecordBatch::try_from_iter([(name, array)]).unwrap();
    let numbers = || -> ArrayRef { Arc::new(Int32Array::from(vec![1, 2])) };
    let texts = || -> ArrayRef { Arc::new(StringArray::from(vec!["a", "b"])) };

    for (other, expected) in [
        (airports(), "row 3: expected a batch of 1 columns as the rows before have, found 3"),
        (
            column("b", numbers()),
            "row 3: expected `a` as column 1 of a batch, found `b`: all batches must have the same columns",
        ),
        (
            column("a", texts()),
            "row 3: expected the type Int32 in column 1 (`a`) of a batch, found Utf8: all batches must have the same types",
        ),
    ] {
        let (memory, mut export) = start(plan());
        export.write_batch(column("a", numbers())).await.unwrap();
        check(&export.write_batch(other).await.unwrap_err(), expected);
        // The first error is final.
        check(&export.write_batch(column("a", numbers())).await.unwrap_err(), expected);
        check(&files(&memory, export).await.unwrap_err(), expected);
    }

    // That they may be null is no difference.
    let schema = Schema::new(vec![Field::new("a", DataType::Int32, true)]);
    let nullable = RecordBatch::try_new(Arc::new(schema), vec![numbers()]).unwrap();
    let (memory, mut export) = start(plan());
    export.write_batch(column("a", numbers())).await.unwrap();
    export.write_batch(nullable).await.unwrap();
    assert_eq!(files(&memory, export).await.unwrap(), ["a\n1\n2\n1\n2\n"]);

    let (_, mut export) = start(plan());
    export.write(&Airport { faa: "X", alt: 1, name: "x" }).await.unwrap();
    let expected = "row 2: expected a batch of 3 columns as the rows before have, found 1";
    check(&export.write_batch(column("a", numbers())).await.unwrap_err(), expected);

    let bare = Dialect::builder().with_header(Header::Omit).build().unwrap();
    let (_, mut export) = start(plan().with_dialect(bare));
    export.write_record(["x"]).await.unwrap();
    let expected = "row 2: expected records of fields without names, as the rows before are, found a batch with names";
    check(&export.write_batch(column("a", numbers())).await.unwrap_err(), expected);
}

#[tokio::test]
async fn types_that_cannot_be_written_are_refused_at_once() {
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<types::Int32Type, _, _>(vec![Some(vec![Some(1)])]));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("n", numbers), ("tags", list)]).unwrap();
    let (_, mut export) = start(plan().with_dialect(Dialect::spark()));
    let e = export.write_batch(batch.clone()).await.unwrap_err();
    let expected = format!(
        "column 2 (`tags`): the column's type is {}, which the dialect refuses: expected a type that is not nested",
        batch.schema().field(1).data_type()
    );
    assert_eq!((e.kind(), e.to_string()), (ErrorKind::Row, expected));

    // Of columns that are not picked, the type does not matter.
    let columns = Columns::select([Column::new("n")]).unwrap();
    let (memory, mut export) = start(plan().with_dialect(Dialect::spark()).with_columns(columns));
    export.write_batch(batch).await.unwrap();
    assert_eq!(files(&memory, export).await.unwrap(), ["1\n"]);
}

/// Two rows of which the second cannot be written, after one that can.
fn awkward() -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b,c", "d"]));
    let days: ArrayRef = Arc::new(Date64Array::from(vec![0, 86_400_000, 1]));
    let times: ArrayRef = Arc::new(Time64NanosecondArray::from(vec![None, Some(1), Some(2)]));
    RecordBatch::try_from_iter([("t", texts), ("d", days), ("s", times)]).unwrap()
}

#[tokio::test]
async fn a_row_that_fails_is_named_in_the_whole_table() {
    let never = Dialect::builder().with_quote_style(QuoteStyle::Never).build().unwrap();
    let (memory, mut export) = start(plan().with_dialect(never));
    export.write_batch(awkward().slice(0, 1)).await.unwrap();
    export.write_batch(awkward()).await.unwrap();
    let e = files(&memory, export).await.unwrap_err();
    let text = "the text holds the delimiter `,`, and the dialect never quotes: expected a text without it";
    assert_eq!(e.to_string(), format!("row 3, column 1 (`t`): {text}"));
}

#[tokio::test]
async fn rejected_rows_are_kept_as_they_came() {
    let builder = Dialect::builder().with_quote_style(QuoteStyle::Never).with_refused(Refused::Reject);
    let columns = Columns::select([Column::new("d"), Column::new("t")]).unwrap();
    let (memory, mut export) = start(plan().with_dialect(builder.build().unwrap()).with_columns(columns));
    export.write_batch(awkward()).await.unwrap();
    let manifest = export.commit().await.unwrap();
    assert_eq!(manifest.rows(), 1);
    let rejects = manifest.rejects().unwrap();
    let bytes = memory.get(&Path::from(rejects.key())).await.unwrap().bytes().await.unwrap();
    let text = "the text holds the delimiter `,`, and the dialect never quotes: expected a text without it";
    let expected = format!(
        "{{\"error\":\"row 2, column 2 (`t`): {text}\",\"row\":[\"b,c\",\"1970-01-02\",\"00:00:00.000000001\"]}}\n\
         {{\"error\":\"row 3, column 1 (`d`): the date 1970-01-01 is 1 ms past midnight: expected whole days\",\
         \"row\":[\"d\",1,\"00:00:00.000000002\"]}}\n"
    );
    assert_eq!(String::from_utf8(bytes.to_vec()).unwrap(), expected);
}

/// What all the kinds of values are in a rejects file.
#[tokio::test]
async fn rejects_have_every_kind_of_value() {
    let wide = Value::Decimal256 { unscaled: &[0x7F; 32], scale: 2 };
    let row = [
        Value::Text("b,c"),
        wide,
        Value::DateAt { days: i32::MAX },
        Value::TimestampAt { seconds: 0, nanoseconds: 1_000 },
        Value::LocalTimestampAt { seconds: -1, nanoseconds: 0 },
        Value::Duration { nanoseconds: -1_500_000_000 },
        Value::Months(14),
        Value::Interval { months: 1, days: 2, nanoseconds: 3 },
    ];
    let builder = Dialect::builder().with_quote_style(QuoteStyle::Never).with_refused(Refused::Reject);
    let dialect = builder.with_header(Header::Omit).build().unwrap();
    let (memory, mut export) = start(plan().with_dialect(dialect));
    export.write_record(row).await.unwrap();
    let manifest = export.commit().await.unwrap();
    let bytes = memory.get(&Path::from(manifest.rejects().unwrap().key())).await.unwrap().bytes().await.unwrap();
    let found: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let expected = serde_json::json!([
        "b,c",
        "57669001306428065956053000376875938421040345304064124051023973211784186134399E-2",
        "+5881580-07-11",
        "1970-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59",
        "PT-1.5S",
        "P1Y2M",
        "P1M2DT0.000000003S",
    ]);
    assert_eq!(found["row"], expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever comes in batches comes out as if it had come in rows, in as many files.
    #[test]
    fn batches_are_their_rows(data in vec(any::<u8>(), 0..500), max_rows in 1_u64..5, size in 1_usize..5) {
        let mut source = Source::new(&data);
        let choice = table::choice(&mut source);
        let batch = table::batch(&mut source);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (by_batches, by_rows) = runtime.block_on(async {
            let dialect = choice.dialect.to_builder().with_refused(Refused::Skip).build().unwrap();
            let plan = || plan().with_dialect(dialect.clone()).with_max_rows(NonZeroU64::new(max_rows).unwrap());
            let (memory, mut export) = start(plan());
            for from in (0..batch.num_rows()).step_by(size) {
                if export.write_batch(batch.slice(from, size.min(batch.num_rows() - from))).await.is_err() {
                    return (None, None);
                }
            }
            let by_batches = contents(&memory, export).await;
            let memory = Arc::new(InMemory::new());
            let store = Store::multipart(Arc::clone(&memory));
            let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap());
            let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
            let export = Export::builder(&plan().build().unwrap(), &store, context);
            let mut export = if batch.num_rows() > 0 { export.with_columns(names) } else { export }.start().unwrap();
            for row in 0..batch.num_rows() {
                // A row that has no values takes the place of one that is skipped.
                let Some(cells) = reference::row(&batch, row) else { return (None, None) };
                export.write_record(cells.iter().map(Owned::value)).await.unwrap();
            }
            (by_batches, contents(&memory, export).await)
        });
        prop_assert_eq!(by_batches, by_rows);
    }
}

/// The bytes of the files that an export commits, and what it counted; none if it fails, such as for a header.
async fn contents(memory: &InMemory, export: Export) -> Option<(Vec<Vec<u8>>, u64)> {
    let manifest = export.commit().await.ok()?;
    let mut files = Vec::new();
    for file in manifest.files() {
        files.push(memory.get(&Path::from(file.key())).await.unwrap().bytes().await.unwrap().to_vec());
    }
    Some((files, manifest.rows()))
}
