//! Exports to real servers: `SeaweedFS` and rclone (S3), Azurite (Azure), with and without faults on the way.

mod baseline;
mod client;
mod fixture;

use std::fmt::Write;
use std::num::NonZeroU64;

use chrono::{TimeZone, Utc};
use consign::destination::DestinationBuilder;
use consign::format::csv::{Dialect, Header};
use consign::location::{BucketName, FolderPath};
use consign::manifest::Manifest;
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Export};

/// A destination of the servers' bucket, without a header.
fn plan(folder: &str) -> DestinationBuilder {
    Destination::builder(
        BucketName::parse("test").unwrap(),
        FolderPath::parse(folder).unwrap(),
        Template::parse("t").unwrap(),
    )
    .with_dialect(Dialect::builder().with_header(Header::Omit).build().unwrap())
}

fn context() -> Context {
    Context::new(Utc.with_ymd_and_hms(2026, 11, 22, 8, 0, 0).unwrap())
}

/// Rows whose bytes differ everywhere, so that parts that are swapped or repeated are found out.
fn row(number: u64) -> String {
    let mut row = String::with_capacity(ROW_BYTES);
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while row.len() < ROW_BYTES - 1 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(row, "{state:016x}").unwrap();
    }
    row.truncate(ROW_BYTES - 1);
    row
}

/// With the end of the record.
const ROW_BYTES: usize = 16 * 1024;

/// The bytes of the file with these rows.
fn text(rows: std::ops::Range<u64>) -> Vec<u8> {
    rows.flat_map(|number| (row(number) + "\n").into_bytes()).collect()
}

/// Delivers rows; files end at `max_rows`.
async fn deliver(plan: DestinationBuilder, max_rows: u64, rows: u64, store: &Store) -> consign::Result<Manifest> {
    let destination = plan.with_max_rows(NonZeroU64::new(max_rows).expect("files have rows")).build()?;
    let mut export = Export::builder(&destination, store, context()).with_run_id("run").start()?;
    for number in 0..rows {
        export.write_record([row(number).as_str()]).await?;
    }
    export.commit().await
}
