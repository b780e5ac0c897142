//! What a dead export left: uploads that are still open, journals, folders of unfinished files, and what the store was tried
//! out with.

use std::fs::DirEntry;
use std::path::Path as FilePath;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;
#[cfg(feature = "aws")]
use {
    super::journal,
    super::retry::{Limit, timely},
    super::watch::Nobody,
    super::wire::Wire,
    futures::TryStreamExt,
    object_store::ObjectStoreExt,
    object_store::path::Path,
    std::sync::Arc,
};

use super::ledger::Ledger;
use super::{Backend, Journal, Store, failure, local, preflight};
use crate::{Error, ErrorKind, Result};

/// Something that an export left behind, and that has been removed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reaped {
    /// The key of the object, or that the upload was for, or a path.
    pub name: String,
    /// When it was begun, or, of a journal and what it names, last written.
    pub since: DateTime<Utc>,
}

impl Store {
    /// Removes what exports and [checks](Self::check) left that died without a word: a process that was killed, a machine
    /// that lost its power.
    ///
    /// - In Amazon S3 and what speaks its protocol, of the keys that begin with `prefix`: the open uploads, whoever opened
    ///   them; the objects by which the store was tried out, `.consign-` and 16 digits; and journals
    ///   [beside](crate::store::Journal::beside) a manifest, with what they name, as [`reap_journal`](Self::reap_journal) does.
    ///   Only the store of an `s3://` URL, or of [`Store::s3`], can list uploads.
    /// - In a folder: our folders of unfinished files, `.consign-` and 16 digits, and journals right below it, with what they
    ///   name; and, in the folder `prefix` and all below it, the files by which it was tried out.
    ///
    /// An object or file is known by its name and its bytes; what only has such a name stays. A journal that another version
    /// of this crate wrote stays, too.
    ///
    /// What is younger than `older_than` at the time `now` is left alone: it may be of an export that runs, or that is to be
    /// resumed. Choose an age that no export reaches.
    ///
    /// [`reap_journal`](Self::reap_journal) removes what one export left, whatever its age, and in any store.
    ///
    /// Other stores are refused. Google Cloud Storage has a list of its uploads too, but `object_store` asks for it no more
    /// than for that of S3, and we have no server to try our way on: a rule of the bucket's lifecycle aborts them
    /// (`AbortIncompleteMultipartUpload`). Azure drops blocks that no blob was made of after seven days by itself. A rule of
    /// the bucket's lifecycle does the same for S3, in days.
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
                let mut reaped = self.reap_journals(journals_of_folder(root, before)?).await?;
                let (root, prefix) = (root.clone(), prefix.to_owned());
                let removed = spawn_blocking(move || reap_folder(&root, &prefix, before)).await;
                reaped.extend(removed.map_err(|e| failure::task("remove unfinished files", e))??);
                Ok(reaped)
            }
            #[cfg(feature = "aws")]
            Backend::Object(interface) if self.s3.is_some() => {
                let wire = Wire::new(self, interface.clone(), Arc::new(Nobody));
                let found = self.left_objects(&wire, prefix, before).await?;
                // What a journal names is removed as such, and not as an upload among others.
                let mut reaped = self.reap_journals(found.journals).await?;
                reaped.extend(super::uploads::reap(self, prefix, before).await?);
                for (path, trial) in found.trials {
                    wire.remove(&path).await.map_err(|e| failure::object(&format!("remove `{path}`"), e))?;
                    reaped.push(trial);
                }
                Ok(reaped)
            }
            Backend::Object(_) => Err(Error::new(
                ErrorKind::Store,
                "the open uploads of this store cannot be listed: expected a folder or S3",
            )),
        }
    }

    /// Removes journals, with what they name.
    async fn reap_journals(&self, journals: Vec<(Journal, DateTime<Utc>)>) -> Result<Vec<Reaped>> {
        let mut reaped = Vec::new();
        for (journal, since) in journals {
            let ledger = match Ledger::open(&journal, self).await {
                // Another version's, or none.
                Err(e) if e.kind() == ErrorKind::Resume => continue,
                opened => opened?,
            };
            if ledger.is_of_an_export() {
                let removed = ledger.abandon(self).await?.removed;
                reaped.extend(removed.into_iter().chain([journal.to_string()]).map(|name| Reaped { name, since }));
            }
        }
        Ok(reaped)
    }

    /// The objects below a prefix that exports left before a time.
    #[cfg(feature = "aws")]
    async fn left_objects(&self, wire: &Wire, prefix: &str, before: DateTime<Utc>) -> Result<Left> {
        let failed = |e| failure::object("list what exports left", e);
        // Lists are of whole folders.
        let folder = self.path(prefix.rsplit_once('/').map_or("", |(folder, _)| folder))?;
        let mut left = Left::default();
        let mut listed = wire.store().list(Some(&folder));
        while let Some(found) = timely(Limit::SHORT, listed.try_next()).await.map_err(failed)? {
            let path = found.location;
            let key = path.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or_default().trim_start_matches('/');
            let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
            let since = found.last_modified;
            if since > before || !key.starts_with(prefix) {
                continue;
            }
            if is_ours(name) && found.size <= preflight::BODY.len() as u64 {
                let bytes = wire.read(&path).await.map_err(failed)?;
                if bytes.is_some_and(|bytes| is_trial(&bytes)) {
                    let name = key.to_owned();
                    left.trials.push((path, Reaped { name, since }));
                }
            } else if name.ends_with(".journal") && is_journal(wire, &path).await.map_err(failed)? {
                left.journals.push((Journal::at(key), since));
            }
        }
        Ok(left)
    }
}

/// What exports and checks left in an object store, besides uploads.
#[cfg(feature = "aws")]
#[derive(Default)]
struct Left {
    trials: Vec<(Path, Reaped)>,
    journals: Vec<(Journal, DateTime<Utc>)>,
}

/// Whether an object begins as a journal does. It is not asked for its first bytes alone, since rclone gives them as if they
/// were all.
#[cfg(feature = "aws")]
async fn is_journal(wire: &Wire, path: &Path) -> object_store::Result<bool> {
    let mut read = match timely(Limit::SHORT, wire.store().get(path)).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(false),
        found => found?.into_stream(),
    };
    let mut begin = Vec::new();
    while begin.len() < journal::HEAD.len()
        && let Some(bytes) = timely(Limit::SHORT, read.try_next()).await?
    {
        begin.extend_from_slice(&bytes);
    }
    Ok(begin.starts_with(journal::HEAD.as_bytes()))
}

/// Whether these are the bytes of an object by which a store is tried out: by a check, by a put that replaces nothing, and
/// by an upload that does not.
#[cfg(feature = "aws")]
fn is_trial(bytes: &[u8]) -> bool {
    [preflight::BODY, b"", b"."].contains(&bytes)
}

/// Whether a name is that of a folder of unfinished files.
pub(super) fn is_ours(name: &str) -> bool {
    let digits = name.strip_prefix(".consign-");
    digits.is_some_and(|d| d.len() == 16 && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// The journals right below a folder that were last written before a time.
fn journals_of_folder(root: &FilePath, before: DateTime<Utc>) -> Result<Vec<(Journal, DateTime<Utc>)>> {
    let failed = |e| failure::file(&format!("remove unfinished files in `{}`", root.display()), e);
    let mut journals = Vec::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_ours = name.to_str().and_then(|name| name.strip_suffix(".journal")).is_some_and(is_ours);
        if is_ours && entry.file_type().map_err(failed)?.is_file() {
            let since = modified(&entry);
            if since <= before {
                journals.push((Journal::file(entry.path()), since));
            }
        }
    }
    Ok(journals)
}

/// When a file or folder was last written to; that of a folder is the time of the last file that was begun in it.
fn modified(entry: &DirEntry) -> DateTime<Utc> {
    entry.metadata().and_then(|meta| meta.modified()).unwrap_or_else(|_| SystemTime::now()).into()
}

/// Removes the folders of unfinished files that were begun before a time, and the files by which checks tried the folder
/// of a prefix out.
fn reap_folder(root: &FilePath, prefix: &str, before: DateTime<Utc>) -> Result<Vec<Reaped>> {
    let doing = format!("remove unfinished files in `{}`", root.display());
    let failed = |e| failure::file(&doing, e);
    let mut reaped = Vec::new();
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(is_ours) || !entry.file_type().map_err(failed)?.is_dir() {
            continue;
        }
        let since = modified(&entry);
        if since <= before {
            std::fs::remove_dir_all(entry.path()).map_err(failed)?;
            reaped.push(Reaped { name: entry.path().display().to_string(), since });
        }
    }
    let mut folders = vec![local::target(root, prefix.trim_matches('/'))];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A link is neither.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_ours) {
                let since = modified(&entry);
                let size = entry.metadata().map_err(failed)?.len();
                if since <= before
                    && size == preflight::BODY.len() as u64
                    && std::fs::read(entry.path()).map_err(failed)? == preflight::BODY
                {
                    std::fs::remove_file(entry.path()).map_err(failed)?;
                    reaped.push(Reaped { name: entry.path().display().to_string(), since });
                }
            }
        }
    }
    Ok(reaped)
}
