//! The destination file: flat and nested, defaults, further options, and what its errors say.

use chrono::{DateTime, Utc};
use consign::destination::platform::{DestinationFile, FileType, PlatformError, PlatformErrorKind, TargetConnection};
use consign::destination::{Commit, ManifestFile};
use consign::format::csv::Outcome;
use consign::row::Value;
use consign::store::OnExists;
use consign::{Destination, ErrorKind};

use PlatformErrorKind::{MissingField, Rule, Syntax, Type, UnknownField, Value as Wrong};

fn now() -> DateTime<Utc> {
    "2026-11-22T08:00:00Z".parse().unwrap()
}

#[track_caller]
fn destination(json: &str) -> Destination {
    DestinationFile::parse(json).unwrap().into_destination(now()).unwrap()
}

#[track_caller]
fn check_error(json: &str, kind: PlatformErrorKind, text: &str) -> PlatformError {
    let Err(error) = DestinationFile::parse(json) else { panic!("no error, expected {text}") };
    assert_eq!((error.to_string().as_str(), error.kind()), (text, kind));
    error
}

#[test]
fn files_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<DestinationFile>();
    check::<TargetConnection>();
}

#[test]
fn a_destination_says_what_becomes_of_files_that_exist() {
    let of = |rule: &str| format!(r#"{{"bucketName": "acme-exports", "path": "", "onExists": {rule}}}"#);
    for (text, rule) in [
        ("\"overwrite\"", OnExists::Overwrite),
        ("\"fail\"", OnExists::Fail),
        ("\"skip\"", OnExists::Skip),
        ("\"suffix\"", OnExists::Suffix),
        ("null", OnExists::Overwrite),
    ] {
        assert_eq!(destination(&of(text)).on_exists(), rule);
    }
    let text =
        "onExists: expected \"overwrite\", \"fail\", \"skip\" or \"suffix\", found \"replace\" at line 1 column 56";
    check_error(&of("\"replace\""), Wrong, text);
}

#[test]
fn a_destination_says_when_files_become_visible() {
    let of = |when: &str| format!(r#"{{"bucketName": "acme-exports", "path": "", "commit": {when}}}"#);
    for (text, when) in [("\"group\"", Commit::Group), ("\"per-file\"", Commit::PerFile), ("null", Commit::Group)] {
        assert_eq!(destination(&of(text)).commit(), when);
    }
    let text = "commit: expected \"group\" or \"per-file\", found \"late\" at line 1 column 54";
    check_error(&of("\"late\""), Wrong, text);
}

#[test]
fn only_bucket_and_path_are_required() {
    let destination = destination(r#"{"bucketName": "acme-exports", "path": "daily"}"#);
    assert_eq!(destination.name(), None);
    assert_eq!(destination.bucket().as_str(), "acme-exports");
    assert_eq!(destination.folder().as_str(), "daily");
    assert_eq!(destination.file_name_template().as_str(), "%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%");
    assert_eq!(destination.max_rows().get(), 5_000_000);
    assert_eq!(destination.manifest(), ManifestFile::Write);
    assert_eq!(destination.extension(), ".csv");
    assert_eq!(destination.columns().list(), None);
    let mut out = Vec::new();
    let outcome = destination.dialect().encoder().record([Value::Text("a,\""), Value::Null, Value::Text("")], &mut out);
    assert_eq!(outcome.unwrap(), Outcome::Written);
    assert_eq!(out, b"\"a,\\\"\",null,\n");
}

const NESTED: &str = r#"{
  "name": "S3 exports",
  "description": "nightly",
  "baseConnectionId": "9b4f6b5e",
  "connectionSpec": {"id": "4fce964d-3f37-408f-9778-e597338a21ee", "version": "1.0"},
  "id": "1", "etag": "2", "createdAt": 3, "state": "enabled", "data": {"format": "json", "schema": null},
  "params": {
    "mode": "Server-to-server",
    "bucketName": "acme-exports",
    "path": "daily/%SEGMENT_ID%",
    "fileType": "CSV",
    "compression": "GZIP",
    "csvOptions": {"delimiter": "|", "quote": "\"", "escape": "'", "nullValue": "", "emptyValue": "\"\""},
    "includeFileManifest": true
  },
  "fileNameTemplate": "%SEGMENT_NAME%_%TIMESTAMP%",
  "maxFileRowCount": 1000,
  "columns": ["id", {"source": "mail", "target": "email"}, {"source": "x", "destination": "y"}]
}"#;

#[cfg(feature = "gzip")]
#[test]
fn a_target_connection_is_a_destination_file() {
    let destination = destination(NESTED);
    assert_eq!(destination.name(), Some("S3 exports"));
    assert_eq!(destination.folder().as_str(), "daily/%SEGMENT_ID%");
    assert_eq!(destination.file_name_template().as_str(), "%SEGMENT_NAME%_%TIMESTAMP%");
    assert_eq!(destination.max_rows().get(), 1000);
    assert_eq!(destination.extension(), ".csv.gz");
    let columns: Vec<_> =
        destination.columns().list().unwrap().iter().map(|column| (column.source(), column.target())).collect();
    assert_eq!(columns, [("id", None), ("mail", Some("email")), ("x", Some("y"))]);
    let mut out = Vec::new();
    let outcome = destination.dialect().encoder().record([Value::Text("a|\""), Value::Null, Value::Text("")], &mut out);
    assert_eq!(outcome.unwrap(), Outcome::Written);
    assert_eq!(out, b"\"a|'\"\"||\"\"\n");
}

#[test]
fn further_options() {
    let destination = destination(
        r#"{"bucketName": "my.bucket", "path": "a b", "bucketRules": "lenient", "folderRules": "aws",
            "fileExtension": ".txt", "includeFileManifest": false, "columns": ["person.name"],
            "columnDots": "underscore", "filenameTemplate": "x", "name": null, "csvOptions": null}"#,
    );
    assert_eq!(destination.bucket().as_str(), "my.bucket");
    assert_eq!(destination.folder().as_str(), "a b");
    assert_eq!(destination.extension(), ".txt");
    assert_eq!(destination.manifest(), ManifestFile::Omit);
    assert_eq!(destination.columns().resolve(&["person.name"]).unwrap().names(), ["person_name"]);
}

#[test]
fn settings_that_the_platform_has_no_option_for() {
    let destination = destination(
        r#"{"bucketName": "acme", "path": "", "csvOptions": {"encoding": "latin1", "quoteAll": false}, "dialect": {
            "blank": "bare", "bom": "omit", "formulaGuard": "apostrophe", "mode": "fixed", "nulls": "as-text",
            "onHazard": "count", "quoteStyle": "strings", "refused": "skip", "unmappable": "replace"}}"#,
    );
    let mut encoder = destination.dialect().encoder();
    let mut out = Vec::new();
    let row = [Value::Text("=é"), Value::Text("€"), Value::Integer(-1)];
    assert_eq!(encoder.record(row, &mut out).unwrap(), Outcome::Written);
    assert_eq!(out, b"\"'=\xe9\",\"?\",-1\n");
}

#[test]
fn strict_rules_are_the_platforms() {
    let json = |template: &str, rows: &str| {
        format!(
            "{{\"bucketName\": \"acme\", \"path\": \"\", \"fileRules\": \"strict\",\n\"filenameTemplate\": \
             \"{template}\",\n\"maxFileRowCount\": {rows}}}"
        )
    };
    let all = "%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%";
    for rows in ["1000000", "10000000"] {
        assert!(DestinationFile::parse(&json(all, rows)).is_ok());
    }
    for rows in ["999999", "10000001"] {
        check_error(
            &json(all, rows),
            Rule,
            &format!(
                "maxFileRowCount: expected a number from 1000000 to 10000000 where `fileRules` is \"strict\", found \
                 {rows} at line 3 column 20"
            ),
        );
    }
    let error = DestinationFile::parse(&json("%SEGMENT_ID%", "1000000")).unwrap_err();
    assert_eq!((error.path(), error.kind(), error.line(), error.column()), ("filenameTemplate", Wrong, 2, 21));
}

#[test]
fn broken_json() {
    check_error("", Syntax, "broken JSON: EOF while parsing a value at line 1 column 1");
    check_error("[]", Type, "expected an object, found a list at line 1 column 1");
    check_error(r#"{"params": ["S3"]}"#, Type, "params: expected an object, found a list at line 1 column 12");
    let error = check_error(
        "{\n  \"bucketName\": \"acme\",\n  \"path\": \"daily\",\n}\n",
        Syntax,
        "broken JSON: trailing comma at line 4 column 1",
    );
    assert_eq!(format!("{error:#}"), "broken JSON: trailing comma at line 4 column 1\n}\n^");
}

#[test]
fn fields_that_are_missing_or_unknown() {
    check_error("{}", MissingField, "bucketName: missing field at line 1 column 1");
    check_error(r#"{"bucketName": "acme"}"#, MissingField, "path: missing field at line 1 column 1");
    check_error(
        r#"{"name": "x", "params": {"bucketName": "acme"}}"#,
        MissingField,
        "params.path: missing field at line 1 column 25",
    );
    check_error(
        r#"{"bucketName": "acme", "path": "", "bucketname": 1}"#,
        UnknownField,
        "bucketname: unknown field, did you mean `bucketName`? (expected `params`, `mode`, `bucketName`, `path`, \
         `fileType`, `datasetFileType`, `compression`, `csvOptions`, `includeFileManifest`, `name`, `description`, \
         `filenameTemplate`, `fileNameTemplate`, `maxFileRowCount`, `encryption`, `columns`, `columnDots`, \
         `dialect`, `onExists`, `commit`, `fileExtension`, `bucketRules`, `folderRules`, `fileRules`, `connectionSpec`, `baseConnectionId` or `data`) at \
         line 1 column 36",
    );
    let error = check_error(
        "{\"params\": {\n  \"bucketName\": \"acme\",\n  \"csvOptions\": {\"delimeter\": \";\"}\n}}",
        UnknownField,
        "params.csvOptions.delimeter: unknown field, did you mean `delimiter`? (expected `delimiter`, `sep`, `quote`, \
         `escape`, `nullValue`, `emptyValue`, `header`, `quoteAll`, `lineSep`, `comment`, `charToEscapeQuoteEscaping`, \
         `dateFormat`, `charset`, `encoding`, `escapeQuotes`, `ignoreLeadingWhiteSpace`, `ignoreTrailingWhiteSpace` or \
         `timestampFormat`) at line 3 column 18",
    );
    assert!(format!("{error:#}").ends_with("\n  \"csvOptions\": {\"delimeter\": \";\"}\n                 ^^^^^^^^^^^"));
    check_error(
        r#"{"bucketName": "acme", "path": "", "columns": [{"source": "a", "to": "b"}]}"#,
        UnknownField,
        "columns[0].to: unknown field (expected `source`, `destination` or `target`) at line 1 column 64",
    );
}

#[test]
fn names_that_break_their_rules() {
    check_error(
        "{\n  \"bucketName\": \"Acme\",\n  \"path\": \"daily\"\n}",
        Wrong,
        "bucketName: \"Acme\": expected a lowercase letter, a digit or a hyphen, found `A` at byte 0 of the \
         bucket name at line 2 column 17",
    );
    check_error(
        "{\"bucketName\": \"acme\", \"path\": \"daily/%SEGMENT_NMAE%\"}",
        Wrong,
        "path: \"daily/%SEGMENT_NMAE%\": unknown macro `%SEGMENT_NMAE%` at byte 6 of the folder path, did you mean \
         `%SEGMENT_NAME%`? at line 1 column 32",
    );
    check(
        "\"filenameTemplate\": \"a/b\"",
        Wrong,
        "filenameTemplate: \"a/b\": expected no control character and no slash in a file name, found `/` at byte 1 of \
         the template at line 2 column 21",
    );
    check(
        "\"fileNameTemplate\": \"%DATETIME%_%TIMESTAMP%\"",
        Wrong,
        "fileNameTemplate: \"%DATETIME%_%TIMESTAMP%\": expected `%DATETIME%` or `%TIMESTAMP%`, found both, the second at \
         byte 11 of the template at line 2 column 21",
    );
    check(
        "\"filenameTemplate\": \"a\", \"fileNameTemplate\": \"b\"",
        Rule,
        "fileNameTemplate: expected only one of `filenameTemplate` and `fileNameTemplate` at line 2 column 46",
    );
}

#[track_caller]
fn check(field: &str, kind: PlatformErrorKind, text: &str) {
    check_error(&format!("{{\"bucketName\": \"acme\", \"path\": \"daily\",\n{field}}}"), kind, text);
}

#[test]
fn values_that_break_their_rules() {
    check(
        "\"compression\": \"ZIP\"",
        Wrong,
        "compression: expected compression `NONE` or `GZIP`, found `ZIP` at line 2 column 16",
    );
    check(
        "\"csvOptions\": {\"delimiter\": \"::\"}",
        Wrong,
        "csvOptions.delimiter: expected \",\", \"\\t\", \"|\", \";\" or \":\" (or any text as `sep`), found \"::\" at line 2 \
         column 29",
    );
    check(
        "\"csvOptions\": {\"sep\": \"\\\"\"}",
        Wrong,
        "csvOptions: the delimiter `\"` and the quote `\"` share the character `\"`: expected them to differ at line 2 \
         column 15",
    );
    check(
        "\"csvOptions\": {\"encoding\": \"EBCDIC\"}",
        Wrong,
        "csvOptions.encoding: expected Unicode or a single-byte charset, found `EBCDIC` at line 2 column 28",
    );
    check(
        "\"dialect\": {\"quoteStyle\": \"most\"}",
        Wrong,
        "dialect.quoteStyle: expected \"minimal\", \"all\", \"all-but-null\", \"non-numeric\", \"strings\" or \"never\", \
         found \"most\" at line 2 column 27",
    );
    check(
        "\"dialect\": {\"quotestyle\": \"all\"}",
        UnknownField,
        "dialect.quotestyle: unknown field, did you mean `quoteStyle`? (expected `blank`, `bom`, `formulaGuard`, `mode`, \
         `nulls`, `onHazard`, `quoteStyle`, `refused` or `unmappable`) at line 2 column 13",
    );
    check(
        "\"csvOptions\": {\"quote\": \"\"}, \"dialect\": {\"quoteStyle\": \"all\"}",
        Wrong,
        "dialect: the quote style needs a quote: expected a quote character, found none at line 2 column 41",
    );
    check(
        "\"csvOptions\": {\"dateFormat\": \"yyyy-MM-dd HH\"}",
        Wrong,
        "csvOptions.dateFormat: `HH` at byte 11 needs a time of day, which a date does not have, in \"yyyy-MM-dd HH\" at \
         line 2 column 30",
    );
    check(
        "\"fileType\": \"PARQUET\"",
        Rule,
        "fileType: expected \"CSV\", the only type that is built, found \"PARQUET\" at line 2 column 13",
    );
    check(
        "\"fileType\": \"TSV\"",
        Wrong,
        "fileType: expected \"CSV\", \"JSON\" or \"PARQUET\", found \"TSV\" at line 2 column 13",
    );
    check(
        "\"datasetFileType\": \"JSON\"",
        Rule,
        "datasetFileType: expected `fileType` \"CSV\" instead: datasets are not built yet at line 2 column 20",
    );
    for (rows, text) in [
        ("0", "maxFileRowCount: expected a whole number of rows of at least 1, found 0 at line 2 column 20"),
        ("-5", "maxFileRowCount: expected a whole number of rows of at least 1, found -5 at line 2 column 20"),
        ("1e6", "maxFileRowCount: expected a whole number of rows of at least 1, found 1000000.0 at line 2 column 20"),
        ("1.5", "maxFileRowCount: expected a whole number of rows of at least 1, found 1.5 at line 2 column 20"),
    ] {
        check(&format!("\"maxFileRowCount\": {rows}"), Wrong, text);
    }
    check(
        "\"maxFileRowCount\": \"5\"",
        Type,
        "maxFileRowCount: expected a whole number of rows of at least 1, found string \"5\" at line 2 column 20",
    );
    check(
        "\"includeFileManifest\": \"no\"",
        Wrong,
        "includeFileManifest: expected \"true\" or \"false\", found \"no\" at line 2 column 24",
    );
    check("\"columns\": []", Wrong, "columns: expected at least one column, found none at line 2 column 12");
    check(
        "\"columns\": [\"a\", 5]",
        Type,
        "columns[1]: expected a column's name, or an object with `source` and `target`, found integer `5` at line 2 \
         column 18",
    );
    check(
        "\"columnDots\": \"dash\"",
        Wrong,
        "columnDots: expected \"keep\" or \"underscore\", found \"dash\" at line 2 column 15",
    );
    check(
        "\"mode\": \"s3\"",
        Wrong,
        "mode: expected \"Server-to-server\", \"S3\", \"FTP\" or \"AZURE_BLOB\", found \"s3\" at line 2 column 9",
    );
    check(
        "\"params\": {\"path\": \"x\"}",
        Rule,
        "params.path: expected `path` in `params` or on the top level, found it in both at line 2 column 20",
    );
}

#[test]
fn two_columns_with_one_name() {
    let error =
        DestinationFile::parse(r#"{"bucketName": "acme", "path": "", "columns": ["a", "b", "a"]}"#).unwrap_err();
    assert_eq!((error.path(), error.kind(), error.column()), ("columns", Wrong, 47));
    assert!(error.to_string().contains("`a`"), "{error}");
}

#[cfg(feature = "openpgp")]
mod encryption {
    use super::*;

    fn with_key(key: &str) -> String {
        let encryption = serde_json::json!({"specName": "File Encryption", "params": {"publicKey": key}});
        format!("{{\"bucketName\": \"acme\", \"path\": \"\", \"encryption\": {encryption}}}")
    }

    #[test]
    fn files_are_encrypted_to_the_key() {
        let key = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/receiver.pub.asc"));
        let destination = destination(&with_key(&key.unwrap()));
        assert_eq!(destination.extension(), ".csv.gpg");
    }

    #[test]
    fn none_is_none() {
        let json = r#"{"bucketName": "acme", "path": "", "encryption": {"encryptionAlgo": "NONE"}}"#;
        assert_eq!(destination(json).extension(), ".csv");
    }

    #[test]
    fn a_key_that_is_none() {
        let error = DestinationFile::parse(&with_key("hello")).unwrap().into_destination(now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Recipient);
        assert_eq!(error.to_string(), "the `publicKey` of the destination's `encryption` cannot be used");
    }

    #[test]
    fn a_secret_key_is_not_repeated() {
        let secret = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/receiver.sec.asc"));
        let secret = secret.unwrap();
        let error = DestinationFile::parse(&with_key(&secret)).unwrap().into_destination(now()).unwrap_err();
        let body = &secret.lines().nth(3).unwrap()[..20];
        assert!(!format!("{error:?} {error:#}").contains(body));
        let json = with_key(&secret).replace("File Encryption", "Other");
        let error = DestinationFile::parse(&json).unwrap_err();
        assert!(!format!("{error:?} {error:#}").contains(body));
    }
}

#[cfg(not(feature = "openpgp"))]
#[test]
fn encryption_needs_its_feature() {
    check_error(
        r#"{"bucketName": "acme", "path": "", "encryption": {"publicKey": "x"}}"#,
        Rule,
        "encryption: the crate's feature `openpgp` is needed, and is off at line 1 column 50",
    );
    assert_ne!(ErrorKind::Recipient, ErrorKind::Destination);
}

#[cfg(feature = "gzip")]
#[test]
fn target_connections_round_trip() {
    let canonical = r#"{
  "name": "exports",
  "baseConnectionId": "9b4f6b5e",
  "params": {
    "mode": "Server-to-server",
    "bucketName": "acme.exports",
    "path": "a//%SEGMENT_ID%",
    "fileType": "CSV",
    "compression": "GZIP",
    "csvOptions": {
      "delimiter": "\t",
      "quote": ""
    },
    "includeFileManifest": true
  },
  "connectionSpec": {
    "id": "4fce964d-3f37-408f-9778-e597338a21ee"
  }
}"#;
    let target = TargetConnection::parse(canonical).unwrap();
    assert_eq!(target.to_json(), canonical);
    let spelled = canonical
        .replace("\"CSV\"", "\"csv\"")
        .replace("GZIP", "gzip")
        .replace("\"quote\": \"\"", "\"quote\": \"\\u0000\"");
    assert_eq!(TargetConnection::parse(&spelled).unwrap(), target);

    let dataset = r#"{"params": {"mode": "S3", "bucketName": "acme", "path": "", "datasetFileType": "parquet", "compression": "NONE"}}"#;
    let dataset = TargetConnection::parse(dataset).unwrap();
    assert_eq!(dataset.dataset_file_type().map(FileType::as_str), Some("PARQUET"));
    assert_eq!((dataset.file_type(), dataset.csv_options(), dataset.manifest()), (None, None, None));
    assert_eq!(TargetConnection::parse(&dataset.to_json()).unwrap(), dataset);
}

#[test]
fn target_connections_keep_the_rules_of_the_api() {
    let target = |params: &str| {
        let json = format!("{{\"params\": {{\"mode\": \"S3\", \"compression\": \"NONE\", {params}}}}}");
        TargetConnection::parse(&json).unwrap_err().to_string()
    };
    let names = "\"bucketName\": \"acme\", \"path\": \"\"";
    assert_eq!(target("\"path\": \"\", \"fileType\": \"CSV\""), "params.bucketName: missing field at line 1 column 12");
    assert_eq!(target(names), "params: expected `fileType`, or `datasetFileType` at line 1 column 12");
    assert_eq!(
        target(&format!("{names}, \"fileType\": \"JSON\", \"csvOptions\": {{}}")),
        "params: expected `csvOptions` only where `fileType` is \"CSV\" at line 1 column 12"
    );
    assert_eq!(
        target(&format!("{names}, \"fileType\": \"JSON\", \"datasetFileType\": \"JSON\"")),
        "params: expected only one of `fileType` and `datasetFileType` at line 1 column 12"
    );
    assert_eq!(
        target(&format!("{names}, \"datasetFileType\": \"CSV\"")),
        "params: expected \"JSON\" or \"PARQUET\" as `datasetFileType` at line 1 column 12"
    );
    assert!(target("\"bucketName\": \"a_b\"").starts_with("params.bucketName: \"a_b\": expected "));
    assert!(target("\"path\": \"a b\"").starts_with("params.path: \"a b\": expected "));
}

#[test]
fn dates_are_spelled_as_the_options_ask() {
    let file = r#"{"bucketName": "acme", "path": "", "csvOptions": {"dateFormat": "dd.MM.yyyy", "timestampFormat": "HH:mm", "header": false}}"#;
    let time = "2026-11-22T08:05:00Z".parse().unwrap();
    let destination = DestinationFile::parse(file).unwrap().into_destination(time).unwrap();
    let mut out = Vec::new();
    let row = [Value::Date(time.date_naive()), Value::Timestamp(time)];
    assert_eq!(destination.dialect().encoder().record(row, &mut out).unwrap(), Outcome::Written);
    assert_eq!(out, b"22.11.2026,08:05\n");
}
