//! Stores: URLs, part schedules, and what is refused.

use std::time::Duration;

use consign::ErrorKind;
#[cfg(feature = "aws")]
use consign::object_store;
use consign::store::{PartSchedule, Store};
use proptest::prelude::*;

#[track_caller]
fn check_url_error(url: &str, text: &str) {
    let error = Store::from_url(url).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Store, text));
}

#[test]
fn urls_name_stores() {
    assert_eq!(Store::from_url("file:///tmp/a%20b").unwrap().as_folder().unwrap().to_str(), Some("/tmp/a b"));
    assert!(Store::from_url("memory:///").unwrap().as_object_store().is_some());
    check_url_error("out", "cannot deliver to `out`: not a URL");
    check_url_error("file://host/x", "cannot deliver to `file://host/x`: expected file:/// and an absolute path");
    let known = "expected a URL that begins with file:///, memory:///, s3://, gs://, az:// or https://";
    check_url_error("ftp://host/x", &format!("cannot deliver to `ftp://host/x`: {known}"));
}

#[test]
fn a_url_is_shown_without_its_secrets() {
    let known = "expected a URL that begins with file:///, memory:///, s3://, gs://, az:// or https://";
    check_url_error("ftp://me:hush@host/x?sig=hush#hush", &format!("cannot deliver to `ftp://host/x`: {known}"));
    check_url_error("ftp://token@host/x", &format!("cannot deliver to `ftp://host/x`: {known}"));
    check_url_error("//me:hush@host", "cannot deliver to `//host`: not a URL");
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_store_whose_feature_is_off_is_named() {
    check_url_error("s3://bucket/x", "cannot deliver to `s3://bucket/x`: needs the feature `aws`");
}

#[cfg(feature = "aws")]
#[test]
fn a_cloud_url_knows_its_bucket() {
    let store = Store::from_url("s3://acme-exports/daily").unwrap();
    assert_eq!(store.bucket(), Some("acme-exports"));
}

/// Answers every request in one way.
#[cfg(feature = "aws")]
pub(crate) async fn answering(reply: &'static str) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(reply.as_bytes()).await;
        }
    });
    address
}

/// The store fails at the first request of an export: its kind, and all of its text.
#[cfg(feature = "aws")]
#[tokio::test]
async fn a_store_that_refuses_or_is_away_is_named() {
    use consign::location::{BucketName, FolderPath};
    use consign::template::{Context, Template};

    let forbidden = answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let missing = answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, kind, text) in [
        (
            forbidden,
            ErrorKind::Denied,
            "could not complete `t.csv`: not written, the store refused, check the credentials and their permissions",
        ),
        (missing, ErrorKind::NotFound, "could not complete `t.csv`: not written, the bucket or folder does not exist"),
        (closed, ErrorKind::Unreachable, "could not complete `t.csv`: not written, the store cannot be reached"),
    ] {
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
        let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse("").unwrap());
        let destination = consign::Destination::builder(bucket, folder, Template::parse("t").unwrap()).build().unwrap();
        let store = Store::s3(std::sync::Arc::new(s3));
        let mut export = consign::Export::start(&destination, &store, Context::new(chrono::Utc::now())).unwrap();
        export.write(&std::collections::BTreeMap::from([("a", 1)])).await.unwrap();
        let error = export.commit().await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
        assert!(!format!("{error:#} {error:?} {store:?}").contains("hush"), "a secret is shown");
    }
}

#[test]
fn the_schedules_reach_what_their_docs_say() {
    let gib = |schedule: PartSchedule| (1..).map_while(|n| schedule.size(n)).sum::<u64>() >> 30;
    assert_eq!(gib(PartSchedule::S3), 7017);
    assert_eq!(gib(PartSchedule::AZURE), 163_036);
    assert_eq!(gib(PartSchedule::R2), 625);
    assert_eq!(gib(PartSchedule::FEW_PARTS), 791);
    assert_eq!(PartSchedule::equal(5 << 20).map(|s| s.size(10_000)), Some(Some(5 << 20)));
    assert_eq!(PartSchedule::equal((5 << 20) - 1), None);
    assert_eq!(PartSchedule::equal((5 << 30) + 1), None);
}

#[tokio::test]
async fn a_folder_is_reaped_of_what_is_ours_and_old() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str| std::fs::create_dir(folder.path().join(name)).unwrap();
    make(".consign-0123456789abcdef");
    std::fs::write(folder.path().join(".consign-0123456789abcdef/0"), "half a file").unwrap();
    for other in [".consign-mine", ".consign-0123456789ABCDEF", "consign-0123456789abcdef", "data"] {
        make(other);
    }
    std::fs::write(folder.path().join(".consign-ffffffffffffffff"), "a file").unwrap();
    let store = Store::folder(folder.path());
    let now = chrono::Utc::now() + chrono::TimeDelta::minutes(59);
    assert_eq!(store.reap("", now, Duration::from_secs(3600)).await.into_result().unwrap(), []);

    let reaped =
        store.reap("", now + chrono::TimeDelta::minutes(2), Duration::from_secs(3600)).await.into_result().unwrap();
    assert_eq!(reaped.len(), 1);
    assert!(reaped[0].name.ends_with("/.consign-0123456789abcdef"), "{reaped:?}");
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    let others =
        [".consign-0123456789ABCDEF", ".consign-ffffffffffffffff", ".consign-mine", "consign-0123456789abcdef", "data"];
    assert_eq!(left, others);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_is_reaped_of_checks_and_journals() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let check = "a check of consign\n";
    let journal = "{\"entry\":\"export\",\"version\":1,\"settings\":{},\"names\":1}\n\
        {\"entry\":\"folder\",\"number\":0,\"name\":\".consign-0123456789abcdef\"}\n";
    write("in/deep/.consign-00112233445566aa", check);
    write(".consign-0000000000000001.journal", journal);
    write(".consign-0123456789abcdef/0", "half a file");
    // Of another name, of other bytes, of another version, outside of the prefix, and a link.
    let others = [
        (".consign-0000000000000002.journal", "what I did today, and what I have to do tomorrow\n"),
        (".consign-0000000000000003.journal", "{\"entry\":\"export\",\"version\":2}\n"),
        ("in/.consign-00112233445566aa", "a check of mine, it\n"),
        ("in/consign-00112233445566aa", check),
        ("in/data.journal", journal),
        ("out/.consign-00112233445566aa", check),
    ];
    for (name, text) in others {
        write(name, text);
    }
    std::os::unix::fs::symlink(folder.path().join("out"), folder.path().join("in/link")).unwrap();
    let store = Store::folder(folder.path());
    let now = chrono::Utc::now() + chrono::TimeDelta::minutes(59);
    assert_eq!(store.reap("in", now, Duration::from_secs(3600)).await.into_result().unwrap(), []);

    let reaped =
        store.reap("in", now + chrono::TimeDelta::minutes(2), Duration::from_secs(3600)).await.into_result().unwrap();
    let mut names: Vec<_> = reaped.iter().map(|reaped| reaped.name.as_str()).collect();
    names.sort_unstable();
    let root = folder.path().display();
    let expected = [
        format!("{root}/.consign-0000000000000001.journal"),
        format!("{root}/.consign-0123456789abcdef"),
        format!("{root}/in/deep/.consign-00112233445566aa"),
    ];
    assert_eq!(names, expected);
    assert!(expected.iter().all(|path| !std::path::Path::new(path).exists()));
    for (name, text) in others {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), text);
    }
}

#[tokio::test]
async fn a_store_that_lists_no_uploads_says_so() {
    let store = Store::from_url("memory:///").unwrap();
    let error = store.reap("", chrono::Utc::now(), Duration::ZERO).await.into_result().unwrap_err();
    assert_eq!(error.to_string(), "the open uploads of this store cannot be listed: expected a folder or S3");
}

proptest! {
    #[test]
    fn every_schedule_keeps_to_the_limits(number in 1_u32..60_000, equal in (5_u64 << 20)..=(5 << 30)) {
        let equal = PartSchedule::equal(equal).unwrap();
        let limits = [
            (PartSchedule::S3, 5 << 30, 10_000),
            (PartSchedule::GCS, 5 << 30, 10_000),
            (PartSchedule::AZURE, 4_000 << 20, 50_000),
            (PartSchedule::R2, 5 << 30, 10_000),
            (PartSchedule::FEW_PARTS, 5 << 30, 1_000),
            (equal, 5 << 30, 10_000),
        ];
        for (schedule, largest, most) in limits {
            let size = schedule.size(number);
            prop_assert_eq!(size.is_some(), number <= most);
            let Some(size) = size else { continue };
            prop_assert!((5 << 20..=largest).contains(&size));
            // Parts never shrink.
            prop_assert!(schedule.size(number + 1).is_none_or(|next| next >= size));
        }
        for schedule in [PartSchedule::R2, equal] {
            prop_assert_eq!(schedule.size(number.min(10_000)), schedule.size(1));
        }
    }
}
