//! The tests at the public boundary: one binary, one file for each room.

#![expect(clippy::unwrap_used, reason = "in a test and its checks, a panic is the failure")]

#[cfg(feature = "arrow")]
mod arrow;
mod cancel;
mod check_names;
mod credentials;
mod csv;
mod csv_law;
mod csv_presets;
mod datetime;
mod destination_file;
mod events;
mod export;
mod folder;
mod journal;
#[cfg(any(feature = "gzip", feature = "openpgp"))]
mod layer;
mod location;
mod memory;
mod on_exists;
mod platform;
mod policy;
#[cfg(feature = "aws")]
mod preflight;
mod program;
#[cfg(feature = "aws")]
mod reap;
mod row;
mod schedule;
#[cfg(all(feature = "aws", feature = "azure", feature = "gzip", feature = "tracing"))]
mod servers;
mod spark_csv;
mod store;
mod template;
mod text;
mod tidy;
