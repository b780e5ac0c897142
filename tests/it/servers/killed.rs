//! The export program, killed by SIGKILL at each of its requests in turn: a reader sees all of an export or no manifest,
//! and the next run delivers.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use futures::{StreamExt, stream};

use super::client::{Client, Setup};
use super::fixture::Server;
use super::proxy::{Cut, CutRule, Proxy};
use super::text;
use crate::program::example;

/// A file of two parts and one that fits one request.
const ROWS: u64 = 9 * 64;
const ALL_ROWS: u64 = ROWS + 1;

/// The one field of the rows is a column with this name.
const HEADER: &str = "a\n";

#[derive(Debug, Eq, PartialEq)]
enum End {
    Killed,
    Finished,
}

/// What an export delivers, in the order of its completion.
fn expected(folder: &str) -> [(String, Vec<u8>); 2] {
    [("t.csv", 0..ROWS), ("t_2.csv", ROWS..ALL_ROWS)]
        .map(|(name, rows)| (format!("{folder}/{name}"), [HEADER.as_bytes(), text(rows)].concat()))
}

/// Runs the program, and kills it when the proxy says so.
async fn run(input: &Path, destination: &Path, setup: &Setup, proxy: &Proxy) -> End {
    let mut child = Command::new(example("export"))
        .args(["--to", "s3://test", "--run-id", "run", "--time", "2026-11-22T08:00:00Z", "--quiet"])
        .arg("--input")
        .arg(input)
        .arg("--destination")
        .arg(destination)
        .envs([("AWS_ENDPOINT", proxy.url().as_str()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if proxy.struck() > 0 {
            child.kill().unwrap();
            ended(&mut child).await;
            return End::Killed;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return End::Finished;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ended(child: &mut Child) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everything that stands there must be whole, and a manifest must not stand alone.
async fn look(folder: &str, client: &Client, when: &str) {
    let mut missing = Vec::new();
    for (key, bytes) in expected(folder) {
        match client.get(&key).await {
            Some(found) => assert!(found == bytes, "{when}: {key} has other bytes"),
            None => missing.push(key),
        }
    }
    if client.get(&format!("{folder}/manifest-run.json")).await.is_some() {
        assert_eq!(missing, [""; 0], "{when}: the manifest stands there without its files");
    }
}

/// Kills the program at a request, then lets it run.
async fn kill_at(request: usize, cut: Cut, server: Server) -> End {
    let running = server.shared();
    let setup = Setup::new(&running);
    let folder = format!("killed/{}/{cut:?}/{request}", std::process::id()).to_lowercase();
    let place = tempfile::tempdir().unwrap();
    let (input, destination) = (place.path().join("input.csv"), place.path().join("destination.json"));
    fs::write(&input, [HEADER.as_bytes(), text(0..ALL_ROWS)].concat()).unwrap();
    let json =
        format!(r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "t", "maxFileRowCount": {ROWS}}}"#);
    fs::write(&destination, json).unwrap();

    let rule = CutRule { method: "", holds: "", after: request - 1, times: 1, cut };
    let proxy = Proxy::start(setup.url(), Some(rule)).await;
    let end = run(&input, &destination, &setup, &proxy).await;
    drop(proxy);

    let client = setup.client();
    let when = format!("{server}, {end:?} at request {request} ({cut:?})");
    look(&folder, &client, &when).await;
    let open = client.open_uploads(&folder).await.unwrap_or_default();
    assert!(open.len() <= 1, "{when}: {open:?} are open");

    let proxy = Proxy::start(setup.url(), None).await;
    assert_eq!(run(&input, &destination, &setup, &proxy).await, End::Finished);
    look(&folder, &client, &format!("{when}, then run again")).await;
    assert_eq!(client.keys(&folder).await.len(), 3, "{when}");
    end
}

/// The requests of the export: create, two parts, complete, put, the manifest.
const REQUESTS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_at_any_request_shows_all_or_no_manifest() {
    let mut runs = Vec::new();
    for server in [Server::Seaweedfs, Server::Rclone] {
        for cut in [Cut::Silence, Cut::HoldReply] {
            runs.extend(
                (1..=REQUESTS + 1).map(|request| async move { (request, kill_at(request, cut, server).await) }),
            );
        }
    }
    let ends: Vec<_> = stream::iter(runs).buffer_unordered(4).collect().await;
    for (request, end) in ends {
        assert_eq!(end, if request > REQUESTS { End::Finished } else { End::Killed }, "at request {request}");
    }
}
