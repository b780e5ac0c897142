//! A server that is away for a while, in the middle of an export: the export waits, and is whole.

use std::time::Duration;

use consign::Export;
use consign::store::OnExists;

use super::client::{Client, Setup};
use super::fixture::Server;
use super::proxy::Proxy;
use super::{MOST_ROWS, context, plan, row, text};

/// As long as a restart takes that is not in a hurry.
const AWAY: Duration = Duration::from_secs(20);

/// Delivers a file of three parts; once the first are under way, `interrupt` is called, and the rest comes after it.
async fn deliver_around(folder: &str, client: &Client, interrupt: impl AsyncFnOnce()) {
    let rows = MOST_ROWS as u64;
    let mut export = Export::start(&plan(folder).build().unwrap(), &client.store(), context()).unwrap();
    for number in 0..rows * 2 / 3 {
        export.write_record([row(number)]).await.unwrap();
    }
    // The interruption and the rest of the export go side by side, as they would.
    let rest = async {
        for number in rows * 2 / 3..rows {
            export.write_record([row(number)]).await.unwrap();
        }
        export.commit().await.unwrap()
    };
    let ((), manifest) = futures::join!(interrupt(), rest);
    assert_eq!(manifest.rows(), rows);
}

async fn check(server: Server, folder: &str, client: &Client) {
    assert!(
        client.get(&format!("{folder}/t.csv")).await.unwrap() == text(0..MOST_ROWS as u64),
        "{server}: other bytes"
    );
    assert_eq!(client.keys(folder).await.len(), 2, "{server}");
    assert_eq!(client.open_uploads(folder).await.unwrap_or_default(), [""; 0], "{server}");
}

async fn behind_a_line_that_is_down(server: Server) {
    let running = server.shared();
    let setup = Setup::new(&running);
    let proxy = Proxy::start(setup.url(), None).await;
    let client = setup.clone().with_url(proxy.url()).client();
    deliver_around("away", &client, async || {
        proxy.down();
        tokio::time::sleep(AWAY).await;
        proxy.up();
    })
    .await;
    check(server, "away", &setup.client()).await;
}

#[tokio::test]
async fn an_export_outlasts_a_line_that_is_down() {
    futures::join!(
        behind_a_line_that_is_down(Server::Seaweedfs),
        behind_a_line_that_is_down(Server::Rclone),
        behind_a_line_that_is_down(Server::Azurite),
    );
}

/// Of a file that is put where nothing may be replaced, and its manifest.
#[tokio::test]
async fn a_commit_outlasts_a_line_that_is_down() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let proxy = Proxy::start(setup.url(), None).await;
    let store = setup.clone().with_url(proxy.url()).client().store();
    let destination = plan("away-commit").with_on_exists(OnExists::Fail).build().unwrap();
    let mut export = Export::start(&destination, &store, context()).unwrap();
    export.write_record([row(0)]).await.unwrap();
    // What is there is looked at right away, and the server is tried out.
    tokio::time::sleep(Duration::from_secs(2)).await;
    proxy.down();
    let back = async {
        tokio::time::sleep(AWAY).await;
        proxy.up();
    };
    let (manifest, ()) = futures::join!(export.commit(), back);
    assert_eq!(manifest.unwrap().rows(), 1);
    let client = setup.client();
    assert!(client.get("away-commit/t.csv").await.unwrap() == text(0..1));
    assert_eq!(client.keys("away-commit").await.len(), 2);
}

/// `SeaweedFS`, since rclone keeps its uploads in memory, and Azurite writes its index only now and then.
#[tokio::test]
async fn an_export_outlasts_a_server_that_is_killed() {
    let mut running = Server::Seaweedfs.start();
    let setup = Setup::new(&running);
    let client = setup.client();
    deliver_around("killed", &client, async || {
        running.kill();
        tokio::time::sleep(AWAY).await;
        running.start_again();
    })
    .await;
    check(Server::Seaweedfs, "killed", &client).await;
}
