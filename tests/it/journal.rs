//! Journals: what stands in them and when, and what an export that died is taken up by.

mod dropped;
mod exists;
#[cfg(all(feature = "gzip", feature = "openpgp"))]
mod settings;

use std::num::NonZeroU64;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use consign::export::{ExportBuilder, MemoryBudget};
use consign::location::{BucketName, FolderPath};
use consign::object_store::memory::InMemory;
use consign::object_store::multipart::MultipartStore;
use consign::object_store::path::Path;
use consign::object_store::{ObjectStore, ObjectStoreExt};
use consign::store::{Journal, Keep, PartSchedule, ReapedJournal, Store};
use consign::template::{Context, Template};
use consign::{Destination, Error, ErrorKind, Export, Result};
use futures::future::{BoxFuture, ready};
use futures::{FutureExt, TryStreamExt};

/// A row; seven of them, a file, are a part of 5 MiB and more.
const ROW_BYTES: usize = 1 << 20;
const FILE_ROWS: u64 = 7;

fn row(number: u64) -> String {
    let letter = char::from(b'a' + u8::try_from(number % 26).unwrap());
    letter.to_string().repeat(ROW_BYTES - 1)
}

fn destination() -> Destination {
    let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("out").unwrap());
    let builder = Destination::builder(bucket, folder, Template::parse("t").unwrap());
    builder.with_max_rows(NonZeroU64::new(FILE_ROWS).unwrap()).build().unwrap()
}

fn builder(store: &Store) -> ExportBuilder {
    Export::builder(&destination(), store, Context::new(DateTime::UNIX_EPOCH))
        .with_run_id("run")
        .with_columns(["a"])
        .with_memory(MemoryBudget::new(MemoryBudget::DEFAULT).unwrap())
}

fn multipart(memory: &Arc<InMemory>) -> Store {
    Store::multipart(Arc::clone(memory)).with_part_schedule(PartSchedule::equal(5 << 20).unwrap())
}

async fn write(export: &mut Export, rows: Range<u64>) -> Result<()> {
    for number in rows {
        export.write_record([row(number).as_str()]).await?;
    }
    Ok(())
}

async fn deliver(builder: ExportBuilder, rows: Range<u64>) -> Result<u64> {
    let mut export = builder.start()?;
    let progress = export.progress();
    write(&mut export, rows).await?;
    export.commit().await.map(|_| progress.snapshot().stored_bytes)
}

/// A journal in memory.
#[derive(Debug, Default)]
struct Lines {
    text: Mutex<String>,
    removal: Removal,
}

/// What comes of the removal of a journal.
#[derive(Clone, Copy, Debug, Default)]
enum Removal {
    #[default]
    Done,
    /// As by a process that dies right before it.
    Never,
    Refused,
}

impl Lines {
    fn new(text: &str, removal: Removal) -> Self {
        Self { text: Mutex::new(text.to_owned()), removal }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

impl Keep for Lines {
    fn read(&self) -> BoxFuture<'_, Result<String>> {
        ready(Ok(self.text())).boxed()
    }

    fn append(&self, lines: String) -> BoxFuture<'_, Result<()>> {
        self.text.lock().unwrap().push_str(&lines);
        ready(Ok(())).boxed()
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        let removed = match self.removal {
            Removal::Done => {
                self.text.lock().unwrap().clear();
                Ok(())
            }
            Removal::Never => Ok(()),
            Removal::Refused => Err(Error::new(ErrorKind::Denied, "the journal may not be removed")),
        };
        ready(removed).boxed()
    }
}

/// Every row of the export.
const ROWS: Range<u64> = 0..2 * FILE_ROWS + 1;

/// Runs an export until the first file is in the store and the second one's upload is open, and lets it die there: its
/// tasks end where they are, and nobody cleans up. A runtime of several threads would let some of them see others end.
fn die(store: &Store) -> Arc<Lines> {
    let lines = Arc::new(Lines::default());
    let runtime = runtime();
    let export = runtime.block_on(async {
        let mut export = builder(store).with_journal(Journal::kept_by(Arc::clone(&lines) as _)).start().unwrap();
        write(&mut export, 0..2 * FILE_ROWS).await.unwrap();
        while lines.text().matches("opened").count() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        export
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    // Its end would be an orderly one.
    std::mem::forget(export);
    lines
}

async fn keys(memory: &InMemory) -> Vec<String> {
    let mut keys: Vec<_> = memory.list(None).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap();
    keys.sort();
    keys
}

/// The id of an upload, by its number in the journal.
fn id(text: &str, number: u64) -> String {
    let entries = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut opened = entries.filter(|entry| entry["entry"] == "opened" && entry["number"] == number);
    opened.next().unwrap_or_else(|| panic!("{text}"))["id"].as_str().unwrap().to_owned()
}

async fn is_open(memory: &InMemory, id: &str) -> bool {
    memory.put_part(&Path::from("out/t.csv"), &id.to_owned(), 9, "x".into()).await.is_ok()
}

#[track_caller]
fn check_error(error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn an_export_that_died_is_resumed_with_the_same_bytes() {
    let memory = Arc::new(InMemory::new());
    let store = multipart(&memory);
    let whole = Arc::new(InMemory::new());
    let lines = die(&store);
    let journal = || Journal::kept_by(Arc::clone(&lines) as _);
    runtime().block_on(async {
        assert_eq!(keys(&memory).await, [""; 0]);
        let (first, second) = (id(&lines.text(), 0), id(&lines.text(), 1));
        let sent = deliver(builder(&store).with_journal(journal()).with_resume(), ROWS).await.unwrap();
        let all = deliver(builder(&multipart(&whole)), ROWS).await.unwrap();
        assert_eq!(all - sent, 2 + FILE_ROWS * ROW_BYTES as u64, "the first file was sent again");
        assert_eq!(lines.text(), "");
        assert_eq!(keys(&memory).await, ["out/manifest-run.json", "out/t.csv", "out/t_2.csv", "out/t_3.csv"]);
        for key in keys(&whole).await {
            let path = Path::from(key);
            let read = |memory: Arc<InMemory>| async move { memory.get(&path).await.unwrap().bytes().await.unwrap() };
            assert!(read.clone()(Arc::clone(&memory)).await == read(Arc::clone(&whole)).await);
        }
        assert!(!is_open(&memory, &first).await && !is_open(&memory, &second).await);
    });
}

/// A journal of before the hashes of parts were written.
fn without_hashes(journal: &str) -> String {
    let (before, hashes) = journal.split_once("\"hashes\":[").unwrap();
    let (_, after) = hashes.split_once("],").unwrap();
    format!("{before}{after}")
}

/// What the store has acknowledged of a file is held against the bytes that were made of it.
#[test]
fn parts_that_are_not_the_whole_file_are_not_completed() {
    let memory = Arc::new(InMemory::new());
    let store = multipart(&memory);
    let lines = die(&store);
    let resume = || builder(&store).with_journal(Journal::kept_by(Arc::clone(&lines) as _)).with_resume();
    let (whole, sizes) = (lines.text(), "\"sizes\":[5242880,2097154]");
    assert_eq!(whole.matches(sizes).count(), 1, "{whole}");
    runtime().block_on(async {
        *lines.text.lock().unwrap() = without_hashes(&whole.replace(sizes, "\"sizes\":[5242880,2097153]"));
        let error = deliver(resume(), ROWS).await.unwrap_err();
        let text = "could not complete `out/t.csv`: not written, its parts in the store have 7340033 bytes together: \
            expected 7340034";
        check_error(&error, ErrorKind::Internal, text);
        assert_eq!((keys(&memory).await, lines.text()), (Vec::new(), String::new()));
        assert!(!is_open(&memory, &id(&whole, 0)).await, "its upload was aborted");
    });
    // A journal that does not say is believed.
    let lines = die(&store);
    let resume = || builder(&store).with_journal(Journal::kept_by(Arc::clone(&lines) as _)).with_resume();
    runtime().block_on(async {
        let without = without_hashes(&lines.text().replace(&format!("{sizes},"), ""));
        *lines.text.lock().unwrap() = without;
        deliver(resume(), ROWS).await.unwrap();
        assert_eq!(keys(&memory).await.len(), 4);
    });
}

#[test]
fn another_export_is_refused_and_the_right_one_goes_on_after_that() {
    let memory = Arc::new(InMemory::new());
    let store = multipart(&memory);
    let lines = die(&store);
    let journal = || Journal::kept_by(Arc::clone(&lines) as _);
    runtime().block_on(async {
        let text = "the journal `kept by the caller` is of an export that did not end: resume that one, or reap it";
        let error = deliver(builder(&store).with_journal(journal()), ROWS).await.unwrap_err();
        check_error(&error, ErrorKind::Exists, text);

        for (other, differs) in
            [(builder(&store).with_columns(["b"]), "rowColumns"), (builder(&store).with_run_id("other"), "runId")]
        {
            let error = deliver(other.with_journal(journal()).with_resume(), ROWS).await.unwrap_err();
            let text = format!(
                "the journal `kept by the caller` is of another export: expected what that one had, found another \
                 `{differs}`"
            );
            check_error(&error, ErrorKind::Resume, &text);
        }

        // Told at the end of the part that differs, not at that of the file.
        for (same, bytes) in [(0, "1 to 5242880"), (6, "5242881 to 7340034")] {
            let mut export = builder(&store).with_journal(journal()).with_resume().start().unwrap();
            write(&mut export, 0..same).await.unwrap();
            let other = async {
                write(&mut export, 10..20).await?;
                export.commit().await.map(drop)
            };
            let text = format!(
                "`out/t.csv` cannot be resumed: expected the rows of the export that died, found others in its bytes \
                 {bytes}"
            );
            check_error(&other.await.unwrap_err(), ErrorKind::Resume, &text);
        }
        let error = deliver(builder(&store).with_journal(journal()).with_resume(), 0..3).await.unwrap_err();
        let text = "`out/t.csv` cannot be resumed: expected the rows of the export that died, 7 in 7340034 bytes, found \
            3 in 3145730 bytes";
        check_error(&error, ErrorKind::Resume, text);

        assert_eq!(keys(&memory).await, [""; 0]);
        deliver(builder(&store).with_journal(journal()).with_resume(), ROWS).await.unwrap();
        assert_eq!((keys(&memory).await.len(), lines.text().as_str()), (4, ""));
    });
}

#[test]
fn a_journal_is_reaped_where_uploads_cannot_be_listed() {
    let memory = Arc::new(InMemory::new());
    let store = multipart(&memory);
    let lines = die(&store);
    let journal = Journal::kept_by(Arc::clone(&lines) as _);
    runtime().block_on(async {
        let ids = [id(&lines.text(), 0), id(&lines.text(), 1)];
        assert_eq!(store.reap_journal(&journal).await.unwrap().removed, ["out/t.csv", "out/t_2.csv"]);
        for id in ids {
            assert!(!is_open(&memory, &id).await);
        }
        assert_eq!(lines.text(), "");
        assert_eq!(store.reap_journal(&journal).await.unwrap(), ReapedJournal::default());
        assert_eq!(keys(&memory).await, [""; 0]);
    });
}

#[test]
fn a_journal_in_the_store_begins_anew_once_all_in_it_was_taken_back() {
    let memory = Arc::new(InMemory::new());
    let store = multipart(&memory);
    let journal = async || {
        let found = memory.get(&Path::from("out/manifest-run.json.journal")).await.ok()?;
        String::from_utf8(found.bytes().await.unwrap().to_vec()).ok()
    };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let runtime = runtime();
        let export = runtime.block_on(async {
            let mut export = builder(&store).with_resume().start().unwrap();
            // A part, but no whole file.
            write(&mut export, 0..FILE_ROWS - 1).await.unwrap();
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let Some(text) = journal().await else { continue };
                let opened: Vec<_> = text.split("\"opened\"").skip(1).map(str::to_owned).collect();
                if opened.last().is_some_and(|last| !seen.contains(last)) {
                    assert_eq!(opened.len(), 1, "{text}");
                    seen.extend(opened);
                    break;
                }
            }
            export
        });
        runtime.shutdown_timeout(Duration::from_secs(10));
        std::mem::forget(export);
    }
}

/// The names in a folder.
fn below(folder: &FilePath) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_journal_names_the_folder_of_unfinished_files_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let (root, journal) = (place.path().join("root"), place.path().join("journal"));
    let store = Store::folder(&root);
    for name in [".consign-0123456789abcdef", "kept", "../kept"] {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("0"), "a\n").unwrap();
        std::fs::write(&journal, format!("{{\"entry\":\"folder\",\"number\":0,\"name\":\"{name}\"}}\n")).unwrap();
        let is_ours = name.starts_with('.') && !name.starts_with("..");
        let reaped = store.reap_journal(&Journal::file(&journal)).await.unwrap();
        assert_eq!(reaped.removed, if is_ours { vec![folder.display().to_string()] } else { Vec::new() });
        assert_eq!((folder.exists(), journal.exists()), (!is_ours, false), "{name}");
    }
}

#[tokio::test]
async fn no_journal_outlives_its_export() {
    let place = tempfile::tempdir().unwrap();
    let memory = Arc::new(InMemory::new());
    let file = place.path().join("deep/journal");
    for store in [multipart(&memory), Store::folder(place.path().join("root"))] {
        let beside = builder(&store).journal_beside().unwrap();
        for journal in [beside, Journal::file(&file)] {
            let start = || builder(&store).with_journal(journal.clone()).start().unwrap();
            let mut export = start();
            write(&mut export, ROWS).await.unwrap();
            export.abort().await.unwrap();
            assert_eq!((below(place.path()), keys(&memory).await), (Vec::new(), Vec::new()), "{journal}");

            let mut export = start();
            write(&mut export, ROWS).await.unwrap();
            drop(export);
            while !(below(place.path()).is_empty() && keys(&memory).await.is_empty()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }

            let mut export = start();
            write(&mut export, ROWS).await.unwrap();
            export.commit().await.unwrap();
            assert!(!file.exists());
            let delivered = ["out/manifest-run.json", "out/t.csv", "out/t_2.csv", "out/t_3.csv"];
            if store.as_folder().is_some() {
                assert_eq!(below(&place.path().join("root")), ["out"], "{journal}");
                std::fs::remove_dir_all(place.path().join("root")).unwrap();
            } else {
                assert_eq!(keys(&memory).await, delivered, "{journal}");
                for key in delivered {
                    memory.delete(&Path::from(key)).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn half_a_line_at_the_end_is_nothing_and_other_damage_is_named() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal");
    let (store, journal) = (Store::from_url("memory:///").unwrap(), Journal::file(&path));
    let whole = "{\"entry\":\"upload\",\"number\":0,\"key\":\"a\",\"at\":0}\n";
    std::fs::write(&path, format!("{whole}{}", &whole[..9])).unwrap();
    let error = builder(&store).with_journal(journal.clone()).start().unwrap().commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);

    // Without a whole line, it is no journal yet.
    for start in ["", &whole[..9]] {
        std::fs::write(&path, start).unwrap();
        assert_eq!(store.reap_journal(&journal).await.unwrap(), ReapedJournal::default());
        assert!(!path.exists(), "{start:?}");
    }

    for (damage, text) in [
        ("?\n", "line 2: expected an entry"),
        ("{\"entry\":\"export\",\"version\":9,\"settings\":{},\"names\":1}\n", "line 2: expected version 1, found 9"),
    ] {
        std::fs::write(&path, format!("{whole}{damage}")).unwrap();
        let error = store.reap_journal(&journal).await.unwrap_err();
        let text = format!("the journal `{}` cannot be read: {text}", path.display());
        check_error(&error, ErrorKind::Resume, &text);
    }
}

/// A journal that cannot be written.
#[derive(Debug)]
struct Full;

impl Keep for Full {
    fn read(&self) -> BoxFuture<'_, Result<String>> {
        ready(Ok(String::new())).boxed()
    }

    fn append(&self, _: String) -> BoxFuture<'_, Result<()>> {
        ready(Err(Error::new(ErrorKind::Full, "no room for the journal"))).boxed()
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        ready(Ok(())).boxed()
    }
}

#[tokio::test]
async fn nothing_is_opened_that_the_journal_does_not_know() {
    let place = tempfile::tempdir().unwrap();
    let memory = Arc::new(InMemory::new());
    for store in [multipart(&memory), Store::folder(place.path().join("root"))] {
        let journaled = builder(&store).with_journal(Journal::kept_by(Arc::new(Full)));
        check_error(&deliver(journaled, ROWS).await.unwrap_err(), ErrorKind::Full, "no room for the journal");
        assert_eq!((below(place.path()), keys(&memory).await), (Vec::new(), Vec::new()));
    }
}

#[tokio::test]
async fn what_fits_one_part_needs_no_journal() {
    let store = multipart(&Arc::new(InMemory::new()));
    deliver(builder(&store).with_journal(Journal::kept_by(Arc::new(Full))), 0..1).await.unwrap();
}
