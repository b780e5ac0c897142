//! Credentials: their rules, and that nothing prints them.

use consign::destination::arn::{ArnError, KmsKeyArn, Partition};
use consign::destination::credentials::{
    AccessKeyId, CredentialError, CredentialErrorKind, Credentials, ExternalId, RoleArn, SecretAccessKey,
};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE+AB";

#[track_caller]
fn check_error<T>(
    result: Result<T, CredentialError>,
    kind: CredentialErrorKind,
    text: &str,
    span: std::ops::Range<usize>,
) {
    let Err(error) = result else { panic!("no error") };
    assert_eq!((error.kind(), error.to_string().as_str(), error.span().range()), (kind, text, span));
}

#[test]
fn credentials_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Credentials>();
    check::<CredentialError>();
    check::<KmsKeyArn>();
    check::<ArnError>();
}

#[test]
fn access_keys() {
    assert_eq!(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap().reveal(), "AKIAIOSFODNN7EXAMPLE");
    let kind = CredentialErrorKind::AccessKey;
    check_error(AccessKeyId::parse(""), kind, "an access key has 20 characters: found 0", 0..0);
    check_error(AccessKeyId::parse("AKIAIOSFODNN7EXAMPL"), kind, "an access key has 20 characters: found 19", 0..19);
    check_error(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLEA"), kind, "an access key has 20 characters: found 21", 0..21);
    check_error(
        AccessKeyId::parse("AKIAIOSFODNN8EXAMPLE"),
        kind,
        "an access key has only characters from `A-Z` and `2-7`: found another at byte 12",
        12..13,
    );
}

#[test]
fn secret_keys() {
    assert_eq!(SecretAccessKey::parse(SECRET).unwrap().reveal(), SECRET);
    let kind = CredentialErrorKind::SecretKey;
    check_error(SecretAccessKey::parse(&SECRET[1..]), kind, "a secret key has 40 characters: found 39", 0..39);
    check_error(
        SecretAccessKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE+Aé"),
        kind,
        "a secret key has only characters from `A-Z`, `a-z`, `0-9`, `/` and `+`: found another at byte 39",
        39..41,
    );
}

#[test]
fn roles() {
    let role = RoleArn::parse("arn:aws:iam::800873819705:role/destinations-role-customer").unwrap();
    assert_eq!(role.partition(), Partition::Aws);
    assert_eq!(role.reveal_account(), "800873819705");
    assert_eq!(role.reveal_name(), "destinations-role-customer");
    let role = RoleArn::parse("arn:aws-us-gov:iam::800873819705:role/teams/exports/A1+=,.@-_").unwrap();
    assert_eq!((role.partition(), role.reveal_name()), (Partition::AwsUsGov, "A1+=,.@-_"));
    let longest = format!("arn:aws-cn:iam::800873819705:role/{}", "n".repeat(64));
    assert_eq!(RoleArn::parse(&longest).unwrap().reveal(), longest);

    let kind = CredentialErrorKind::Role;
    for (text, expected, span) in [
        ("", "a role ARN: expected `arn:partition:service:region:account:resource`", 0..0),
        ("arn:aws:iam::800873819705", "a role ARN: expected `arn:partition:service:region:account:resource`", 25..25),
        ("urn:aws:iam::800873819705:role/x", "a role ARN: expected `arn`", 0..3),
        (
            "arn:aws-eu:iam::800873819705:role/x",
            "a role ARN: expected the partition `aws`, `aws-cn` or `aws-us-gov`",
            4..10,
        ),
        ("arn:aws:s3::800873819705:role/x", "a role ARN: expected the service `iam`", 8..10),
        ("arn:aws:iam:eu-west-1:800873819705:role/x", "a role ARN: expected no region", 12..21),
        ("arn:aws:iam::80087381970:role/x", "a role ARN: expected an account number of 12 digits", 13..24),
        ("arn:aws:iam::80087381970x:role/x", "a role ARN: expected an account number of 12 digits", 13..25),
        ("arn:aws:iam::800873819705:user/x", "a role ARN: expected `role/` and the name of the role", 26..32),
        ("arn:aws:iam::800873819705:role/", "the name of a role has 1 to 64 characters: found 0", 31..31),
        (
            "arn:aws:iam::800873819705:role/a b",
            "the name of a role has only characters from `A-Z`, `a-z`, `0-9` and `+=,.@-_`: found another at byte 32",
            32..33,
        ),
        (
            "arn:aws:iam::800873819705:role/a b/c",
            "a role ARN: the path of a role has at most 512 characters of printable ASCII",
            30..35,
        ),
    ] {
        check_error(RoleArn::parse(text), kind, expected, span);
    }
    check_error(
        RoleArn::parse(&format!("{longest}n")),
        kind,
        "the name of a role has 1 to 64 characters: found 65",
        34..99,
    );
}

#[test]
fn external_ids() {
    assert_eq!(ExternalId::parse("ABC123@AdobeOrg").unwrap().reveal(), "ABC123@AdobeOrg");
    let kind = CredentialErrorKind::ExternalId;
    check_error(ExternalId::parse("a"), kind, "an external id has 2 to 1224 characters: found 1", 0..1);
    assert!(ExternalId::parse(&"a".repeat(1224)).is_ok());
    assert!(ExternalId::parse(&"a".repeat(1225)).is_err());
    check_error(
        ExternalId::parse("a b"),
        kind,
        "an external id has only characters from `A-Z`, `a-z`, `0-9` and `_+=,.@:/-`: found another at byte 1",
        1..2,
    );
}

#[test]
fn nothing_prints_a_credential() {
    let role = "arn:aws:iam::800873819705:role/destinations-role-customer";
    for credentials in [
        Credentials::AccessKey {
            id: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
            secret: SecretAccessKey::parse(SECRET).unwrap(),
        },
        Credentials::AssumedRole {
            role: RoleArn::parse(role).unwrap(),
            external_id: Some(ExternalId::parse("ABC123@AdobeOrg").unwrap()),
        },
    ] {
        for printed in [format!("{credentials:?}"), format!("{credentials:#?}")] {
            for text in ["AKIA", "EXAMPLE", "wJal", "8008", "customer", "ABC123"] {
                assert!(!printed.contains(text), "{printed}");
            }
        }
    }
    let error = RoleArn::parse("arn:aws:iam::800873819705:role/a b/secret").unwrap_err();
    assert!(!format!("{error:?} {error} {error:#}").contains("secret"));
    let error = consign::Error::from(SecretAccessKey::parse(&SECRET[1..]).unwrap_err());
    assert_eq!(error.kind(), consign::ErrorKind::Destination);
    assert_eq!(format!("{error:#}"), "the credentials are wrong: a secret key has 40 characters: found 39");
}

#[test]
fn kms_keys() {
    let key = KmsKeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab").unwrap();
    assert_eq!((key.partition(), key.to_string().as_str()), (Partition::Aws, key.as_str()));
    for (text, expected) in [
        (
            "arn:aws:iam:eu-west-1:111122223333:key/1",
            "invalid KMS key `arn:aws:iam:eu-west-1:111122223333:key/1`: expected the service `kms`\n\
             arn:aws:iam:eu-west-1:111122223333:key/1\n        ^^^",
        ),
        (
            "arn:aws:kms::111122223333:key/1",
            "invalid KMS key `arn:aws:kms::111122223333:key/1`: expected a region\n\
             arn:aws:kms::111122223333:key/1\n            ^",
        ),
        (
            "arn:aws:kms:eu-west-1:111122223333:key/*",
            "invalid KMS key `arn:aws:kms:eu-west-1:111122223333:key/*`: a key id has lowercase letters, digits and \
             hyphens\narn:aws:kms:eu-west-1:111122223333:key/*\n                                       ^",
        ),
    ] {
        assert_eq!(format!("{:#}", KmsKeyArn::parse(text).unwrap_err()), expected);
    }
}
