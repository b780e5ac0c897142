//! The IAM policy of a destination, as exact JSON.

use consign::destination::arn::{KmsKeyArn, Partition};
use consign::destination::policy::{Policy, PolicyError};
use consign::location::{BucketName, FolderPath, FolderRules};
use serde_json::{Value, json};

fn policy(folder: &FolderPath) -> Policy {
    Policy::builder(&BucketName::parse("acme-exports").unwrap(), folder).build().unwrap()
}

#[track_caller]
fn check_resource(folder: &str, rules: FolderRules, expected: &str) {
    let folder = FolderPath::parse_with(folder, rules).unwrap();
    let written: Value = serde_json::from_str(&policy(&folder).to_string()).unwrap();
    assert_eq!(written["Statement"][0]["Resource"], json!(expected));
    assert_eq!(written["Statement"][1]["Resource"], json!("arn:aws:s3:::acme-exports"));
}

#[test]
fn policies_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Policy>();
    check::<PolicyError>();
}

#[test]
fn the_whole_document() {
    let bucket = BucketName::parse("acme-exports").unwrap();
    let folder = FolderPath::parse("campaigns/%SEGMENT_NAME%/%SEGMENT_ID%").unwrap();
    let key = KmsKeyArn::parse("arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd").unwrap();
    let policy = Policy::builder(&bucket, &folder).with_kms_key(key).build().unwrap();
    let expected = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "DeliverFiles",
      "Effect": "Allow",
      "Action": [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject"
      ],
      "Resource": "arn:aws-us-gov:s3:::acme-exports/campaigns/*"
    },
    {
      "Sid": "CheckBucket",
      "Effect": "Allow",
      "Action": [
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads"
      ],
      "Resource": "arn:aws-us-gov:s3:::acme-exports"
    },
    {
      "Sid": "UseKey",
      "Effect": "Allow",
      "Action": [
        "kms:Decrypt",
        "kms:GenerateDataKey*"
      ],
      "Resource": "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd"
    }
  ]
}"#;
    assert_eq!(policy.to_string(), expected);
    assert_eq!(serde_json::to_string_pretty(&policy).unwrap(), expected);
}

#[test]
fn objects_are_those_of_the_folder() {
    use FolderRules::{Lenient, Platform};
    check_resource("", Lenient, "arn:aws:s3:::acme-exports/*");
    check_resource("/", Lenient, "arn:aws:s3:::acme-exports/*");
    check_resource("acme", Lenient, "arn:aws:s3:::acme-exports/acme/*");
    check_resource("/acme/2021/", Lenient, "arn:aws:s3:::acme-exports/acme/2021/*");
    check_resource("%SEGMENT_ID%", Lenient, "arn:aws:s3:::acme-exports/*");
    check_resource("/%SEGMENT_ID%/", Lenient, "arn:aws:s3:::acme-exports/*");
    check_resource("acme/%SEGMENT_ID%", Lenient, "arn:aws:s3:::acme-exports/acme/*");
    check_resource("acme%SEGMENT_ID%", Lenient, "arn:aws:s3:::acme-exports/acme*");
    check_resource("a*b", Lenient, "arn:aws:s3:::acme-exports/a${*}b/*");
    check_resource("a$b/\"c\"", Platform, "arn:aws:s3:::acme-exports/a${$}b/\"c\"/*");
}

#[test]
fn partitions() {
    let bucket = BucketName::parse("acme-exports").unwrap();
    let builder = Policy::builder(&bucket, &FolderPath::parse("a").unwrap());
    for partition in Partition::ALL {
        let policy = builder.clone().with_partition(partition).build().unwrap().to_string();
        assert!(policy.contains(&format!("\"arn:{partition}:s3:::acme-exports/a/*\"")), "{policy}");
    }
    let key = KmsKeyArn::parse("arn:aws-cn:kms:cn-north-1:111122223333:key/1").unwrap();
    let error = builder.with_partition(Partition::Aws).with_kms_key(key).build().unwrap_err();
    assert_eq!(error.to_string(), "the KMS key is of partition `aws-cn`, the bucket of `aws`");
    let error = consign::Error::from(error);
    assert_eq!(error.kind(), consign::ErrorKind::Destination);
    assert_eq!(error.to_string(), "the policy cannot be written");
}
