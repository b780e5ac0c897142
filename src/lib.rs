//! `consign` delivers tables as files to object storage: rows go in, and finished files come out in a bucket, in
//! exactly the CSV dialect, compression, encryption, names and folders that the receiver asked for, with a manifest
//! that proves it.
//!
//! ```text
//!  rows (Serialize, records, csv-async reader, Stream, Sink, Arrow)
//!    ▼ roll: does this file still have room?
//!  encode          blocks of rows, on worker threads, joined in order
//!    ▼
//!  compress ► encrypt
//!    ▼
//!  parts ► uploads    several in flight; every file stays invisible
//!    ▼
//!  commit: complete every file, then write the manifest, last
//! ```
//!
//! A [`Destination`] is the validated plan of where and how; an [`Export`] is one run of it. The module
//! [`export`](mod@export) has the first example; [`format::csv`], [`layer`], [`location`] and [`template`] say what a
//! destination can ask for.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `gzip` | yes | gzip, by `zlib-rs` |
//! | `openpgp` | yes | encryption to OpenPGP public keys |
//! | `arrow` | no | rows from Arrow's record batches; takes the versions 59 and 60 of its crates, see below |
//! | `aws`, `azure`, `gcp`, `http` | no | the URLs of these stores in [`Store::from_url`](store::Store::from_url) |
//! | `tracing` | no | what happens in an export, as events of `tracing` in a span for each export |
//!
//! With `arrow`, a lock file that has both versions of Arrow has consign at the newer one. Where the rest of a program is
//! at 59, as with `DataFusion` 55, bring it down: `cargo update arrow-array@60 --precise 59.3.2`, and the same for
//! `arrow-schema`.
//!
//! Any other [`ObjectStore`](object_store::ObjectStore) is given to [`Store::new`](store::Store::new).

mod error;
mod memory;
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

pub use destination::Destination;
pub use error::{Error, ErrorKind, Result};
pub use export::Export;
pub use span::Span;

// What appears in the API.
#[cfg(feature = "arrow")]
pub use {arrow_array, arrow_schema};
pub use {chrono, csv_async, object_store};

/// The README's example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
