//! The characters and texts that a dialect is made of, each with the parser that alone can build it.

use std::borrow::Cow;
use std::str::FromStr;

use super::{DialectError, DialectErrorKind};
use crate::Span;

/// What stands between two fields: one or more characters.
///
/// Default: a comma (RFC 4180, section 2, rule 4).
///
/// ```
/// use consign::format::csv::{Delimiter, Dialect};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_delimiter("||".parse::<Delimiter>()?).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record(["a|", "b,c"].map(Value::Text), &mut out)?;
/// assert_eq!(out, b"\"a|\"||b,c\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Delimiter(Cow<'static, str>);

impl Delimiter {
    /// `:`
    pub const COLON: Self = Self(Cow::Borrowed(":"));
    /// `,`, the default.
    pub const COMMA: Self = Self(Cow::Borrowed(","));
    /// `|`
    pub const PIPE: Self = Self(Cow::Borrowed("|"));
    /// `;`
    pub const SEMICOLON: Self = Self(Cow::Borrowed(";"));
    /// A tab.
    pub const TAB: Self = Self(Cow::Borrowed("\t"));

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Delimiter {
    fn default() -> Self {
        Self::COMMA
    }
}

/// Takes the characters as they are: a tab is a tab, and `\t` is two characters.
impl FromStr for Delimiter {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        if text.is_empty() {
            let what = "expected a delimiter of at least one character, found an empty text";
            return Err(DialectError::new(DialectErrorKind::Delimiter, what).at(text, Span::default()));
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

impl From<char> for Delimiter {
    fn from(delimiter: char) -> Self {
        Self(Cow::Owned(delimiter.into()))
    }
}

/// The character around a field that holds a delimiter, a quote or a line end, or no such character.
///
/// Default: `"` (RFC 4180, section 2, rule 5).
///
/// ```
/// use consign::format::csv::{Dialect, Quote};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_quote("'".parse::<Quote>()?).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record(["a,b", "it's"].map(Value::Text), &mut out)?;
/// assert_eq!(out, b"'a,b','it\\'s'\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Quote(Option<char>);

impl Quote {
    /// `"`, the default.
    pub const DOUBLE: Self = Self(Some('"'));
    /// No quotes at all: a field that needs them cannot be written.
    pub const OFF: Self = Self(None);
    /// `'`
    pub const SINGLE: Self = Self(Some('\''));

    /// The character, or `None` where the dialect has no quotes.
    #[must_use]
    pub const fn as_char(self) -> Option<char> {
        self.0
    }
}

/// U+0000 means [`Quote::OFF`].
impl From<char> for Quote {
    fn from(quote: char) -> Self {
        Self(Some(quote).filter(|&c| c != '\0'))
    }
}

impl Default for Quote {
    fn default() -> Self {
        Self::DOUBLE
    }
}

/// An empty text and U+0000 both mean [`Quote::OFF`], as they do for the platform's `quote`.
impl FromStr for Quote {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        one_char(text, DialectErrorKind::Quote, "quote").map(|c| Self(c.filter(|&c| c != '\0')))
    }
}

/// How a quote inside a quoted field is told apart from the one that ends it.
///
/// Default: [`Escape::With`] a backslash, as the platform and Spark have it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Escape {
    /// The quote is doubled (RFC 4180, section 2, rule 7).
    ///
    /// ```
    /// use consign::format::csv::{Dialect, Escape};
    /// use consign::row::Value;
    ///
    /// let dialect = Dialect::builder().with_escape(Escape::Doubled).build()?;
    /// let mut out = Vec::new();
    /// dialect.encoder().record(["say \"hi\"", "a\\b"].map(Value::Text), &mut out)?;
    /// assert_eq!(out, b"\"say \"\"hi\"\"\",a\\b\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    Doubled,
    /// This character stands before the quote, and before itself.
    ///
    /// A field that holds it is quoted, since many readers take it for an escape outside quotes too.
    ///
    /// ```
    /// use consign::format::csv::{Dialect, Escape};
    /// use consign::row::Value;
    ///
    /// let dialect = Dialect::builder().with_escape(Escape::With('\\')).build()?;
    /// let mut out = Vec::new();
    /// dialect.encoder().record(["say \"hi\"", "a\\b"].map(Value::Text), &mut out)?;
    /// assert_eq!(out, b"\"say \\\"hi\\\"\",\"a\\\\b\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    With(char),
}

impl Default for Escape {
    fn default() -> Self {
        Self::With('\\')
    }
}

/// One character, or none for an empty text; this is what the platform's and Spark's `escape` take.
///
/// An empty text means [`Escape::Doubled`]: a reader without an escape character expects doubled quotes.
impl FromStr for Escape {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        let c = one_char(text, DialectErrorKind::Escape, "escape")?;
        Ok(c.filter(|&c| c != '\0').map_or(Self::Doubled, Self::With))
    }
}

/// What stands before an escape character inside quotes.
///
/// Default: [`EscapeSelf::Auto`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a character, another character, or none")]
pub enum EscapeSelf {
    /// The escape character itself, unless it is the quote, which the rule for quotes covers.
    #[default]
    Auto,
    /// Nothing, as Spark's `charToEscapeQuoteEscaping` of U+0000 has it. A field's last escape character then
    /// escapes the closing quote, so this is for [`Mode::Exact`](super::Mode::Exact) only.
    ///
    /// ```
    /// use consign::format::csv::{Dialect, EscapeSelf};
    /// use consign::row::Value;
    ///
    /// let dialect = Dialect::spark().to_builder().with_escape_self(EscapeSelf::Bare).build()?;
    /// let mut out = Vec::new();
    /// dialect.encoder().record(["a,\\"].map(Value::Text), &mut out)?;
    /// assert_eq!(out, b"\"a,\\\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    Bare,
    /// Another character.
    ///
    /// ```
    /// use consign::format::csv::{Dialect, EscapeSelf};
    /// use consign::row::Value;
    ///
    /// let dialect = Dialect::builder().with_escape_self(EscapeSelf::With('#')).build()?;
    /// let mut out = Vec::new();
    /// dialect.encoder().record(["a\\b\"c"].map(Value::Text), &mut out)?;
    /// assert_eq!(out, b"\"a#\\b\\\"c\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    With(char),
}

/// What ends a record: one or more characters.
///
/// Default: a line feed.
///
/// ```
/// use consign::format::csv::{Dialect, Terminator};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_terminator(Terminator::CRLF).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record(["a", "b\nc"].map(Value::Text), &mut out)?;
/// assert_eq!(out, b"a,\"b\nc\"\r\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Terminator(Cow<'static, str>);

impl Terminator {
    /// Carriage return and line feed (RFC 4180, section 2, rule 1).
    pub const CRLF: Self = Self(Cow::Borrowed("\r\n"));
    /// A line feed, the default.
    pub const LF: Self = Self(Cow::Borrowed("\n"));

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Terminator {
    fn default() -> Self {
        Self::LF
    }
}

impl FromStr for Terminator {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        if text.is_empty() {
            let what = "expected a terminator of at least one character, found an empty text";
            return Err(DialectError::new(DialectErrorKind::Terminator, what).at(text, Span::default()));
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

/// The text that stands for null.
///
/// It is written bare, whatever the quote style, but for [`QuoteStyle::All`](super::QuoteStyle::All), and for a text
/// that would split the record. A text value that equals it is quoted, so that readers that look at quotes can tell
/// the two apart.
///
/// Default: `null`, as the platform has it.
///
/// ```
/// use consign::format::csv::{Dialect, NullText};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_null(NullText::new("NA")).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record([Value::Null, Value::Text("NA"), Value::Text("")], &mut out)?;
/// assert_eq!(out, b"NA,\"NA\",\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NullText(Cow<'static, str>);

impl NullText {
    /// Nothing between the delimiters.
    pub const NOTHING: Self = Self(Cow::Borrowed(""));
    /// `null`, the default.
    pub const NULL: Self = Self(Cow::Borrowed("null"));

    /// Any text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Cow::Owned(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for NullText {
    fn default() -> Self {
        Self::NULL
    }
}

/// What is written for a text without characters.
///
/// Default: [`EmptyText::NOTHING`], as the platform has it. Whatever it is, a record that would be no bytes at all is
/// written as a pair of quotes, since readers skip blank lines.
///
/// ```
/// use consign::format::csv::{Dialect, EmptyText, NullText};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_null(NullText::NOTHING).with_empty(EmptyText::QUOTED).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record([Value::Null, Value::Text("")], &mut out)?;
/// assert_eq!(out, b",\"\"\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EmptyText(pub(super) Empty);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Empty {
    Quoted,
    Text(Cow<'static, str>),
}

impl EmptyText {
    /// Nothing between the delimiters, the default.
    pub const NOTHING: Self = Self(Empty::Text(Cow::Borrowed("")));
    /// A pair of the dialect's quotes, as `PostgreSQL`'s COPY and Python's `QUOTE_NOTNULL` write it, so that it
    /// differs from a null that is nothing.
    pub const QUOTED: Self = Self(Empty::Quoted);

    /// Any text, written as [`NullText`] is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Empty::Text(Cow::Owned(text.into())))
    }
}

impl EmptyText {
    /// The text, which is none where it is a pair of quotes.
    pub(super) fn text(&self) -> &str {
        match &self.0 {
            Empty::Quoted => "",
            Empty::Text(text) => text,
        }
    }
}

impl Default for EmptyText {
    fn default() -> Self {
        Self::NOTHING
    }
}

/// The character at the start of a record that makes readers skip it, or none.
///
/// A first field that begins with it is quoted. Default: none.
///
/// ```
/// use consign::format::csv::{Comment, Dialect};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_comment("#".parse::<Comment>()?).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record(["#1", "#2"].map(Value::Text), &mut out)?;
/// assert_eq!(out, b"\"#1\",#2\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Comment(Option<char>);

impl Comment {
    /// `#`
    pub const HASH: Self = Self(Some('#'));
    /// Readers know no comments, the default.
    pub const OFF: Self = Self(None);

    /// The character, or `None` where readers know no comments.
    #[must_use]
    pub const fn as_char(self) -> Option<char> {
        self.0
    }
}

/// An empty text and U+0000 both mean [`Comment::OFF`].
impl FromStr for Comment {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        one_char(text, DialectErrorKind::Comment, "comment").map(|c| Self(c.filter(|&c| c != '\0')))
    }
}

/// Exactly one character, or none for an empty text.
fn one_char(text: &str, kind: DialectErrorKind, name: &str) -> Result<Option<char>, DialectError> {
    let mut chars = text.char_indices();
    let first = chars.next().map(|(_, c)| c);
    match chars.next() {
        None => Ok(first),
        Some((second, _)) => {
            let what = format!("expected one {name} character or none, found {}", text.chars().count());
            Err(DialectError::new(kind, what).at(text, Span::new(second, text.len())))
        }
    }
}
