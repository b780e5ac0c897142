//! What a dead export left: uploads that are still open, journals, folders of unfinished files, and what the store was tried
//! out with.

use std::fs::DirEntry;
use std::path::Path as FilePath;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::spawn_blocking;
#[cfg(feature = "aws")]
use {
    super::ask,
    super::journal,
    super::objects::{self, Found},
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
    /// The key in the store, below its prefix, of the object, or that the upload was for; in a folder, the path.
    pub name: String,
    /// When it was begun, or, of a journal and what it names, last written.
    pub since: DateTime<Utc>,
}

/// What [`Store::reap`] has done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "what failed is in it"]
pub struct Reaping {
    /// What was removed. An upload that was completed or aborted before is not among it.
    pub removed: Vec<Reaped>,
    /// What was left, each a name with what it is: files of a dead export whose manifest is not there, an upload that may be
    /// open, a journal that was written from another place, a folder that cannot be read.
    pub left: Vec<String>,
    /// What failed, each by itself.
    pub errors: Vec<Error>,
}

impl Reaping {
    /// What was removed, or what failed as one error, with the kind of the first.
    ///
    /// # Errors
    ///
    /// When something failed.
    pub fn into_result(self) -> Result<Vec<Reaped>> {
        let first = self.errors.into_iter().reduce(|first, next| first.with_note(&format!("besides, {next:#}")));
        first.map_or(Ok(self.removed), Err)
    }
}

impl Store {
    /// Removes what exports and [checks](Self::check) left that died without a word: a process that was killed, a machine
    /// that lost its power.
    ///
    /// - In Amazon S3 and what speaks its protocol, of the keys that begin with `prefix`: the open uploads, whoever opened
    ///   them; the objects by which the store was tried out, `.consign-` and 16 digits; and journals
    ///   [beside](crate::store::Journal::beside) a manifest, with the uploads and the objects of that kind that they name. Only
    ///   the store of an `s3://` URL, or of [`Store::s3`], can list uploads.
    /// - In a folder: our folders of unfinished files, `.consign-` and 16 digits, and journals right below it; and, in the folder
    ///   `prefix` and all below it, the files by which it was tried out.
    ///
    /// An object or file is known by its name and its bytes; what only has such a name stays. A journal that another version
    /// of this crate wrote stays, too; and so does one that was written from another place than this store or a folder of it,
    /// since its keys are of that place: it is told in [`Reaping::left`].
    ///
    /// What is visible stays. Where a dead export keeps what exists ([`OnExists`](crate::store::OnExists)), and its manifest
    /// is not there, its files may be in the way of the next one, or the receiver may have taken the manifest away after all
    /// was delivered: they are told in [`Reaping::left`]. Who knows it to be dead has them removed by
    /// [`reap_journal`](Self::reap_journal), before this removes the journal.
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
    /// let reaping = Store::folder(&folder).reap("", chrono::Utc::now(), Duration::ZERO).await;
    /// assert_eq!(reaping.into_result()?.len(), 1);
    /// # std::fs::remove_dir(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What cannot be listed, read or removed ends nothing: it is told in [`Reaping::errors`], and the rest is removed. To abort
    /// uploads, nothing but uploads has to be listed.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, some of what was to be removed may still be there.
    pub async fn reap(&self, prefix: &str, now: DateTime<Utc>, older_than: Duration) -> Reaping {
        let age = TimeDelta::from_std(older_than).unwrap_or(TimeDelta::MAX);
        let before = now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let mut reaping = Reaping::default();
        match &self.backend {
            Backend::Folder(root) => {
                let (root, prefix) = (root.clone(), prefix.to_owned());
                let reaped = spawn_blocking(move || {
                    let mut reaping = Reaping::default();
                    let journals = reap_root(&root, before, &mut reaping);
                    reap_trials(&root, &prefix, before, &mut reaping);
                    (journals, reaping)
                });
                let journals = match reaped.await {
                    Ok((journals, reaped)) => {
                        reaping = reaped;
                        journals
                    }
                    Err(e) => {
                        reaping.errors.push(failure::task("remove unfinished files", e));
                        Vec::new()
                    }
                };
                for (journal, since) in journals {
                    if let Err(e) = self.clear(&journal, since, &mut reaping).await {
                        reaping.errors.push(e);
                    }
                }
            }
            #[cfg(feature = "aws")]
            Backend::Object(interface) if self.s3.is_some() => {
                let wire = Wire::new(self, interface.clone(), Arc::new(Nobody));
                super::uploads::reap(self, prefix, before, &mut reaping).await;
                let mut found = Vec::new();
                reaping.errors.extend(objects::all_into(self, prefix, &mut found).await.err());
                for object in found.into_iter().filter(|object| object.since <= before) {
                    if let Err(e) = self.reap_object(&wire, object, &mut reaping).await {
                        reaping.errors.push(e);
                    }
                }
            }
            Backend::Object(_) => reaping.errors.push(Error::new(
                ErrorKind::Store,
                "the open uploads of this store cannot be listed: expected a folder or S3",
            )),
        }
        reaping
    }

    /// Removes an object if it is what a store was tried out with, or a journal.
    #[cfg(feature = "aws")]
    async fn reap_object(&self, wire: &Wire, object: Found, reaping: &mut Reaping) -> Result<()> {
        // A key that cannot be spelled is none of ours.
        let Ok(path) = Path::parse(&object.key) else { return Ok(()) };
        let key = ask::own(self, &object.key);
        let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
        let failed = |e| failure::object(&format!("look at `{key}`"), e);
        if is_ours(name) && object.size <= preflight::BODY.len() as u64 {
            let bytes = wire.read(&path).await.map_err(failed)?;
            if bytes.is_some_and(|bytes| is_trial(&bytes)) {
                wire.remove(&path).await.map_err(|e| failure::object(&format!("remove `{key}`"), e))?;
                reaping.removed.push(Reaped { name: key.to_owned(), since: object.since });
            }
        } else if name.ends_with(".journal") && is_journal(wire, &path).await.map_err(failed)? {
            self.clear(&Journal::at(key), object.since, reaping).await?;
        }
        Ok(())
    }

    /// Removes a journal, with what it names and is not visible.
    async fn clear(&self, journal: &Journal, since: DateTime<Utc>, reaping: &mut Reaping) -> Result<()> {
        let ledger = match Ledger::open(journal, self).await {
            // Another version's, or none.
            Err(e) if e.kind() == ErrorKind::Resume => return Ok(()),
            opened => opened?,
        };
        if !ledger.is_of_an_export() {
            return Ok(());
        }
        let name = journal.to_string();
        let Some((writer, folder)) = self.writer(&name, &ledger) else {
            reaping.left.push(format!("{name} (a journal that was written from another place)"));
            return Ok(());
        };
        let below = |key: String| if folder.is_empty() { key } else { format!("{folder}/{key}") };
        let place = |key: String| match &self.backend {
            Backend::Folder(root) => root.join(key).display().to_string(),
            Backend::Object(_) => below(key),
        };
        let cleared = ledger.clear(&writer).await?;
        let removed = cleared.taken.removed.into_iter().map(below).chain([journal.to_string()]);
        reaping.removed.extend(removed.map(|name| Reaped { name, since }));
        let unsure = cleared.taken.unsure.into_iter();
        reaping.left.extend(unsure.map(|key| format!("{} (an upload that may be open)", place(key))));
        let visible = cleared.visible.into_iter();
        reaping.left.extend(visible.map(|key| format!("{} (a file whose manifest is not there)", place(key))));
        Ok(())
    }

    /// The store that has written a journal that stands in this one, and the folder that is its prefix here: of a journal below
    /// a prefix, the keys are those below that prefix.
    fn writer<'a>(&self, key: &'a str, ledger: &Ledger) -> Option<(Self, &'a str)> {
        if self.as_folder().is_some() {
            // It stands right below the folder.
            return Some((self.clone(), ""));
        }
        let folders = key.match_indices('/').map(|(end, _)| &key[..end]);
        for folder in std::iter::once("").chain(folders) {
            for bucket in [self.bucket.clone(), None] {
                let writer = Self { bucket, prefix: self.path(folder).ok()?, ..self.clone() };
                if ledger.is_of_place(&writer.place()) {
                    return Some((writer, folder));
                }
            }
        }
        None
    }
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

/// When a file or folder was last written to; that of a folder is the time of the last file that was begun in it.
fn modified(entry: &DirEntry) -> DateTime<Utc> {
    entry.metadata().and_then(|meta| meta.modified()).unwrap_or_else(|_| SystemTime::now()).into()
}

/// Removes the folders of unfinished files right below a folder that were begun before a time, and gives the journals that
/// were last written before it.
fn reap_root(root: &FilePath, before: DateTime<Utc>, reaping: &mut Reaping) -> Vec<(Journal, DateTime<Utc>)> {
    let doing = format!("remove unfinished files in `{}`", root.display());
    let mut journals = Vec::new();
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) => {
            reaping.errors.push(failure::file(&doing, e));
            return journals;
        }
    };
    for entry in entries {
        let look = || {
            let entry = entry?;
            let (name, kind, since) = (entry.file_name(), entry.file_type()?, modified(&entry));
            let Some(name) = name.to_str().filter(|_| since <= before) else { return Ok(()) };
            if kind.is_dir() && is_ours(name) {
                std::fs::remove_dir_all(entry.path())?;
                reaping.removed.push(Reaped { name: entry.path().display().to_string(), since });
            } else if kind.is_file() && name.strip_suffix(".journal").is_some_and(is_ours) {
                journals.push((Journal::file(entry.path()), since));
            }
            Ok(())
        };
        if let Err(e) = look() {
            reaping.errors.push(failure::file(&doing, e));
        }
    }
    journals
}

/// Removes the files by which checks tried the folder of a prefix out, before a time.
fn reap_trials(root: &FilePath, prefix: &str, before: DateTime<Utc>, reaping: &mut Reaping) {
    let mut folders = vec![local::target(root, prefix.trim_matches('/'))];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) => {
                // The root has been told of. Another's folder is none that an export has written to.
                if e.kind() != std::io::ErrorKind::NotFound && folder != root {
                    reaping.left.push(format!("{} (a folder that cannot be read: {e})", folder.display()));
                }
                continue;
            }
        };
        for entry in entries {
            let look = || {
                let entry = entry?;
                // A link is neither.
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_ours) {
                    let since = modified(&entry);
                    if since <= before
                        && entry.metadata()?.len() == preflight::BODY.len() as u64
                        && std::fs::read(entry.path())? == preflight::BODY
                    {
                        std::fs::remove_file(entry.path())?;
                        reaping.removed.push(Reaped { name: entry.path().display().to_string(), since });
                    }
                }
                Ok(())
            };
            if let Err(e) = look() {
                let doing = format!("remove the files of checks in `{}`", folder.display());
                reaping.errors.push(failure::file(&doing, e));
            }
        }
    }
}
