//! What a failure of a store means for a caller.

use std::error::Error as StdError;
use std::io;

use crate::{Error, ErrorKind};

/// The failure of an object store while `doing` something, such as ``write `a.csv` ``.
#[cold]
pub(super) fn object(doing: &str, error: object_store::Error) -> Error {
    use object_store::Error as Cause;

    let kind = match &error {
        Cause::NotFound { .. } => ErrorKind::NotFound,
        Cause::AlreadyExists { .. } | Cause::Precondition { .. } => ErrorKind::Exists,
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => ErrorKind::Denied,
        other => kind_of_sources(other),
    };
    Error::new(kind, format!("could not {doing}: {}", meaning(kind))).with_source(error)
}

/// A file that may be there, whole: the reply was lost, and the store cannot be asked.
#[cold]
pub(super) fn unknown(doing: &str, error: object_store::Error) -> Error {
    let text = format!("could not {doing}: unknown whether it was written, the store gave no clear answer");
    Error::new(ErrorKind::Unknown, text).with_source(error)
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
    let mut next = Some(error);
    while let Some(error) = next {
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
        next = error.source();
    }
    ErrorKind::Store
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
