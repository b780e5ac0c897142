//! Rows: values, the columns they stand in, and the ways in.

mod value;

pub use value::Value;
