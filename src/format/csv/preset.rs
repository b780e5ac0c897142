//! Dialects of well-known readers, each with the statement that loads its files.

use super::{
    Blank, Bom, Comment, Dialect, DialectBuilder, EmptyText, Escape, Guard, Header, Mode, NullText, QuoteStyle,
    QuotedNull, Render, SparkOptions, Terminator, Trim,
};

impl Dialect {
    /// The platform's dialect, which is the default: null is `null`, empty text is nothing, and nothing is trimmed.
    ///
    /// It is what the platform's `csvOptions` say when they say nothing, with the defects of its writer mended
    /// ([`Mode::Fixed`]). [`platform_exact`](Self::platform_exact) keeps them.
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
    /// spark.read.csv("s3://bucket/folder/")
    /// ```
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

    /// `PostgreSQL`'s COPY: null is nothing, empty text is `""`. Lossless.
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
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn postgres_copy() -> Self {
        preset(standard().with_quoted_null(QuotedNull::IsText).with_blank(Blank::Bare))
    }

    /// `DuckDB`: null is nothing, empty text is `""`. Lossless, if the reader is told that quoted text is not null.
    ///
    /// ```sql
    /// SELECT * FROM read_csv('file.csv', header = true, delim = ',', quote = '"', escape = '"',
    ///                        nullstr = '', allow_quoted_nulls = false)
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
        preset(standard().with_quoted_null(QuotedNull::IsText).with_blank(Blank::Bare))
    }

    /// `MySQL`'s and `MariaDB`'s LOAD DATA: null is `\N`, texts are quoted so that none is taken for the word NULL.
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
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn mysql_load_data() -> Self {
        preset(
            standard()
                .with_escape(Escape::With('\\'))
                .with_null(NullText::new("\\N"))
                .with_quoted_null(QuotedNull::IsText)
                .with_quote_style(QuoteStyle::Strings),
        )
    }

    /// Snowflake's COPY INTO: null is nothing, empty text is `""`.
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
        preset(standard().with_quoted_null(QuotedNull::IsText))
    }

    /// Redshift's COPY: null is `\N`, the default of its NULL AS; a text `\N` may be read as null even in quotes.
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
        preset(standard().with_null(NullText::new("\\N")))
    }

    /// `BigQuery`'s load jobs: null is `\N`, which the job has to be told.
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
