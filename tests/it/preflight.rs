//! What a check of a store finds, in memory, in folders, and before servers that refuse; nothing is left behind.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use consign::ErrorKind;
use consign::location::{BucketName, FolderPath};
use consign::object_store::memory::InMemory;
use consign::object_store::throttle::{ThrottleConfig, ThrottledStore};
use consign::object_store::{self, ObjectStore};
use consign::store::{OnExists, Operation, Preflight, Store};
use futures::StreamExt;

const RULES: [OnExists; 4] = [OnExists::Overwrite, OnExists::Fail, OnExists::Skip, OnExists::Suffix];

#[track_caller]
fn check_found(preflight: &Preflight, operation: Operation, kind: ErrorKind, begin: &str) {
    let findings: Vec<_> = preflight.findings().iter().map(|f| (f.operation(), f.error().kind())).collect();
    assert_eq!(findings, [(operation, kind)], "{preflight}");
    let text = preflight.findings()[0].to_string();
    assert!(text.starts_with(begin), "{text}");
    assert_eq!(preflight.left(), [""; 0]);
    let error = preflight.clone().into_result().unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (kind, preflight.to_string()));
}

#[tokio::test]
async fn a_good_store_is_left_as_it_was() {
    let memory = Arc::new(InMemory::new());
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("not/there/yet");
    for store in [Store::multipart(Arc::clone(&memory)), Store::new(Arc::clone(&memory) as _), Store::folder(&root)] {
        for folder in ["", "out/daily"] {
            for rule in RULES {
                let preflight = store.check(folder, rule).await;
                assert_eq!(preflight.to_string(), "an export can be delivered");
                preflight.into_result().unwrap();
            }
        }
    }
    assert_eq!(memory.list(None).count().await, 0);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

/// A check that nobody waits for goes on, and removes what it made.
#[tokio::test]
async fn a_check_that_is_dropped_leaves_nothing() {
    let memory = Arc::new(InMemory::new());
    let slow = ThrottleConfig { wait_delete_per_call: Duration::from_secs(1), ..ThrottleConfig::default() };
    let store = Store::new(Arc::new(ThrottledStore::new(Arc::clone(&memory), slow)));
    let check = store.check("out", OnExists::Overwrite);
    assert!(tokio::time::timeout(Duration::from_millis(20), check).await.is_err());
    assert_eq!(memory.list(None).count().await, 1, "it had put its object");
    while memory.list(None).count().await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_folder_below_a_file_is_named() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "").unwrap();
    let preflight = Store::folder(place.path().join("file/root")).check("out", OnExists::Overwrite).await;
    let text = "could not make a folder for unfinished files in `";
    check_found(&preflight, Operation::Put, ErrorKind::NotFound, text);
    let preflight = Store::folder(place.path()).check("file", OnExists::Fail).await;
    check_found(&preflight, Operation::Put, ErrorKind::NotFound, "could not write `file/.consign-");
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["file"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_the_only_finding() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let preflight = s3(closed).check("out", OnExists::Fail).await;
    check_found(&preflight, Operation::Put, ErrorKind::Unreachable, "could not put `out/.consign-");
}

#[tokio::test]
async fn every_refusal_names_its_action_and_resource() {
    let forbidden = crate::store::answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let store = s3(forbidden.await);
    let preflight = store.check("out", OnExists::Fail).await;
    let found: Vec<_> = preflight.findings().iter().map(|f| (f.operation(), f.resource().unwrap())).collect();
    let (objects, bucket) = ("arn:aws:s3:::acme-exports/out/*", "arn:aws:s3:::acme-exports");
    let expected = [
        (Operation::Put, objects),
        (Operation::Look, bucket),
        (Operation::CreateUpload, objects),
        (Operation::ListUploads, bucket),
        (Operation::List, bucket),
        (Operation::Create, objects),
        (Operation::Delete, objects),
    ];
    assert_eq!(found, expected);
    let text = preflight.to_string();
    for part in [
        "could not list open uploads: the store answered 403 Forbidden ; expected a policy that allows \
         `s3:ListBucketMultipartUploads` on `arn:aws:s3:::acme-exports`\n",
        "the store refused, check the credentials and their permissions; expected a policy that allows `s3:PutObject` on \
         `arn:aws:s3:::acme-exports/out/*`\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(preflight.into_result().unwrap_err().kind(), ErrorKind::Denied);

    let rooted = store.with_prefix("team").unwrap();
    assert_eq!(
        rooted.check("", OnExists::Fail).await.findings()[0].resource(),
        Some("arn:aws:s3:::acme-exports/team/*")
    );
}

fn s3(address: std::net::SocketAddr) -> Store {
    let retry = object_store::RetryConfig { max_retries: 0, ..object_store::RetryConfig::default() };
    let s3 = object_store::aws::AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_allow_http(true)
        .with_bucket_name("acme-exports")
        .with_access_key_id("key")
        .with_secret_access_key("hush-hush")
        .with_retry(retry)
        .build()
        .unwrap();
    Store::s3(Arc::new(s3)).with_bucket("acme-exports")
}

/// What the check asks for is what the policy of a destination allows.
#[test]
fn the_policy_allows_what_is_checked() {
    let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("out").unwrap());
    let policy = consign::destination::policy::Policy::builder(&bucket, &folder).build().unwrap().to_string();
    for operation in Operation::ALL {
        assert!(policy.contains(&format!("\"{}\"", operation.action())), "{operation:?}");
    }
}
