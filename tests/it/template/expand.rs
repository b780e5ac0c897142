//! Templates with the values of a context.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use consign::template::{Context, ExpandErrorKind as Kind, Template, ValuePolicy};
use consign::{Error, ErrorKind};
use proptest::prelude::*;

/// The examples of the platform's macro table.
fn context() -> Context {
    Context::new(DateTime::from_timestamp(1_652_131_584, 0).unwrap())
        .with_destination("Amazon S3")
        .with_audience_id("ce5c5482-2813-4a80-99bc-57113f6acde2")
        .with_audience_name("VIP subscriber")
        .with_destination_instance_id("7b891e5f-025a-4f0d-9e73-1919e71da3b0")
        .with_destination_instance_name("My 2022 Advertising Destination")
        .with_organization_name("My Organization Name")
        .with_sandbox_name("prod")
        .with_custom_text("My_Custom_Text")
        .with_merge_policy_id("e8591fdb-2873-4b12-b63e-15275b1c1439")
        .with_merge_policy_name("My Custom Merge Policy")
        .with_dataset_id("5f3b")
        .with_dataset_name("Loyalty")
}

fn index(n: u64) -> NonZeroU64 {
    NonZeroU64::new(n).unwrap()
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(Template::parse(template).unwrap().expand(&context(), index(3)).unwrap(), expected);
}

#[track_caller]
fn check_error(template: &str, context: &Context, kind: Kind, text: &str) {
    let template = Template::parse(template).unwrap();
    let error = template.check(context).unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
    assert_eq!(error.input(), template.as_str());
    assert_eq!(template.expand(context, index(1)), Err(error));
}

#[test]
fn every_macro_has_its_value() {
    check("%DESTINATION%", "Amazon S3");
    check("%DESTINATION_NAME%", "Amazon S3");
    check("%SEGMENT_ID%", "ce5c5482-2813-4a80-99bc-57113f6acde2");
    check("%SEGMENT_NAME%", "VIP subscriber");
    check("%DESTINATION_INSTANCE_ID%", "7b891e5f-025a-4f0d-9e73-1919e71da3b0");
    check("%DESTINATION_INSTANCE_NAME%", "My 2022 Advertising Destination");
    check("%ORGANIZATION_NAME%", "My Organization Name");
    check("%SANDBOX_NAME%", "prod");
    check("%DATETIME%", "20220509_212624");
    check("%CUSTOM_TEXT%", "My_Custom_Text");
    check("%custom-text%", "My_Custom_Text");
    check("%TIMESTAMP%", "1652131584");
    check("%MERGE_POLICY_ID%", "e8591fdb-2873-4b12-b63e-15275b1c1439");
    check("%MERGE_POLICY_NAME%", "My Custom Merge Policy");
    check("%DATASET_ID%", "5f3b");
    check("%DATASET_NAME%", "Loyalty");
    check("%EXPORT_TIME%", "exportTime=202205092126");
    check("%FILE_INDEX%", "3");
    check("", "");
    check("/", "/");
}

#[test]
fn names_of_the_platforms_examples() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let template = Template::parse("%ORGANIZATION_NAME%_%DESTINATION%_%DESTINATION_INSTANCE_ID%_%DATETIME%").unwrap();
    let context = Context::new(at("2023-03-30T15:38:57Z"))
        .with_organization_name("Luma")
        .with_destination("LiveRamp")
        .with_destination_instance_id("52137231-4a99-442d-804c-39a09ddd005d");
    assert_eq!(
        template.expand(&context, index(1)).unwrap(),
        "Luma_LiveRamp_52137231-4a99-442d-804c-39a09ddd005d_20230330_153857"
    );

    let template = Template::parse("%DESTINATION%_segment%SEGMENT_ID%_%DATETIME(yyyymmddhhmmss)%").unwrap();
    for (time, expected) in [
        ("2020-04-08T06:18:04Z", "20200408061804"),
        ("2020-04-09T05:22:00Z", "20200409052200"),
        ("2020-04-10T06:11:30Z", "20200410061130"),
    ] {
        let context = Context::new(at(time))
            .with_destination("Salesforce_Marketing_Cloud")
            .with_audience_id("12341e18-abcd-49c2-836d-123c88e76c39");
        assert_eq!(
            template.expand(&context, index(1)).unwrap(),
            format!("Salesforce_Marketing_Cloud_segment12341e18-abcd-49c2-836d-123c88e76c39_{expected}")
        );
    }
}

#[test]
fn expansion_appends() {
    let template = Template::parse("%SEGMENT_NAME%_%FILE_INDEX%").unwrap();
    template.check(&context()).unwrap();
    let mut out = "a/".to_owned();
    template.expand_into(&context(), index(1), &mut out);
    template.expand_into(&context(), index(20), &mut out);
    assert_eq!(out, "a/VIP subscriber_1VIP subscriber_20");
}

#[test]
fn what_was_not_checked_is_left_out() {
    let template = Template::parse("a_%SEGMENT_NAME%_%SEGMENT_ID%").unwrap();
    let mut out = String::new();
    template.expand_into(&Context::new(DateTime::UNIX_EPOCH).with_audience_id("/"), index(1), &mut out);
    assert_eq!(out, "a__/");
}

#[test]
fn errors_word_for_word() {
    let empty = Context::new(DateTime::UNIX_EPOCH);
    check_error(
        "a/%SEGMENT_NAME%",
        &empty,
        Kind::Missing,
        "the context lacks a value for `%SEGMENT_NAME%`\na/%SEGMENT_NAME%\n  ^^^^^^^^^^^^^^",
    );
    check_error(
        "%SEGMENT_NAME%%DATETIME%%SEGMENT_ID%%SEGMENT_NAME%%custom-text%",
        &empty,
        Kind::Missing,
        "the context lacks values for `%SEGMENT_NAME%`, `%SEGMENT_ID%`, `%CUSTOM_TEXT%`\n\
         %SEGMENT_NAME%%DATETIME%%SEGMENT_ID%%SEGMENT_NAME%%custom-text%\n^^^^^^^^^^^^^^",
    );
    let named = |name: &str| empty.clone().with_audience_name(name);
    check_error(
        "%SEGMENT_NAME%",
        &named(""),
        Kind::Empty,
        "expected a value for `%SEGMENT_NAME%`, found empty text\n%SEGMENT_NAME%\n^^^^^^^^^^^^^^",
    );
    let verbatim = "allowed: all characters but `/`, U+0000 to U+001F and U+007F to U+009F; or percent-encode values";
    check_error(
        "a%SEGMENT_NAME%",
        &named("é/.."),
        Kind::Character,
        &format!(
            "the value of `%SEGMENT_NAME%` holds `/` at its byte 2, which would make another folder\na%SEGMENT_NAME%\n ^^^^^^^^^^^^^^\n{verbatim}"
        ),
    );
    check_error(
        "a%SEGMENT_NAME%",
        &named("x\ny"),
        Kind::Character,
        &format!(
            "the value of `%SEGMENT_NAME%` holds `\\n` at its byte 1, a control character\na%SEGMENT_NAME%\n ^^^^^^^^^^^^^^\n{verbatim}"
        ),
    );
    check_error(
        "a%SEGMENT_NAME%",
        &named("x y").with_value_policy(ValuePolicy::Refuse),
        Kind::Character,
        "the value of `%SEGMENT_NAME%` holds ` ` at its byte 1, which is not one of the safe characters\n\
         a%SEGMENT_NAME%\n ^^^^^^^^^^^^^^\nallowed: 0-9 A-Z a-z ! - _ . * ' ( )",
    );
}

#[test]
fn errors_of_the_whole_word_for_word() {
    let named = |name: &str| Context::new(DateTime::UNIX_EPOCH).with_audience_name(name);
    check_error(
        "a/%SEGMENT_NAME%/b",
        &named(".."),
        Kind::Segment,
        "expected no segment `..` in the expanded template, found one\na/%SEGMENT_NAME%/b\n  ^^^^^^^^^^^^^^",
    );
    check_error(
        "a/.%SEGMENT_NAME%",
        &named("."),
        Kind::Segment,
        "expected no segment `..` in the expanded template, found one\na/.%SEGMENT_NAME%\n^^^^^^^^^^^^^^^^^",
    );
    check_error(
        "a//%SEGMENT_NAME%",
        &named("x"),
        Kind::Segment,
        "expected text between slashes in the expanded template, found none\na//%SEGMENT_NAME%\n^^^",
    );
    check_error(
        "a/%SEGMENT_NAME%",
        &named("50%SEGMENT_ID%"),
        Kind::Unexpanded,
        "expected no macro in the expanded template, found `%SEGMENT_ID%`\na/%SEGMENT_NAME%\n  ^^^^^^^^^^^^^^",
    );
    let at = |seconds| Context::new(DateTime::from_timestamp(seconds, 0).unwrap());
    check_error(
        "%TIMESTAMP%",
        &at(-1),
        Kind::Time,
        "expected a time from 1970 on with a Unix time of at most ten digits for `%TIMESTAMP%`, found 1969-12-31 23:59:59 \
         UTC\n%TIMESTAMP%\n^^^^^^^^^^^",
    );
    check_error(
        "%DATETIME%",
        &at(253_402_300_800),
        Kind::Time,
        "expected a time in the years 0 to 9999 for `%DATETIME%`, found +10000-01-01 00:00:00 UTC\n%DATETIME%\n^^^^^^^^^^",
    );
}

#[test]
fn no_text_is_longer_than_a_key() {
    let named = |length: usize| Context::new(DateTime::UNIX_EPOCH).with_audience_name("x".repeat(length));
    let template = Template::parse("a/%SEGMENT_NAME%%DATETIME%").unwrap();
    assert_eq!(template.expand(&named(1007), index(1)).unwrap().len(), 1024);
    check_error(
        "a/%SEGMENT_NAME%%DATETIME%",
        &named(1008),
        Kind::TooLong,
        "expected no more than 1024 bytes in the expanded template, found more with `%DATETIME%` at byte 16 of the \
         template\na/%SEGMENT_NAME%%DATETIME%\n                ^^^^^^^^^^",
    );
    check_error(
        "%SEGMENT_NAME%/b",
        &named(1023),
        Kind::TooLong,
        "expected no more than 1024 bytes in the expanded template, found more with its fixed text at byte 14 of the \
         template\n%SEGMENT_NAME%/b\n              ^^",
    );
    // Each of the bytes of `é` takes three once it is encoded.
    let encoded = |name: String| {
        Context::new(DateTime::UNIX_EPOCH).with_audience_name(name).with_value_policy(ValuePolicy::PercentEncode)
    };
    let template = Template::parse("%SEGMENT_NAME%").unwrap();
    assert_eq!(template.expand(&encoded("é".repeat(170)), index(1)).unwrap().len(), 1020);
    check_error(
        "%SEGMENT_NAME%",
        &encoded("é".repeat(171)),
        Kind::TooLong,
        "expected no more than 1024 bytes in the expanded template, found more with `%SEGMENT_NAME%` at byte 0 of the \
         template\n%SEGMENT_NAME%\n^^^^^^^^^^^^^^",
    );
}

/// Expanded, each of these would have hundreds of megabytes; looking at every value where it stands would take minutes.
#[test]
fn checking_takes_linear_time() {
    let many = |text: &str| text.repeat(300_000 / text.len());
    let value = "é".repeat(10_000);
    let templates = [
        many("%SEGMENT_NAME%"),
        many("%SEGMENT_NAME%/"),
        many("a%DATETIME%"),
        many("%FILE_INDEX%"),
        format!("%DATETIME({})%", many("'a/b'YYYY")),
        many("a/"),
        many("../"),
    ];
    for policy in [ValuePolicy::Verbatim, ValuePolicy::Refuse, ValuePolicy::PercentEncode] {
        let context = Context::new(DateTime::UNIX_EPOCH).with_audience_name(value.as_str()).with_value_policy(policy);
        for text in &templates {
            let template = Template::parse(text).unwrap();
            let start = Instant::now();
            let error = template.check(&context).unwrap_err();
            let taken = start.elapsed();
            assert_eq!(error.kind(), Kind::TooLong, "{}", &text[..20]);
            assert!(taken < Duration::from_secs(5), "{policy:?} took {taken:?} for {}…", &text[..20]);
        }
    }
}

#[test]
fn a_timestamp_has_ten_digits() {
    let expand = |seconds| {
        let context = Context::new(DateTime::from_timestamp(seconds, 0).unwrap());
        Template::parse("%TIMESTAMP%").unwrap().expand(&context, index(1))
    };
    assert_eq!(expand(0).unwrap(), "0000000000");
    assert_eq!(expand(9_999_999_999).unwrap(), "9999999999");
    assert!(expand(10_000_000_000).is_err());
}

#[test]
fn errors_become_the_crates_error_and_stay_its_source() {
    let error = Template::parse("%SEGMENT_ID%").unwrap().check(&Context::new(DateTime::UNIX_EPOCH)).unwrap_err();
    let error = Error::from(error);
    assert_eq!(error.kind(), ErrorKind::Context);
    assert_eq!(
        format!("{error:#}"),
        "the template cannot be expanded with this context: the context lacks a value for `%SEGMENT_ID%`"
    );
}

#[test]
fn values_by_policy() {
    let expand = |policy, value: &str| {
        let context = Context::new(DateTime::UNIX_EPOCH).with_audience_name(value).with_value_policy(policy);
        Template::parse("a/%SEGMENT_NAME%").unwrap().expand(&context, index(1)).ok()
    };
    // value, verbatim, refuse, percent-encode
    let rows: &[(&str, Option<&str>, Option<&str>, &str)] = &[
        ("Luxury", Some("a/Luxury"), Some("a/Luxury"), "a/Luxury"),
        ("Luxury Audience", Some("a/Luxury Audience"), None, "a/Luxury%20Audience"),
        ("100%", Some("a/100%"), None, "a/100%25"),
        ("x/y", None, None, "a/x%2Fy"),
        ("..", None, None, "a/%2E%2E"),
        ("../x", None, None, "a/..%2Fx"),
        (".", None, None, "a/%2E"),
        ("...", Some("a/..."), Some("a/..."), "a/%2E%2E%2E"),
        ("..x", Some("a/..x"), Some("a/..x"), "a/..x"),
        ("x\ny", None, None, "a/x%0Ay"),
        ("é", Some("a/é"), None, "a/%C3%A9"),
        ("a\\b", Some("a/a\\b"), None, "a/a%5Cb"),
        ("%SEGMENT_ID%", None, None, "a/%25SEGMENT_ID%25"),
        ("!-_.*'()", Some("a/!-_.*'()"), Some("a/!-_.*'()"), "a/!-_.*'()"),
    ];
    for (value, verbatim, refuse, encoded) in rows {
        assert_eq!(expand(ValuePolicy::Verbatim, value).as_deref(), *verbatim, "{value}");
        assert_eq!(expand(ValuePolicy::Refuse, value).as_deref(), *refuse, "{value}");
        assert_eq!(expand(ValuePolicy::PercentEncode, value).as_deref(), Some(*encoded), "{value}");
    }
}

#[test]
fn a_context_says_what_it_holds() {
    let context = context();
    assert_eq!(context.time().timestamp(), 1_652_131_584);
    assert_eq!(context.value_policy(), ValuePolicy::Verbatim);
    assert_eq!(context.destination(), Some("Amazon S3"));
    assert_eq!(context.destination_instance_id(), Some("7b891e5f-025a-4f0d-9e73-1919e71da3b0"));
    assert_eq!(context.destination_instance_name(), Some("My 2022 Advertising Destination"));
    assert_eq!(context.audience_id(), Some("ce5c5482-2813-4a80-99bc-57113f6acde2"));
    assert_eq!(context.audience_name(), Some("VIP subscriber"));
    assert_eq!(context.organization_name(), Some("My Organization Name"));
    assert_eq!(context.sandbox_name(), Some("prod"));
    assert_eq!(context.merge_policy_id(), Some("e8591fdb-2873-4b12-b63e-15275b1c1439"));
    assert_eq!(context.merge_policy_name(), Some("My Custom Merge Policy"));
    assert_eq!(context.dataset_id(), Some("5f3b"));
    assert_eq!(context.dataset_name(), Some("Loyalty"));
    assert_eq!(context.custom_text(), Some("My_Custom_Text"));
}

proptest! {
    /// A template with the file index gives each file a name of its own, whatever digits stand around it.
    #[test]
    fn no_two_files_get_one_name(
        before in "[0-9]{0,3}",
        between in prop_oneof![Just(String::new()), Just("%FILE_INDEX%".to_owned()), "[0-9]{1,2}%FILE_INDEX%"],
        after in "[0-9]{0,3}",
        value in "[0-9]{1,3}",
        a in 1_u64..2000,
        b in 1_u64..2000,
    ) {
        let template = Template::parse(&format!("%SEGMENT_ID%{before}%FILE_INDEX%{between}{after}")).unwrap();
        prop_assert!(template.has_file_index());
        let context = Context::new(DateTime::UNIX_EPOCH).with_audience_id(value);
        let name = |n| template.expand(&context, index(n)).unwrap();
        prop_assert_eq!(name(a) == name(b), a == b);
    }

    /// What has been checked is what is expanded: appending adds nothing else and fails never.
    #[test]
    fn a_checked_context_expands(value in any::<String>(), seconds in any::<i64>(), n in 1_u64..) {
        let Some(time) = DateTime::from_timestamp(seconds, 0) else { return Ok(()) };
        let context = Context::new(time).with_audience_name(value);
        for text in ["x/%SEGMENT_NAME%/%DATETIME%", "%SEGMENT_NAME%_%TIMESTAMP%", "%EXPORT_TIME%/%FILE_INDEX%"] {
            let template = Template::parse(text).unwrap();
            let mut out = String::from("head");
            template.expand_into(&context, index(n), &mut out);
            match template.expand(&context, index(n)) {
                Ok(expanded) => prop_assert_eq!(out, format!("head{expanded}")),
                Err(error) => prop_assert!(template.as_str().get(error.span().range()).is_some()),
            }
        }
    }
}
