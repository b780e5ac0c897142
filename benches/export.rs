//! The whole path: rows of a CSV reader through an export into an in-memory store, with the layers one after another.

use std::sync::Arc;

use chrono::DateTime;
use consign::layer::compress::Compression;
use consign::layer::encrypt::{Encryption, Recipient};
use consign::location::{BucketName, FolderPath};
use consign::store::Store;
use consign::template::{Context, Template};
use consign::{Destination, Export};
use criterion::{BenchmarkId, Criterion, Throughput};
use object_store::memory::InMemory;
use tokio::runtime::Runtime;

const AIRPORTS: &str = include_str!("../tests/data/airports.csv");
const KEY: &[u8] = include_bytes!("../tests/data/keys/receiver.pub.asc");

/// Enough for some blocks and, without compression, more than one part: 10 MB.
const COPIES: usize = 100;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    export(&mut criterion);
    criterion.final_summary();
}

fn export(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let (header, rows) = AIRPORTS.split_once('\n').expect("the table has a header");
    let input = format!("{header}\n{}", rows.repeat(COPIES));
    let expected = rows.lines().count() as u64 * COPIES as u64;

    let plain = Destination::builder(
        BucketName::parse("acme-exports").expect("a bucket name"),
        FolderPath::parse("airports").expect("a folder"),
        Template::parse("airports").expect("a template"),
    );
    let gzip = plain.clone().with_compression(Compression::gzip());
    let recipients = Recipient::parse(KEY, DateTime::from_timestamp(1_780_000_000, 0).expect("in range"));
    let encryption = Encryption::to(recipients.expect("a public key")).expect("a recipient");
    let encrypted = gzip.clone().with_encryption(encryption);

    let mut group = criterion.benchmark_group("export/airports");
    group.sample_size(10).throughput(Throughput::Bytes(input.len() as u64));
    for (name, destination) in [("csv", plain), ("csv.gz", gzip), ("csv.gz.gpg", encrypted)] {
        let destination = destination.build().expect("a destination");
        group.bench_with_input(BenchmarkId::from_parameter(name), &destination, |bencher, destination| {
            bencher.iter(|| {
                let rows = runtime.block_on(run(destination, &input)).expect("the export succeeds");
                assert_eq!(rows, expected);
            });
        });
    }
    group.finish();
}

/// Returns how many rows the manifest tells.
async fn run(destination: &Destination, input: &str) -> consign::Result<u64> {
    let store = Store::new(Arc::new(InMemory::new()));
    let mut export = Export::start(destination, &store, Context::new(DateTime::UNIX_EPOCH))?;
    export.write_csv(&mut csv_async::AsyncReader::from_reader(input.as_bytes()), None).await?;
    Ok(export.commit().await?.rows())
}
