//! The dialect: the validated plan of everything that decides the bytes of a record.

use std::fmt;
use std::sync::Arc;

use super::token::Empty;
use super::{
    Comment, Delimiter, DialectError, DialectErrorKind, EmptyText, Encoder, Escape, NullText, Quote, Terminator,
};

/// Whether a file begins with a record of the columns' names.
///
/// Default: [`Header::Write`], as the platform has it (Spark's default is to write none).
///
/// ```
/// use consign::format::csv::{Dialect, Header};
///
/// let mut out = Vec::new();
/// Dialect::default().encoder().header(&["id", "last, first"], &mut out)?;
/// assert_eq!(out, b"id,\"last, first\"\n");
///
/// out.clear();
/// let dialect = Dialect::builder().with_header(Header::Omit).build()?;
/// dialect.encoder().header(&["id", "last, first"], &mut out)?;
/// assert_eq!(out, b"");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between writing a header and not")]
pub enum Header {
    /// The file begins with its first row.
    Omit,
    /// The file begins with the names.
    #[default]
    Write,
}

/// Which fields stand in quotes.
///
/// Default: [`QuoteStyle::Minimal`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum QuoteStyle {
    /// Every field, null included.
    All,
    /// Every field but null, as Python's `QUOTE_NOTNULL` has it.
    AllNonNull,
    /// Fields that need it: those that hold a delimiter, quote, line end, or what else the reader could take wrongly.
    #[default]
    Minimal,
    /// None. A field that would need quotes cannot be written.
    Never,
    /// Every field but numbers and null.
    NonNumeric,
    /// Texts, as Python's `QUOTE_STRINGS` has it; other types where they need it.
    Strings,
}

/// Everything that decides the bytes of a CSV record, validated and cheap to clone.
///
/// The default is the platform's: comma, `"`, escaped by `\`, null as `null`, empty text as nothing, a header, and
/// line feeds.
///
/// ```
/// use consign::format::csv::Dialect;
/// use consign::row::Value;
///
/// let dialect = Dialect::default();
/// let mut encoder = dialect.encoder();
/// let mut out = Vec::new();
/// encoder.header(&["id", "name"], &mut out)?;
/// encoder.record([Value::Integer(1), Value::Text("say \"hi\"")], &mut out)?;
/// encoder.record([Value::Integer(2), Value::Null], &mut out)?;
/// assert_eq!(out, b"id,name\n1,\"say \\\"hi\\\"\"\n2,null\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone)]
pub struct Dialect(pub(super) Arc<Plan>);

/// The settings, and what the encoder needs of them.
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) rules: super::quote::Rules,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) delimiter: Delimiter,
    pub(super) quote: Quote,
    pub(super) escape: Escape,
    pub(super) style: QuoteStyle,
    pub(super) null: NullText,
    pub(super) empty: EmptyText,
    pub(super) comment: Comment,
    pub(super) terminator: Terminator,
    pub(super) header: Header,
}

impl Dialect {
    /// Starts from the platform's dialect; every setting can be changed.
    pub fn builder() -> DialectBuilder {
        DialectBuilder { settings: Settings::default() }
    }

    /// Whether a file begins with the columns' names.
    #[must_use]
    pub fn header(&self) -> Header {
        self.0.settings.header
    }

    /// A fresh encoder: the state for one file, or for a share of one file's records.
    #[must_use]
    pub fn encoder(&self) -> Encoder {
        Encoder::new(self.clone())
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::builder().build().expect("the platform's settings do not clash, as a test shows")
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.settings == other.0.settings
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialect").field(&self.0.settings).finish()
    }
}

/// Builds a [`Dialect`] from typed settings; [`build`](Self::build) checks the rules between them.
#[derive(Clone, Debug)]
#[must_use]
pub struct DialectBuilder {
    settings: Settings,
}

impl DialectBuilder {
    /// What stands between fields; see [`Delimiter`].
    pub fn with_delimiter(mut self, delimiter: Delimiter) -> Self {
        self.settings.delimiter = delimiter;
        self
    }

    /// The quote; see [`Quote`].
    pub fn with_quote(mut self, quote: Quote) -> Self {
        self.settings.quote = quote;
        self
    }

    /// How quotes inside a field are told apart; see [`Escape`].
    pub fn with_escape(mut self, escape: Escape) -> Self {
        self.settings.escape = escape;
        self
    }

    /// Which fields stand in quotes; see [`QuoteStyle`].
    pub fn with_quote_style(mut self, style: QuoteStyle) -> Self {
        self.settings.style = style;
        self
    }

    /// What stands for null; see [`NullText`].
    pub fn with_null(mut self, null: NullText) -> Self {
        self.settings.null = null;
        self
    }

    /// What stands for empty text; see [`EmptyText`].
    pub fn with_empty(mut self, empty: EmptyText) -> Self {
        self.settings.empty = empty;
        self
    }

    /// The comment character that readers know; see [`Comment`].
    pub fn with_comment(mut self, comment: Comment) -> Self {
        self.settings.comment = comment;
        self
    }

    /// What ends a record; see [`Terminator`].
    pub fn with_terminator(mut self, terminator: Terminator) -> Self {
        self.settings.terminator = terminator;
        self
    }

    /// Whether a file begins with the columns' names; see [`Header`].
    pub fn with_header(mut self, header: Header) -> Self {
        self.settings.header = header;
        self
    }

    /// Checks the rules between the settings.
    ///
    /// # Errors
    ///
    /// When two of delimiter, quote, escape and terminator share a character, or a delimiter or quote holds a line
    /// end: no reader could split such records.
    ///
    /// ```
    /// use consign::format::csv::{Delimiter, Dialect};
    ///
    /// let e = Dialect::builder().with_delimiter(Delimiter::from('"')).build().unwrap_err();
    /// assert_eq!(e.to_string(), "the delimiter `\"` and the quote `\"` share the character '\"': expected them to differ");
    /// ```
    pub fn build(self) -> Result<Dialect, DialectError> {
        let settings = self.settings;
        check(&settings)?;
        let rules = super::quote::Rules::new(&settings);
        Ok(Dialect(Arc::new(Plan { settings, rules })))
    }
}

/// The rules between the parts of a dialect.
fn check(s: &Settings) -> Result<(), DialectError> {
    use DialectErrorKind as Kind;

    let mut parts = vec![(Kind::Delimiter, "delimiter", s.delimiter.as_str().to_owned())];
    parts.extend(s.quote.as_char().map(|c| (Kind::Quote, "quote", c.to_string())));
    if let Escape::With(c) = s.escape {
        // An escape that is the quote itself is another way to spell a doubled quote.
        if s.quote.as_char() != Some(c) {
            parts.push((Kind::Escape, "escape", c.to_string()));
        }
    }
    parts.extend(s.comment.as_char().map(|c| (Kind::Comment, "comment", c.to_string())));
    for (kind, name, text) in &parts {
        if let Some(c) = text.chars().find(|c| matches!(c, '\n' | '\r')) {
            let what = format!("the {name} `{}` holds a line end, {c:?}", text.escape_debug());
            return Err(DialectError::new(*kind, what));
        }
    }
    parts.push((Kind::Terminator, "terminator", s.terminator.as_str().to_owned()));
    for (i, (_, name, text)) in parts.iter().enumerate() {
        for (_, other_name, other) in &parts[i + 1..] {
            if let Some(c) = text.chars().find(|&c| other.contains(c)) {
                let (text, other) = (text.escape_debug(), other.escape_debug());
                let what = format!(
                    "the {name} `{text}` and the {other_name} `{other}` share the character {c:?}: expected them to differ"
                );
                return Err(DialectError::new(Kind::Clash, what));
            }
        }
    }
    if s.quote.as_char().is_none() {
        let style = match s.style {
            QuoteStyle::Minimal | QuoteStyle::Never => None,
            QuoteStyle::All => Some("all"),
            QuoteStyle::AllNonNull => Some("all but null"),
            QuoteStyle::NonNumeric => Some("non-numeric"),
            QuoteStyle::Strings => Some("strings"),
        };
        if let Some(style) = style {
            let what = format!("the quote style `{style}` needs a quote: expected a quote character, found none");
            return Err(DialectError::new(Kind::Clash, what));
        }
        if s.empty.0 == Empty::Quoted {
            let what = "empty text as a pair of quotes needs a quote: expected a quote character, found none";
            return Err(DialectError::new(Kind::Clash, what));
        }
    }
    Ok(())
}
