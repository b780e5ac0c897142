//! Typed values as text: how floats, decimals, binary values and lengths of time are spelled.
//!
//! Integers have one spelling, and text and nested values are written as they are. Dates are in
//! [`datetime`](super::datetime).

mod binary;
mod decimal;
pub(crate) mod digits;
mod float;
mod interval;
mod java;
mod wide;

pub use binary::BinaryText;
pub use decimal::DecimalText;
pub use float::FloatText;
pub use interval::IntervalText;
