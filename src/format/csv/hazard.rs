//! What a dialect's reader cannot tell apart, or would read as something else.

use std::fmt;

use super::{Dialect, EncodeError, Header, Mode};
use crate::row::Value;

/// A way in which a dialect's reader reads something else than was written.
///
/// The texts of `{}` say what happens; [`Hazard`] adds an example.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum HazardKind {
    /// A field without quotes around it holds one.
    BareQuote,
    /// A text of blanks becomes other characters (Spark's writer, if blanks are cut off at the end only).
    BlankCell,
    /// A record is a blank line or nothing, or a null in its place is written as an empty text.
    BlankRecord,
    /// A first field begins with a byte order mark, which readers drop.
    ByteOrderMark,
    /// A first field begins with the comment character, and readers skip its record.
    Comment,
    /// The end of a field and the delimiter after it hold the delimiter too early.
    DelimiterRun,
    /// Empty text and null are the same.
    EmptyIsNull,
    /// Empty text is spelled as a text that a value can equal.
    EmptyText,
    /// An escape stands where readers apply it, and it was not meant so.
    Escape,
    /// The guard against formulas puts a character in front of a text.
    Formula,
    /// Line feeds in values become the terminator of records.
    LineEnd,
    /// A column's name loses the single quotes around it.
    NameMark,
    /// Null is the same as a text that equals the text for null.
    NullText,
    /// Fields are enclosed in U+0000, which readers take for a character.
    NulQuote,
    /// Blanks are cut off values.
    Trim,
    /// The charset lacks a character.
    Unmappable,
    /// A field needs quotes, and the dialect writes none: such rows are refused.
    Unquotable,
}

impl HazardKind {
    pub(super) const COUNT: usize = 17;

    /// All kinds, in their order.
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::BareQuote,
        Self::BlankCell,
        Self::BlankRecord,
        Self::ByteOrderMark,
        Self::Comment,
        Self::DelimiterRun,
        Self::EmptyIsNull,
        Self::EmptyText,
        Self::Escape,
        Self::Formula,
        Self::LineEnd,
        Self::NameMark,
        Self::NullText,
        Self::NulQuote,
        Self::Trim,
        Self::Unmappable,
        Self::Unquotable,
    ];

    /// The hazard in one word, under which manifests count the cells that met it.
    ///
    /// ```
    /// use consign::format::csv::HazardKind;
    ///
    /// assert_eq!(HazardKind::NullText.name(), "null_text");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BareQuote => "bare_quote",
            Self::BlankCell => "blank_cell",
            Self::BlankRecord => "blank_record",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Comment => "comment",
            Self::DelimiterRun => "delimiter_run",
            Self::EmptyIsNull => "empty_is_null",
            Self::EmptyText => "empty_text",
            Self::Escape => "escape",
            Self::Formula => "formula",
            Self::LineEnd => "line_end",
            Self::NameMark => "name_mark",
            Self::NullText => "null_text",
            Self::NulQuote => "nul_quote",
            Self::Trim => "trim",
            Self::Unmappable => "unmappable_cell",
            Self::Unquotable => "unquotable",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::BareQuote => "a field without quotes around it holds one",
            Self::BlankCell => "a text of blanks becomes other characters",
            Self::BlankRecord => "a record would be a blank line",
            Self::ByteOrderMark => "a first field begins with a byte order mark, which readers drop",
            Self::Comment => "a first field begins with the comment character, and readers skip its record",
            Self::DelimiterRun => "the end of a field and the delimiter after it hold the delimiter too early",
            Self::EmptyIsNull => "empty text and null are the same",
            Self::EmptyText => "empty text is spelled as a text that a value can equal",
            Self::Escape => "an escape stands where readers apply it, and was not meant so",
            Self::Formula => "the guard against formulas puts a character in front of a text",
            Self::LineEnd => "a line feed in a value becomes the terminator of records",
            Self::NameMark => "a column's name loses the single quotes around it",
            Self::NullText => "null is the same as a text that equals the text for null",
            Self::NulQuote => "fields are enclosed in U+0000, which readers take for a character",
            Self::Trim => "blanks are cut off a value",
            Self::Unmappable => "the charset lacks a character",
            Self::Unquotable => "a field needs quotes, and the dialect writes none",
        }
    }
}

impl fmt::Display for HazardKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A hazard of a dialect, with an example of a record that is read as another.
///
/// ```
/// use consign::format::csv::{Dialect, EmptyText, NullText};
///
/// let dialect = Dialect::builder().with_null(NullText::NOTHING).with_empty(EmptyText::NOTHING).build()?;
/// let hazard = &dialect.hazards()[0];
/// assert_eq!(hazard.to_string(), r#"empty text and null are the same: ["", "x"] is written as ",x\n""#);
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hazard {
    kind: HazardKind,
    example: String,
}

impl Hazard {
    /// What happens.
    #[must_use]
    pub fn kind(&self) -> HazardKind {
        self.kind
    }

    /// A record, and how it is written.
    #[must_use]
    pub fn example(&self) -> &str {
        &self.example
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.example)
    }
}

/// What is done about a cell that a reader would read as something else.
///
/// Default: [`OnHazard::Count`].
///
/// ```
/// use consign::format::csv::{Dialect, HazardKind, OnHazard, Trim};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_trim(Trim::Both);
/// let mut encoder = dialect.clone().build()?.encoder();
/// let _written = encoder.record([" a"].map(Value::Text), &mut Vec::new())?;
/// assert_eq!(encoder.counts().hazards().collect::<Vec<_>>(), [(HazardKind::Trim, 1)]);
///
/// let dialect = dialect.with_on_hazard(OnHazard::Refuse).build()?;
/// let e = dialect.encoder().record([" a"].map(Value::Text), &mut Vec::new()).unwrap_err();
/// assert_eq!(e.to_string(), "the dialect refuses a hazard: blanks are cut off a value");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the cell is written or is not")]
pub enum OnHazard {
    /// It is written and counted ([`Counts::hazards`](super::Counts::hazards)).
    #[default]
    Count,
    /// It cannot be written; [`Refused`](super::Refused) says what becomes of its row.
    Refuse,
}

/// A dialect that has no hazards: whatever texts and nulls are written, its reader reads the same ones back.
///
/// Only [`Dialect::lossless`] makes one, so a function that asks for it cannot be given another dialect. Values of
/// other types come back as their texts.
///
/// ```
/// use consign::format::csv::Dialect;
///
/// let lossless = Dialect::postgres_copy().lossless()?;
/// assert_eq!(*lossless.dialect(), Dialect::postgres_copy());
///
/// let e = Dialect::default().lossless().unwrap_err();
/// assert_eq!(
///     e.to_string(),
///     r#"the dialect loses data: null is the same as a text that equals the text for null: ["null", "x"] is written as "\"null\",x\n""#
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lossless(Dialect);

impl Lossless {
    /// The dialect.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.0
    }
}

/// A dialect that was to be lossless has hazards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LossyError(Vec<Hazard>);

impl LossyError {
    /// The hazards: at least one.
    #[must_use]
    pub fn hazards(&self) -> &[Hazard] {
        &self.0
    }
}

impl fmt::Display for LossyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the dialect loses data")?;
        self.0.iter().try_for_each(|hazard| write!(f, ": {hazard}"))
    }
}

impl std::error::Error for LossyError {}

impl From<LossyError> for crate::Error {
    fn from(error: LossyError) -> Self {
        Self::new(crate::ErrorKind::Destination, "the CSV dialect cannot be used").with_source(error)
    }
}

impl Dialect {
    /// Everything that the dialect's reader cannot tell apart or would misread, in the order of [`HazardKind`].
    ///
    /// The reader is one of the same dialect; what it makes of a quoted text for null is
    /// [`QuotedNull`](super::QuotedNull), and whether blank lines are records to it is [`Blank`](super::Blank). Cells
    /// that meet a hazard are counted as they are written.
    ///
    /// ```
    /// use consign::format::csv::{Dialect, HazardKind};
    ///
    /// let kinds: Vec<_> = Dialect::spark().hazards().iter().map(|hazard| hazard.kind()).collect();
    /// assert_eq!(
    ///     kinds,
    ///     [
    ///         HazardKind::BlankRecord,
    ///         HazardKind::ByteOrderMark,
    ///         HazardKind::Comment,
    ///         HazardKind::Escape,
    ///         HazardKind::Trim,
    ///     ]
    /// );
    /// assert_eq!(Dialect::postgres_copy().hazards(), []);
    /// ```
    #[must_use]
    pub fn hazards(&self) -> Vec<Hazard> {
        let mut found: Vec<Hazard> = Vec::new();
        for row in witnesses(self) {
            for (kind, written) in self.hits(&row) {
                if !found.iter().any(|hazard| hazard.kind == kind) {
                    let example = format!("{} {written}", Record(&row));
                    found.push(Hazard { kind, example });
                }
            }
        }
        if self.0.settings.mode == Mode::Exact && self.header() == Header::Write {
            let mut out = Vec::new();
            let mut encoder = self.encoder();
            if encoder.header(&["'id'"], &mut out).is_ok() && encoder.counts().hazards().count() > 0 {
                let example = format!("the column \"'id'\" is written as {:?}", String::from_utf8_lossy(&out));
                found.push(Hazard { kind: HazardKind::NameMark, example });
            }
        }
        found.sort_by_key(|hazard| hazard.kind);
        found
    }

    /// Proves the dialect free of hazards.
    ///
    /// # Errors
    ///
    /// When it has one; the error holds them all.
    pub fn lossless(self) -> Result<Lossless, LossyError> {
        let hazards = self.hazards();
        if hazards.is_empty() { Ok(Lossless(self)) } else { Err(LossyError(hazards)) }
    }

    /// The hazards that a record meets, and how it is written.
    fn hits(&self, row: &[Option<String>]) -> Vec<(HazardKind, String)> {
        let mut out = Vec::new();
        let mut encoder = self.encoder();
        match encoder.try_record(row.iter().map(|field| Value::from(field.as_deref())), &mut out) {
            Ok(()) => {
                let written = format!("is written as {:?}", String::from_utf8_lossy(&out));
                encoder.counts().hazards().map(|(kind, _)| (kind, written.clone())).collect()
            }
            Err(error) => match error.hazard() {
                Some(kind) => vec![(kind, format!("is refused: {error}"))],
                None => Vec::new(),
            },
        }
    }
}

impl EncodeError {
    /// The hazard that made a cell one that cannot be written.
    fn hazard(&self) -> Option<HazardKind> {
        match self.kind() {
            super::EncodeErrorKind::Hazard(kind) => Some(kind),
            super::EncodeErrorKind::Unmappable => Some(HazardKind::Unmappable),
            super::EncodeErrorKind::Unquotable => Some(HazardKind::Unquotable),
            _ => None,
        }
    }
}

/// Records that meet the hazards of a dialect, if it has them.
fn witnesses(dialect: &Dialect) -> Vec<Vec<Option<String>>> {
    let s = &dialect.0.settings;
    let delimiter = s.delimiter.as_str();
    let quote = s.quote.as_char().map_or(String::new(), String::from);
    let escape = match s.escape {
        super::Escape::With(c) => c.to_string(),
        super::Escape::Doubled => String::new(),
    };
    let escape_self = match s.escape_self {
        super::EscapeSelf::With(c) => c.to_string(),
        _ => String::new(),
    };
    let first = delimiter.chars().next().map_or(String::new(), String::from);
    let comment = s.comment.as_char().map_or(String::new(), String::from);
    let texts = [
        s.null.as_str().to_owned(),
        String::new(),
        s.empty.text().to_owned(),
        "NULL".to_owned(),
        " a ".to_owned(),
        " ".to_owned(),
        format!("a{first}"),
        format!("a{delimiter}b"),
        format!("a{quote}b"),
        format!("a{escape}"),
        format!("a{delimiter}{escape}"),
        format!("a{delimiter}{escape_self}{quote}b"),
        format!("{comment}a"),
        format!(" {comment}a"),
        "\u{feff}a".to_owned(),
        "a\nb".to_owned(),
        "\u{20ac}\u{1f600}".to_owned(),
    ];
    let beside = |text| vec![text, Some("x".to_owned())];
    let mut rows: Vec<_> = texts.into_iter().map(|text| beside(Some(text))).collect();
    rows.extend([beside(None), vec![None], vec![Some(String::new())]]);
    // The guard may leave the first columns alone. Where one of these marks a part of the dialect, another does not.
    for formula in ["=a", "+a", "-a", "@a", "\u{ff1d}a"] {
        let mut row = vec![Some("x".to_owned()); s.guard.first_column()];
        row.extend(beside(Some(formula.to_owned())));
        rows.push(row);
    }
    rows
}

/// A record for a message.
struct Record<'a>(&'a [Option<String>]);

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.0.iter().map(|cell| match cell {
            None => "null".to_owned(),
            Some(text) => format!("{text:?}"),
        });
        write!(f, "[{}]", cells.collect::<Vec<_>>().join(", "))
    }
}

/// The hazards that a record meets, with their columns.
#[derive(Debug, Default)]
pub(super) struct Hits(Vec<(HazardKind, usize)>);

impl Hits {
    pub(super) fn push(&mut self, kind: HazardKind, column: usize) {
        self.0.push((kind, column));
    }

    pub(super) fn first(&self) -> Option<(HazardKind, usize)> {
        self.0.first().copied()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn count(&self, counts: &mut [u64; HazardKind::COUNT]) {
        for (kind, _) in &self.0 {
            counts[*kind as usize] += 1;
        }
    }
}
