//! CSV: the dialect (a plan), its encoder (the state for one file), hazards and presets.
//!
//! A [`Dialect`] is everything that decides the bytes of a record. It is built from typed parts, from one of the
//! presets ([`Dialect::platform`], [`Dialect::postgres_copy`] and others, each with the statement that loads its files),
//! or from [`SparkOptions`]; and it knows what its reader cannot tell apart ([`Dialect::hazards`]).
//!
//! An [`Encoder`] turns rows into bytes: no I/O, and nothing but counters carries over from one record to the next, so
//! the records of a file can be encoded in parallel and joined.
//!
//! ```
//! use consign::format::csv::{Delimiter, Dialect, EmptyText, NullText, QuotedNull};
//! use consign::row::Value;
//!
//! let dialect = Dialect::builder()
//!     .with_delimiter(Delimiter::SEMICOLON)
//!     .with_null(NullText::new("NULL"))
//!     .with_empty(EmptyText::NOTHING)
//!     .with_quoted_null(QuotedNull::IsText)
//!     .build()?;
//! let mut encoder = dialect.encoder();
//! let mut out = Vec::new();
//! encoder.header(&["id", "name"], &mut out)?;
//! encoder.record([Value::Integer(1), Value::Text("Ann; Bob")], &mut out)?;
//! encoder.record([Value::Integer(2), Value::Null], &mut out)?;
//! encoder.record([Value::Integer(3), Value::Text("NULL")], &mut out)?;
//! assert_eq!(out, b"id;name\n1;\"Ann; Bob\"\n2;NULL\n3;\"NULL\"\n");
//! assert!(dialect.lossless().is_ok());
//! # Ok::<(), consign::Error>(())
//! ```

#[cfg(feature = "arrow")]
mod arrow;
mod block;
mod charset;
mod choice;
#[cfg(feature = "arrow")]
mod columns;
mod count;
pub mod datetime;
mod dialect;
mod encoder;
mod error;
mod exact;
mod fixed;
mod guard;
mod hazard;
mod memo;
mod numbers;
mod plain;
mod preset;
mod render;
mod rows;
mod scan;
mod spark;
pub mod text;
mod token;

pub use charset::{Bom, Charset, Unmappable};
pub use choice::{Blank, Header, InnerQuotes, Mode, Nulls, QuoteStyle, QuotedNull, Refused, Trim};
pub use count::Counts;
pub use dialect::{Dialect, DialectBuilder};
pub use encoder::{Encoder, Outcome};
pub use error::{DialectError, DialectErrorKind, EncodeError, EncodeErrorKind, RecordError};
pub use guard::Guard;
pub use hazard::{Hazard, HazardKind, Lossless, LossyError, OnHazard};
pub use render::{BooleanText, NestedText, Render};
pub use spark::SparkOptions;
pub use token::{Comment, Delimiter, EmptyText, Escape, EscapeSelf, NullText, Quote, Terminator};
