//! Bucket names.

use std::time::{Duration, Instant};

use consign::location::{BucketName, BucketNameErrorKind as Kind, BucketRules, BucketWarning};

use BucketRules::{Aws, AwsDirectory, Azure, Gcs, Lenient, Platform, PlatformApi, Strict};

/// Whether a rule set takes a name.
#[track_caller]
fn check(rules: BucketRules, name: &str, taken: Taken) {
    let result = BucketName::parse_with(name, rules);
    match taken {
        Yes => assert_eq!(result.expect(name).as_str(), name),
        No => assert!(result.is_err(), "{rules:?} takes {name}"),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Taken {
    Yes,
    No,
}
use Taken::{No, Yes};

#[track_caller]
fn check_error(rules: BucketRules, name: &str, kind: Kind, text: &str) {
    let error = BucketName::parse_with(name, rules).unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
    assert_eq!(error.input(), name);
    assert!(name.get(error.span().range()).is_some());
    assert_eq!(error.to_string(), text.lines().next().unwrap_or_default());
}

#[test]
fn table_of_the_platform_and_aws() {
    let long = "a".repeat(63);
    let too_long = "a".repeat(64);
    let rows: &[(&str, Taken, Taken, Taken)] = &[
        // name, PlatformApi, Platform, Aws
        ("ab", No, No, No),
        ("abc", Yes, Yes, Yes),
        (&long, Yes, Yes, Yes),
        (&too_long, No, No, No),
        ("123", Yes, Yes, Yes),
        ("my-bucket", Yes, Yes, Yes),
        ("a--b", Yes, Yes, Yes),
        ("my.bucket", Yes, No, Yes),
        ("192.100.1.1", No, No, No),
        ("999.999.999.999", No, No, No),
        ("1.2", No, No, Yes),
        ("1.2.3.4.5", No, No, Yes),
        ("1.a", Yes, No, Yes),
        ("a.1", Yes, No, Yes),
        ("my..bucket", No, No, No),
        ("my.-b", No, No, Yes),
        ("my-.b", No, No, Yes),
        ("-abc", No, No, No),
        ("abc-", No, No, No),
        (".abc", No, No, No),
        ("abc.", No, No, No),
        ("Abc", No, No, No),
        ("a_b", No, No, No),
        ("xn--abc", Yes, Yes, No),
        ("abc-s3alias", Yes, Yes, No),
        ("abc--ol-s3", Yes, Yes, No),
        ("amzn-s3-demo-bucket", Yes, Yes, No),
    ];
    for (name, api, prose, aws) in rows {
        check(PlatformApi, name, *api);
        check(Platform, name, *prose);
        check(Aws, name, *aws);
        check(Strict, name, if *prose == Yes && *aws == Yes { Yes } else { No });
        check(Lenient, name, if *api == Yes && *aws == Yes { Yes } else { No });
    }
}

#[test]
fn examples_of_aws() {
    for name in [
        "docexamplebucket1",
        "log-delivery-march-2020",
        "my-hosted-content",
        "docexamplewebsite.com",
        "www.docexamplewebsite.com",
        "my.example.s3.bucket",
    ] {
        check(Aws, name, Yes);
    }
    for name in ["doc_example_bucket", "DocExampleBucket", "doc-example-bucket-", "192.168.5.4"] {
        check(Aws, name, No);
    }
}

#[test]
fn names_that_aws_reserves() {
    for name in ["xn--a", "sthree-a", "sthree-configurator", "sthree-configurator-a", "amzn-s3-demo-a"] {
        check(Aws, name, No);
        check(Strict, name, No);
        check(AwsDirectory, &format!("{name}--usw2-az1--x-s3"), No);
    }
    for name in ["abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3", "abc--table-s3"] {
        check(Aws, name, No);
    }
    for name in ["axn--a", "sthree", "amzn-s3-dem", "s3alias", "mrap", "abc-mrap"] {
        check(Aws, name, Yes);
    }
}

#[test]
fn account_regional_namespace() {
    for name in [
        "acme-111122223333-us-west-2-an",
        "acme-data-111122223333-us-gov-west-1-an",
        "a-111122223333-ap-southeast-5-an",
    ] {
        check(Aws, name, Yes);
        check(Strict, name, Yes);
    }
    for name in [
        "acme-an",
        "acme-11112222333-us-west-2-an",
        "acme-1111222233334-us-west-2-an",
        "111122223333-us-west-2-an",
        "acme-111122223333-us-west-an",
        "acme-111122223333-west-2-an",
        "acme-111122223333-us--2-an",
        // The AWS guide's own example has a reserved prefix.
        "amzn-s3-demo-bucket-111122223333-us-west-2-an",
    ] {
        check(Aws, name, No);
    }
    check(Aws, "an-an-b", Yes);
    check(Aws, "my-plan", Yes);
}

#[test]
fn directory_buckets() {
    let base = "a".repeat(63 - "--usw2-az1--x-s3".len());
    for name in ["abc--usw2-az1--x-s3", "a-b--usw2-lax1-az1--x-s3", "a--b--c--x-s3", &format!("{base}--usw2-az1--x-s3")]
    {
        check(AwsDirectory, name, Yes);
        check(Aws, name, No);
    }
    for name in [
        "abc",
        "abc--x-s3",
        "--usw2-az1--x-s3",
        "abc----x-s3",
        "abc---az1--x-s3",
        "abc--usw2-az1--x-s3-",
        "a.c--usw2-az1--x-s3",
        "Abc--usw2-az1--x-s3",
        &format!("a{base}--usw2-az1--x-s3"),
    ] {
        check(AwsDirectory, name, No);
    }
}

#[test]
fn table_of_the_siblings() {
    let long = "a".repeat(63);
    let too_long = "a".repeat(64);
    let dotted = format!("{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(15));
    for (name, taken) in [
        ("abc", Yes),
        ("a-b", Yes),
        ("ab", No),
        ("a--b", No),
        ("-ab", No),
        ("ab-", No),
        (&*long, Yes),
        (&*too_long, No),
    ] {
        check(Azure, name, taken);
    }
    for (name, taken) in [
        ("abc", Yes),
        ("a_b", Yes),
        ("a.b", Yes),
        ("goog-x", No),
        ("my-google-b", No),
        ("g00gle", No),
        ("1.2.3", No),
        ("a..b", No),
        ("ab-", No),
        (&*too_long, No),
        (&*dotted, Yes),
    ] {
        check(Gcs, name, taken);
    }
    assert_eq!(dotted.len(), 143);
}

#[test]
fn errors_word_for_word() {
    let rule = |number| format!("rule: the platform's bucket rules, rule {number}");
    check_error(
        Strict,
        "ab",
        Kind::Length,
        &format!("expected 3 to 63 characters, found 2 in the bucket name\nab\n^^\n{}", rule(1)),
    );
    check_error(
        Strict,
        "",
        Kind::Length,
        &format!("expected 3 to 63 characters, found 0 in the bucket name\n\n^\n{}", rule(1)),
    );
    check_error(
        Strict,
        &"a".repeat(64),
        Kind::Length,
        &format!(
            "expected 3 to 63 characters, found 64 in the bucket name\n...{}\n{}^\n{}",
            "a".repeat(61),
            " ".repeat(63),
            rule(1)
        ),
    );
    check_error(
        Strict,
        "my bücket",
        Kind::Character,
        &format!(
            "expected a lowercase letter, a digit or a hyphen, found ` ` at byte 2 of the bucket name\nmy bücket\n  ^\n{}",
            rule(3)
        ),
    );
    check_error(
        Strict,
        "a\nb",
        Kind::Character,
        &format!(
            "expected a lowercase letter, a digit or a hyphen, found `\\n` at byte 1 of the bucket name\na\\nb\n ^^\n{}",
            rule(3)
        ),
    );
    check_error(
        Strict,
        "abc-",
        Kind::Edge,
        &format!(
            "expected a lowercase letter or a digit, found `-` at byte 3 of the bucket name\nabc-\n   ^\n{}",
            rule(2)
        ),
    );
}

#[test]
fn errors_of_aws_word_for_word() {
    let rule = |number| format!("rule: AWS user guide, bucket naming rules, rule {number}");
    check_error(
        Aws,
        "a..b",
        Kind::Repeated,
        &format!("expected no `..`, found one at byte 1 of the bucket name\na..b\n ^^\n{}", rule(4)),
    );
    check_error(
        Aws,
        "192.168.5.4",
        Kind::IpAddress,
        &format!(
            "expected no IP address, found `192.168.5.4` as the bucket name\n192.168.5.4\n^^^^^^^^^^^\n{}",
            rule(5)
        ),
    );
    check_error(
        Strict,
        "xn--abc",
        Kind::Reserved,
        &format!("expected no reserved prefix, found `xn--` at byte 0 of the bucket name\nxn--abc\n^^^^\n{}", rule(6)),
    );
    check_error(
        Strict,
        "abc--ol-s3",
        Kind::Reserved,
        &format!(
            "expected no reserved suffix, found `--ol-s3` at byte 3 of the bucket name\nabc--ol-s3\n   ^^^^^^^\n{}",
            rule(7)
        ),
    );
    check_error(
        Strict,
        "acme-an",
        Kind::Reserved,
        &format!(
            "expected `<prefix>-<12-digit account>-<region>-an`, since the suffix `-an` is reserved, found `acme-an` as \
             the bucket name\nacme-an\n    ^^^\n{}",
            rule(8)
        ),
    );
    check_error(
        AwsDirectory,
        "abc",
        Kind::Form,
        "expected `<base name>--<zone>--x-s3`, found `abc` as the name of the directory bucket\nabc\n^^^\n\
         rule: AWS user guide, directory bucket naming rules",
    );
}

#[test]
fn errors_of_the_patterns_word_for_word() {
    let rule = "rule: the platform's API, pattern of bucketName";
    check_error(
        PlatformApi,
        "a..b",
        Kind::Edge,
        &format!("expected a lowercase letter or a digit, found `.` at byte 2 of the bucket name\na..b\n  ^\n{rule}"),
    );
    check_error(
        PlatformApi,
        "abc.",
        Kind::Edge,
        &format!(
            "expected a lowercase letter or a digit, found the end at byte 4 of the bucket name\nabc.\n    ^\n{rule}"
        ),
    );
    check_error(
        PlatformApi,
        "1.2",
        Kind::IpAddress,
        &format!(
            "expected a letter or a hyphen among digits and dots, found `1.2` as the bucket name\n1.2\n^^^\n{rule}"
        ),
    );
    let rule = format!("{rule} for Google Cloud Storage");
    check_error(
        Gcs,
        "my-g0ogle-b",
        Kind::Reserved,
        &format!("expected no `google`, found `g0ogle` at byte 3 of the bucket name\nmy-g0ogle-b\n   ^^^^^^\n{rule}"),
    );
    check_error(
        Gcs,
        &format!("a.{}", "b".repeat(64)),
        Kind::Length,
        &format!(
            "expected no more than 63 characters between dots, found 64 from byte 2 of the bucket name\n\
             a.{}...\n  {}\n{rule}",
            "b".repeat(60),
            "^".repeat(60)
        ),
    );
}

#[test]
fn dots_are_warned_about() {
    assert_eq!(BucketName::parse_with("a.b", Lenient).unwrap().warnings(), [BucketWarning::Dots]);
    assert_eq!(BucketName::parse("a-b").unwrap().warnings(), []);
}

#[test]
fn hostile_names_take_linear_time() {
    let repeat = |text: &str| text.repeat((1 << 20) / text.len());
    for text in [repeat("a"), repeat("."), repeat("-"), repeat("1."), repeat("a.-"), repeat("é"), repeat("g00gle")] {
        for rules in [Strict, Lenient, Platform, PlatformApi, Aws, AwsDirectory, Gcs, Azure] {
            let start = Instant::now();
            let error = BucketName::parse_with(&text, rules).unwrap_err();
            let taken = start.elapsed();
            assert!(!format!("{error:#}").is_empty() && taken < Duration::from_secs(5), "{rules:?} took {taken:?}");
        }
    }
}

#[test]
fn json_is_read_by_the_default_rules() {
    let bucket = BucketName::parse("my-bucket").unwrap();
    assert_eq!(serde_json::to_string(&bucket).unwrap(), r#""my-bucket""#);
    assert_eq!(serde_json::from_str::<BucketName>(r#""my-bucket""#).unwrap(), bucket);
    let dotted = serde_json::to_string(&BucketName::parse_with("my.bucket", Lenient).unwrap()).unwrap();
    assert_eq!(dotted, r#""my.bucket""#);
    assert_eq!(
        serde_json::from_str::<BucketName>(&dotted).unwrap_err().to_string(),
        "expected a lowercase letter, a digit or a hyphen, found `.` at byte 2 of the bucket name"
    );
}
