//! Exports to real servers: `SeaweedFS` and rclone (S3), Azurite (Azure), with and without faults on the way.

mod another;
mod away;
mod baseline;
mod client;
mod dropped;
mod events;
mod exists;
mod fault;
mod fixture;
mod killed;
mod limits;
mod line;
mod lost;
mod matrix;
mod memory;
mod preflight;
mod proxy;
mod reaped;
mod resumed;
mod rows;
mod silent;
mod throng;

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::LazyLock;

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

/// With the end of the record.
const ROW_BYTES: usize = 16 * 1024;

/// How many rows there are: 20 MiB.
const MOST_ROWS: usize = 1280;

/// The bytes of the file with these rows, which differ everywhere, so that parts that are swapped or repeated are found
/// out.
fn text(rows: Range<u64>) -> &'static [u8] {
    static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut text = Vec::new();
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        while text.len() < MOST_ROWS * ROW_BYTES {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.extend(state.to_le_bytes().map(|byte| b'a' + byte % 16));
        }
        text.iter_mut().skip(ROW_BYTES - 1).step_by(ROW_BYTES).for_each(|byte| *byte = b'\n');
        text
    });
    let at = |row: u64| usize::try_from(row).expect("a small number") * ROW_BYTES;
    &TEXT[at(rows.start)..at(rows.end)]
}

/// The one field of a row.
fn row(number: u64) -> &'static str {
    let line = std::str::from_utf8(text(number..number + 1)).expect("letters");
    line.trim_end()
}

/// Delivers rows; files end at `max_rows`.
async fn deliver(plan: DestinationBuilder, max_rows: u64, rows: u64, store: &Store) -> consign::Result<Manifest> {
    let destination = plan.with_max_rows(NonZeroU64::new(max_rows).expect("files have rows")).build()?;
    let mut export = Export::builder(&destination, store, context()).with_run_id("run").start()?;
    for number in 0..rows {
        export.write_record([row(number)]).await?;
    }
    export.commit().await
}
