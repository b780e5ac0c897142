//! Compression of a file: gzip, or none.

use std::fmt;
use std::str::FromStr;

use crate::Span;
use crate::layer::Layer;
use crate::span::Caret;

#[cfg(feature = "gzip")]
mod gzip;

#[cfg(feature = "gzip")]
pub use self::gzip::{Gzip, GzipLevel, GzipLevelError};

/// How the bytes of each file are compressed; the default is not at all.
///
/// It is parsed from the names that the platform's API uses, in any case, and printed in upper case:
///
/// ```
/// # #[cfg(feature = "gzip")] {
/// use consign::layer::Layer;
/// use consign::layer::compress::Compression;
///
/// let compression: Compression = "gzip".parse()?;
/// assert_eq!(compression, Compression::gzip());
/// assert_eq!(compression.to_string(), "GZIP");
/// assert_eq!(compression.layer().unwrap().extension(), ".gz");
/// assert!(Compression::None.layer().is_none());
/// # }
/// # Ok::<_, consign::layer::compress::CompressionError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Compression {
    /// The bytes stay as they are.
    #[default]
    None,
    /// One gzip member (RFC 1952), extension `.gz`; see [`Gzip`].
    #[cfg(feature = "gzip")]
    Gzip(GzipLevel),
}

impl Compression {
    /// Gzip at the default level.
    #[cfg(feature = "gzip")]
    #[must_use]
    pub const fn gzip() -> Self {
        Self::Gzip(GzipLevel::DEFAULT)
    }

    /// The layer that does it, or none.
    #[must_use]
    pub fn layer(&self) -> Option<Box<dyn Layer>> {
        match *self {
            Self::None => None,
            #[cfg(feature = "gzip")]
            Self::Gzip(level) => Some(Box::new(Gzip::new(level))),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "NONE",
            #[cfg(feature = "gzip")]
            Self::Gzip(_) => "GZIP",
        })
    }
}

impl FromStr for Compression {
    type Err = CompressionError;

    /// Parses `NONE` or `GZIP`, in any case; gzip gets the default level.
    fn from_str(text: &str) -> Result<Self, CompressionError> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self::None);
        }
        #[cfg(feature = "gzip")]
        if text.eq_ignore_ascii_case("gzip") {
            return Ok(Self::gzip());
        }
        let kind = if text.eq_ignore_ascii_case("gzip") {
            CompressionErrorKind::NotBuilt
        } else {
            CompressionErrorKind::Unknown
        };
        Err(CompressionError { kind, text: text.into() })
    }
}

/// A text that names no [`Compression`].
///
/// `{}` prints one line, `{:#}` adds the text with carets under what is wrong.
///
/// ```
/// use consign::layer::compress::{Compression, CompressionErrorKind};
///
/// let e = "SNAPPY".parse::<Compression>().unwrap_err();
/// assert_eq!(e.kind(), CompressionErrorKind::Unknown);
/// assert_eq!(e.to_string(), "expected compression `NONE` or `GZIP`, found `SNAPPY`");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CompressionError {
    kind: CompressionErrorKind,
    text: String,
}

/// What is wrong with a text that names no [`Compression`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CompressionErrorKind {
    /// The name is none that this crate knows.
    Unknown,
    /// The name is known, but the crate was built without the feature that it needs.
    NotBuilt,
}

impl CompressionError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> CompressionErrorKind {
        self.kind
    }

    /// Where: the whole text.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(0, self.text.len())
    }
}

impl fmt::Display for CompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CompressionErrorKind::Unknown => {
                write!(f, "expected compression `NONE` or `GZIP`, found `{}`", self.text.escape_debug())?;
            }
            CompressionErrorKind::NotBuilt => {
                write!(f, "compression `{}` needs the crate's feature `gzip`, which is off", self.text)?;
            }
        }
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.text, span: self.span() })?;
        }
        Ok(())
    }
}

impl std::error::Error for CompressionError {}

impl From<CompressionError> for crate::Error {
    fn from(error: CompressionError) -> Self {
        Self::new(crate::ErrorKind::Destination, "could not parse the compression").with_source(error)
    }
}

#[cfg(all(test, not(feature = "gzip")))]
mod tests {
    use super::*;

    #[test]
    fn gzip_needs_its_feature() {
        let e = "GZIP".parse::<Compression>().unwrap_err();
        assert_eq!(e.kind(), CompressionErrorKind::NotBuilt);
        assert_eq!(e.to_string(), "compression `GZIP` needs the crate's feature `gzip`, which is off");
        assert_eq!("NONE".parse::<Compression>().unwrap(), Compression::None);
    }
}
