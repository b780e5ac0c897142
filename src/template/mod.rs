//! Texts with `%MACROS%`: parsed once, checked against a context, expanded for each file.
//!
//! A [`Template`] is parsed before an export exists, so that a misspelled macro is found then. A [`Context`] holds what
//! one run of an export knows: its time, ids and names. [`Template::check`] tells before the first byte is written
//! whether the context has all that the template needs; [`Template::expand_into`] then cannot fail.
//!
//! ```
//! use std::num::NonZeroU64;
//!
//! use chrono::DateTime;
//! use consign::template::{Context, Template};
//!
//! let template = Template::parse("%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%")?;
//! let time = DateTime::from_timestamp(1_652_130_343, 0).expect("in range");
//! let context = Context::new(time).with_destination("Amazon S3").with_audience_id("ce5c5482");
//! assert_eq!(template.expand(&context, NonZeroU64::MIN)?, "Amazon S3_ce5c5482_20220509_210543");
//! # Ok::<(), consign::Error>(())
//! ```

mod context;
mod date;
mod error;
mod expand;
mod item;
mod parse;
mod suggest;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Span;

pub use context::{Context, ValuePolicy};
pub use date::DateFormat;
pub use error::{ExpandError, ExpandErrorKind, TemplateError, TemplateErrorKind};
pub use item::{Item, Macro};

pub(crate) use error::{Leaf, leaf_error};
pub(crate) use expand::{MAX_BYTES, bad_segment, is_safe};
pub(crate) use parse::{Grammar, Percent, Slash, find_macro};

/// A text with macros, such as `%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%`.
///
/// # Syntax
///
/// - A macro is a name between two percent signs. Names are case-sensitive: all are spelled in capitals, but for the
///   placeholder `%custom-text%`.
/// - Only `DATETIME` takes a pattern, in parentheses: `%DATETIME(YYYY-MM-dd)%`; without one it is
///   `YYYYMMdd_HHmmss`. [`DateFormat`] says which letters there are.
/// - Everything else is text that stands for itself. It holds no control characters, and no percent sign.
///
/// # Macros
///
/// | macro | other spelling | value | file name | dataset folder |
/// |---|---|---|---|---|
/// | `%DESTINATION%` | `%DESTINATION_NAME%` | name of the destination | yes | yes |
/// | `%SEGMENT_ID%` | | id of the audience | yes | |
/// | `%SEGMENT_NAME%` | | name of the audience | yes | |
/// | `%DESTINATION_INSTANCE_ID%` | | id of the dataflow | yes | yes |
/// | `%DESTINATION_INSTANCE_NAME%` | | name of the dataflow | yes | yes |
/// | `%ORGANIZATION_NAME%` | | name of the organization | yes | yes |
/// | `%SANDBOX_NAME%` | | name of the sandbox | yes | yes |
/// | `%DATETIME(…)%` | `%DATETIME%` | the time of the export, in UTC | yes | yes |
/// | `%TIMESTAMP%` | | the same as ten digits of Unix seconds | yes | |
/// | `%EXPORT_TIME%` | | `exportTime=YYYYMMDDHHMM`, in UTC | | yes |
/// | `%CUSTOM_TEXT%` | `%custom-text%` | a text of the caller's | yes | |
/// | `%MERGE_POLICY_ID%` | | id of the merge policy | yes | |
/// | `%MERGE_POLICY_NAME%` | | name of the merge policy | yes | |
/// | `%DATASET_ID%` | | id of the dataset | | yes |
/// | `%DATASET_NAME%` | | name of the dataset | | yes |
/// | `%FILE_INDEX%` | | 1 for the first file of the export, 2 for the second, … | yes | |
///
/// The last two columns say where [`TemplateRules::Strict`] and [`TemplateRules::DatasetFolder`] take a macro, but
/// that `Strict` leaves out the merge policy (which only stands in names of grouped exports) and the file index (which
/// the platform does not know).
///
/// `DATETIME`, `TIMESTAMP` and `EXPORT_TIME` exclude one another under all rules: a name has one time.
///
/// # Example
///
/// ```
/// use consign::template::{Item, Macro, Template};
///
/// let template = Template::parse("daily/%SEGMENT_NAME%")?;
/// let items: Vec<_> = template.items().collect();
/// assert_eq!(items, [Item::Text("daily/"), Item::Macro(&Macro::SegmentName)]);
///
/// let error = Template::parse("daily/%SEGMENT_NMAE%").unwrap_err();
/// assert_eq!(error.to_string(), "unknown macro `%SEGMENT_NMAE%` at byte 6 of the template, did you mean `%SEGMENT_NAME%`?");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// A part of a template, with its place in the text.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Piece {
    pub(crate) span: Span,
    /// `None` for text.
    pub(crate) what: Option<Macro>,
}

impl Template {
    /// Parses a template by [`TemplateRules::Lenient`].
    ///
    /// # Errors
    ///
    /// - `a/%SEGMENT_NMAE%`: there is no such macro; the error suggests the nearest.
    /// - `a/%SEGMENT_NAME`, `100%`: a percent sign opens a macro that is not closed.
    /// - `%DATETIME(YYYY-QQ)%`: `Q` is not one of the letters of [`DateFormat`].
    /// - `%SEGMENT_ID(x)%`: only `DATETIME` takes a pattern.
    /// - `%DATETIME%_%TIMESTAMP%`: a second time.
    /// - `a\nb`: control characters.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_with(text, TemplateRules::Lenient)
    }

    /// Parses a template by the rules that are named.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), and what the rules refuse.
    pub fn parse_with(text: &str, rules: TemplateRules) -> Result<Self, TemplateError> {
        parse::parse_with(text, rules)
    }

    /// Reads the macros alone, by a grammar of the caller's.
    pub(crate) fn parse_grammar(text: &str, grammar: Grammar) -> Result<Self, TemplateError> {
        parse::parse(text, grammar)
    }

    /// The text that was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The texts and macros, in their order.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.pieces.iter().map(|piece| match &piece.what {
            Some(found) => Item::Macro(found),
            None => Item::Text(&self.text[piece.span.range()]),
        })
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The macros, in their order.
    fn macros(&self) -> impl Iterator<Item = &Macro> {
        self.pieces.iter().filter_map(|piece| piece.what.as_ref())
    }

    /// Whether the text changes with the time of the export.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.macros().any(|it| matches!(it, Macro::Datetime(_) | Macro::ExportTime | Macro::Timestamp))
    }

    /// Whether the text changes with the file index. If it does, no two files of one export get the same text.
    #[must_use]
    pub fn has_file_index(&self) -> bool {
        self.macros().any(|it| *it == Macro::FileIndex)
    }

    /// What is legal but probably not meant.
    ///
    /// ```
    /// use consign::template::Template;
    ///
    /// let warnings = Template::parse("%SEGMENT_ID%")?.warnings();
    /// assert_eq!(
    ///     warnings[0].to_string(),
    ///     "no macro for the time: later exports get the same name and overwrite this one"
    /// );
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<TemplateWarning> {
        if self.has_time() { Vec::new() } else { vec![TemplateWarning::NoTime] }
    }
}

/// Which rules a template has to keep.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TemplateRules {
    /// Every macro, anywhere, in a text that may hold slashes and may be empty.
    #[default]
    Lenient,
    /// As `Lenient`, for the name of a file: not empty, no slash, and no more than 255 characters of fixed text.
    FileName,
    /// The name of a file as the platform's user interface builds it: as `FileName`, with the macros of that column
    /// alone, each no more than once, and with the two that cannot be removed, `DESTINATION` and `SEGMENT_ID`.
    Strict,
    /// The folder of a dataset export: the macros of that column alone; slashes make subfolders.
    DatasetFolder,
}

/// Something about a template that is legal, but probably not meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TemplateWarning {
    /// There is no macro for the time.
    NoTime,
}

impl fmt::Display for TemplateWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTime => {
                f.write_str("no macro for the time: later exports get the same name and overwrite this one")
            }
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.text)
    }
}

/// Parses by [`TemplateRules::Lenient`].
impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Parses by [`TemplateRules::Lenient`].
impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
