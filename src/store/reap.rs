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
            Backend::Object(_) if self.s3.is_some() => super::uploads::reap(self, prefix, before).await,
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
