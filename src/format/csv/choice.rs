//! The choices of a dialect that are no characters: what is quoted, cut off, refused or marked.

/// Whether the writer keeps Spark's defects.
///
/// Default: [`Mode::Fixed`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a defect is kept or mended")]
pub enum Mode {
    /// The bytes of Spark's writer (Univocity 2.9.1 under Spark 3.3 to 4.0), defects included.
    Exact,
    /// Every record can be read back. Against [`Mode::Exact`], these defects are mended:
    ///
    /// | defect of Spark's writer | exact | fixed |
    /// |---|---|---|
    /// | a record of one null is no bytes: the row is lost | nothing | `""` |
    /// | with only `ignoreTrailingWhiteSpace`, a blank becomes garbage | ` \"\` | `""` |
    /// | single quotes around a column's name are dropped | `id` | `'id'` |
    /// | a field's end and a delimiter of several characters run together | `a\|\|\|b` | `"a\|"\|\|b` |
    /// | line feeds become CRLF where that ends records | `"a\r\nb"` | `"a\nb"` |
    /// | a bare field may hold the escape, which many readers then apply | `ends\` | `"ends\\"` |
    /// | blanks are cut off before a comment character, which then begins the line | `#a` | `"#a"` |
    /// | a bare byte order mark in the first field | U+FEFF`a` | `"`U+FEFF`a"` |
    /// | a text for null of blanks is trimmed away | nothing | the blanks |
    /// | a text that equals the text for null | `NULL` | `"NULL"` |
    /// | empty text is `""` whatever the quote is | `""` | `''` |
    /// | with no quote, fields are enclosed in U+0000 | NUL`a,b`NUL | refused |
    /// | with no escape, quotes are escaped by U+0000 | `"a`NUL`"b"` | `"a""b"` |
    /// | with no escape for the escape, it can escape the closing quote | `"a,\"` | `"a,\\"` |
    /// | characters that the charset lacks become `?`, silently | `?` | by policy, counted |
    ///
    /// ```
    /// use consign::format::csv::{Dialect, Mode, SparkOptions};
    /// use consign::row::Value;
    ///
    /// let options = SparkOptions::parse([("sep", "||"), ("lineSep", "\r\n")])?;
    /// let record = ["a|", "b\nc", "ends\\"].map(Value::Text);
    ///
    /// let mut out = Vec::new();
    /// options.dialect(Mode::Exact)?.encoder().record(record, &mut out)?;
    /// assert_eq!(out, b"a|||\"b\r\nc\"||ends\\\r\n");
    ///
    /// out.clear();
    /// options.dialect(Mode::Fixed)?.encoder().record(record, &mut out)?;
    /// assert_eq!(out, b"\"a|\"||\"b\nc\"||\"ends\\\\\"\r\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[default]
    Fixed,
}

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
///
/// ```
/// use consign::format::csv::{Dialect, NullText, QuoteStyle};
/// use consign::row::Value;
///
/// let check = |style, expected: &str| {
///     let dialect = Dialect::builder().with_quote_style(style).with_null(NullText::NOTHING).build()?;
///     let record = [Value::Text("a"), Value::Text("b,c"), Value::Integer(1), Value::Boolean(true), Value::Null];
///     let mut out = Vec::new();
///     dialect.encoder().record(record, &mut out)?;
///     assert_eq!(out, expected.as_bytes());
///     Ok::<(), consign::Error>(())
/// };
/// check(QuoteStyle::All, "\"a\",\"b,c\",\"1\",\"true\",\"\"\n")?;
/// check(QuoteStyle::AllNonNull, "\"a\",\"b,c\",\"1\",\"true\",\n")?;
/// check(QuoteStyle::Minimal, "a,\"b,c\",1,true,\n")?;
/// check(QuoteStyle::NonNumeric, "\"a\",\"b,c\",1,\"true\",\n")?;
/// check(QuoteStyle::Strings, "\"a\",\"b,c\",1,true,\n")?;
///
/// let never = Dialect::builder().with_quote_style(QuoteStyle::Never).build()?;
/// let e = never.encoder().record([Value::Text("b,c")], &mut Vec::new()).unwrap_err();
/// assert_eq!(
///     e.to_string(),
///     "the text holds the delimiter `,`, and the dialect never quotes: expected a text without it"
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum QuoteStyle {
    /// Every field, null included.
    All,
    /// Every field but null, as Python's `QUOTE_NOTNULL` has it.
    AllNonNull,
    /// Fields that need it: those that hold a delimiter, quote, escape or line end, equal the text for null, or could
    /// be taken for a comment or a byte order mark.
    #[default]
    Minimal,
    /// None. A field that would need quotes to hold together is refused.
    Never,
    /// Every field but numbers and null.
    NonNumeric,
    /// Texts, as Python's `QUOTE_STRINGS` has it; other types where they need it.
    Strings,
}

/// What a quote inside a field does where the quote style is [`QuoteStyle::Minimal`]: Spark's `escapeQuotes`.
///
/// Default: [`InnerQuotes::Enclose`].
///
/// ```
/// use consign::format::csv::{Dialect, InnerQuotes};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_inner_quotes(InnerQuotes::Leave).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record(["say \"hi\"", "\"hi\""].map(Value::Text), &mut out)?;
/// assert_eq!(out, b"say \"hi\",\"\\\"hi\\\"\"\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a field is enclosed or left")]
pub enum InnerQuotes {
    /// The field is enclosed in quotes, and the quote is escaped.
    #[default]
    Enclose,
    /// The field is left as it is, unless the quote is its first character.
    Leave,
}

/// Which blanks are cut off values: characters up to U+0020, as Spark's writer has it, and no others.
///
/// A value of nothing but what is cut off is an empty text. Default: [`Trim::None`] (Spark's default is
/// [`Trim::Both`]).
///
/// ```
/// use consign::format::csv::{Dialect, Trim};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_trim(Trim::Both).build()?;
/// let mut out = Vec::new();
/// dialect.encoder().record([" a ", "\t", "\u{a0}b"].map(Value::Text), &mut out)?;
/// assert_eq!(out, "a,,\u{a0}b\n".as_bytes());
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a text has two ends")]
pub enum Trim {
    /// At both ends.
    Both,
    /// At the start.
    Leading,
    /// Nowhere.
    #[default]
    None,
    /// At the end.
    Trailing,
}

/// When null becomes the text for null.
///
/// Default: [`Nulls::Marked`].
///
/// ```
/// use consign::format::csv::{Dialect, NullText, Nulls};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_null(NullText::new("\"\""));
/// let mut out = Vec::new();
/// dialect.clone().build()?.encoder().record([Value::Null, Value::Text("x")], &mut out)?;
/// assert_eq!(out, b"\"\",x\n");
///
/// out.clear();
/// dialect.with_nulls(Nulls::AsText).build()?.encoder().record([Value::Null, Value::Text("x")], &mut out)?;
/// assert_eq!(out, b"\"\\\"\\\"\",x\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the text replaces null before or after the writer looks at it")]
pub enum Nulls {
    /// Before the writer looks at it: the text is quoted and escaped like any value, and an empty one is written as
    /// empty text is. This is what Spark did up to 3.2, what its later
    /// `spark.sql.legacy.nullValueWrittenAsQuotedEmptyStringCsv` does, and the older of the platform's two writers.
    AsText,
    /// The writer knows which fields are null, and writes the text as it is (Spark 3.3 and later, SPARK-37575).
    #[default]
    Marked,
}

/// What the reader makes of a quoted text that equals the text for null.
///
/// This changes no byte that is written: texts that equal the text for null are quoted in any case. It decides
/// whether the dialect can tell null apart, and so its [hazards](super::Dialect::hazards).
///
/// Default: [`QuotedNull::IsNull`], which is how Spark, pandas and pyarrow read by default.
///
/// ```
/// use consign::format::csv::{Dialect, HazardKind, QuotedNull};
/// use consign::row::Value;
///
/// let check = |quoted_null, hazards: &[HazardKind]| {
///     let dialect = Dialect::builder().with_quoted_null(quoted_null).build()?;
///     let mut out = Vec::new();
///     dialect.encoder().record([Value::Null, Value::Text("null")], &mut out)?;
///     assert_eq!(out, b"null,\"null\"\n");
///     let found: Vec<_> = dialect.hazards().iter().map(|hazard| hazard.kind()).collect();
///     assert_eq!(found, hazards);
///     Ok::<(), consign::Error>(())
/// };
/// check(QuotedNull::IsNull, &[HazardKind::NullText])?;
/// check(QuotedNull::IsText, &[])?;
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a quoted text is null or is not")]
pub enum QuotedNull {
    /// Null, as for readers that compare texts after they have taken off the quotes.
    #[default]
    IsNull,
    /// A text, as for `PostgreSQL`'s COPY, and for `DuckDB` with `allow_quoted_nulls = false`.
    IsText,
}

/// What becomes of a record that would be no bytes: one column, and a value that is written as nothing.
///
/// Default: [`Blank::Quoted`].
///
/// ```
/// use consign::format::csv::{Blank, Dialect, NullText};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_null(NullText::NOTHING);
/// let mut out = Vec::new();
/// dialect.clone().build()?.encoder().record([Value::Null], &mut out)?;
/// dialect.with_blank(Blank::Bare).build()?.encoder().record([Value::Null], &mut out)?;
/// assert_eq!(out, b"\"\"\n\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a record is blank or is not")]
pub enum Blank {
    /// A blank line: for readers that take one for a record of one null, as `PostgreSQL` does.
    Bare,
    /// A pair of quotes, since most readers skip blank lines.
    #[default]
    Quoted,
}

/// What becomes of a row with a cell that cannot be written.
///
/// Default: [`Refused::Fail`].
///
/// ```
/// use consign::format::csv::{Dialect, Outcome, QuoteStyle, Refused};
/// use consign::row::Value;
///
/// let never = Dialect::builder().with_quote_style(QuoteStyle::Never);
/// let mut encoder = never.clone().with_refused(Refused::Skip).build()?.encoder();
/// let mut out = Vec::new();
/// assert!(matches!(encoder.record(["a,b"].map(Value::Text), &mut out)?, Outcome::Skipped(_)));
/// assert_eq!(encoder.record(["c"].map(Value::Text), &mut out)?, Outcome::Written);
/// assert_eq!(out, b"c\n");
/// assert_eq!(encoder.counts().skipped(), 1);
///
/// out.clear();
/// let mut encoder = never.with_refused(Refused::Reject).build()?.encoder();
/// let Outcome::Rejected(why) = encoder.record(["a,b"].map(Value::Text), &mut out)? else { panic!("it is written") };
/// assert_eq!(
///     why.to_string(),
///     "the text holds the delimiter `,`, and the dialect never quotes: expected a text without it"
/// );
/// assert_eq!((out.len(), encoder.counts().rejected()), (0, 1));
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the row stops the export, goes elsewhere, or goes nowhere")]
pub enum Refused {
    /// The record fails, and with it the export.
    #[default]
    Fail,
    /// The row is handed back as [`Outcome::Rejected`](super::Outcome::Rejected), for a rejects file, and counted.
    Reject,
    /// The row is left out and counted.
    Skip,
}
