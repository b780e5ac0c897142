//! What becomes of files that exist: in memory and in folders, alone and in races.

use std::num::NonZeroU64;
use std::sync::Arc;

use chrono::{TimeZone, Utc};
use consign::destination::{DestinationBuilder, ManifestFile};
use consign::format::csv::{Dialect, Header};
use consign::location::{BucketName, FolderPath};
use consign::manifest::{Delivery, Manifest};
use consign::object_store::local::LocalFileSystem;
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::object_store::{ObjectStore, ObjectStoreExt};
use consign::store::{CreateCheck, OnExists, Store};
use consign::template::{Context, Template};
use consign::{Destination, Error, ErrorKind, Export};
use futures::TryStreamExt;
use tempfile::TempDir;

/// A store, and a way to see what stands in it.
struct Place {
    store: Store,
    objects: Arc<dyn ObjectStore>,
    folder: Option<TempDir>,
}

fn places() -> [Place; 2] {
    let memory = Arc::new(InMemory::new());
    let folder = tempfile::tempdir().unwrap();
    [
        Place { store: Store::multipart(Arc::clone(&memory)), objects: memory, folder: None },
        Place {
            store: Store::folder(folder.path()),
            objects: Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap()),
            folder: Some(folder),
        },
    ]
}

impl Place {
    /// Everything that stands there: keys and texts, sorted, without the JSON of manifests.
    async fn contents(&self) -> Vec<(String, String)> {
        let listed = self.objects.list(None).map_ok(|meta| meta.location).try_collect::<Vec<_>>().await.unwrap();
        let mut found = Vec::new();
        for path in listed {
            let bytes = self.objects.get(&path).await.unwrap().bytes().await.unwrap();
            let text = String::from_utf8(bytes.into()).unwrap();
            let text = if text.starts_with('{') { "{}".to_owned() } else { text };
            found.push((path.to_string(), text));
        }
        if let Some(folder) = &self.folder {
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                let name = entry.unwrap().file_name();
                assert!(!name.to_str().unwrap().starts_with(".consign-"), "{} was left", name.display());
            }
        }
        found.sort();
        found
    }

    async fn put(&self, key: &str, text: &'static str) {
        self.objects.put(&Path::parse(key).unwrap(), text.into()).await.unwrap();
    }
}

fn plan(rule: OnExists) -> DestinationBuilder {
    Destination::builder(
        BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("out").unwrap(),
        Template::parse("t").unwrap(),
    )
    .with_dialect(Dialect::builder().with_header(Header::Omit).build().unwrap())
    .with_max_rows(NonZeroU64::MIN)
    .with_on_exists(rule)
}

fn start(plan: DestinationBuilder, run: &str, store: &Store) -> Export {
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap());
    Export::builder(&plan.build().unwrap(), store, context).with_run_id(run).start().unwrap()
}

/// Delivers rows, each in a file of its own.
async fn deliver(plan: DestinationBuilder, run: &str, store: &Store, rows: &[&str]) -> Result<Manifest, Error> {
    let mut export = start(plan, run, store);
    for row in rows {
        export.write_record([*row]).await?;
    }
    export.commit().await
}

#[track_caller]
fn check_exists(delivered: Result<Manifest, Error>, text: &str) {
    let error = delivered.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Exists, text));
}

#[track_caller]
fn check_contents(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn fail_keeps_what_exists() {
    for place in places() {
        deliver(plan(OnExists::Fail), "1", &place.store, &["a", "b"]).await.unwrap();
        let before = place.contents().await;
        check_contents(&before, &[("out/manifest-1.json", "{}"), ("out/t.csv", "a\n"), ("out/t_2.csv", "b\n")]);

        let again = deliver(plan(OnExists::Fail), "2", &place.store, &["c"]).await;
        check_exists(again, "`out/t.csv` exists, and this destination replaces nothing");
        let same_run = plan(OnExists::Fail).with_extension(".txt");
        let same_run = deliver(same_run, "1", &place.store, &["c"]).await;
        check_exists(same_run, "`out/manifest-1.json` exists, and this destination replaces nothing");
        assert_eq!(place.contents().await, before);

        deliver(plan(OnExists::Overwrite), "2", &place.store, &["c"]).await.unwrap();
        assert!(place.contents().await.contains(&("out/t.csv".to_owned(), "c\n".to_owned())));
    }
}

#[tokio::test]
async fn a_further_file_is_looked_at_before_it_is_begun() {
    for place in places() {
        place.put("out/t_2.csv", "other").await;
        let looked = "`out/t_2.csv` exists, and this destination replaces nothing";
        let claimed = "could not complete `out/t_2.csv`: written by another meanwhile, and left as it is";
        for (rule, text) in [(OnExists::Fail, looked), (OnExists::Suffix, looked), (OnExists::Skip, claimed)] {
            check_exists(deliver(plan(rule), "1", &place.store, &["a", "b", "c"]).await, text);
            check_contents(&place.contents().await, &[("out/t_2.csv", "other")]);
        }
    }
}

#[tokio::test]
async fn skip_reads_the_rows_over() {
    for place in places() {
        let first = deliver(plan(OnExists::Skip), "1", &place.store, &["a"]).await.unwrap();
        assert_eq!(first.delivery(), Delivery::Done);
        let before = place.contents().await;

        // More rows than the way to the store holds.
        let row = "b".repeat(1 << 20);
        let second = deliver(plan(OnExists::Skip), "2", &place.store, &[row.as_str(); 16]).await.unwrap();
        assert_eq!(second.delivery(), Delivery::Skipped);
        assert_eq!((second.files().len(), second.key(), second.run_id()), (0, None, "2"));
        assert_eq!(place.contents().await, before);

        // The receiver has taken the files away; the run is known by its manifest.
        place.objects.delete(&Path::from("out/t.csv")).await.unwrap();
        let third = deliver(plan(OnExists::Skip), "1", &place.store, &["c"]).await.unwrap();
        assert_eq!(third.delivery(), Delivery::Skipped);
        check_contents(&place.contents().await, &[("out/manifest-1.json", "{}")]);
    }
}

#[tokio::test]
async fn suffix_renames_the_whole_set() {
    for place in places() {
        for rows in [["a", "b"], ["c", "d"], ["e", "f"]] {
            deliver(plan(OnExists::Suffix), "r", &place.store, &rows).await.unwrap();
        }
        let expected = [
            ("out/manifest-r-2.json", "{}"),
            ("out/manifest-r-3.json", "{}"),
            ("out/manifest-r.json", "{}"),
            ("out/t-2.csv", "c\n"),
            ("out/t-2_2.csv", "d\n"),
            ("out/t-3.csv", "e\n"),
            ("out/t-3_2.csv", "f\n"),
            ("out/t.csv", "a\n"),
            ("out/t_2.csv", "b\n"),
        ];
        check_contents(&place.contents().await, &expected);
        let fourth = plan(OnExists::Suffix).with_manifest(ManifestFile::Omit);
        let fourth = deliver(fourth, "r", &place.store, &["g"]).await.unwrap();
        assert_eq!(fourth.files()[0].key(), "out/t-4.csv");
    }
}

#[tokio::test]
async fn suffixes_end() {
    let [memory, _] = places();
    memory.put("out/t.csv", "").await;
    for number in 2..=1000 {
        memory.put(&format!("out/t-{number}.csv"), "").await;
    }
    let failed = deliver(plan(OnExists::Suffix), "r", &memory.store, &["a"]).await;
    check_exists(failed, "`out/t.csv` exists, and so do its names with `-2` to `-1000`");
}

#[test]
fn room_for_the_suffix_is_checked_before_the_start() {
    let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap());
    // Fits with the index of the last file, but not with a suffix before it.
    let name = "n".repeat(255 - "_100000.csv".len());
    let named = |rule| {
        let name = Template::parse(&name).unwrap();
        let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("out").unwrap());
        Destination::builder(bucket, folder, name).with_on_exists(rule).build().unwrap()
    };
    named(OnExists::Fail).check_names(&context, "r").unwrap();
    let error = named(OnExists::Suffix).check_names(&context, "r").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Name);
}

/// Waits until so many files of an export are only to be completed.
async fn until_ended(export: &Export, files: u64) {
    while export.progress().snapshot().files < files {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_race_one_wins() {
    for place in places() {
        for rule in [OnExists::Fail, OnExists::Skip, OnExists::Suffix] {
            for round in 0..20 {
                let (rows, name) = (["a", "b", "c"], format!("{rule:?}-{round}"));
                let race = |run: &'static str| {
                    let mut export = start(plan(rule).with_extension(format!("-{name}.csv")), run, &place.store);
                    async move {
                        for row in rows {
                            export.write_record([format!("{row}{run}").as_str()]).await.unwrap();
                        }
                        until_ended(&export, 2).await;
                        export
                    }
                };
                let (one, two) = futures::join!(race("1"), race("2"));
                let (one, two) = (tokio::spawn(one.commit()), tokio::spawn(two.commit()));
                let ends = [one.await.unwrap(), two.await.unwrap()];
                let winner = if ends[0].as_ref().is_ok_and(|m| m.delivery() == Delivery::Done) { "1" } else { "2" };
                let [one, two] = ends;
                let (won, lost) = if winner == "1" { (one, two) } else { (two, one) };
                assert_eq!(won.unwrap().delivery(), Delivery::Done);
                if rule == OnExists::Skip {
                    assert_eq!(lost.unwrap().delivery(), Delivery::Skipped);
                } else {
                    let error = lost.unwrap_err();
                    let claimed = format!(
                        "could not complete `out/t-{name}.csv`: written by another meanwhile, and left as it is"
                    );
                    // The last file is begun with the commit, when the winner may have completed its own.
                    let looked = format!("`out/t_3-{name}.csv` exists, and this destination replaces nothing");
                    assert_eq!(error.kind(), ErrorKind::Exists);
                    assert!([claimed, looked].contains(&error.to_string()), "{error}");
                }
                let mut expected = vec![format!("out/manifest-{winner}.json {{}}")];
                for (file, row) in [("t", "a"), ("t_2", "b"), ("t_3", "c")] {
                    expected.push(format!("out/{file}-{name}.csv {row}{winner}\n"));
                }
                expected.sort();
                let found: Vec<_> =
                    place.contents().await.into_iter().map(|(key, text)| format!("{key} {text}")).collect();
                assert_eq!(found, expected, "{rule:?}");
                for line in found {
                    let (key, _) = line.split_once(' ').unwrap();
                    place.objects.delete(&Path::parse(key).unwrap()).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn what_was_visible_is_taken_back() {
    for place in places() {
        let mut export = start(plan(OnExists::Fail), "1", &place.store);
        for row in ["a", "b", "c"] {
            export.write_record([row]).await.unwrap();
        }
        until_ended(&export, 2).await;
        place.put("out/t_2.csv", "other").await;
        check_exists(
            export.commit().await,
            "could not complete `out/t_2.csv`: written by another meanwhile, and left as it is",
        );
        check_contents(&place.contents().await, &[("out/t_2.csv", "other")]);
    }
}

/// A store without metadata: what stands there cannot be told to be ours, and is left.
#[tokio::test]
async fn what_cannot_be_told_stays() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let place = Place { store: Store::new(Arc::clone(&objects) as _), objects, folder: None };
    let mut export = start(plan(OnExists::Fail), "1", &place.store);
    for row in ["a", "b", "c"] {
        export.write_record([row]).await.unwrap();
    }
    until_ended(&export, 2).await;
    place.put("out/t_2.csv", "other").await;
    let error = export.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    let begin =
        "could not complete `out/t_2.csv`: written by another meanwhile, and left as it is; besides, `out/t.csv`";
    assert!(error.to_string().starts_with(begin), "{error}");
    assert!(error.to_string().ends_with(" without a manifest"), "{error}");
    let found = place.contents().await;
    assert!(found.contains(&("out/t_2.csv".to_owned(), "other".to_owned())), "{found:?}");
    assert!(found.contains(&("out/t.csv".to_owned(), "a\n".to_owned())), "{found:?}");
}

#[tokio::test]
async fn a_look_is_enough_where_it_is_asked_for() {
    for place in places() {
        let store = place.store.clone().with_create_check(CreateCheck::Look);
        deliver(plan(OnExists::Fail), "1", &store, &["a"]).await.unwrap();
        let mut export = start(plan(OnExists::Fail).with_extension(".txt"), "2", &store);
        export.write_record(["a"]).await.unwrap();
        export.write_record(["b"]).await.unwrap();
        until_ended(&export, 1).await;
        place.put("out/t.txt", "other").await;
        check_exists(
            export.commit().await,
            "could not complete `out/t.txt`: written by another meanwhile, and left as it is",
        );
        let expected = [("out/manifest-1.json", "{}"), ("out/t.csv", "a\n"), ("out/t.txt", "other")];
        check_contents(&place.contents().await, &expected);
    }
}

#[tokio::test]
async fn an_export_that_ends_before_its_look_leaves_nothing() {
    for place in places() {
        for rule in [OnExists::Fail, OnExists::Skip, OnExists::Suffix] {
            let mut export = start(plan(rule), "1", &place.store);
            export.write_record(["a"]).await.unwrap();
            export.abort().await.unwrap();
            drop(start(plan(rule), "1", &place.store));
        }
        check_contents(&place.contents().await, &[]);
    }
}

#[test]
fn only_who_overwrites_is_warned_of_it() {
    let destination = |rule| plan(rule).build().unwrap();
    assert_eq!(destination(OnExists::Overwrite).warnings().len(), 1);
    for rule in [OnExists::Fail, OnExists::Skip, OnExists::Suffix] {
        assert_eq!(destination(rule).on_exists(), rule);
        assert_eq!(destination(rule).warnings(), []);
    }
}
