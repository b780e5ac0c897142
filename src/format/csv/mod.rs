//! CSV: the dialect (a plan), its encoder (the state for one file), hazards and presets.

mod choice;
mod count;
pub mod datetime;
mod dialect;
mod encoder;
mod error;
mod exact;
mod quote;
mod spark;
mod text;
mod token;

pub use choice::{Blank, Header, InnerQuotes, Mode, Nulls, QuoteStyle, QuotedNull, Refused, Trim};
pub use count::Counts;
pub use dialect::{Dialect, DialectBuilder};
pub use encoder::{Encoder, Outcome};
pub use error::{DialectError, DialectErrorKind, EncodeError, EncodeErrorKind};
pub use spark::SparkOptions;
pub use token::{Comment, Delimiter, EmptyText, Escape, EscapeSelf, NullText, Quote, Terminator};
