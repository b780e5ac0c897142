//! The open uploads of S3, which `object_store` can sign a request for but not ask.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::ClientOptions;
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use regex::Regex;

use super::reap::Reaped;
use super::retry::{Limit, timely};
use super::{Store, failure};
use crate::{Error, ErrorKind, Result};

const DOING: &str = "list open uploads";
/// How long the signature of a request holds, which is made right before it is sent.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// An upload as the store lists it (S3 API reference, `ListMultipartUploads`).
struct Open {
    key: String,
    id: String,
    since: DateTime<Utc>,
}

/// Asks for the first page of the open uploads whose keys begin with `prefix`, to see whether that is allowed.
pub(super) async fn list(store: &Store, prefix: &str) -> Result<()> {
    page(store, prefix, None).await.map(drop)
}

/// A page of the open uploads whose keys begin with `prefix`, behind the one that the last page ended with.
async fn page(store: &Store, prefix: &str, after: Option<&(String, String)>) -> Result<String> {
    let s3 = store.s3.as_ref().expect("the store is S3");
    let prefix = match store.prefix.as_ref() {
        "" => prefix.to_owned(),
        own => format!("{own}/{prefix}"),
    };
    let mut query = vec![("uploads", ""), ("prefix", &*prefix)];
    if let Some((key, id)) = after {
        query.extend([("key-marker", &**key), ("upload-id-marker", &**id)]);
    }
    let options = SignedUrlOptions::new().with_query(query);
    let path = Path::default();
    let url = timely(Limit::SHORT, s3.signed_url_opts(Method::GET, &path, SIGNED_FOR, &options)).await;
    let page = get(DOING, url.map_err(|e| failure::object(DOING, e))?.as_str()).await?;
    // What some servers say of a bucket that has never had an upload.
    Ok(page.unwrap_or_default())
}

/// Every open upload whose key begins with `prefix`.
async fn all(store: &Store, prefix: &str) -> Result<Vec<Open>> {
    let mut found = Vec::new();
    let mut after: Option<(String, String)> = None;
    loop {
        let page = page(store, prefix, after.as_ref()).await?;
        for upload in texts(&page, &UPLOAD).map(open) {
            found.push(upload.ok_or_else(|| unreadable(&page))?);
        }
        if text(&page, &TRUNCATED).as_deref() != Some("true") {
            return Ok(found);
        }
        let next = text(&page, &NEXT_KEY).zip(text(&page, &NEXT_ID));
        if next.is_none() || next == after {
            return Err(unreadable(&page));
        }
        after = next;
    }
}

async fn abort(store: &Store, path: &Path, id: &String) -> Result<()> {
    let s3 = store.s3.as_ref().expect("the store is S3");
    match timely(Limit::SHORT, s3.abort_multipart(path, id)).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(e) => Err(failure::object(&format!("abort the upload of `{path}`"), e)),
    }
}

/// Aborts the open uploads whose keys begin with `prefix` and that were opened before a time.
pub(super) async fn reap(store: &Store, prefix: &str, before: DateTime<Utc>) -> Result<Vec<Reaped>> {
    let mut reaped = Vec::new();
    for Open { key, id, since } in all(store, prefix).await? {
        // A prefix of ours ends at any character, and a key may be none of ours to name.
        if let Ok(path) = Path::parse(&key)
            && since <= before
        {
            abort(store, &path, &id).await?;
            reaped.push(Reaped { name: key, since });
        }
    }
    Ok(reaped)
}

/// Aborts every upload of a key, where uploads may be listed.
pub(super) async fn reap_key(store: &Store, key: &str) -> Result<()> {
    let path = store.path(key)?;
    let listed = match all(store, key).await {
        Err(e) if e.kind() == ErrorKind::Denied => return Ok(()),
        listed => listed?,
    };
    for upload in listed.iter().filter(|upload| upload.key == path.as_ref()) {
        abort(store, &path, &upload.id).await?;
    }
    Ok(())
}

/// What became of an upload whose id never came.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Lost {
    Aborted,
    /// Nothing is open.
    Nothing,
    /// What is open may be another export's.
    Unsure,
}

/// How much sooner than the journal says an upload may have been opened, in seconds: the clocks differ.
const SOONER: i64 = 60;
/// How much later: a request is repeated for a minute and a half, though not all clients end a try in time, and the clocks
/// differ.
const LATER: i64 = 300;

/// Aborts the upload of this key that was asked for at a second since 1970, and whose id never came: so it has no part.
/// The ids of other uploads of the same export are known.
pub(super) async fn reap_lost(store: &Store, key: &str, asked: i64, known: &[String]) -> Result<Lost> {
    let path = store.path(key)?;
    let listed = match all(store, key).await {
        Err(e) if e.kind() == ErrorKind::Denied => return Ok(Lost::Unsure),
        listed => listed?,
    };
    let mut empty = Vec::new();
    for upload in listed {
        if upload.key != path.as_ref() || known.contains(&upload.id) {
            continue;
        }
        match parts(store, &path, &upload.id).await {
            Ok(Some(0)) => empty.push(upload),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::Denied => return Ok(Lost::Unsure),
            Err(e) => return Err(e),
        }
    }
    match &*empty {
        [] => Ok(Lost::Nothing),
        [one] if (asked - SOONER..=asked + LATER).contains(&one.since.timestamp()) => {
            abort(store, &path, &one.id).await?;
            Ok(Lost::Aborted)
        }
        _ => Ok(Lost::Unsure),
    }
}

/// How many parts the first page of an upload has (S3 API reference, `ListParts`); none where it is not open.
pub(super) async fn parts(store: &Store, path: &Path, id: &str) -> Result<Option<usize>> {
    let s3 = store.s3.as_ref().expect("the store is S3");
    let options = SignedUrlOptions::new().with_query([("uploadId", id)]);
    let doing = "list the parts of an upload";
    let url = timely(Limit::SHORT, s3.signed_url_opts(Method::GET, path, SIGNED_FOR, &options)).await;
    let page = get(doing, url.map_err(|e| failure::object(doing, e))?.as_str()).await?;
    Ok(page.map(|page| texts(&page, &PART).count()))
}

/// The answer to a request, or none where it says that there is no such upload.
async fn get(doing: &str, url: &str) -> Result<Option<String>> {
    let failed = |e: object_store::client::HttpError| {
        let source = object_store::Error::Generic { store: "S3", source: e.into() };
        failure::object(doing, source)
    };
    let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true));
    let client = client.map_err(|e| failure::object(doing, e))?;
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = url
        .parse()
        .map_err(|e| Error::new(ErrorKind::Internal, "the store's own URL cannot be read").with_source(Box::new(e)))?;
    let response = client.execute(request).await.map_err(failed)?;
    let status = response.status();
    let body = response.into_body().bytes().await.map_err(failed)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() {
        return Ok(Some(body));
    }
    let kind = match status.as_u16() {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        _ => ErrorKind::Store,
    };
    // The reply names the fault in a word; the URL, which holds a signature, is not shown.
    let code = text(&body, &CODE).unwrap_or_default();
    if code == "NoSuchUpload" {
        return Ok(None);
    }
    Err(Error::new(kind, format!("could not {doing}: the store answered {status} {code}")))
}

fn open(upload: &str) -> Option<Open> {
    let since = DateTime::parse_from_rfc3339(&text(upload, &INITIATED)?).ok()?.to_utc();
    Some(Open { key: text(upload, &KEY)?, id: text(upload, &ID)?, since })
}

#[cold]
fn unreadable(page: &str) -> Error {
    let start: String = page.chars().take(200).collect();
    Error::new(ErrorKind::Store, format!("could not {DOING}: the store's answer cannot be read: {start:?}"))
}

/// An element of the reply. Its elements do not nest in elements of their own name, which is all of XML that is
/// needed here.
type Element = LazyLock<Regex>;

macro_rules! element {
    ($($name:ident $tag:literal)*) => {$(
        static $name: Element = LazyLock::new(|| {
            Regex::new(concat!("(?s)<", $tag, ">(.*?)</", $tag, ">")).expect("the expression is fixed")
        });
    )*};
}

element! {
    CODE "Code"
    ID "UploadId"
    INITIATED "Initiated"
    KEY "Key"
    NEXT_ID "NextUploadIdMarker"
    NEXT_KEY "NextKeyMarker"
    PART "Part"
    TRUNCATED "IsTruncated"
    UPLOAD "Upload"
}

fn texts<'a>(xml: &'a str, element: &'static Element) -> impl Iterator<Item = &'a str> {
    element.captures_iter(xml).map(|found| found.extract::<1>().1[0])
}

fn text(xml: &str, element: &'static Element) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_uploads_is_read() {
        let page = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>\
            <NextKeyMarker>a&amp;b</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>\
            <Upload><Key>out/&#x27;t&#39; &lt;1&gt;.csv</Key><UploadId>1</UploadId>\
            <Initiated>2026-11-22T08:00:00.000Z</Initiated></Upload>\
            <Upload>\n<UploadId>2</UploadId><Key>a&amp;b&unknown;</Key>\
            <Initiated>2026-11-22T09:00:00Z</Initiated></Upload></ListMultipartUploadsResult>";
        let uploads: Vec<_> = texts(page, &UPLOAD).map(|upload| open(upload).unwrap()).collect();
        let found: Vec<_> = uploads.iter().map(|u| (&*u.key, &*u.id, u.since.timestamp())).collect();
        assert_eq!(found, [("out/'t' <1>.csv", "1", 1_795_334_400), ("a&b&unknown;", "2", 1_795_338_000)]);
        assert_eq!(text(page, &TRUNCATED).as_deref(), Some("true"));
        assert_eq!((text(page, &NEXT_KEY), text(page, &NEXT_ID)), (Some("a&b".into()), Some("2".into())));
    }
}
