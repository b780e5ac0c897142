//! Every future may be dropped at any await: afterwards nothing is visible, or everything is, and nothing is left that a
//! reaper does not find.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::num::NonZeroU64;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use consign::destination::Commit;
use consign::format::csv::{Dialect, Header};
use consign::location::{BucketName, FolderPath};
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::object_store::{ObjectStore, ObjectStoreExt};
use consign::store::{Journal, OnExists, Store};
use consign::template::{Context, Template};
use consign::{Destination, Export};
use futures::TryStreamExt;
use tempfile::TempDir;

/// When a future is dropped that has been polled for the last time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// At once, while what it waits for is under way.
    Waiting,
    /// When it would go on.
    Woken,
}

pub(crate) const MOMENTS: [Moment; 2] = [Moment::Waiting, Moment::Woken];

/// Polls a future as often as it wants to be, but at most `polls` times, then drops it; gives back what it ended with.
pub(crate) async fn drop_after<F: Future>(polls: usize, moment: Moment, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(move |task| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match future.as_mut().poll(task) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if polled == polls && moment == Moment::Waiting => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What exports are tried with.
#[derive(Clone, Copy, Debug)]
struct Case {
    commit: Commit,
    on_exists: OnExists,
    journal: bool,
}

const PLAIN: Case = Case { commit: Commit::Group, on_exists: OnExists::Overwrite, journal: false };

/// Three files, two of them of more than one block.
async fn export(case: Case, store: Store) -> consign::Result<()> {
    let destination =
        Destination::builder(BucketName::parse("acme-exports")?, FolderPath::parse("out")?, Template::parse("t")?)
            .with_dialect(Dialect::builder().with_header(Header::Omit).build()?)
            .with_max_rows(NonZeroU64::new(150).expect("not zero"))
            .with_commit(case.commit)
            .with_on_exists(case.on_exists)
            .build()?;
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).single().expect("a time"));
    let mut builder = Export::builder(&destination, &store, context).with_run_id("run");
    if case.journal {
        builder = builder.with_journal(Journal::beside(MANIFEST));
    }
    let mut export = builder.start()?;
    let cell = "x".repeat(9_999);
    for _ in 0..400 {
        export.write_record([cell.as_str()]).await?;
    }
    export.commit().await.map(drop)
}

const MANIFEST: &str = "out/manifest-run.json";

/// What stands somewhere, by its key.
type Found = BTreeMap<String, Vec<u8>>;

/// Where exports go.
enum Place {
    Memory(Arc<InMemory>),
    Folder(TempDir),
}

impl Place {
    fn store(&self) -> Store {
        match self {
            Self::Memory(memory) => Store::multipart(Arc::clone(memory)),
            Self::Folder(folder) => Store::folder(folder.path()),
        }
    }

    async fn put(&self, key: &str, text: &'static str) {
        match self {
            Self::Memory(memory) => drop(memory.put(&Path::from(key), text.into()).await.unwrap()),
            Self::Folder(folder) => {
                let path = folder.path().join(key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
    }

    /// Whether nothing is under way any more: the tasks behind an export hold its store, or its unfinished files.
    fn is_quiet(&self) -> bool {
        match self {
            Self::Memory(memory) => Arc::strong_count(memory) == 1,
            Self::Folder(folder) => {
                let mut entries = std::fs::read_dir(folder.path()).unwrap();
                !entries.any(|entry| entry.unwrap().file_name().to_str().unwrap().starts_with(".consign-"))
            }
        }
    }

    async fn found(&self) -> Found {
        let mut found = Found::new();
        match self {
            Self::Memory(memory) => {
                let keys: Vec<_> = memory.list(None).map_ok(|meta| meta.location).try_collect().await.unwrap();
                for key in keys {
                    let bytes = memory.get(&key).await.unwrap().bytes().await.unwrap();
                    found.insert(key.to_string(), bytes.into());
                }
            }
            Self::Folder(folder) => {
                let Ok(entries) = std::fs::read_dir(folder.path().join("out")) else { return found };
                for path in entries.map(|entry| entry.unwrap().path()) {
                    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                    found.insert(format!("out/{name}"), std::fs::read(path).unwrap());
                }
            }
        }
        found
    }
}

/// Drops an export at every poll, and compares what stands there with what stood there before, and with what one delivers
/// that nobody drops.
async fn check(case: Case, older: &[&str], place: impl Fn() -> Place) {
    let fresh = async || {
        let place = place();
        for key in older {
            place.put(key, "of an older set").await;
        }
        place
    };
    let undisturbed = fresh().await;
    let before = undisturbed.found().await;
    let _ = export(case, undisturbed.store()).await;
    let whole = undisturbed.found().await;
    for moment in MOMENTS {
        let mut polls = 0;
        loop {
            let place = fresh().await;
            let done = drop_after(polls, moment, export(case, place.store())).await.is_some();
            let mut holds = false;
            let mut found = Found::new();
            for _ in 0..2_000 {
                if place.is_quiet() {
                    found = place.found().await;
                    let is_part =
                        !found.contains_key(MANIFEST) && found.iter().all(|(key, bytes)| whole.get(key) == Some(bytes));
                    holds = found == whole || !done && (found == before || is_part && case.commit == Commit::PerFile);
                    // A folder does not tell whether anything goes on.
                    if holds || matches!(place, Place::Memory(_)) {
                        break;
                    }
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(holds, "{case:?}, {moment:?} after {polls} polls, quiet {}: {:?}", place.is_quiet(), found.keys());
            if done {
                break;
            }
            polls += 1;
        }
        assert!(polls > 3 || whole == before, "{case:?} waited only {polls} times");
    }
}

fn memory() -> Place {
    Place::Memory(Arc::default())
}

fn folder() -> Place {
    Place::Folder(tempfile::tempdir().unwrap())
}

#[tokio::test]
async fn an_export_that_is_dropped_at_any_poll_shows_all_or_nothing() {
    for place in [memory, folder] {
        check(PLAIN, &[], place).await;
        check(PLAIN, &["out/t.csv", "out/t_2.csv", "out/t_3.csv"], place).await;
    }
}

#[tokio::test]
async fn one_with_a_journal_leaves_none() {
    for place in [memory, folder] {
        check(Case { journal: true, ..PLAIN }, &[], place).await;
        check(Case { journal: true, on_exists: OnExists::Fail, ..PLAIN }, &[], place).await;
    }
}

#[tokio::test]
async fn one_that_shows_files_one_by_one_shows_whole_ones() {
    for place in [memory, folder] {
        check(Case { commit: Commit::PerFile, ..PLAIN }, &[], place).await;
        check(Case { commit: Commit::PerFile, on_exists: OnExists::Fail, ..PLAIN }, &[], place).await;
    }
}

#[tokio::test]
async fn one_that_keeps_what_exists_keeps_it() {
    for on_exists in [OnExists::Fail, OnExists::Skip, OnExists::Suffix] {
        for older in [&[][..], &["out/t.csv", "out/manifest-run.json"]] {
            for place in [memory, folder] {
                check(Case { on_exists, ..PLAIN }, older, place).await;
            }
        }
    }
}

#[tokio::test]
async fn a_check_that_is_dropped_at_any_poll_leaves_nothing() {
    for place in [memory, folder] {
        for moment in MOMENTS {
            for polls in 0.. {
                let place = place();
                let store = place.store();
                let done = drop_after(polls, moment, store.check("out", OnExists::Fail)).await.is_some();
                drop(store);
                let mut left = Found::new();
                for _ in 0..2_000 {
                    left = place.found().await;
                    if place.is_quiet() && left.is_empty() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                assert!(place.is_quiet() && left.is_empty(), "{moment:?} after {polls} polls: {:?}", left.keys());
                if done {
                    break;
                }
            }
        }
    }
}

/// The folders that dead exports have left, and what is young.
#[tokio::test]
async fn a_reaper_that_is_dropped_at_any_poll_is_run_again() {
    for moment in MOMENTS {
        for polls in 0.. {
            let folder = tempfile::tempdir().unwrap();
            for number in 0..3 {
                let stale = folder.path().join(format!(".consign-{number:016x}"));
                std::fs::create_dir(&stale).unwrap();
                std::fs::write(stale.join("0"), "half a file").unwrap();
            }
            std::fs::write(folder.path().join("t.csv"), "delivered").unwrap();
            let store = Store::folder(folder.path());
            let now = Utc::now() + Duration::from_secs(1);
            let done = drop_after(polls, moment, store.reap("", now, Duration::ZERO)).await.is_some();
            let mut again = store.reap("", now, Duration::ZERO).await.into_result();
            while again.is_err() {
                // The first one goes on, and both remove the same.
                tokio::time::sleep(Duration::from_millis(1)).await;
                again = store.reap("", now, Duration::ZERO).await.into_result();
            }
            let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert_eq!(left, ["t.csv"], "{moment:?} after {polls} polls");
            if done {
                break;
            }
        }
    }
}
