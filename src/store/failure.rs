//! What a failure of a store means for a caller.

use std::error::Error as StdError;
use std::io;

use crate::{Error, ErrorKind};

/// The failure of an object store while `doing` something, such as ``write `a.csv` ``.
#[cold]
pub(super) fn object(doing: &str, error: object_store::Error) -> Error {
    let kind = kind_of(&error);
    Error::new(kind, format!("could not {doing}: {}", meaning(kind))).with_source(error)
}

/// A file that is not there.
#[cold]
pub(super) fn not_written(key: &str, error: object_store::Error) -> Error {
    let kind = kind_of(&error);
    Error::new(kind, format!("could not complete `{key}`: not written, {}", meaning(kind))).with_source(error)
}

/// A file that may be there, whole: the reply was lost, and the store cannot be asked.
#[cold]
pub(super) fn unknown(key: &str, error: object_store::Error) -> Error {
    let text = format!("could not complete `{key}`: unknown whether it was written, the store gave no clear answer");
    Error::new(ErrorKind::Unknown, text).with_source(error)
}

/// A key that had to be free, and no longer is.
#[cold]
pub(super) fn another(key: &str) -> Error {
    let text = format!("could not complete `{key}`: written by another meanwhile, and left as it is");
    Error::new(ErrorKind::Exists, text)
}

/// The failure of a file system while `doing` something.
#[cold]
pub(super) fn file(doing: &str, error: io::Error) -> Error {
    let kind = kind_of_io(&error);
    Error::new(kind, format!("could not {doing}: {}", meaning(kind))).with_source(error)
}

/// The failure of a task of ours: it panicked, or its runtime was shut down.
#[cold]
pub(super) fn task(doing: &str, error: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, format!("could not {doing}: its task did not end")).with_source(error)
}

/// Whether the store refused the credentials.
pub(super) fn is_refusal(error: &object_store::Error) -> bool {
    kind_of(error) == ErrorKind::Denied
}

/// Whether there was no server to take the request.
pub(super) fn is_no_connection(error: &object_store::Error) -> bool {
    sources(error).any(|error| {
        #[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
        if let Some(error) = error.downcast_ref::<object_store::client::HttpError>() {
            return error.kind() == object_store::client::HttpErrorKind::Connect;
        }
        error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    })
}

fn kind_of(error: &object_store::Error) -> ErrorKind {
    use object_store::Error as Cause;

    match error {
        Cause::NotFound { .. } => ErrorKind::NotFound,
        Cause::AlreadyExists { .. } | Cause::Precondition { .. } => ErrorKind::Exists,
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => ErrorKind::Denied,
        other => kind_of_sources(other),
    }
}

fn meaning(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "the bucket or folder does not exist",
        ErrorKind::Denied => "the store refused, check the credentials and their permissions",
        ErrorKind::Unreachable => "the store cannot be reached",
        ErrorKind::Full => "no room is left on the device",
        ErrorKind::Exists => "something stands at this key",
        _ => "the store failed",
    }
}

fn kind_of_sources(error: &(dyn StdError + 'static)) -> ErrorKind {
    for error in sources(error) {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return kind_of_io(error);
        }
        #[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
        if let Some(error) = error.downcast_ref::<object_store::client::HttpError>() {
            use object_store::client::HttpErrorKind as Http;
            if matches!(error.kind(), Http::Connect | Http::Timeout | Http::Interrupted | Http::Request) {
                return ErrorKind::Unreachable;
            }
        }
    }
    ErrorKind::Store
}

/// An error, its cause, the cause of that, and so on.
fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn kind_of_io(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => ErrorKind::Exists,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::TimedOut => ErrorKind::Unreachable,
        _ => ErrorKind::Store,
    }
}
