//! Records from Arrow's record batches.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::columns::Columns;
use super::rows::{Desk, keep};
use super::{Dialect, EncodeError, EncodeErrorKind, Encoder, Outcome, RecordError};
use crate::row::arrow::{self, Cells, Kind, Reader};

impl Dialect {
    /// Whether columns of these types can be written at all.
    ///
    /// Every type of Arrow can, but for lists, maps and structs where the dialect [refuses](super::NestedText::Refuse)
    /// them, intervals of both months and days under [`IntervalText::Spark`](super::text::IntervalText::Spark), maps
    /// whose keys are nested, and types that are nested more than 64 deep.
    ///
    /// # Errors
    ///
    /// When one of them cannot; the error knows the column.
    ///
    /// ```
    /// use consign::arrow_schema::{DataType, Field, Schema};
    /// use consign::format::csv::Dialect;
    ///
    /// let tags = DataType::new_list(DataType::Utf8, true);
    /// let schema = Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("tags", tags, true)]);
    /// assert!(Dialect::default().check_schema(&schema).is_ok());
    ///
    /// let e = Dialect::spark().check_schema(&schema).unwrap_err();
    /// assert_eq!(e.column(), 1);
    /// assert_eq!(e.to_string(), "the column's type is List(Utf8), which the dialect refuses: expected a type that is not nested");
    /// ```
    pub fn check_schema(&self, schema: &Schema) -> Result<(), EncodeError> {
        schema.fields().iter().enumerate().try_for_each(|(column, field)| {
            let kind = arrow::kind(field.data_type())
                .map_err(|what| EncodeError::new(column, EncodeErrorKind::NoText, what))?;
            let (error, expected) = match kind {
                Kind::Nested if self.0.renderers.refuses_nested(column) => {
                    (EncodeErrorKind::Nested, "a type that is not nested")
                }
                Kind::Interval if self.0.renderers.refuses_intervals(column) => {
                    (EncodeErrorKind::NoText, "months, a length of time, or intervals as ISO 8601")
                }
                _ => return Ok(()),
            };
            let data_type = field.data_type();
            let what = format!("the column's type is {data_type}, which the dialect refuses: expected {expected}");
            Err(EncodeError::new(column, error, what))
        })
    }
}

impl Encoder {
    /// Appends the rows of an Arrow record batch. Rows that the dialect hands back for the rejects file are returned.
    ///
    /// | type | written as |
    /// |---|---|
    /// | integers, floats, decimals, boolean, dates, null | the values of their kind; halves by their own shortest text |
    /// | time, timestamp with and without a zone, duration, interval | the same; instants by the clock of the dialect's zone, whatever that of the column is |
    /// | binary, UTF-8, with any offsets, views or a fixed size | the same |
    /// | dictionary, run-end encoded, union | the values that they stand for |
    /// | list, map, struct | JSON, whose numbers have all their digits; what JSON lacks is text: dates and times by ISO 8601, bytes by Base64, `NaN` |
    ///
    /// [`Render`](super::Render) says how the dialect spells them.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use consign::arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    /// use consign::format::csv::Dialect;
    ///
    /// let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Lansdowne"), None]));
    /// let batch = RecordBatch::try_from_iter([
    ///     ("alt", Arc::new(Int32Array::from(vec![1044, 264])) as ArrayRef),
    ///     ("name", names),
    /// ])?;
    /// let mut out = Vec::new();
    /// let rejected = Dialect::default().encoder().record_batch(&batch, &mut out)?;
    /// assert_eq!(out, b"1044,Lansdowne\n264,null\n");
    /// assert!(rejected.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a column has a type that cannot be written ([`Dialect::check_schema`]), whatever the dialect's policy, and
    /// whether or not there are rows; when a row cannot be written and the policy is to fail. `out` is then as it was.
    pub fn record_batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<Vec<RecordError>, RecordError> {
        self.record_batch_at(batch, out.len(), out)
    }

    /// As [`record_batch`](Self::record_batch), behind `start`: bytes that are there already are written over, and need not
    /// be cleared before.
    pub(crate) fn record_batch_at(
        &mut self,
        batch: &RecordBatch,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<Vec<RecordError>, RecordError> {
        let dialect = self.dialect.clone();
        dialect.check_schema(batch.schema_ref()).map_err(|error| RecordError::new(0, error))?;
        let readers: Vec<_> = batch.columns().iter().map(|column| Reader::new(column)).collect();
        let mut rejected = Vec::new();
        let mut desk = self.desk.take().unwrap_or_default();
        let written = if let Some(columns) = Columns::new(batch, &readers, &dialect.0, &mut desk) {
            self.many_rows(batch.num_rows(), &columns, &readers, &mut desk, &mut rejected, start, out)
        } else {
            out.truncate(start);
            let mut cells = Cells::default();
            (0..batch.num_rows()).try_for_each(|row| {
                let outcome = self.arrow_record(&mut cells, &readers, row, out);
                keep(outcome, row, &mut rejected)
            })
        };
        self.desk = Some(desk);
        match written {
            Ok(()) => Ok(rejected),
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// Appends rows, many at once where they are plain.
    #[expect(clippy::too_many_arguments, reason = "where to, beside all that rows need")]
    fn many_rows<'a>(
        &mut self,
        rows: usize,
        columns: &Columns<'_, 'a>,
        readers: &[Reader<'a>],
        desk: &mut Desk,
        rejected: &mut Vec<RecordError>,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let mut cells = Cells::default();
        let (mut next, mut at) = (0, start);
        while next < rows {
            let first = next;
            next += columns.lay(first..rows, desk);
            at = self.put_block(&desk.block, columns.ends(), at, out, |encoder, row, out| {
                keep(encoder.arrow_record(&mut cells, readers, first + row, out), first + row, rejected)
            })?;
        }
        out.truncate(at);
        Ok(())
    }

    /// Appends a record the long way.
    fn arrow_record<'a>(
        &mut self,
        cells: &mut Cells<'a>,
        readers: &[Reader<'a>],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, EncodeError> {
        match cells.read(readers, row) {
            Ok(values) => self.record(values, out),
            Err((column, why)) => {
                let error = EncodeError::new(column, EncodeErrorKind::NoText, why.what);
                self.outcome(Err(error), out.len(), out)
            }
        }
    }
}
