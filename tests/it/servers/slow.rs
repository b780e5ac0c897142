//! A line that is slow: parts that take longer than a client gives any request by default.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::client::Setup;
use super::fixture::Server;
use super::proxy::Proxy;
use super::text;
use crate::program::example;

/// A first part of 8 MiB takes 35 s.
const BYTES_PER_SECOND: u32 = 240_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_part_is_delivered() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let proxy = Proxy::start_slow(setup.url(), BYTES_PER_SECOND).await;
    let place = tempfile::tempdir().unwrap();
    let (input, destination) = (place.path().join("input.csv"), place.path().join("destination.json"));
    let rows = [b"a\n", text(0..513)].concat();
    fs::write(&input, &rows).unwrap();
    let folder = format!("slow/{}", std::process::id());
    let json = format!(r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "t"}}"#);
    fs::write(&destination, json).unwrap();
    let mut export = Command::new(example("export"));
    export
        .args(["--to", "s3://test", "--run-id", "run", "--quiet", "--progress", "json"])
        .args([OsStr::new("--input"), input.as_os_str(), OsStr::new("--destination"), destination.as_os_str()])
        .envs([("AWS_ENDPOINT", &*proxy.url()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())])
        .stdin(Stdio::null());
    let begun = Instant::now();
    let output = tokio::task::spawn_blocking(move || export.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    // A part that is begun anew while it is under way takes twice as long.
    assert!(begun.elapsed() < Duration::from_secs(60) && said.contains("\"retries\":0"), "{said}");
    assert!(setup.client().get(&format!("{folder}/t.csv")).await.unwrap() == rows, "other bytes");
}
