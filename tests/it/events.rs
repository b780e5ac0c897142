//! What an export tells about itself: snapshots and events.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use consign::destination::Commit;
use consign::export::{Event, Snapshot, Stage};
use consign::format::csv::{Dialect, Header};
use consign::location::{BucketName, FolderPath};
use consign::object_store::ObjectStoreExt;
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, ErrorKind, Export};
use futures::StreamExt;

fn start(max_rows: u64, store: &Store) -> Export {
    let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("out").unwrap());
    let destination = Destination::builder(bucket, folder, Template::parse("t").unwrap())
        .with_dialect(Dialect::builder().with_header(Header::Omit).build().unwrap())
        .with_max_rows(NonZeroU64::new(max_rows).unwrap())
        .build()
        .unwrap();
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap());
    Export::builder(&destination, store, context).with_run_id("run").start().unwrap()
}

fn memory() -> Store {
    Store::multipart(Arc::new(InMemory::new()))
}

/// The events but those of progress, as JSON.
async fn story(events: impl futures::Stream<Item = Event>) -> Vec<String> {
    events
        .filter(|event| std::future::ready(!matches!(event, Event::Progress(_))))
        .map(|event| serde_json::to_string(&event).unwrap())
        .collect()
        .await
}

#[tokio::test]
async fn events_tell_the_whole_story() {
    let mut export = start(1_000, &memory());
    let events = export.events();
    let progress = export.progress();
    for _ in 0..1_001 {
        export.write_record(["x".repeat(9_999).as_str()]).await.unwrap();
    }
    export.commit().await.unwrap();
    assert_eq!(
        story(events).await,
        [
            r#"{"event":"file_opened","key":"out/t.csv"}"#,
            r#"{"event":"part_sent","key":"out/t.csv","part":1,"bytes":8388608}"#,
            r#"{"event":"part_sent","key":"out/t.csv","part":2,"bytes":1611392}"#,
            r#"{"event":"file_finished","key":"out/t.csv","rows":1000,"plain_bytes":10000000,"stored_bytes":10000000}"#,
            r#"{"event":"file_opened","key":"out/t_2.csv"}"#,
            r#"{"event":"file_finished","key":"out/t_2.csv","rows":1,"plain_bytes":10000,"stored_bytes":10000}"#,
            r#"{"event":"file_committed","key":"out/t.csv"}"#,
            r#"{"event":"file_committed","key":"out/t_2.csv"}"#,
            r#"{"event":"committed","files":2,"rows":1001,"manifest":"out/manifest-run.json"}"#,
        ]
    );
    let now = progress.snapshot();
    assert_eq!((now.rows, now.files, now.parts_in_flight, now.retries), (1_001, 2, 0, 0));
    assert_eq!([now.plain_bytes, now.compressed_bytes, now.stored_bytes], [10_010_000; 3]);
    assert!(now.bottleneck().is_some());
}

#[tokio::test]
async fn the_last_event_says_how_it_ended() {
    let mut export = start(1_000, &memory());
    let events = export.events();
    export.write_record(["a", "b"]).await.unwrap();
    export.write_record(["a"]).await.unwrap_err();
    drop(export);
    let text = "row 2: expected 2 fields as the table has columns, found 1";
    assert_eq!(story(events).await, [format!(r#"{{"event":"failed","kind":"row","error":"{text}"}}"#)]);

    let export = start(1_000, &memory());
    let events = export.events();
    export.abort().await.unwrap();
    assert_eq!(story(events).await, [r#"{"event":"aborted"}"#]);

    let file = tempfile::NamedTempFile::new().unwrap();
    let export = start(1_000, &Store::folder(file.path().join("below")));
    let events = export.events();
    let error = export.commit().await.unwrap_err();
    let last = events.collect::<Vec<_>>().await.pop().unwrap();
    assert_eq!(last, Event::Failed { kind: error.kind(), error: error.to_string() });
    assert_ne!(error.kind(), ErrorKind::Internal);
}

#[tokio::test]
async fn an_export_waits_for_no_listener() {
    let mut export = start(1, &memory());
    let events = export.events();
    for _ in 0..300 {
        export.write_record(["x"]).await.unwrap();
    }
    export.commit().await.unwrap();
    let events: Vec<_> = events.collect().await;
    // Each file is opened, finished and committed; then come progress and the end.
    // On a slow machine there is more progress than that.
    assert!(matches!(events[0], Event::Missed { events } if events >= 3 * 300 + 2 - 256), "{:?}", events[0]);
    assert_eq!(events.len(), 257);
    assert!(matches!(events.last(), Some(Event::Committed { files: 300, rows: 300, .. })));
}

#[test]
fn the_bottleneck_is_what_the_others_wait_for() {
    #[track_caller]
    fn check(seconds: [u64; 5], expected: Option<Stage>) {
        let [input, encode, compress, encrypt, upload] = seconds.map(Duration::from_secs);
        let mut now = Snapshot::default();
        (now.input, now.encode, now.compress, now.encrypt, now.upload) = (input, encode, compress, encrypt, upload);
        assert_eq!(now.bottleneck(), expected, "{seconds:?}");
    }
    check([0; 5], None);
    check([9, 1, 1, 1, 1], Some(Stage::Input));
    // Two encoders that were busy for most of the wait.
    check([9, 12, 1, 1, 1], Some(Stage::Encode));
    check([2, 9, 9, 1, 1], Some(Stage::Compress));
    check([2, 2, 2, 9, 1], Some(Stage::Encrypt));
    check([2, 2, 2, 2, 9], Some(Stage::Upload));
}

#[test]
fn a_snapshot_is_json() {
    let mut now = Snapshot::default();
    now.rows = 7;
    now.upload = Duration::from_millis(1_500);
    assert_eq!(
        serde_json::to_string(&Event::Progress(now)).unwrap(),
        r#"{"event":"progress","rows":7,"plain_bytes":0,"compressed_bytes":0,"stored_bytes":0,"files":0,"parts_in_flight":0,"retries":0,"input_seconds":0.0,"encode_seconds":0.0,"compress_seconds":0.0,"encrypt_seconds":0.0,"upload_seconds":1.5,"bottleneck":"upload"}"#
    );
}

#[tokio::test]
async fn files_show_one_by_one_where_asked() {
    let memory = Arc::new(InMemory::new());
    let store = Store::multipart(Arc::clone(&memory));
    let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("out").unwrap());
    let destination = Destination::builder(bucket, folder, Template::parse("t").unwrap())
        .with_dialect(Dialect::builder().with_header(Header::Omit).build().unwrap())
        .with_max_rows(NonZeroU64::new(1).unwrap())
        .with_commit(Commit::PerFile)
        .build()
        .unwrap();
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap());
    for ends in ["commits", "fails"] {
        let builder = Export::builder(&destination, &store, context.clone()).with_run_id(ends);
        let mut export = builder.start().unwrap();
        let mut events = export.events();
        for row in ["1", "2", "3"] {
            export.write_record([row]).await.unwrap();
        }
        // The third row has made the second file full.
        let mut visible = Vec::new();
        while visible.len() < 2 {
            if let Event::FileCommitted { key } = events.next().await.unwrap() {
                visible.push(key);
            }
        }
        assert_eq!(visible, ["out/t.csv", "out/t_2.csv"]);
        for key in &visible {
            memory.head(&Path::from(key.as_str())).await.unwrap();
        }
        let manifest = Path::from(format!("out/manifest-{ends}.json"));
        assert!(memory.head(&manifest).await.is_err(), "the manifest comes last");
        if ends == "commits" {
            assert_eq!(export.commit().await.unwrap().files().len(), 3);
            memory.head(&manifest).await.unwrap();
        } else {
            let error = export.write_record(["a", "b"]).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "row 4: expected 1 field as the table has columns, found 2; visible without a manifest: `out/t.csv`, `out/t_2.csv`"
            );
            drop(export);
            assert!(memory.head(&manifest).await.is_err());
        }
    }
}
