//! Exports end to end: what comes out of rows, and what is left when something fails.

use std::fmt::Write as _;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use consign::destination::{DestinationBuilder, ManifestFile};
use consign::format::csv::{Charset, Dialect, Header, Quote, QuoteStyle, Refused};
use consign::layer::compress::Compression;
use consign::location::{BucketName, FolderPath};
use consign::manifest::Manifest;
use consign::object_store::ObjectStore;
use consign::object_store::memory::InMemory;
use consign::row::{Column, Columns, Value};
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Error, ErrorKind, Export};
use futures::{SinkExt, StreamExt, TryStreamExt};
use serde::Serialize;

#[derive(Clone, Serialize)]
struct Airport {
    faa: &'static str,
    name: Option<&'static str>,
    alt: i32,
}

const LANSDOWNE: Airport = Airport { faa: "04G", name: Some("Lansdowne, Airport"), alt: 1044 };
const MOTON: Airport = Airport { faa: "06A", name: None, alt: 264 };

fn time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap()
}

fn context() -> Context {
    Context::new(time())
}

fn plan() -> DestinationBuilder {
    Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("out").unwrap(),
        Template::parse("t").unwrap(),
    )
}

fn memory() -> (Arc<InMemory>, Store) {
    let memory = Arc::new(InMemory::new());
    (Arc::clone(&memory), Store::multipart(memory))
}

/// The keys and texts of everything in a store, sorted.
async fn contents(store: &InMemory) -> Vec<(String, String)> {
    let mut found: Vec<_> = store
        .list(None)
        .and_then(|meta| async move {
            let bytes = object_store::ObjectStoreExt::get(store, &meta.location).await?.bytes().await?;
            Ok((meta.location.to_string(), String::from_utf8_lossy(&bytes).into_owned()))
        })
        .try_collect()
        .await
        .unwrap();
    found.sort();
    found
}

/// The files below a folder, hidden ones too, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Delivers rows to memory and gives back what stands there.
async fn deliver<T: Serialize>(
    plan: DestinationBuilder,
    rows: &[T],
) -> Result<(Manifest, Vec<(String, String)>), Error> {
    let (memory, store) = memory();
    let mut export = Export::builder(&plan.build()?, &store, context()).with_run_id("run").start()?;
    for row in rows {
        export.write(row).await?;
    }
    let manifest = export.commit().await?;
    Ok((manifest, contents(&memory).await))
}

#[track_caller]
fn check_error(error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
}

#[tokio::test]
async fn rows_come_out_as_a_file_and_a_manifest() {
    let (manifest, found) = deliver(plan(), &[LANSDOWNE, MOTON]).await.unwrap();
    let csv = "faa,name,alt\n04G,\"Lansdowne, Airport\",1044\n06A,null,264\n";
    let json = format!(
        r#"{{"flowRunId":"run","scheduledTime":"2026-11-22T08:00:00Z","exportResults":[{{"sinkPath":"/out","name":"t.csv","size":{}}}]}}"#,
        csv.len()
    );
    assert_eq!(found, [("out/manifest-run.json".into(), json.clone()), ("out/t.csv".into(), csv.into())]);
    assert_eq!(manifest.to_json(), json);
    assert_eq!(manifest.key(), Some("out/manifest-run.json"));
    assert_eq!((manifest.rows(), manifest.files()[0].plain_bytes()), (2, csv.len() as u64));
}

#[tokio::test]
async fn files_are_split_at_a_number_of_rows() {
    let rows = [["a"], ["b"], ["c"], ["d"], ["e"]];
    for (max, expected) in [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1)] {
        let plan = plan().with_max_rows(NonZeroU64::new(max).unwrap()).with_dialect(headless());
        let (manifest, found) = deliver(plan, &rows).await.unwrap();
        assert_eq!(manifest.files().len(), expected, "at {max} rows");
        let names: Vec<_> = manifest.files().iter().map(|file| file.name().to_owned()).collect();
        let numbered = (1..=expected).map(|n| if n == 1 { "t.csv".into() } else { format!("t_{n}.csv") });
        assert_eq!(names, numbered.collect::<Vec<String>>());
        let mut joined = String::new();
        for file in manifest.files() {
            let (_, text) = found.iter().find(|(key, _)| *key == file.key()).unwrap();
            assert_eq!(text.lines().count() as u64, file.rows());
            joined += text;
        }
        assert_eq!(joined, "a\nb\nc\nd\ne\n", "at {max} rows");
    }
}

#[tokio::test]
async fn every_file_of_a_split_begins_with_the_header() {
    let plan = plan().with_max_rows(NonZeroU64::MIN);
    let (_, found) = deliver(plan, &[LANSDOWNE, MOTON]).await.unwrap();
    assert_eq!(found[1].1, "faa,name,alt\n04G,\"Lansdowne, Airport\",1044\n");
    assert_eq!(found[2], ("out/t_2.csv".into(), "faa,name,alt\n06A,null,264\n".into()));
}

#[tokio::test]
async fn a_template_with_a_file_index_numbers_the_files_itself() {
    let numbered = Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("out").unwrap(),
        Template::parse("part-%FILE_INDEX%").unwrap(),
    );
    let plan = numbered.with_max_rows(NonZeroU64::MIN).with_dialect(headless());
    let (manifest, _) = deliver(plan, &[["a"], ["b"]]).await.unwrap();
    let names: Vec<_> = manifest.files().iter().map(consign::manifest::FileEntry::name).collect();
    assert_eq!(names, ["part-1.csv", "part-2.csv"]);
}

fn headless() -> Dialect {
    Dialect::builder().with_header(Header::Omit).build().unwrap()
}

#[tokio::test]
async fn columns_are_picked_ordered_and_renamed() {
    let columns = Columns::select([Column::new("alt"), Column::new("faa").renamed("code")]).unwrap();
    let (_, found) = deliver(plan().with_columns(columns), &[LANSDOWNE]).await.unwrap();
    assert_eq!(found[1].1, "alt,code\n1044,04G\n");
}

#[tokio::test]
async fn an_export_without_rows_delivers_one_file() {
    let (manifest, found) = deliver::<Airport>(plan(), &[]).await.unwrap();
    assert_eq!((manifest.files().len(), manifest.rows(), found[1].1.as_str()), (1, 0, ""));

    let (memory, store) = memory();
    let export = Export::builder(&plan().build().unwrap(), &store, context()).with_columns(["a", "b"]).start().unwrap();
    export.commit().await.unwrap();
    assert_eq!(contents(&memory).await[1], ("out/t.csv".into(), "a,b\n".into()));
}

#[tokio::test]
async fn a_manifest_can_be_left_out() {
    let (manifest, found) = deliver(plan().with_manifest(ManifestFile::Omit), &[MOTON]).await.unwrap();
    assert_eq!((manifest.key(), found.len()), (None, 1));
}

#[tokio::test]
async fn every_way_in_gives_the_same_bytes() {
    let destination = plan().build().unwrap();
    let expected = "faa,name,alt\n04G,\"Lansdowne, Airport\",1044\n06A,null,264\n";

    let (records, store) = memory();
    let mut export =
        Export::builder(&destination, &store, context()).with_columns(["faa", "name", "alt"]).start().unwrap();
    export.write_record([Value::Text("04G"), Value::Text("Lansdowne, Airport"), Value::Integer(1044)]).await.unwrap();
    export.write_record([Value::Text("06A"), Value::Null, Value::Integer(264)]).await.unwrap();
    export.commit().await.unwrap();

    let (csv, store) = memory();
    let mut export = Export::start(&destination, &store, context()).unwrap();
    let input = "faa,name,alt\n04G,\"Lansdowne, Airport\",1044\n06A,-,264\n";
    let mut reader = csv_async::AsyncReader::from_reader(input.as_bytes());
    export.write_csv(&mut reader, Some("-")).await.unwrap();
    export.commit().await.unwrap();

    let (stream, store) = memory();
    let mut export = Export::start(&destination, &store, context()).unwrap();
    export.write_stream(futures::stream::iter([LANSDOWNE, MOTON])).await.unwrap();
    export.commit().await.unwrap();

    let (sink, store) = memory();
    let mut export = Export::start(&destination, &store, context()).unwrap();
    futures::stream::iter([Ok(LANSDOWNE), Ok::<_, Error>(MOTON)]).forward(&mut export).await.unwrap();
    SinkExt::<Airport>::close(&mut export).await.unwrap();
    assert_eq!(contents(&sink).await, [], "closing a sink commits nothing");
    export.commit().await.unwrap();

    for store in [records, csv, stream, sink] {
        assert_eq!(contents(&store).await.pop().unwrap().1, expected);
    }
}

#[tokio::test]
async fn many_blocks_come_out_in_order() {
    let (memory, store) = memory();
    let mut export = Export::start(&plan().with_dialect(headless()).build().unwrap(), &store, context()).unwrap();
    let mut expected = String::new();
    for n in 0..200_000 {
        export.write(&[n, n * 7]).await.unwrap();
        writeln!(expected, "{n},{}", n * 7).unwrap();
    }
    let manifest = export.commit().await.unwrap();
    assert_eq!(manifest.rows(), 200_000);
    assert!(contents(&memory).await[1].1 == expected, "the rows are out of order, or some are missing");
}

#[tokio::test]
async fn a_file_of_several_parts_is_whole() {
    // More than two parts of 8 MiB, and more than the room for files that are held.
    let memory = Arc::new(InMemory::new());
    for store in [Store::new(Arc::clone(&memory) as Arc<dyn ObjectStore>), Store::multipart(Arc::clone(&memory))] {
        let mut export = Export::start(&plan().with_dialect(headless()).build().unwrap(), &store, context()).unwrap();
        let cell = "x".repeat(999);
        for _ in 0..20_000 {
            export.write_record([cell.as_str()]).await.unwrap();
        }
        let progress = export.progress();
        let manifest = export.commit().await.unwrap();
        assert_eq!(manifest.files()[0].stored_bytes(), 20_000_000);
        assert_eq!((progress.snapshot().rows, progress.snapshot().stored_bytes), (20_000, 20_000_000));
        assert!(contents(&memory).await[1].1 == format!("{cell}\n").repeat(20_000));
    }
}

#[tokio::test]
async fn many_small_files_are_not_all_held() {
    // 40 files of 1 MB, more than the room for files that are held.
    let (memory, store) = memory();
    let plan = plan().with_dialect(headless()).with_max_rows(NonZeroU64::new(1000).unwrap());
    let mut export = Export::start(&plan.build().unwrap(), &store, context()).unwrap();
    let cell = "x".repeat(999);
    for _ in 0..40_000 {
        export.write_record([cell.as_str()]).await.unwrap();
    }
    assert_eq!(export.commit().await.unwrap().files().len(), 40);
    let found = contents(&memory).await;
    assert_eq!(found.len(), 41);
    assert!(found[1..].iter().all(|(_, text)| *text == format!("{cell}\n").repeat(1000)));
}

#[tokio::test]
async fn a_folder_gets_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("not/yet/there");
    let store = Store::folder(&root);
    let plan = plan().with_compression(Compression::gzip()).with_max_rows(NonZeroU64::MIN).build().unwrap();
    let mut export = Export::builder(&plan, &store, context()).with_run_id("run").start().unwrap();
    export.write(&LANSDOWNE).await.unwrap();
    export.write(&MOTON).await.unwrap();
    export.commit().await.unwrap();
    let names = ["out/manifest-run.json", "out/t.csv.gz", "out/t_2.csv.gz"].map(|name| root.join(name));
    assert_eq!(files(&root), names);
    let mut text = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(std::fs::File::open(&names[1]).unwrap()),
        &mut text,
    )
    .unwrap();
    assert_eq!(text, "faa,name,alt\n04G,\"Lansdowne, Airport\",1044\n");
    let left: Vec<_> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["out"], "the folder of unfinished files is gone");
}

#[tokio::test]
async fn rejected_rows_go_to_a_file_of_their_own() {
    let dialect = Dialect::builder()
        .with_quote(Quote::DOUBLE)
        .with_quote_style(QuoteStyle::Never)
        .with_refused(Refused::Reject)
        .build()
        .unwrap();
    let plan = plan().with_dialect(dialect).with_compression(Compression::gzip());
    let (memory, store) = memory();
    let mut export = Export::builder(&plan.build().unwrap(), &store, context()).with_run_id("run").start().unwrap();
    for row in [LANSDOWNE, MOTON] {
        export.write(&row).await.unwrap();
    }
    let manifest = export.commit().await.unwrap();
    let rejects = manifest.rejects().unwrap();
    assert_eq!((manifest.rows(), rejects.rows(), rejects.key()), (1, 1, "out/rejects-run.jsonl.gz"));
    assert_eq!(manifest.counts().get("rejected"), Some(&1));
    assert!(!manifest.to_json().contains("rejects"));
    let bytes = object_store::ObjectStoreExt::get(&*memory, &rejects.key().into()).await.unwrap();
    let mut text = String::new();
    let bytes = bytes.bytes().await.unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    let row: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(row["row"], serde_json::json!(["04G", "Lansdowne, Airport", 1044]));
    assert!(row["error"].as_str().unwrap().starts_with("row 1, column 2 (`name`): "), "{row}");
}

/// Waits until a folder is as it should be, since a dropped export is taken back in the background.
async fn becomes(mut is: impl FnMut() -> bool, what: &str) {
    for _ in 0..500 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn aborted_dropped_and_failed_exports_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("exports");
    let plan = plan().with_dialect(headless()).build().unwrap();
    let cell = "x".repeat(9_999);
    for end in ["abort", "drop", "fail"] {
        let mut export = Export::start(&plan, &Store::folder(&root), context()).unwrap();
        for _ in 0..2_000 {
            export.write_record([cell.as_str()]).await.unwrap();
        }
        becomes(|| !files(&root).is_empty(), "no unfinished file was seen").await;
        match end {
            "abort" => export.abort().await.unwrap(),
            "drop" => drop(export),
            _ => {
                let error = export.write_record(["a", "b"]).await.unwrap_err();
                check_error(&error, ErrorKind::Row, "row 2001: expected 1 field as the table has columns, found 2");
                let again = export.commit().await.unwrap_err();
                check_error(&again, ErrorKind::Row, "row 2001: expected 1 field as the table has columns, found 2");
            }
        }
        becomes(|| !root.exists(), "something was left").await;
    }
}

#[tokio::test]
async fn what_was_there_stays_when_an_export_fails() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    std::fs::write(folder.path().join("out/t.csv"), "old").unwrap();
    let mut export = Export::start(&plan().build().unwrap(), &Store::folder(folder.path()), context()).unwrap();
    export.write(&MOTON).await.unwrap();
    export.abort().await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("out/t.csv")).unwrap(), "old");

    let mut export = Export::start(&plan().build().unwrap(), &Store::folder(folder.path()), context()).unwrap();
    export.write(&MOTON).await.unwrap();
    export.commit().await.unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("out/t.csv")).unwrap(), "faa,name,alt\n06A,null,264\n");
}

#[tokio::test]
async fn rows_that_do_not_fit_are_named() {
    #[derive(Serialize)]
    struct Other {
        faa: &'static str,
        lat: f64,
        alt: i32,
    }
    let destination = plan().build().unwrap();
    let (memory, store) = memory();
    let start = || Export::start(&destination, &store, context()).unwrap();

    let mut export = start();
    export.write(&LANSDOWNE).await.unwrap();
    let error = export.write(&("06A", "Moton")).await.unwrap_err();
    check_error(&error, ErrorKind::Row, "row 2: expected 3 fields as the table has columns, found 2");

    let mut export = start();
    export.write(&LANSDOWNE).await.unwrap();
    let error = export.write(&Other { faa: "06A", lat: 32.46, alt: 264 }).await.unwrap_err();
    let text = "row 2: expected field `name`, found `lat`: every row must have the same fields in the same order";
    check_error(&error, ErrorKind::Row, text);

    let error = start().write(&5).await.unwrap_err();
    check_error(&error, ErrorKind::Row, "row 1: a row must be a struct, map, tuple or sequence, not an integer");

    let error = start().write(&["a"]).await.unwrap_err();
    let text = "the columns of the rows have no names, but the destination writes a header: give the names when the export is started";
    check_error(&error, ErrorKind::Row, text);

    assert_eq!(contents(&memory).await, []);
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_named_by_its_line() {
    let destination = plan().build().unwrap();
    let (memory, store) = memory();
    for (input, kind, text) in [
        (
            &b"a,b\n1,2\n\"x\ny\",3\n4\n"[..],
            ErrorKind::Row,
            "line 5: expected 2 fields as the table has columns, found 1",
        ),
        (b"a,b\n1,2\n3,4,5\n", ErrorKind::Row, "line 3: expected 2 fields as the table has columns, found 3"),
        (
            b"a,b\n1,2\n3,x\xff\n",
            ErrorKind::Row,
            "line 3: field 2 is not UTF-8: byte 2 cannot be read as text (column `b`)",
        ),
        (b"a,\xff\n1,2\n", ErrorKind::Input, "line 1, column 2: the name of the column is not UTF-8"),
    ] {
        let mut export = Export::start(&destination, &store, context()).unwrap();
        let mut reader = csv_async::AsyncReader::from_reader(input);
        let error = export.write_csv(&mut reader, None).await.unwrap_err();
        check_error(&error, kind, text);
        check_error(&export.commit().await.unwrap_err(), kind, text);
    }
    assert_eq!(contents(&memory).await, []);
}

#[tokio::test]
async fn configuration_fails_before_the_first_byte() {
    let (_, store) = memory();
    let other = store.clone().with_bucket("other-bucket");
    let error = Export::start(&plan().build().unwrap(), &other, context()).unwrap_err();
    let text = "the destination's bucket is `acme-exports`, but the store is the bucket `other-bucket`";
    check_error(&error, ErrorKind::Destination, text);

    let columns = Columns::select([Column::new("lat")]).unwrap();
    let picking = plan().with_columns(columns).build().unwrap();
    let error = Export::builder(&picking, &store, context()).with_columns(["faa", "name"]).start().unwrap_err();
    check_error(&error, ErrorKind::Destination, "column `lat` is not in the input, which has `faa`, `name`");

    let long = Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("out").unwrap(),
        Template::parse("%SEGMENT_NAME%").unwrap(),
    );
    let error =
        Export::start(&long.build().unwrap(), &store, context().with_audience_name("n".repeat(250))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Name);
    let text = format!("{error:#}");
    assert!(text.contains("expected no more than 255 characters, found 261 in the file name"), "{text}");

    let error = plan().with_extension("/x").build().unwrap_err();
    let text = "the extension \"/x\" holds '/': expected the end of a file name, such as `.csv`";
    check_error(&error, ErrorKind::Destination, text);
}

#[tokio::test]
async fn no_file_of_an_export_has_the_key_of_another() {
    let (_, store) = memory();
    let named = |name: &str, extension: &str| {
        let folder = FolderPath::parse("out").unwrap();
        let plan =
            Destination::builder(BucketName::parse("acme-exports").unwrap(), folder, Template::parse(name).unwrap());
        Export::builder(&plan.with_extension(extension).build().unwrap(), &store, context()).with_run_id("run").start()
    };
    for (name, extension, key) in
        [("manifest-run", ".json", "out/manifest-run.json"), ("rejects-run", ".jsonl", "out/rejects-run.jsonl")]
    {
        let text = format!(
            "a data file would have the key `{key}`, which belongs to the run: change the file name or its extension"
        );
        check_error(&named(name, extension).unwrap_err(), ErrorKind::Destination, &text);
    }
    named("manifest", ".json").unwrap().abort().await.unwrap();
    // The second file of this one would be in the way of the manifest.
    let text = "a data file would have the key `out/manifest-run_2.json`, which belongs to the run: change the file name or its extension";
    let plan = Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("out").unwrap(),
        Template::parse("manifest-run").unwrap(),
    );
    let export =
        Export::builder(&plan.with_extension(".json").build().unwrap(), &store, context()).with_run_id("run_2");
    check_error(&export.start().unwrap_err(), ErrorKind::Destination, text);
}

#[tokio::test]
async fn a_manifest_that_cannot_be_staged_shows_nothing() {
    // The file fits the device, the manifest does not: its folder of unfinished files is gone when it is begun.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let mut export = Export::start(&plan().build().unwrap(), &Store::folder(&root), context()).unwrap();
    let cell = "x".repeat(2_000_000);
    for _ in 0..2 {
        export.write(&std::collections::BTreeMap::from([("a", &cell)])).await.unwrap();
    }
    becomes(|| !files(&root).is_empty(), "no unfinished file was seen").await;
    let staging = std::fs::read_dir(&root).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_dir_all(staging).unwrap();
    let error = export.commit().await.unwrap_err();
    check_error(
        &error,
        ErrorKind::NotFound,
        "could not make an unfinished file: the bucket or folder does not exist: No such file or directory (os error 2)",
    );
    assert_eq!(files(&root), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_failed_export_has_taken_everything_back_when_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let plan = plan().with_dialect(headless()).build().unwrap();
    let cell = "x".repeat(9_999);
    for commit in [false, true] {
        let mut export = Export::start(&plan, &Store::folder(&root), context()).unwrap();
        for _ in 0..2_000 {
            export.write_record([cell.as_str()]).await.unwrap();
        }
        export.write_record(["a", "b"]).await.unwrap_err();
        if commit {
            export.commit().await.unwrap_err();
        } else {
            export.abort().await.unwrap();
        }
        assert!(!root.exists(), "something was left");
    }
}

#[tokio::test]
async fn a_prefix_is_below_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let (memory, store) = memory();
    for store in [store, Store::folder(folder.path())] {
        let store = store.with_prefix("a/b").unwrap().with_prefix("c").unwrap();
        let mut export = Export::start(&plan().build().unwrap(), &store, context()).unwrap();
        export.write(&MOTON).await.unwrap();
        export.commit().await.unwrap();
    }
    assert_eq!(contents(&memory).await[1].0, "a/b/c/out/t.csv");
    assert!(folder.path().join("a/b/c/out/t.csv").exists());
}

/// An input that fails after some bytes.
struct Broken(&'static [u8]);

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        if self.0.is_empty() {
            return std::task::Poll::Ready(Err(std::io::Error::other("the cable was pulled")));
        }
        buffer.put_slice(std::mem::take(&mut self.0));
        std::task::Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn an_input_that_cannot_be_read_is_the_last_word() {
    let destination = plan().build().unwrap();
    let (memory, store) = memory();
    for input in [&b""[..], b"a,b\n", b"a,b\n1,2\n3"] {
        let mut export = Export::start(&destination, &store, context()).unwrap();
        let mut reader = csv_async::AsyncReader::from_reader(Broken(input));
        let error = export.write_csv(&mut reader, None).await.unwrap_err();
        let text = "the input cannot be read: the cable was pulled";
        check_error(&error, ErrorKind::Input, text);
        check_error(&export.commit().await.unwrap_err(), ErrorKind::Input, text);
    }
    let mut export = Export::start(&destination, &store, context()).unwrap();
    let mut reader = csv_async::AsyncReader::from_reader(&b""[..]);
    let error = export.write_csv(&mut reader, None).await.unwrap_err();
    let text = "line 1: expected the names of the columns, found an empty input";
    check_error(&error, ErrorKind::Input, text);

    // A reader that takes rows of any width leaves the check to us.
    let mut export = Export::start(&destination, &store, context()).unwrap();
    let mut reader = csv_async::AsyncReaderBuilder::new().flexible(true).create_reader(&b"a,b\n1,2,\xff\n"[..]);
    let error = export.write_csv(&mut reader, None).await.unwrap_err();
    check_error(&error, ErrorKind::Row, "line 2: field 3 is not UTF-8: byte 1 cannot be read as text");
    assert_eq!(contents(&memory).await, []);
}

#[test]
fn an_export_needs_a_runtime() {
    let (_, store) = memory();
    let error = Export::start(&plan().build().unwrap(), &store, context()).unwrap_err();
    assert_eq!(error.to_string(), "an export runs on a tokio runtime, and none runs here");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut export = Export::start(&plan().build().unwrap(), &Store::folder(file.join("below")), context()).unwrap();
    export.write(&MOTON).await.unwrap();
    let error = export.commit().await.unwrap_err();
    let what = format!("could not make a folder for unfinished files in `{}/below`", file.display());
    assert_eq!(error.to_string(), format!("{what}: the bucket or folder does not exist"));
    assert_eq!(files(folder.path()), [file]);
}

#[test]
fn plans_and_runs_can_be_sent_and_shared() {
    fn send<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    shared::<Destination>();
    shared::<Store>();
    shared::<Context>();
    shared::<Error>();
    shared::<Manifest>();
    send::<Export>();
}

/// Spark's writer loses a row of one null. Its mark of UTF-16 waits for a character, and ends with its file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mark_of_a_file_without_bytes_is_in_no_other_file() {
    let spark = Dialect::spark().to_builder().with_charset(Charset::UTF_16).build().unwrap();
    let rows: u64 = 12_000;
    let destination = plan().with_dialect(spark).with_max_rows(NonZeroU64::new(rows).unwrap()).build().unwrap();
    let (memory, store) = memory();
    let mut export = Export::start(&destination, &store, context()).unwrap();
    for row in 0..2 * rows {
        // The second file is of several blocks.
        let text = "x".repeat(300);
        let value = if row < rows { Value::Null } else { Value::Text(&text) };
        export.write_record([value]).await.unwrap();
    }
    let manifest = export.commit().await.unwrap();
    assert_eq!(manifest.files()[0].stored_bytes(), 0);
    let path = object_store::path::Path::from(manifest.files()[1].key());
    let bytes = object_store::ObjectStoreExt::get(&*memory, &path).await.unwrap().bytes().await.unwrap();
    let marks = bytes.chunks(2).filter(|unit| unit == b"\xFE\xFF").count();
    assert_eq!((marks, bytes.len() as u64), (1, 2 * (1 + 301 * rows)));
}
