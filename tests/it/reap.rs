//! How a reaper goes on: past what S3 refuses or cannot say, and past folders that cannot be read.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use consign::ErrorKind;
use consign::object_store::aws::AmazonS3Builder;
use consign::object_store::{ClientOptions, RetryConfig};
use consign::store::{OnExists, Operation, Store};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a journal has of the place that it was written from: the bucket and the prefix.
pub(crate) fn place(place: &str) -> String {
    let hash = Sha256::digest(serde_json::json!(place).to_string());
    format!("{hash:x}")[..16].to_owned()
}

const UPLOADS: &str = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
    <Upload><Key>out/t.csv</Key><UploadId>1</UploadId><Initiated>2026-11-22T08:00:00.000Z</Initiated></Upload>\
    </ListMultipartUploadsResult>";
const OBJECTS: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
    <Contents><Key>a//b</Key><LastModified>2026-11-22T08:00:00.000Z</LastModified><Size>1</Size></Contents>\
    <Contents><Key>out//.consign-00112233445566aa</Key><LastModified>2026-11-22T08:00:00Z</LastModified><Size>19</Size>\
    </Contents>\
    <Contents><Key>out/.consign-00112233445566aa</Key><LastModified>2026-11-22T08:00:00Z</LastModified><Size>19</Size>\
    </Contents></ListBucketResult>";

const DELETED: &str = "<DeleteResult><Deleted><Key>out/.consign-00112233445566aa</Key></Deleted></DeleteResult>";

/// A server that answers by the method and the target of a request, and by how many came before.
async fn serve(answer: fn(&str, usize) -> (u16, &'static str)) -> Store {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut before = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 16 * 1024];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
            let (status, body) = answer(&line, before);
            before += 1;
            let reply = format!(
                "HTTP/1.1 {status} Told\r\nlast-modified: Sun, 22 Nov 2026 08:00:00 GMT\r\netag: \"1\"\r\n\
                content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = socket.write_all(reply.as_bytes()).await;
        }
    });
    let s3 = AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_bucket_name("acme-exports")
        .with_access_key_id("key")
        .with_secret_access_key("hush-hush")
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
        .build()
        .unwrap();
    Store::s3(Arc::new(s3))
}

fn names(removed: &[consign::store::Reaped]) -> Vec<&str> {
    removed.iter().map(|reaped| reaped.name.as_str()).collect()
}

#[tokio::test]
async fn keys_with_empty_segments_hold_up_nothing() {
    let store = serve(|line, before| match line {
        // A server that is busy for a moment is asked again.
        _ if before == 0 => (503, "<Code>SlowDown</Code>"),
        line if line.contains("uploads") => (200, UPLOADS),
        line if line.contains("list-type=2") => (200, OBJECTS),
        line if line.starts_with("POST") => (200, DELETED),
        line if line.starts_with("DELETE") => (204, ""),
        line if line.contains("//.consign") => (500, ""),
        _ => (200, "a check of consign\n"),
    })
    .await;
    let reaping = store.reap("", Utc::now(), Duration::ZERO).await;
    assert!(reaping.errors.is_empty() && reaping.left.is_empty(), "{reaping:?}");
    assert_eq!(names(&reaping.removed), ["out/t.csv", "out/.consign-00112233445566aa"]);
    let preflight = store.check("out", OnExists::Overwrite).await;
    assert!(preflight.findings().iter().all(|found| found.operation() != Operation::List), "{preflight}");
    // What is not that old is not touched.
    let young = store.reap("", Utc::now(), Duration::MAX).await;
    assert_eq!(young.into_result().unwrap(), []);
}

#[tokio::test]
async fn uploads_are_aborted_where_objects_may_not_be_listed() {
    let store = serve(|line, _| match line {
        line if line.contains("?uploads") => (200, UPLOADS),
        line if line.starts_with("DELETE") => (204, ""),
        _ => (403, "<Code>AccessDenied</Code>"),
    })
    .await;
    let reaping = store.reap("", Utc::now(), Duration::ZERO).await;
    assert_eq!(names(&reaping.removed), ["out/t.csv"]);
    let error = reaping.into_result().unwrap_err();
    let text = "could not list what stands in the store: the store answered 403 Forbidden AccessDenied";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Denied, text));
}

/// Each failure is told, and what was removed besides.
#[tokio::test]
async fn every_failure_is_told() {
    let store = serve(|line, _| match line {
        line if line.contains("list-type=2") => (200, OBJECTS),
        _ => (403, "<Code>AccessDenied</Code>"),
    })
    .await;
    let reaping = store.reap("", Utc::now(), Duration::ZERO).await;
    assert_eq!((reaping.removed.len(), reaping.errors.len()), (0, 2), "{reaping:?}");
    let text = reaping.into_result().unwrap_err().to_string();
    let begin = "could not list open uploads: the store answered 403 Forbidden AccessDenied; besides, could not look at \
        `out/.consign-00112233445566aa`: the store refused, check the credentials and their permissions";
    assert!(text.starts_with(begin), "{text}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_read_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "c"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join(".consign-00112233445566aa"), "a check of consign\n").unwrap();
    }
    // Nobody can open the last of these by its path, which is too long, whoever runs this.
    let deep = std::iter::repeat_n("b".repeat(240), 10).collect::<std::path::PathBuf>();
    let (end, rest) = (folder.path().join(&deep), folder.path().join("rest"));
    std::fs::create_dir_all(&end).unwrap();
    std::fs::create_dir_all(rest.join(&deep)).unwrap();
    std::fs::rename(rest, end.join("rest")).unwrap();
    let reaping = Store::folder(folder.path()).reap("", Utc::now() + Duration::from_secs(60), Duration::ZERO).await;
    assert_eq!((reaping.removed.len(), reaping.left.len(), reaping.errors.len()), (2, 1, 0), "{reaping:?}");
    assert!(reaping.left[0].contains("(a folder that cannot be read: "), "{reaping:?}");
}
