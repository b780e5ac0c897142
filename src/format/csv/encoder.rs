//! The state for one file: records in, bytes out.

use super::dialect::{Plan, Way};
use super::fixed::Class;
use super::hazard::Hits;
use super::rows::Desk;
use super::{Counts, Dialect, EncodeError, EncodeErrorKind, Guard, HazardKind, Header, Mode, OnHazard, Refused};
use super::{exact, fixed};
use crate::row::Value;

/// Writes records of a [`Dialect`].
///
/// Nothing but the [counts](Self::counts) carries over from one record to the next, so several encoders can write the
/// records of one file in batches, and their bytes can be joined. The first of them [begins](Self::begin) the file.
#[derive(Debug)]
pub struct Encoder {
    pub(super) dialect: Dialect,
    pub(super) counts: Counts,
    /// What the record being written has met; it is counted once the record is done.
    pub(super) met: Met,
    scratch: Scratch,
    /// Where batches are worked on, once there was one.
    pub(super) desk: Option<Desk>,
    /// A record before it is turned into the bytes of the charset.
    unicode: Vec<u8>,
    mark: Mark,
}

/// Whether a byte order mark has to be written before the next character.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mark {
    Due,
    Done,
}

/// What a record has met.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) hits: Hits,
    pub(super) guarded: u64,
    pub(super) unmappable: u64,
}

/// Buffers for a field, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The text of a value that is no text.
    rendered: Vec<u8>,
    /// A text with a character in front of it.
    pub(super) guarded: String,
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
        Self {
            dialect,
            counts: Counts::default(),
            met: Met::default(),
            scratch: Scratch::default(),
            desk: None,
            unicode: Vec::new(),
            mark: Mark::Done,
        }
    }

    /// Appends what a file begins with: a byte order mark and the record of the columns' names, or nothing where the
    /// dialect omits both.
    ///
    /// In [`Mode::Exact`] the mark of UTF-16 goes before the first character of the file, as Java has it: a file of
    /// nothing has none.
    ///
    /// # Errors
    ///
    /// When a name cannot be written, such as one that holds the delimiter of a dialect without quotes; `out` is then
    /// as it was.
    pub fn header(&mut self, columns: &[impl AsRef<str>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let plan = &*self.dialect.0;
        let start = out.len();
        if plan.settings.charset.is_marked(plan.settings.bom) {
            self.mark = Mark::Due;
        }
        if plan.settings.mode == Mode::Fixed {
            begin(plan, &mut self.mark, out);
        }
        if plan.settings.header == Header::Omit {
            return Ok(());
        }
        self.met.clear();
        let (met, scratch) = (&mut self.met, &mut self.scratch);
        let written = through(plan, self.mark, &mut self.unicode, out, |out| match &plan.way {
            Way::Exact(rules) => {
                exact::header(rules, plan, columns, met, out);
                Ok(())
            }
            Way::Fixed(rules) => {
                let names = columns.iter().map(|name| Value::Text(name.as_ref()));
                fixed::record(rules, plan, &Guard::OFF, names, met, scratch, out)
            }
        });
        self.settle(written, start, out)
    }

    /// Appends the byte order mark if it still waits for a character, for a file whose next records another encoder
    /// writes.
    ///
    /// ```
    /// use consign::format::csv::{Charset, Dialect};
    /// use consign::row::Value;
    ///
    /// let dialect = Dialect::spark().to_builder().with_charset(Charset::UTF_16).build()?;
    /// let mut encoder = dialect.encoder();
    /// let mut out = Vec::new();
    /// encoder.header(&["a"], &mut out)?;
    /// let _lost = encoder.record([Value::Null], &mut out)?;
    /// assert_eq!(out, b"", "Spark writes no header by default, and loses the row");
    /// encoder.begin(&mut out);
    /// dialect.encoder().record([Value::Text("x")], &mut out)?;
    /// assert_eq!(out, b"\xFE\xFF\0x\0\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        begin(&self.dialect.0, &mut self.mark, out);
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
        let written = self.try_record(fields, out);
        self.outcome(written, start, out)
    }

    /// Counts what has become of a record that begins at `start`.
    pub(super) fn outcome(
        &mut self,
        written: Result<(), EncodeError>,
        start: usize,
        out: &[u8],
    ) -> Result<Outcome, EncodeError> {
        match written {
            Ok(()) if out.len() == start => {
                self.counts.lost += 1;
                Ok(Outcome::Lost)
            }
            Ok(()) => {
                self.counts.written += 1;
                Ok(Outcome::Written)
            }
            Err(error) => match self.dialect.0.settings.refused {
                Refused::Fail => Err(error),
                Refused::Reject => {
                    self.counts.rejected += 1;
                    Ok(Outcome::Rejected(error))
                }
                Refused::Skip => {
                    self.counts.skipped += 1;
                    Ok(Outcome::Skipped(error))
                }
            },
        }
    }

    /// What this encoder has counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes the counts, and is as new: a mark that waits for a character is that of a file which is over.
    pub(crate) fn end(&mut self) -> Counts {
        self.mark = Mark::Done;
        std::mem::take(&mut self.counts)
    }

    /// Appends one record and counts its hazards; the policy for rows that cannot be written is not asked.
    pub(super) fn try_record<'a>(
        &mut self,
        fields: impl IntoIterator<Item = Value<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let plan = &*self.dialect.0;
        let start = out.len();
        self.met.clear();
        let (met, scratch) = (&mut self.met, &mut self.scratch);
        let written = through(plan, self.mark, &mut self.unicode, out, |out| match &plan.way {
            Way::Exact(rules) => exact::record(rules, plan, fields, met, scratch, out),
            Way::Fixed(rules) => fixed::record(rules, plan, &plan.settings.guard, fields, met, scratch, out),
        });
        self.settle(written, start, out)
    }

    /// Appends one field of a record of its own.
    pub(super) fn field(&mut self, column: usize, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let plan = &*self.dialect.0;
        let (met, scratch) = (&mut self.met, &mut self.scratch);
        match &plan.way {
            Way::Exact(rules) => exact::field(rules, plan, column, value, met, scratch, out),
            Way::Fixed(rules) => fixed::field(rules, plan, &plan.settings.guard, column, value, met, scratch, out),
        }
    }

    /// Counts what a record has met, or takes it back.
    pub(super) fn settle(
        &mut self,
        mut written: Result<(), EncodeError>,
        start: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let refuses = self.dialect.0.settings.on_hazard == OnHazard::Refuse;
        if let (Ok(()), true, Some((kind, column))) = (&written, refuses, self.met.hits.first()) {
            let what = format!("the dialect refuses a hazard: {kind}");
            written = Err(EncodeError::new(column, EncodeErrorKind::Hazard(kind), what));
        }
        match &written {
            Ok(()) => {
                if out.len() > start {
                    self.mark = Mark::Done;
                }
                self.met.hits.count(&mut self.counts.hazards);
                self.counts.guarded += self.met.guarded;
                self.counts.unmappable += self.met.unmappable;
            }
            Err(_) => out.truncate(start),
        }
        written
    }
}

impl Scratch {
    /// The text of a value that is neither null nor text.
    pub(super) fn render(&mut self, plan: &Plan, column: usize, value: Value<'_>) -> Result<&str, EncodeError> {
        self.rendered.clear();
        let rendered = plan.renderers.append(column, value, &mut self.rendered);
        rendered.map(|()| std::str::from_utf8(&self.rendered).expect("values are spelled in UTF-8"))
    }
}

impl Met {
    pub(super) fn clear(&mut self) {
        self.hits.clear();
        self.guarded = 0;
        self.unmappable = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hits.first().is_none() && self.guarded == 0 && self.unmappable == 0
    }

    pub(super) fn hit(&mut self, kind: HazardKind, column: usize) {
        self.hits.push(kind, column);
    }
}

/// Lets a record be written in UTF-8, and appends it in the charset.
fn through(
    plan: &Plan,
    mut mark: Mark,
    unicode: &mut Vec<u8>,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let Some(coder) = &plan.coder else { return write(out) };
    unicode.clear();
    write(unicode).map(|()| {
        if !unicode.is_empty() {
            begin(plan, &mut mark, out);
        }
        let text = std::str::from_utf8(unicode).expect("records are made of texts");
        // What the charset lacks has been counted field by field.
        coder.append(text, out);
    })
}

/// Appends the byte order mark if it is due.
fn begin(plan: &Plan, mark: &mut Mark, out: &mut Vec<u8>) {
    if std::mem::replace(mark, Mark::Done) == Mark::Due {
        match &plan.coder {
            None => out.extend_from_slice("\u{feff}".as_bytes()),
            Some(coder) => coder.append("\u{feff}", out),
        }
    }
}

/// What kind of value a field's text comes from.
pub(super) fn class(value: &Value<'_>) -> Class {
    match value {
        Value::Integer(_)
        | Value::Float32(_)
        | Value::Float64(_)
        | Value::Decimal { .. }
        | Value::Decimal256 { .. } => Class::Number,
        Value::Binary(_) | Value::Nested(_) | Value::Text(_) => Class::Text,
        _ => Class::Other,
    }
}
