//! What an encoder writes of an Arrow record batch is what it writes of the cells, one at a time, however the batch is cut.
//!
//! The bytes decide on the dialect first, and then on the types and the values; the judge is the one of the crate's own
//! tests.

#[path = "../../tests/it/arrow/reference.rs"]
mod reference;
#[path = "../../tests/it/arrow/same.rs"]
mod same;
#[path = "../../tests/it/arrow/table.rs"]
mod table;

pub fn run(data: &[u8]) {
    same::check(data);
}
