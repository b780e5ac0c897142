//! Folder paths.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use chrono::DateTime;
use consign::location::{FolderPath, FolderPathErrorKind as Kind, FolderRules};
use consign::template::Context;

use FolderRules::{Aws, Azure, Gcs, Lenient, Platform, PlatformApi, Strict};

#[derive(Clone, Copy)]
enum Taken {
    Yes,
    No,
}
use Taken::{No, Yes};

#[track_caller]
fn check(rules: FolderRules, path: &str, taken: Taken) {
    let result = FolderPath::parse_with(path, rules);
    match taken {
        Yes => assert_eq!(result.expect(path).as_str(), path),
        No => assert!(result.is_err(), "{rules:?} takes {path:?}"),
    }
}

#[track_caller]
fn check_error(rules: FolderRules, path: &str, kind: Kind, text: &str) {
    let error = FolderPath::parse_with(path, rules).unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
    assert_eq!(error.input(), path);
    assert!(path.get(error.span().range()).is_some());
    assert_eq!(error.to_string(), text.lines().next().unwrap_or_default());
}

#[test]
fn table_of_the_patterns() {
    let rows = [
        // path, PlatformApi, Platform, Azure
        ("", Yes, No, No),
        ("/", Yes, Yes, Yes),
        ("folder", Yes, Yes, Yes),
        ("folder/", Yes, Yes, Yes),
        ("a//b", Yes, Yes, Yes),
        ("acme/campaigns/2021/%SEGMENT_NAME%", Yes, Yes, No),
        ("acme/%SEGMENT_ID%", Yes, Yes, No),
        ("acme/%SEGMENT_NAME%/%SEGMENT_ID%", Yes, Yes, No),
        ("/%SEGMENT_NAME%/", Yes, Yes, No),
        ("%SEGMENT_NAME%", Yes, Yes, No),
        ("acme%SEGMENT_ID%", Yes, No, No),
        ("acme/%SEGMENT_NAME%%SEGMENT_ID%", Yes, No, No),
        ("acme/%SEGMENT_ID%/%SEGMENT_NAME%", Yes, No, No),
        ("acme/%SEGMENT_ID%/%SEGMENT_ID%", Yes, No, No),
        ("acme/%SEGMENT_NAME%/x", No, No, No),
        ("%SEGMENT_NAME%/x", No, No, No),
        ("acme/%segment_name%", No, No, No),
        ("a b", No, No, No),
        ("a,b", No, No, No),
        ("é", No, No, No),
        ("a$b", No, Yes, No),
        ("a+b", No, Yes, No),
        ("a[b]", No, Yes, No),
        ("a^b", No, Yes, No),
        ("a\"b", No, Yes, No),
        ("a%b", No, Yes, No),
        ("a'b", Yes, Yes, Yes),
        ("a(b)", Yes, Yes, Yes),
        ("a*b", Yes, Yes, Yes),
        ("a!b", Yes, Yes, Yes),
        ("../x", Yes, Yes, Yes),
        ("./x", Yes, Yes, Yes),
    ];
    for (path, api, prose, azure) in rows {
        check(PlatformApi, path, api);
        check(Gcs, path, api);
        check(Platform, path, prose);
        check(Azure, path, azure);
    }
}

#[test]
fn keys_can_be_built_of_what_our_own_rules_take() {
    for path in ["", "/", "folder", "folder/", "/a/b/", "a/.b", "a/...", "a/b..", "%SEGMENT_NAME%", "/%SEGMENT_ID%/"] {
        check(Lenient, path, Yes);
        check(Strict, path, Yes);
        check(Aws, path, Yes);
    }
    for path in ["a//b", "//", "//a", "a//", "../x", "./x", "a/../b", "a/..", "/.", ".", ".."] {
        check(Lenient, path, No);
        check(Strict, path, No);
        check(Aws, path, No);
    }
    for path in ["acme%SEGMENT_ID%", "acme/%SEGMENT_NAME%%SEGMENT_ID%", "acme/%SEGMENT_ID%/%SEGMENT_NAME%"] {
        check(Lenient, path, Yes);
        check(Strict, path, No);
    }
    for path in ["%SEGMENT_NAME%//", "a/%SEGMENT_NAME%//%SEGMENT_ID%", "a//%SEGMENT_ID%"] {
        check(PlatformApi, path, Yes);
        check(Lenient, path, No);
    }
}

#[test]
fn every_macro_may_stand_anywhere_where_only_the_store_rules() {
    for path in [
        "%SANDBOX_NAME%/é ü/%DATETIME(YYYY/MM/dd)%/x",
        "acme/%SEGMENT_NAME%/x",
        "%DESTINATION%-%DATASET_ID%/%EXPORT_TIME%",
        "a&b;c",
    ] {
        check(Aws, path, Yes);
        check(Lenient, path, No);
    }
    for path in
        ["%FILE_INDEX%", "100%", "a\u{85}b", "a/%DATETIME(/YYYY)%", "a/%DATETIME(YYYY//MM)%", "%DATETIME(YYYY/)%/a"]
    {
        check(Aws, path, No);
    }
}

/// The documented examples of folder macros.
#[test]
fn table_of_expansions() {
    let context = Context::new(DateTime::UNIX_EPOCH)
        .with_audience_name("Luxury Audience")
        .with_audience_id("25768be6-ebd5-45cc-8913-12fb3f348615");
    for (path, expected) in [
        ("acme/campaigns/2021/%SEGMENT_NAME%", "acme/campaigns/2021/Luxury Audience"),
        ("acme/campaigns/2021/%SEGMENT_ID%", "acme/campaigns/2021/25768be6-ebd5-45cc-8913-12fb3f348615"),
        (
            "acme/campaigns/2021/%SEGMENT_NAME%/%SEGMENT_ID%",
            "acme/campaigns/2021/Luxury Audience/25768be6-ebd5-45cc-8913-12fb3f348615",
        ),
    ] {
        let folder = FolderPath::parse_with(path, Strict).unwrap();
        assert_eq!(folder.template().expand(&context, NonZeroU64::MIN).unwrap(), expected);
    }
}

#[test]
fn errors_word_for_word() {
    let allowed = "allowed: 0-9 A-Z a-z / ! - _ . * ' ( )";
    check_error(
        Lenient,
        "a/b c",
        Kind::Character,
        &format!(
            "expected a character that the folder rules allow, found ` ` at byte 3 of the folder path\na/b c\n   ^\n{allowed}"
        ),
    );
    check_error(
        Platform,
        "a,b",
        Kind::Character,
        "expected a character that the folder rules allow, found `,` at byte 1 of the folder path\na,b\n ^\n\
         allowed: 0-9 A-Z a-z / ! - _ . ' ( ) \" ^ [ ] + $ % *",
    );
    check_error(Azure, "", Kind::Empty, &format!("expected a folder path, found empty text\n\n^\n{allowed}"));
    let macros = "allowed: %SEGMENT_NAME%, %SEGMENT_ID%";
    check_error(
        Lenient,
        "acme/%SEGMENT_NMAE%",
        Kind::Template,
        &format!(
            "unknown macro `%SEGMENT_NMAE%` at byte 5 of the folder path, did you mean `%SEGMENT_NAME%`?\n\
             acme/%SEGMENT_NMAE%\n     ^^^^^^^^^^^^^^\n{macros}"
        ),
    );
    check_error(
        Platform,
        "acme/%segment_name%",
        Kind::Template,
        &format!(
            "unknown macro `%segment_name%` at byte 5 of the folder path, did you mean `%SEGMENT_NAME%`?\n\
             acme/%segment_name%\n     ^^^^^^^^^^^^^^\n{macros}"
        ),
    );
    check_error(
        Lenient,
        "a/%SEGMENT_ID",
        Kind::Template,
        &format!(
            "expected a `%` that closes the macro opened at byte 2 of the folder path, found its end, did you mean \
             `%SEGMENT_ID%`?\na/%SEGMENT_ID\n  ^^^^^^^^^^^\n{macros}"
        ),
    );
}

#[test]
fn errors_of_places_word_for_word() {
    check_error(
        Lenient,
        "a/%SANDBOX_NAME%",
        Kind::Macro,
        "expected `%SEGMENT_NAME%` or `%SEGMENT_ID%`, found `%SANDBOX_NAME%` at byte 2 of the folder path\n\
         a/%SANDBOX_NAME%\n  ^^^^^^^^^^^^^^\nallowed: %SEGMENT_NAME%, %SEGMENT_ID% and slashes at the end",
    );
    check_error(
        Lenient,
        "acme/%SEGMENT_NAME%/xy",
        Kind::Macro,
        "expected nothing but macros and slashes after the first macro, found `x` at byte 20 of the folder path\n\
         acme/%SEGMENT_NAME%/xy\n                    ^^\nallowed: %SEGMENT_NAME%, %SEGMENT_ID% and slashes at the end",
    );
    let tails = "allowed at the end: /%SEGMENT_NAME%, /%SEGMENT_ID%, /%SEGMENT_NAME%/%SEGMENT_ID%";
    check_error(
        Strict,
        "acme%SEGMENT_ID%",
        Kind::Macro,
        &format!(
            "expected a slash before the macro at byte 4 of the folder path\nacme%SEGMENT_ID%\n    ^^^^^^^^^^^^\n{tails}"
        ),
    );
    check_error(
        Strict,
        "a/%SEGMENT_ID%/%SEGMENT_NAME%",
        Kind::Macro,
        &format!(
            "expected one of the three documented tails from byte 2 of the folder path\n\
             a/%SEGMENT_ID%/%SEGMENT_NAME%\n  ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n{tails}"
        ),
    );
    check_error(
        Azure,
        "a/%SEGMENT_ID%",
        Kind::Macro,
        "expected no macro, found `%SEGMENT_ID%` at byte 2 of the folder path\na/%SEGMENT_ID%\n  ^^^^^^^^^^^^\n\
         allowed: no macros",
    );
    check_error(
        Aws,
        "a/%FILE_INDEX%",
        Kind::Macro,
        "expected no `%FILE_INDEX%` in a folder, which all files of an export share, found one at byte 2 of the folder \
         path\na/%FILE_INDEX%\n  ^^^^^^^^^^^^\nallowed: the other macros of templates",
    );
    check_error(
        Lenient,
        "a//b",
        Kind::Segment,
        "expected text between slashes, found none at byte 2 of the folder path\na//b\n  ^",
    );
    check_error(
        Lenient,
        "a/../b",
        Kind::Segment,
        "expected no segment `..`, found one at byte 2 of the folder path\na/../b\n  ^^",
    );
}

/// The published pattern takes exponential time in a backtracking engine; a megabyte has to be nothing here.
#[test]
fn a_megabyte_takes_linear_time() {
    for rules in [Strict, Lenient, Platform, PlatformApi, Aws, Azure] {
        check_time(rules, &"/%".repeat(1 << 19));
    }
    check_time(PlatformApi, &"%SEGMENT_ID%/".repeat((1 << 20) / 13));
    check_time(PlatformApi, &("%SEGMENT_ID%/".repeat((1 << 20) / 13) + "x"));
}

#[test]
fn hostile_paths_take_linear_time() {
    const LONG: usize = 1 << 17;
    let repeat = |text: &str| text.repeat(LONG / text.len());
    for text in [
        repeat("%"),
        repeat("/"),
        repeat("%SEGMENT_ID%"),
        repeat("%SEGMENT_ID"),
        repeat("%DATETIME("),
        repeat("%DATETIME(Y"),
        format!("%DATETIME({})%", repeat("y")),
        format!("%DATETIME({})%", repeat("''")),
        format!("%DATETIME({})%", repeat("HHMM")),
        format!("%DATETIME({}", repeat("'")),
        repeat("a%"),
        repeat("a"),
        repeat("../"),
    ] {
        for rules in [Strict, Platform, PlatformApi, Aws] {
            check_time(rules, &text);
        }
    }
}

/// Unoptimised, this takes tens of milliseconds for each hundred kilobytes; quadratic time would take minutes.
#[track_caller]
fn check_time(rules: FolderRules, text: &str) {
    let start = Instant::now();
    let shown = match FolderPath::parse_with(text, rules) {
        Ok(path) => path.to_string(),
        Err(error) => format!("{error:#}"),
    };
    let taken = start.elapsed();
    assert!(!shown.is_empty() && taken < Duration::from_secs(5), "{rules:?} took {taken:?} for {}…", &text[..20]);
}

#[test]
fn json_is_read_by_the_default_rules() {
    let folder = FolderPath::parse("acme%SEGMENT_ID%").unwrap();
    assert_eq!(serde_json::to_string(&folder).unwrap(), r#""acme%SEGMENT_ID%""#);
    assert_eq!(serde_json::from_str::<FolderPath>(r#""acme%SEGMENT_ID%""#).unwrap(), folder);
    let spaced = serde_json::to_string(&FolderPath::parse_with("a b", Aws).unwrap()).unwrap();
    assert_eq!(spaced, r#""a b""#);
    assert_eq!(
        serde_json::from_str::<FolderPath>(&spaced).unwrap_err().to_string(),
        "expected a character that the folder rules allow, found ` ` at byte 1 of the folder path"
    );
}

#[test]
fn errors_offer_what_the_rules_take() {
    let explain = |rules, text: &str| format!("{:#}", FolderPath::parse_with(text, rules).unwrap_err());
    assert_eq!(
        explain(Lenient, "a\u{1}b"),
        "expected no control character, found `\\u{1}` at byte 1 of the folder path\na\\u{1}b\n ^^^^^\n\
         allowed: 0-9 A-Z a-z / ! - _ . * ' ( )"
    );
    assert_eq!(
        explain(Lenient, "%SANDBOX_NMAE%"),
        "unknown macro `%SANDBOX_NMAE%` at byte 0 of the folder path\n%SANDBOX_NMAE%\n^^^^^^^^^^^^^^\n\
         allowed: %SEGMENT_NAME%, %SEGMENT_ID%"
    );
    assert_eq!(
        explain(Azure, "%SEGMENT_NMAE%"),
        "unknown macro `%SEGMENT_NMAE%` at byte 0 of the folder path\n%SEGMENT_NMAE%\n^^^^^^^^^^^^^^\n\
         allowed: no macros"
    );
    assert_eq!(
        explain(Aws, "%FILE_INDX%"),
        "unknown macro `%FILE_INDX%` at byte 0 of the folder path\n%FILE_INDX%\n^^^^^^^^^^^\n\
         allowed: the macros of templates, but for %FILE_INDEX%"
    );
}
