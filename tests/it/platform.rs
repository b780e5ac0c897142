//! The JSON of the platform: what is read, what is written, and what errors say.

use consign::destination::credentials::Credentials;
use consign::destination::platform::{
    AudienceSelection, BaseConnection, BatchConfig, ConnectionSpec, CsvOptions, DatasetSchedule, DestinationFile,
    EncryptionAlgorithm, EncryptionSpec, FilenameConfig, FilenameOption, PlatformError, PlatformErrorKind,
    TargetConnection,
};
use consign::destination::schedule::{ExportMode, Frequency};
use consign::format::csv::{Header, Outcome};
use consign::row::Value;
use consign::template::Template;
use proptest::prelude::{any, prop, prop_assert, proptest};

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

/// A whole connection, or a private key, may be given to a reader of something else.
#[test]
fn readers_of_what_is_no_secret_repeat_none_either() {
    // On one line, so that an excerpt would hold everything.
    let connection = ACCESS_KEY.replace('\n', " ").replace("wJal", "SECRET").replace("\"KEY\"", "\"SECRET\"");
    let texts = [
        connection.clone(),
        connection.replace("\"auth\"", "\"authz\""),
        r#"{"encryption": {"publicKey": "SECRET"}, "x": 1}"#.to_owned(),
        r#"{"s3SecretKey": "SECRET", "#.to_owned(),
        r#"{"s3AccessKey": 1, "x": "SECRET"}"#.to_owned(),
        r#"{"auth" "SECRET"}"#.to_owned(),
        r#"{"params": {"mode": "-----BEGIN PGP PRIVATE KEY BLOCK----- SECRET"}}"#.to_owned(),
        r#"{"mode": "-----BEGIN PGP PRIVATE KEY BLOCK----- SECRET", "path": "SECRET"}"#.to_owned(),
        r#"{"delimiter": ",", "quote": "-----BEGIN PGP PRIVATE KEY BLOCK----- SECRET"}"#.to_owned(),
    ];
    for json in &texts {
        for error in [
            TargetConnection::parse(json).unwrap_err(),
            AudienceSelection::parse(json).unwrap_err(),
            DatasetSchedule::parse(json).unwrap_err(),
            BatchConfig::parse(json).unwrap_err(),
            FilenameConfig::parse(json).unwrap_err(),
            CsvOptions::parse(json).unwrap_err(),
            DestinationFile::parse(json).unwrap_err(),
        ] {
            let whole = consign::Error::from(error.clone());
            for printed in [format!("{error}"), format!("{error:#}"), format!("{error:?}"), format!("{whole:?}")] {
                assert!(!printed.contains("SECRET") && !printed.contains("AKIA"), "{printed}");
            }
        }
    }
    let error = CsvOptions::parse(r#"{"quote": "--"}"#).unwrap_err();
    assert!(format!("{error:#}").contains(r#"{"quote": "--"}"#));
    assert_eq!(format!("{error:?}"), format!("PlatformError(Value, 10..14, \"{error}\")"));
}

const AUDIENCE: &str = r#"{
  "type": "PLATFORM_SEGMENT",
  "value": {
    "id": "25768be6-ebd5-45cc-8913-12fb3f348615",
    "name": "Luxury Audience",
    "filenameTemplate": "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%",
    "exportMode": "DAILY_FULL_EXPORT",
    "schedule": {
      "frequency": "DAILY",
      "triggerType": "SCHEDULED",
      "startDate": "2024-01-04",
      "endDate": "2024-01-11",
      "startTime": "07:00"
    }
  }
}"#;

#[test]
fn audience_selections_round_trip() {
    let selection = AudienceSelection::parse(AUDIENCE).unwrap();
    assert_eq!(selection.to_json(), AUDIENCE);
    assert_eq!(selection.id(), "25768be6-ebd5-45cc-8913-12fb3f348615");
    assert_eq!((selection.name(), selection.description()), (Some("Luxury Audience"), None));
    let runs =
        selection.schedule().due("2024-01-01T00:00:00Z".parse().unwrap(), "2025-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(runs.count(), 7);

    let spelled = AUDIENCE
        .replace("filenameTemplate", "fileNameTemplate")
        .replace("\"schedule\": {", "\"createTime\": \"1642041770\", \"updateTime\": \"1642615573\", \"schedule\": {");
    assert_eq!(AudienceSelection::parse(&spelled).unwrap(), selection);

    for (from, to) in [
        ("\"SCHEDULED\"", "\"AFTER_SEGMENT_EVAL\""),
        ("DAILY_FULL_EXPORT", "FIRST_FULL_THEN_INCREMENTAL"),
        ("\"DAILY\"", "\"MONTHLY\""),
        ("\"2024-01-11\"", "\"2028-02-29\""),
    ] {
        let mut json = AUDIENCE.replace(from, to);
        if to.contains("AFTER") {
            json = json.replace(",\n      \"startTime\": \"07:00\"", "");
        }
        if to.contains("FIRST") {
            json = json.replace("\n      \"triggerType\": \"SCHEDULED\",", "");
        }
        let selection = AudienceSelection::parse(&json).unwrap();
        assert_eq!(selection.to_json(), json);
    }
}

#[test]
fn audience_selection_errors() {
    use PlatformErrorKind::{MissingField, Value};
    let selection = |from: &str, to: &str| {
        let json = AUDIENCE.replace(from, to);
        assert_ne!(json, AUDIENCE);
        AudienceSelection::parse(&json)
    };
    check_error(
        selection("\"DAILY\"", "\"CHAINED\""),
        Value,
        "value.schedule.frequency: unknown frequency `CHAINED`: expected `ONCE`, `DAILY`, `WEEKLY`, `MONTHLY`, \
         `EVERY_3_HOURS`, `EVERY_6_HOURS`, `EVERY_8_HOURS`, `EVERY_9_HOURS` or `EVERY_12_HOURS` at line 9 column 20",
    );
    check_error(
        selection("\"DAILY\"", "\"EVERY_3_HOURS\""),
        Value,
        "value: frequency `EVERY_3_HOURS` is not for `DAILY_FULL_EXPORT` of an audience: expected `ONCE`, `DAILY`, \
         `WEEKLY` or `MONTHLY` at line 3 column 12",
    );
    check_error(
        selection("\n      \"triggerType\": \"SCHEDULED\",", ""),
        Value,
        "value: expected a `triggerType` in `schedule`, as `exportMode` is \"DAILY_FULL_EXPORT\" at line 3 column 12",
    );
    check_error(
        selection("2024-01-11", "2024-01-04"),
        Value,
        "value: end date `2024-01-04` does not lie after start date `2024-01-04`: the end date is exclusive at line 3 \
         column 12",
    );
    check_error(
        selection("2024-01-11", "2024-1-11"),
        Value,
        "value.schedule.endDate: invalid date `2024-1-11`: expected `YYYY-MM-DD` at line 12 column 18",
    );
    check_error(
        selection("\"startDate\": \"2024-01-04\",", ""),
        MissingField,
        "value.schedule.startDate: missing field at line 8 column 17",
    );
    check_error(
        selection("PLATFORM_SEGMENT", "SEGMENT"),
        Value,
        "type: expected \"PLATFORM_SEGMENT\", found \"SEGMENT\" at line 2 column 11",
    );
}

#[test]
fn dataset_schedules_round_trip() {
    for (unit, interval, mode) in [
        ("day", 0, "DAILY_FULL_EXPORT"),
        ("day", 1, "FIRST_FULL_THEN_INCREMENTAL"),
        ("hour", 3, "FIRST_FULL_THEN_INCREMENTAL"),
        ("hour", 6, "FIRST_FULL_THEN_INCREMENTAL"),
        ("hour", 8, "FIRST_FULL_THEN_INCREMENTAL"),
        ("hour", 9, "FIRST_FULL_THEN_INCREMENTAL"),
        ("hour", 12, "FIRST_FULL_THEN_INCREMENTAL"),
    ] {
        for end in ["", ",\n  \"endTime\": 1680000000"] {
            let json = format!(
                "{{\n  \"exportMode\": \"{mode}\",\n  \"timeUnit\": \"{unit}\",\n  \"interval\": {interval},\n  \
                 \"startTime\": 1675901210{end},\n  \"foldernameTemplate\": \"%DESTINATION%/%DATASET_ID%\"\n}}"
            );
            let schedule = DatasetSchedule::parse(&json).unwrap();
            assert_eq!(schedule.to_json(), json);
            let spelled = json.replace("foldername", "folderName");
            assert_eq!(DatasetSchedule::parse(&spelled).unwrap(), schedule);
        }
    }
}

#[test]
fn dataset_schedule_errors() {
    use PlatformErrorKind::{Type, Value};
    let schedule = |mode: &str, rest: &str| DatasetSchedule::parse(&format!("{{\"exportMode\": \"{mode}\", {rest}}}"));
    let full = "DAILY_FULL_EXPORT";
    let incremental = "FIRST_FULL_THEN_INCREMENTAL";
    check_error(
        schedule(full, r#""timeUnit": "day", "interval": 1, "startTime": 1"#),
        Value,
        "frequency `DAILY` is not for `DAILY_FULL_EXPORT` of a dataset: expected `ONCE` at line 1 column 1",
    );
    check_error(
        schedule(incremental, r#""timeUnit": "hour", "interval": 4, "startTime": 1"#),
        Value,
        "expected an `interval` of 3, 6, 8, 9 or 12 for \"hour\", found 4 at line 1 column 1",
    );
    check_error(
        schedule(incremental, r#""timeUnit": "day", "interval": 2, "startTime": 1"#),
        Value,
        "expected an `interval` of 0, once, or 1 for \"day\", found 2 at line 1 column 1",
    );
    check_error(
        schedule(incremental, r#""timeUnit": "day", "interval": 1, "startTime": 9223372036854775807"#),
        Value,
        "expected seconds since 1970 within the calendar, found 9223372036854775807 at line 1 column 1",
    );
    check_error(
        schedule(incremental, r#""timeUnit": "day", "interval": 1, "startTime": 5, "endTime": 5"#),
        Value,
        "end `1970-01-01T00:00:05Z` does not lie after start `1970-01-01T00:00:05Z`: the end is exclusive at line 1 \
         column 1",
    );
    check_error(
        schedule(full, r#""timeUnit": "day", "interval": "0", "startTime": 1"#),
        Type,
        "interval: expected a whole number of at least 0, found string \"0\" at line 1 column 68",
    );
    check_error(
        schedule(full, r#""timeUnit": "week", "interval": 0, "startTime": 1"#),
        Value,
        "timeUnit: expected \"day\" or \"hour\", found \"week\" at line 1 column 49",
    );
}

#[test]
fn batch_configs_round_trip() {
    let canonical = r#"{
  "allowMandatoryFieldSelection": true,
  "allowDedupeKeyFieldSelection": true,
  "defaultExportMode": "DAILY_FULL_EXPORT",
  "allowedExportMode": [
    "DAILY_FULL_EXPORT",
    "FIRST_FULL_THEN_INCREMENTAL"
  ],
  "allowedScheduleFrequency": [
    "DAILY",
    "EVERY_3_HOURS",
    "ONCE"
  ],
  "defaultFrequency": "DAILY",
  "defaultStartTime": "00:00",
  "filenameConfig": {
    "allowedFilenameAppendOptions": [
      "SEGMENT_NAME",
      "DATETIME",
      "MERGE_POLICY_ID"
    ],
    "defaultFilenameAppendOptions": [
      "DATETIME"
    ],
    "defaultFilename": "%DESTINATION%_%SEGMENT_ID%"
  },
  "segmentGroupingEnabled": true
}"#;
    let config = BatchConfig::parse(canonical).unwrap();
    assert_eq!(config.to_json(), canonical);
    assert_eq!(BatchConfig::parse(&canonical.replace("allowedExportMode", "allowedExportModes")).unwrap(), config);
    assert_eq!(config.allowed_export_modes().count(), 2);
    assert_eq!(config.allowed_frequencies().last(), Some(Frequency::Once));
    let names = config.filename_config().unwrap();
    assert_eq!(
        names.default_template().map(Template::as_str),
        Some("%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%")
    );

    let empty = BatchConfig::parse("{}").unwrap();
    assert_eq!(empty.default_export_mode(), ExportMode::Full);
    assert_eq!((empty.default_frequency(), empty.default_start_time().hour()), (Frequency::Daily, 0));
    check_error(
        BatchConfig::parse(&canonical.replace("Enabled\": true", "Enabled\": false")),
        PlatformErrorKind::Value,
        "`filenameConfig` allows \"MERGE_POLICY_ID\": expected it only where `segmentGroupingEnabled` is true at line 1 \
         column 1",
    );
    let fixed = r#"{"filenameConfig": {"allowedFilenameAppendOptions": ["DATETIME"], "defaultFilenameAppendOptions": [],
        "defaultFilename": "%DESTINATION%_%MERGE_POLICY_NAME%"}, "segmentGroupingEnabled": true}"#;
    assert!(BatchConfig::parse(fixed).is_ok());
    for ungrouped in [fixed.replace("true", "false"), fixed.replace(", \"segmentGroupingEnabled\": true", "")] {
        check_error(
            BatchConfig::parse(&ungrouped),
            PlatformErrorKind::Value,
            "`filenameConfig` has in its `defaultFilename` \"MERGE_POLICY_NAME\": expected it only where \
             `segmentGroupingEnabled` is true at line 1 column 1",
        );
    }
}

#[test]
fn filename_configs_keep_their_rules() {
    let config = |allowed: &str, preselected: &str, fixed: &str| {
        FilenameConfig::parse(&format!(
            "{{\"allowedFilenameAppendOptions\": [{allowed}], \"defaultFilenameAppendOptions\": [{preselected}]{fixed}}}"
        ))
    };
    let check = |result: Result<FilenameConfig, PlatformError>, text: &str| {
        check_error(result, PlatformErrorKind::Value, &format!("{text} at line 1 column 1"));
    };
    check(config("", "", ""), "expected a `defaultFilename`, or at least one of `allowedFilenameAppendOptions`");
    check(
        config("", "", ", \"defaultFilename\": \"\""),
        "expected a `defaultFilename`, or at least one of `allowedFilenameAppendOptions`",
    );
    check(config("\"SEGMENT_ID\"", "\"DATETIME\"", ""), "\"DATETIME\" is not allowed: expected \"SEGMENT_ID\"");
    check(config("\"SEGMENT_ID\", \"SEGMENT_ID\"", "", ""), "`allowedFilenameAppendOptions` has \"SEGMENT_ID\" twice");
    check(
        config("\"SEGMENT_ID\"", "\"SEGMENT_ID\", \"SEGMENT_ID\"", ""),
        "\"SEGMENT_ID\" stands twice: expected it once",
    );
    check(
        config("\"SEGMENT_ID\"", "", ", \"defaultFilename\": \"%SEGMENT_ID%\""),
        "\"SEGMENT_ID\" stands in `defaultFilename` and in `allowedFilenameAppendOptions`: expected one of them",
    );
    check(
        config("", "", ", \"defaultFilename\": \"%CUSTOM_TEXT%\""),
        "`defaultFilename` holds \"CUSTOM_TEXT\": expected it as an option alone",
    );
    check(
        config("\"TIMESTAMP\", \"DATETIME\"", "\"TIMESTAMP\", \"DATETIME\"", ""),
        "\"%TIMESTAMP%_%DATETIME(YYYYMMdd_HHmmss)%\": expected `%DATETIME%` or `%TIMESTAMP%`, found both, the second at \
         byte 12 of the template",
    );
    check_error(
        config("\"SEGMENT\"", "", ""),
        PlatformErrorKind::Value,
        "allowedFilenameAppendOptions[0]: expected \"DESTINATION\", \"SEGMENT_ID\", \"SEGMENT_NAME\", \
         \"DESTINATION_INSTANCE_ID\", \"DESTINATION_INSTANCE_NAME\", \"ORGANIZATION_NAME\", \"SANDBOX_NAME\", \
         \"DATETIME\", \"CUSTOM_TEXT\", \"TIMESTAMP\", \"MERGE_POLICY_ID\" or \"MERGE_POLICY_NAME\", found \"SEGMENT\" \
         at line 1 column 35",
    );

    let free = config("\"TIMESTAMP\", \"DATETIME\"", "", "").unwrap();
    assert_eq!((free.default_template(), free.preselected(), free.allowed().len()), (None, &[][..], 2));
    assert_eq!(free.template(&[FilenameOption::Timestamp]).unwrap().as_str(), "%TIMESTAMP%");
    assert!(free.template(&[]).is_err());
    let all: Vec<String> = FilenameOption::ALL.iter().map(|option| format!("\"{}\"", option.as_str())).collect();
    let all = config(&all.join(","), "", "").unwrap();
    for option in FilenameOption::ALL {
        assert!(all.template(&[option]).unwrap().as_str().starts_with(&format!("%{}", option.as_str())));
    }
}

proptest! {
    /// Whatever stands in the text, it is read or refused, and the place of the fault lies inside it.
    #[test]
    fn broken_texts_have_a_place(
        which in 0_usize..4,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[\"{}\\[\\]:,a-z0-9é\\\\ \n]{0,3}"), 0..4),
    ) {
        let mut json = [ACCESS_KEY, AUDIENCE, r#"{"delimiter": "\t", "quote": "'", "emptyValue": "é"}"#, NESTED][which].to_owned();
        for (at, length, insert) in cuts {
            let mut from = at.index(json.len() + 1);
            while !json.is_char_boundary(from) {
                from -= 1;
            }
            let mut to = (from + length).min(json.len());
            while !json.is_char_boundary(to) {
                to += 1;
            }
            json.replace_range(from..to, &insert);
        }
        let errors = [
            BaseConnection::parse(&json).err(),
            AudienceSelection::parse(&json).err(),
            CsvOptions::parse(&json).err(),
            DestinationFile::parse(&json).err(),
        ];
        for error in errors.into_iter().flatten() {
            prop_assert!(json.get(error.span().range()).is_some(), "{error:?}");
            prop_assert!(error.line() >= 1 && error.column() >= 1);
            let place = format!(" at line {} column {}", error.line(), error.column());
            prop_assert!(error.to_string().ends_with(&place));
        }
    }
}

const NESTED: &str = r#"{"name": "x", "params": {"bucketName": "acme", "path": "a/%SEGMENT_ID%", "compression": "NONE",
 "csvOptions": {"delimiter": ";", "sep": "é"}}, "columns": ["a", {"source": "b", "target": "c"}],
 "maxFileRowCount": 5, "encryption": {"params": {"publicKey": "x"}}}"#;
