//! CSV: the dialect (a plan), its encoder (the state for one file), hazards and presets.

mod charset;
mod choice;
mod count;
pub mod datetime;
mod dialect;
mod encoder;
mod error;
mod exact;
mod fixed;
mod guard;
mod hazard;
mod preset;
mod render;
mod spark;
pub mod text;
mod token;

pub use charset::{Bom, Charset, Unmappable};
pub use choice::{Blank, Header, InnerQuotes, Mode, Nulls, QuoteStyle, QuotedNull, Refused, Trim};
pub use count::Counts;
pub use dialect::{Dialect, DialectBuilder};
pub use encoder::{Encoder, Outcome};
pub use error::{DialectError, DialectErrorKind, EncodeError, EncodeErrorKind};
pub use guard::Guard;
pub use hazard::{Hazard, HazardKind, Lossless, LossyError, OnHazard};
pub use render::{BooleanText, NestedText, Render};
pub use spark::SparkOptions;
pub use token::{Comment, Delimiter, EmptyText, Escape, EscapeSelf, NullText, Quote, Terminator};
