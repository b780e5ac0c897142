//! Files in a local folder: written under a temporary name, given their own when the export commits.
//!
//! The temporary files stand in a folder of ours at the root of the store, so that the rename stays on one file system
//! and whoever lists the data's own folders never sees them. The folder goes when the export ends, however it ends, and
//! so do the folders above it that were made for it, if nothing has been delivered into them.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::PutPayload;

use super::exists::Claim;
use super::failure;
use super::wire::Owner;
use crate::Result;

/// The folder of the temporary files of one export.
#[derive(Debug)]
pub(super) struct Staging {
    root: PathBuf,
    folder: PathBuf,
    /// The folders that were made for it, the deepest first.
    made: Vec<PathBuf>,
    files: AtomicU64,
}

impl Staging {
    /// Makes the folder, and the root above it where it is not there yet.
    pub(super) fn create(root: &Path) -> Result<Self> {
        let doing = || format!("make a folder for unfinished files in `{}`", root.display());
        let made: Vec<_> = root.ancestors().take_while(|path| !path.exists()).map(Path::to_path_buf).collect();
        fs::create_dir_all(root).map_err(|e| failure::file(&doing(), e))?;
        loop {
            // A name that two exports hardly ever share: whoever comes second takes another one.
            let folder = root.join(format!(".consign-{:016x}", RandomState::new().hash_one(root)));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Self { root: root.to_path_buf(), folder, made, files: AtomicU64::new(0) }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failure::file(&doing(), e)),
            }
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed holds something that is not ours, or was delivered.
        let _ = fs::remove_dir(&self.folder);
        for folder in &self.made {
            if fs::remove_dir(folder).is_err() {
                break;
            }
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
    pub(super) fn create(staging: Arc<Staging>) -> Result<Self> {
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
        let mut publish = || {
            if let Some(file) = self.file.take() {
                // A manifest must not outlive the bytes that it names, and some file systems tell a failed write only here.
                file.sync_data()?;
            }
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            match claim {
                Claim::Replace => fs::rename(&self.temporary, &target),
                Claim::Create | Claim::Look => fs::hard_link(&self.temporary, &target),
            }
        };
        match publish() {
            Ok(()) => Ok(Published { file: self, target }),
            Err(e) if claim != Claim::Replace && e.kind() == io::ErrorKind::AlreadyExists => Err(failure::another(key)),
            Err(e) => Err(failure::file(&format!("write `{key}`"), e)),
        }
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
    /// Whose file stands there by now.
    pub(super) fn owner(&self) -> Owner {
        is_same(&self.file.temporary, &self.target)
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.target)
    }
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

/// Whether something stands at a key.
pub(super) fn exists(root: &Path, key: &str) -> io::Result<bool> {
    match fs::symlink_metadata(target(root, key)) {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The path of a key.
fn target(root: &Path, key: &str) -> PathBuf {
    key.split('/').fold(root.to_path_buf(), |path, segment| path.join(segment))
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        // Not there any more once it is published.
        let _ = fs::remove_file(&self.temporary);
    }
}
