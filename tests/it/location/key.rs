//! Object keys and file names.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use chrono::DateTime;
use consign::location::{
    CharClass, FileName, FileNameErrorKind, FolderPath, FolderRules, KeyWarning, ObjectKey, ObjectKeyErrorKind as Kind,
};
use consign::template::{Context, ExpandErrorKind, Template, TemplateRules, ValuePolicy};
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::prelude::*;

#[track_caller]
fn check_error(key: &str, kind: Kind, text: &str) {
    let error = ObjectKey::parse(key).unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
    assert!(error.input().get(error.span().range()).is_some());
}

#[track_caller]
fn check_join(folder: &str, name: &str, expected: &str) {
    assert_eq!(ObjectKey::join(folder, name).unwrap().as_str(), expected);
}

#[track_caller]
fn check_join_error(folder: &str, name: &str, kind: Kind, text: &str) {
    let error = ObjectKey::join(folder, name).unwrap_err();
    assert_eq!((error.kind(), format!("{error:#}").as_str()), (kind, text));
}

#[test]
fn samples_of_aws() {
    for key in [
        "4my-organization",
        "my.great_photos-2014/jan/myvacation.jpg",
        "videos/2014/birthday/video1.wmv",
        "folder/.hidden/file.txt",
        "folder/..backup/file.txt",
        "soap",
    ] {
        assert_eq!(ObjectKey::parse(key).unwrap().as_str(), key);
    }
    for key in [
        "videos/2014/../../video1.wmv",
        "videos/../../video1.wmv",
        "videos/../../2014/video1.wmv",
        "folder/./file.txt",
        "folder/../file.txt",
        "./file.txt",
        "../file.txt",
    ] {
        assert_eq!(ObjectKey::parse(key).unwrap_err().kind(), Kind::Segment);
    }
}

#[test]
fn errors_word_for_word() {
    check_error("", Kind::Empty, "expected an object key, found empty text\n\n^");
    check_error("/a", Kind::Segment, "expected no slash at the beginning of the object key, found one\n/a\n^");
    check_error("a/", Kind::Segment, "expected no slash at the end of the object key, found one\na/\n ^");
    check_error("/", Kind::Segment, "expected no slash at the beginning of the object key, found one\n/\n^");
    check_error(
        "a//b",
        Kind::Segment,
        "expected text between slashes, found none at byte 2 of the object key\na//b\n  ^",
    );
    check_error(
        "a/../b",
        Kind::Segment,
        "expected no segment `..`, found one at byte 2 of the object key\na/../b\n  ^^",
    );
    check_error("..", Kind::Segment, "expected no segment `..`, found one at byte 0 of the object key\n..\n^^");
    check_error(
        "a\nb",
        Kind::Character,
        "expected no control character, found `\\n` at byte 1 of the object key\na\\nb\n ^^",
    );
    check_error(
        "é\u{85}",
        Kind::Character,
        "expected no control character, found `\\u{85}` at byte 2 of the object key\né\\u{85}\n ^^^^^^",
    );
    check_error(
        "a/%SEGMENT_ID%.csv",
        Kind::Unexpanded,
        "expected no macro that is left to expand, found `%SEGMENT_ID%` at byte 2 of the object key\n\
         a/%SEGMENT_ID%.csv\n  ^^^^^^^^^^^^",
    );
    check_error(
        &"é".repeat(513),
        Kind::Length,
        &format!(
            "expected no more than 1024 bytes, found 1026 in the object key\n...{}\n{}^",
            "é".repeat(61),
            " ".repeat(63)
        ),
    );
    check_join_error("a", "", Kind::Empty, "expected a file name, found empty text\na/\n  ^");
    check_join_error(
        "a",
        "b/c",
        Kind::Character,
        "expected no slash and no control character, found `/` at byte 1 of the file name\na/b/c\n   ^",
    );
    check_join_error("a", "..", Kind::Segment, "expected a file name, found `..`, which means a folder\na/..\n  ^^");
}

/// Names and folders that are checked apart make a key together: nothing reads as a macro across the slash between them.
#[test]
fn no_macro_is_made_by_joining() {
    for key in ["a/%SEGMENT_ID%", "%TIMESTAMP%", "%x%SEGMENT_ID%", "%%custom-text%", "a%DATETIME(", "%DATETIME(YY/MM)%"]
    {
        assert_eq!(ObjectKey::parse(key).unwrap_err().kind(), Kind::Unexpanded, "{key}");
    }
    for key in ["%SEGMENT_ID/x%", "a%SEGMENT_/ID%", "100%/SEGMENT_ID%", "%segment_id%", "%DATETIME", "%SEGMENT_ID(x)%"]
    {
        assert!(ObjectKey::parse(key).is_ok(), "{key}");
    }
    for value in ["%DATETIME(YYYY", "x%DATETIME(%"] {
        let context = Context::new(DateTime::UNIX_EPOCH).with_audience_name(value);
        let template = Template::parse("%SEGMENT_NAME%").unwrap();
        assert_eq!(template.check(&context).unwrap_err().kind(), ExpandErrorKind::Unexpanded, "{value}");
    }
}

#[test]
fn lengths_are_exact() {
    let key = |bytes: usize| format!("{}/{}", "a".repeat(bytes - 101), "b".repeat(100));
    assert!(ObjectKey::parse(&key(1024)).is_ok());
    assert_eq!(ObjectKey::parse(&key(1025)).unwrap_err().kind(), Kind::Length);
    assert!(ObjectKey::parse(&"é".repeat(512)).is_ok());
    // Cut between characters, whatever their width.
    assert_eq!(ObjectKey::parse(&"€".repeat(342)).unwrap_err().span().range(), 1023..1026);

    assert!(FileName::parse(&"é".repeat(255)).is_ok());
    let error = FileName::parse(&"é".repeat(256)).unwrap_err();
    assert_eq!((error.kind(), error.span().range()), (FileNameErrorKind::Length, 510..512));
    assert_eq!(error.to_string(), "expected no more than 255 characters, found 256 in the file name");
    assert!(ObjectKey::join("a", &"b".repeat(255)).is_ok());
    assert_eq!(ObjectKey::join("a", &"b".repeat(256)).unwrap_err().kind(), Kind::Length);
}

#[test]
fn folders_and_names_are_joined() {
    check_join("a/b", "c.csv", "a/b/c.csv");
    check_join("/a/b/", "c.csv", "a/b/c.csv");
    check_join("", "c.csv", "c.csv");
    check_join("/", "c.csv", "c.csv");
    assert_eq!(ObjectKey::parse("a/b.csv").unwrap().file_name(), "b.csv");
    assert_eq!(ObjectKey::parse("b.csv").unwrap().file_name(), "b.csv");
}

#[test]
fn characters_have_the_classes_of_aws() {
    for c in "0189AZaz!-_.*'()/".chars() {
        assert_eq!(CharClass::of(c), CharClass::Safe, "{c}");
    }
    for c in "&$@=;:+,? é日😀".chars() {
        assert_eq!(CharClass::of(c), CharClass::NeedsCare, "{c}");
    }
    for c in "\\{}^%`[]\"<>~#|\u{A0}\u{AD}".chars() {
        assert_eq!(CharClass::of(c), CharClass::Avoid, "{c}");
    }
    let class = |key: &str| ObjectKey::parse(key).unwrap().class();
    assert_eq!(class("a/b.csv"), CharClass::Safe);
    assert_eq!(class("a b/b.csv"), CharClass::NeedsCare);
    assert_eq!(class("a b/100%.csv"), CharClass::Avoid);
}

#[test]
fn names_with_a_meaning_of_their_own_are_warned_about() {
    let warnings = |key: &str| ObjectKey::parse(key).unwrap().warnings();
    assert_eq!(warnings("a/b.csv"), []);
    assert_eq!(warnings("soap"), [KeyWarning::Soap]);
    assert_eq!(warnings("a."), [KeyWarning::TrailingDot]);
    let of = |character, class, at| KeyWarning::Character { character, class, at };
    assert_eq!(
        warnings("a b c%%d"),
        [of(' ', CharClass::NeedsCare, 1), of('%', CharClass::Avoid, 5)],
        "each character once"
    );
    assert_eq!(KeyWarning::TrailingDot.to_string(), "the object key ends in a dot, which some tools drop");
    assert_eq!(
        of('\u{a0}', CharClass::Avoid, 3).to_string(),
        "`\\u{a0}` at byte 3 of the object key should be avoided: some tools and stores change it"
    );
    assert_eq!(
        of('é', CharClass::NeedsCare, 0).to_string(),
        "`é` at byte 0 of the object key needs care: it must be encoded in URLs"
    );
    assert_eq!(
        KeyWarning::Soap.to_string(),
        "the object key `soap` cannot be named by requests in the virtual-host style"
    );
}

/// `Path::from` would encode `" ^ [ ] % *`, which the platform allows in folder paths.
#[tokio::test]
async fn the_key_is_the_key_in_the_store() {
    for text in [r#"a/!-_.'()"^[]+$%25*{}`<>~#|\b c?"#, "é/日本 😀.csv", "a/%SEGMENT/x%y", "folder/...", "%2E%2E/a"]
    {
        let key = ObjectKey::parse(text).unwrap();
        let store = InMemory::new();
        store.put(&Path::from(&key), "x".into()).await.unwrap();
        let listed: Vec<String> =
            store.list(None).map(|entry| entry.map(|entry| entry.location.to_string())).try_collect().await.unwrap();
        assert_eq!(listed, [text]);

        let folder = tempfile::tempdir().unwrap();
        let store = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        store.put(&Path::from(&key), "x".into()).await.unwrap();
        assert_eq!(std::fs::read(folder.path().join(text)).unwrap(), b"x");
    }
}

/// Values as people would not give them, if they were kind.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("/"),
        Just("."),
        Just(".."),
        Just("\n"),
        Just("\0"),
        Just("%"),
        Just("%SEGMENT_ID%"),
        Just("SEGMENT_NAME"),
        Just("%2F"),
        Just("\\"),
        Just(" "),
        Just("a"),
        Just("é"),
        Just("\u{85}"),
        Just("\u{2028}"),
        Just(""),
    ];
    prop_oneof![
        3 => proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

fn policy() -> impl Strategy<Value = ValuePolicy> {
    prop_oneof![Just(ValuePolicy::Verbatim), Just(ValuePolicy::Refuse), Just(ValuePolicy::PercentEncode)]
}

#[test]
fn hostile_keys_take_linear_time() {
    let repeat = |text: &str| text.repeat((1 << 20) / text.len());
    for text in [repeat("a"), repeat("/"), repeat("a/"), repeat("../"), repeat("%"), repeat("%SEGMENT_ID"), repeat("é")]
    {
        let start = Instant::now();
        let alone = ObjectKey::parse(&text).unwrap_err();
        let name = ObjectKey::join("acme", &text).unwrap_err();
        let folder = ObjectKey::join(&text, "a.csv").err();
        let shown = format!("{alone:#}{name:#}{folder:#?}");
        let taken = start.elapsed();
        assert!(!shown.is_empty() && taken < Duration::from_secs(5), "took {taken:?} for {}…", &text[..20]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the values, a file lies as deep as its folder says, under a key that is one.
    #[test]
    fn no_value_moves_a_file_out_of_its_folder(
        name in hostile(),
        id in hostile(),
        custom in hostile(),
        policy in policy(),
        folder in prop_oneof![
            Just("acme/%SEGMENT_NAME%"),
            Just("/acme/%SEGMENT_ID%/%SEGMENT_NAME%/"),
            Just("acme/.%SEGMENT_ID%%SEGMENT_NAME%"),
            Just("%SEGMENT_ID%"),
        ],
    ) {
        let folder = FolderPath::parse_with(folder, FolderRules::Lenient).unwrap();
        let file = Template::parse_with("%CUSTOM_TEXT%%SEGMENT_ID%_%DATETIME%", TemplateRules::FileName).unwrap();
        let context = Context::new(DateTime::UNIX_EPOCH)
            .with_audience_name(name)
            .with_audience_id(id)
            .with_custom_text(custom)
            .with_value_policy(policy);
        let (Ok(place), Ok(file)) =
            (folder.template().expand(&context, NonZeroU64::MIN), file.expand(&context, NonZeroU64::MIN))
        else {
            return Ok(());
        };
        match ObjectKey::join(&place, &format!("{file}.csv.gz")) {
            Ok(key) => {
                let depth = folder.as_str().trim_matches('/').matches('/').count() + 1;
                prop_assert_eq!(key.as_str().matches('/').count(), depth);
                prop_assert!(!key.as_str().chars().any(char::is_control));
                for segment in key.as_str().split('/') {
                    prop_assert!(!matches!(segment, "" | "." | ".."));
                }
                let path = Path::from(&key);
                prop_assert_eq!(path.as_ref(), key.as_str());
                if policy != ValuePolicy::Verbatim {
                    prop_assert!(key.as_str().chars().all(|c| c == '%' || CharClass::of(c) == CharClass::Safe));
                }
            }
            // A long value may make the key too long, which nothing but the whole key can show.
            Err(error) => prop_assert_eq!(error.kind(), Kind::Length),
        }
    }

    /// Encoding takes whatever there is, and no two values become one.
    #[test]
    fn percent_encoding_refuses_only_empty_values(a in hostile(), b in hostile()) {
        let template = Template::parse("acme/%SEGMENT_NAME%").unwrap();
        let expand = |value: &str| {
            let context = Context::new(DateTime::UNIX_EPOCH)
                .with_audience_name(value)
                .with_value_policy(ValuePolicy::PercentEncode);
            template.expand(&context, NonZeroU64::MIN)
        };
        prop_assert_eq!(expand(&a).is_err(), a.is_empty());
        if let (Ok(x), Ok(y)) = (expand(&a), expand(&b)) {
            prop_assert_eq!(x == y, a == b);
        }
    }

    /// What parses prints as it was, and every error points into its input.
    #[test]
    fn keys_print_as_they_were_parsed(text in hostile()) {
        match ObjectKey::parse(&text) {
            Ok(key) => prop_assert_eq!(key.to_string(), text),
            Err(error) => prop_assert!(error.input().get(error.span().range()).is_some()),
        }
    }
}

#[test]
fn ids_in_names_are_no_paths() {
    let destination = consign::Destination::builder(
        consign::location::BucketName::parse("acme-exports").unwrap(),
        FolderPath::parse("in").unwrap(),
        Template::parse("t").unwrap(),
    )
    .build()
    .unwrap();
    let context = Context::new(DateTime::UNIX_EPOCH);
    assert!(destination.check_names(&context, "run").is_ok());
    for (context, run_id, name) in [
        (context.clone(), "a/b", "manifest-a/b.json"),
        (context.with_destination_instance_id("../x"), "run", "manifest-../x-run.json"),
    ] {
        let error = destination.check_names(&context, run_id).unwrap_err();
        assert_eq!(error.kind(), consign::ErrorKind::Context);
        assert_eq!(
            error.to_string(),
            format!("the name `{name}` holds '/': expected ids that can be part of a file name")
        );
    }
}
