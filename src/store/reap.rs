//! What a dead export left: uploads that are still open, and folders of unfinished files.

use std::path::Path as FilePath;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;

use super::{Backend, Store, failure};
use crate::{Error, ErrorKind, Result};

/// Something that an export left behind, and that has been removed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reaped {
    /// The key that the upload was for, or the path of the folder.
    pub name: String,
    /// When it was begun.
    pub since: DateTime<Utc>,
}

impl Store {
    /// Removes what exports left that died without a word: a process that was killed, a machine that lost its power.
    ///
    /// - In a folder: our folders of unfinished files, `.consign-` and 16 digits, right below it.
    /// - In Amazon S3 and what speaks its protocol: the open uploads whose keys begin with `prefix`, whoever opened them.
    ///   Only the store of an `s3://` URL, or of [`Store::s3`], can list them.
    ///
    /// What is younger than `older_than` at the time `now` is left alone: it may be an export that runs. Choose an age
    /// that no export reaches.
    ///
    /// [`reap_journal`](Self::reap_journal) removes what one export left, whatever its age, and in any store.
    ///
    /// Google Cloud Storage cannot be asked here; Azure drops blocks that no blob was made of after seven days by
    /// itself. A rule of the bucket's lifecycle does the same for S3, in days.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use consign::store::Store;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let folder = std::env::temp_dir().join(format!("consign-reap-{}", std::process::id()));
    /// std::fs::create_dir_all(folder.join(".consign-0123456789abcdef"))?;
    /// let reaped = Store::folder(&folder).reap("", chrono::Utc::now(), Duration::ZERO).await?;
    /// assert_eq!(reaped.len(), 1);
    /// # std::fs::remove_dir(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store cannot be listed, or something cannot be removed; what was removed until then is gone.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, some of what was to be removed may still be there.
    pub async fn reap(&self, prefix: &str, now: DateTime<Utc>, older_than: Duration) -> Result<Vec<Reaped>> {
        let before = now - older_than;
        match &self.backend {
            Backend::Folder(root) => {
                let root = root.clone();
                let reaped = spawn_blocking(move || reap_folder(&root, before)).await;
                reaped.map_err(|e| failure::task("remove unfinished files", e))?
            }
            #[cfg(feature = "aws")]
            Backend::Object(_) if self.s3.is_some() => uploads::reap(self, prefix, |_, since| since <= before).await,
            Backend::Object(_) => {
                let _ = prefix;
                Err(Error::new(
                    ErrorKind::Store,
                    "the open uploads of this store cannot be listed: expected a folder or S3",
                ))
            }
        }
    }
}

/// Whether a name is that of a folder of unfinished files.
pub(super) fn is_ours(name: &str) -> bool {
    let digits = name.strip_prefix(".consign-");
    digits.is_some_and(|d| d.len() == 16 && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// Removes the folders of unfinished files that were begun before a time.
fn reap_folder(root: &FilePath, before: DateTime<Utc>) -> Result<Vec<Reaped>> {
    let doing = format!("remove unfinished files in `{}`", root.display());
    let failed = |e| failure::file(&doing, e);
    let mut reaped = Vec::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(is_ours) || !entry.file_type().map_err(failed)?.is_dir() {
            continue;
        }
        // The folder's own time is that of the last file that was begun in it.
        let modified = entry.metadata().and_then(|meta| meta.modified()).unwrap_or_else(|_| SystemTime::now());
        let since = DateTime::<Utc>::from(modified);
        if since <= before {
            std::fs::remove_dir_all(entry.path()).map_err(failed)?;
            reaped.push(Reaped { name: entry.path().display().to_string(), since });
        }
    }
    Ok(reaped)
}

/// The open uploads of S3, which `object_store` can sign a request for but not ask.
#[cfg(feature = "aws")]
pub(super) mod uploads {
    use std::sync::LazyLock;
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use object_store::ClientOptions;
    use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
    use object_store::multipart::MultipartStore;
    use object_store::path::Path;
    use object_store::signer::{Method, SignedUrlOptions, Signer};
    use regex::Regex;

    use super::Reaped;
    use crate::store::{Store, failure};
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
    pub(in crate::store) async fn list(store: &Store, prefix: &str) -> Result<()> {
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
        let url = s3.signed_url_opts(Method::GET, &Path::default(), SIGNED_FOR, &options).await;
        get(url.map_err(|e| failure::object(DOING, e))?.as_str()).await
    }

    /// Aborts the open uploads whose keys begin with `prefix` and that are meant, by their whole key and their time.
    pub(in crate::store) async fn reap(
        store: &Store,
        prefix: &str,
        is_meant: impl Fn(&str, DateTime<Utc>) -> bool,
    ) -> Result<Vec<Reaped>> {
        let s3 = store.s3.as_ref().expect("the store is S3");
        let mut reaped = Vec::new();
        let mut after: Option<(String, String)> = None;
        loop {
            let page = page(store, prefix, after.as_ref()).await?;
            for upload in texts(&page, &UPLOAD).map(open) {
                let Open { key, id, since } = upload.ok_or_else(|| unreadable(&page))?;
                if !is_meant(&key, since) {
                    continue;
                }
                // A prefix of ours ends at any character, and a key may be none of ours to name.
                let Ok(path) = Path::parse(&key) else { continue };
                match s3.abort_multipart(&path, &id).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => reaped.push(Reaped { name: key, since }),
                    Err(e) => return Err(failure::object(&format!("abort the upload of `{key}`"), e)),
                }
            }
            if text(&page, &TRUNCATED).as_deref() != Some("true") {
                return Ok(reaped);
            }
            let next = text(&page, &NEXT_KEY).zip(text(&page, &NEXT_ID));
            if next.is_none() || next == after {
                return Err(unreadable(&page));
            }
            after = next;
        }
    }

    async fn get(url: &str) -> Result<String> {
        let failed = |e: object_store::client::HttpError| {
            let source = object_store::Error::Generic { store: "S3", source: e.into() };
            failure::object(DOING, source)
        };
        let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true));
        let client = client.map_err(|e| failure::object(DOING, e))?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.parse().map_err(|e| {
            Error::new(ErrorKind::Internal, "the store's own URL cannot be read").with_source(Box::new(e))
        })?;
        let response = client.execute(request).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().bytes().await.map_err(failed)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if status.is_success() {
            return Ok(body);
        }
        let kind = match status.as_u16() {
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            _ => ErrorKind::Store,
        };
        // The reply names the fault in a word; the URL, which holds a signature, is not shown.
        let code = text(&body, &CODE).unwrap_or_default();
        if code == "NoSuchUpload" {
            // What some servers say of a bucket that has never had an upload.
            return Ok(String::new());
        }
        Err(Error::new(kind, format!("could not {DOING}: the store answered {status} {code}")))
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
}
