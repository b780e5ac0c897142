//! Somebody else who writes to the key of an upload, or aborts it, around the moment at which it is completed: what the
//! export says of it, where what exists may be replaced.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use consign::ErrorKind;
use consign::manifest::Manifest;
use consign::object_store::ClientOptions;
use consign::object_store::aws::AmazonS3;
use consign::object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use consign::object_store::multipart::MultipartStore;
use consign::object_store::path::Path;

use super::client::{Client, Setup};
use super::fixture::{Running, Server};
use super::{deliver, plan, text};

/// Rows of a file of two parts.
const TWO_PARTS: u64 = 9 * 64;

/// What becomes of a request that completes an upload.
#[derive(Clone, Copy, Debug, Default)]
struct Deed {
    /// The other aborts the upload first.
    aborts: bool,
    /// The server never sees the request.
    kept_back: bool,
    /// The server sees the request only when the upload is about to be aborted.
    late: bool,
    /// The other writes this then.
    writes: Option<&'static str>,
    /// The reply, in place of the server's.
    reply: Option<(u16, &'static str)>,
}

/// A reply that does not say what has become of the request, after which a client asks again.
const UNCLEAR: Option<(u16, &str)> = Some((400, "RequestTimeout"));
const REFUSED: Option<(u16, &str)> = Some((403, "AccessDenied"));
const GONE: Option<(u16, &str)> = Some((404, "NoSuchUpload"));

/// Connects through the other.
#[derive(Clone)]
struct Other(Arc<State>);

struct State {
    client: Client,
    key: String,
    deeds: Mutex<VecDeque<Deed>>,
    late: Mutex<Option<HttpRequest>>,
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Other({:?})", self.0.deeds)
    }
}

impl HttpConnector for Other {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Service { inner, other: self.clone() }))
    }
}

#[derive(Debug)]
struct Service {
    inner: HttpClient,
    other: Other,
}

impl HttpService for Service {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let id = query.strip_prefix("uploadId=").filter(|_| request.method() == "POST").map(str::to_owned);
            let State { client, key, deeds, late } = &*self.other.0;
            if request.method() == "DELETE" && query.starts_with("uploadId=") {
                let request = late.lock().unwrap().take();
                if let Some(request) = request {
                    assert!(self.inner.execute(request).await?.status().is_success());
                }
            }
            let Some(id) = id.filter(|_| request.uri().path().ends_with(key.as_str())) else {
                return self.inner.execute(request).await;
            };
            let deed = deeds.lock().unwrap().pop_front().expect("a deed for each try");
            if deed.aborts {
                s3(client).abort_multipart(&Path::from(key.as_str()), &id).await.unwrap();
            }
            let passed = if deed.late {
                *late.lock().unwrap() = Some(request);
                None
            } else if deed.kept_back {
                None
            } else {
                Some(self.inner.execute(request).await?)
            };
            if let Some(text) = deed.writes {
                client.put(key, text).await;
            }
            Ok(match deed.reply {
                Some((status, code)) => {
                    let mut reply = HttpResponse::new(format!("<Error><Code>{code}</Code></Error>").into());
                    *reply.status_mut() = status.try_into().unwrap();
                    reply
                }
                None => passed.expect("a reply of somebody's"),
            })
        })
    }
}

fn s3(client: &Client) -> &AmazonS3 {
    let Client::S3 { s3, .. } = client else { panic!("a server of S3") };
    s3
}

/// Delivers over an older file while the other does these deeds; gives the key of the file.
async fn deliver_over(running: &Running, name: &str, deeds: &[Deed]) -> (Client, String, consign::Result<Manifest>) {
    let setup = Setup::new(running);
    let folder = format!("another/{}/{name}", std::process::id());
    let key = format!("{folder}/t.csv");
    let client = setup.client();
    client.put(&key, "old").await;
    let deeds = Mutex::new(deeds.iter().copied().collect());
    let other = State { client: client.clone(), key: key.clone(), deeds, late: Mutex::default() };
    let store = setup.client_through(Other(Arc::new(other))).store();
    let delivered = deliver(plan(&folder), TWO_PARTS, TWO_PARTS, &store).await;
    assert_eq!(client.open_uploads(&folder).await, Some(Vec::new()), "{name}");
    (client, key, delivered)
}

/// What the export says must be this, and this must stand.
async fn check(name: &str, deeds: &[Deed], kind: ErrorKind, text: &str, stands: &str) {
    let running = Server::Seaweedfs.shared();
    let (client, key, delivered) = deliver_over(&running, name, deeds).await;
    let error = delivered.unwrap_err();
    let text = format!("could not complete `{key}`: {text}");
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text.as_str()), "{name}: {error:#}");
    assert_eq!(client.get(&key).await.unwrap(), stands.as_bytes(), "{name}");
}

#[tokio::test]
async fn a_completion_that_takes_effect_as_late_as_the_abort_is_one() {
    let running = Server::Seaweedfs.shared();
    let deeds = [Deed { late: true, reply: GONE, ..Deed::default() }];
    let (client, key, delivered) = deliver_over(&running, "late", &deeds).await;
    assert_eq!(delivered.unwrap().files().len(), 1);
    assert!(client.get(&key).await.unwrap() == text(0..TWO_PARTS));
}

#[tokio::test]
async fn what_another_did_at_the_completion_is_said_as_far_as_it_is_known() {
    let deed = Deed::default();
    let gone = Deed { kept_back: true, reply: GONE, ..deed };
    let text = "not written, its upload is gone: aborted by another, or by a rule of the bucket";
    // One that was aborted before the first try was not completed.
    check("aborted", &[Deed { aborts: true, ..deed }], ErrorKind::NotFound, text, "old").await;
    // Nor was one after which still that stands which stood before any unclear try.
    let refused = Deed { kept_back: true, reply: REFUSED, ..deed };
    let unclear = Deed { aborts: true, kept_back: true, reply: UNCLEAR, ..deed };
    check("before", &[refused, unclear, gone], ErrorKind::NotFound, text, "old").await;

    // It was written, and replaced before anybody looked: that cannot be told from an upload that was aborted.
    let text = "unknown whether it was written, its upload is gone, and what stands there is another's, which may have \
        replaced it";
    let replaced = Deed { writes: Some("theirs"), reply: UNCLEAR, ..deed };
    check("replaced", &[replaced, gone], ErrorKind::Unknown, text, "theirs").await;

    let text = "written by another meanwhile, and left as it is";
    let again = Deed { writes: Some("theirs too"), ..gone };
    check("again", &[replaced, again], ErrorKind::Exists, text, "theirs too").await;
}
