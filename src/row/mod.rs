//! Rows: values, the columns they stand in, and the ways in.
//!
//! Rows come as [`Serialize`](::serde::Serialize) values, as records of fields, or from a `csv_async` reader; all are
//! gathered in a [`Batch`], which keeps the type of every value so that the dialect can decide how to spell it.
//! [`Columns`] picks, orders and renames the columns of the input.
//!
//! ```
//! use consign::row::{Batch, Value};
//!
//! let mut batch = Batch::new(2);
//! batch.push_record([Value::Text("04G"), Value::Integer(1044)])?;
//! assert_eq!(batch.rows(), 1);
//! assert_eq!(batch.value(0, 1), Value::Integer(1044));
//! # Ok::<(), consign::row::RowError>(())
//! ```

#[cfg(feature = "arrow")]
pub(crate) mod arrow;
mod batch;
mod columns;
mod error;
pub(crate) mod iso;
mod serde;
mod texts;
mod value;

pub use batch::Batch;
pub(crate) use batch::{Cell, Layout, RECORD, UNIT};
pub use columns::{Column, Columns, Dots, Mapping};
pub use error::{RowError, RowErrorKind};
pub use serde::FieldNames;
pub use value::Value;
