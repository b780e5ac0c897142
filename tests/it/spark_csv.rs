//! Spark's CSV writer, byte for byte.

use std::io::Write;
use std::process::{Command, Stdio};

use consign::format::csv::{Mode, Outcome, SparkOptions};
use consign::row::Value;
use serde_json::Value as Json;

/// The bytes of an optional header and one row of texts.
fn encode(options: &[(&str, &str)], header: Option<&[&str]>, row: &[Option<&str>], mode: Mode) -> String {
    let mut encoder = SparkOptions::parse(options.iter().copied()).unwrap().dialect(mode).unwrap().encoder();
    let mut out = Vec::new();
    if let Some(header) = header {
        encoder.header(header, &mut out).unwrap();
    }
    let before = out.len();
    let outcome = encoder.record(row.iter().map(|&field| Value::from(field)), &mut out).unwrap();
    assert_eq!(outcome == Outcome::Lost, out.len() == before);
    String::from_utf8(out).unwrap()
}

/// Runs vectors, JSON lines of `{options, header, row, expected}`, in exact mode.
#[track_caller]
fn check_vectors(vectors: &str, expected_count: usize) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in vectors.lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        let options = vector["options"].as_object().unwrap();
        let mut options: Vec<_> = options.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
        let header: Option<Vec<_>> =
            vector["header"].as_array().map(|names| names.iter().map(|name| name.as_str().unwrap()).collect());
        if header.is_some() {
            options.push(("header", "true"));
        }
        let row: Vec<_> = vector["row"].as_array().unwrap().iter().map(Json::as_str).collect();
        let found = encode(&options, header.as_deref(), &row, Mode::Exact);
        if found != vector["expected"].as_str().unwrap() {
            wrong.push(format!("{line}\n  found {found:?}"));
        }
        count += 1;
    }
    assert_eq!(count, expected_count);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn all_vectors_agree_in_exact_mode() {
    check_vectors(include_str!("../data/spark_csv.jsonl"), 5203);
}

/// Random rows, names and options, answered by Univocity 2.9.1 with the settings that Spark gives it.
#[test]
fn what_the_writer_itself_answers_agrees() {
    check_vectors(include_str!("../data/univocity.jsonl"), 1587);
}

#[track_caller]
fn check_refused(key: &str, value: &str, expected: &str) {
    let error = SparkOptions::parse([(key, value)]).unwrap_err();
    assert_eq!(format!("{error:#}"), expected);
}

#[test]
fn options_are_refused_as_spark_refuses_them() {
    check_refused("quote", "ab", "option `quote`: expected at most one character, found 2\nab\n ^");
    check_refused("escape", "\u{1f600}", "option `escape`: expected at most one character, found 2\n\u{1f600}\n^");
    check_refused("comment", "//", "option `comment`: expected at most one character, found 2\n//\n ^");
    check_refused("quoteAll", "yes", "option `quoteAll`: expected `true` or `false`, found `yes`\nyes\n^^^");
    check_refused("header", "", "option `header`: expected `true` or `false`, found ``\n\n^");
    check_refused("lineSep", "", "option `lineSep`: expected one or two characters, found none\n\n^");
    check_refused("lineSep", "abc", "option `lineSep`: expected one or two characters, found 3\nabc\n^^^");
    check_refused("sep", "", "option `sep`: expected at least one character, found none\n\n^");
    check_refused(
        "delimiter",
        "a\\",
        "option `delimiter`: expected a character after the backslash, or two backslashes for one, found the end\n\
         a\\\n ^",
    );
    check_refused(
        "sep",
        "a\\.b",
        "option `sep`: expected one of `\\t \\r \\b \\f \\\" \\' \\\\ \\u0000` after a backslash, found `.`\na\\.b\n ^^",
    );
    check_refused(
        "maxColumns",
        "many",
        "option `maxColumns`: expected an integer of 32 bits, found `many`\nmany\n^^^^",
    );
    check_refused("samplingRatio", "x", "option `samplingRatio`: expected a number, found `x`\nx\n^");
}

/// Options that mean the same.
#[track_caller]
fn check_same(one: &[(&str, &str)], other: &[(&str, &str)]) {
    let one = SparkOptions::parse(one.iter().copied()).unwrap();
    let other = SparkOptions::parse(other.iter().copied()).unwrap();
    assert_eq!(one.dialect(Mode::Exact).unwrap(), other.dialect(Mode::Exact).unwrap());
}

#[test]
fn keys_have_aliases_and_no_case() {
    check_same(&[("SEP", "|")], &[("delimiter", "|")]);
    check_same(&[("delimiter", ";"), ("sep", "|")], &[("sep", "|")]);
    check_same(&[("sep", "\\t")], &[("sep", "\t")]);
    check_same(&[("sep", "\\u0000")], &[("sep", "\0")]);
    check_same(&[("sep", ".\\t.")], &[("sep", ".\t.")]);
    check_same(&[("sep", "\\\\.")], &[("sep", "\\\\.")]);
    check_same(&[("QuoteAll", "TRUE")], &[("quoteall", "true")]);
    check_same(&[("quote", "'"), ("QUOTE", "\"")], &[]);
    check_same(&[("quote", "")], &[("quote", "\0")]);
    check_same(&[("comment", "")], &[("comment", "#")]);
    check_same(&[("charToEscapeQuoteEscaping", "")], &[]);
    check_same(&[("mode", "PERMISSIVE"), ("nobody", "knows")], &[]);
}

/// Runs `examples/spark_csv.rs` on a text.
fn run_example(input: &str) -> String {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join("spark_csv");
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_example_answers_each_line() {
    let input = concat!(
        r#"{"options":{"sep":"|"},"header":["'id'"," n"],"row":["a|b",null]}"#,
        "\n",
        r#"{"options":{},"header":null,"row":[null]}"#,
        "\n",
        r#"{"options":{"quote":"ab"},"header":null,"row":["a"]}"#,
        "\n",
        r#"{"options":{"encoding":"UTF-16BE"},"header":null,"row":["é"]}"#,
        "\n",
        r#"{"options":{}"#,
        "\n",
    );
    let expected = concat!(
        r#"{"bytes":"id|n\n\"a|b\"|\n"}"#,
        "\n",
        r#"{"bytes":""}"#,
        "\n",
        r#"{"error":"the CSV dialect cannot be used: option `quote`: expected at most one character, found 2"}"#,
        "\n",
        r#"{"bytes":"\u0000é\u0000\n"}"#,
        "\n",
        r#"{"error":"could not read the line as JSON: EOF while parsing an object at line 1 column 13"}"#,
        "\n",
    );
    assert_eq!(run_example(input), expected);
}

/// A row of the table of [`Mode`]: what exact mode writes, and fixed mode.
#[track_caller]
fn check_mended(options: &[(&str, &str)], row: &[Option<&str>], exact: &str, fixed: &str) {
    assert_eq!(encode(options, None, row, Mode::Exact), exact);
    assert_eq!(encode(options, None, row, Mode::Fixed), fixed);
}

#[test]
fn fixed_mode_mends_what_its_docs_list() {
    check_mended(&[], &[None], "", "\"\"\n");
    check_mended(&[("ignoreLeadingWhiteSpace", "false")], &[Some(" ")], " \\\"\\\n", "\"\"\n");
    check_mended(&[("sep", "||")], &[Some("a|"), Some("b")], "a|||b\n", "\"a|\"||b\n");
    check_mended(&[("lineSep", "\r\n")], &[Some("a\nb")], "\"a\r\nb\"\r\n", "\"a\nb\"\r\n");
    check_mended(&[], &[Some("ends\\")], "ends\\\n", "\"ends\\\\\"\n");
    check_mended(&[], &[Some(" #a")], "#a\n", "\"#a\"\n");
    check_mended(&[], &[Some("\u{feff}a")], "\u{feff}a\n", "\"\u{feff}a\"\n");
    check_mended(&[("nullValue", " ")], &[Some("a"), None], "a,\n", "a, \n");
    check_mended(&[("nullValue", "NULL")], &[Some("NULL"), None], "NULL,NULL\n", "\"NULL\",NULL\n");
    check_mended(&[("quote", "'")], &[Some("")], "\"\"\n", "''\n");
    check_mended(&[("escape", "")], &[Some("a\"b")], "\"a\0\"b\"\n", "\"a\"\"b\"\n");
    check_mended(&[("charToEscapeQuoteEscaping", "\0")], &[Some("a,\\")], "\"a,\\\"\n", "\"a,\\\\\"\n");
    check_mended(&[("quote", "")], &[Some("plain"), None], "plain,\n", "plain,\n");
    assert_eq!(encode(&[("header", "true")], Some(&["'id'"]), &[Some("1")], Mode::Exact), "id\n1\n");
    assert_eq!(encode(&[("header", "true")], Some(&["'id'"]), &[Some("1")], Mode::Fixed), "'id'\n1\n");
    assert_eq!(encode(&[("quote", "")], None, &[Some("a,b")], Mode::Exact), "\0a,b\0\n");
    let no_quote = SparkOptions::parse([("quote", "")]).unwrap().dialect(Mode::Fixed).unwrap();
    assert!(no_quote.encoder().record([Value::Text("a,b")], &mut Vec::new()).is_err());
}
