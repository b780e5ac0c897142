//! What is wrong with a dialect, and why a record could not be written.

use std::fmt;

use super::HazardKind;
use crate::span::Caret;
use crate::{ErrorKind, Span};

/// A part of a dialect is not what it may be, or two parts exclude one another.
///
/// `{}` prints one line. Where the fault lies inside a text that was parsed, `{:#}` adds that text with carets under
/// the fault.
///
/// ```
/// use consign::format::csv::Terminator;
///
/// let e = "".parse::<Terminator>().unwrap_err();
/// assert_eq!(e.to_string(), "expected a terminator of at least one character, found an empty text");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DialectError(Box<Inner>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Inner {
    kind: DialectErrorKind,
    text: String,
    place: Option<(String, Span)>,
}

/// Which part of a dialect a [`DialectError`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DialectErrorKind {
    /// The charset is not one that can be written.
    Charset,
    /// Two parts exclude one another, such as a delimiter that is also the quote.
    Clash,
    /// The comment character.
    Comment,
    /// The delimiter.
    Delimiter,
    /// The text for empty values.
    Empty,
    /// The escape character, or the one that escapes it.
    Escape,
    /// A date, time or number format.
    Format,
    /// The text for null.
    Null,
    /// An option that nobody knows, or a value that the option does not take.
    Option,
    /// The quote character.
    Quote,
    /// The terminator of records.
    Terminator,
}

impl DialectError {
    #[cold]
    pub(crate) fn new(kind: DialectErrorKind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, text: text.into(), place: None }))
    }

    #[cold]
    pub(crate) fn at(mut self, input: &str, span: Span) -> Self {
        self.0.place = Some((input.to_owned(), span));
        self
    }

    /// Which part is at fault.
    #[must_use]
    pub fn kind(&self) -> DialectErrorKind {
        self.0.kind
    }

    /// Where in the parsed text the fault lies; empty at 0 where no text was parsed.
    #[must_use]
    pub fn span(&self) -> Span {
        self.0.place.as_ref().map_or_else(Span::default, |place| place.1)
    }
}

impl fmt::Display for DialectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)?;
        match &self.0.place {
            Some((text, span)) if f.alternate() => write!(f, "\n{}", Caret { text, span: *span }),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for DialectError {}

impl From<DialectError> for crate::Error {
    fn from(error: DialectError) -> Self {
        Self::new(ErrorKind::Destination, "the CSV dialect cannot be used").with_source(error)
    }
}

/// A record could not be written: the column at fault, and what would be right.
///
/// The text names neither row nor column, since only the caller knows the row's number and the column's name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncodeError(Box<EncodeInner>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct EncodeInner {
    column: usize,
    kind: EncodeErrorKind,
    text: String,
}

/// Why a field could not be written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The dialect's reader would read another value, and the dialect refuses such cells.
    Hazard(HazardKind),
    /// A list, map or struct, and the dialect refuses them.
    Nested,
    /// There is no text for the value or for its type.
    NoText,
    /// A character has no place in the charset.
    Unmappable,
    /// The text holds a delimiter, quote or terminator, and the dialect has no quotes.
    Unquotable,
}

impl EncodeError {
    #[cold]
    pub(crate) fn new(column: usize, kind: EncodeErrorKind, text: impl Into<String>) -> Self {
        Self(Box::new(EncodeInner { column, kind, text: text.into() }))
    }

    /// The zero-based place of the field in its record.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column
    }

    /// Why the field could not be written.
    #[must_use]
    pub fn kind(&self) -> EncodeErrorKind {
        self.0.kind
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for EncodeError {}

impl From<EncodeError> for crate::Error {
    fn from(error: EncodeError) -> Self {
        Self::new(ErrorKind::Row, format!("could not write field {} of a record", error.column() + 1))
            .with_source(error)
    }
}

/// A row of a batch could not be written.
///
/// The text is the error's own: only the caller knows the row's number in the table and the column's name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordError {
    row: usize,
    error: EncodeError,
}

impl RecordError {
    pub(crate) fn new(row: usize, error: EncodeError) -> Self {
        Self { row, error }
    }

    /// The zero-based place of the row in its batch.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// What was wrong with it.
    #[must_use]
    pub fn error(&self) -> &EncodeError {
        &self.error
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for RecordError {}

impl From<RecordError> for crate::Error {
    fn from(error: RecordError) -> Self {
        let text = format!("could not write row {} of a batch, field {}", error.row + 1, error.error.column() + 1);
        Self::new(ErrorKind::Row, text).with_source(error)
    }
}
