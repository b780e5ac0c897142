//! The export program, killed by SIGKILL at each of its requests in turn: a reader sees all of an export or no manifest,
//! and the next run delivers. Signals that ask it to end are obeyed as far as nothing is half done.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
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

/// The program, on its way to a server through a proxy.
fn program(input: &Path, destination: &Path, setup: &Setup, proxy: &Proxy) -> Command {
    let mut program = Command::new(example("export"));
    program
        .args(["--to", "s3://test", "--run-id", "run", "--time", "2026-11-22T08:00:00Z", "--quiet"])
        .arg("--input")
        .arg(input)
        .arg("--destination")
        .arg(destination)
        .envs([("AWS_ENDPOINT", proxy.url().as_str()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())])
        .stdin(Stdio::null());
    program
}

/// Runs the program, and kills it when the proxy says so.
async fn run(input: &Path, destination: &Path, setup: &Setup, proxy: &Proxy) -> End {
    let mut child = program(input, destination, setup, proxy).spawn().unwrap();
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

/// An input and a destination in a folder, for the files that are [expected].
fn write_plan(place: &Path, folder: &str) -> (PathBuf, PathBuf) {
    let (input, destination) = (place.join("input.csv"), place.join("destination.json"));
    fs::write(&input, [HEADER.as_bytes(), text(0..ALL_ROWS)].concat()).unwrap();
    let json =
        format!(r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "t", "maxFileRowCount": {ROWS}}}"#);
    fs::write(&destination, json).unwrap();
    (input, destination)
}

/// Kills the program at a request, then lets it run.
async fn kill_at(request: usize, cut: Cut, server: Server) -> End {
    let running = server.shared();
    let setup = Setup::new(&running);
    let folder = format!("killed/{}/{cut:?}/{request}", std::process::id()).to_lowercase();
    let place = tempfile::tempdir().unwrap();
    let (input, destination) = write_plan(place.path(), &folder);

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

/// Sends signals to the program while it waits for the reply to a request, then ends the wait. Gives the exit status, the
/// last line on the standard error, and how many objects are there.
async fn signal_at(request: usize, signals: &[&str], options: &[&str]) -> (Option<i32>, String, usize) {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let folder = format!("signals/{}/{request}/{}", std::process::id(), signals.len() + 2 * options.len());
    let place = tempfile::tempdir().unwrap();
    let (input, destination) = write_plan(place.path(), &folder);
    let rule = CutRule { method: "", holds: "", after: request - 1, times: 1, cut: Cut::HoldReply };
    let proxy = Proxy::start(setup.url(), Some(rule)).await;

    let mut program = program(&input, &destination, &setup, &proxy);
    let mut child = program.args(options).stderr(Stdio::piped()).spawn().unwrap();
    while proxy.struck() == 0 {
        assert_eq!(child.try_wait().unwrap(), None, "the program ended before request {request}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for signal in signals {
        assert!(Command::new("kill").args([*signal, &child.id().to_string()]).status().unwrap().success());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    proxy.down();
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.up();
    let status = ended(&mut child).await;
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();

    let client = setup.client();
    look(&folder, &client, &format!("{signals:?} at request {request}")).await;
    if signals.len() == 1 {
        assert_eq!(client.open_uploads(&folder).await.unwrap_or_default(), [""; 0], "at request {request}");
    }
    (status.code(), errors.lines().last().unwrap_or_default().to_owned(), client.keys(&folder).await.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_end_an_export_before_its_commit_and_not_within() {
    let taken_back = "export: stopped by SIGTERM: everything was taken back";
    let delivered = "export: SIGINT came when files were being completed: all 2 are delivered";
    let checked = "export: stopped by SIGTERM; an export can be delivered";
    let left =
        "export: stopped by SIGTERM, and at once by another: uploads and unfinished files may be left, see --reap";
    // The parts, then the completion and what follows it; what is tried out is removed.
    let cases = [
        (2, "-TERM", "", 1, taken_back, 0),
        (3, "-TERM", "", 1, taken_back, 0),
        (4, "-INT", "", 0, delivered, 3),
        (5, "-INT", "", 0, delivered, 3),
        (6, "-INT", "", 0, delivered, 3),
        (2, "-TERM", "--check", 1, checked, 0),
        (4, "-TERM -INT", "", 1, left, 0),
    ];
    let runs = cases.map(|(request, signals, options, status, told, objects)| async move {
        let words = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
        let (signals, options) = (words(signals), words(options));
        let (found, line, seen) = signal_at(request, &signals, &options).await;
        assert_eq!((found, &*line), (Some(status), told), "at request {request}, {signals:?} {options:?}");
        // The server may go on with what a program that ends at once has asked for.
        assert!(seen == objects || signals.len() > 1, "{seen} objects after {signals:?} at request {request}");
    });
    stream::iter(runs).buffer_unordered(4).collect::<()>().await;
}
