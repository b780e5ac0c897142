//! `csvOptions`: how the platform spells a CSV dialect.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::leaf::{Flag, Leaf, Object, Text, not_one_of, shown};
use super::{PlatformError, Show, read};
use crate::format::csv::datetime::{Locale, Pattern, Zone};
use crate::format::csv::{
    Charset, Comment, Delimiter, Dialect, DialectBuilder, EmptyText, Escape, EscapeSelf, Header, InnerQuotes, NullText,
    Quote, QuoteStyle, Render, Terminator, Trim,
};

/// The `csvOptions` object of a target connection, and the further options of Spark that the platform's kit lists.
///
/// | field | values | without it |
/// |---|---|---|
/// | `delimiter` | `,`, tab, `\|`, `;`, `:` | `,` |
/// | `sep` | instead of `delimiter`: any text of at least one character | |
/// | `quote` | one character; empty or U+0000: no quotes | `"` |
/// | `escape` | one character; empty: quotes are doubled | `\` |
/// | `nullValue` | any text | `null` |
/// | `emptyValue` | any text; `""` (two quotes) is a pair of quotes | nothing |
/// | `header` | `true`, `false` | `true` |
/// | `quoteAll` | `true`: every field stands in quotes | `false` |
/// | `lineSep` | any text of at least one character | line feed |
/// | `comment` | one character; empty or U+0000: none | none |
/// | `charToEscapeQuoteEscaping` | one character; empty or U+0000: as without it | the escape itself |
/// | `escapeQuotes` | `false`: a quote inside a field does not enclose it | `true` |
/// | `ignoreLeadingWhiteSpace`, `ignoreTrailingWhiteSpace` | `true`: blanks there are cut off | `false` |
/// | `encoding`, or `charset` | the name of a [`Charset`] | `UTF-8` |
/// | `dateFormat` | a date pattern ([`Pattern::spark`]), for typed dates | `yyyy-MM-dd` |
/// | `timestampFormat` | a pattern for typed timestamps, in UTC | RFC 3339 |
///
/// - Names and values are case-sensitive, as the platform has them. A `null` is the same as no field.
/// - Without `quote`, the platform's sources disagree: one table of its API says no quotes, its schema and the
///   fallback of its templates say `"`. Here it is `"`, since without quotes a delimiter inside a field splits it.
///
/// ```
/// use consign::destination::platform::CsvOptions;
/// use consign::row::Value;
///
/// let options = CsvOptions::parse(r#"{"delimiter": ";", "escape": "'", "nullValue": ""}"#)?;
/// let mut out = Vec::new();
/// options.dialect().encoder().record([Value::Text("a;\"b\""), Value::Null], &mut out)?;
/// assert_eq!(out, b"\"a;'\"b'\"\";\n");
///
/// let error = CsvOptions::parse(r#"{"delimiter": "::"}"#).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"delimiter: expected ",", "\t", "|", ";" or ":" (or any text as `sep`), found "::" at line 1 column 15"#
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Object<Options>", into = "Options")]
pub struct CsvOptions {
    options: Options,
    dialect: Dialect,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<Text<Listed>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sep: Option<Text<Delimiter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<Text<Quote>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escape: Option<Text<Escape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    null_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_all: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_sep: Option<Text<Terminator>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<Text<Comment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    char_to_escape_quote_escaping: Option<Text<EscapeSelf>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_format: Option<Text<DatePattern>>,
    #[serde(alias = "charset", skip_serializing_if = "Option::is_none")]
    encoding: Option<Text<Charset>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escape_quotes: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_leading_white_space: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_trailing_white_space: Option<Flag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_format: Option<Text<TimestampPattern>>,
}

impl Options {
    /// The dialect of what is given, on top of the platform's.
    fn builder(&self) -> DialectBuilder {
        let mut builder = Dialect::builder();
        if let Some(Text(Listed(delimiter))) = &self.delimiter {
            builder = builder.with_delimiter(delimiter.clone());
        }
        if let Some(Text(delimiter)) = &self.sep {
            builder = builder.with_delimiter(delimiter.clone());
        }
        if let Some(Text(quote)) = self.quote {
            builder = builder.with_quote(quote);
        }
        if let Some(Text(escape)) = self.escape {
            builder = builder.with_escape(escape);
        }
        if let Some(null) = &self.null_value {
            builder = builder.with_null(NullText::new(null));
        }
        if let Some(empty) = &self.empty_value {
            builder = builder.with_empty(EmptyText::new(empty));
        }
        if let Some(Flag(header)) = self.header {
            builder = builder.with_header(if header { Header::Write } else { Header::Omit });
        }
        if let Some(Flag(true)) = self.quote_all {
            builder = builder.with_quote_style(QuoteStyle::All);
        }
        if let Some(Text(terminator)) = &self.line_sep {
            builder = builder.with_terminator(terminator.clone());
        }
        if let Some(Text(comment)) = self.comment {
            builder = builder.with_comment(comment);
        }
        if let Some(Text(escape_self)) = self.char_to_escape_quote_escaping {
            builder = builder.with_escape_self(escape_self);
        }
        if let Some(Flag(false)) = self.escape_quotes {
            builder = builder.with_inner_quotes(InnerQuotes::Leave);
        }
        if let Some(Text(charset)) = self.encoding {
            builder = builder.with_charset(charset);
        }
        let mut render = Render::new();
        if let Some(Text(DatePattern(pattern))) = &self.date_format {
            render = render.with_dates(pattern.clone(), Locale::EN_US);
        }
        if let Some(Text(TimestampPattern(pattern))) = &self.timestamp_format {
            render = render.with_timestamps(pattern.clone(), Locale::EN_US, Zone::UTC);
        }
        if self.date_format.is_some() || self.timestamp_format.is_some() {
            builder = builder.with_render(render);
        }
        let cut = |flag: Option<Flag>| flag.is_some_and(|flag| flag.0);
        builder.with_trim(match (cut(self.ignore_leading_white_space), cut(self.ignore_trailing_white_space)) {
            (true, true) => Trim::Both,
            (true, false) => Trim::Leading,
            (false, true) => Trim::Trailing,
            (false, false) => Trim::None,
        })
    }
}

/// The delimiters that the platform offers.
#[derive(Clone, Debug, PartialEq)]
struct Listed(Delimiter);

impl Leaf for Listed {
    fn read(text: &str) -> Result<Self, String> {
        let listed = [Delimiter::COMMA, Delimiter::TAB, Delimiter::PIPE, Delimiter::SEMICOLON, Delimiter::COLON];
        if let Some(delimiter) = listed.iter().find(|delimiter| delimiter.as_str() == text) {
            return Ok(Self(delimiter.clone()));
        }
        let names: Vec<&str> = listed.iter().map(Delimiter::as_str).collect();
        Err(not_one_of(text, &names).replacen(", found ", " (or any text as `sep`), found ", 1))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

/// How dates are spelled.
#[derive(Clone, Debug, PartialEq)]
struct DatePattern(Pattern);

impl Leaf for DatePattern {
    fn read(text: &str) -> Result<Self, String> {
        let pattern = Pattern::spark(text).and_then(|pattern| pattern.check_date().map(|()| pattern));
        pattern.map(Self).map_err(|e| format!("{e}, in {}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

/// How timestamps are spelled.
#[derive(Clone, Debug, PartialEq)]
struct TimestampPattern(Pattern);

impl Leaf for TimestampPattern {
    fn read(text: &str) -> Result<Self, String> {
        Pattern::spark(text).map(Self).map_err(|e| format!("{e}, in {}", shown(text)))
    }

    fn write(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl CsvOptions {
    /// Reads the object from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown or has a value that it cannot have, or two of them clash, such as
    /// a delimiter that is also the quote.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::of(json))
    }

    /// The dialect that the options describe.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The dialect, to change what the platform has no option for.
    pub(super) fn builder(&self) -> DialectBuilder {
        self.options.builder()
    }
}

impl Default for CsvOptions {
    /// The platform's dialect: no option is given.
    fn default() -> Self {
        Self { options: Options::default(), dialect: Dialect::default() }
    }
}

impl From<CsvOptions> for Options {
    fn from(options: CsvOptions) -> Self {
        options.options
    }
}

impl TryFrom<Object<Options>> for CsvOptions {
    type Error = String;

    fn try_from(Object(options): Object<Options>) -> Result<Self, String> {
        if options.delimiter.is_some() && options.sep.is_some() {
            return Err("`delimiter` and `sep` are one option: expected only one of them".to_owned());
        }
        let dialect = options.builder().build().map_err(|error| error.to_string())?;
        Ok(Self { options, dialect })
    }
}
