//! Why a key cannot be encrypted to.

use std::fmt;

use crate::Span;

/// A key that cannot be encrypted to: what was found, and what was expected.
///
/// The text never holds bytes of the key, since they could be those of a secret one; `{:#}` prints the same as `{}`.
///
/// ```
/// use chrono::Utc;
/// use consign::layer::encrypt::{Recipient, RecipientErrorKind};
///
/// let e = Recipient::parse(b"-----BEGIN PGP PRIVATE KEY BLOCK-----", Utc::now()).unwrap_err();
/// assert_eq!(e.kind(), RecipientErrorKind::Secret);
/// assert_eq!(e.to_string(), "expected an OpenPGP public key, found the secret key `PGP PRIVATE KEY BLOCK`");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecipientError {
    kind: RecipientErrorKind,
    text: String,
    span: Span,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RecipientErrorKind {
    /// There is no key at all.
    Missing,
    /// The input is something else than an OpenPGP public key.
    Form,
    /// The input is an OpenPGP key that is cut off or garbled.
    Damaged,
    /// The input is a secret key, of OpenPGP or another kind.
    Secret,
    /// The key or its subkey is valid from a later time on.
    Early,
    /// The key or its subkey has expired.
    Expired,
    /// The key or its subkey has been revoked.
    Revoked,
    /// The key is too short, or its self-signatures rest on SHA-1.
    Weak,
    /// No valid self-signature binds the key to its user or its subkey.
    Unbound,
    /// The key is for signing only.
    SigningOnly,
    /// The key's algorithm, curve or version is not supported.
    Unsupported,
}

impl RecipientError {
    #[cold]
    pub(super) fn new(kind: RecipientErrorKind, text: impl Into<String>, span: Span) -> Self {
        Self { kind, text: text.into(), span }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> RecipientErrorKind {
        self.kind
    }

    /// Where in the input: the armored block at fault, or all of it.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for RecipientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for RecipientError {}

impl From<RecipientError> for crate::Error {
    fn from(error: RecipientError) -> Self {
        Self::new(crate::ErrorKind::Recipient, "could not use the recipient's key").with_source(error)
    }
}
