//! CSV: the dialect (a plan), its encoder (the state for one file), hazards and presets.

mod count;
pub mod datetime;
mod dialect;
mod encoder;
mod error;
mod quote;
mod text;
mod token;

pub use count::Counts;
pub use dialect::{Dialect, DialectBuilder, Header, QuoteStyle};
pub use encoder::{Encoder, Outcome};
pub use error::{DialectError, DialectErrorKind, EncodeError, EncodeErrorKind};
pub use token::{Comment, Delimiter, EmptyText, Escape, NullText, Quote, Terminator};
