//! Faults between a client and a server, in process: requests are told apart by what they do, and some go wrong.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consign::object_store::ClientOptions;
use consign::object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use futures::future::BoxFuture;

/// What a request does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Step {
    /// Gives an upload up.
    Abort,
    /// Makes an upload an object.
    Complete,
    /// Opens an upload.
    Create,
    /// Removes an object.
    Delete,
    /// Asks for an object or for a list.
    Look,
    /// Sends the part with this number.
    Part(u32),
    /// Sends a whole object.
    Put,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// The server never sees it; this status and error code come back.
    Answer(u16, &'static str),
    /// One byte of its body is another one when the server sees it.
    Flip,
    /// The server obeys, but this status and error code come back.
    Instead(u16, &'static str),
    /// The server obeys, and the reply is lost with the connection.
    Lose,
    /// Somebody else is faster: this comes before the request.
    After(Meddling),
    /// Somebody else comes right after: the server obeys, then this happens, and the reply is lost.
    Before(Meddling),
    /// The server never sees it: the connection is refused.
    Refuse,
    /// The server never sees the whole of it: the connection is reset.
    Reset,
    /// The server never sees it, and nothing comes back until the client's patience ends.
    Stall,
    /// The server obeys, and half of the reply comes back.
    Truncate,
}

/// What somebody else does to the file of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meddling {
    /// Aborts its upload.
    Abort,
    /// Writes the key.
    Write,
}

/// Does it, to what a path stands for.
pub(super) type Hand = Arc<dyn Fn(Meddling, String) -> BoxFuture<'static, ()> + Send + Sync>;

/// Which requests go wrong, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) step: Step,
    /// What the key ends in; or what it holds, if this ends in `-`.
    pub(super) key: &'static str,
    /// How many such requests go wrong, from the first.
    pub(super) times: usize,
    pub(super) fault: Fault,
}

/// How often a request was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) times: usize,
    /// How many of them failed, on purpose or not.
    pub(super) failed: usize,
}

impl Rule {
    /// Whether the rule is for a request with this path.
    pub(super) fn is_for(&self, path: &str) -> bool {
        path.ends_with(self.key) || self.key.ends_with('-') && path.contains(self.key)
    }
}

/// Connects clients through faults.
#[derive(Clone)]
pub(super) struct Faults(Arc<Mutex<State>>);

struct State {
    /// Each with how often it has struck.
    rules: Vec<(Rule, usize)>,
    /// How often each request was sent, and how often it went wrong, by its path.
    sent: HashMap<(Step, String), Sent>,
    /// Whoever else writes there.
    hand: Option<Hand>,
    /// The blocks of Azure, which have names instead of numbers, in the order in which they came.
    blocks: Vec<String>,
}

impl Faults {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let rules = rules.iter().map(|rule| (*rule, 0)).collect();
        Self(Arc::new(Mutex::new(State { rules, sent: HashMap::new(), hand: None, blocks: Vec::new() })))
    }

    /// The same, and somebody else writes there.
    pub(super) fn with_hand(self, hand: Hand) -> Self {
        self.0.lock().unwrap().hand = Some(hand);
        self
    }

    /// How often each rule has struck.
    pub(super) fn struck(&self) -> Vec<usize> {
        self.0.lock().unwrap().rules.iter().map(|(_, struck)| *struck).collect()
    }

    /// What was asked for, by what it does and its path.
    pub(super) fn sent(&self) -> HashMap<(Step, String), Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    fn went_wrong(&self, request: (Step, String)) {
        self.0.lock().unwrap().sent.entry(request).or_default().failed += 1;
    }

    /// What the request is, and what happens to it.
    fn strike(&self, request: &HttpRequest) -> ((Step, String), Option<Fault>) {
        let mut state = self.0.lock().unwrap();
        let step = state.step(request);
        let path = if step == Step::Delete { deleted(request) } else { request.uri().path().to_owned() };
        let known = (step, path.clone());
        state.sent.entry(known.clone()).or_default().times += 1;
        let rule = state.rules.iter_mut().find(|(rule, struck)| {
            // A block that is sent again has another name: it counts as the one that was meant.
            let same = match (rule.step, step) {
                (Step::Part(meant), Step::Part(found)) if is_azure(request) => found >= meant,
                (meant, found) => meant == found,
            };
            same && rule.is_for(&path) && *struck < rule.times
        });
        let fault = rule.map(|(rule, struck)| {
            *struck += 1;
            rule.fault
        });
        (known, fault)
    }
}

impl State {
    fn step(&mut self, request: &HttpRequest) -> Step {
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| {
            query.split('&').find_map(|pair| match pair.split_once('=') {
                Some((found, value)) => (found == name).then_some(value),
                None => (pair == name).then_some(""),
            })
        };
        match request.method().as_str() {
            "POST" if value("uploads").is_some() => Step::Create,
            "POST" if value("uploadId").is_some() => Step::Complete,
            "DELETE" if value("uploadId").is_some() => Step::Abort,
            "DELETE" => Step::Delete,
            // Of several objects, though it may be one.
            "POST" if value("delete").is_some() || value("comp") == Some("batch") => Step::Delete,
            "PUT" if value("comp") == Some("blocklist") => Step::Complete,
            "PUT" => match (value("partNumber"), value("blockid")) {
                (Some(number), _) => Step::Part(number.parse().expect("parts have numbers")),
                (None, Some(block)) => {
                    let known = self.blocks.iter().position(|known| known == block);
                    let index = known.unwrap_or_else(|| {
                        self.blocks.push(block.to_owned());
                        self.blocks.len() - 1
                    });
                    Step::Part(u32::try_from(index).expect("few blocks") + 1)
                }
                (None, None) => Step::Put,
            },
            _ => Step::Look,
        }
    }
}

/// The path of what a request deletes: objects are deleted by a list, of one here.
fn deleted(request: &HttpRequest) -> String {
    let path = request.uri().path();
    let list = String::from_utf8_lossy(request.body().as_bytes().map_or(&[], |bytes| bytes));
    let key = list.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>"));
    let line = list.split_once("DELETE ").and_then(|(_, rest)| rest.split_once(' '));
    match (key, line) {
        (Some((key, _)), _) => format!("{path}/{key}"),
        (None, line) => line.map_or(path, |(path, _)| path).to_owned(),
    }
}

fn is_azure(request: &HttpRequest) -> bool {
    request.headers().contains_key("x-ms-version")
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faults(struck {:?})", self.struck())
    }
}

impl HttpConnector for Faults {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Service { inner, faults: self.clone() }))
    }
}

#[derive(Debug)]
struct Service {
    inner: HttpClient,
    faults: Faults,
}

type Reply = Result<HttpResponse, HttpError>;

impl HttpService for Service {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Reply> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let (known, fault) = self.faults.strike(&request);
        Box::pin(async move {
            let reply = match fault {
                None => self.inner.execute(request).await,
                Some(fault) => self.fail(fault, request, &known.1).await,
            };
            if fault.is_some() || !reply.as_ref().is_ok_and(|reply| reply.status().is_success()) {
                self.faults.went_wrong(known);
            }
            reply
        })
    }
}

impl Service {
    async fn fail(&self, fault: Fault, request: HttpRequest, path: &str) -> Reply {
        let broken = |kind, cause: io::ErrorKind| Err(HttpError::new(kind, io::Error::from(cause)));
        match fault {
            Fault::Answer(status, code) => Ok(answer(status, code)),
            Fault::Refuse => broken(HttpErrorKind::Connect, io::ErrorKind::ConnectionRefused),
            Fault::Reset => broken(HttpErrorKind::Interrupted, io::ErrorKind::ConnectionReset),
            Fault::Stall => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                broken(HttpErrorKind::Timeout, io::ErrorKind::TimedOut)
            }
            Fault::Flip => {
                let (parts, body) = request.into_parts();
                let mut bytes = body_bytes(body).await;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                self.inner.execute(HttpRequest::from_parts(parts, bytes.into())).await
            }
            Fault::Instead(status, code) => {
                self.inner.execute(request).await?.into_body().bytes().await?;
                Ok(answer(status, code))
            }
            Fault::Lose => {
                self.inner.execute(request).await?.into_body().bytes().await?;
                broken(HttpErrorKind::Interrupted, io::ErrorKind::ConnectionReset)
            }
            Fault::After(meddling) => {
                self.meddle(meddling, path).await;
                self.inner.execute(request).await
            }
            Fault::Before(meddling) => {
                self.inner.execute(request).await?.into_body().bytes().await?;
                self.meddle(meddling, path).await;
                broken(HttpErrorKind::Interrupted, io::ErrorKind::ConnectionReset)
            }
            Fault::Truncate => {
                let (parts, body) = self.inner.execute(request).await?.into_parts();
                let bytes = body.bytes().await?;
                Ok(HttpResponse::from_parts(parts, bytes.slice(..bytes.len() / 2).into()))
            }
        }
    }
}

impl Service {
    async fn meddle(&self, meddling: Meddling, path: &str) {
        let hand = self.faults.0.lock().unwrap().hand.clone().expect("a rule that meddles comes with a hand");
        hand(meddling, path.to_owned()).await;
    }
}

async fn body_bytes(body: object_store::client::HttpRequestBody) -> Vec<u8> {
    // A response's body is one that can be read.
    object_store::client::HttpResponseBody::new(body).bytes().await.expect("a body of bytes does not fail").into()
}

fn answer(status: u16, code: &str) -> HttpResponse {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>on purpose</Message></Error>");
    let mut reply = HttpResponse::new(text.into());
    *reply.status_mut() = status.try_into().expect("a status");
    reply
}
