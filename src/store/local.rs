//! Files in a local folder: written under a temporary name, given their own when the export commits.
//!
//! The temporary files stand in a folder of ours at the root of the store, so that the rename stays on one file system
//! and whoever lists the data's own folders never sees them. The folder goes when the export ends, however it ends, and
//! so do the folders that were made for it, if nothing has been delivered into them.
//!
//! A link below the root that leads out of it is not followed: a folder that others can write to does not decide where else
//! files are written.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object_store::PutPayload;

use super::digest::Sum;
use super::exists::Claim;
use super::failure;
use super::ledger::Entry;
use super::wire::Owner;
use crate::{Error, ErrorKind, Result};

/// The folder of the temporary files of one export.
#[derive(Debug)]
pub(super) struct Staging {
    root: PathBuf,
    /// The root without links, out of which no link below it may lead.
    within: PathBuf,
    folder: PathBuf,
    /// The folders that were made for it, in their order.
    made: Mutex<Vec<PathBuf>>,
    files: AtomicU64,
    fsync: Fsync,
    noted: Option<Entry>,
}

/// Whether files are forced out to the disk, with their names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Fsync {
    #[default]
    Off,
    On,
}

impl Staging {
    /// A name for the folder, which two exports hardly ever share.
    pub(super) fn name(root: &Path) -> String {
        format!(".consign-{:016x}", RandomState::new().hash_one(root))
    }

    /// Makes the folder with this name, and the root above it where it is not there yet.
    pub(super) fn create(root: &Path, name: &str, fsync: Fsync, noted: Option<Entry>) -> Result<Self> {
        let doing = || format!("make a folder for unfinished files in `{}`", root.display());
        let mut made: Vec<_> = root.ancestors().take_while(|path| !path.exists()).map(Path::to_path_buf).collect();
        made.reverse();
        let mut staging = Self {
            root: root.to_path_buf(),
            within: PathBuf::new(),
            folder: PathBuf::new(),
            made: Mutex::new(made),
            files: AtomicU64::new(0),
            fsync,
            noted,
        };
        fs::create_dir_all(root).map_err(|e| failure::file(&doing(), e))?;
        staging.within = fs::canonicalize(root).map_err(|e| failure::file(&doing(), e))?;
        let folder = root.join(name);
        fs::create_dir(&folder).map_err(|e| failure::file(&doing(), e))?;
        staging.folder = folder;
        Ok(staging)
    }

    /// Walks to the folder of a key, and tells of links that lead out of the store. A link that is put there at the very
    /// same moment is not seen: who can do that can write there anyhow.
    fn walk(&self, key: &str, missing: Missing) -> Result<()> {
        let failed = |e| failure::file(&format!("write `{key}`"), e);
        let mut path = self.root.clone();
        let Some((folders, _)) = key.rsplit_once('/') else { return Ok(()) };
        for folder in folders.split('/') {
            path.push(folder);
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_symlink() => {
                    if !fs::canonicalize(&path).map_err(failed)?.starts_with(&self.within) {
                        let path = path.display();
                        let text =
                            format!("could not write `{key}`: `{path}` is a link that leads out of the store's folder");
                        return Err(Error::new(ErrorKind::Denied, text));
                    }
                }
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => match missing {
                    Missing::Stop => return Ok(()),
                    Missing::Make => match fs::create_dir(&path) {
                        Ok(()) => self.made().push(path.clone()),
                        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                        Err(e) => return Err(failed(e)),
                    },
                },
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(())
    }

    /// Forces the names out that lead to a file: those in all folders down from the root, since another export may have
    /// made one of them just now, and those of the folders that were made above it.
    fn sync_names(&self, target: &Path) -> io::Result<()> {
        for folder in target.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)) {
            sync_folder(folder)?;
        }
        let above: Vec<_> = self.made().iter().filter(|made| self.root.starts_with(made)).cloned().collect();
        above.iter().rev().filter_map(|made| made.parent()).try_for_each(sync_folder)
    }

    fn made(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a folder that is not there.
#[derive(Clone, Copy, Debug)]
enum Missing {
    Make,
    Stop,
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed holds something that is not ours, or was delivered.
        let _ = fs::remove_dir(&self.folder);
        if let Some(noted) = self.noted.take()
            && !self.folder.exists()
        {
            noted.close();
        }
        for folder in self.made().iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// One file that is being written. Dropping it removes what was written.
#[derive(Debug)]
pub(super) struct LocalFile {
    temporary: PathBuf,
    file: Option<File>,
    staging: Arc<Staging>,
}

impl LocalFile {
    pub(super) fn create(staging: Arc<Staging>, key: &str) -> Result<Self> {
        staging.walk(key, Missing::Stop)?;
        let number = staging.files.fetch_add(1, Ordering::Relaxed);
        let temporary = staging.folder.join(number.to_string());
        let file = File::create_new(&temporary).map_err(|e| failure::file("make an unfinished file", e))?;
        Ok(Self { temporary, file: Some(file), staging })
    }

    pub(super) fn write(&mut self, key: &str, bytes: &PutPayload) -> Result<()> {
        let file = self.file.as_mut().expect("a file is open until it is published");
        bytes
            .iter()
            .try_for_each(|bytes| file.write_all(bytes))
            .map_err(|e| failure::file(&format!("write `{key}`"), e))
    }

    /// Gives the file its name: in place of what stood there, or only where nothing stands. A hard link is the way to that
    /// which replaces nothing, on every system.
    pub(super) fn publish(mut self, key: &str, claim: Claim) -> Result<Published> {
        let target = target(&self.staging.root, key);
        let failed = |e| failure::file(&format!("write `{key}`"), e);
        let is_synced = self.staging.fsync == Fsync::On;
        if let (Some(file), true) = (self.file.take(), is_synced) {
            file.sync_data().map_err(failed)?;
        }
        for last in [false, true] {
            if let Err(e) = fs::symlink_metadata(&self.temporary) {
                let folder = self.staging.folder.display();
                let text = format!("could not write `{key}`: the folder of unfinished files `{folder}` is gone");
                return Err(Error::new(ErrorKind::NotFound, text).with_source(e));
            }
            self.staging.walk(key, Missing::Make)?;
            let published = match claim {
                Claim::Replace => fs::rename(&self.temporary, &target),
                Claim::Create | Claim::Look => fs::hard_link(&self.temporary, &target),
            };
            match published {
                Ok(()) => {
                    let published = Published { file: self, target };
                    return if is_synced { published.sync_name(key, claim) } else { Ok(published) };
                }
                Err(e) if claim != Claim::Replace && e.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(failure::another(key));
                }
                // Another export has removed the folder, which it had made and left empty.
                Err(e) if e.kind() == io::ErrorKind::NotFound && !last => {}
                Err(e) => return Err(failed(e)),
            }
        }
        unreachable!("the second try is the last")
    }
}

/// A file that has its name.
#[derive(Debug)]
pub(super) struct Published {
    /// With its temporary name, where it has that too: as long as it has, no other file is taken for it.
    file: LocalFile,
    target: PathBuf,
}

impl Published {
    fn sync_name(self, key: &str, claim: Claim) -> Result<Self> {
        let Err(e) = self.file.staging.sync_names(&self.target) else { return Ok(self) };
        // What replaces nothing can be taken back.
        let _ = if claim == Claim::Replace { Ok(()) } else { self.remove() };
        Err(failure::file(&format!("force `{key}` out to the disk"), e))
    }

    /// Whose file stands there by now.
    pub(super) fn owner(&self) -> Owner {
        is_same(&self.file.temporary, &self.target)
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.target)
    }
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // The folder of a relative path's first segment has no name.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// This system keeps names by itself.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a name is that of our file.
#[cfg(unix)]
fn is_same(ours: &Path, name: &Path) -> Owner {
    use std::os::unix::fs::MetadataExt;

    let id = |path| fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    match id(ours) {
        Some(ours) if id(name) == Some(ours) => Owner::We,
        Some(_) => Owner::Another,
        None => Owner::Untold,
    }
}

/// Not to be told on this system.
#[cfg(not(unix))]
fn is_same(_: &Path, _: &Path) -> Owner {
    Owner::Untold
}

/// Removes the file of a key, if it is one of those in a folder of unfinished files under another name: they were given
/// theirs by a link.
pub(super) fn unlink(root: &Path, folder: &str, key: &str) -> io::Result<bool> {
    let target = target(root, key);
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    for entry in entries {
        if is_same(&entry?.path(), &target) == Owner::We {
            return fs::remove_file(&target).map(|()| true);
        }
    }
    Ok(false)
}

/// Whether the file of a key has these bytes.
pub(super) fn has(root: &Path, key: &str, sum: &Sum) -> io::Result<bool> {
    let mut file = match File::open(target(root, key)) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(false),
        Err(e) => return Err(e),
    };
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() != sum.bytes {
        return Ok(false);
    }
    let mut digest = sum.digest();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.sum() == *sum),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Whether something stands at a key.
pub(super) fn exists(root: &Path, key: &str) -> io::Result<bool> {
    match fs::symlink_metadata(target(root, key)) {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The path of a key.
pub(super) fn target(root: &Path, key: &str) -> PathBuf {
    key.split('/').fold(root.to_path_buf(), |path, segment| path.join(segment))
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        // Not there any more once it is published.
        let _ = fs::remove_file(&self.temporary);
    }
}
