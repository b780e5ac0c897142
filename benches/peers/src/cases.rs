//! Who is compared with whom: each function gives the rows of one front.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use consign::format::csv::Encoder;
use consign::row::Batch;
use consign_peers::{Structs, dialect};
use futures::executor::block_on;

use crate::measure::{Case, Clock, Encode};
use crate::table::{COLUMNS, Table};

/// Rows of text fields in blocks of memory: our batches beside the byte records of others, all filled beforehand.
pub fn contiguous(table: &Table, run: &mut dyn FnMut(Case<'_>)) {
    let batches = batches(table);
    let mut encoder = dialect().encoder();
    let ours = || -> Encode<'_> {
        let batches = &batches;
        let mut encoder = dialect().encoder();
        whole(move |block, out| consign_peers::batch(&mut encoder, &batches[block], out))
    };
    let records: Vec<Vec<csv::ByteRecord>> =
        table.blocks().map(|block| rows(&block).map(Into::into).collect()).collect();
    run(case(
        "contiguous",
        "csv",
        batches.len(),
        ours(),
        whole(|block, out| {
            let mut writer = csv_writer(out);
            for record in &records[block] {
                writer.write_byte_record(record).expect("memory takes any record");
            }
            writer.flush().expect("memory takes any record");
        }),
    ));
    drop(records);

    let records: Vec<Vec<csv_async::ByteRecord>> =
        table.blocks().map(|block| rows(&block).map(|row| row.to_vec().into()).collect()).collect();
    run(case(
        "contiguous",
        "csv-async",
        batches.len(),
        ours(),
        whole(|block, out| {
            let mut writer = csv_async::AsyncWriterBuilder::new().has_headers(false).create_writer(out);
            block_on(async {
                for record in &records[block] {
                    writer.write_byte_record(record).await.expect("memory takes any record");
                }
                writer.flush().await.expect("memory takes any record");
            });
        }),
    ));
    drop(records);

    let copies: Vec<(Vec<u8>, Vec<usize>)> = batches.iter().map(|batch| finished(&mut encoder, batch)).collect();
    run(case(
        "contiguous",
        "memcpy",
        batches.len(),
        ours(),
        whole(|block, out| {
            let (bytes, ends) = &copies[block];
            let mut start = 0;
            for end in ends {
                out.extend_from_slice(&bytes[start..*end]);
                start = *end;
            }
        }),
    ));
}

/// Rows whose fields lie anywhere: a sequence of slices for each.
pub fn iterators(table: &Table, run: &mut dyn FnMut(Case<'_>)) {
    let blocks: Vec<Vec<&[u8]>> = table.blocks().map(|block| block.into_iter().map(str::as_bytes).collect()).collect();
    let ours = || -> Encode<'_> {
        let blocks = &blocks;
        let mut fields = consign_peers::Fields::new(&dialect(), COLUMNS);
        whole(move |block, out| fields.write(blocks[block].chunks_exact(COLUMNS), out))
    };
    run(case(
        "iterators",
        "csv",
        blocks.len(),
        ours(),
        whole(|block, out| {
            let mut writer = csv_writer(out);
            for row in blocks[block].chunks_exact(COLUMNS) {
                writer.write_record(row.iter()).expect("memory takes any record");
            }
            writer.flush().expect("memory takes any record");
        }),
    ));
    run(case(
        "iterators",
        "csv-async",
        blocks.len(),
        ours(),
        whole(|block, out| {
            let mut writer = csv_async::AsyncWriterBuilder::new().has_headers(false).create_writer(out);
            block_on(async {
                for row in blocks[block].chunks_exact(COLUMNS) {
                    writer.write_record(row.iter()).await.expect("memory takes any record");
                }
                writer.flush().await.expect("memory takes any record");
            });
        }),
    ));
}

/// Structs with numbers and texts.
pub fn serde(table: &Table, run: &mut dyn FnMut(Case<'_>)) {
    let blocks = table.structs();
    let ours = || -> Encode<'_> {
        let blocks = &blocks;
        let mut structs = Structs::new(&dialect());
        whole(move |block, out| structs.write(&blocks[block], out))
    };
    run(case(
        "serde",
        "csv",
        blocks.len(),
        ours(),
        whole(|block, out| {
            let mut writer = csv_writer(out);
            for row in &blocks[block] {
                writer.serialize(row).expect("memory takes any record");
            }
            writer.flush().expect("memory takes any record");
        }),
    ));
    run(case(
        "serde",
        "csv-async",
        blocks.len(),
        ours(),
        whole(|block, out| {
            let mut writer = csv_async::AsyncWriterBuilder::new().has_headers(false).create_serializer(out);
            block_on(async {
                for row in &blocks[block] {
                    writer.serialize(row).await.expect("memory takes any record");
                }
                writer.flush().await.expect("memory takes any record");
            });
        }),
    ));
}

/// Arrow columns of integers, decimals, dates and texts.
pub fn arrow(table: &Table, run: &mut dyn FnMut(Case<'_>)) {
    let batches = table.arrow();
    let mut encoder = dialect().encoder();
    run(case(
        "arrow",
        "arrow-csv",
        batches.len(),
        whole(|block, out| consign_peers::record_batch(&mut encoder, &batches[block], out)),
        whole(|block, out| {
            let mut writer = arrow_csv::WriterBuilder::new().with_header(false).build(out);
            writer.write(&batches[block]).expect("memory takes any record");
        }),
    ));
}

/// Two threads that share the blocks of a group, against one that has them all; each block has a buffer of its own, and
/// the buffers stand in the order of the blocks when the group is done.
pub fn threads(table: &Table, run: &mut dyn FnMut(Case<'_>)) {
    let batches = batches(table);
    let groups: Vec<&[Batch]> = batches.chunks(64).collect();
    let with = |threads: usize| -> Encode<'_> {
        let groups = &groups;
        Box::new(move |group, out| {
            let batches = groups[group];
            out.resize_with(batches.len(), Vec::new);
            let next = AtomicUsize::new(0);
            let slots: Vec<Mutex<&mut Vec<u8>>> = out.iter_mut().map(Mutex::new).collect();
            let work = || {
                let mut encoder = dialect().encoder();
                while let Some(block) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|block| *block < slots.len())
                {
                    consign_peers::batch(
                        &mut encoder,
                        &batches[block],
                        &mut slots[block].lock().expect("no thread panics"),
                    );
                }
            };
            std::thread::scope(|scope| {
                for _ in 1..threads {
                    scope.spawn(work);
                }
                work();
            });
        })
    };
    run(Case { clock: Clock::Wall, ..case("threads", "one thread", groups.len(), with(2), with(1)) });
}

fn case<'a>(front: &'static str, peer: &'static str, blocks: usize, ours: Encode<'a>, theirs: Encode<'a>) -> Case<'a> {
    Case { front, peer, ours, theirs, blocks, clock: Clock::Cpu }
}

/// Writes a block into one buffer.
fn whole<'a>(mut encode: impl FnMut(usize, &mut Vec<u8>) + 'a) -> Encode<'a> {
    Box::new(move |block, out| {
        out.resize_with(1, Vec::new);
        encode(block, &mut out[0]);
    })
}

fn rows<'b, 'a>(block: &'b [&'a str]) -> impl Iterator<Item = &'b [&'a str]> {
    block.chunks_exact(COLUMNS)
}

fn csv_writer(out: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new().has_headers(false).from_writer(out)
}

fn batches(table: &Table) -> Vec<Batch> {
    let fill = |block: Vec<&str>| {
        let mut batch = Batch::new(COLUMNS);
        for row in rows(&block) {
            batch.push_text(row).expect("the row has all columns");
        }
        batch
    };
    table.blocks().map(fill).collect()
}

/// The bytes of a batch, and where each record ends.
fn finished(encoder: &mut Encoder, batch: &Batch) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for row in 0..batch.rows() {
        let _written = encoder.record(batch.row(row), &mut bytes).expect("every row can be written");
        ends.push(bytes.len());
    }
    (bytes, ends)
}
