//! The open uploads of S3, which `object_store` has no call for.

use chrono::{DateTime, Utc};
use object_store::multipart::MultipartStore;
use object_store::path::Path;

use super::ask::{
    self, ID, INITIATED, KEY, NEXT_ID, NEXT_KEY, PART, TRUNCATED, Tries, UPLOAD, ask, text, texts, unreadable,
};
use super::reap::{Reaped, Reaping};
use super::retry::{Limit, timely};
use super::{Store, failure};
use crate::{ErrorKind, Result};

const DOING: &str = "list open uploads";

/// An upload as the store lists it (S3 API reference, `ListMultipartUploads`).
struct Open {
    key: String,
    id: String,
    since: DateTime<Utc>,
}

/// Asks for the first page of the open uploads whose keys begin with `prefix`, to see whether that is allowed.
pub(super) async fn list(store: &Store, prefix: &str) -> Result<()> {
    page(store, prefix, None, Tries::Once).await.map(drop)
}

/// A page of the open uploads whose keys begin with `prefix`, behind the one that the last page ended with.
async fn page(store: &Store, prefix: &str, after: Option<&(String, String)>, tries: Tries) -> Result<String> {
    let prefix = ask::whole(store, prefix);
    let mut query = vec![("uploads", ""), ("prefix", &*prefix)];
    if let Some((key, id)) = after {
        query.extend([("key-marker", &**key), ("upload-id-marker", &**id)]);
    }
    let page = ask(store, DOING, &Path::default(), &query, tries).await?;
    // What some servers say of a bucket that has never had an upload.
    Ok(page.unwrap_or_default())
}

/// Every open upload whose key begins with `prefix`.
async fn all(store: &Store, prefix: &str) -> Result<Vec<Open>> {
    let mut found = Vec::new();
    all_into(store, prefix, &mut found).await.map(|()| found)
}

/// The same; what was listed before a failure is there, too.
async fn all_into(store: &Store, prefix: &str, found: &mut Vec<Open>) -> Result<()> {
    let mut after: Option<(String, String)> = None;
    loop {
        let page = page(store, prefix, after.as_ref(), Tries::Several { answered: after.is_some() }).await?;
        for upload in texts(&page, &UPLOAD).map(open) {
            found.push(upload.ok_or_else(|| unreadable(DOING, &page))?);
        }
        if text(&page, &TRUNCATED).as_deref() != Some("true") {
            return Ok(());
        }
        let next = text(&page, &NEXT_KEY).zip(text(&page, &NEXT_ID));
        if next.is_none() || next == after {
            return Err(unreadable(DOING, &page));
        }
        after = next;
    }
}

/// Whether it was there to be aborted, as far as the store says.
async fn abort(store: &Store, path: &Path, id: &String) -> Result<bool> {
    let s3 = store.s3.as_ref().expect("the store is S3");
    match timely(Limit::SHORT, s3.abort_multipart(path, id)).await {
        Ok(()) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(failure::object(&format!("abort the upload of `{path}`"), e)),
    }
}

/// Aborts the open uploads whose keys begin with `prefix` and that were opened before a time.
pub(super) async fn reap(store: &Store, prefix: &str, before: DateTime<Utc>, reaping: &mut Reaping) {
    let mut found = Vec::new();
    let listed = all_into(store, prefix, &mut found).await;
    reaping.errors.extend(listed.err());
    for Open { key, id, since } in found {
        // A prefix of ours ends at any character, and a key may be none of ours to name.
        if let Ok(path) = Path::parse(&key)
            && since <= before
        {
            match abort(store, &path, &id).await {
                Ok(true) => reaping.removed.push(Reaped { name: ask::own(store, &key).to_owned(), since }),
                Ok(false) => {}
                Err(e) => reaping.errors.push(e),
            }
        }
    }
}

/// Whether an upload of a key is open.
pub(super) async fn is_open(store: &Store, key: &str, id: &str) -> Result<bool> {
    Ok(all(store, key).await?.iter().any(|upload| upload.id == id))
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
    let tries = Tries::Several { answered: true };
    let page = ask(store, "list the parts of an upload", path, &[("uploadId", id)], tries).await?;
    Ok(page.map(|page| texts(&page, &PART).count()))
}

fn open(upload: &str) -> Option<Open> {
    let since = DateTime::parse_from_rfc3339(&text(upload, &INITIATED)?).ok()?.to_utc();
    Some(Open { key: text(upload, &KEY)?, id: text(upload, &ID)?, since })
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
