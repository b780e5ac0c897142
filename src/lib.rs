//! `consign` delivers tables as files to object storage: rows go in, and finished files come out in a bucket, in
//! exactly the CSV dialect, compression, encryption, names and folders that the receiver asked for, with a manifest
//! that proves it.

mod error;
mod span;

pub mod destination;
pub mod export;
pub mod format;
pub mod layer;
pub mod location;
pub mod manifest;
pub mod row;
pub mod store;
pub mod template;

pub use error::{Error, ErrorKind, Result};
pub use span::Span;
