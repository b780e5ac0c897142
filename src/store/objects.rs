//! What stands in S3, listed by the keys as they are: `object_store` fails the list in which one has an empty segment.

use chrono::{DateTime, Utc};
use object_store::path::Path;

use super::Store;
use super::ask::{self, CONTENTS, KEY, MODIFIED, NEXT, SIZE, TRUNCATED, Tries, ask, text, texts, unreadable};
use crate::Result;

const DOING: &str = "list what stands in the store";

/// An object as the store lists it (S3 API reference, `ListObjectsV2`).
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Found {
    /// In the bucket.
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) since: DateTime<Utc>,
}

/// Asks for the first of the objects whose keys begin with `prefix`, to see whether that is allowed.
pub(super) async fn list(store: &Store, prefix: &str) -> Result<()> {
    let prefix = ask::whole(store, prefix);
    let query = [("list-type", "2"), ("max-keys", "1"), ("prefix", &*prefix)];
    ask(store, DOING, &Path::default(), &query, Tries::Once).await.map(drop)
}

/// Adds the objects whose keys begin with `prefix`, up to a failure.
pub(super) async fn all_into(store: &Store, prefix: &str, found: &mut Vec<Found>) -> Result<()> {
    let prefix = ask::whole(store, prefix);
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("list-type", "2"), ("prefix", &*prefix)];
        query.extend(after.as_deref().map(|after| ("continuation-token", after)));
        let tries = Tries::Several { answered: after.is_some() };
        let page = ask(store, DOING, &Path::default(), &query, tries).await?.unwrap_or_default();
        for object in texts(&page, &CONTENTS).map(object) {
            found.push(object.ok_or_else(|| unreadable(DOING, &page))?);
        }
        if text(&page, &TRUNCATED).as_deref() != Some("true") {
            return Ok(());
        }
        let next = text(&page, &NEXT);
        if next.is_none() || next == after {
            return Err(unreadable(DOING, &page));
        }
        after = next;
    }
}

fn object(object: &str) -> Option<Found> {
    let since = DateTime::parse_from_rfc3339(&text(object, &MODIFIED)?).ok()?.to_utc();
    Some(Found { key: text(object, &KEY)?, size: text(object, &SIZE)?.parse().ok()?, since })
}
