//! The state for one file: records in, bytes out.

use std::fmt::Write as _;

use super::dialect::Way;
use super::quote::Class;
use super::{Counts, Dialect, EncodeError, Header, Refused, exact, quote};
use crate::row::Value;

/// Writes records of a [`Dialect`].
///
/// Nothing but the [counts](Self::counts) carries over from one record to the next, so several encoders can write the
/// records of one file in batches, and their bytes can be joined.
#[derive(Debug)]
pub struct Encoder {
    dialect: Dialect,
    counts: Counts,
    /// The text of a value that is no text.
    rendered: String,
}

/// What became of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[must_use]
pub enum Outcome {
    /// The record came out as no bytes, as Spark's writer loses a record of one null: no reader will see it.
    Lost,
    /// Handed back for the rejects file: nothing was written.
    Rejected(EncodeError),
    /// Left out and counted: nothing was written.
    Skipped(EncodeError),
    /// The record was written.
    Written,
}

impl Encoder {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, counts: Counts::default(), rendered: String::new() }
    }

    /// Appends what a file begins with: the record of the columns' names, or nothing where the dialect omits it.
    ///
    /// # Errors
    ///
    /// When a name cannot be written, such as one that holds the delimiter of a dialect without quotes; `out` is then
    /// as it was.
    pub fn header(&mut self, columns: &[impl AsRef<str>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.dialect.header() == Header::Omit {
            return Ok(());
        }
        let start = out.len();
        let written = match &self.dialect.0.way {
            Way::Exact(rules) => {
                exact_header(rules, columns, out);
                Ok(())
            }
            Way::Fixed(_) => self.write(columns.iter().map(|name| Value::Text(name.as_ref())), out),
        };
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// Appends one record.
    ///
    /// # Errors
    ///
    /// When a value cannot be written and the dialect's policy is to fail; `out` is then as it was.
    pub fn record<'a>(
        &mut self,
        fields: impl IntoIterator<Item = Value<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, EncodeError> {
        let start = out.len();
        match self.write(fields, out) {
            Ok(()) if out.len() == start => {
                self.counts.lost += 1;
                Ok(Outcome::Lost)
            }
            Ok(()) => {
                self.counts.written += 1;
                Ok(Outcome::Written)
            }
            Err(error) => {
                out.truncate(start);
                match self.dialect.0.settings.refused {
                    Refused::Fail => Err(error),
                    Refused::Reject => {
                        self.counts.rejected += 1;
                        Ok(Outcome::Rejected(error))
                    }
                    Refused::Skip => {
                        self.counts.skipped += 1;
                        Ok(Outcome::Skipped(error))
                    }
                }
            }
        }
    }

    /// What this encoder has counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn write<'a>(&mut self, fields: impl IntoIterator<Item = Value<'a>>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match &self.dialect.0.way {
            Way::Exact(rules) => {
                exact(rules, fields, &mut self.rendered, out);
                Ok(())
            }
            Way::Fixed(rules) => fixed(rules, fields, &mut self.rendered, out),
        }
    }
}

/// Appends a record where every record can be read back.
fn fixed<'a>(
    rules: &quote::Rules,
    fields: impl IntoIterator<Item = Value<'a>>,
    rendered: &mut String,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    for (column, value) in fields.into_iter().enumerate() {
        if column > 0 {
            out.extend_from_slice(rules.delimiter.as_bytes());
        }
        let class = match value {
            Value::Null => {
                rules.null(out);
                continue;
            }
            Value::Text(text) => {
                rules.field(column, rules.trim(text), Class::Text, out)?;
                continue;
            }
            Value::Integer(_) | Value::Float32(_) | Value::Float64(_) | Value::Decimal { .. } => Class::Number,
            _ => Class::Other,
        };
        rendered.clear();
        render(value, rendered);
        rules.field(column, rendered, class, out)?;
    }
    if out.len() == start {
        rules.blank(out);
    }
    out.extend_from_slice(rules.terminator.as_bytes());
    Ok(())
}

/// Appends the columns' names as Spark's writer does, which may be nothing.
fn exact_header(rules: &exact::Rules, columns: &[impl AsRef<str>], out: &mut Vec<u8>) {
    let start = out.len();
    for (column, name) in exact::names(columns).iter().enumerate() {
        if column > 0 {
            out.extend_from_slice(rules.delimiter.as_bytes());
        }
        rules.name(column, name, out);
    }
    if out.len() > start {
        out.extend_from_slice(rules.terminator.as_bytes());
    }
}

/// Appends a record as Spark's writer does, which may be nothing.
fn exact<'a>(
    rules: &exact::Rules,
    fields: impl IntoIterator<Item = Value<'a>>,
    rendered: &mut String,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    for (column, value) in fields.into_iter().enumerate() {
        if column > 0 {
            out.extend_from_slice(rules.delimiter.as_bytes());
        }
        match value {
            Value::Null => rules.field(column, None, out),
            Value::Text(text) => rules.field(column, Some(text), out),
            _ => {
                rendered.clear();
                render(value, rendered);
                rules.field(column, Some(rendered), out);
            }
        }
    }
    if out.len() > start {
        out.extend_from_slice(rules.terminator.as_bytes());
    }
}

/// The plain text of a value that is neither null nor text.
fn render(value: Value<'_>, out: &mut String) {
    let written = match value {
        Value::Null => Ok(()),
        Value::Boolean(v) => write!(out, "{v}"),
        Value::Integer(v) => write!(out, "{v}"),
        Value::Float32(v) => write!(out, "{v}"),
        Value::Float64(v) => write!(out, "{v}"),
        Value::Decimal { unscaled, scale } => decimal(unscaled, scale, out),
        Value::Date(v) => write!(out, "{v}"),
        Value::Timestamp(v) => write!(out, "{v}"),
        Value::LocalTimestamp(v) => write!(out, "{v}"),
        Value::Text(v) | Value::Nested(v) => out.write_str(v),
        Value::Binary(v) => v.iter().try_for_each(|b| write!(out, "{b:02x}")),
    };
    written.expect("writing to a String cannot fail");
}

fn decimal(unscaled: i128, scale: i8, out: &mut String) -> std::fmt::Result {
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    match usize::try_from(scale) {
        Ok(0) => write!(out, "{sign}{digits}"),
        Ok(scale) => {
            let digits = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            write!(out, "{sign}{whole}.{fraction}")
        }
        Err(_) => write!(out, "{sign}{digits}{:0<zeros$}", "", zeros = usize::from(scale.unsigned_abs())),
    }
}
