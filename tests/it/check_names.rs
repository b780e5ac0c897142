//! The example `check_names`: what it reads and what it answers.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The examples are built beside the tests: `target/<profile>/deps/it-…` and `target/<profile>/examples/…`.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = tests.parent().unwrap().parent().unwrap().join("examples").join(file);
    assert!(path.exists(), "no {}: `cargo build --examples` makes it", path.display());
    path
}

#[track_caller]
fn run(arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut child = Command::new(example("check_names"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // With a wrong argument it ends without reading.
    drop(writer.join().unwrap());
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Each line of input and the answer to it.
#[track_caller]
fn check(lines: &[(&str, &str)]) {
    let input: String = lines.iter().flat_map(|(line, _)| [line, "\n"]).collect();
    let (code, answers, complaints) = run(&[], input.as_bytes());
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    for ((line, expected), answer) in lines.iter().zip(answers.lines()) {
        assert_eq!(answer, *expected, "{line}");
    }
    assert_eq!(answers.lines().count(), lines.len());
}

#[test]
fn names_of_each_kind() {
    check(&[
        (r#"{"kind":"bucket","text":"my-bucket"}"#, r#"{"ok":true,"value":"my-bucket"}"#),
        (
            r#"{"kind":"bucket","text":"my.bucket"}"#,
            r#"{"ok":false,"error":"expected a lowercase letter, a digit or a hyphen, found `.` at byte 2 of the bucket name","span":[2,3]}"#,
        ),
        (r#"{"kind":"folder","text":"acme/%SEGMENT_ID%/"}"#, r#"{"ok":true,"value":"acme/%SEGMENT_ID%/"}"#),
        (
            r#"{"kind":"folder","text":"acme/%SEGMENT_NMAE%"}"#,
            r#"{"ok":false,"error":"unknown macro `%SEGMENT_NMAE%` at byte 5 of the folder path, did you mean `%SEGMENT_NAME%`?","span":[5,19]}"#,
        ),
        (r#"{"kind":"key","text":"a/b.csv"}"#, r#"{"ok":true,"value":"a/b.csv"}"#),
        (
            r#"{"kind":"key","text":"a/../b.csv"}"#,
            r#"{"ok":false,"error":"expected no segment `..`, found one at byte 2 of the object key","span":[2,4]}"#,
        ),
        (r#"{"kind":"template","text":"a/%TIMESTAMP%"}"#, r#"{"ok":true,"value":"a/%TIMESTAMP%"}"#),
        (
            r#"{"kind":"file-name","text":"a/%TIMESTAMP%"}"#,
            r#"{"ok":false,"error":"expected no control character and no slash in a file name, found `/` at byte 1 of the template","span":[1,2]}"#,
        ),
    ]);
}

#[test]
fn rules_by_their_names() {
    #[track_caller]
    fn taken(kind: &str, text: &str, rules: &str) -> bool {
        let line = format!(r#"{{"kind":"{kind}","rules":"{rules}","text":"{text}"}}"#);
        run(&[], line.as_bytes()).1.starts_with(r#"{"ok":true"#)
    }
    let names = ["platform", "platform-api", "aws", "aws-directory", "gcs", "azure", "strict", "lenient"];
    // kind, text, the rules that take it
    for (kind, text, expected) in [
        ("bucket", "my.bucket", &["platform-api", "aws", "gcs", "lenient"][..]),
        ("bucket", "a_b", &["gcs"]),
        ("bucket", "a--b", &["platform", "platform-api", "aws", "gcs", "strict", "lenient"]),
        ("bucket", "abc--usw2-az1--x-s3", &["platform", "platform-api", "aws-directory", "gcs"]),
        ("folder", "a$b", &["platform", "aws", "aws-directory"]),
        ("folder", "a%SEGMENT_ID%", &["platform-api", "aws", "aws-directory", "gcs", "lenient"]),
        ("folder", "../x", &["platform", "platform-api", "gcs", "azure"]),
        ("file-name", "%SEGMENT_ID%", &["platform-api", "aws", "aws-directory", "gcs", "azure", "lenient"]),
        ("template", "%SEGMENT_ID%", &["platform-api", "aws", "aws-directory", "gcs", "azure", "lenient"]),
        ("key", "a b", &names),
    ] {
        let found: Vec<&str> = names.into_iter().filter(|rules| taken(kind, text, rules)).collect();
        assert_eq!(found, expected, "{kind} {text}");
    }
}

#[test]
fn with_a_context_the_value_is_the_expanded_text() {
    check(&[
        (
            r#"{"kind":"folder","text":"acme/%SEGMENT_NAME%","context":{"SEGMENT_NAME":"Luxury Audience"}}"#,
            r#"{"ok":true,"value":"acme/Luxury Audience"}"#,
        ),
        (
            r#"{"kind":"file-name","text":"%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME%_%FILE_INDEX%","context":{"destination":"S3","audience_id":"x","time":"2022-05-09T23:05:43+02:00","file_index":2}}"#,
            r#"{"ok":true,"value":"S3_x_20220509_210543_2"}"#,
        ),
        (
            r#"{"kind":"key","text":"a/%SEGMENT_NAME%/%TIMESTAMP%.csv","context":{"segment_name":"x/y","TIMESTAMP":1652131584,"value_policy":"percent-encode"}}"#,
            r#"{"ok":true,"value":"a/x%2Fy/1652131584.csv"}"#,
        ),
        (
            r#"{"kind":"template","text":"%DATASET_ID%/%EXPORT_TIME%","context":{"dataset_id":"d","export_time":0}}"#,
            r#"{"ok":true,"value":"d/exportTime=197001010000"}"#,
        ),
        (
            r#"{"kind":"folder","text":"acme/%SEGMENT_NAME%","context":{"SEGMENT_NAME":"../x"}}"#,
            r#"{"ok":false,"error":"the value of `%SEGMENT_NAME%` holds `/` at its byte 2, which would make another folder","span":[5,19]}"#,
        ),
        (
            r#"{"kind":"folder","text":"acme/%SEGMENT_NAME%","context":{"SEGMENT_NAME":null}}"#,
            r#"{"ok":false,"error":"the context lacks a value for `%SEGMENT_NAME%`","span":[5,19]}"#,
        ),
        (
            r#"{"kind":"template","text":"%DATETIME%","context":{}}"#,
            r#"{"ok":false,"error":"the context lacks `TIME`, which the template needs","span":[0,10]}"#,
        ),
        (
            r#"{"kind":"template","text":"a","context":{"SEGMENT":"x"}}"#,
            r#"{"ok":false,"error":"unknown value `SEGMENT` in the context","span":[0,0]}"#,
        ),
        (
            r#"{"kind":"template","text":"a","context":{"FILE_INDEX":0}}"#,
            r#"{"ok":false,"error":"expected a number from 1 on for `FILE_INDEX` in the context, found 0","span":[0,0]}"#,
        ),
    ]);
    let name = "x".repeat(256);
    let line = format!(r#"{{"kind":"file-name","text":"%SEGMENT_NAME%","context":{{"SEGMENT_NAME":"{name}"}}}}"#);
    check(&[(
        &line,
        r#"{"ok":false,"error":"expected no more than 255 characters, found 256 in the file name","span":[255,256]}"#,
    )]);
}

#[test]
fn a_line_that_is_wrong_ends_nothing() {
    let input = b"oops\n\n{\"kind\":\"bucket\"}\n{\"kind\":\"bucket\",\"text\":\"\xFF\"}\r\n{\"kind\":\"bucket\",\"text\":\"abc\"}";
    let (code, answers, complaints) = run(&[], input);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(
        answers,
        [
            r#"{"ok":false,"error":"expected value at line 1 column 1","span":[0,4]}"#,
            r#"{"ok":false,"error":"missing field `text` at line 1 column 17","span":[0,17]}"#,
            r#"{"ok":false,"error":"invalid unicode code point at line 1 column 26","span":[0,28]}"#,
            r#"{"ok":true,"value":"abc"}"#,
        ]
    );
}

#[test]
fn explanations_have_carets_and_warnings() {
    let input = r#"{"kind":"folder","text":"acme/%SEGMENT_NAME%/x"}
{"kind":"bucket","rules":"lenient","text":"a.b"}
{"kind":"file-name","text":"%DATETIME(YYYY-QQ)%"}
{"kind":"file-name","text":"daily"}
{"kind":"bucket","text":3}
{"kind":"bucket","text":"abc","context":{"a\n\u001b":1}}
{"kind":"bucket","text":"abc","a\n\u001b":1}
"#;
    let (code, answers, complaints) = run(&["--explain"], input.as_bytes());
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    assert_eq!(
        answers,
        "error: expected nothing but macros and slashes after the first macro, found `x` at byte 20 of the folder path\n\
         acme/%SEGMENT_NAME%/x\n                    ^\n\
         allowed: %SEGMENT_NAME%, %SEGMENT_ID% and slashes at the end\n\
         ok: a.b\n\
         warning: dots in a bucket name: TLS certificates do not match it as a host name, and it cannot use transfer \
         acceleration\n\
         error: expected letters of a date, found `QQ` at byte 15 of the template\n\
         %DATETIME(YYYY-QQ)%\n               ^^\n\
         allowed: YYYY, MM, dd, HH, mm, ss, SSS, separators, and text in single quotes\n\
         ok: daily\n\
         warning: no macro for the time: later exports get the same name and overwrite this one\n\
         error: invalid type: integer `3`, expected a string at line 1 column 25\n\
         error: unknown value `a\\n\\u{1b}` in the context\n\
         error: unknown field `a\\n\\u{1b}`, expected one of `kind`, `rules`, `text`, `context` at line 1 column 41\n"
    );
}

#[test]
fn other_arguments_are_refused() {
    let (code, answers, complaints) = run(&["--help"], b"");
    assert_eq!((code, answers.as_str()), (Some(2), ""));
    assert_eq!(complaints, "check_names: expected no argument but --explain, found \"--help\"\n");
}
