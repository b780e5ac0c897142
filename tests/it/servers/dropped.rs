//! Exports to a server that nobody waits for any more: dropped at any await, while a request hangs, or with their runtime.

use std::time::Duration;

use chrono::Utc;
use consign::store::{Journal, PartSchedule, Store};
use consign::{ErrorKind, Export};
use tokio::runtime::Runtime;

use super::client::{Client, Setup};
use super::fixture::Server;
use super::proxy::{Cut, CutRule, Proxy};
use super::{context, deliver, plan, row, text};
use crate::cancel::{MOMENTS, drop_after};

/// Rows of a file of two parts.
const TWO_PARTS: u64 = 6 * 64;

fn folder(name: &str) -> String {
    format!("dropped/{}/{name}", std::process::id())
}

/// With parts as small as S3 takes them.
fn store(client: &Client) -> Store {
    client.store().with_part_schedule(PartSchedule::equal(5 * 1024 * 1024).expect("the least"))
}

/// Waits until no task of an export holds the client any more.
async fn quiet(client: &Client) {
    while client.holders() > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[track_caller]
fn check_nothing(keys: &[String], when: &str) {
    assert_eq!(keys, [""; 0], "{when}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_is_dropped_at_any_poll_shows_all_or_nothing() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let mut runs = 0;
    for moment in MOMENTS {
        for polls in 0.. {
            let (folder, client) = (folder(&format!("{moment:?}-{polls}")), setup.client());
            let store = store(&client);
            let done = drop_after(polls, moment, deliver(plan(&folder), TWO_PARTS, TWO_PARTS + 1, &store)).await;
            drop(store);
            quiet(&client).await;
            let when = format!("{moment:?} after {polls} polls");
            let found = client.keys(&folder).await;
            if found.is_empty() {
                assert!(done.is_none(), "{when}");
            } else {
                let expected = ["manifest-run.json", "t.csv", "t_2.csv"].map(|name| format!("{folder}/{name}"));
                assert_eq!(found, expected, "{when}");
                assert!(client.get(&found[1]).await.unwrap() == text(0..TWO_PARTS), "{when}: other bytes");
            }
            check_nothing(&client.open_uploads(&folder).await.unwrap(), &when);
            runs += 1;
            if done.is_some() {
                break;
            }
        }
    }
    assert!(runs > 10, "only {runs} runs");
}

/// The reaper of uploads, which asks for a list first and aborts one after the other.
#[tokio::test]
async fn a_reaper_that_is_dropped_at_any_poll_is_run_again() {
    let running = Server::Seaweedfs.shared();
    let client = Setup::new(&running).client();
    for moment in MOMENTS {
        for polls in 0.. {
            let folder = folder(&format!("reaped-{moment:?}-{polls}"));
            for name in ["a", "b", "c"] {
                client.open_upload(&format!("{folder}/{name}")).await;
            }
            let (store, now) = (client.store(), Utc::now() + Duration::from_secs(5));
            let done = drop_after(polls, moment, store.reap(&folder, now, Duration::ZERO)).await;
            store.reap(&folder, now, Duration::ZERO).await.into_result().unwrap();
            check_nothing(&client.open_uploads(&folder).await.unwrap(), &format!("{moment:?} after {polls} polls"));
            if let Some(reaped) = done {
                assert_eq!(reaped.into_result().unwrap().len(), 3);
                break;
            }
        }
    }
}

/// The reply never comes, or the server never hears of it; the caller goes first.
#[tokio::test]
async fn an_export_that_is_dropped_while_a_create_hangs_leaves_what_is_reaped() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    for (cut, left) in [(Cut::Silence, 0), (Cut::HoldReply, 1)] {
        let folder = folder(&format!("{cut:?}"));
        let rule = CutRule { method: "POST ", holds: "?uploads", after: 0, times: 1, cut };
        let proxy = Proxy::start(setup.url(), Some(rule)).await;
        let through = setup.clone().with_url(proxy.url()).with_timeout(Duration::from_secs(2)).client();
        let mut export = Export::start(&plan(&folder).build().unwrap(), &store(&through), context()).unwrap();
        // Enough blocks for the first part to be full.
        for number in 0..TWO_PARTS + 64 {
            export.write_record([row(number)]).await.unwrap();
        }
        while proxy.struck() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(export);
        quiet(&through).await;
        let client = setup.client();
        check_nothing(&client.keys(&folder).await, &folder);
        assert_eq!(client.open_uploads(&folder).await.unwrap().len(), left, "{cut:?}");
        let reaped = client
            .store()
            .reap(&folder, Utc::now() + Duration::from_secs(5), Duration::ZERO)
            .await
            .into_result()
            .unwrap();
        assert_eq!(reaped.len(), left, "{cut:?}");
        check_nothing(&client.open_uploads(&folder).await.unwrap(), &folder);
    }
}

/// Nobody is left who could abort anything: it is as if the process had died.
#[test]
fn an_export_whose_runtime_is_dropped_leaves_what_is_reaped() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    for (name, to_server) in [("server", true), ("folder", false)] {
        let folder = folder(name);
        let journal = Journal::file(place.path().join("journal"));
        let store = || if to_server { store(&setup.client()) } else { Store::folder(&root) };
        let export = Runtime::new().unwrap().block_on(async {
            let builder = Export::builder(&plan(&folder).build().unwrap(), &store(), context());
            let mut export = builder.with_journal(journal.clone()).start().unwrap();
            for number in 0..TWO_PARTS + 64 {
                export.write_record([row(number)]).await.unwrap();
            }
            let progress = export.progress();
            while progress.snapshot().stored_bytes < 5 * 1024 * 1024 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            export
        });
        // The runtime is gone with the end of that line.
        Runtime::new().unwrap().block_on(async {
            // Which of its tasks is missed first is a matter of luck.
            assert_eq!(export.commit().await.unwrap_err().kind(), ErrorKind::Internal);
            let client = setup.client();
            check_nothing(&client.keys(&folder).await, name);
            assert!(!root.join(&folder).exists());
            store().reap_journal(&journal).await.unwrap();
            check_nothing(&client.open_uploads(&folder).await.unwrap(), name);
            let left = std::fs::read_dir(&root).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{name}");
        });
    }
}
