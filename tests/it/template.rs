//! Templates: every macro, the rules, expansion, and the errors word for word.

mod date;
mod expand;

use std::fmt::Debug;
use std::time::{Duration, Instant};

use consign::template::{
    Context, DateFormat, ExpandError, Item, Macro, Template, TemplateError, TemplateErrorKind as Kind, TemplateRules,
    TemplateWarning, ValuePolicy,
};
use consign::{Error, ErrorKind};
use proptest::prelude::*;

use TemplateRules::{DatasetFolder, FileName, Lenient, Strict};

#[track_caller]
fn check(rules: TemplateRules, text: &str) {
    assert_eq!(Template::parse_with(text, rules).unwrap().as_str(), text);
}

#[track_caller]
fn check_refused(rules: TemplateRules, text: &str, kind: Kind) {
    assert_eq!(Template::parse_with(text, rules).expect_err(text).kind(), kind, "{text}");
}

#[track_caller]
fn check_error(rules: TemplateRules, text: &str, kind: Kind, expected: &str) {
    let error = Template::parse_with(text, rules).unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, expected));
    assert_eq!(error.input(), text);
    assert!(text.get(error.span().range()).is_some());
    assert_eq!(error.to_string(), expected.lines().next().unwrap_or_default());
}

const ALL: &str = "allowed: DESTINATION, DESTINATION_NAME, SEGMENT_ID, SEGMENT_NAME, DESTINATION_INSTANCE_ID, \
                   DESTINATION_INSTANCE_NAME, ORGANIZATION_NAME, SANDBOX_NAME, DATETIME, CUSTOM_TEXT, custom-text, \
                   TIMESTAMP, MERGE_POLICY_ID, MERGE_POLICY_NAME, DATASET_ID, DATASET_NAME, EXPORT_TIME, FILE_INDEX";

#[test]
fn templates_are_shared_between_threads() {
    fn check<T: Send + Sync + Clone + Debug + 'static>() {}
    check::<Context>();
    check::<DateFormat>();
    check::<ExpandError>();
    check::<Item<'static>>();
    check::<Macro>();
    check::<Template>();
    check::<TemplateError>();
    check::<TemplateRules>();
    check::<TemplateWarning>();
    check::<ValuePolicy>();
}

#[test]
fn examples_of_the_platform() {
    for text in [
        "%DESTINATION_NAME%_%SEGMENT_ID%_%DATETIME(YYYYMMdd_HHmmss)%",
        "%DESTINATION%_%SEGMENT_ID%_%SEGMENT_NAME%_%DESTINATION_INSTANCE_ID%_%DESTINATION_INSTANCE_NAME%_\
         %DATETIME(YYYYMMdd_HHmmss)%",
        "%DESTINATION%_%SEGMENT_ID%",
        "%DESTINATION%_%SEGMENT_ID%_%custom-text%_%TIMESTAMP%",
    ] {
        check(Strict, text);
        check(FileName, text);
        check(Lenient, text);
    }
    // Of a partner's fixed template, whose audience is in none of its macros.
    check(FileName, "%ORGANIZATION_NAME%_%DESTINATION%_%DESTINATION_INSTANCE_ID%_%DATETIME%");
    for text in [
        "/",
        "%DESTINATION%_%DATASET_ID%_%DATETIME(YYYYMMdd_HHmmss)%",
        "%DESTINATION_NAME%_%DATASET_ID%_%DATASET_NAME%_%DATETIME(YYYYMMdd_HHmmss)%",
        "folder-name-you-provided/%DATASET_ID%/%EXPORT_TIME%",
        "%DESTINATION_INSTANCE_NAME%/%DESTINATION_INSTANCE_ID%/%SANDBOX_NAME%/%ORGANIZATION_NAME%",
    ] {
        check(DatasetFolder, text);
        check(Lenient, text);
    }
}

#[test]
fn each_macro_stands_where_its_column_says() {
    // macro, Strict, DatasetFolder
    let rows = [
        ("DESTINATION", true, true),
        ("DESTINATION_NAME", true, true),
        ("SEGMENT_ID", true, false),
        ("SEGMENT_NAME", true, false),
        ("DESTINATION_INSTANCE_ID", true, true),
        ("DESTINATION_INSTANCE_NAME", true, true),
        ("ORGANIZATION_NAME", true, true),
        ("SANDBOX_NAME", true, true),
        ("DATETIME", true, true),
        ("DATETIME(YYYY)", true, true),
        ("CUSTOM_TEXT", true, false),
        ("custom-text", true, false),
        ("TIMESTAMP", true, false),
        ("MERGE_POLICY_ID", false, false),
        ("MERGE_POLICY_NAME", false, false),
        ("DATASET_ID", false, true),
        ("DATASET_NAME", false, true),
        ("EXPORT_TIME", false, true),
        ("FILE_INDEX", false, false),
    ];
    for (name, strict, dataset) in rows {
        check(Lenient, &format!("a%{name}%b"));
        check(FileName, &format!("a%{name}%b"));
        // What is required stands around it, unless it is what is required.
        let mut text = format!("%{name}%");
        if !name.starts_with("DESTINATION") || name.contains("INSTANCE") {
            text.push_str("%DESTINATION%");
        }
        if name != "SEGMENT_ID" {
            text.push_str("%SEGMENT_ID%");
        }
        match Template::parse_with(&text, Strict) {
            Ok(_) => assert!(strict, "{text}"),
            Err(error) => assert!(!strict && error.kind() == Kind::NotAllowed, "{text}: {error}"),
        }
        match Template::parse_with(&format!("%{name}%"), DatasetFolder) {
            Ok(_) => assert!(dataset, "{name}"),
            Err(error) => assert!(!dataset && error.kind() == Kind::NotAllowed, "{name}: {error}"),
        }
    }
}

#[test]
fn names_are_case_sensitive_but_for_the_placeholder() {
    for text in ["%segment_id%", "%Segment_Id%", "%Custom-Text%", "%custom_text%", "%datetime%", "% SEGMENT_ID%"] {
        check_refused(Lenient, text, Kind::UnknownMacro);
    }
}

#[test]
fn items_are_texts_and_macros() {
    let template = Template::parse("a/%custom-text%%DESTINATION_NAME%-%DATETIME%é").unwrap();
    let items: Vec<Item<'_>> = template.items().collect();
    assert_eq!(
        items,
        [
            Item::Text("a/"),
            Item::Macro(&Macro::CustomText),
            Item::Macro(&Macro::Destination),
            Item::Text("-"),
            Item::Macro(&Macro::Datetime(DateFormat::PLATFORM)),
            Item::Text("é"),
        ]
    );
    assert_eq!(Macro::Datetime(DateFormat::PLATFORM).name(), "DATETIME");
    assert_eq!(Template::parse("").unwrap().items().count(), 0);
}

#[test]
fn a_template_knows_what_it_changes_with() {
    // text, time, file index
    for (text, time, index) in [
        ("a", false, false),
        ("%DATETIME%", true, false),
        ("%DATETIME(YYYY)%", true, false),
        ("%TIMESTAMP%", true, false),
        ("%EXPORT_TIME%", true, false),
        ("%SEGMENT_ID%_%FILE_INDEX%", false, true),
        ("%FILE_INDEX%_%DATETIME%", true, true),
    ] {
        let template = Template::parse(text).unwrap();
        assert_eq!((template.has_time(), template.has_file_index()), (time, index), "{text}");
        assert_eq!(template.warnings().contains(&TemplateWarning::NoTime), !time, "{text}");
    }
}

#[test]
fn a_name_has_one_time() {
    for text in [
        "%TIMESTAMP%_%EXPORT_TIME%",
        "%DATETIME%_%TIMESTAMP%",
        "%TIMESTAMP%%DATETIME(YYYY)%",
        "%DATETIME%/%EXPORT_TIME%",
    ] {
        check_refused(Lenient, text, Kind::Excluded);
    }
    check(Lenient, "%DATETIME(YYYY)%/%DATETIME(MM)%");
    check(Lenient, "%TIMESTAMP%%TIMESTAMP%");
}

#[test]
fn combinations_of_the_strict_rules() {
    check_refused(Strict, "%DESTINATION%_%DATETIME%", Kind::Required);
    check_refused(Strict, "%SEGMENT_ID%_%DATETIME%", Kind::Required);
    check_refused(Strict, "%DESTINATION%_%SEGMENT_ID%_%DATETIME%_%TIMESTAMP%", Kind::Excluded);
    check_refused(Strict, "%DESTINATION%_%DESTINATION_NAME%_%SEGMENT_ID%", Kind::Repeated);
    check_refused(Strict, "%DESTINATION%_%SEGMENT_ID%_%DATETIME(YYYY)%_%DATETIME(MM)%", Kind::Repeated);
    check_refused(Strict, "", Kind::Empty);
    check_refused(Strict, "a/%DESTINATION%_%SEGMENT_ID%", Kind::Character);
}

#[test]
fn names_of_files_are_no_paths_and_not_too_long() {
    check_refused(FileName, "", Kind::Empty);
    check_refused(FileName, "a/b", Kind::Character);
    check_refused(FileName, "%DATETIME(YYYY/MM)%", Kind::Character);
    check(FileName, &"é".repeat(255));
    check_refused(FileName, &"é".repeat(256), Kind::TooLong);
    check(FileName, &format!("{}%SEGMENT_ID%{}", "a".repeat(200), "b".repeat(55)));
    let error =
        Template::parse_with(&format!("{}%SEGMENT_ID%{}", "é".repeat(200), "b".repeat(56)), FileName).unwrap_err();
    assert_eq!((error.kind(), error.span().range()), (Kind::TooLong, 467..468));
    check(Lenient, &"a".repeat(256));
}

#[test]
fn errors_word_for_word() {
    check_error(
        Lenient,
        "a/%SEGMENT_NMAE%",
        Kind::UnknownMacro,
        &format!(
            "unknown macro `%SEGMENT_NMAE%` at byte 2 of the template, did you mean `%SEGMENT_NAME%`?\n\
             a/%SEGMENT_NMAE%\n  ^^^^^^^^^^^^^^\n{ALL}"
        ),
    );
    check_error(
        Lenient,
        "%%",
        Kind::UnknownMacro,
        &format!("unknown macro `%%` at byte 0 of the template\n%%\n^^\n{ALL}"),
    );
    check_error(
        Lenient,
        "é%a\nb%",
        Kind::UnknownMacro,
        &format!("unknown macro `%a\\nb%` at byte 2 of the template\né%a\\nb%\n ^^^^^^\n{ALL}"),
    );
    let long = "X".repeat(100);
    check_error(
        Lenient,
        &format!("%{long}%"),
        Kind::UnknownMacro,
        &format!(
            "unknown macro `%{}...` at byte 0 of the template\n%{}...\n{}\n{ALL}",
            "X".repeat(40),
            "X".repeat(59),
            "^".repeat(60)
        ),
    );
    check_error(
        Lenient,
        "50% off",
        Kind::Unclosed,
        &format!(
            "expected a `%` that closes the macro opened at byte 2 of the template, found its end\n50% off\n  ^^^^^\n{ALL}"
        ),
    );
    check_error(
        Lenient,
        "%SEGMENT_ID",
        Kind::Unclosed,
        &format!(
            "expected a `%` that closes the macro opened at byte 0 of the template, found its end, did you mean \
             `%SEGMENT_ID%`?\n%SEGMENT_ID\n^^^^^^^^^^^\n{ALL}"
        ),
    );
}

#[test]
fn errors_of_characters_and_combinations_word_for_word() {
    check_error(
        Lenient,
        "%SEGMENT_ID(x)%",
        Kind::Pattern,
        "expected `%` after `SEGMENT_ID`, found `(` at byte 11 of the template\n%SEGMENT_ID(x)%\n           ^^^\n\
         allowed: a pattern in parentheses after DATETIME only",
    );
    check_error(
        Lenient,
        "a\u{7}b",
        Kind::Character,
        "expected no control character, found `\\u{7}` at byte 1 of the template\na\\u{7}b\n ^^^^^\n\
         allowed: all characters but U+0000 to U+001F and U+007F to U+009F",
    );
    check_error(
        FileName,
        "a/b",
        Kind::Character,
        "expected no control character and no slash in a file name, found `/` at byte 1 of the template\na/b\n ^\n\
         allowed: all characters but `/`, U+0000 to U+001F and U+007F to U+009F",
    );
    check_error(
        FileName,
        "",
        Kind::Empty,
        "expected the name of a file, found empty text\n\n^\n\
         allowed: text and macros, such as %DESTINATION%_%SEGMENT_ID%_%DATETIME%",
    );
    check_error(
        Lenient,
        "%TIMESTAMP%_%DATETIME%",
        Kind::Excluded,
        "expected `%DATETIME%` or `%TIMESTAMP%`, found both, the second at byte 12 of the template\n\
         %TIMESTAMP%_%DATETIME%\n            ^^^^^^^^^^\nallowed: one of them, since a name has one time",
    );
    check_error(
        FileName,
        &"ab".repeat(128),
        Kind::TooLong,
        &format!(
            "expected a file name of no more than 255 characters, found more fixed text from byte 255 of the template\n\
             ...{}b\n{}^",
            "ba".repeat(30),
            " ".repeat(63)
        ),
    );
}

#[test]
fn errors_of_the_strict_rules_word_for_word() {
    let names = "allowed: DESTINATION, DESTINATION_NAME, SEGMENT_ID, SEGMENT_NAME, DESTINATION_INSTANCE_ID, \
                 DESTINATION_INSTANCE_NAME, ORGANIZATION_NAME, SANDBOX_NAME, DATETIME, CUSTOM_TEXT, custom-text, TIMESTAMP";
    check_error(
        Strict,
        "%DATASET_ID%",
        Kind::NotAllowed,
        &format!(
            "`%DATASET_ID%` cannot stand in a file name, found at byte 0 of the template\n%DATASET_ID%\n\
             ^^^^^^^^^^^^\n{names}"
        ),
    );
    check_error(
        Strict,
        "a%MERGE_POLICY_ID%",
        Kind::NotAllowed,
        &format!(
            "`%MERGE_POLICY_ID%` cannot stand in a file name, unless exports are grouped by merge policy, found at byte \
             1 of the template\na%MERGE_POLICY_ID%\n ^^^^^^^^^^^^^^^^^\n{names}"
        ),
    );
    check_error(
        Strict,
        "%FILE_INDEX%",
        Kind::NotAllowed,
        &format!(
            "`%FILE_INDEX%` cannot stand in a file name, since the platform does not know it, found at byte 0 of the \
             template\n%FILE_INDEX%\n^^^^^^^^^^^^\n{names}"
        ),
    );
    check_error(
        DatasetFolder,
        "%SEGMENT_ID%",
        Kind::NotAllowed,
        "`%SEGMENT_ID%` cannot stand in a dataset folder, found at byte 0 of the template\n%SEGMENT_ID%\n^^^^^^^^^^^^\n\
         allowed: DESTINATION, DESTINATION_NAME, DESTINATION_INSTANCE_ID, DESTINATION_INSTANCE_NAME, ORGANIZATION_NAME, \
         SANDBOX_NAME, DATETIME, DATASET_ID, DATASET_NAME, EXPORT_TIME",
    );
    check_error(
        Strict,
        "%SEGMENT_ID%_%SEGMENT_ID%",
        Kind::Repeated,
        "expected each macro once, found `%SEGMENT_ID%` again at byte 13 of the template\n%SEGMENT_ID%_%SEGMENT_ID%\n             ^^^^^^^^^^^^",
    );
    let required = "required: the name of the destination and the id of the audience";
    check_error(
        Strict,
        "%SEGMENT_ID%",
        Kind::Required,
        &format!(
            "expected `%DESTINATION%` or `%DESTINATION_NAME%` somewhere in the template, found none\n%SEGMENT_ID%\n            ^\n{required}"
        ),
    );
    check_error(
        Strict,
        "%DESTINATION%",
        Kind::Required,
        &format!(
            "expected `%SEGMENT_ID%` somewhere in the template, found none\n%DESTINATION%\n             ^\n{required}"
        ),
    );
}

#[test]
fn two_times_are_named() {
    check_error(
        Lenient,
        "%TIMESTAMP%_%TIMESTAMP%_%EXPORT_TIME%",
        Kind::Excluded,
        "expected `%EXPORT_TIME%` or `%TIMESTAMP%`, found both, the second at byte 24 of the template\n\
         %TIMESTAMP%_%TIMESTAMP%_%EXPORT_TIME%\n                        ^^^^^^^^^^^^^\n\
         allowed: one of them, since a name has one time",
    );
}

#[test]
fn errors_offer_what_the_rules_take() {
    let names = "allowed: DESTINATION, DESTINATION_NAME, SEGMENT_ID, SEGMENT_NAME, DESTINATION_INSTANCE_ID, \
                 DESTINATION_INSTANCE_NAME, ORGANIZATION_NAME, SANDBOX_NAME, DATETIME, CUSTOM_TEXT, custom-text, \
                 TIMESTAMP";
    check_error(
        Strict,
        "%FILE_INDX%",
        Kind::UnknownMacro,
        &format!("unknown macro `%FILE_INDX%` at byte 0 of the template\n%FILE_INDX%\n^^^^^^^^^^^\n{names}"),
    );
    check_error(
        DatasetFolder,
        "%SEGMENT_NMAE",
        Kind::Unclosed,
        "expected a `%` that closes the macro opened at byte 0 of the template, found its end\n%SEGMENT_NMAE\n^^^^^^^^^^^^^\n\
         allowed: DESTINATION, DESTINATION_NAME, DESTINATION_INSTANCE_ID, DESTINATION_INSTANCE_NAME, ORGANIZATION_NAME, \
         SANDBOX_NAME, DATETIME, DATASET_ID, DATASET_NAME, EXPORT_TIME",
    );
}

#[test]
fn errors_become_the_crates_error_and_stay_its_source() {
    let error = Error::from(Template::parse("%%").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Name);
    assert_eq!(format!("{error:#}"), "could not parse the template: unknown macro `%%` at byte 0 of the template");
}

#[test]
fn json_goes_through_the_parser() {
    let template: Template = serde_json::from_str(r#""%SEGMENT_ID%""#).unwrap();
    assert_eq!(serde_json::to_string(&template).unwrap(), r#""%SEGMENT_ID%""#);
    let error = serde_json::from_str::<Vec<Template>>(r#"["%SEGMENT_IDS%"]"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown macro `%SEGMENT_IDS%` at byte 0 of the template, did you mean `%SEGMENT_ID%`? at line 1 column 17"
    );
}

/// Unoptimised, this takes fractions of a second for a megabyte; quadratic time would take hours.
#[test]
fn hostile_templates_take_linear_time() {
    let repeat = |text: &str| text.repeat((1 << 20) / text.len());
    for text in [
        repeat("%"),
        repeat("%SEGMENT_ID%"),
        repeat("%SEGMENT_ID"),
        repeat("%DATETIME("),
        repeat("%DATETIME(Y"),
        format!("%DATETIME({})%", repeat("y")),
        format!("%DATETIME({})%", repeat("'é'YYYY")),
        format!("%{}%", repeat("SEGMENT_")),
        repeat("é"),
        repeat("a\u{1}"),
    ] {
        for rules in [Lenient, FileName, Strict, DatasetFolder] {
            let start = Instant::now();
            let shown = match Template::parse_with(&text, rules) {
                Ok(template) => template.to_string(),
                Err(error) => format!("{error:#}"),
            };
            let taken = start.elapsed();
            let begins: String = text.chars().take(20).collect();
            assert!(!shown.is_empty() && taken < Duration::from_secs(5), "{rules:?} took {taken:?} for {begins}…");
        }
    }
}

/// Texts of which some are templates and most nearly are.
fn nearly() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("%".to_owned()),
        Just("%SEGMENT_ID%".to_owned()),
        Just("%DATETIME(YYYY-MM-dd'T'HH)%".to_owned()),
        Just("%DATETIME(".to_owned()),
        Just(")%".to_owned()),
        Just("'".to_owned()),
        Just("/".to_owned()),
        Just("%TIMESTAMP%".to_owned()),
        "[A-Z_]{0,12}",
        "\\PC{0,3}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn templates_print_as_they_were_parsed(text in nearly()) {
        for rules in [Lenient, FileName, Strict, DatasetFolder] {
            match Template::parse_with(&text, rules) {
                Ok(template) => {
                    prop_assert_eq!(template.to_string(), text.as_str());
                    prop_assert_eq!(Template::parse_with(&template.to_string(), rules), Ok(template.clone()));
                    let plain: usize = template.items().map(|item| match item { Item::Text(text) => text.len(), _ => 0 }).sum();
                    prop_assert!(plain <= text.len());
                }
                Err(error) => prop_assert!(text.get(error.span().range()).is_some(), "{error:?}"),
            }
        }
    }
}
