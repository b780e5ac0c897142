//! Bucket names, folder paths and keys: the tables of the rules, the published patterns, the errors word for word.

mod bucket;
mod folder;
mod key;
mod patterns;

use std::fmt::Debug;

use consign::location::{
    BucketName, BucketNameError, BucketRules, FileName, FileNameError, FolderPath, FolderPathError, FolderRules,
    ObjectKey, ObjectKeyError,
};
use consign::{Error, ErrorKind};

#[test]
fn names_are_shared_between_threads() {
    fn check<T: Send + Sync + Clone + Debug + 'static>() {}
    check::<BucketName>();
    check::<BucketNameError>();
    check::<BucketRules>();
    check::<FileName>();
    check::<FileNameError>();
    check::<FolderPath>();
    check::<FolderPathError>();
    check::<FolderRules>();
    check::<ObjectKey>();
    check::<ObjectKeyError>();
}

#[test]
fn errors_become_the_crates_error_and_stay_its_source() {
    #[track_caller]
    fn check(error: impl Into<Error>, text: &str) {
        let error = error.into();
        assert_eq!((error.kind(), format!("{error:#}").as_str()), (ErrorKind::Name, text));
    }
    check(
        BucketName::parse("a_b").unwrap_err(),
        "could not parse the bucket name: expected a lowercase letter, a digit or a hyphen, found `_` at byte 1 of the \
         bucket name",
    );
    check(
        FolderPath::parse("a b").unwrap_err(),
        "could not parse the folder path: expected a character that the folder rules allow, found ` ` at byte 1 of the \
         folder path",
    );
    check(FileName::parse("").unwrap_err(), "could not parse the file name: expected a file name, found empty text");
    check(
        ObjectKey::parse("").unwrap_err(),
        "could not parse the object key: expected an object key, found empty text",
    );
}

#[test]
fn json_goes_through_the_parsers() {
    let bucket: BucketName = serde_json::from_str(r#""my-bucket""#).unwrap();
    assert_eq!(serde_json::to_string(&bucket).unwrap(), r#""my-bucket""#);
    let folder: FolderPath = serde_json::from_str(r#""a\/%SEGMENT_ID%""#).unwrap();
    assert_eq!(serde_json::to_string(&folder).unwrap(), r#""a/%SEGMENT_ID%""#);
    let key: ObjectKey = serde_json::from_str(r#""a/b""#).unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), r#""a/b""#);

    let error = serde_json::from_str::<BucketName>(r#""my.bucket""#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a lowercase letter, a digit or a hyphen, found `.` at byte 2 of the bucket name"
    );
}

#[test]
fn text_converts_and_prints() {
    let bucket = BucketName::try_from("my-bucket").unwrap();
    assert_eq!(bucket, BucketName::try_from("my-bucket".to_owned()).unwrap());
    assert_eq!(bucket, "my-bucket".parse().unwrap());
    assert_eq!((bucket.to_string().as_str(), bucket.as_ref()), ("my-bucket", "my-bucket"));
    assert_eq!(format!("{bucket:?} {bucket:>12}"), r#"BucketName("my-bucket")    my-bucket"#);
    assert!(bucket < BucketName::parse("my-bucket2").unwrap());
}
