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
    let meaning = if error.to_string().contains("<Code>NoSuchUpload<") {
        "its upload is gone: aborted by another, or by a rule of the bucket"
    } else {
        meaning(kind)
    };
    Error::new(kind, format!("could not complete `{key}`: not written, {meaning}")).with_source(error)
}

/// A file of which the store has not as many bytes as were made.
#[cold]
pub(super) fn incomplete(key: &str, found: u64, expected: u64) -> Error {
    let text = format!(
        "could not complete `{key}`: not written, its parts in the store have {found} bytes together: expected {expected}"
    );
    Error::new(ErrorKind::Internal, text)
}

/// A file that may have been there, whole, until another took its place.
#[cold]
pub(super) fn replaced(key: &str, error: object_store::Error) -> Error {
    let text = format!(
        "could not complete `{key}`: unknown whether it was written, its upload is gone, and what stands there is \
         another's, which may have replaced it"
    );
    Error::new(ErrorKind::Unknown, text).with_source(error)
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

/// A file that an export which died had sent, and that is neither there nor can be completed.
#[cold]
pub(super) fn gone(key: &str) -> Error {
    let text = format!(
        "`{key}` cannot be resumed: the export that died had sent it, but its upload is gone, and what it was completed \
         to is not there or is another file by now: reap the journal, and start afresh"
    );
    Error::new(ErrorKind::Resume, text)
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
            // A connection that could not be made in time is told as the latter.
            return error.kind() == object_store::client::HttpErrorKind::Connect
                || sources(error).any(|e| e.to_string() == "client error (Connect)");
        }
        error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
    })
}

/// Whether a request may have come to a server that said nothing, and take effect as late as it likes. Gateways say so for
/// those behind them.
pub(super) fn is_unanswered(error: &object_store::Error) -> bool {
    let is_of_gateway = || {
        let text = error.to_string();
        ["status code: 502", "status code: 504"].iter().any(|status| text.contains(status))
    };
    kind_of(error) == ErrorKind::Unreachable && !is_no_connection(error) || is_of_gateway()
}

pub(super) fn kind_of(error: &object_store::Error) -> ErrorKind {
    use object_store::Error as Cause;

    match error {
        Cause::NotFound { .. } => ErrorKind::NotFound,
        Cause::AlreadyExists { .. } | Cause::Precondition { .. } => ErrorKind::Exists,
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => ErrorKind::Denied,
        other if is_refusal_by_text(other) => ErrorKind::Denied,
        other => kind_of_sources(other),
    }
}

/// Whether a request for several objects at once was refused, as a delete is sent: that is known by its text alone.
fn is_refusal_by_text(error: &object_store::Error) -> bool {
    let object_store::Error::Generic { source, .. } = error else { return false };
    let text = source.to_string();
    ["status code: 401", "status code: 403", "(code: AccessDenied)"].iter().any(|refusal| text.contains(refusal))
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
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorKind::NotFound,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// S3 answers a request for several objects with 200, and says of each what became of it.
    #[test]
    fn a_refusal_within_an_answer_is_a_refusal() {
        let text = "DeleteObjects request failed for key a.csv: Access Denied (code: AccessDenied)";
        let error = object("delete `a.csv`", object_store::Error::Generic { store: "S3", source: text.into() });
        let text = "could not delete `a.csv`: the store refused, check the credentials and their permissions";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Denied, text));
    }
}
