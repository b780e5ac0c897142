//! Spark's CSV options: their names, aliases, defaults and checks.

use super::datetime::{Locale, Pattern, PatternError, Zone};
use super::{
    Charset, Comment, Delimiter, Dialect, DialectBuilder, DialectError, DialectErrorKind, EmptyText, Escape,
    EscapeSelf, Header, InnerQuotes, Mode, NullText, Quote, QuoteStyle, QuotedNull, Render, Terminator, Trim,
};
use crate::Span;

/// The options of Spark's CSV writer, checked as Spark checks them.
///
/// Keys are compared without regard to case, as Spark's are, and the last of equal keys counts. An option that Spark
/// knows only for reading is checked, since Spark does so on write too, and then has no effect; a key that Spark does
/// not know is passed over.
///
/// | option | default | takes |
/// |---|---|---|
/// | `sep`, or `delimiter` | `,` | one or more characters; `\t \r \b \f \" \' \\` and `\u0000` are one each |
/// | `quote` | `"` | one character; empty means U+0000 |
/// | `escape` | `\` | one character; empty means U+0000 |
/// | `charToEscapeQuoteEscaping` | the escape, if it is not the quote | one character; empty means the default |
/// | `escapeQuotes` | `true` | a boolean |
/// | `quoteAll` | `false` | a boolean |
/// | `nullValue` | nothing | a text |
/// | `emptyValue` | `""` | a text |
/// | `ignoreLeadingWhiteSpace`, `ignoreTrailingWhiteSpace` | `true` | a boolean |
/// | `lineSep` | a line feed | one or two characters |
/// | `comment` | `#` | one character; U+0000 means none |
/// | `header` | `false` | a boolean |
/// | `encoding`, or `charset` | `UTF-8` | a [`Charset`] |
/// | `dateFormat` | `yyyy-MM-dd` | a [`Pattern`] |
/// | `timestampFormat` | `yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]` | a [`Pattern`] |
/// | `timestampNTZFormat` | `yyyy-MM-dd'T'HH:mm:ss[.SSS]` | a [`Pattern`] without offset or zone |
/// | `locale` | `en-US` | a [`Locale`], for dates and timestamps |
/// | `timeZone` | `UTC` (Spark: that of the session) | a [`Zone`] |
///
/// Patterns are parsed here; whether the locale and the zone have what they print is checked when the dialect is
/// built.
///
/// A boolean is `true` or `false` in any case of letters. A character is a UTF-16 unit, as it is for Spark, so that a
/// character beyond U+FFFF is two.
///
/// ```
/// use consign::format::csv::{Mode, SparkOptions};
/// use consign::row::Value;
///
/// let options = SparkOptions::parse([("delimiter", "\\t"), ("nullValue", "\\N"), ("HEADER", "true")])?;
/// let mut encoder = options.dialect(Mode::Exact)?.encoder();
/// let mut out = Vec::new();
/// encoder.header(&["id", "name"], &mut out)?;
/// encoder.record([Value::Text(" a "), Value::Null], &mut out)?;
/// encoder.record([Value::Text("say \"hi\""), Value::Text("")], &mut out)?;
/// assert_eq!(out, b"id\tname\na\t\\N\n\"say \\\"hi\\\"\"\t\"\"\n");
/// # Ok::<(), consign::Error>(())
/// ```
///
/// What each option does to the bytes of one file, of a header and a record:
///
/// ```
/// # use consign::format::csv::{Mode, SparkOptions};
/// # use consign::row::Value;
/// # use consign::chrono::DateTime;
/// let time = DateTime::from_timestamp(1_704_164_645, 123_000_000).unwrap();
/// let date = Value::Date(time.date_naive());
/// let check = |key: &str, value: &str, record: &[Value<'_>], expected: &[u8]| {
///     let mut encoder = SparkOptions::parse([(key, value)])?.dialect(Mode::Exact)?.encoder();
///     let mut out = Vec::new();
///     encoder.header(&["n"], &mut out)?;
///     encoder.record(record.iter().copied(), &mut out)?;
///     assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{key}");
///     Ok::<(), consign::Error>(())
/// };
/// use Value::{LocalTimestamp, Null, Text, Timestamp};
///
/// check("sep", "||", &[Text("a"), Text("b|c")], b"a||b|c\n")?;
/// check("delimiter", "\\t", &[Text("a"), Text("b")], b"a\tb\n")?;
/// check("quote", "'", &[Text("a,b")], b"'a,b'\n")?;
/// check("escape", "\"", &[Text("say \"hi\"")], b"\"say \"\"hi\"\"\"\n")?;
/// check("charToEscapeQuoteEscaping", "#", &[Text("a,\\")], b"\"a,#\\\"\n")?;
/// check("escapeQuotes", "false", &[Text("say \"hi\"")], b"say \"hi\"\n")?;
/// check("quoteAll", "true", &[Text("a"), Null], b"\"a\",\"\"\n")?;
/// check("nullValue", "NULL", &[Text("a"), Null], b"a,NULL\n")?;
/// check("emptyValue", "EMPTY", &[Text("a"), Text("")], b"a,EMPTY\n")?;
/// check("ignoreLeadingWhiteSpace", "false", &[Text(" a ")], b" a\n")?;
/// check("ignoreTrailingWhiteSpace", "false", &[Text(" a ")], b"a \n")?;
/// check("lineSep", "\r\n", &[Text("a")], b"a\r\n")?;
/// check("comment", "!", &[Text("!a"), Text("#b")], b"\"!a\",#b\n")?;
/// check("header", "true", &[Text("a")], b"n\na\n")?;
/// check("encoding", "ISO-8859-1", &[Text("\u{e9}\u{20ac}")], b"\xE9?\n")?;
/// check("charset", "UTF-16", &[Text("a")], b"\xFE\xFF\0a\0\n")?;
/// check("dateFormat", "d.M.yyyy", &[date], b"2.1.2024\n")?;
/// check("timestampFormat", "HH:mm a", &[Timestamp(time)], b"03:04 AM\n")?;
/// check("timestampNTZFormat", "d MMM", &[LocalTimestamp(time.naive_utc())], b"2 Jan\n")?;
/// check("timeZone", "Asia/Kolkata", &[Timestamp(time)], b"2024-01-02T08:34:05.123+05:30\n")?;
/// let options = SparkOptions::parse([("dateFormat", "d MMMM"), ("locale", "fr-FR")])?;
/// let mut out = Vec::new();
/// options.dialect(Mode::Exact)?.encoder().record([date], &mut out)?;
/// assert_eq!(out, b"2 janvier\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SparkOptions {
    delimiter: Delimiter,
    quote: char,
    escape: char,
    escape_self: Option<char>,
    inner_quotes: InnerQuotes,
    style: QuoteStyle,
    null: NullText,
    empty: Option<EmptyText>,
    trim: Trim,
    terminator: Terminator,
    comment: Comment,
    header: Header,
    charset: Charset,
    render: Render,
}

impl Default for SparkOptions {
    fn default() -> Self {
        Self::parse([]).expect("options that are not given are not wrong")
    }
}

/// Options that Spark checks on write and does not use.
const CHECKED: [(&str, Check); 13] = [
    ("columnPruning", Check::Boolean),
    ("enableDateTimeParsingFallback", Check::Boolean),
    ("enforceSchema", Check::Boolean),
    ("inferSchema", Check::Boolean),
    ("inputBufferSize", Check::Integer),
    ("maxCharsPerColumn", Check::Integer),
    ("maxColumns", Check::Integer),
    ("multiLine", Check::Boolean),
    ("preferDate", Check::Boolean),
    ("samplingRatio", Check::Number),
    ("singleVariantColumn", Check::Text),
    ("unescapedQuoteHandling", Check::QuoteHandling),
    ("wholeFile", Check::Text),
];

#[derive(Clone, Copy)]
enum Check {
    Boolean,
    Integer,
    Number,
    QuoteHandling,
    Text,
}

/// The options as they were given, in lower case.
struct Given<'a>(Vec<(String, &'a str)>);

impl SparkOptions {
    /// Reads options as Spark's `DataFrameWriter.options` takes them.
    ///
    /// # Errors
    ///
    /// When Spark would refuse a value; the error names the option, and its span lies in the value.
    ///
    /// ```
    /// use consign::format::csv::SparkOptions;
    ///
    /// let e = SparkOptions::parse([("quote", "''")]).unwrap_err();
    /// assert_eq!(e.to_string(), "option `quote`: expected at most one character, found 2");
    /// let e = SparkOptions::parse([("header", "yes")]).unwrap_err();
    /// assert_eq!(e.to_string(), "option `header`: expected `true` or `false`, found `yes`");
    /// ```
    pub fn parse<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, DialectError> {
        let given = Given(options.into_iter().map(|(key, value)| (key.to_lowercase(), value)).collect());
        for (key, check) in CHECKED {
            given.check(key, check)?;
        }
        let delimiter = match (given.get("sep"), given.get("delimiter")) {
            (Some(text), _) => unescape("sep", text)?,
            (None, Some(text)) => unescape("delimiter", text)?,
            (None, None) => Delimiter::COMMA,
        };
        let leading = given.flag("ignoreLeadingWhiteSpace", true)?;
        let trailing = given.flag("ignoreTrailingWhiteSpace", true)?;
        Ok(Self {
            delimiter,
            quote: given.unit("quote")?.unwrap_or('"'),
            escape: given.unit("escape")?.unwrap_or('\\'),
            escape_self: given.unit_if_any("charToEscapeQuoteEscaping")?,
            inner_quotes: if given.flag("escapeQuotes", true)? { InnerQuotes::Enclose } else { InnerQuotes::Leave },
            style: if given.flag("quoteAll", false)? { QuoteStyle::All } else { QuoteStyle::Minimal },
            null: given.get("nullValue").map_or(NullText::NOTHING, NullText::new),
            empty: given.get("emptyValue").map(EmptyText::new),
            trim: match (leading, trailing) {
                (true, true) => Trim::Both,
                (true, false) => Trim::Leading,
                (false, true) => Trim::Trailing,
                (false, false) => Trim::None,
            },
            terminator: given.terminator()?,
            comment: match given.unit_if_any("comment")? {
                None => Comment::HASH,
                Some(c) => c.encode_utf8(&mut [0; 4]).parse()?,
            },
            charset: given.charset()?,
            render: given.render()?,
            header: if given.flag("header", false)? { Header::Write } else { Header::Omit },
        })
    }

    /// The dialect of these options, to change settings that Spark has no option for.
    ///
    /// In [`Mode::Fixed`], options whose effect is a defect are read as what was meant: without a quote, fields that
    /// need one are refused; without an escape, quotes are doubled; an escape that nothing escapes escapes itself; and
    /// empty text is a pair of the quotes in use, unless the options say otherwise.
    #[must_use = "this makes a builder and changes nothing"]
    pub fn builder(&self, mode: Mode) -> DialectBuilder {
        let exact = mode == Mode::Exact;
        let quote = Quote::from(self.quote);
        let escape = if self.escape == '\0' && !exact { Escape::Doubled } else { Escape::With(self.escape) };
        let escape_self = match self.escape_self {
            Some('\0') if exact => EscapeSelf::Bare,
            Some('\0') | None => EscapeSelf::Auto,
            Some(c) => EscapeSelf::With(c),
        };
        let empty = match &self.empty {
            Some(empty) => empty.clone(),
            None if !exact && quote == Quote::OFF => EmptyText::NOTHING,
            None => EmptyText::QUOTED,
        };
        Dialect::builder()
            .with_mode(mode)
            .with_delimiter(self.delimiter.clone())
            .with_quote(quote)
            .with_escape(escape)
            .with_escape_self(escape_self)
            .with_inner_quotes(self.inner_quotes)
            .with_quote_style(self.style)
            .with_null(self.null.clone())
            .with_empty(empty)
            .with_trim(self.trim)
            .with_terminator(self.terminator.clone())
            .with_comment(self.comment)
            .with_header(self.header)
            .with_charset(self.charset)
            .with_render(self.render.clone())
            .with_quoted_null(if self.null == NullText::NOTHING { QuotedNull::IsText } else { QuotedNull::IsNull })
    }

    /// The dialect of these options.
    ///
    /// # Errors
    ///
    /// As [`DialectBuilder::build`]: in [`Mode::Fixed`], when the options contradict one another.
    pub fn dialect(&self, mode: Mode) -> Result<Dialect, DialectError> {
        self.builder(mode).build()
    }
}

impl Given<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let key = key.to_lowercase();
        self.0.iter().rev().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, DialectError> {
        match self.get(key) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => {
                Err(wrong(key, text, Span::new(0, text.len()), &format!("`true` or `false`, found `{text}`")))
            }
        }
    }

    /// One UTF-16 unit; an empty value is U+0000.
    fn unit(&self, key: &str) -> Result<Option<char>, DialectError> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let first = text.chars().next().unwrap_or('\0');
        match text.encode_utf16().count() {
            0 | 1 => Ok(Some(first)),
            units => {
                let after = if first.len_utf16() == 1 { first.len_utf8() } else { 0 };
                let what = format!("at most one character, found {units}");
                Err(wrong(key, text, Span::new(after, text.len()), &what))
            }
        }
    }

    /// One UTF-16 unit; an empty value is as good as none.
    fn unit_if_any(&self, key: &str) -> Result<Option<char>, DialectError> {
        if self.get(key) == Some("") { Ok(None) } else { self.unit(key) }
    }

    fn terminator(&self) -> Result<Terminator, DialectError> {
        let key = "lineSep";
        let Some(text) = self.get(key) else { return Ok(Terminator::LF) };
        match text.encode_utf16().count() {
            0 => Err(wrong(key, text, Span::default(), "one or two characters, found none")),
            1 | 2 => text.parse(),
            units => {
                let span = Span::new(0, text.len());
                Err(wrong(key, text, span, &format!("one or two characters, found {units}")))
            }
        }
    }

    fn charset(&self) -> Result<Charset, DialectError> {
        let given = ["encoding", "charset"].into_iter().find_map(|key| Some((key, self.get(key)?)));
        let Some((key, text)) = given else { return Ok(Charset::UTF_8) };
        let what = format!("Unicode or a single-byte charset, found `{text}`");
        text.parse().map_err(|_| wrong(key, text, Span::new(0, text.len()), &what))
    }

    fn render(&self) -> Result<Render, DialectError> {
        let locale = match self.get("locale") {
            None => Locale::EN_US,
            Some(tag) => Locale::parse(tag).map_err(|e| inside("locale", tag, &e, e.span()))?,
        };
        let zone = match self.get("timeZone") {
            None => Zone::UTC,
            Some(id) => Zone::parse(id).map_err(|e| inside("timeZone", id, &e, e.span()))?,
        };
        let date = self.pattern("dateFormat", "yyyy-MM-dd", Pattern::check_date)?;
        let timestamp = self.pattern("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", |_| Ok(()))?;
        let local = self.pattern("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]", Pattern::check_local)?;
        Ok(Render::spark()
            .with_dates(date, locale)
            .with_timestamps(timestamp, locale, zone)
            // Spark's writer leaves the locale aside for these.
            .with_local_timestamps(local, Locale::EN_US))
    }

    fn pattern(
        &self,
        key: &str,
        default: &str,
        check: impl FnOnce(&Pattern) -> Result<(), PatternError>,
    ) -> Result<Pattern, DialectError> {
        let text = self.get(key).unwrap_or(default);
        let pattern = Pattern::spark(text).and_then(|pattern| check(&pattern).map(|()| pattern));
        pattern.map_err(|e| inside(key, text, &e, e.span()))
    }

    fn check(&self, key: &str, check: Check) -> Result<(), DialectError> {
        const HANDLING: [&str; 5] =
            ["BACK_TO_DELIMITER", "RAISE_ERROR", "SKIP_VALUE", "STOP_AT_CLOSING_QUOTE", "STOP_AT_DELIMITER"];
        let Some(text) = self.get(key) else { return Ok(()) };
        let expected = match check {
            Check::Boolean => return self.flag(key, false).map(drop),
            Check::Integer if text.parse::<i32>().is_err() => "an integer of 32 bits",
            Check::Number if text.trim().parse::<f64>().is_err() => "a number",
            Check::QuoteHandling if !HANDLING.iter().any(|name| text.eq_ignore_ascii_case(name)) => {
                "one of `BACK_TO_DELIMITER`, `RAISE_ERROR`, `SKIP_VALUE`, `STOP_AT_CLOSING_QUOTE`, `STOP_AT_DELIMITER`"
            }
            _ => return Ok(()),
        };
        Err(wrong(key, text, Span::new(0, text.len()), &format!("{expected}, found `{text}`")))
    }
}

#[cold]
fn inside(key: &str, text: &str, error: &impl std::fmt::Display, span: Span) -> DialectError {
    DialectError::new(DialectErrorKind::Option, format!("option `{key}`: {error}")).at(text, span)
}

#[cold]
fn wrong(key: &str, text: &str, span: Span, expected: &str) -> DialectError {
    DialectError::new(DialectErrorKind::Option, format!("option `{key}`: expected {expected}")).at(text, span)
}

/// A delimiter as Spark spells it (`CSVExprUtils.toDelimiterStr`).
fn unescape(key: &str, text: &str) -> Result<Delimiter, DialectError> {
    let mut out = String::new();
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        if let Some(after) = text[at..].strip_prefix("\\u0000") {
            out.push('\0');
            rest = text.char_indices();
            while rest.as_str().len() > after.len() && rest.next().is_some() {}
            continue;
        }
        match rest.next() {
            Some((_, 't')) => out.push('\t'),
            Some((_, 'r')) => out.push('\r'),
            Some((_, 'b')) => out.push('\u{8}'),
            Some((_, 'f')) => out.push('\u{c}'),
            Some((_, c @ ('"' | '\'' | '\\'))) => out.push(c),
            Some((end, other)) => {
                let what = format!("one of `\\t \\r \\b \\f \\\" \\' \\\\ \\u0000` after a backslash, found `{other}`");
                return Err(wrong(key, text, Span::new(at, end + other.len_utf8()), &what));
            }
            None => {
                let what = "a character after the backslash, or two backslashes for one, found the end";
                return Err(wrong(key, text, Span::new(at, text.len()), what));
            }
        }
    }
    out.parse().map_err(|_| wrong(key, text, Span::default(), "at least one character, found none"))
}
