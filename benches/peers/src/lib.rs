//! What a program does with this crate for each kind of input: the one place that the comparison and the counts of
//! instructions share.

use arrow_array::RecordBatch;
use consign::format::csv::{Dialect, Encoder, Terminator};
use consign::row::{Batch, FieldNames};
use serde::Serialize;

/// The dialect that all writers know: comma, quotes where they are needed and doubled inside, line feeds.
///
/// # Panics
///
/// Never: its settings do not clash.
#[must_use]
pub fn dialect() -> Dialect {
    Dialect::rfc4180().to_builder().with_terminator(Terminator::LF).build().expect("the settings do not clash")
}

/// Writes rows that a batch holds.
///
/// # Panics
///
/// When a row cannot be written, here as below.
pub fn batch(encoder: &mut Encoder, batch: &Batch, out: &mut Vec<u8>) {
    let columns: Vec<usize> = (0..batch.width()).collect();
    encoder.batch(batch, &columns, out).expect("every row can be written");
}

/// What rows go through whose fields lie anywhere.
#[derive(Debug)]
pub struct Fields {
    encoder: Encoder,
    batch: Batch,
}

impl Fields {
    #[must_use]
    pub fn new(dialect: &Dialect, columns: usize) -> Self {
        Self { encoder: dialect.encoder(), batch: Batch::new(columns) }
    }

    #[expect(clippy::missing_panics_doc, reason = "as above")]
    pub fn write<R: IntoIterator<Item: AsRef<[u8]>>>(&mut self, rows: impl Iterator<Item = R>, out: &mut Vec<u8>) {
        self.batch.clear();
        for row in rows {
            self.batch.push_bytes(row, None).expect("all rows are alike");
        }
        batch(&mut self.encoder, &self.batch, out);
    }
}

/// What rows of structs go through, kept from one block to the next.
#[derive(Debug)]
pub struct Structs {
    encoder: Encoder,
    batch: Batch,
    names: FieldNames,
}

impl Structs {
    #[must_use]
    pub fn new(dialect: &Dialect) -> Self {
        Self { encoder: dialect.encoder(), batch: Batch::default(), names: FieldNames::Unknown }
    }

    #[expect(clippy::missing_panics_doc, reason = "as above")]
    pub fn write(&mut self, rows: &[impl Serialize], out: &mut Vec<u8>) {
        self.batch.clear();
        for row in rows {
            self.batch.push_row(row, &mut self.names).expect("all rows are alike");
        }
        batch(&mut self.encoder, &self.batch, out);
    }
}

/// Writes columns of Arrow.
#[expect(clippy::missing_panics_doc, reason = "as above")]
pub fn record_batch(encoder: &mut Encoder, rows: &RecordBatch, out: &mut Vec<u8>) {
    encoder.record_batch(rows, out).expect("every row can be written");
}
