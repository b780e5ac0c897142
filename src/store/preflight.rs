//! Whether a store lets an export do what it will have to: found out by doing it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use tokio::task::spawn_blocking;

use super::exists::{self, Claim, Uploads};
use super::local::{Fsync, LocalFile, Staging, target};
use super::retry::{Limit, timely};
use super::watch::Nobody;
use super::wire::{Interface, Wire};
use super::{Backend, OnExists, Store, failure};
use crate::{Error, ErrorKind, Result};

/// Something that an export does to a store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Puts an object with one request; in a folder, writes a file and gives it its name.
    Put,
    /// Reads an object, to settle what became of a request without a clear reply.
    Get,
    /// Asks for an object that is not there, and has to hear so.
    Look,
    /// Opens an upload.
    CreateUpload,
    /// Sends a part of an upload.
    PutPart,
    /// Completes an upload.
    CompleteUpload,
    /// Gives an upload up.
    AbortUpload,
    /// Lists open uploads, which only [`Store::reap`] does.
    ListUploads,
    /// Lists objects, which only [`Store::reap`] does.
    List,
    /// Makes an object only where nothing stands, for destinations that keep what exists ([`OnExists`]).
    Create,
    /// Deletes an object.
    Delete,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 11] = [
        Self::Put,
        Self::Get,
        Self::Look,
        Self::CreateUpload,
        Self::PutPart,
        Self::CompleteUpload,
        Self::AbortUpload,
        Self::ListUploads,
        Self::List,
        Self::Create,
        Self::Delete,
    ];

    /// The action that an IAM policy has to allow for it in Amazon S3 (S3 user guide, required permissions for API
    /// operations).
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Put | Self::CreateUpload | Self::PutPart | Self::CompleteUpload | Self::Create => "s3:PutObject",
            Self::Get => "s3:GetObject",
            // Without it, S3 answers that an object which is not there is forbidden.
            Self::Look | Self::List => "s3:ListBucket",
            Self::AbortUpload => "s3:AbortMultipartUpload",
            Self::ListUploads => "s3:ListBucketMultipartUploads",
            Self::Delete => "s3:DeleteObject",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "read",
            Self::Look => "look for",
            Self::CreateUpload => "open an upload of",
            Self::PutPart => "send a part of",
            Self::CompleteUpload => "complete the upload of",
            Self::AbortUpload => "abort the upload of",
            Self::ListUploads => "list the open uploads of",
            Self::List => "list",
            Self::Create => "keep what stands at",
            Self::Delete => "delete",
        }
    }
}

/// Something that a store does not let an export do.
#[derive(Clone, Debug)]
pub struct Finding {
    operation: Operation,
    resource: Option<String>,
    error: Error,
}

impl Finding {
    /// What was tried.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The ARN of the resource for which the [action](Operation::action) is not allowed, where S3 refused it: of the
    /// objects of the folder, or of the bucket. It is that of the partition `aws`; the bucket is `*` where the store does
    /// not know its name.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// What the store said.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        match &self.resource {
            Some(resource) => {
                write!(f, "; expected a policy that allows `{}` on `{resource}`", self.operation.action())
            }
            None => Ok(()),
        }
    }
}

/// What [`Store::check`] has found: nothing, if an export can be delivered.
#[derive(Clone, Debug, Default)]
#[must_use = "what was found is in it"]
pub struct Preflight {
    findings: Vec<Finding>,
    left: Vec<String>,
}

impl Preflight {
    /// What the store does not let an export do, in the order in which it was tried.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What could not be removed again: the key of an object, or of an upload that is open, or a path.
    #[must_use]
    pub fn left(&self) -> &[String] {
        &self.left
    }

    /// The findings as one error, with the kind of the first.
    ///
    /// # Errors
    ///
    /// When there are findings.
    pub fn into_result(self) -> Result<()> {
        let Some(first) = self.findings.first() else { return Ok(()) };
        let kind = first.error.kind();
        Err(Error::new(kind, self.to_string()).with_source(first.error.clone()))
    }
}

impl fmt::Display for Preflight {
    /// One line for each finding, and one for what was left; `an export can be delivered` if there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<_> = self.findings.iter().map(Finding::to_string).collect();
        lines.extend(self.left.iter().map(|left| format!("`{left}` was left, it could not be removed")));
        if lines.is_empty() {
            return f.write_str("an export can be delivered");
        }
        f.write_str(&lines.join("\n"))
    }
}

impl Store {
    /// Does once, with a few bytes, everything that an export into a folder will have to do, and undoes it: puts, reads
    /// and deletes an object `.consign-…` in the folder, opens, completes and aborts uploads of it, asks for one that is not
    /// there, lists objects and open uploads where the store can be [reaped](Self::reap), and for a destination that keeps what exists tries whether the store
    /// can be held to that.
    /// In a local folder, a file is written, given its name, read and removed.
    ///
    /// Each refusal is a finding of its own, so that a policy can be mended at once. Where nothing can be reached, or the bucket
    /// does not exist, that is the only one. What a check leaves whose process is killed, [`reap`](Self::reap) removes. `folder` has no `/` at its ends; `""` is the root.
    ///
    /// ```
    /// # use consign::store::{OnExists, Store};
    /// # #[tokio::main]
    /// # async fn main() -> consign::Result<()> {
    /// let store = Store::from_url("memory:///")?;
    /// let preflight = store.check("campaigns/daily", OnExists::Overwrite).await;
    /// assert_eq!(preflight.to_string(), "an export can be delivered");
    /// preflight.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, the check goes on as long as the runtime runs, and removes what it made.
    pub async fn check(&self, folder: &str, on_exists: OnExists) -> Preflight {
        let name = format!(".consign-{:016x}", RandomState::new().hash_one(folder));
        let key = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let store = self.clone();
        let checked = match &self.backend {
            Backend::Folder(root) => {
                let (root, fsync) = (root.clone(), self.fsync);
                spawn_blocking(move || check_folder(&root, fsync, &key, on_exists)).await
            }
            Backend::Object(interface) => {
                let wire = Wire::new(self, interface.clone(), Arc::new(Nobody));
                let path = match self.path(&key) {
                    Ok(path) => path,
                    Err(error) => return Preflight::of(Operation::Put, error),
                };
                let check = Check { store, wire, key, path, preflight: Preflight::default() };
                tokio::spawn(check.run(on_exists)).await
            }
        };
        checked.unwrap_or_else(|e| Preflight::of(Operation::Put, failure::task("check the store", e)))
    }
}

impl Preflight {
    fn of(operation: Operation, error: Error) -> Self {
        Self { findings: vec![Finding { operation, resource: None, error }], left: Vec::new() }
    }
}

/// Takes the ways of an export to a folder.
fn check_folder(root: &FilePath, fsync: Fsync, key: &str, on_exists: OnExists) -> Preflight {
    let claim = if on_exists == OnExists::Overwrite { Claim::Replace } else { Claim::Create };
    let write = || {
        let mut file = LocalFile::create(Arc::new(Staging::create(root, &Staging::name(root), fsync, None)?), key)?;
        file.write(key, &PutPayload::from_static(BODY))?;
        file.publish(key, claim)
    };
    let published = match write() {
        Ok(published) => published,
        Err(error) => return Preflight::of(Operation::Put, error),
    };
    let mut preflight = match std::fs::read(target(root, key)) {
        Ok(read) if read == BODY => Preflight::default(),
        Ok(_) => Preflight::of(Operation::Get, other_bytes(key)),
        Err(e) => Preflight::of(Operation::Get, failure::file(&format!("read `{key}`"), e)),
    };
    if let Err(e) = published.remove() {
        let error = failure::file(&format!("delete `{key}`"), e);
        preflight.findings.push(Finding { operation: Operation::Delete, resource: None, error });
        preflight.left.push(target(root, key).display().to_string());
    }
    preflight
}

/// What is written.
pub(super) const BODY: &[u8] = b"a check of consign\n";

#[cold]
fn other_bytes(key: &str) -> Error {
    Error::new(ErrorKind::Store, format!("could not read `{key}`: found other bytes than were written"))
}

/// A check of an object store that is under way.
struct Check {
    store: Store,
    wire: Wire,
    key: String,
    path: Path,
    preflight: Preflight,
}

impl Check {
    async fn run(mut self, on_exists: OnExists) -> Preflight {
        let putting = self.wire.store().put(&self.path, PutPayload::from_static(BODY));
        let put = timely(Limit::SHORT, putting).await.map(drop);
        let nobody = put.as_ref().is_err_and(failure::is_no_connection);
        let put = self.note(Operation::Put, put);
        match self.preflight.findings.first().map(|finding| finding.error.kind()) {
            Some(ErrorKind::Unreachable) if nobody => return self.preflight,
            Some(ErrorKind::Unreachable) => {
                // It may be there.
                self.delete().await;
                return self.preflight;
            }
            Some(ErrorKind::NotFound) => return self.preflight,
            _ => {}
        }
        self.look().await;
        if put.is_some() {
            self.get().await;
        }
        self.uploads().await;
        #[cfg(feature = "aws")]
        if self.store.s3.is_some()
            && let Err(error) = super::uploads::list(&self.store, &self.key).await
        {
            self.find(Operation::ListUploads, error);
        }
        #[cfg(feature = "aws")]
        if self.store.s3.is_some()
            && let Err(error) = super::objects::list(&self.store, &self.key).await
        {
            self.find(Operation::List, error);
        }
        let is_of_uploads = |finding: &Finding| {
            matches!(finding.operation, Operation::CreateUpload | Operation::PutPart | Operation::AbortUpload)
        };
        let uploads =
            if self.preflight.findings.iter().any(is_of_uploads) { Uploads::Refused } else { Uploads::Allowed };
        if let Err(error) = exists::check(&self.store, &self.wire, on_exists, &self.path, uploads).await {
            self.find(Operation::Create, error);
        }
        self.delete().await;
        self.preflight
    }

    /// Asks for an object that is not there.
    async fn look(&mut self) {
        let Ok(missing) = Path::parse(format!("{}-missing", self.path)) else { return };
        match timely(Limit::SHORT, self.wire.store().head(&missing)).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(e) => drop(self.note::<()>(Operation::Look, Err(e))),
        }
    }

    async fn get(&mut self) {
        let read = timely(Limit::SHORT, async { self.wire.store().get(&self.path).await?.bytes().await }).await;
        if self.note(Operation::Get, read).is_some_and(|read| read != BODY) {
            self.find(Operation::Get, other_bytes(&self.key));
        }
    }

    /// Opens an upload and aborts it, then another, and completes it.
    async fn uploads(&mut self) {
        for end in [Operation::AbortUpload, Operation::CompleteUpload] {
            let opened = match self.wire.interface().clone() {
                Interface::Object(store) => self.object_upload(store.as_ref(), end).await,
                Interface::Parts(_) => self.parts_upload(end).await,
            };
            // Whatever else there is to find is found only by an upload that was opened.
            if opened.is_none() {
                return;
            }
        }
    }

    async fn object_upload(&mut self, store: &dyn object_store::ObjectStore, end: Operation) -> Option<()> {
        let opened = timely(Limit::SHORT, store.put_multipart(&self.path)).await;
        let mut upload = self.note(Operation::CreateUpload, opened)?;
        let sent = timely(Limit::SHORT, upload.put_part(PutPayload::from_static(BODY))).await;
        let sent = self.note(Operation::PutPart, sent);
        if end == Operation::CompleteUpload && sent.is_some() {
            let completed = timely(Limit::of_parts(1), upload.complete()).await.map(drop);
            if self.note(end, completed).is_some() {
                return Some(());
            }
        }
        let aborted = timely(Limit::SHORT, upload.abort()).await;
        self.aborted(aborted, end)
    }

    async fn parts_upload(&mut self, end: Operation) -> Option<()> {
        let Interface::Parts(parts) = self.wire.interface().clone() else { return None };
        let opened = timely(Limit::SHORT, parts.create_multipart(&self.path)).await;
        let id = self.note(Operation::CreateUpload, opened)?;
        let sent = timely(Limit::SHORT, parts.put_part(&self.path, &id, 0, PutPayload::from_static(BODY))).await;
        let sent = self.note(Operation::PutPart, sent);
        if let (Operation::CompleteUpload, Some(part)) = (end, sent) {
            let completing = parts.complete_multipart(&self.path, &id, vec![part]);
            let completed = timely(Limit::of_parts(1), completing).await.map(drop);
            if self.note(end, completed).is_some() {
                return Some(());
            }
        }
        let aborted = timely(Limit::SHORT, parts.abort_multipart(&self.path, &id)).await;
        self.aborted(aborted, end)
    }

    /// What became of an abort; whether another upload is worth trying.
    fn aborted(&mut self, aborted: object_store::Result<()>, end: Operation) -> Option<()> {
        let aborted = match aborted {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            aborted => aborted,
        };
        if let Err(e) = aborted {
            self.preflight.left.push(format!("{} (an open upload)", self.key));
            if end == Operation::AbortUpload {
                return self.note(Operation::AbortUpload, Err(e));
            }
        }
        Some(())
    }

    async fn delete(&mut self) {
        let deleted = match timely(Limit::SHORT, self.wire.store().delete(&self.path)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted,
        };
        if self.note(Operation::Delete, deleted).is_none() {
            self.preflight.left.push(self.key.clone());
        }
    }

    /// Notes what failed, and gives back what did not.
    fn note<T>(&mut self, operation: Operation, tried: object_store::Result<T>) -> Option<T> {
        match tried {
            Ok(done) => Some(done),
            Err(e) => {
                let error = failure::object(&format!("{} `{}`", operation.verb(), self.key), e);
                self.find(operation, error);
                None
            }
        }
    }

    /// A refusal is told once, with what would have to be allowed.
    fn find(&mut self, operation: Operation, error: Error) {
        if self.preflight.findings.iter().any(|finding| finding.operation == operation) {
            return;
        }
        let resource = (error.kind() == ErrorKind::Denied).then(|| self.resource(operation)).flatten();
        self.preflight.findings.push(Finding { operation, resource, error });
    }

    #[cfg(feature = "aws")]
    fn resource(&self, operation: Operation) -> Option<String> {
        self.store.s3.as_ref()?;
        let bucket = self.store.bucket().unwrap_or("*");
        Some(match operation {
            Operation::Look | Operation::ListUploads | Operation::List => format!("arn:aws:s3:::{bucket}"),
            _ => {
                // The store's own folder, and that of the export; the name in it is any.
                let prefix =
                    self.path.as_ref().rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                format!("arn:aws:s3:::{bucket}/{prefix}*")
            }
        })
    }

    #[cfg(not(feature = "aws"))]
    #[expect(clippy::unused_self, reason = "with S3, it is asked")]
    fn resource(&self, _: Operation) -> Option<String> {
        None
    }
}
