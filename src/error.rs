//! The crate's one error type: what kind of failure, what was being done, and the cause.
//!
//! Parsers have leaf errors of their own beside their types (with spans and carets); each converts into [`Error`],
//! which keeps it as its [`source`](std::error::Error::source). An export that has failed returns its first error
//! from every later call, so an `Error` is cheap to clone.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// A specialised result: `Result<T, consign::Error>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something failed: a kind to act on, a text that says what was being done, and the source.
///
/// `{}` prints the text alone, as is usual for errors with a source; `{:#}` prints the whole chain on one line.
///
/// ```
/// use consign::{Error, ErrorKind};
///
/// let e = Error::new(ErrorKind::Full, "could not write `a.csv`").with_source(std::io::Error::other("no space left"));
/// assert_eq!(e.kind(), ErrorKind::Full);
/// assert_eq!(e.to_string(), "could not write `a.csv`");
/// assert_eq!(format!("{e:#}"), "could not write `a.csv`: no space left");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind; `text` is a lowercase fragment that says what was wrong and where.
    #[cold]
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, text: text.into(), source: None }))
    }

    /// The same error with its cause. A cause that was there before is replaced.
    #[cold]
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(Arc::new(Inner { kind: self.0.kind, text: self.0.text.clone(), source: Some(Arc::from(source.into())) }))
    }

    /// The same error with more behind its text.
    #[cold]
    pub(crate) fn with_note(self, note: &str) -> Self {
        let text = format!("{}; {note}", self.0.text);
        Self(Arc::new(Inner { kind: self.0.kind, text, source: self.0.source.clone() }))
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)?;
        if f.alternate() {
            let mut next = self.source();
            while let Some(e) = next {
                write!(f, ": {e}")?;
                next = e.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, \"{self:#}\")", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A bucket, folder, key or template is not what its rules ask for.
    Name,
    /// The destination is wrong: a field of its JSON, or two of its settings that exclude one another.
    Destination,
    /// A recipient's key cannot be used: it is no public key, has expired, is too weak, and so on.
    Recipient,
    /// The context of an export lacks a value that a template needs.
    Context,
    /// A row does not fit: too many or too few fields, or a value that cannot be written.
    Row,
    /// The input could not be read: an I/O error, or bytes that are no CSV or no UTF-8.
    Input,
    /// A layer (compression, encryption) failed.
    Layer,
    /// The bucket, container or folder does not exist.
    NotFound,
    /// The store refused: wrong credentials, or no permission.
    Denied,
    /// The store could not be reached, or did not answer in time.
    Unreachable,
    /// No room is left on the device.
    Full,
    /// Something stands at a key that had to be free.
    Exists,
    /// The store did not say whether it completed a file, and could not be asked, or may do it yet.
    Unknown,
    /// Any other failure of the store.
    Store,
    /// An export cannot go on where another died: its rows, its destination or its journal are not those of that one.
    Resume,
    /// The export was aborted or dropped before its commit.
    Aborted,
    /// A bug in this crate: please report it.
    Internal,
}
