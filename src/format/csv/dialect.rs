//! The dialect: the validated plan of everything that decides the bytes of a record.

mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::charset::Coder;
use super::plain::Plain;
use super::render::{Render, Renderers};
use super::token::{Empty, EscapeSelf};
use super::{
    Blank, Bom, Charset, Comment, Delimiter, DialectError, DialectErrorKind, EmptyText, Encoder, Escape, Guard, Header,
    InnerQuotes, Mode, NullText, Nulls, OnHazard, Quote, QuoteStyle, QuotedNull, Refused, Terminator, Trim, Unmappable,
    exact, fixed,
};

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
    pub(super) way: Way,
    /// None for UTF-8.
    pub(super) coder: Option<Coder>,
    pub(super) renderers: Renderers,
    /// The short way, where there is one.
    pub(super) plain: Option<Plain>,
}

/// How the dialect writes its fields, chosen once.
pub(super) enum Way {
    Exact(exact::Rules),
    Fixed(fixed::Rules),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) delimiter: Delimiter,
    pub(super) quote: Quote,
    pub(super) escape: Escape,
    pub(super) escape_self: EscapeSelf,
    pub(super) style: QuoteStyle,
    pub(super) inner_quotes: InnerQuotes,
    pub(super) null: NullText,
    pub(super) nulls: Nulls,
    pub(super) quoted_null: QuotedNull,
    pub(super) empty: EmptyText,
    pub(super) blank: Blank,
    pub(super) trim: Trim,
    pub(super) comment: Comment,
    pub(super) terminator: Terminator,
    pub(super) header: Header,
    pub(super) charset: Charset,
    pub(super) bom: Bom,
    pub(super) unmappable: Unmappable,
    pub(super) guard: Guard,
    pub(super) render: Render,
    pub(super) column_renders: BTreeMap<usize, Render>,
    pub(super) on_hazard: OnHazard,
    pub(super) refused: Refused,
}

impl Dialect {
    /// Starts from the platform's dialect; every setting can be changed.
    pub fn builder() -> DialectBuilder {
        DialectBuilder { settings: Settings::default() }
    }

    /// Starts from this dialect.
    pub fn to_builder(&self) -> DialectBuilder {
        DialectBuilder { settings: self.0.settings.clone() }
    }

    /// Whether a file begins with the columns' names.
    #[must_use]
    pub fn header(&self) -> Header {
        self.0.settings.header
    }

    /// The charset of the file.
    #[must_use]
    pub fn charset(&self) -> Charset {
        self.0.settings.charset
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
    /// Whether Spark's defects are kept; see [`Mode`].
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.settings.mode = mode;
        self
    }

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

    /// What stands before an escape character inside quotes; see [`EscapeSelf`].
    pub fn with_escape_self(mut self, escape_self: EscapeSelf) -> Self {
        self.settings.escape_self = escape_self;
        self
    }

    /// Which fields stand in quotes; see [`QuoteStyle`].
    pub fn with_quote_style(mut self, style: QuoteStyle) -> Self {
        self.settings.style = style;
        self
    }

    /// What a quote inside a field does; see [`InnerQuotes`].
    pub fn with_inner_quotes(mut self, inner_quotes: InnerQuotes) -> Self {
        self.settings.inner_quotes = inner_quotes;
        self
    }

    /// What stands for null; see [`NullText`].
    pub fn with_null(mut self, null: NullText) -> Self {
        self.settings.null = null;
        self
    }

    /// When null becomes the text for null; see [`Nulls`].
    pub fn with_nulls(mut self, nulls: Nulls) -> Self {
        self.settings.nulls = nulls;
        self
    }

    /// What the reader makes of a quoted text that equals the text for null; see [`QuotedNull`].
    pub fn with_quoted_null(mut self, quoted_null: QuotedNull) -> Self {
        self.settings.quoted_null = quoted_null;
        self
    }

    /// What stands for empty text; see [`EmptyText`].
    pub fn with_empty(mut self, empty: EmptyText) -> Self {
        self.settings.empty = empty;
        self
    }

    /// What becomes of a record that would be no bytes; see [`Blank`].
    pub fn with_blank(mut self, blank: Blank) -> Self {
        self.settings.blank = blank;
        self
    }

    /// Which blanks are cut off values; see [`Trim`].
    pub fn with_trim(mut self, trim: Trim) -> Self {
        self.settings.trim = trim;
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

    /// The charset of the file; see [`Charset`].
    pub fn with_charset(mut self, charset: Charset) -> Self {
        self.settings.charset = charset;
        self
    }

    /// Whether a file begins with a byte order mark; see [`Bom`].
    pub fn with_bom(mut self, bom: Bom) -> Self {
        self.settings.bom = bom;
        self
    }

    /// What becomes of a character that the charset lacks; see [`Unmappable`].
    pub fn with_unmappable(mut self, unmappable: Unmappable) -> Self {
        self.settings.unmappable = unmappable;
        self
    }

    /// What becomes of texts that a spreadsheet would run; see [`Guard`].
    pub fn with_guard(mut self, guard: Guard) -> Self {
        self.settings.guard = guard;
        self
    }

    /// How values that are no text are spelled; see [`Render`].
    pub fn with_render(mut self, render: Render) -> Self {
        self.settings.render = render;
        self
    }

    /// How values of the column at this zero-based place are spelled, instead.
    pub fn with_column_render(mut self, column: usize, render: Render) -> Self {
        self.settings.column_renders.insert(column, render);
        self
    }

    /// What is done about a cell that a reader would misread; see [`OnHazard`].
    pub fn with_on_hazard(mut self, on_hazard: OnHazard) -> Self {
        self.settings.on_hazard = on_hazard;
        self
    }

    /// What becomes of a row with a cell that cannot be written; see [`Refused`].
    pub fn with_refused(mut self, refused: Refused) -> Self {
        self.settings.refused = refused;
        self
    }

    /// Checks the rules between the settings.
    ///
    /// # Errors
    ///
    /// When two of delimiter, quote, escape, comment and terminator share a character, or one of the first four is a
    /// line end, or a setting needs a quote that the dialect lacks: no reader could split such records. When a pattern
    /// prints what a value of its kind does not have, or the charset lacks a character that the dialect writes. In
    /// [`Mode::Exact`], which asks nothing of its readers, when a setting is none of Spark's.
    ///
    /// ```
    /// use consign::format::csv::{Delimiter, Dialect};
    ///
    /// let e = Dialect::builder().with_delimiter(Delimiter::from('\\')).build().unwrap_err();
    /// assert_eq!(
    ///     e.to_string(),
    ///     "the delimiter `\\` and the escape `\\` share the character `\\`: expected them to differ"
    /// );
    /// ```
    pub fn build(self) -> Result<Dialect, DialectError> {
        let settings = self.settings;
        let coder = Coder::new(settings.charset);
        let way = match settings.mode {
            Mode::Exact => {
                check_exact(&settings)?;
                Way::Exact(exact::Rules::new(&settings))
            }
            Mode::Fixed => {
                check_fixed(&settings)?;
                check_charset(&settings, coder.as_ref())?;
                Way::Fixed(fixed::Rules::new(&settings))
            }
        };
        let renderers = Renderers::new(&settings.render, &settings.column_renders)?;
        let care = match &way {
            Way::Exact(rules) => rules.care(),
            Way::Fixed(rules) => rules.care(),
        };
        let plain = if coder.is_none() { Plain::new(&settings, care) } else { None };
        Ok(Dialect(Arc::new(Plan { settings, way, coder, renderers, plain })))
    }
}

/// What the dialect itself writes has to have a place in the charset; Spark writes `?` where it has none.
fn check_charset(s: &Settings, coder: Option<&Coder>) -> Result<(), DialectError> {
    use DialectErrorKind as Kind;

    if s.bom == Bom::Write && !s.charset.is_unicode() {
        let what = format!("the charset {} has no byte order mark: expected a Unicode charset", s.charset.name());
        return Err(DialectError::new(Kind::Charset, what));
    }
    let mut buffer = [0; 4];
    let mut parts = vec![("delimiter", s.delimiter.as_str().to_owned())];
    parts.push(("terminator", s.terminator.as_str().to_owned()));
    parts.push(("text for null", s.null.as_str().to_owned()));
    parts.push(("text for empty", s.empty.text().to_owned()));
    let escape_self = match s.escape_self {
        EscapeSelf::With(c) => Some(c),
        _ => None,
    };
    let escape = match s.escape {
        Escape::With(c) => Some(c),
        Escape::Doubled => None,
    };
    let chars = [
        ("quote", s.quote.as_char()),
        ("escape", escape),
        ("escape of the escape", escape_self),
        ("guard", s.guard.as_char()),
    ];
    parts.extend(chars.into_iter().filter_map(|(name, c)| Some((name, c?.encode_utf8(&mut buffer).to_owned()))));
    for (name, text) in parts {
        if let Some(c) = coder.and_then(|coder| coder.lacks(&text)) {
            let charset = s.charset.name();
            let what = format!("the charset {charset} has no character `{c}`: expected another {name}");
            return Err(DialectError::new(Kind::Charset, what));
        }
    }
    Ok(())
}

/// What Spark has no option for cannot be had in its bytes.
fn check_exact(s: &Settings) -> Result<(), DialectError> {
    let clash = |what: &str| Err(DialectError::new(DialectErrorKind::Clash, what));
    if !matches!(s.style, QuoteStyle::All | QuoteStyle::Minimal) {
        return clash("Spark quotes all fields or those that need it: expected the quote style all or minimal");
    }
    if s.blank != Blank::default() {
        return clash("Spark writes no blank lines: expected mode fixed for blank lines");
    }
    if s.guard != Guard::OFF {
        return clash("Spark has no guard against formulas: expected mode fixed for one");
    }
    if s.bom != Bom::Omit {
        return clash("Spark writes a byte order mark for UTF-16 only: expected mode fixed for one");
    }
    if s.terminator.as_str().encode_utf16().count() > 2 {
        let what = format!(
            "Spark ends records with at most two characters, found `{}`: expected one or two",
            shown(s.terminator.as_str())
        );
        return Err(DialectError::new(DialectErrorKind::Terminator, what));
    }
    Ok(())
}

/// The rules that make records readable.
fn check_fixed(s: &Settings) -> Result<(), DialectError> {
    use DialectErrorKind as Kind;

    let mut parts = vec![(Kind::Delimiter, "delimiter", s.delimiter.as_str().to_owned())];
    parts.extend(s.quote.as_char().map(|c| (Kind::Quote, "quote", c.to_string())));
    match s.escape {
        // An escape that is the quote is another way to spell a doubled quote.
        Escape::With(c) if s.quote.as_char() != Some(c) => parts.push((Kind::Escape, "escape", c.to_string())),
        _ => {}
    }
    parts.extend(s.comment.as_char().map(|c| (Kind::Comment, "comment", c.to_string())));
    for (kind, name, text) in &parts {
        if text.contains(['\n', '\r']) {
            let what = format!("the {name} `{}` holds a line end: expected other characters", shown(text));
            return Err(DialectError::new(*kind, what));
        }
    }
    parts.push((Kind::Terminator, "terminator", s.terminator.as_str().to_owned()));
    for (i, (_, name, text)) in parts.iter().enumerate() {
        for (_, other_name, other) in &parts[i + 1..] {
            if let Some(c) = text.chars().find(|&c| other.contains(c)) {
                let what = format!(
                    "the {name} `{}` and the {other_name} `{}` share the character `{}`: expected them to differ",
                    shown(text),
                    shown(other),
                    shown(c.encode_utf8(&mut [0; 4]))
                );
                return Err(DialectError::new(Kind::Clash, what));
            }
        }
    }
    if let EscapeSelf::With(c) = s.escape_self
        && s.quote.as_char() == Some(c)
    {
        let what = format!("the quote `{c}` cannot escape the escape: expected another character, or mode exact");
        return Err(DialectError::new(Kind::Clash, what));
    }
    if s.escape_self == EscapeSelf::Bare {
        let what =
            "an escape that is not escaped can escape the closing quote: expected mode exact, or an escape for it";
        return Err(DialectError::new(Kind::Escape, what));
    }
    if s.quote.as_char().is_none() {
        let clash = |what: &str| Err(DialectError::new(Kind::Clash, what));
        if !matches!(s.style, QuoteStyle::Minimal | QuoteStyle::Never) {
            return clash("the quote style needs a quote: expected a quote character, found none");
        }
        if s.empty.0 == Empty::Quoted {
            return clash("empty text as a pair of quotes needs a quote: expected a quote character, found none");
        }
        for (kind, name, text) in [(Kind::Null, "null", s.null.as_str()), (Kind::Empty, "empty", s.empty.text())] {
            let splits = text.contains(['\n', '\r'])
                || fixed::holds(text, s.delimiter.as_str())
                || fixed::holds(text, s.terminator.as_str())
                || text.starts_with(|c| Some(c) == s.comment.as_char());
            if splits {
                let what = format!(
                    "the text for {name} `{}` does not hold together without quotes: expected one without delimiter, \
                     line end and comment character",
                    shown(text)
                );
                return Err(DialectError::new(kind, what));
            }
        }
    }
    Ok(())
}

/// A text for a message: control characters escaped, quotes and backslashes as they are.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}
