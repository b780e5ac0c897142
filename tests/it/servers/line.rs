//! What goes over the line of a program whose store is named by a URL: slow parts, and their checksums.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::client::Setup;
use super::fixture::Server;
use super::proxy::Proxy;
use super::text;
use crate::program::example;

/// Delivers a file of two parts, the second of a few bytes, with these variables in the environment; gives what was said.
async fn deliver(proxy: &Proxy, setup: &Setup, name: &str, variables: &[(&str, &str)]) -> String {
    let place = tempfile::tempdir().unwrap();
    let (input, destination) = (place.path().join("input.csv"), place.path().join("destination.json"));
    let rows = [b"a\n", text(0..513)].concat();
    fs::write(&input, &rows).unwrap();
    let folder = format!("line/{}/{name}", std::process::id());
    let json = format!(r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "t"}}"#);
    fs::write(&destination, json).unwrap();
    let mut export = Command::new(example("export"));
    export
        .args(["--to", "s3://test", "--run-id", "run", "--quiet", "--progress", "json"])
        .args([OsStr::new("--input"), input.as_os_str(), OsStr::new("--destination"), destination.as_os_str()])
        .envs([("AWS_ENDPOINT", &*proxy.url()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())])
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || export.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(setup.client().get(&format!("{folder}/t.csv")).await.unwrap() == rows, "other bytes");
    said
}

/// At 240 kB a second, the first part takes 35 s, which is longer than clients give any request by default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_part_is_delivered() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let proxy = Proxy::start_slow(setup.url(), 240_000).await;
    let begun = Instant::now();
    let said = deliver(&proxy, &setup, "slow", &[]).await;
    // A part that is begun anew while it is under way takes twice as long.
    assert!(begun.elapsed() < Duration::from_secs(60) && said.contains("\"retries\":0"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_has_the_checksum_that_is_asked_for() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    for (name, variables, expected) in [
        ("unset", &[][..], Some("x-amz-checksum-crc64nvme: ")),
        ("sha256", &[("AWS_CHECKSUM_ALGORITHM", "sha256")], Some("x-amz-checksum-sha256: ")),
        ("none", &[("AWS_CHECKSUM_ALGORITHM", "none")], None),
    ] {
        let proxy = Proxy::start(setup.url(), None).await;
        deliver(&proxy, &setup, name, variables).await;
        let puts = proxy.puts();
        // Two parts and the manifest.
        assert_eq!(puts.len(), 3, "{puts:?}");
        for put in puts {
            let checksums: Vec<_> = put.lines().filter(|line| line.starts_with("x-amz-checksum-")).collect();
            assert_eq!(checksums.len(), expected.iter().count(), "{name}: {put}");
            assert!(expected.is_none_or(|expected| checksums[0].starts_with(expected)), "{name}: {put}");
            assert!(put.contains("x-amz-content-sha256: UNSIGNED-PAYLOAD"), "{name}: {put}");
        }
    }
}
