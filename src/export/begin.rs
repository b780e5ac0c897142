//! The start of an export that keeps what exists: its names are looked at before anything is sent.

use std::num::{NonZeroU32, NonZeroU64};

use super::pipeline::Run;
use crate::destination::{Destination, ManifestFile};
use crate::location::ObjectKey;
use crate::store::{OnExists, Store, Uploader};
use crate::template::Context;
use crate::{Error, ErrorKind, Result};

/// Checks what needs no store to be asked: that it is the destination's bucket, and that all names can be made.
pub(super) fn check(destination: &Destination, store: &Store, context: &Context, run_id: &str) -> Result<()> {
    if let Some(bucket) = store.bucket()
        && bucket != destination.bucket().as_str()
    {
        let wanted = destination.bucket();
        let text = format!("the destination's bucket is `{wanted}`, but the store is the bucket `{bucket}`");
        return Err(Error::new(ErrorKind::Destination, text));
    }
    destination.check_names(context, run_id)
}

/// Whether an export goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Begun {
    Go,
    /// It is there already, and is not delivered again.
    Skip,
}

/// Looks at the names, and chooses others where the destination says so. An export
/// that goes on has the number behind its names that the one had which died.
pub(super) async fn begin(run: &mut Run, uploader: &Uploader, resumed: Option<NonZeroU32>) -> Result<Begun> {
    let rule = run.destination.on_exists();
    match rule {
        OnExists::Overwrite => return Ok(Begun::Go),
        OnExists::Fail => {
            if let Some(key) = taken(run, &run.destination, uploader).await? {
                return Err(exists(&key));
            }
        }
        OnExists::Skip => {
            if taken(run, &run.destination, uploader).await?.is_some() {
                return Ok(Begun::Skip);
            }
        }
        OnExists::Suffix => {
            run.destination = match resumed {
                // Its files are bound to their names.
                Some(number) => {
                    let destination = run.destination.with_number(number);
                    match taken(run, &destination, uploader).await? {
                        Some(key) => return Err(exists(&key)),
                        None => destination,
                    }
                }
                None => free(run, uploader).await?,
            }
        }
    }
    Ok(Begun::Go)
}

#[cold]
fn exists(key: &ObjectKey) -> Error {
    Error::new(ErrorKind::Exists, format!("`{key}` exists, and this destination replaces nothing"))
}

/// Makes the uploader keep what exists, as the destination says.
pub(super) async fn keep(run: &Run, uploader: &mut Uploader) -> Result<()> {
    let key = run.destination.file_key(&run.context, NonZeroU64::MIN)?;
    uploader.keep(run.destination.on_exists(), key.as_str()).await
}

/// The destination with the first number behind its names that makes them free, or with none if they are.
async fn free(run: &Run, uploader: &Uploader) -> Result<Destination> {
    let plain = &run.destination;
    let Some(first) = taken(run, plain, uploader).await? else { return Ok(plain.clone()) };
    for number in 2..=Destination::MAX_SUFFIX.get() {
        let destination = plain.with_number(NonZeroU32::new(number).expect("the numbers begin with 2"));
        if taken(run, &destination, uploader).await?.is_none() {
            return Ok(destination);
        }
    }
    let text = format!("`{first}` exists, and so do its names with `-2` to `-{}`", Destination::MAX_SUFFIX);
    Err(Error::new(ErrorKind::Exists, text))
}

/// The first of an export's names at which something stands: of those that every export has.
async fn taken(run: &Run, destination: &Destination, uploader: &Uploader) -> Result<Option<ObjectKey>> {
    let file = destination.file_key(&run.context, NonZeroU64::MIN)?;
    if uploader.exists(file.as_str()).await? {
        return Ok(Some(file));
    }
    if destination.manifest() == ManifestFile::Write {
        let manifest = destination.manifest_key(&run.context, &run.id)?;
        if uploader.exists(manifest.as_str()).await? {
            return Ok(Some(manifest));
        }
    }
    Ok(None)
}
