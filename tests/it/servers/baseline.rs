//! What holds without a fault on the way, and with the plain mistakes: a wrong secret, bucket or address.

use std::io::Read;
use std::time::Duration;

use consign::layer::compress::Compression;
use consign::store::Store;
use consign::{Error, ErrorKind, Export};

use super::client::Setup;
use super::fault::{Fault, Faults, Rule, Step};
use super::fixture::Server;
use super::{MOST_ROWS, context, deliver, plan, row, text};

/// 20 MiB: three parts.
const ROWS: u64 = MOST_ROWS as u64;

#[track_caller]
fn check_kind(server: Server, error: &Error, kind: ErrorKind) {
    assert_eq!(error.kind(), kind, "{server}: {error:#}");
}

async fn every_size_comes_back_to_the_byte(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    for (folder, max_rows, rows) in [("none", 1, 0), ("small", 10, 3), ("parts", ROWS, ROWS), ("mixed", ROWS - 1, ROWS)]
    {
        let folder = format!("baseline/{folder}");
        let manifest = deliver(plan(&folder), max_rows, rows, &client.store()).await.unwrap();
        let manifest_key = format!("{folder}/manifest-run.json");
        assert_eq!(manifest.key(), Some(manifest_key.as_str()));
        let mut keys = vec![manifest_key.clone()];
        let mut first = 0;
        for file in manifest.files() {
            let found = client.get(file.key()).await.unwrap();
            assert!(found == text(first..first + file.rows()), "{server}: {} has other bytes", file.key());
            first += file.rows();
            keys.push(file.key().to_owned());
        }
        assert_eq!(first, rows);
        assert_eq!(client.get(&manifest_key).await.unwrap(), manifest.to_json().into_bytes());
        keys.sort();
        assert_eq!(client.keys(&folder).await, keys, "{server}");
        assert_eq!(client.open_uploads(&folder).await.unwrap_or_default(), [""; 0], "{server}");
    }
}

async fn gzip_comes_back_to_the_byte(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    // Hexadecimal digits shrink by half.
    let plan = plan("gzip").with_compression(Compression::gzip());
    let manifest = deliver(plan, ROWS, ROWS, &client.store()).await.unwrap();
    let found = client.get("gzip/t.csv.gz").await.unwrap();
    assert_eq!(manifest.files()[0].stored_bytes(), found.len() as u64);
    assert!(found.len() > 8 * 1024 * 1024, "{} bytes are not two parts", found.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(found.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == text(0..ROWS), "{server}: other bytes");
}

async fn an_abort_leaves_nothing(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    for end in ["abort", "fail"] {
        let folder = format!("abort/{end}");
        let mut export = Export::start(&plan(&folder).build().unwrap(), &client.store(), context()).unwrap();
        for number in 0..ROWS {
            export.write_record([row(number)]).await.unwrap();
        }
        if let Some(uploads) = client.open_uploads(&folder).await {
            assert_eq!(uploads, [format!("{folder}/t.csv")], "{server}: the upload was not under way");
        }
        if end == "abort" {
            export.abort().await.unwrap();
        } else {
            let error = export.write_record(["one", "too many"]).await.unwrap_err();
            check_kind(server, &error, ErrorKind::Row);
            check_kind(server, &export.commit().await.unwrap_err(), ErrorKind::Row);
        }
        assert_eq!(client.keys(&folder).await, [""; 0], "{server}, {end}");
        let left = client.open_uploads(&folder).await.unwrap_or_default();
        assert_eq!(left, [""; 0], "{server}, {end}");
    }
}

/// An export whose process died: its upload stays open, until it is reaped.
async fn what_the_dead_left_is_reaped(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    let Some(none) = client.open_uploads("reap").await else {
        let error = client.store().reap("reap/", context().time(), Duration::ZERO).await.into_result().unwrap_err();
        let text = "the open uploads of this store cannot be listed: expected a folder or S3";
        assert_eq!(error.to_string(), text, "{server}");
        return;
    };
    assert_eq!(none, [""; 0], "{server}");
    let mut dead = Vec::new();
    for folder in ["reap/a'b", "reap/(x)*!", "spared"] {
        let mut export = Export::start(&plan(folder).build().unwrap(), &client.store(), context()).unwrap();
        for number in 0..ROWS {
            export.write_record([row(number)]).await.unwrap();
        }
        dead.push(export);
    }
    let now = chrono::Utc::now() + chrono::TimeDelta::minutes(5);
    let young = client.store().reap("reap/", now, Duration::from_secs(3600)).await.into_result().unwrap();
    assert_eq!(young, [], "{server}: too young");
    let mut reaped: Vec<_> = client.store().reap("reap/", now, Duration::ZERO).await.into_result().unwrap();
    reaped.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = reaped.iter().map(|reaped| reaped.name.as_str()).collect();
    assert_eq!(names, ["reap/(x)*!/t.csv", "reap/a'b/t.csv"], "{server}");
    assert_eq!(client.open_uploads("reap").await.unwrap(), [""; 0], "{server}");
    assert_eq!(client.open_uploads("spared").await.unwrap(), ["spared/t.csv"], "{server}: not below the prefix");
    for export in dead {
        // Its upload is gone, or is aborted now.
        let _ = export.abort().await;
    }
    assert_eq!(client.open_uploads("spared").await.unwrap(), [""; 0], "{server}");
}

async fn plain_mistakes_are_told_apart(server: Server) {
    let running = server.shared();
    let right = Setup::new(&running);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    for (setup, kind) in [
        (right.clone().with_wrong_secret(), ErrorKind::Denied),
        (right.clone().with_bucket("missing"), ErrorKind::NotFound),
        (right.clone().with_url(nobody), ErrorKind::Unreachable),
    ] {
        // One request, and an upload of parts.
        for rows in [1, ROWS] {
            let store = setup.client().store();
            let error = deliver(plan("mistakes"), ROWS, rows, &store).await.unwrap_err();
            check_kind(server, &error, kind);
        }
    }
    assert_eq!(right.client().keys("mistakes").await, [""; 0], "{server}");
}

async fn keys_are_spelled_to_the_byte(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    for name in ["a b  c", "grün 日本", "it's (1)!*", "a#1", "a&b=c;d@e,f$g", "<x>:y", "SlowDown", "InternalError"] {
        let destination = plan("keys/%SEGMENT_NAME%").build().unwrap();
        let context = context().with_audience_name(name);
        let mut export = Export::start(&destination, &client.store(), context).unwrap();
        export.write_record([row(0)]).await.unwrap();
        let manifest = export.commit().await.unwrap();
        let file = &manifest.files()[0];
        assert!(client.get(file.key()).await.unwrap() == text(0..1), "{server}: {} has other bytes", file.key());
        let mut expected = vec![manifest.key().unwrap().to_owned(), file.key().to_owned()];
        expected.sort();
        assert_eq!(client.keys(file.folder()).await, expected, "{server}");
    }
}

/// Of the three servers, only this one holds bodies against the checksums that come with them. One that is damaged each
/// time is given up.
#[tokio::test]
async fn a_byte_that_always_flips_on_the_way_is_found_out() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    for (step, key) in [(Step::Part(2), "/t.csv"), (Step::Put, "/t_2.csv"), (Step::Put, "/manifest-run.json")] {
        let faults = Faults::new(&[Rule { step, key, times: usize::MAX, fault: Fault::Flip }]);
        let store = setup.client_through(faults.clone()).store();
        let folder = format!("flip{}{key}", std::process::id());
        let error = deliver(plan(&folder), ROWS - 1, ROWS, &store).await.unwrap_err();
        check_kind(Server::Seaweedfs, &error, ErrorKind::Store);
        assert!(format!("{error:#}").contains("BadDigest"), "{error:#}");
        assert_eq!(faults.struck(), [4]);
        assert!(setup.client().get(&(folder.clone() + key)).await.is_none(), "{key} stands there");
        assert_eq!(setup.client().open_uploads(&folder).await, Some(Vec::new()));
    }
}

macro_rules! on_every_server {
    ($($case:ident)*) => {
        mod seaweedfs {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::Seaweedfs).await })*
        }
        mod rclone {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::Rclone).await })*
        }
        mod azurite {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::Azurite).await })*
        }
    };
}

on_every_server! {
    every_size_comes_back_to_the_byte
    gzip_comes_back_to_the_byte
    an_abort_leaves_nothing
    what_the_dead_left_is_reaped
    plain_mistakes_are_told_apart
    keys_are_spelled_to_the_byte
}

#[tokio::test]
async fn the_url_of_another_bucket_is_refused() {
    let store = Store::from_url("s3://other").unwrap();
    let error = deliver(plan("refused"), 1, 1, &store).await.unwrap_err();
    let text = "the destination's bucket is `test`, but the store is the bucket `other`";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Destination, text));
}
