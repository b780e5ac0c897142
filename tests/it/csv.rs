//! The CSV dialect and its encoder.

use consign::ErrorKind;
use consign::chrono;
use consign::format::csv::datetime::{Locale, Pattern};
use consign::format::csv::{
    Blank, Bom, Charset, Comment, Counts, Delimiter, Dialect, DialectBuilder, DialectError, DialectErrorKind,
    EmptyText, EncodeError, EncodeErrorKind, Encoder, Escape, EscapeSelf, Guard, Hazard, HazardKind, Header,
    InnerQuotes, Lossless, LossyError, Mode, NullText, Nulls, OnHazard, Outcome, Quote, QuoteStyle, QuotedNull,
    Refused, Render, SparkOptions, Terminator, Trim, Unmappable,
};
use consign::row::Value;

/// The bytes of one record.
#[track_caller]
fn encode(dialect: &Dialect, row: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let outcome = dialect.encoder().record(row.iter().copied(), &mut out).unwrap();
    assert_eq!(outcome, Outcome::Written);
    out
}

/// The bytes of one record of texts (`None` is null) under a dialect.
#[track_caller]
fn check(dialect: &Dialect, row: &[Option<&str>], expected: &str) {
    let row: Vec<_> = row.iter().map(|&field| Value::from(field)).collect();
    assert_eq!(String::from_utf8(encode(dialect, &row)).unwrap(), expected);
}

/// The message of a dialect that cannot be built.
#[track_caller]
fn check_clash(builder: DialectBuilder, kind: DialectErrorKind, expected: &str) {
    let error = builder.build().unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.kind(), kind);
}

/// The message of a text that is refused, with its caret line.
#[track_caller]
fn check_parse<T: std::str::FromStr<Err = DialectError> + std::fmt::Debug>(text: &str, expected: &str) {
    assert_eq!(format!("{:#}", text.parse::<T>().unwrap_err()), expected);
}

#[test]
fn the_public_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Counts>();
    check::<Dialect>();
    check::<DialectBuilder>();
    check::<DialectError>();
    check::<EncodeError>();
    check::<Encoder>();
    check::<Guard>();
    check::<Hazard>();
    check::<Lossless>();
    check::<LossyError>();
    check::<Outcome>();
    check::<SparkOptions>();
}

#[test]
fn the_default_dialect_is_the_platforms() {
    let dialect = Dialect::default();
    assert_eq!(dialect, Dialect::platform());
    check(&dialect, &[Some("a"), None, Some("")], "a,null,\n");
    check(&dialect, &[Some("a,b"), Some("say \"hi\"")], "\"a,b\",\"say \\\"hi\\\"\"\n");
    check(&dialect, &[Some("null"), Some("a\nb")], "\"null\",\"a\nb\"\n");
    check(&dialect, &[Some(" a "), Some("ends\\")], " a ,\"ends\\\\\"\n");
    check(&dialect, &[Some("")], "\"\"\n");
    check(&dialect, &[None], "null\n");
}

#[test]
fn values_of_other_types_are_quoted_by_need_and_style() {
    let row = [Value::Integer(-1), Value::Boolean(true), Value::Nested("{\"a\":1}"), Value::Binary(&[0xAB])];
    let dialect = Dialect::builder().with_escape(Escape::Doubled);
    assert_eq!(encode(&dialect.clone().build().unwrap(), &row), b"-1,true,\"{\"\"a\"\":1}\",qw==\n");
    let dashes = dialect.clone().with_delimiter(Delimiter::from('-')).build().unwrap();
    assert_eq!(encode(&dashes, &row[..2]), b"\"-1\"-true\n");
    let zero = dialect.with_null(NullText::new("0")).build().unwrap();
    assert_eq!(encode(&zero, &[Value::Integer(0), Value::Null]), b"\"0\",0\n");
}

#[test]
fn a_delimiter_of_several_characters_never_runs_into_a_field() {
    let dialect = |delimiter: &str| Dialect::builder().with_delimiter(delimiter.parse().unwrap()).build().unwrap();
    check(&dialect("||"), &[Some("a|"), Some("|b"), Some("c|d")], "\"a|\"|||b||c|d\n");
    check(&dialect("aba"), &[Some("xab"), Some("xa"), Some("b")], "\"xab\"abaxaabab\n");
    check(&dialect(", "), &[Some("a, b"), Some("c,d"), Some("e,")], "\"a, b\", c,d, e,\n");
}

#[test]
fn a_first_field_that_readers_would_drop_is_quoted() {
    let dialect = Dialect::builder().with_comment(Comment::HASH).build().unwrap();
    check(&dialect, &[Some("#a"), Some("#b")], "\"#a\",#b\n");
    check(&dialect, &[Some("\u{feff}a"), Some("\u{feff}b")], "\"\u{feff}a\",\u{feff}b\n");
    let doubled = Dialect::builder().with_escape(Escape::Doubled).build().unwrap();
    check(&doubled, &[Some("\\.")], "\"\\.\"\n");
    let trimmed = Dialect::builder().with_comment(Comment::HASH).with_trim(Trim::Both).build().unwrap();
    check(&trimmed, &[Some(" #a"), Some("b")], "\"#a\",b\n");
}

#[test]
fn markers_are_spelled_as_they_are_where_that_holds_together() {
    let null = |text: &str| Dialect::builder().with_null(NullText::new(text));
    check(&null("\\N").build().unwrap(), &[None, Some("\\N")], "\\N,\"\\\\N\"\n");
    check(&null("\"\"").build().unwrap(), &[None, Some("\"\"")], "\"\",\"\\\"\\\"\"\n");
    check(&null("a,b").build().unwrap(), &[None, Some("x")], "\"a,b\",x\n");
    check(&null("NA").with_quote_style(QuoteStyle::All).build().unwrap(), &[None, Some("x")], "\"NA\",\"x\"\n");
    let empty = Dialect::builder().with_empty(EmptyText::new("EMPTY")).build().unwrap();
    check(&empty, &[Some(""), Some("EMPTY")], "EMPTY,\"EMPTY\"\n");
}

#[test]
fn clashes_are_told() {
    let b = Dialect::builder;
    check_clash(
        b().with_delimiter(Delimiter::from('"')),
        DialectErrorKind::Clash,
        "the delimiter `\"` and the quote `\"` share the character `\"`: expected them to differ",
    );
    check_clash(
        b().with_delimiter("a\n".parse().unwrap()),
        DialectErrorKind::Delimiter,
        "the delimiter `a\\n` holds a line end: expected other characters",
    );
    check_clash(
        b().with_delimiter("#|".parse().unwrap()).with_comment(Comment::HASH),
        DialectErrorKind::Clash,
        "the delimiter `#|` and the comment `#` share the character `#`: expected them to differ",
    );
    check_clash(
        b().with_quote(Quote::OFF).with_quote_style(QuoteStyle::All),
        DialectErrorKind::Clash,
        "the quote style needs a quote: expected a quote character, found none",
    );
    check_clash(
        b().with_quote(Quote::OFF).with_empty(EmptyText::QUOTED),
        DialectErrorKind::Clash,
        "empty text as a pair of quotes needs a quote: expected a quote character, found none",
    );
    check_clash(
        b().with_quote(Quote::OFF).with_null(NullText::new("a,b")),
        DialectErrorKind::Null,
        "the text for null `a,b` does not hold together without quotes: expected one without delimiter, line end and \
         comment character",
    );
    check_clash(
        b().with_escape_self(EscapeSelf::Bare),
        DialectErrorKind::Escape,
        "an escape that is not escaped can escape the closing quote: expected mode exact, or an escape for it",
    );
    check_clash(
        b().with_escape_self(EscapeSelf::With('"')),
        DialectErrorKind::Clash,
        "the quote `\"` cannot escape the escape: expected another character, or mode exact",
    );
    check_clash(
        b().with_charset(Charset::US_ASCII).with_delimiter(Delimiter::from('§')),
        DialectErrorKind::Charset,
        "the charset US-ASCII has no character `§`: expected another delimiter",
    );
    check_clash(
        b().with_charset(Charset::ISO_8859_1).with_bom(Bom::Write),
        DialectErrorKind::Charset,
        "the charset ISO-8859-1 has no byte order mark: expected a Unicode charset",
    );
    let exact = || b().with_mode(Mode::Exact);
    check_clash(
        exact().with_quote_style(QuoteStyle::Strings),
        DialectErrorKind::Clash,
        "Spark quotes all fields or those that need it: expected the quote style all or minimal",
    );
    check_clash(
        exact().with_guard(Guard::apostrophe()),
        DialectErrorKind::Clash,
        "Spark has no guard against formulas: expected mode fixed for one",
    );
    check_clash(
        exact().with_terminator("abc".parse().unwrap()),
        DialectErrorKind::Terminator,
        "Spark ends records with at most two characters, found `abc`: expected one or two",
    );
}

#[test]
fn texts_that_are_no_parts_are_refused() {
    check_parse::<Delimiter>("", "expected a delimiter of at least one character, found an empty text\n\n^");
    check_parse::<Terminator>("", "expected a terminator of at least one character, found an empty text\n\n^");
    check_parse::<Quote>("''", "expected one quote character or none, found 2\n''\n ^");
    check_parse::<Escape>("\\\\\\", "expected one escape character or none, found 3\n\\\\\\\n ^^");
    check_parse::<Comment>("é#", "expected one comment character or none, found 2\né#\n ^");
    check_parse::<Charset>("utf-7", "expected Unicode or a single-byte charset, found `utf-7`\nutf-7\n^^^^^");
    check_parse::<Charset>("EUC-JP", "expected Unicode or a single-byte charset, found `EUC-JP`\nEUC-JP\n^^^^^^");
    check_parse::<Charset>(
        "iso-8859-9",
        "expected Unicode or a single-byte charset, found `iso-8859-9`\niso-8859-9\n^^^^^^^^^^",
    );
    assert_eq!("".parse(), Ok(Quote::OFF));
    assert_eq!("\0".parse(), Ok(Quote::OFF));
    assert_eq!("".parse(), Ok(Escape::Doubled));
    assert_eq!("'".parse(), Ok(Escape::With('\'')));
}

#[test]
fn errors_become_the_crates() {
    let error: consign::Error = "".parse::<Delimiter>().unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::Destination);
    assert_eq!(
        format!("{error:#}"),
        "the CSV dialect cannot be used: expected a delimiter of at least one character, found an empty text"
    );
    let never = Dialect::builder().with_quote_style(QuoteStyle::Never).build().unwrap();
    let refused = never.encoder().record(["a", "b\r"].map(Value::Text), &mut Vec::new()).unwrap_err();
    assert_eq!((refused.column(), refused.kind()), (1, EncodeErrorKind::Unquotable));
    let error: consign::Error = refused.into();
    assert_eq!(error.kind(), ErrorKind::Row);
    assert_eq!(
        format!("{error:#}"),
        "could not write field 2 of a record: the text holds a line end, and the dialect never quotes: expected a \
         text without it"
    );
    let error: consign::Error = Dialect::default().lossless().unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::Destination);
}

#[test]
fn a_row_that_cannot_be_written_leaves_nothing_behind() {
    let builder = Dialect::builder().with_quote(Quote::OFF);
    let rows = ["a", "b,c", "d"];
    let run = |refused| {
        let mut encoder = builder.clone().with_refused(refused).build().unwrap().encoder();
        let mut out = Vec::new();
        let outcomes: Vec<_> = rows.iter().map(|row| encoder.record([Value::Text(row)], &mut out)).collect();
        (String::from_utf8(out).unwrap(), outcomes, encoder.counts().clone())
    };
    let (bytes, outcomes, counts) = run(Refused::Fail);
    assert_eq!((&*bytes, counts.written()), ("a\nd\n", 2));
    let error = outcomes[1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the text holds the delimiter `,`, and the dialect has no quote: expected a text without it"
    );
    let (bytes, outcomes, counts) = run(Refused::Skip);
    assert_eq!((&*bytes, counts.skipped(), counts.rejected()), ("a\nd\n", 1, 0));
    assert!(matches!(outcomes[1], Ok(Outcome::Skipped(_))));
    let (bytes, outcomes, counts) = run(Refused::Reject);
    assert_eq!((&*bytes, counts.skipped(), counts.rejected()), ("a\nd\n", 0, 1));
    assert!(matches!(outcomes[1], Ok(Outcome::Rejected(_))));
}

#[test]
fn charsets_have_their_bytes() {
    let encode = |charset: &str, text: &str| {
        let dialect = Dialect::builder().with_charset(charset.parse().unwrap()).build().unwrap();
        let mut out = Vec::new();
        let _ = dialect.encoder().record([Value::Text(text)], &mut out).unwrap();
        out
    };
    assert_eq!(encode("UTF-8", "é"), b"\xC3\xA9\n");
    assert_eq!(encode("utf-16le", "é😀"), b"\xE9\0\x3D\xD8\x00\xDE\n\0");
    assert_eq!(encode("UTF-16", "é"), b"\0\xE9\0\n", "the mark belongs to the file's start, not to a record");
    assert_eq!(encode("UTF-32", "😀"), b"\0\x01\xF6\x00\0\0\0\n");
    assert_eq!(encode("latin1", "é"), b"\xE9\n");
    assert_eq!(encode("Windows-1252", "€"), b"\x80\n");
    assert_eq!(encode("KOI8-R", "Ж"), b"\xF6\n");
    assert_eq!(encode("ISO-8859-15", "€"), b"\xA4\n");
    assert_eq!(encode("ISO-8859-2", "\u{81}"), b"\x81\n");
}

#[test]
fn windows_charsets_have_no_control_characters_beyond_ascii() {
    let builder = Dialect::builder().with_charset("windows-1252".parse().unwrap());
    let error =
        builder.clone().build().unwrap().encoder().record([Value::Text("\u{81}")], &mut Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the charset windows-1252 has no character `\u{81}` (U+0081): expected a text without it"
    );
    check_spark_file(&[("encoding", "windows-1252")], &["\u{81}\u{9d}\u{20ac}\u{a0}"], b"??\x80\xA0\n");
}

/// The bytes of a file of Spark's, a record of each row's only text, and none of a header.
#[track_caller]
fn check_spark_file(options: &[(&str, &str)], row: &[&str], expected: &[u8]) {
    let dialect = SparkOptions::parse(options.iter().copied()).unwrap().dialect(Mode::Exact).unwrap();
    let mut encoder = dialect.encoder();
    let mut out = Vec::new();
    encoder.header(&["a"], &mut out).unwrap();
    let cell = |text| if text == "null" { Value::Null } else { Value::Text(text) };
    let _ = encoder.record(row.iter().copied().map(cell), &mut out).unwrap();
    assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn sparks_encoding_replaces_what_the_charset_lacks() {
    let ascii = ("encoding", "US-ASCII");
    check_spark_file(&[ascii], &["é", "b"], b"?,b\n");
    check_spark_file(&[ascii, ("nullValue", "é")], &["null", "b"], b"?,b\n");
    check_spark_file(&[ascii, ("emptyValue", "é")], &["", "b"], b"?,b\n");
    check_spark_file(&[ascii, ("sep", "§")], &["a", "b", "c§d"], b"a?b?\"c?d\"\n");
    check_spark_file(&[ascii, ("quote", "«")], &["a,b"], b"?a,b?\n");
    check_spark_file(&[ascii, ("lineSep", "§")], &["a"], b"a?");
    check_spark_file(&[("encoding", "utf-16le")], &["é"], b"\xE9\0\n\0");

    let options = SparkOptions::parse([ascii, ("nullValue", "é"), ("sep", "§")]).unwrap();
    let dialect = options.dialect(Mode::Exact).unwrap();
    let mut encoder = dialect.encoder();
    let _ = encoder.record([Value::Null, Value::Text("b")], &mut Vec::new()).unwrap();
    assert_eq!(encoder.counts().unmappable(), 2);
    assert_eq!(encoder.counts().hazards().collect::<Vec<_>>(), [(HazardKind::Unmappable, 2)]);
    assert!(dialect.hazards().iter().any(|hazard| hazard.kind() == HazardKind::Unmappable));
    assert_eq!(
        options.dialect(Mode::Fixed).unwrap_err().to_string(),
        "the charset US-ASCII has no character `§`: expected another delimiter"
    );
}

#[test]
fn sparks_mark_comes_with_the_first_character() {
    let utf16 = ("encoding", "UTF-16");
    check_spark_file(&[utf16], &["null"], b"");
    check_spark_file(&[utf16], &["a"], b"\xFE\xFF\0a\0\n");
    check_spark_file(&[utf16, ("header", "true")], &["null"], b"\xFE\xFF\0a\0\n");

    let dialect = SparkOptions::parse([utf16]).unwrap().builder(Mode::Exact).with_on_hazard(OnHazard::Refuse);
    let mut encoder = dialect.build().unwrap().encoder();
    let mut out = Vec::new();
    encoder.header(&["a"], &mut out).unwrap();
    let _ = encoder.record([Value::Text(" a")], &mut out).unwrap_err();
    assert_eq!(out, b"");
    for _ in 0..2 {
        let _ = encoder.record([Value::Text("a")], &mut out).unwrap();
    }
    assert_eq!(out, b"\xFE\xFF\0a\0\n\0a\0\n", "once");
}

#[test]
fn a_mark_begins_the_file_and_nothing_else() {
    let start = |builder: DialectBuilder| {
        let mut out = Vec::new();
        builder.build().unwrap().encoder().header(&["a"], &mut out).unwrap();
        out
    };
    let b = Dialect::builder;
    assert_eq!(start(b().with_bom(Bom::Write)), b"\xEF\xBB\xBFa\n");
    assert_eq!(start(b().with_bom(Bom::Write).with_header(Header::Omit)), b"\xEF\xBB\xBF");
    assert_eq!(start(b().with_bom(Bom::Write).with_charset(Charset::UTF_16LE)), b"\xFF\xFEa\0\n\0");
    assert_eq!(start(b().with_bom(Bom::Write).with_charset(Charset::UTF_16)), b"\xFE\xFF\0a\0\n");
    assert_eq!(start(b().with_charset(Charset::UTF_16BE)), b"\0a\0\n");
    assert_eq!(start(b().with_header(Header::Omit)), b"");
}

#[test]
fn unmappable_characters_are_counted() {
    let builder = Dialect::builder().with_charset(Charset::US_ASCII).with_unmappable(Unmappable::Escape);
    let mut encoder = builder.clone().build().unwrap().encoder();
    let mut out = Vec::new();
    let _ = encoder.record([Value::Text("a\u{e9}\u{1f600}"), Value::Text("b")], &mut out).unwrap();
    assert_eq!(out, b"\"a\\\\u00e9\\\\ud83d\\\\ude00\",b\n");
    assert_eq!(encoder.counts().unmappable(), 2);
    assert_eq!(encoder.counts().hazards().collect::<Vec<_>>(), [(HazardKind::Unmappable, 1)]);

    let strict = builder.with_unmappable(Unmappable::Error).build().unwrap();
    let error = strict.encoder().header(&["a", "naïve"], &mut Vec::new()).unwrap_err();
    assert_eq!((error.column(), error.kind()), (1, EncodeErrorKind::Unmappable));
    assert_eq!(error.to_string(), "the charset US-ASCII has no character `ï` (U+00EF): expected a text without it");

    let exact = Dialect::spark().to_builder().with_charset(Charset::US_ASCII).build().unwrap();
    let mut encoder = exact.encoder();
    let mut out = Vec::new();
    let _ = encoder.record([Value::Text("é😀")], &mut out).unwrap();
    assert_eq!(out, b"??\n");
    assert_eq!(encoder.counts().unmappable(), 2);
}

#[test]
fn the_guard_knows_formulas_from_numbers() {
    let dialect = Dialect::builder().with_guard(Guard::apostrophe()).with_escape(Escape::Doubled).build().unwrap();
    for formula in ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\t1", "＝1", "-", "+1-2", "-1e", "=-1"] {
        let mut encoder = dialect.encoder();
        let mut out = Vec::new();
        let _ = encoder.record([Value::Text(formula)], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("'{formula}\n"));
        assert_eq!(encoder.counts().guarded(), 1, "{formula}");
    }
    for number in ["-1", "+1", "-1.5", "-1,234.50", "-1e5", "+1E-5", "-10%", "-.5", "1=1", "a@b", ""] {
        let mut encoder = dialect.encoder();
        let _ = encoder.record([Value::Text(number)], &mut Vec::new()).unwrap();
        assert_eq!(encoder.counts().guarded(), 0, "{number}");
    }
    let mut out = Vec::new();
    dialect.encoder().header(&["=a"], &mut out).unwrap();
    assert_eq!(out, b"=a\n", "names are not data");
}

#[test]
fn a_guard_that_leaves_columns_alone_is_a_hazard_too() {
    let guarded = Dialect::postgres_copy().to_builder().with_guard(Guard::apostrophe().except(0)).build().unwrap();
    let error = guarded.lossless().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the dialect loses data: the guard against formulas puts a character in front of a text: \
         [\"x\", \"=a\", \"x\"] is written as \"x,'=a,x\\n\""
    );
}

#[test]
fn the_older_null_handling_makes_null_a_text() {
    let older = |null: &str| Dialect::builder().with_nulls(Nulls::AsText).with_null(NullText::new(null));
    check(&older("").with_empty(EmptyText::QUOTED).build().unwrap(), &[None, Some("")], "\"\",\"\"\n");
    check(&older("null").build().unwrap(), &[None, Some("")], "null,\n");
    check(&older("\"\"").build().unwrap(), &[None, Some("x")], "\"\\\"\\\"\",x\n");
    let exact = |null: &str| older(null).with_mode(Mode::Exact).build().unwrap();
    check(&exact("\"\""), &[None, Some("x")], "\"\\\"\\\"\",x\n");
    check(&exact("null"), &[None, Some("x")], "null,x\n");
}

#[test]
fn each_hazard_has_an_example() {
    let list = |dialect: &Dialect| dialect.hazards().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        list(&Dialect::default()),
        [r#"null is the same as a text that equals the text for null: ["null", "x"] is written as "\"null\",x\n""#]
    );
    assert_eq!(
        list(&Dialect::spark()),
        [
            r#"a record would be a blank line: [null] is written as """#,
            "a first field begins with a byte order mark, which readers drop: [\"\\u{feff}a\", \"x\"] is written as \
             \"\\u{feff}a,x\\n\"",
            "a first field begins with the comment character, and readers skip its record: [\" #a\", \"x\"] is written \
             as \"#a,x\\n\"",
            r#"an escape stands where readers apply it, and was not meant so: ["a\\", "x"] is written as "a\\,x\n""#,
            r#"blanks are cut off a value: [" a ", "x"] is written as "a,x\n""#,
        ]
    );
    let options = SparkOptions::parse([
        ("sep", "||"),
        ("lineSep", "\r\n"),
        ("quoteAll", "false"),
        ("ignoreLeadingWhiteSpace", "false"),
        ("header", "true"),
    ]);
    let kinds: Vec<_> = options.unwrap().dialect(Mode::Exact).unwrap().hazards().iter().map(Hazard::kind).collect();
    assert!(
        [HazardKind::BlankCell, HazardKind::DelimiterRun, HazardKind::LineEnd, HazardKind::NameMark]
            .iter()
            .all(|kind| kinds.contains(kind)),
        "{kinds:?}"
    );
    let unquoted = Dialect::builder().with_quote(Quote::OFF).with_null(NullText::NOTHING).build().unwrap();
    assert_eq!(
        list(&unquoted)[3..],
        [
            r#"an escape stands where readers apply it, and was not meant so: ["a\\", "x"] is written as "a\\,x\n""#,
            "a field needs quotes, and the dialect writes none: [\"a,\", \"x\"] is refused: the text holds the delimiter \
          `,`, and the dialect has no quote: expected a text without it"
        ]
    );
}

#[test]
fn hazards_of_written_rows_are_counted_and_merged() {
    let dialect = Dialect::rfc4180().to_builder().with_trim(Trim::Both).build().unwrap();
    let mut counts = Counts::default();
    for _ in 0..2 {
        let mut encoder = dialect.encoder();
        let _ = encoder.record([" a", "", "b "].map(Value::Text), &mut Vec::new()).unwrap();
        counts.merge(encoder.counts());
    }
    assert_eq!(counts.hazards().collect::<Vec<_>>(), [(HazardKind::EmptyIsNull, 2), (HazardKind::Trim, 4)]);
    assert_eq!(counts.written(), 2);
}

#[test]
fn refused_hazards_name_the_column() {
    let dialect = Dialect::default().to_builder().with_on_hazard(OnHazard::Refuse).build().unwrap();
    let error = dialect.encoder().record(["a", "null"].map(Value::Text), &mut Vec::new()).unwrap_err();
    assert_eq!((error.column(), error.kind()), (1, EncodeErrorKind::Hazard(HazardKind::NullText)));
    assert_eq!(
        error.to_string(),
        "the dialect refuses a hazard: null is the same as a text that equals the text for null"
    );
}

#[test]
fn what_the_reader_knows_decides_what_is_lossless() {
    let b = || Dialect::builder().with_null(NullText::NULL);
    assert!(b().with_quoted_null(QuotedNull::IsText).build().unwrap().lossless().is_ok());
    assert!(b().build().unwrap().lossless().is_err());
    let nothing =
        || b().with_null(NullText::NOTHING).with_empty(EmptyText::QUOTED).with_quoted_null(QuotedNull::IsText);
    assert!(nothing().with_blank(Blank::Bare).build().unwrap().lossless().is_ok());
    assert!(nothing().build().unwrap().lossless().is_err());
    assert!(
        nothing().with_blank(Blank::Bare).with_inner_quotes(InnerQuotes::Leave).build().unwrap().lossless().is_err()
    );
}

/// The text of one value under Spark's options.
#[track_caller]
fn check_spark(options: &[(&str, &str)], value: Value<'_>, expected: &str) {
    let dialect = SparkOptions::parse(options.iter().copied()).unwrap().dialect(Mode::Exact).unwrap();
    assert_eq!(String::from_utf8(encode(&dialect, &[value])).unwrap(), format!("{expected}\n"));
}

#[test]
fn sparks_options_spell_values() {
    let instant = chrono::DateTime::from_timestamp(1_704_164_645, 123_456_000).unwrap();
    let timestamp = Value::Timestamp(instant);
    let local = Value::LocalTimestamp(instant.naive_utc());
    let date = Value::Date(instant.date_naive());
    check_spark(&[], timestamp, "2024-01-02T03:04:05.123Z");
    check_spark(&[("timeZone", "America/Los_Angeles")], timestamp, "2024-01-01T19:04:05.123-08:00");
    check_spark(&[("timestampFormat", "HH:mm a"), ("locale", "en-US")], timestamp, "03:04 AM");
    check_spark(&[], local, "2024-01-02T03:04:05.123");
    check_spark(&[("timestampNTZFormat", "d MMM"), ("locale", "fr-FR")], local, "2 Jan");
    check_spark(&[], date, "2024-01-02");
    check_spark(&[("dateFormat", "d MMMM"), ("LOCALE", "fr-FR")], date, "2 janvier");
    check_spark(&[("dateFormat", "d,M")], date, "\"2,1\"");
    check_spark(&[], Value::Float64(1e7), "1.0E7");
    check_spark(&[], Value::Decimal { unscaled: 1, scale: 10 }, "1E-10");
    check_spark(&[], Value::Boolean(false), "false");

    let error = Dialect::spark().encoder().record([Value::Nested("[]")], &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), EncodeErrorKind::Nested);
    let error = SparkOptions::parse([("dateFormat", "yyyy-MM-dd HH")]).unwrap_err();
    assert_eq!(error.kind(), DialectErrorKind::Option);
    assert!(error.to_string().starts_with("option `dateFormat`: "), "{error}");
    let error = SparkOptions::parse([("timeZone", "Mars/Olympus")]).unwrap_err();
    assert!(error.to_string().starts_with("option `timeZone`: "), "{error}");
    let error = SparkOptions::parse([("locale", "")]).map(|_| ());
    assert!(error.is_err());
}

/// A record of one value in the platform's dialect and in Spark's.
#[track_caller]
fn check_value(value: Value<'_>, default: &str, spark: &str) {
    for (dialect, expected) in [(Dialect::default(), default), (Dialect::spark(), spark)] {
        let mut out = Vec::new();
        let text = match dialect.encoder().record([value], &mut out) {
            Ok(_) => String::from_utf8(out).unwrap(),
            Err(e) => e.to_string(),
        };
        assert_eq!(text.trim_end(), expected);
    }
}

#[test]
fn times_beyond_chrono_and_lengths_of_time_have_texts() {
    let mut unscaled = [0; 32];
    unscaled[31] = 0x01;
    let digits = "452312848583266388373324160190187140051835877600158453279131187530910662656";
    check_value(Value::Decimal256 { unscaled: &unscaled, scale: 0 }, digits, digits);
    check_value(Value::DateAt { days: 0 }, "1970-01-01", "1970-01-01");
    check_value(Value::DateAt { days: i32::MAX }, "+5881580-07-11", "+5881580-07-11");
    check_value(Value::DateAt { days: i32::MIN }, "-5877641-06-23", "-5877641-06-23");
    let time = chrono::NaiveTime::from_hms_micro_opt(3, 4, 5, 60).unwrap();
    check_value(Value::Time(time), "03:04:05.000060", "03:04:05.000060");
    check_value(
        Value::TimestampAt { seconds: 9_223_372_036_854, nanoseconds: 775_807_000 },
        "+294247-01-10T04:00:54.775807Z",
        "+294247-01-10T04:00:54.775Z",
    );
    check_value(
        Value::LocalTimestampAt { seconds: i64::MIN, nanoseconds: 0 },
        "-292277022657-01-27T08:29:52.000000",
        "-292277022657-01-27T08:29:52.000",
    );
    check_value(
        Value::TimestampAt { seconds: 0, nanoseconds: u32::MAX },
        "1970-01-01T00:00:01.999999Z",
        "1970-01-01T00:00:01.999Z",
    );
    check_value(
        Value::Duration { nanoseconds: 93_784_567_000_000 },
        "PT26H3M4.567S",
        "INTERVAL '1 02:03:04.567' DAY TO SECOND",
    );
    check_value(Value::Months(14), "P1Y2M", "INTERVAL '1-2' YEAR TO MONTH");
    let refused = "Spark writes no intervals of both months and days: expected months, a length of time, or intervals as ISO 8601";
    check_value(Value::Interval { months: 1, days: -2, nanoseconds: 3_500_000_000 }, "P1M-2DT3.5S", refused);
    check_value(Value::Interval { months: 0, days: 0, nanoseconds: 0 }, "PT0S", refused);
}

#[test]
fn a_time_of_day_has_no_date() {
    let pattern = Pattern::spark("yyyy HH").unwrap();
    let render = Render::new().with_times(pattern, Locale::EN_US);
    let e = Dialect::builder().with_render(render).build().unwrap_err();
    assert_eq!(e.to_string(), "the pattern of times: `yyyy` at byte 0 needs a date, which a time of day does not have");
}
