//! Compression and encryption of one file in memory, on one thread: bytes that go in for each second.

use std::hint::black_box;

use chrono::{DateTime, Utc};
use consign::layer::Layer;
use consign::layer::compress::{Gzip, GzipLevel};
use consign::layer::encrypt::{Cipher, Encryption, Recipient};
use criterion::{Criterion, Throughput};

/// One block of rows, as the formats hand them over.
const BLOCK: usize = 256 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    layers(&mut criterion);
    criterion.final_summary();
}

fn layers(criterion: &mut Criterion) {
    let table = include_bytes!("../tests/data/airports.csv");
    let input: Vec<u8> = table.iter().copied().cycle().take(64 * BLOCK).collect();
    let now = DateTime::<Utc>::from_timestamp(1_767_225_600, 0).expect("2026 is a year");
    let key = include_bytes!("../tests/data/keys/second.pub.asc");
    let recipients = Recipient::parse(key, now).expect("the test key is usable");
    let encryption = Encryption::to(recipients).expect("there is a recipient");

    let mut group = criterion.benchmark_group("layers");
    group.throughput(Throughput::Bytes(input.len() as u64)).sample_size(10);
    for level in [1, 6, 9] {
        let gzip = Gzip::new(GzipLevel::try_new(level).expect("a level up to 9"));
        group.bench_function(format!("gzip {level}"), |b| b.iter(|| run(&gzip, &input)));
    }
    for cipher in [Cipher::Aes128, Cipher::Aes256] {
        let encryption = encryption.clone().with_cipher(cipher);
        group.bench_function(format!("openpgp {cipher:?}"), |b| b.iter(|| run(&encryption, &input)));
    }
    group.finish();
}

/// One file, taken out block by block as an upload would.
fn run(layer: &dyn Layer, input: &[u8]) -> usize {
    let mut state = layer.start().expect("the layer starts");
    let mut out = Vec::with_capacity(2 * BLOCK);
    let mut len = 0;
    for block in input.chunks(BLOCK) {
        out.clear();
        state.push(black_box(block), &mut out).expect("the push works");
        len += black_box(&out).len();
    }
    out.clear();
    state.finish(&mut out).expect("the file ends");
    len + black_box(&out).len()
}
