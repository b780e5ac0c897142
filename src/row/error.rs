//! What can be wrong with a row, before a format has looked at it.

use std::fmt;

use crate::{Error, ErrorKind};

/// A row or a list of columns that does not fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowError {
    kind: RowErrorKind,
}

/// What does not fit.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RowErrorKind {
    /// The row has another number of fields than the table has columns.
    Width {
        /// How many columns the table has.
        expected: usize,
        /// How many fields the row has.
        found: usize,
    },
    /// The row's field at this position has another name than the table's column.
    Name {
        /// The column's name.
        expected: String,
        /// The field's name.
        found: String,
    },
    /// A field that must be text is not UTF-8.
    Utf8 {
        /// The field's position, zero-based.
        column: usize,
        /// How many bytes of the field are valid.
        valid: usize,
    },
    /// A value of a `Serialize` type that no field can hold.
    Unsupported {
        /// What the value is, and what would be right.
        what: String,
    },
    /// The values of a row take more than [`Batch::MAX_BYTES`](super::Batch::MAX_BYTES).
    TooLarge,
    /// A column that the destination asks for is not in the input.
    Missing {
        /// The column that was asked for.
        column: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// Two columns of a mapping would get one name.
    Duplicate {
        /// The name.
        column: String,
    },
    /// A column's new name holds a dot, which the platform does not take.
    Dot {
        /// The name.
        column: String,
    },
}

impl RowError {
    pub(super) fn new(kind: RowErrorKind) -> Self {
        Self { kind }
    }

    /// What does not fit.
    #[must_use]
    pub fn kind(&self) -> &RowErrorKind {
        &self.kind
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RowErrorKind::Width { expected, found } => {
                write!(f, "expected {} as the table has columns, found {found}", Fields(*expected))
            }
            RowErrorKind::Name { expected, found } => {
                write!(
                    f,
                    "expected field `{expected}`, found `{found}`: every row must have the same fields in the same order"
                )
            }
            RowErrorKind::Utf8 { column, valid } => {
                write!(f, "field {} is not UTF-8: byte {} cannot be read as text", column + 1, valid + 1)
            }
            RowErrorKind::Unsupported { what } => f.write_str(what),
            RowErrorKind::TooLarge => write!(f, "the row takes more than {} bytes", super::Batch::MAX_BYTES),
            RowErrorKind::Missing { column, columns } => {
                write!(f, "column `{column}` is not in the input, which has ")?;
                for (i, name) in columns.iter().enumerate() {
                    write!(f, "{}`{name}`", if i == 0 { "" } else { ", " })?;
                }
                if columns.is_empty() { f.write_str("no columns") } else { Ok(()) }
            }
            RowErrorKind::Duplicate { column } => {
                write!(f, "two columns would be named `{}`", column.escape_debug())
            }
            RowErrorKind::Dot { column } => {
                write!(f, "the column name `{column}` holds a dot, which the platform does not take: use `_`")
            }
        }
    }
}

/// A number of fields, in words.
struct Fields(usize);

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} field{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

impl std::error::Error for RowError {}

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        let kind = match error.kind {
            RowErrorKind::Missing { .. } | RowErrorKind::Duplicate { .. } | RowErrorKind::Dot { .. } => {
                ErrorKind::Destination
            }
            _ => ErrorKind::Row,
        };
        Self::new(kind, error.to_string())
    }
}
