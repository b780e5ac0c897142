//! The memory budget: what exports hold together stays within it, and none of them waits for ever.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use consign::export::MemoryBudget;
use consign::format::csv::{Dialect, Header};
use consign::location::{BucketName, FolderPath};
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::object_store::{ObjectStore, ObjectStoreExt};
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Export};

use crate::program::example;

/// With the end of the record.
const ROW_BYTES: usize = 4000;

fn start(store: &Store, budget: &MemoryBudget, number: usize) -> Export {
    let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("%SEGMENT_ID%").unwrap());
    let destination = Destination::builder(bucket, folder, Template::parse("t").unwrap())
        .with_dialect(Dialect::builder().with_header(Header::Omit).build().unwrap())
        .build()
        .unwrap();
    let context =
        Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap()).with_audience_id(number.to_string());
    Export::builder(&destination, store, context).with_memory(budget.clone()).start().unwrap()
}

fn cell(number: usize) -> String {
    format!("{number:04}").repeat(ROW_BYTES / 4)[1..].to_owned()
}

/// Fills exports in turn from one task, and gives the most that was held.
async fn in_turn(exports: usize, rows: usize) {
    let budget = MemoryBudget::new(MemoryBudget::LEAST).unwrap();
    let memory = Arc::new(InMemory::new());
    let store = Store::multipart(Arc::clone(&memory));
    let mut open: Vec<_> = (0..exports).map(|number| start(&store, &budget, number)).collect();
    let mut most = 0;
    for _ in 0..rows {
        for (number, export) in open.iter_mut().enumerate() {
            export.write_record([&*cell(number)]).await.unwrap();
            most = most.max(budget.held());
        }
    }
    for export in open {
        export.commit().await.unwrap();
        most = most.max(budget.held());
    }
    assert!(most > budget.bytes() / 4 && most <= budget.bytes(), "at most {most} bytes were held");
    assert_eq!(budget.held(), 0, "everything was given back");
    for number in 0..exports {
        let found = memory.get(&Path::from(format!("{number}/t.csv"))).await.unwrap().bytes().await.unwrap();
        assert!(found == format!("{}\n", cell(number)).repeat(rows).as_bytes(), "file {number} has other bytes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_exports_filled_in_turn_keep_to_the_budget() {
    // All files together are several times the budget, and none is long enough for a part.
    tokio::time::timeout(Duration::from_secs(120), in_turn(200, 120)).await.expect("no export waits for ever");
}

#[tokio::test]
async fn parts_that_wait_for_rows_hold_up_no_other() {
    // Each file is more than a part, on one thread.
    tokio::time::timeout(Duration::from_secs(120), in_turn(6, 2_200)).await.expect("no export waits for ever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_export_mixes_up_no_rows() {
    // Many blocks, whose buffers are used again.
    let memory = Arc::new(InMemory::new());
    let mut export = start(&Store::multipart(Arc::clone(&memory)), &MemoryBudget::process(), 0);
    for number in 0..6_000 {
        export.write_record([&*cell(number)]).await.unwrap();
    }
    export.commit().await.unwrap();
    let found = memory.get(&Path::from("0/t.csv")).await.unwrap().bytes().await.unwrap();
    let expected: String = (0..6_000).map(|number| cell(number) + "\n").collect();
    assert!(found == expected.as_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_export_gives_its_memory_back() {
    let budget = MemoryBudget::new(MemoryBudget::LEAST).unwrap();
    let memory = Arc::new(InMemory::new());
    let store = Store::new(Arc::clone(&memory) as Arc<dyn ObjectStore>);
    let mut export = start(&store, &budget, 0);
    for number in 0..2_000 {
        export.write_record([&*cell(number)]).await.unwrap();
    }
    assert!(budget.held() > 0, "rows are held");
    drop(export);
    for _ in 0..2_000 {
        if budget.held() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{} bytes are held after the export is gone", budget.held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_larger_than_the_budget_goes_through() {
    let budget = MemoryBudget::new(MemoryBudget::LEAST).unwrap();
    let memory = Arc::new(InMemory::new());
    let store = Store::multipart(Arc::clone(&memory));
    let mut export = start(&store, &budget, 0);
    let cell = "x".repeat(2 * budget.bytes());
    for _ in 0..2 {
        export.write_record([cell.as_str()]).await.unwrap();
    }
    let manifest = export.commit().await.unwrap();
    assert_eq!(manifest.files()[0].stored_bytes(), 2 * (cell.len() as u64 + 1));
}

/// The growth of a process of its own, in MiB.
#[track_caller]
pub(crate) fn growth(options: &[&str], environment: &[(&str, &str)]) -> u64 {
    let output =
        Command::new(example("many_exports")).args(options).envs(environment.iter().copied()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().last().unwrap();
    line.split_once(" MiB over").unwrap_or_else(|| panic!("{text}")).0.parse().unwrap()
}

#[test]
fn a_process_grows_no_more_than_the_docs_say() {
    for options in [&["--exports", "1"] as &[_], &["--exports", "200"], &["--exports", "3", "--batches"]] {
        let folder = tempfile::tempdir().unwrap();
        let to = format!("file://{}", folder.path().display());
        let grown = growth(&[&["--to", &to, "--megabytes", "100"], options].concat(), &[]);
        assert!(grown <= 64, "to a folder, {options:?}: {grown} MiB");
    }
}

#[test]
fn wrong_options_of_the_example_are_named() {
    let output = Command::new(example("many_exports")).args(["--memory", "1"]).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "many_exports: a budget has at least 16 MiB\n");
}
