//! The laws of the CSV encoder, held against a reader of its own: what a dialect writes, a reader of that dialect
//! reads, unless a hazard says otherwise; and it writes the same however the rows are batched.

mod batch;
mod plain;
mod reader;

use consign::format::csv::{
    Blank, Charset, Counts, Delimiter, Dialect, DialectBuilder, EmptyText, Escape, EscapeSelf, Guard, Hazard,
    InnerQuotes, Mode, NullText, Nulls, OnHazard, Outcome, Quote, QuoteStyle, QuotedNull, Refused, SparkOptions, Trim,
    Unmappable,
};
use consign::row::Value;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use reader::Reader;

type Row = Vec<Option<String>>;

/// The text of a file.
fn decode(charset: Charset, file: &[u8]) -> String {
    match charset.name() {
        "UTF-8" => String::from_utf8(file.to_vec()).unwrap(),
        "UTF-16LE" => {
            let units: Vec<u16> = file.chunks(2).map(|unit| u16::from_le_bytes(unit.try_into().unwrap())).collect();
            String::from_utf16(&units).unwrap()
        }
        "windows-1252" => encoding_rs::WINDOWS_1252.decode_without_bom_handling(file).0.into_owned(),
        _ => file.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// A charset, and what becomes of the characters that it lacks.
fn charsets() -> impl Strategy<Value = (Charset, Unmappable)> {
    let charsets = vec![
        Charset::UTF_8,
        Charset::UTF_8,
        Charset::UTF_8,
        Charset::UTF_16LE,
        Charset::US_ASCII,
        Charset::ISO_8859_1,
        "windows-1252".parse().unwrap(),
    ];
    (select(charsets), select(vec![Unmappable::Error, Unmappable::Escape, Unmappable::Replace]))
}

fn guards() -> impl Strategy<Value = Guard> {
    select(vec![
        Guard::OFF,
        Guard::OFF,
        Guard::OFF,
        Guard::apostrophe(),
        Guard::apostrophe().except(0),
        Guard::with_prefix('\u{e9}').except(0).except(1),
    ])
}

/// A dialect and the reader that knows it.
fn dialects() -> impl Strategy<Value = (DialectBuilder, Charset, Reader)> {
    let delimiters = select(vec![",", ";", "\t", "||", "::", "aba", "\u{e9}", " "]);
    let quotes = select(vec![Some('"'), Some('"'), Some('\''), Some('|'), Some('\u{20ac}'), None]);
    let escapes = select(vec![Escape::Doubled, Escape::With('\\'), Escape::With('^'), Escape::With('\u{df}')]);
    let selves = select(vec![EscapeSelf::Auto, EscapeSelf::Auto, EscapeSelf::Auto, EscapeSelf::With('!')]);
    let terminators = select(vec!["\n", "\n", "\r\n", "\r", "~~", ";;\n"]);
    let comments = select(vec!["", "#", "N"]);
    let nulls = select(vec!["", "", "null", "\\N", "\"\"", "a,b", "#N/A"]);
    let empties = select(vec![
        EmptyText::QUOTED,
        EmptyText::NOTHING,
        EmptyText::new("EMPTY"),
        EmptyText::new("\"\""),
        EmptyText::new("null"),
    ]);
    let styles = select(vec![
        QuoteStyle::Minimal,
        QuoteStyle::Minimal,
        QuoteStyle::All,
        QuoteStyle::AllNonNull,
        QuoteStyle::NonNumeric,
        QuoteStyle::Strings,
        QuoteStyle::Never,
    ]);
    let inner = select(vec![InnerQuotes::Enclose, InnerQuotes::Enclose, InnerQuotes::Leave]);
    let trims = select(vec![Trim::None, Trim::None, Trim::Both, Trim::Leading, Trim::Trailing]);
    let readers = (
        select(vec![QuotedNull::IsNull, QuotedNull::IsText]),
        select(vec![Blank::Bare, Blank::Quoted]),
        select(vec![Nulls::Marked, Nulls::Marked, Nulls::AsText]),
    );
    let marks = (delimiters, quotes, escapes, selves, terminators, comments);
    (marks, nulls, empties, (styles, inner, trims), readers, charsets(), guards()).prop_map(
        |(marks, null, empty, (style, inner, trim), reader, (charset, unmappable), guard)| {
            let (delimiter, quote, escape, escape_self, terminator, comment) = marks;
            let (quoted_null, blank, nulls) = reader;
            let builder = Dialect::builder()
                .with_delimiter(delimiter.parse().unwrap())
                .with_quote(quote.map_or(Quote::OFF, Quote::from))
                .with_escape(escape)
                .with_escape_self(escape_self)
                .with_terminator(terminator.parse().unwrap())
                .with_comment(comment.parse().unwrap())
                .with_null(NullText::new(null))
                .with_empty(empty)
                .with_quote_style(style)
                .with_inner_quotes(inner)
                .with_trim(trim)
                .with_quoted_null(quoted_null)
                .with_blank(blank)
                .with_nulls(nulls)
                .with_charset(charset)
                .with_unmappable(unmappable)
                .with_guard(guard);
            let reader = Reader::new(escape, escape_self, quote).with_marks(delimiter, terminator, comment).with_nulls(
                null,
                quoted_null,
                blank,
            );
            (builder, charset, reader)
        },
    )
}

/// Texts made of what dialects trip over.
fn texts() -> impl Strategy<Value = String> {
    let atoms = select(vec![
        "a",
        "b",
        "ab",
        "\"",
        "\"\"",
        "'",
        "\\",
        "\\\\",
        ",",
        "|",
        "||",
        ":",
        ";",
        "\t",
        " ",
        "\n",
        "\r",
        "\r\n",
        "#",
        "!",
        "^",
        "\0",
        "\u{1}",
        "\u{a0}",
        "\u{e9}",
        "\u{df}",
        "\u{20ac}",
        "\u{1f600}",
        "\u{feff}",
        "null",
        "NULL",
        "\\N",
        "\\.",
        "EMPTY",
        "#N/A",
        "a,b",
        "~",
        "=",
        "-1",
        "N",
    ]);
    vec(atoms, 0..4).prop_map(|atoms| atoms.concat())
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    (1..4_usize).prop_flat_map(|width| vec(vec(weighted(0.85, texts()), width), 0..6))
}

fn values(row: &Row) -> impl Iterator<Item = Value<'_>> {
    row.iter().map(|cell| Value::from(cell.as_deref()))
}

/// Writes what can be written, and returns the bytes and the rows that are in them.
fn write(dialect: &Dialect, rows: &[Row]) -> (Vec<u8>, Vec<Row>) {
    let mut out = Vec::new();
    let mut encoder = dialect.encoder();
    let mut kept = Vec::new();
    for row in rows {
        if encoder.record(values(row), &mut out).unwrap() == Outcome::Written {
            kept.push(row.clone());
        }
    }
    assert_eq!(encoder.counts().written(), kept.len() as u64);
    (out, kept)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A lossless dialect reads back whatever is written.
    #[test]
    fn what_is_lossless_reads_back((builder, charset, reader) in dialects(), rows in rows()) {
        let Ok(Ok(lossless)) = builder.build().map(Dialect::lossless) else { return Ok(()) };
        let (file, kept) = write(lossless.dialect(), &rows);
        prop_assert_eq!(&kept, &rows);
        prop_assert_eq!(reader.read(&decode(charset, &file)), rows, "{}", file.escape_ascii());
    }

    /// Of any dialect, the rows that meet no hazard read back.
    #[test]
    fn what_meets_no_hazard_reads_back((builder, charset, reader) in dialects(), rows in rows()) {
        let builder = builder.with_on_hazard(OnHazard::Refuse).with_refused(Refused::Skip);
        let Ok(dialect) = builder.build() else { return Ok(()) };
        let (file, kept) = write(&dialect, &rows);
        prop_assert_eq!(reader.read(&decode(charset, &file)), kept, "{}", file.escape_ascii());
    }

    /// A hazard that a row meets is one that the dialect lists.
    #[test]
    fn hazards_are_listed((builder, _, _) in dialects(), rows in rows()) {
        let Ok(dialect) = builder.with_refused(Refused::Skip).build() else { return Ok(()) };
        let listed: Vec<_> = dialect.hazards().iter().map(Hazard::kind).collect();
        let mut encoder = dialect.encoder();
        for row in &rows {
            let _ = encoder.record(values(row), &mut Vec::new()).unwrap();
        }
        for (kind, _) in encoder.counts().hazards() {
            prop_assert!(listed.contains(&kind), "{:?} is not one of {:?}", kind, listed);
        }
    }

    /// Several encoders write what one does, and count what one counts.
    #[test]
    fn batches_do_not_show((builder, _, _) in dialects(), rows in rows(), batch in 1..4_usize) {
        let Ok(dialect) = builder.with_refused(Refused::Skip).build() else { return Ok(()) };
        let mut one = dialect.encoder();
        let (mut together, mut apart) = (Vec::new(), Vec::new());
        for row in &rows {
            let _ = one.record(values(row), &mut together).unwrap();
        }
        let mut counts = Counts::default();
        for batch in rows.chunks(batch) {
            let mut encoder = dialect.encoder();
            for row in batch {
                let _ = encoder.record(values(row), &mut apart).unwrap();
            }
            counts.merge(encoder.counts());
        }
        prop_assert_eq!(together, apart);
        prop_assert_eq!(&counts, one.counts());
    }

    /// Another project's reader reads the same cells, where it can be told the dialect.
    #[test]
    fn another_reader_reads_back(
        rows in rows(),
        delimiter in select(vec![',', ';', '\t', '|']),
        quote in select(vec!['"', '\'']),
        escape in select(vec![Escape::Doubled, Escape::With('\\')]),
        style in select(vec![QuoteStyle::Minimal, QuoteStyle::All, QuoteStyle::AllNonNull]),
    ) {
        let dialect = Dialect::builder()
            .with_delimiter(Delimiter::from(delimiter))
            .with_quote(Quote::from(quote))
            .with_escape(escape)
            .with_quote_style(style)
            .with_null(NullText::new("NULL"))
            .build()
            .unwrap();
        let (file, _) = write(&dialect, &rows);
        let byte = |c| u8::try_from(c).unwrap();
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).delimiter(byte(delimiter)).quote(byte(quote));
        if let Escape::With(c) = escape {
            reader.double_quote(false).escape(Some(byte(c)));
        }
        let read: Vec<Vec<String>> = reader
            .from_reader(&*file)
            .into_records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let expected: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|c| c.clone().unwrap_or_else(|| "NULL".into())).collect()).collect();
        prop_assert_eq!(read, expected, "{}", file.escape_ascii());
    }

    /// Whatever Spark's options and rows are, exact mode refuses none of them, and writes the same from many encoders.
    #[test]
    fn exact_mode_answers(
        options in vec((select(vec![
            "sep", "quote", "escape", "charToEscapeQuoteEscaping", "quoteAll", "escapeQuotes", "nullValue", "emptyValue",
            "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "lineSep", "comment", "encoding",
        ]), prop_oneof![texts(), select(vec!["true", "false", "UTF-16", "US-ASCII"]).prop_map(str::to_owned)]), 0..5),
        names in vec(texts(), 1..4),
        rows in rows(),
    ) {
        let options = options.iter().map(|(key, value)| (*key, value.as_str()));
        let Ok(options) = SparkOptions::parse(options) else { return Ok(()) };
        let Ok(dialect) = options.dialect(Mode::Exact) else { return Ok(()) };
        let mut encoder = dialect.encoder();
        let mut out = Vec::new();
        encoder.header(&names, &mut out).unwrap();
        for row in &rows {
            let before = out.len();
            let outcome = encoder.record(values(row), &mut out).unwrap();
            prop_assert_eq!(&outcome, if out.len() == before { &Outcome::Lost } else { &Outcome::Written });
        }
        let (mut apart, mut counts) = (Vec::new(), Counts::default());
        let mut first = dialect.encoder();
        first.header(&names, &mut apart).unwrap();
        first.begin(&mut apart);
        counts.merge(first.counts());
        for row in &rows {
            let mut encoder = dialect.encoder();
            let _ = encoder.record(values(row), &mut apart).unwrap();
            counts.merge(encoder.counts());
        }
        // Where all is lost, there is no mark from one encoder.
        prop_assert!(apart == out || out.is_empty() && apart == b"\xFE\xFF");
        prop_assert_eq!(&counts, encoder.counts());
    }

    /// In Spark's bytes, the rows that meet no hazard read back too.
    #[test]
    fn exact_rows_without_hazards_read_back(
        (sep, escape, line_sep) in (select(vec![",", "||"]), select(vec!["\\", "\""]), select(vec!["\n", "\r\n"])),
        (null, empty) in (select(vec!["", "NULL"]), select(vec!["\"\"", "EMPTY", ""])),
        (leading, trailing, all, inner) in
            (select(vec!["true", "false"]), select(vec!["true", "false"]), select(vec!["true", "false"]), select(vec!["true", "false"])),
        rows in rows(),
    ) {
        let options = [
            ("sep", sep), ("escape", escape), ("lineSep", line_sep), ("nullValue", null), ("emptyValue", empty),
            ("ignoreLeadingWhiteSpace", leading), ("ignoreTrailingWhiteSpace", trailing), ("quoteAll", all),
            ("escapeQuotes", inner),
        ];
        let options = SparkOptions::parse(options).unwrap();
        let builder = options.builder(Mode::Exact).with_on_hazard(OnHazard::Refuse).with_refused(Refused::Skip);
        let (file, kept) = write(&builder.build().unwrap(), &rows);
        let quoted_null = if null.is_empty() { QuotedNull::IsText } else { QuotedNull::IsNull };
        let reader = Reader::new(Escape::With(escape.chars().next().unwrap()), EscapeSelf::Auto, Some('"'))
            .with_marks(sep, line_sep, "#")
            .with_nulls(null, quoted_null, Blank::Quoted);
        prop_assert_eq!(reader.read(&decode(Charset::UTF_8, &file)), kept, "{}", file.escape_ascii());
    }
}

/// The dialects that are said to be lossless are.
#[test]
fn presets_are_lossless_where_they_say_so() {
    for dialect in [Dialect::postgres_copy(), Dialect::duckdb()] {
        dialect.lossless().unwrap();
    }
}
