//! A server that stops answering: each request of an export ends by itself, and so does the export. The clock is that of
//! the tests, which goes on at once where nobody does anything.

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use consign::ErrorKind;
use consign::object_store::aws::AmazonS3Builder;
use consign::object_store::client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService};
use consign::object_store::{ClientOptions, RetryConfig};
use consign::store::{OnExists, Operation, Store};
use tokio::time::{Instant, timeout};

use super::{deliver, plan};

/// Rows of a file of two parts.
const TWO_PARTS: u64 = 9 * 64;

/// A server in this process that has an answer for every request, but for those that begin as named.
#[derive(Clone, Copy, Debug)]
struct Silent {
    /// By what [`name`] says.
    at: &'static [&'static str],
    /// Refused instead.
    refused: &'static str,
}

fn name(request: &HttpRequest) -> &'static str {
    let query = request.uri().query().unwrap_or_default();
    match request.method().as_str() {
        "POST" if query.starts_with("uploads") => "create",
        "POST" if query.starts_with("uploadId") => "complete",
        "POST" => "delete",
        "DELETE" => "abort",
        "PUT" if query.contains("partNumber") => "part",
        "PUT" => "put",
        _ => "look",
    }
}

impl HttpConnector for Silent {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(*self))
    }
}

impl HttpService for Silent {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let name = name(&request);
        if self.at.contains(&name) {
            return Box::pin(pending());
        }
        let (status, body) = match name {
            refused if refused == self.refused => (403, "<Error><Code>AccessDenied</Code></Error>"),
            "create" => (200, "<R><Bucket>b</Bucket><Key>k</Key><UploadId>1</UploadId></R>"),
            "complete" => (200, "<R><ETag>\"1\"</ETag></R>"),
            "look" => (404, "<Error><Code>NoSuchKey</Code></Error>"),
            _ => (200, ""),
        };
        let mut reply = HttpResponse::new(body.to_owned().into());
        *reply.status_mut() = status.try_into().unwrap();
        reply.headers_mut().insert("etag", "\"1\"".parse().unwrap());
        Box::pin(ready(Ok(reply)))
    }
}

impl Silent {
    fn at(at: &'static [&'static str]) -> Self {
        Self { at, refused: "" }
    }

    fn store(self) -> Store {
        let builder = AmazonS3Builder::new()
            .with_endpoint("http://localhost")
            .with_allow_http(true)
            .with_bucket_name("test")
            .with_region("us-east-1")
            .with_access_key_id("key")
            .with_secret_access_key("secret")
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .with_http_connector(self);
        Store::s3(Arc::new(builder.build().unwrap()))
    }
}

/// The export fails with this text, after about so many seconds.
async fn check(silent: Silent, rows: u64, kind: ErrorKind, text: &str, seconds: u64) {
    let begun = Instant::now();
    let delivered = timeout(Duration::from_secs(24 * 3600), deliver(plan("out"), rows, rows, &silent.store())).await;
    let error = delivered.expect("an export hangs for no day").unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text), "{silent:?}");
    let took = begun.elapsed().as_secs();
    assert!((seconds..seconds + 5).contains(&took), "{silent:?}: {took} s");
}

#[tokio::test(start_paused = true)]
async fn each_request_of_an_export_ends() {
    let at = Silent::at;
    let gone = ErrorKind::Unreachable;
    let unknown = "could not complete `out/t.csv`: unknown whether it was written, the store gave no clear answer";
    // One that has never answered is asked once more. It may write the file yet, though it is not there.
    check(at(&["put"]), 1, ErrorKind::Unknown, unknown, 2 * 30).await;
    check(at(&["create"]), TWO_PARTS, gone, "could not write `out/t.csv`: the store cannot be reached", 2 * 30).await;
    // The second part, of 1 MiB, has 46 s, at 64 KiB/s, and is sent three times.
    check(at(&["part"]), TWO_PARTS, gone, "could not write `out/t.csv`: the store cannot be reached", 3 * 46).await;
    // What is aborted cannot be completed any more.
    let text = "could not complete `out/t.csv`: not written, the store cannot be reached";
    check(at(&["complete"]), TWO_PARTS, gone, text, 3 * 60).await;
    check(at(&["complete", "look"]), TWO_PARTS, ErrorKind::Unknown, unknown, 3 * (60 + 30)).await;
    let unaborted =
        format!("{unknown}; besides, its upload could not be aborted: Generic consign error: no answer within 30 s");
    check(at(&["complete", "abort"]), TWO_PARTS, ErrorKind::Unknown, &unaborted, 3 * (60 + 30)).await;
    let text = "could not write `out/t.csv`: the store refused, check the credentials and their permissions; besides, \
        uploads were left open that could not be aborted: could not abort `out/t.csv`: the store cannot be reached: \
        Generic consign error: no answer within 30 s: no answer within 30 s";
    let silent = Silent { at: &["abort"], refused: "part" };
    check(silent, TWO_PARTS, ErrorKind::Denied, text, 3 * 30).await;
}

#[tokio::test(start_paused = true)]
async fn each_request_of_a_check_ends() {
    for (at, operation) in [
        (&["put"], Operation::Put),
        (&["look"], Operation::Look),
        (&["create"], Operation::CreateUpload),
        (&["part"], Operation::PutPart),
        (&["complete"], Operation::CompleteUpload),
        (&["abort"], Operation::AbortUpload),
        (&["delete"], Operation::Delete),
    ] {
        let store = Silent::at(at).store();
        let preflight = timeout(Duration::from_secs(3600), store.check("out", OnExists::Overwrite)).await;
        let preflight = preflight.expect("a check hangs for no hour");
        let found = preflight.findings().iter().find(|found| found.operation() == operation);
        let kind = found.map(|found| found.error().kind());
        assert_eq!(kind, Some(ErrorKind::Unreachable), "{at:?}: {preflight}");
    }
}
