//! Many exports at once, filled in turn by one task, within one memory budget: a table that goes to each of many
//! receivers, or one that is split by the values of a column.
//!
//! ```text
//! many_exports [--to URL] [--exports N] [--megabytes N] [--memory MEGABYTES] [--gzip] [--batches]
//! ```
//!
//! Delivers that many megabytes (default 64) of made-up rows through that many exports (default 8) to the store
//! (default: memory), one by one or in record batches of Arrow's, and prints how far the process grew over what it was before the first row, where the system
//! tells (Linux).

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use consign::arrow_array::{ArrayRef, RecordBatch, StringArray};
use consign::export::MemoryBudget;
use consign::layer::compress::Compression;
use consign::location::{BucketName, FolderPath};
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Export};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The rows of a record batch.
const BATCH_ROWS: usize = 1024;
/// With the end of the record.
const ROW_BYTES: usize = 1000;

struct Options {
    to: String,
    exports: usize,
    megabytes: usize,
    memory: MemoryBudget,
    compression: Compression,
    batches: bool,
}

fn main() -> ExitCode {
    let done = options(std::env::args().skip(1)).and_then(|options| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(run(&options))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("many_exports: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        to: "memory:///".into(),
        exports: 8,
        megabytes: 64,
        memory: MemoryBudget::process(),
        compression: Compression::None,
        batches: false,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--to" => options.to = value()?,
            "--exports" => options.exports = value()?.parse()?,
            "--megabytes" => options.megabytes = value()?.parse()?,
            "--memory" => {
                let bytes = value()?.parse::<usize>()? << 20;
                options.memory = MemoryBudget::new(bytes).ok_or("a budget has at least 16 MiB")?;
            }
            "--batches" => options.batches = true,
            "--gzip" => options.compression = Compression::gzip(),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    Ok(options)
}

async fn run(options: &Options) -> Result<()> {
    let store = Store::from_url(&options.to)?;
    let bucket = store.bucket().unwrap_or("acme-exports");
    let destination = Destination::builder(
        BucketName::parse(bucket)?,
        FolderPath::parse("many/%SEGMENT_ID%")?,
        Template::parse("rows")?,
    )
    .with_compression(options.compression)
    .build()?;
    let idle = memory("VmRSS")?;

    let now = Utc::now();
    let mut exports = Vec::new();
    for number in 0..options.exports {
        let context = Context::new(now).with_audience_id(number.to_string());
        let export = Export::builder(&destination, &store, context).with_memory(options.memory.clone());
        exports.push(export.with_columns(["text"]).start()?);
    }
    let rows = options.megabytes * 1_000_000 / ROW_BYTES;
    let text = letters();
    let cell = |row: usize| {
        let start = row * 7919 % (text.len() - ROW_BYTES);
        &text[start..start + ROW_BYTES - 1]
    };
    if options.batches {
        let batch = StringArray::from_iter_values((0..BATCH_ROWS).map(cell));
        let batch = RecordBatch::try_from_iter([("text", Arc::new(batch) as ArrayRef)])?;
        for number in 0..rows.div_ceil(BATCH_ROWS) {
            let rows = BATCH_ROWS.min(rows - number * BATCH_ROWS);
            exports[number % options.exports].write_batch(batch.slice(0, rows)).await?;
        }
    } else {
        for row in 0..rows {
            exports[row % options.exports].write_record([cell(row)]).await?;
        }
    }
    let mut delivered = 0;
    for export in exports {
        delivered += export.commit().await?.rows();
    }
    assert_eq!(delivered, rows as u64, "every row is in a file");
    let mut out = std::io::stdout().lock();
    writeln!(out, "{delivered} rows through {} exports", options.exports)?;
    if let (Some(idle), Some(peak)) = (idle, memory("VmHWM")?) {
        writeln!(out, "{} MiB over {} MiB", peak.saturating_sub(idle) >> 10, idle >> 10)?;
    }
    Ok(())
}

/// Text that gzip shrinks by half.
fn letters() -> String {
    let mut text = String::new();
    let mut state = 1_u64;
    while text.len() < 1 << 20 {
        // Marsaglia's xorshift, 64 bits.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend(state.to_le_bytes().map(|byte| char::from(b'a' + byte % 16)));
    }
    text
}

/// A line of the process's status, in KiB.
fn memory(name: &str) -> Result<Option<u64>> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return Ok(None) };
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let number: String = line.chars().filter(char::is_ascii_digit).collect();
    Ok(Some(number.parse()?))
}
