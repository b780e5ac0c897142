//! Dialects of well-known readers, each with the statement that loads its files.

use super::datetime::{Locale, Zone};
use super::render::pattern;
use super::text::BinaryText;
use super::{
    Blank, Bom, BooleanText, Comment, Dialect, DialectBuilder, EmptyText, Escape, Guard, Header, Mode, NullText,
    QuoteStyle, QuotedNull, Render, SparkOptions, Terminator, Trim,
};

impl Dialect {
    /// The platform's dialect, which is the default: null is `null`, empty text is nothing, and nothing is trimmed.
    ///
    /// It is what the platform's `csvOptions` say when they say nothing, with the defects of its writer mended
    /// ([`Mode::Fixed`]). [`platform_exact`](Self::platform_exact) keeps them. Python reads it, null as the text `null`,
    /// by
    ///
    /// ```python
    /// csv.reader(open("file.csv", newline="", encoding="utf-8"), escapechar="\\", doublequote=False, strict=True)
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::platform().encoder().record([Value::Text(" a "), Value::Text(""), Value::Null], &mut out)?;
    /// assert_eq!(out, b" a ,,null\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn platform() -> Self {
        Self::default()
    }

    /// The platform's dialect in the bytes of the platform's own writer, which is Spark's: texts are trimmed, and a
    /// record of one empty text is lost.
    ///
    /// The older of the platform's two writers, which quotes and escapes the text for null like a value, is
    /// [`Nulls::AsText`](super::Nulls::AsText).
    ///
    /// ```
    /// # use consign::format::csv::{Dialect, NullText, Nulls};
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::platform_exact().encoder().record([Value::Text(" a "), Value::Text(""), Value::Null], &mut out)?;
    /// assert_eq!(out, b"a,,null\n");
    ///
    /// out.clear();
    /// let older = Dialect::platform_exact().to_builder().with_null(NullText::new("\"\"")).with_nulls(Nulls::AsText);
    /// older.build()?.encoder().record([Value::Text("a"), Value::Null], &mut out)?;
    /// assert_eq!(out, b"a,\"\\\"\\\"\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn platform_exact() -> Self {
        preset(
            Self::builder()
                .with_mode(Mode::Exact)
                .with_trim(Trim::Both)
                .with_comment(Comment::HASH)
                .with_render(Render::spark()),
        )
    }

    /// What Spark writes without options: no header, trimmed texts, null as nothing, empty text as `""`.
    ///
    /// ```scala
    /// spark.read.option("multiLine", true).option("lineSep", "\n").csv("s3://bucket/folder/")
    /// ```
    ///
    /// Without `multiLine`, a line end in a value splits its record; without `lineSep`, the reader turns the ends `\r\n`
    /// and `\r` in values into `\n`.
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::spark().encoder().record([Value::Text(" a "), Value::Text(""), Value::Null], &mut out)?;
    /// assert_eq!(out, b"a,\"\",\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn spark() -> Self {
        preset(SparkOptions::default().builder(Mode::Exact))
    }

    /// RFC 4180: commas, doubled quotes, CRLF, a header. It knows no null, which is written as nothing.
    ///
    /// ```python
    /// csv.reader(open("file.csv", newline="", encoding="utf-8"), strict=True)
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::rfc4180().encoder().record([Value::Text("say \"hi\""), Value::Null, Value::Text("")], &mut out)?;
    /// assert_eq!(out, b"\"say \"\"hi\"\"\",,\"\"\r\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn rfc4180() -> Self {
        preset(standard().with_terminator(Terminator::CRLF))
    }

    /// Files that Excel opens with a double click: UTF-8 with a byte order mark, and formulas held back.
    ///
    /// Programs take off the mark with it, and keep the apostrophes:
    ///
    /// ```python
    /// csv.reader(open("file.csv", newline="", encoding="utf-8-sig"), strict=True)
    /// ```
    ///
    /// Excel takes digits for numbers and drops leading zeros whatever a file says; no dialect can prevent that.
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// let mut encoder = Dialect::excel().encoder();
    /// encoder.header(&["n", "t"], &mut out)?;
    /// encoder.record([Value::Integer(-1), Value::Text("=1+1")], &mut out)?;
    /// assert_eq!(out, b"\xEF\xBB\xBFn,t\r\n-1,'=1+1\r\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn excel() -> Self {
        preset(standard().with_terminator(Terminator::CRLF).with_bom(Bom::Write).with_guard(Guard::apostrophe()))
    }

    /// `PostgreSQL`'s COPY: null is nothing, empty text is `""`, binary is the hex format of `bytea`. Lossless.
    ///
    /// ```sql
    /// COPY t FROM '/path/file.csv' WITH (FORMAT csv, HEADER true)
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::postgres_copy().encoder().record([Value::Text(""), Value::Null, Value::Text("\\.")], &mut out)?;
    /// assert_eq!(out, b"\"\",,\\.\n");
    /// assert!(Dialect::postgres_copy().lossless().is_ok());
    ///
    /// out.clear();
    /// Dialect::postgres_copy().encoder().record([Value::Binary(b"\x00\xff")], &mut out)?;
    /// assert_eq!(out, b"\\x00ff\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn postgres_copy() -> Self {
        let render = Render::new().with_binary(BinaryText::PrefixedHex);
        preset(standard().with_quoted_null(QuotedNull::IsText).with_blank(Blank::Bare).with_render(render))
    }

    /// `DuckDB`: null is nothing, empty text is `""`, binary is `\x00\xff`. Lossless, if the reader is told that quoted
    /// text is not null.
    ///
    /// ```sql
    /// SELECT * FROM read_csv('file.csv', header = true, delim = ',', quote = '"', escape = '"',
    ///                        nullstr = '', allow_quoted_nulls = false, auto_detect = false, strict_mode = true,
    ///                        columns = {'a': 'VARCHAR', 'b': 'BLOB'})
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::duckdb().encoder().record([Value::Text(""), Value::Null, Value::Text("a\"b")], &mut out)?;
    /// assert_eq!(out, b"\"\",,\"a\"\"b\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn duckdb() -> Self {
        let render = Render::new().with_binary(BinaryText::EscapedHex);
        preset(standard().with_quoted_null(QuotedNull::IsText).with_blank(Blank::Bare).with_render(render))
    }

    /// `MySQL`'s and `MariaDB`'s LOAD DATA: null is `\N`, texts are quoted so that none is taken for the word NULL.
    ///
    /// Booleans are `1` and `0`, since their columns are numbers. Timestamps have a blank in the middle and no zone, since
    /// what LOAD DATA cannot read of a value it drops; they are in UTC, so the session's `time_zone` has to be `+00:00`
    /// for columns of type TIMESTAMP. Binary is base64, for `SET b = FROM_BASE64(@b)`.
    ///
    /// ```sql
    /// LOAD DATA LOCAL INFILE 'file.csv' INTO TABLE t CHARACTER SET utf8mb4
    ///   FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '\\'
    ///   LINES TERMINATED BY '\n' IGNORE 1 LINES
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// let record = [Value::Text("NULL"), Value::Null, Value::Text("\\N"), Value::Integer(1)];
    /// Dialect::mysql_load_data().encoder().record(record, &mut out)?;
    /// assert_eq!(out, b"\"NULL\",\\N,\"\\\\N\",1\n");
    ///
    /// out.clear();
    /// Dialect::mysql_load_data().encoder().record([true, false].map(Value::Boolean), &mut out)?;
    /// assert_eq!(out, b"1,0\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn mysql_load_data() -> Self {
        let time = pattern("yyyy-MM-dd HH:mm:ss.SSSSSS");
        let render = Render::new()
            .with_booleans(BooleanText::new("1", "0"))
            .with_timestamps(time.clone(), Locale::EN_US, Zone::UTC)
            .with_local_timestamps(time, Locale::EN_US);
        preset(
            standard()
                .with_escape(Escape::With('\\'))
                .with_null(NullText::new("\\N"))
                .with_quoted_null(QuotedNull::IsText)
                .with_quote_style(QuoteStyle::Strings)
                .with_render(render),
        )
    }

    /// Snowflake's COPY INTO: null is nothing, empty text is `""`, binary is hexadecimal, the default of its
    /// `BINARY_FORMAT`.
    ///
    /// ```sql
    /// COPY INTO t FROM @stage/file.csv FILE_FORMAT = (
    ///   TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '"'
    ///   ESCAPE = NONE ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = () EMPTY_FIELD_AS_NULL = TRUE)
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::snowflake().encoder().record([Value::Text(""), Value::Null, Value::Text("a\\b")], &mut out)?;
    /// assert_eq!(out, b"\"\",,a\\b\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn snowflake() -> Self {
        let render = Render::new().with_binary(BinaryText::Hex);
        preset(standard().with_quoted_null(QuotedNull::IsText).with_render(render))
    }

    /// Redshift's COPY: null is `\N`, the default of its NULL AS; a text `\N` may be read as null even in quotes.
    ///
    /// Timestamps have the form that COPY expects without TIMEFORMAT, in UTC, and binary is hexadecimal, as columns of
    /// type VARBYTE are loaded.
    ///
    /// ```sql
    /// COPY t FROM 's3://bucket/folder/' IAM_ROLE default FORMAT CSV IGNOREHEADER 1 NULL AS '\N'
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::redshift_copy().encoder().record([Value::Text(""), Value::Null, Value::Text("\\N")], &mut out)?;
    /// assert_eq!(out, b"\"\",\\N,\"\\N\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn redshift_copy() -> Self {
        let render = Render::new()
            .with_binary(BinaryText::Hex)
            .with_timestamps(pattern("yyyy-MM-dd HH:mm:ss.SSSSSSxxx"), Locale::EN_US, Zone::UTC)
            .with_local_timestamps(pattern("yyyy-MM-dd HH:mm:ss.SSSSSS"), Locale::EN_US);
        preset(standard().with_null(NullText::new("\\N")).with_render(render))
    }

    /// `BigQuery`'s load jobs: null is `\N`, which the job has to be told; binary is base64, as columns of type BYTES are
    /// loaded.
    ///
    /// ```sh
    /// bq load --source_format=CSV --skip_leading_rows=1 --allow_quoted_newlines --null_marker='\N' d.t gs://b/file.csv
    /// ```
    ///
    /// ```
    /// # use consign::format::csv::Dialect;
    /// # use consign::row::Value;
    /// let mut out = Vec::new();
    /// Dialect::bigquery().encoder().record([Value::Text(""), Value::Null, Value::Text("a\nb")], &mut out)?;
    /// assert_eq!(out, b"\"\",\\N,\"a\nb\"\n");
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn bigquery() -> Self {
        preset(standard().with_null(NullText::new("\\N")))
    }
}

/// What most readers share: doubled quotes, a header, null as nothing and empty text as `""`.
fn standard() -> DialectBuilder {
    Dialect::builder()
        .with_escape(Escape::Doubled)
        .with_null(NullText::NOTHING)
        .with_empty(EmptyText::QUOTED)
        .with_header(Header::Write)
}

fn preset(builder: DialectBuilder) -> Dialect {
    builder.build().expect("the presets do not clash, as a test shows for each")
}
