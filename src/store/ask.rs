//! What S3 is asked that `object_store` can sign a request for but not ask, or of whose answer it would refuse the whole for
//! one key.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpConnector, HttpError, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use regex::Regex;

use super::retry::{Limit, Patience, timely};
use super::watch::Nobody;
use super::{Store, failure};
use crate::{Error, ErrorKind, Result};

/// How long the signature of a request holds, which is made right before it is sent: it outlasts its repeats.
const SIGNED_FOR: Duration = Duration::from_secs(120);

/// How often a request is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tries {
    Once,
    /// Until it has an answer, within the patience for a store that has not answered yet, or has.
    Several {
        answered: bool,
    },
}

/// The answer to a request about a path, or none where it says that there is no such upload.
pub(super) async fn ask(
    store: &Store,
    doing: &str,
    path: &Path,
    query: &[(&str, &str)],
    tries: Tries,
) -> Result<Option<String>> {
    let failed = |e| failure::object(doing, e);
    let s3 = store.s3.as_ref().expect("the store is S3");
    let options = SignedUrlOptions::new().with_query(query.iter().copied());
    let url =
        timely(Limit::SHORT, s3.signed_url_opts(Method::GET, path, SIGNED_FOR, &options)).await.map_err(failed)?;
    let answered = matches!(tries, Tries::Several { answered: true });
    let mut patience = Patience::new(Arc::new(answered.into()), String::new(), Arc::new(Nobody));
    let answer = loop {
        let answer = timely(Limit::SHORT, get(url.as_str())).await;
        let error = match &answer {
            Ok(answer) if answer.passes() => {
                let source = format!("status code: {}", answer.status).into();
                &object_store::Error::Generic { store: "S3", source }
            }
            Ok(_) => break answer,
            Err(e) => e,
        };
        if tries == Tries::Once || !patience.again(error).await {
            break answer;
        }
    };
    let Answer { status, reason, body } = answer.map_err(failed)?;
    let kind = match status {
        200..300 => return Ok(Some(body)),
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        _ => ErrorKind::Store,
    };
    // The reply names the fault in a word; the URL, which holds a signature, is not shown.
    let code = text(&body, &CODE).unwrap_or_default();
    if code == "NoSuchUpload" {
        return Ok(None);
    }
    Err(Error::new(kind, format!("could not {doing}: the store answered {status} {reason} {code}")))
}

/// What the keys begin with in the bucket that begin with `prefix` in the store.
pub(super) fn whole(store: &Store, prefix: &str) -> String {
    match store.prefix.as_ref() {
        "" => prefix.to_owned(),
        own => format!("{own}/{prefix}"),
    }
}

/// The key in the store of one in the bucket, which is below the store's prefix.
pub(super) fn own<'a>(store: &Store, whole: &'a str) -> &'a str {
    whole.strip_prefix(store.prefix.as_ref()).unwrap_or(whole).trim_start_matches('/')
}

struct Answer {
    status: u16,
    reason: &'static str,
    body: String,
}

impl Answer {
    /// Whether the store may answer otherwise the next time.
    fn passes(&self) -> bool {
        self.status >= 500 || self.status == 429
    }
}

async fn get(url: &str) -> object_store::Result<Answer> {
    let failed = |e: HttpError| object_store::Error::Generic { store: "S3", source: e.into() };
    let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true))?;
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = url.parse().map_err(|e| object_store::Error::Generic { store: "S3", source: Box::new(e) })?;
    let response = client.execute(request).await.map_err(failed)?;
    let (status, reason) = (response.status().as_u16(), response.status().canonical_reason().unwrap_or_default());
    let body = response.into_body().bytes().await.map_err(failed)?;
    Ok(Answer { status, reason, body: String::from_utf8_lossy(&body).into_owned() })
}

#[cold]
pub(super) fn unreadable(doing: &str, page: &str) -> Error {
    let start: String = page.chars().take(200).collect();
    Error::new(ErrorKind::Store, format!("could not {doing}: the store's answer cannot be read: {start:?}"))
}

/// An element of the reply. Its elements do not nest in elements of their own name, which is all of XML that is
/// needed here.
pub(super) type Element = LazyLock<Regex>;

macro_rules! element {
    ($($name:ident $tag:literal)*) => {$(
        pub(super) static $name: Element = LazyLock::new(|| {
            Regex::new(concat!("(?s)<", $tag, ">(.*?)</", $tag, ">")).expect("the expression is fixed")
        });
    )*};
}

element! {
    CODE "Code"
    CONTENTS "Contents"
    ID "UploadId"
    INITIATED "Initiated"
    KEY "Key"
    MODIFIED "LastModified"
    NEXT "NextContinuationToken"
    NEXT_ID "NextUploadIdMarker"
    NEXT_KEY "NextKeyMarker"
    PART "Part"
    SIZE "Size"
    TRUNCATED "IsTruncated"
    UPLOAD "Upload"
}

pub(super) fn texts<'a>(xml: &'a str, element: &'static Element) -> impl Iterator<Item = &'a str> {
    element.captures_iter(xml).map(|found| found.extract::<1>().1[0])
}

pub(super) fn text(xml: &str, element: &'static Element) -> Option<String> {
    texts(xml, element).next().map(unescape)
}

/// Text of XML: five entities by name, and characters by number.
fn unescape(text: &str) -> String {
    static ENTITY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("&(#x?[0-9A-Fa-f]+|[a-z]+);").expect("the expression is fixed"));
    let replaced = ENTITY.replace_all(text, |found: &regex::Captures<'_>| {
        let number = |digits, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let c = match &found[1] {
            "amp" => Some('&'),
            "apos" => Some('\''),
            "gt" => Some('>'),
            "lt" => Some('<'),
            "quot" => Some('"'),
            name => match name.strip_prefix("#x") {
                Some(digits) => number(digits, 16),
                None => name.strip_prefix('#').and_then(|digits| number(digits, 10)),
            },
        };
        c.map_or_else(|| found[0].to_owned(), String::from)
    });
    replaced.into_owned()
}
