//! One run of a destination: rows in, files out, all or nothing.
//!
//! An [`Export`] takes rows and gathers them in blocks; a task behind it encodes, compresses, encrypts and uploads
//! them. Nothing is visible at the destination before [`Export::commit`], which completes the files and writes the
//! manifest last. [`Export::abort`], an error, or a drop leaves nothing.
//!
//! ```
//! use chrono::{TimeZone, Utc};
//! use consign::location::{BucketName, FolderPath};
//! use consign::store::Store;
//! use consign::template::{Context, Template};
//! use consign::{Destination, Export};
//!
//! #[derive(serde::Serialize)]
//! struct Airport { faa: &'static str, alt: i32 }
//!
//! # #[tokio::main]
//! # async fn main() -> consign::Result<()> {
//! let destination = Destination::builder(
//!     BucketName::parse("acme-exports")?,
//!     FolderPath::parse("airports")?,
//!     Template::parse("airports_%DATETIME%")?,
//! )
//! .build()?;
//! let store = Store::from_url("memory:///")?;
//! let time = Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap();
//!
//! let mut export = Export::start(&destination, &store, Context::new(time))?;
//! export.write(&Airport { faa: "04G", alt: 1044 }).await?;
//! let manifest = export.commit().await?;
//!
//! assert_eq!(manifest.files()[0].key(), "airports/airports_20261122_080000.csv");
//! assert_eq!(manifest.files()[0].plain_bytes(), "faa,alt\n04G,1044\n".len() as u64);
//! # Ok(())
//! # }
//! ```
//!
//! # Memory
//!
//! Whatever the number of rows and files, an export holds at most about six blocks of 1 MiB of rows with their encoded
//! bytes; five parts, four in flight and one being made, each 8 MiB in files up to 10 GB and more in longer ones
//! ([`PartSchedule`](crate::store::PartSchedule)), or two of 1 MiB for a local folder; and 16 MiB of files that are small
//! enough for one request. A single row larger than a block adds its own size.

mod begin;
mod commit;
mod file;
mod pipeline;
mod progress;
mod rejects;
mod roll;
mod writer;

pub use progress::{Progress, Snapshot};
pub use writer::{Export, ExportBuilder};
