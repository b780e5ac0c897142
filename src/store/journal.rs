//! Where the list of an export's open uploads is kept, so that it outlives the export.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::PutPayload;
use object_store::path::Path;
use tokio::task::spawn_blocking;

use super::digest::{Digest, sha256};
use super::exists::Claim;
use super::local::sync_folder;
use super::watch::Nobody;
use super::wire::{Incomplete, Wire};
use super::{Backend, Store, failure};
use crate::{Error, ErrorKind, Result};

/// The durable list of the uploads that an export has open: where it is kept.
///
/// An export with a journal
/// ([`ExportBuilder::with_journal`](crate::export::ExportBuilder::with_journal)) writes down each upload, and each folder of
/// unfinished files, before it is opened, and each file whose bytes are all in the store. The journal goes with the end of
/// the export, unless uploads were left open that could not be aborted, or it is unknown whether one was completed. That of
/// a process that was killed stays: [`Store::reap_journal`] removes what it names, on stores too whose open uploads cannot
/// be listed, and [`ExportBuilder::with_resume`](crate::export::ExportBuilder::with_resume) goes on with it.
///
/// | journal | durable | costs |
/// |---|---|---|
/// | [`beside`](Self::beside) the manifest | once the store has it, on any machine | a put of the whole journal, three times for each file of more than one part |
/// | a [`file`](Self::file) | as the disk is; each line is forced out to it | little |
/// | [kept by the caller](Self::kept_by) | as its [`Keep`] is | its calls |
///
/// An export whose files all fit one part, and may replace what exists, writes none, as it has nothing to reap. A journal is
/// of one export at a time: one that finds the journal of another refuses to start. It is JSON, a line for each entry; it
/// holds keys, ids of uploads, the receipts of parts, counts and hashes, but no credentials and no rows. Its first line has
/// every setting that makes an export the same one, each under a name that stays, with the first 16 digits of the SHA-256 of
/// its value as JSON.
#[derive(Clone, Debug)]
pub struct Journal(Place);

/// What a journal begins with, whatever its version.
#[cfg(feature = "aws")]
pub(super) const HEAD: &str = r#"{"entry":"export","version":"#;

#[derive(Clone, Debug)]
enum Place {
    Beside(String),
    File(PathBuf),
    Own(Arc<dyn Keep>),
}

/// Keeps a journal for a caller: in a database, say.
///
/// The calls for one export come one after the other. When a future is dropped, the export is being given up, and its call
/// may or may not take effect.
pub trait Keep: fmt::Debug + Send + Sync {
    /// All lines that were appended and not removed; empty where there are none.
    fn read(&self) -> BoxFuture<'_, Result<String>>;

    /// Adds whole lines. When this returns they have to be durable: what they name is opened next.
    fn append(&self, lines: String) -> BoxFuture<'_, Result<()>>;

    /// Removes all lines.
    fn remove(&self) -> BoxFuture<'_, Result<()>>;
}

impl Journal {
    /// In the store that the export delivers to, under the manifest's key and `.journal`. Where the store is a folder, it is
    /// a file `.consign-….journal` right below it.
    ///
    /// ```
    /// use consign::store::Journal;
    ///
    /// let journal = Journal::beside("airports/manifest-1.json");
    /// assert_eq!(journal.to_string(), "airports/manifest-1.json.journal");
    /// ```
    #[must_use]
    pub fn beside(manifest_key: &str) -> Self {
        Self(Place::Beside(format!("{manifest_key}.journal")))
    }

    /// In a file of this machine, which is made with its folders when the first upload is opened.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(path.into()))
    }

    /// Wherever the caller keeps it.
    #[must_use]
    pub fn kept_by(keep: Arc<dyn Keep>) -> Self {
        Self(Place::Own(keep))
    }

    /// The one that stands at this key.
    #[cfg(feature = "aws")]
    pub(super) fn at(key: &str) -> Self {
        Self(Place::Beside(key.to_owned()))
    }

    pub(super) fn keep(&self, store: &Store) -> Result<Arc<dyn Keep>> {
        Ok(match (&self.0, &store.backend) {
            (Place::Own(keep), _) => Arc::clone(keep),
            (Place::File(path), _) => Arc::new(InFile::new(path.clone())),
            (Place::Beside(key), Backend::Folder(root)) => {
                Arc::new(InFile::new(root.join(format!(".consign-{}.journal", &sha256(key)[..16]))))
            }
            (Place::Beside(key), Backend::Object(interface)) => {
                let wire = Wire::new(store, interface.clone(), Arc::new(Nobody));
                Arc::new(InStore { wire, path: store.path(key)?, text: tokio::sync::Mutex::default() })
            }
        })
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Beside(key) => f.write_str(key),
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Own(_) => f.write_str("kept by the caller"),
        }
    }
}

/// A journal that is an object, which is written whole each time.
#[derive(Debug)]
struct InStore {
    wire: Wire,
    path: Path,
    text: tokio::sync::Mutex<String>,
}

impl Keep for InStore {
    fn read(&self) -> BoxFuture<'_, Result<String>> {
        async {
            let doing = || format!("read the journal `{}`", self.path);
            let bytes = self.wire.read(&self.path).await.map_err(|e| failure::object(&doing(), e))?;
            let read = String::from_utf8(bytes.unwrap_or_default().into()).map_err(|e| unreadable(&doing(), e))?;
            self.text.lock().await.clone_from(&read);
            Ok(read)
        }
        .boxed()
    }

    fn append(&self, lines: String) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut text = self.text.lock().await;
            text.push_str(&lines);
            let mut digest = Digest::quick();
            digest.update(text.as_bytes());
            let bytes = PutPayload::from(text.clone());
            match self.wire.put(&self.path, bytes, Claim::Replace, String::new(), &digest.sum()).await {
                Ok(_) => Ok(()),
                Err(
                    Incomplete::NotWritten { error, .. }
                    | Incomplete::Unknown { error, .. }
                    | Incomplete::Replaced(error),
                ) => Err(failure::object(&format!("write the journal `{}`", self.path), error)),
                Err(Incomplete::Another { .. }) => unreachable!("a journal may replace what stands there"),
            }
        }
        .boxed()
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        async {
            let doing = || format!("remove the journal `{}`", self.path);
            self.wire.remove(&self.path).await.map_err(|e| failure::object(&doing(), e))?;
            self.text.lock().await.clear();
            Ok(())
        }
        .boxed()
    }
}

/// A journal that is a file, which grows.
#[derive(Debug)]
struct InFile(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    path: PathBuf,
    /// The folders that were made for it, in their order.
    made: Vec<PathBuf>,
}

impl InFile {
    fn new(path: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(Lines { path, made: Vec::new() })))
    }

    /// Does something with the file where it holds up no other task.
    fn on<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Lines) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T>> {
        let lines = Arc::clone(&self.0);
        async move {
            let worked = spawn_blocking(move || {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                work(&mut lines)
                    .map_err(|e| failure::file(&format!("{doing} the journal `{}`", lines.path.display()), e))
            });
            worked.await.map_err(|e| failure::task("use the journal", e))?
        }
        .boxed()
    }
}

impl Keep for InFile {
    fn read(&self) -> BoxFuture<'_, Result<String>> {
        self.on("read", Lines::read)
    }

    fn append(&self, text: String) -> BoxFuture<'_, Result<()>> {
        self.on("write", move |lines| lines.append(&text))
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        self.on("remove", Lines::remove)
    }
}

impl Lines {
    fn read(&mut self) -> io::Result<String> {
        let mut bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(e) => return Err(e),
        };
        // A process that was killed may have written half of its last line; what that would have named was not opened.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole == 0 {
            // One that was killed before its first line: nobody else would remove the file.
            self.remove()?;
            return Ok(String::new());
        }
        if whole < bytes.len() {
            bytes.truncate(whole);
            OpenOptions::new().write(true).open(&self.path)?.set_len(whole as u64)?;
        }
        String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder
            && !folder.exists()
        {
            self.made = folder.ancestors().take_while(|path| !path.exists()).map(FilePath::to_path_buf).collect();
            self.made.reverse();
            fs::create_dir_all(folder)?;
        }
        let is_new = !self.path.exists();
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        if is_new {
            sync_folder(folder.unwrap_or_else(|| FilePath::new("")))?;
        }
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        for folder in self.made.drain(..).rev() {
            // One that holds something is not ours alone any more.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

#[cold]
fn unreadable(doing: &str, error: std::string::FromUtf8Error) -> Error {
    Error::new(ErrorKind::Store, format!("could not {doing}: it is not UTF-8")).with_source(error)
}
