//! An export that keeps what exists, and died while its files became visible: it goes on with them as its own.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use consign::export::ExportBuilder;
use consign::manifest::{Delivery, Manifest};
use consign::object_store::local::LocalFileSystem;
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::object_store::{ObjectStore, ObjectStoreExt};
use consign::store::{Journal, OnExists, ReapedJournal, Store};
use consign::template::Context;
use consign::{Destination, ErrorKind, Export, Result};
use futures::TryStreamExt;

use super::{FILE_ROWS, Lines, Removal, check_error, destination, multipart, row};

/// A store, and a way to see what stands in it.
struct Place {
    store: Store,
    objects: Arc<dyn ObjectStore>,
    /// The folder, and where a journal is put.
    _local: tempfile::TempDir,
    journal: PathBuf,
}

impl Place {
    fn both() -> [Self; 2] {
        [true, false].map(|in_memory| {
            let local = tempfile::tempdir().unwrap();
            let journal = local.path().join("journal");
            let (store, objects): (_, Arc<dyn ObjectStore>) = if in_memory {
                let memory = Arc::new(InMemory::new());
                (multipart(&memory), memory)
            } else {
                let root = local.path().join("root");
                std::fs::create_dir(&root).unwrap();
                (Store::folder(&root), Arc::new(LocalFileSystem::new_with_prefix(root).unwrap()))
            };
            Self { store, objects, _local: local, journal }
        })
    }

    /// Everything that stands there, with its bytes.
    async fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let keys: Vec<_> = self.objects.list(None).map_ok(|meta| meta.location).try_collect().await.unwrap();
        let mut found = BTreeMap::new();
        for key in keys {
            let bytes = self.objects.get(&key).await.unwrap().bytes().await.unwrap();
            found.insert(key.to_string(), bytes.to_vec());
        }
        found
    }

    fn builder(&self, rule: OnExists, file_rows: u64) -> ExportBuilder {
        let rows = NonZeroU64::new(file_rows).unwrap();
        let destination: Destination =
            destination().to_builder().with_on_exists(rule).with_max_rows(rows).build().unwrap();
        Export::builder(&destination, &self.store, Context::new(DateTime::UNIX_EPOCH))
            .with_run_id("run")
            .with_columns(["a"])
    }

    /// Lets an export die right before it removes its journal, which is then found in a file.
    async fn die(&self, rule: OnExists, file_rows: u64, rows: u64) {
        self.end(rule, file_rows, rows, Removal::Never).await;
    }

    async fn end(&self, rule: OnExists, file_rows: u64, rows: u64, removal: Removal) {
        let last = Arc::new(Lines::new("", removal));
        let export = self.builder(rule, file_rows).with_journal(Journal::kept_by(Arc::clone(&last) as _));
        deliver(export, 0..rows).await.unwrap();
        std::fs::write(&self.journal, last.text()).unwrap();
    }

    async fn resume(&self, rule: OnExists, file_rows: u64, rows: Range<u64>) -> Result<Manifest> {
        let journal = Journal::file(&self.journal);
        deliver(self.builder(rule, file_rows).with_journal(journal).with_resume(), rows).await
    }
}

async fn deliver(builder: ExportBuilder, rows: Range<u64>) -> Result<Manifest> {
    let mut export = builder.start()?;
    for number in rows {
        export.write_record([row(number).as_str()]).await?;
    }
    export.commit().await
}

/// Rules, with what stands there before the export of which the journal is.
const RULES: [(OnExists, bool); 5] = [
    (OnExists::Fail, false),
    (OnExists::Skip, false),
    (OnExists::Suffix, false),
    (OnExists::Suffix, true),
    (OnExists::Overwrite, true),
];

/// Of the export's keys, that many are not there yet when it dies: the last ones of the commit.
async fn dies_and_goes_on(file_rows: u64, rows: u64, missing: usize, names: [&str; 3]) {
    for (rule, is_older) in RULES {
        for place in Place::both() {
            let number = if rule == OnExists::Suffix && is_older { "-2" } else { "" };
            if is_older {
                deliver(place.builder(OnExists::Overwrite, file_rows), 30..30 + rows).await.unwrap();
            }
            let older = place.contents().await;
            place.die(rule, file_rows, rows).await;
            let whole = place.contents().await;
            for name in names.iter().rev().take(missing) {
                let key = format!("out/{}", name.replace('#', number));
                place.objects.delete(&Path::from(key)).await.unwrap();
            }
            let what = format!("{rule:?}, older: {is_older}, {missing} missing, {:?}", place.store);
            // Small files that may be replaced are none of a journal's business.
            let is_empty = rule == OnExists::Overwrite && rows < FILE_ROWS && place.store.as_folder().is_none();
            assert_eq!(std::fs::read(&place.journal).unwrap().is_empty(), is_empty, "{what}");

            let manifest = place.resume(rule, file_rows, 0..rows).await.unwrap_or_else(|e| panic!("{what}: {e:#}"));
            assert_eq!((manifest.delivery(), manifest.rows()), (Delivery::Done, rows), "{what}");
            assert!(place.contents().await == whole, "{what}");
            assert!(is_empty || !place.journal.exists(), "{what}");
            if rule != OnExists::Overwrite {
                assert!(older.iter().all(|(key, bytes)| whole.get(key) == Some(bytes)), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn files_of_one_request_are_known_again_at_each_moment_of_the_commit() {
    for missing in 0..=3 {
        dies_and_goes_on(2, 3, missing, ["t#.csv", "t#_2.csv", "manifest-run#.json"]).await;
    }
}

#[tokio::test]
async fn a_large_file_and_a_small_one_are_known_again() {
    for missing in 0..=2 {
        dies_and_goes_on(FILE_ROWS, FILE_ROWS + 1, missing, ["t#.csv", "t#_2.csv", "manifest-run#.json"]).await;
    }
}

#[tokio::test]
async fn what_is_there_already_is_not_taken_for_other_rows() {
    for place in Place::both() {
        place.die(OnExists::Fail, 2, 3).await;
        let whole = place.contents().await;
        let error = place.resume(OnExists::Fail, 2, 1..4).await.unwrap_err();
        let text = "`out/t.csv` cannot be resumed: expected the rows of the export that died, 2 in 2097154 bytes, found \
            2 in 2097154 bytes with another SHA-256";
        check_error(&error, ErrorKind::Resume, text);
        let error = place.resume(OnExists::Fail, 2, 0..2).await.unwrap_err();
        let text = "`out/t_2.csv` cannot be resumed: the rows end before it, those of the export that died did not";
        check_error(&error, ErrorKind::Resume, text);
        // Nothing is lost by that.
        assert!(place.contents().await == whole);
        place.resume(OnExists::Fail, 2, 0..3).await.unwrap();
        assert!(place.contents().await == whole && !place.journal.exists());
    }
}

#[tokio::test]
async fn a_file_of_another_is_not_taken_for_ours() {
    for place in Place::both() {
        for rule in [OnExists::Fail, OnExists::Suffix] {
            place.die(rule, 2, 3).await;
            let key = Path::from("out/t.csv");
            place.objects.delete(&key).await.unwrap();
            place.objects.put(&key, "of another".into()).await.unwrap();
            let error = place.resume(rule, 2, 0..3).await.unwrap_err();
            check_error(&error, ErrorKind::Exists, "`out/t.csv` exists, and this destination replaces nothing");
            for key in place.contents().await.keys() {
                place.objects.delete(&Path::from(key.as_str())).await.unwrap();
            }
        }
        // Nor does it hold up an export that delivers nothing where something exists.
        place.die(OnExists::Skip, 2, 3).await;
        let key = Path::from("out/t.csv");
        place.objects.delete(&key).await.unwrap();
        place.objects.put(&key, "of another".into()).await.unwrap();
        assert_eq!(place.resume(OnExists::Skip, 2, 0..3).await.unwrap().delivery(), Delivery::Skipped);
        assert!(!place.journal.exists());
    }
}

#[tokio::test]
async fn a_set_without_its_manifest_is_reaped_and_a_whole_one_stays() {
    for place in Place::both() {
        place.die(OnExists::Skip, 2, 3).await;
        let journal = std::fs::read(&place.journal).unwrap();
        let whole = place.contents().await;
        let reaped = place.store.reap_journal(&Journal::file(&place.journal)).await.unwrap();
        assert_eq!(reaped, ReapedJournal::default());
        assert!(place.contents().await == whole && !place.journal.exists());

        std::fs::write(&place.journal, journal).unwrap();
        place.objects.delete(&Path::from("out/manifest-run.json")).await.unwrap();
        place.objects.put(&Path::from("out/other"), "of another".into()).await.unwrap();
        let reaped = place.store.reap_journal(&Journal::file(&place.journal)).await.unwrap();
        let (names, none) = (["out/t.csv", "out/t_2.csv"].as_slice(), [""; 0].as_slice());
        let left: Vec<_> = place.contents().await.into_keys().collect();
        if place.store.as_folder().is_none() {
            assert_eq!((&*reaped.removed, &*reaped.unsure), (names_of(names).as_slice(), names_of(none).as_slice()));
            assert_eq!(left, ["out/other"]);
        } else {
            // The links went with the end of the export, which was none of a killed process.
            assert_eq!((&*reaped.removed, &*reaped.unsure), (names_of(none).as_slice(), names_of(names).as_slice()));
            assert_eq!(left, ["out/other", "out/t.csv", "out/t_2.csv"]);
        }
    }
}

/// Its files are the receiver's, who may have taken the manifest away.
#[tokio::test]
async fn the_journal_of_a_delivered_export_that_cannot_be_removed_names_nothing() {
    for (rule, _) in RULES {
        for place in Place::both() {
            place.end(rule, 2, 3, Removal::Refused).await;
            let manifest = Path::from("out/manifest-run.json");
            place.objects.delete(&manifest).await.unwrap();
            let whole = place.contents().await;
            let reaped = place.store.reap_journal(&Journal::file(&place.journal)).await.unwrap();
            assert_eq!(reaped, ReapedJournal::default(), "{rule:?}, {:?}", place.store);
            assert!(place.contents().await == whole, "{rule:?}, {:?}", place.store);
            assert_eq!(std::fs::read(&place.journal).unwrap_or_default(), b"", "{rule:?}, {:?}", place.store);
        }
    }
}

/// Nor is it in the way of the next export, which is another one.
#[tokio::test]
async fn an_export_begins_anew_where_a_journal_names_nothing() {
    for place in Place::both() {
        let lines = Arc::new(Lines::new("", Removal::Refused));
        for (number, rows) in [("", 0..3), ("-2", 5..9), ("-3", 9..12)] {
            let builder = place.builder(OnExists::Suffix, 2).with_journal(Journal::kept_by(Arc::clone(&lines) as _));
            // Told to go on or not.
            let builder = if number == "-3" { builder.with_resume() } else { builder };
            let manifest = deliver(builder, rows.clone()).await.unwrap();
            assert_eq!(manifest.key(), Some(&*format!("out/manifest-run{number}.json")));
            assert_eq!(manifest.rows(), rows.end - rows.start);
        }
        assert_eq!(place.contents().await.len(), 3 + 3 + 3);
        let reaped = place.store.reap_journal(&Journal::kept_by(Arc::clone(&lines) as _)).await;
        check_error(&reaped.unwrap_err(), ErrorKind::Denied, "the journal may not be removed");
    }
}

/// A reaper of many does not know that the export died before it delivered: the manifest may have been taken away since.
#[tokio::test]
async fn a_folder_of_dead_exports_is_reaped_of_nothing_visible() {
    let [_, place] = Place::both();
    place.die(OnExists::Fail, 2, 3).await;
    let root = place.store.as_folder().unwrap();
    let journal = root.join(".consign-0123456789abcdef.journal");
    let reap = async || {
        std::fs::copy(&place.journal, &journal).unwrap();
        let now = chrono::Utc::now() + chrono::TimeDelta::minutes(1);
        let reaping = place.store.reap("", now, std::time::Duration::ZERO).await;
        assert!(reaping.errors.is_empty() && !journal.exists(), "{reaping:?}");
        reaping.left
    };
    let whole = place.contents().await;
    assert_eq!(reap().await, [""; 0]);
    assert!(place.contents().await == whole);

    place.objects.delete(&Path::from("out/manifest-run.json")).await.unwrap();
    let files = ["out/t.csv", "out/t_2.csv"];
    let left = files.map(|key| format!("{} (a file whose manifest is not there)", root.join(key).display()));
    assert_eq!(reap().await, left);
    assert_eq!(place.contents().await.into_keys().collect::<Vec<_>>(), files);
}

fn names_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
