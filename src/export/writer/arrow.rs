//! The way in for Arrow's record batches: slices of them are blocks as they are.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};

use super::{BLOCK_BYTES, BLOCK_FACTOR, Export, FieldNames};
use crate::row::Mapping;
use crate::row::arrow::{self, Reader};
use crate::{Error, ErrorKind, Result};

/// How many rows of a batch are looked at for the first of its blocks.
const FIRST_ROWS: usize = 4 * 1024;

impl Export {
    /// Takes the rows of an Arrow record batch, whose schema names the columns.
    ///
    /// The batch is not copied: it goes on in slices, which keep its memory until they are encoded. The budget counts the
    /// rows of a slice, not what else its buffers hold. [`Encoder::record_batch`](crate::format::csv::Encoder::record_batch)
    /// says how the types are written.
    ///
    /// ```
    /// # use chrono::Utc;
    /// # use consign::location::{BucketName, FolderPath};
    /// # use consign::template::{Context, Template};
    /// # use consign::{Destination, Export, store::Store};
    /// use std::sync::Arc;
    ///
    /// use consign::arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let destination = Destination::builder(
    /// #     BucketName::parse("acme-exports")?, FolderPath::parse("a")?, Template::parse("a")?).build()?;
    /// # let store = Store::from_url("memory:///")?;
    /// let codes: ArrayRef = Arc::new(StringArray::from(vec!["04G", "06A"]));
    /// let altitudes: ArrayRef = Arc::new(Int32Array::from(vec![Some(1044), None]));
    /// let batch = RecordBatch::try_from_iter([("faa", codes), ("alt", altitudes)])?;
    ///
    /// let mut export = Export::start(&destination, &store, Context::new(Utc::now()))?;
    /// export.write_batch(batch).await?;
    /// let manifest = export.commit().await?;
    /// assert_eq!(manifest.rows(), 2);
    /// assert_eq!(manifest.files()[0].plain_bytes(), "faa,alt\n04G,1044\n06A,null\n".len() as u64);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the names or types of the columns differ from those of the rows before, when a type cannot be written
    /// ([`Dialect::check_schema`](crate::format::csv::Dialect::check_schema)), or when the export has failed, now or
    /// earlier.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped before it is done, some of the rows may have been taken.
    pub async fn write_batch(&mut self, batch: RecordBatch) -> Result<()> {
        self.check()?;
        let mapping = self.take_schema(batch.schema_ref())?;
        let (mut start, mut most) = (0, FIRST_ROWS);
        while start < batch.num_rows() {
            poll_fn(|task| self.poll_room(task)).await?;
            if self.batch.rows() > 0 {
                poll_fn(|task| self.poll_rows(task)).await?;
            }
            let room = usize::try_from(self.roll.room()).unwrap_or(usize::MAX);
            let (rows, bytes) = {
                let picked = mapping.picks().iter().map(|&column| Reader::new(batch.column(column)));
                let readers: Vec<_> = picked.collect();
                let bytes = BLOCK_BYTES.min(self.memory.blocks() / BLOCK_FACTOR);
                arrow::fitting(&readers, start, most.min(room).min(batch.num_rows() - start), bytes)
            };
            let slice = batch.slice(start, rows);
            // What a call before has asked for, and did not wait for, may be another number of bytes.
            self.asked = None;
            poll_fn(|task| self.poll_slice(task, &slice, bytes)).await?;
            (start, most) = (start + rows, rows.saturating_mul(2));
        }
        Ok(())
    }

    /// Hands over the rows that came one by one.
    fn poll_rows(&mut self, task: &mut Task<'_>) -> Poll<Result<()>> {
        self.check()?;
        ready!(self.poll_channel(task))?;
        ready!(self.poll_memory(task, self.batch.bytes()));
        self.hand_over(task, false)
    }

    /// Hands over a block of Arrow's.
    fn poll_slice(&mut self, task: &mut Task<'_>, slice: &RecordBatch, bytes: usize) -> Poll<Result<()>> {
        self.check()?;
        ready!(self.poll_channel(task))?;
        ready!(self.poll_memory(task, bytes));
        self.slice = Some((slice.clone(), bytes));
        ready!(self.hand_over(task, false))?;
        let rows = slice.num_rows() as u64;
        self.rows += rows;
        self.roll.add_rows(rows);
        Poll::Ready(Ok(()))
    }

    /// Takes the names and types of the columns, or holds them against those that are known.
    fn take_schema(&mut self, schema: &SchemaRef) -> Result<Arc<Mapping>> {
        if let (Some(known), Some(mapping)) = (&self.schema, &self.mapping) {
            return match difference(known, schema) {
                None => Ok(Arc::clone(mapping)),
                Some(what) => Err(self.misfit_batch(&what)),
            };
        }
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        match &self.names {
            FieldNames::Unknown => {
                self.batch.set_width(names.len());
                self.names = FieldNames::Named(names);
            }
            FieldNames::Named(known) => {
                let known = known.iter().map(|name| (name.as_str(), None));
                if let Some(what) = differing(known, schema) {
                    return Err(self.misfit_batch(&what));
                }
            }
            FieldNames::Unnamed => {
                let what = "expected records of fields without names, as the rows before are, found a batch with names";
                return Err(self.misfit_batch(what));
            }
        }
        let mapping = match &self.mapping {
            Some(mapping) => Arc::clone(mapping),
            None => self.resolve()?,
        };
        let picked: Vec<_> = mapping.picks().iter().map(|&column| schema.field(column).clone()).collect();
        if let Err(e) = self.destination.dialect().check_schema(&Schema::new(picked)) {
            let column = column(e.column(), mapping.names().get(e.column()));
            return Err(self.fail(Error::new(ErrorKind::Row, format!("{column}: {e}"))));
        }
        self.mapping = Some(Arc::clone(&mapping));
        self.schema = Some(SchemaRef::clone(schema));
        Ok(mapping)
    }

    #[cold]
    fn misfit_batch(&mut self, what: &str) -> Error {
        self.fail(Error::new(ErrorKind::Row, format!("row {}: {what}", self.rows + 1)))
    }
}

fn column(column: usize, name: Option<&String>) -> String {
    match name {
        Some(name) => format!("column {} (`{name}`)", column + 1),
        None => format!("column {}", column + 1),
    }
}

/// In what the columns of a batch differ from those before; that they may be null or not is no difference.
fn difference(known: &Schema, found: &Schema) -> Option<String> {
    differing(known.fields().iter().map(|field| (field.name().as_str(), Some(field.data_type()))), found)
}

fn differing<'a>(
    known: impl ExactSizeIterator<Item = (&'a str, Option<&'a DataType>)>,
    found: &Schema,
) -> Option<String> {
    let (expected, count) = (known.len(), found.fields().len());
    if expected != count {
        return Some(format!("expected a batch of {expected} columns as the rows before have, found {count}"));
    }
    known.zip(found.fields()).enumerate().find_map(|(i, ((name, data_type), field))| {
        if name != field.name() {
            let found = field.name();
            return Some(format!(
                "expected `{name}` as column {} of a batch, found `{found}`: all batches must have the same columns",
                i + 1
            ));
        }
        let expected = data_type.filter(|expected| *expected != field.data_type())?;
        let (column, found) = (column(i, Some(field.name())), field.data_type());
        Some(format!(
            "expected the type {expected} in {column} of a batch, found {found}: all batches must have the same types"
        ))
    })
}
