//! The JSON of the platform: what is read, what is written, and what errors say.

use consign::destination::credentials::Credentials;
use consign::destination::platform::{
    BaseConnection, ConnectionSpec, CsvOptions, EncryptionAlgorithm, EncryptionSpec, PlatformError, PlatformErrorKind,
};
use consign::format::csv::{Header, Outcome};
use consign::row::Value;

#[track_caller]
fn check_error<T>(result: Result<T, PlatformError>, kind: PlatformErrorKind, text: &str) -> PlatformError {
    let Err(error) = result else { panic!("no error, expected {text}") };
    assert_eq!((error.to_string().as_str(), error.kind()), (text, kind));
    error
}

#[track_caller]
fn check_record(options: &str, fields: &[Value<'_>], expected: &str) {
    let mut out = Vec::new();
    let options = CsvOptions::parse(options).unwrap();
    let outcome = options.dialect().encoder().record(fields.iter().copied(), &mut out).unwrap();
    assert_eq!(outcome, Outcome::Written);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn errors_cross_threads_and_become_the_crates() {
    fn check<T: Send + Sync + 'static>() {}
    check::<BaseConnection>();
    check::<CsvOptions>();
    check::<PlatformError>();

    let error = consign::Error::from(CsvOptions::parse("5").unwrap_err());
    assert_eq!(error.kind(), consign::ErrorKind::Destination);
    assert_eq!(
        format!("{error:#}"),
        "the JSON of the destination is wrong: expected an object, found integer `5` at line 1 column 1"
    );
}

#[test]
fn csv_options_make_a_dialect() {
    let row = [Value::Text("a,\"b\""), Value::Null, Value::Text("")];
    check_record("{}", &row, "\"a,\\\"b\\\"\",null,\n");
    check_record(r#"{"delimiter": "\t"}"#, &row, "\"a,\\\"b\\\"\"\tnull\t\n");
    check_record(r#"{"delimiter": "|", "escape": "'"}"#, &row, "\"a,'\"b'\"\"|null|\n");
    check_record(r#"{"quote": "'", "escape": "'"}"#, &row, "'a,\"b\"',null,\n");
    check_record(r#"{"nullValue": "", "emptyValue": "null"}"#, &row, "\"a,\\\"b\\\"\",,null\n");
    check_record(r#"{"sep": "||", "quoteAll": "true", "lineSep": "\r\n"}"#, &row[..1], "\"a,\\\"b\\\"\"\r\n");
    check_record(r#"{"quote": "", "delimiter": ";"}"#, &[Value::Text("a,b")], "a,b\n");
    check_record(r#"{"quote": "\u0000", "delimiter": ";"}"#, &[Value::Text("a,b")], "a,b\n");
    assert_eq!(CsvOptions::parse("{}").unwrap().dialect().header(), Header::Write);
    assert_eq!(CsvOptions::parse(r#"{"header": false}"#).unwrap().dialect().header(), Header::Omit);
    assert_eq!(CsvOptions::parse(r#"{"quote": null}"#).unwrap(), CsvOptions::default());
}

#[test]
fn csv_options_are_written_as_they_were_read() {
    for (json, canonical) in [
        ("{}", "{}"),
        (
            r#"{"escape": "'", "delimiter": "\t", "quote": "\u0000", "quoteAll": "false"}"#,
            r#"{"delimiter":"\t","quote":"","escape":"'","quoteAll":false}"#,
        ),
        (
            r#"{"charset": "UTF-16", "sep": "::", "dateFormat": "yyyy", "ignoreLeadingWhiteSpace": true}"#,
            r#"{"sep":"::","dateFormat":"yyyy","encoding":"UTF-16","ignoreLeadingWhiteSpace":true}"#,
        ),
    ] {
        let options = CsvOptions::parse(json).unwrap();
        assert_eq!(serde_json::to_string(&options).unwrap(), canonical);
        assert_eq!(CsvOptions::parse(canonical).unwrap(), options);
    }
}

#[test]
fn csv_options_errors() {
    use PlatformErrorKind::{DuplicateField, Syntax, Type, UnknownField, Value};

    let error = check_error(
        CsvOptions::parse("{\n  \"delimiter\": \",\",\n  \"quote\": \"ab\"\n}"),
        Value,
        "quote: expected one quote character or none, found 2, in \"ab\" at line 3 column 12",
    );
    assert_eq!((error.path(), error.line(), error.column(), error.span().range()), ("quote", 3, 12, 33..37));
    assert_eq!(
        format!("{error:#}"),
        "quote: expected one quote character or none, found 2, in \"ab\" at line 3 column 12\n  \"quote\": \"ab\"\n           \
         ^^^^"
    );
    check_error(
        CsvOptions::parse(r#"{"delimiter": "::"}"#),
        Value,
        r#"delimiter: expected ",", "\t", "|", ";" or ":" (or any text as `sep`), found "::" at line 1 column 15"#,
    );
    check_error(
        CsvOptions::parse(r#"{"sep": ""}"#),
        Value,
        "sep: expected a delimiter of at least one character, found an empty text at line 1 column 9",
    );
    check_error(
        CsvOptions::parse(r#"{"delimter": ","}"#),
        UnknownField,
        "delimter: unknown field, did you mean `delimiter`? (expected `delimiter`, `sep`, `quote`, `escape`, \
         `nullValue`, `emptyValue`, `header`, `quoteAll`, `lineSep`, `comment`, `charToEscapeQuoteEscaping`, \
         `dateFormat`, `charset`, `encoding`, `escapeQuotes`, `ignoreLeadingWhiteSpace`, `ignoreTrailingWhiteSpace` or \
         `timestampFormat`) at line 1 column 2",
    );
    check_error(
        CsvOptions::parse(r#"{"delimiter": ",", "delimiter": ";"}"#),
        DuplicateField,
        "delimiter: duplicate field at line 1 column 20",
    );
    check_error(
        CsvOptions::parse(r#"{"delimiter": ",", "sep": ";"}"#),
        Value,
        "`delimiter` and `sep` are one option: expected only one of them at line 1 column 1",
    );
    check_error(
        CsvOptions::parse(r#"{"delimiter": 5}"#),
        Type,
        "delimiter: expected a string, found integer `5` at line 1 column 15",
    );
    check_error(
        CsvOptions::parse(r#"{"header": "yes"}"#),
        Value,
        r#"header: expected "true" or "false", found "yes" at line 1 column 12"#,
    );
    check_error(
        CsvOptions::parse(r#"{"header": 1}"#),
        Type,
        "header: expected true or false, found integer `1` at line 1 column 12",
    );
    check_error(
        CsvOptions::parse(r#"{"sep": "\"", "quote": "\""}"#),
        Value,
        "the delimiter `\"` and the quote `\"` share the character `\"`: expected them to differ at line 1 column 1",
    );
    check_error(
        CsvOptions::parse("{\n  \"quote\": \"'\"\n  \"escape\": \"'\"\n}"),
        Syntax,
        "broken JSON: expected `,` or `}` at line 3 column 3",
    );
    check_error(
        CsvOptions::parse("{\"quote\": \"é"),
        Syntax,
        "broken JSON: EOF while parsing a string at line 1 column 12",
    );
    check_error(CsvOptions::parse(""), Syntax, "broken JSON: EOF while parsing a value at line 1 column 1");
    check_error(CsvOptions::parse("{} {}"), Syntax, "broken JSON: trailing characters at line 1 column 4");
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let error = CsvOptions::parse("\u{feff}{\"sep\": \"\"}").unwrap_err();
    assert_eq!((error.line(), error.column(), error.span().range()), (1, 9, 11..13));
    assert!(CsvOptions::parse("\u{feff}{}").is_ok());
}

#[test]
fn encryption_is_read_in_every_spelling() {
    let canonical = "{\n  \"specName\": \"File PGP/GPG Encryption\",\n  \"params\": {\n    \"encryptionAlgo\": \"PGPGPG\",\n    \
                     \"publicKey\": \"KEY\"\n  }\n}";
    for json in [
        canonical,
        r#"{"specName":"File Encryption","params":{"encryptionAlgo":"PGP/GPG","publicKey":"KEY"}}"#,
        r#"{"params":{"publicKey":"KEY"}}"#,
        r#"{"encryptionAlgo":"PGPGPG","publicKey":"KEY"}"#,
        r#"{"publicKey":"KEY"}"#,
    ] {
        let spec = EncryptionSpec::parse(json).unwrap();
        assert_eq!((spec.algorithm(), spec.public_key()), (EncryptionAlgorithm::OpenPgp, Some("KEY")));
        assert_eq!(spec.to_json(), canonical);
        assert_eq!(serde_json::to_string_pretty(&spec).unwrap(), canonical);
        assert_eq!(format!("{spec:?}"), "EncryptionSpec { algorithm: OpenPgp, public_key: Some(\"..\") }");
    }
    let none = EncryptionSpec::parse(r#"{"params":{"encryptionAlgo":"NONE"}}"#).unwrap();
    assert_eq!((none.algorithm(), none.public_key()), (EncryptionAlgorithm::None, None));
    assert_eq!(EncryptionSpec::parse(&none.to_json()).unwrap(), none);
}

#[test]
fn encryption_errors_repeat_nothing() {
    use PlatformErrorKind::{Type, Value};
    check_error(
        EncryptionSpec::parse(r#"{"params":{}}"#),
        Value,
        "expected a `publicKey`, unless `encryptionAlgo` is `NONE` at line 1 column 1",
    );
    check_error(
        EncryptionSpec::parse(r#"{"params":{"encryptionAlgo":"AES","publicKey":"KEY"}}"#),
        Value,
        "params.encryptionAlgo: expected `PGPGPG`, `PGP/GPG` or `NONE` at line 1 column 29",
    );
    check_error(
        EncryptionSpec::parse(r#"{"params":{"publicKey":"KEY"},"publicKey":"KEY"}"#),
        Value,
        "`encryptionAlgo` and `publicKey` stand in `params` or beside it: expected one place at line 1 column 1",
    );
    check_error(
        EncryptionSpec::parse(r#"{"params":"-----BEGIN PGP PRIVATE KEY BLOCK-----"}"#),
        Type,
        "params: expected an object, found another type at line 1 column 11",
    );
    for json in [r#"{"params":"SECRET"}"#, r#"{"specName":"SECRET"}"#, r#"{"params":{"encryptionAlgo":"SECRET"}}"#] {
        let error = EncryptionSpec::parse(json).unwrap_err();
        assert!(!format!("{error} {error:#} {error:?}").contains("SECRET"), "{error:?}");
    }
}

const ACCESS_KEY: &str = r#"{
  "name": "exports",
  "description": "nightly",
  "auth": {
    "specName": "Access Key",
    "params": {
      "s3AccessKey": "AKIAIOSFODNN7EXAMPLE",
      "s3SecretKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE+AB"
    }
  },
  "encryption": {
    "specName": "File PGP/GPG Encryption",
    "params": {
      "encryptionAlgo": "PGPGPG",
      "publicKey": "KEY"
    }
  },
  "connectionSpec": {
    "id": "4fce964d-3f37-408f-9778-e597338a21ee",
    "version": "1.0"
  }
}"#;

#[test]
fn base_connections_round_trip() {
    let base = BaseConnection::parse(ACCESS_KEY).unwrap();
    assert_eq!((base.name(), base.description()), (Some("exports"), Some("nightly")));
    assert!(matches!(base.credentials(), Credentials::AccessKey { id, .. } if id.reveal() == "AKIAIOSFODNN7EXAMPLE"));
    assert_eq!(base.connection_spec().map(ConnectionSpec::id), Some("4fce964d-3f37-408f-9778-e597338a21ee"));
    assert_eq!(base.to_json_with_secrets(), ACCESS_KEY);
    let printed = format!("{base:?}");
    assert!(!printed.contains("AKIA") && !printed.contains("wJal") && !printed.contains("KEY"), "{printed}");

    let role = r#"{"auth":{"params":{"s3Role":"arn:aws:iam::800873819705:role/x"}},"id":"1","etag":"2","createdAt":3}"#;
    let role = BaseConnection::parse(role).unwrap();
    assert!(
        matches!(role.credentials(), Credentials::AssumedRole { role, external_id: None } if role.reveal_name() == "x")
    );
    assert_eq!(BaseConnection::parse(&role.to_json_with_secrets()).unwrap(), role);
}

#[test]
fn base_connection_errors_repeat_no_secret() {
    use PlatformErrorKind::{MissingField, Syntax, UnknownField, Value};
    let base = |from: &str, to: &str| {
        let json = ACCESS_KEY.replace(from, to);
        assert_ne!(json, ACCESS_KEY);
        BaseConnection::parse(&json)
    };
    check_error(
        base("wJal", "wJa"),
        Value,
        "auth.params.s3SecretKey: a secret key has 40 characters: found 39 at line 8 column 22",
    );
    check_error(
        base("s3SecretKey", "s3Secret"),
        UnknownField,
        "auth.params.s3Secret: unknown field, did you mean `s3SecretKey`? (expected `s3AccessKey`, `s3SecretKey` or \
         `s3Role`) at line 8 column 7",
    );
    check_error(
        base("\"s3AccessKey\": \"AKIAIOSFODNN7EXAMPLE\",", ""),
        Value,
        "auth: expected `params` with `s3AccessKey` and `s3SecretKey`, or with `s3Role` alone at line 4 column 11",
    );
    check_error(
        base("Access Key", "Assumed Role"),
        Value,
        "auth: expected `params` with `s3Role` for `Assumed Role` at line 4 column 11",
    );
    check_error(
        base("Access Key", "Key"),
        Value,
        "auth.specName: expected `Access Key` or `Assumed Role` at line 5 column 17",
    );
    check_error(BaseConnection::parse("{}"), MissingField, "auth: missing field at line 1 column 1");
    check_error(
        base("\"auth\"", "\"authz\""),
        UnknownField,
        "authz: unknown field, did you mean `auth`? (expected `name`, `description`, `auth`, `encryption` or \
         `connectionSpec`) at line 4 column 3",
    );
    check_error(
        base("\"1.0\"", "\"1.0\", \"name\": 1"),
        UnknownField,
        "connectionSpec.name: unknown field (expected `id` or `version`) at line 20 column 23",
    );
    check_error(base("nightly\",", "nightly\""), Syntax, "broken JSON: expected `,` or `}` at line 4 column 3");
    for (from, to) in [
        ("wJal", "SECRET"),
        ("AKIAIOSFODNN7EXAMPLE", "SECRET"),
        ("{\n      \"s3Acc", "\"SECRET\", \"x\": {\n      \"s3Acc"),
        ("\"wJal", "SECRET"),
    ] {
        let error = base(from, to).unwrap_err();
        for printed in [format!("{error}"), format!("{error:#}"), format!("{error:?}")] {
            assert!(!printed.contains("SECRET") && !printed.contains("AKIA"), "{printed}");
        }
    }
}
