//! One run of a destination: rows in, files out, all or nothing.
//!
//! An [`Export`] takes rows and gathers them in blocks; a task behind it encodes, compresses, encrypts and uploads
//! them. Nothing is visible at the destination before [`Export::commit`], which completes the files and writes the
//! manifest last. [`Export::abort`], an error before the commit, or a drop leaves nothing; a commit that fails may leave
//! whole files, of which there is no manifest.
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
//! # After a crash
//!
//! A process that is killed takes nothing back, and neither does an export whose tokio runtime is shut down before its end: it
//! fails with [`ErrorKind::Internal`](crate::ErrorKind::Internal). Its files are invisible, but what was sent lies in the store
//! and is paid for.
//! With a [journal](ExportBuilder::with_journal) the next run knows of it: it [resumes](ExportBuilder::with_resume), or
//! [`Store::reap_journal`](crate::store::Store::reap_journal) removes it. A journal is not counted in the memory below: 200
//! bytes for each file, and 40 for each part.
//!
//! # Memory
//!
//! All exports of a process share one [`MemoryBudget`], unless they are given another: 48 MiB, of which rows take at most
//! 1/12, blocks on their way through encoder and layers 2/12, and parts and small files that wait for the commit 9/12.
//! Whatever the number of rows, exports and files, what they hold is at most
//!
//! > the budget + 1/8 of it for idle buffers, 1/12 for encoders + 16 KiB for each open export + the states of the layers of
//! > each open file (gzip 0.4 MiB, OpenPGP 0.2 MiB)
//!
//! and beside it, where there are such:
//!
//! - the buffers of record batches of Arrow's, until the last of their rows is encoded;
//! - a row larger than 1/24 of the budget: up to four times its size;
//! - parts larger than 2/12 of the budget, which files above 10 GB have ([`PartSchedule`](crate::store::PartSchedule)): one
//!   at a time, with its whole size;
//! - what a store holds for itself: `memory:///` everything, others some connections.
//!
//! Bytes that wait for their part to be full may rest in 7/12 of the budget. Beyond that they go to an unnamed file in
//! the system's temporary folder (`TMPDIR`), as they are delivered: compressed and encrypted, if the destination is. It
//! happens with many open files, since object stores take no parts below 5 MiB; local folders get bytes as they come.
//! So many exports can be filled in turn by one task: none ever waits until another one is given rows.

mod begin;
mod commit;
mod event;
mod file;
mod part;
mod pipeline;
mod progress;
mod rejects;
mod roll;
mod settings;
mod spare;
#[cfg(feature = "tracing")]
mod trace;
mod visible;
mod writer;

pub use crate::memory::MemoryBudget;
pub use event::Event;
pub use progress::{Progress, Snapshot, Stage};
pub use writer::{Export, ExportBuilder};
