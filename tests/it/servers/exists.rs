//! What becomes of files that exist on real servers: of those that obey `If-None-Match: *`, and of those that do not.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use consign::destination::DestinationBuilder;
use consign::manifest::{Delivery, Manifest};
use consign::store::{CreateCheck, OnExists, Store};
use consign::{Error, ErrorKind, Export};

use super::client::Setup;
use super::fault::{Fault, Faults, Rule, Step};
use super::fixture::Server;
use super::{context, deliver, plan, row, text};
use crate::program::example;

/// Rows of a file of two parts.
const TWO_PARTS: u64 = 9 * 64;

/// A folder that no other run of the tests has.
fn folder(name: &str) -> String {
    format!("exists/{}/{name}", std::process::id())
}

#[track_caller]
fn check_exists(server: Server, delivered: &Result<Manifest, Error>, text: &str) {
    let error = delivered.as_ref().unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Exists, text), "{server}: {error:#}");
}

async fn rules_keep_what_exists(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    // Which ignores conditions.
    let check = if server == Server::Rclone { CreateCheck::Look } else { CreateCheck::Server };
    let store = client.store().with_create_check(check);
    let rules = folder("rules");
    let plan = |rule| plan(&rules).with_on_exists(rule);
    let rows = TWO_PARTS + 1;
    deliver(plan(OnExists::Fail), TWO_PARTS, rows, &store).await.unwrap();
    let keys = ["manifest-run.json", "t.csv", "t_2.csv"].map(|name| format!("{rules}/{name}"));
    let check = async |suffixed: &[&str]| {
        let mut expected: Vec<_> = suffixed.iter().map(|name| format!("{rules}/{name}")).chain(keys.clone()).collect();
        expected.sort();
        assert_eq!(client.keys(&rules).await, expected, "{server}");
        assert!(client.get(&keys[1]).await.unwrap() == text(0..TWO_PARTS), "{server}: other bytes");
        assert_eq!(client.open_uploads(&rules).await.unwrap_or_default(), [""; 0], "{server}");
    };
    check(&[]).await;

    let failed = deliver(plan(OnExists::Fail), 1, 1, &store).await;
    check_exists(server, &failed, &format!("`{}` exists, and this destination replaces nothing", keys[1]));
    let skipped = deliver(plan(OnExists::Skip), 1, 1, &client.store()).await.unwrap();
    assert_eq!(skipped.delivery(), Delivery::Skipped, "{server}");
    check(&[]).await;
    deliver(plan(OnExists::Suffix), TWO_PARTS, rows, &store).await.unwrap();
    check(&["t-2.csv", "t-2_2.csv", "manifest-run-2.json"]).await;
}

/// Delivers rows up to where only their completion is missing.
async fn almost(plan: DestinationBuilder, rows: u64, run: &str, store: &Store) -> Export {
    let destination = plan.with_max_rows(rows.try_into().expect("files have rows")).build().unwrap();
    let mut export = Export::builder(&destination, store, context()).with_run_id(run).start().unwrap();
    // A row more, in a file of its own, without which the first file would not be known to end.
    for number in 0..=rows {
        export.write_record([row(number)]).await.unwrap();
    }
    while export.progress().snapshot().files < 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    export
}

async fn of_two_that_race_one_wins(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    for rows in [1, TWO_PARTS] {
        for rule in [OnExists::Fail, OnExists::Skip, OnExists::Suffix] {
            if server == Server::Azurite && rows == TWO_PARTS {
                // It is only asked for its keys: both may win.
                continue;
            }
            let folder = folder(&format!("race-{rows}-{rule:?}"));
            let start = async |run| almost(plan(&folder).with_on_exists(rule), rows, run, &client.store()).await;
            let (one, two) = futures::join!(start("one"), start("two"));
            let (one, two) = (tokio::spawn(one.commit()), tokio::spawn(two.commit()));
            let mut ends = [one.await.unwrap(), two.await.unwrap()];
            ends.sort_by_key(|end| end.as_ref().map_or(1, |manifest| i32::from(manifest.delivery() != Delivery::Done)));
            let [won, lost] = ends;
            if server == Server::Seaweedfs && rows == TWO_PARTS && won.as_ref().is_err() {
                // It looks first and writes then: both may find out that they were not alone.
                assert_eq!(client.keys(&folder).await, [""; 0], "{server}");
                continue;
            }
            let won = won.unwrap();
            assert_eq!(won.delivery(), Delivery::Done, "{server}");
            match lost {
                Ok(lost) => assert_eq!((rule, lost.delivery()), (OnExists::Skip, Delivery::Skipped), "{server}"),
                Err(e) => assert_eq!((rule != OnExists::Skip, e.kind()), (true, ErrorKind::Exists), "{server}: {e:#}"),
            }
            let names = [won.key().unwrap(), won.files()[0].key(), won.files()[1].key()];
            assert_eq!(client.keys(&folder).await, names, "{server}");
            assert!(client.get(names[1]).await.unwrap() == text(0..rows), "{server}: other bytes");
            assert_eq!(client.open_uploads(&folder).await.unwrap_or_default(), [""; 0], "{server}");
        }
    }
}

async fn what_was_visible_is_taken_back(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    for rows in [1, TWO_PARTS] {
        let folder = folder(&format!("back-{rows}"));
        // The last file is begun with the commit, so the one in the way is the second of three.
        let destination = plan(&folder).with_on_exists(OnExists::Fail).with_max_rows(rows.try_into().unwrap());
        let destination = destination.build().unwrap();
        let mut export = Export::builder(&destination, &client.store(), context()).with_run_id("run").start().unwrap();
        for number in 0..=2 * rows {
            export.write_record([row(number % 64)]).await.unwrap();
        }
        while export.progress().snapshot().files < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let other = format!("{folder}/t_2.csv");
        client.put(&other, "other").await;
        let failed = export.commit().await;
        let taken = format!("could not complete `{other}`: written by another meanwhile, and left as it is");
        if server == Server::Azurite && rows == TWO_PARTS {
            // Blocks have no metadata that would tell whose they are.
            let left = format!("{taken}; besides, `{folder}/t.csv` stays visible without a manifest");
            check_exists(server, &failed, &left);
            assert_eq!(client.keys(&folder).await, [format!("{folder}/t.csv"), other.clone()]);
        } else {
            check_exists(server, &failed, &taken);
            assert_eq!(client.keys(&folder).await, [other.as_str()], "{server}");
        }
        assert_eq!(client.get(&other).await.unwrap(), b"other");
        assert_eq!(client.open_uploads(&folder).await.unwrap_or_default(), [""; 0], "{server}");
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_condition_is_named() {
    let running = Server::Rclone.shared();
    let client = Setup::new(&running).client();
    let folder = folder("named");
    for rule in [OnExists::Fail, OnExists::Suffix] {
        let error = deliver(plan(&folder).with_on_exists(rule), 1, 1, &client.store()).await.unwrap_err();
        let text = "the store ignores `If-None-Match: *` when it puts an object, so it may replace what exists: expected a \
            destination that overwrites or skips, or a store with `CreateCheck::Look`";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Store, text));
        assert_eq!(client.keys(&folder).await, [""; 0]);
        assert_eq!(client.open_uploads(&folder).await, Some(Vec::new()));
    }
    let skip = deliver(plan(&folder).with_on_exists(OnExists::Skip), 1, 1, &client.store()).await.unwrap();
    assert_eq!(skip.delivery(), Delivery::Done);
}

/// As Ceph's radosgw does, which obeys the condition on a put alone: here, the second client lacks the header.
#[tokio::test]
async fn a_server_that_ignores_the_condition_on_uploads_is_named() {
    let running = Server::Seaweedfs.shared();
    let client = Setup::new(&running).client();
    let folder = folder("uploads");
    let store = client.store_that_replaces();
    let error = deliver(plan(&folder).with_on_exists(OnExists::Fail), 1, 1, &store).await.unwrap_err();
    let text = "the store ignores `If-None-Match: *` when it completes an upload, so it may replace what exists: expected a \
        destination that overwrites or skips, or a store with `CreateCheck::Look`";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Store, text));
    assert_eq!(client.keys(&folder).await, [""; 0]);
    assert_eq!(client.open_uploads(&folder).await, Some(Vec::new()));
}

/// What an export says when the reply to a completion does not: the three outcomes.
#[tokio::test]
async fn the_outcome_of_a_completion_is_said() {
    const SMALL: u64 = 1;
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let no_answer = Fault::Answer(400, "Bad");
    let done = Fault::Instead(400, "Bad");
    let rule = |step, fault| Rule { step, key: "/t.csv", times: usize::MAX, fault };
    for (rows, step) in [(SMALL, Step::Put), (TWO_PARTS, Step::Complete)] {
        for (rules, kind, text) in [
            (vec![rule(step, no_answer)], ErrorKind::Store, "not written, the store failed"),
            (
                vec![rule(step, done), rule(Step::Look, no_answer)],
                ErrorKind::Unknown,
                "unknown whether it was written, the store gave no clear answer",
            ),
            (
                vec![rule(step, no_answer), rule(Step::Look, no_answer)],
                ErrorKind::Unknown,
                "unknown whether it was written, the store gave no clear answer",
            ),
        ] {
            let folder = folder(&format!("said-{rows}"));
            let store = setup.client_through(Faults::new(&rules)).store();
            // Another row makes the store answer something before.
            let error = deliver(plan(&folder), rows, rows + 1, &store).await.unwrap_err();
            let expected = format!("could not complete `{folder}/t.csv`: {text}");
            assert_eq!(error.kind(), kind, "{error:#}");
            assert!(error.to_string().starts_with(&expected), "{error:#}");
        }
    }
}

/// The store of a URL has a second client of its own.
#[test]
fn the_program_keeps_what_exists() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let place = tempfile::tempdir().unwrap();
    let (input, destination) = (place.path().join("input.csv"), place.path().join("destination.json"));
    std::fs::write(&input, "a\n1\n").unwrap();
    let folder = folder("program");
    let json = format!(r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "t", "onExists": "fail"}}"#);
    std::fs::write(&destination, json).unwrap();
    let run = || {
        let output = Command::new(example("export"))
            .args(["--to", "s3://test", "--run-id", "run", "--time", "2026-11-22T08:00:00Z", "--quiet"])
            .args([OsStr::new("--input"), input.as_os_str(), OsStr::new("--destination"), destination.as_os_str()])
            .envs([("AWS_ENDPOINT", setup.url()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
            .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(), (true, String::new()));
    let (success, said) = run();
    assert!(!success);
    assert!(said.contains(&format!("`{folder}/t.csv` exists, and this destination replaces nothing")), "{said}");
}

macro_rules! on {
    ($($server:ident $kind:ident: $($case:ident)*;)*) => {$(
        mod $server {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() { super::$case(super::Server::$kind).await })*
        }
    )*};
}

on! {
    seaweedfs Seaweedfs: rules_keep_what_exists of_two_that_race_one_wins what_was_visible_is_taken_back;
    azurite Azurite: rules_keep_what_exists of_two_that_race_one_wins what_was_visible_is_taken_back;
    rclone Rclone: rules_keep_what_exists;
}
