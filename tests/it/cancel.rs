//! Every future of an export may be dropped at any await: afterwards nothing is visible, or everything is.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use consign::format::csv::{Dialect, Header};
use consign::location::{BucketName, FolderPath};
use consign::object_store::ObjectStore;
use consign::object_store::memory::InMemory;
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Export};
use futures::{StreamExt, poll};

/// Three files, two of them of more than one block.
async fn export(store: Store) -> consign::Result<()> {
    let destination =
        Destination::builder(BucketName::parse("acme-exports")?, FolderPath::parse("out")?, Template::parse("t")?)
            .with_dialect(Dialect::builder().with_header(Header::Omit).build()?)
            .with_max_rows(NonZeroU64::new(150).expect("not zero"))
            .build()?;
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).single().expect("a time"));
    let mut export = Export::builder(&destination, &store, context).with_run_id("run").start()?;
    let cell = "x".repeat(9_999);
    for _ in 0..400 {
        export.write_record([cell.as_str()]).await?;
    }
    export.commit().await.map(drop)
}

/// Polls a future at most `polls` times, then drops it; tells whether it was done.
async fn drop_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future: Pin<Box<F>> = Box::pin(future);
    for _ in 0..polls {
        if poll!(&mut future).is_ready() {
            return true;
        }
        // Whoever wakes the future runs meanwhile.
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    false
}

async fn keys(store: &InMemory) -> Vec<String> {
    let mut keys: Vec<_> = store.list(None).map(|meta| meta.unwrap().location.to_string()).collect().await;
    keys.sort();
    keys
}

const WHOLE: [&str; 4] = ["out/manifest-run.json", "out/t.csv", "out/t_2.csv", "out/t_3.csv"];

#[tokio::test]
async fn an_export_that_is_dropped_at_any_poll_shows_all_or_nothing() {
    let mut polls = 0;
    loop {
        let memory = Arc::new(InMemory::new());
        let done = drop_after(polls, export(Store::multipart(Arc::clone(&memory)))).await;
        // The task behind the export holds the store until it has taken everything back, or completed it.
        for _ in 0..2_000 {
            if Arc::strong_count(&memory) == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(Arc::strong_count(&memory), 1, "after {polls} polls, something still runs");
        let keys = keys(&memory).await;
        assert!(keys == WHOLE || (keys.is_empty() && !done), "after {polls} polls: {keys:?}");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls > 3, "the export waited only {polls} times");
}

#[tokio::test]
async fn a_folder_shows_all_or_nothing_too() {
    let mut polls = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let done = drop_after(polls, export(Store::folder(&root))).await;
        let mut found = Vec::new();
        for _ in 0..2_000 {
            found = std::fs::read_dir(&root)
                .map_or_else(|_| Vec::new(), |entries| entries.map(|e| e.unwrap().file_name()).collect());
            if found.is_empty()
                || (found == ["out"] && std::fs::read_dir(root.join("out")).unwrap().count() == WHOLE.len())
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(found == ["out"] || (found.is_empty() && !done), "after {polls} polls: {found:?}");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls > 3, "the export waited only {polls} times");
}
