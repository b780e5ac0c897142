//! What a bucket, folder, file name or key prints parses to the same, errors point into the input, and a key that is
//! built of a folder, a file name and values lies where the folder says.
//!
//! The parts are split at the bytes 0xFF: the folder (which is also parsed as every other kind of name), the template of
//! the file name, the name of the audience, its id, and the custom text.

use std::fmt::{Debug, Display};
use std::num::NonZeroU64;

use chrono::DateTime;
use consign::Span;
use consign::location::{BucketName, BucketRules, FileName, FolderPath, FolderRules, ObjectKey};
use consign::template::{Context, Template, TemplateRules, ValuePolicy};

pub fn run(data: &[u8]) {
    let Ok(parts) = data.split(|byte| *byte == 0xFF).map(str::from_utf8).collect::<Result<Vec<_>, _>>() else { return };
    let part = |nth: usize, other| parts.get(nth).copied().unwrap_or(other);
    let text = part(0, "");

    use BucketRules as B;
    for rules in [B::Strict, B::Lenient, B::Platform, B::PlatformApi, B::Aws, B::AwsDirectory, B::Gcs, B::Azure] {
        match BucketName::parse_with(text, rules) {
            Ok(bucket) => same(&bucket, text, |text| BucketName::parse_with(text, rules)),
            Err(error) => fault(text, error.input(), error.span(), &error),
        }
    }
    match FileName::parse(text) {
        Ok(name) => same(&name, text, FileName::parse),
        Err(error) => fault(text, error.input(), error.span(), &error),
    }
    match ObjectKey::parse(text) {
        Ok(key) => {
            same(&key, text, ObjectKey::parse);
            well_formed(&key);
        }
        Err(error) => fault(text, error.input(), error.span(), &error),
    }

    let values = [part(2, "audience"), part(3, "id"), part(4, "text")];
    use FolderRules as F;
    for rules in [F::Strict, F::Lenient, F::Platform, F::PlatformApi, F::Aws, F::Gcs, F::Azure] {
        match FolderPath::parse_with(text, rules) {
            Ok(folder) => {
                same(&folder, text, |text| FolderPath::parse_with(text, rules));
                for policy in [ValuePolicy::Verbatim, ValuePolicy::Refuse, ValuePolicy::PercentEncode] {
                    deliver(&folder, part(1, "%SEGMENT_ID%"), &values, policy);
                }
            }
            Err(error) => fault(text, error.input(), error.span(), &error),
        }
    }
}

/// Builds the key of a file as an export does.
fn deliver(folder: &FolderPath, name: &str, values: &[&str; 3], policy: ValuePolicy) {
    let Ok(name) = Template::parse_with(name, TemplateRules::FileName) else { return };
    let context = context(values).with_value_policy(policy);
    let (Ok(place), Ok(name)) =
        (folder.template().expand(&context, NonZeroU64::MIN), name.expand(&context, NonZeroU64::MAX))
    else {
        return;
    };
    let Ok(key) = ObjectKey::join(&place, &format!("{name}.csv.gz")) else {
        let long = place.len() + name.len() + "/.csv.gz".len();
        assert!(long > FileName::MAX_CHARS, "only its length makes a checked name no key: {place:?} {name:?}");
        return;
    };
    well_formed(&key);

    let mut harmless = String::new();
    folder.template().expand_into(&self::context(&["x"; 3]), NonZeroU64::MIN, &mut harmless);
    let harmless = ObjectKey::join(&harmless, "x").expect("the folder takes a name that holds nothing");
    let depth = |key: &ObjectKey| key.as_str().matches('/').count();
    assert_eq!(depth(&key), depth(&harmless), "a value moved the file: {key}");
}

fn context(values: &[&str; 3]) -> Context {
    let [audience, id, custom] = *values;
    let time = DateTime::from_timestamp(1_652_130_343, 0).expect("the second is in range");
    Context::new(time)
        .with_audience_id(id)
        .with_audience_name(audience)
        .with_custom_text(custom)
        .with_dataset_id(id)
        .with_dataset_name(audience)
        .with_destination(custom)
        .with_destination_instance_id(id)
        .with_destination_instance_name(custom)
        .with_merge_policy_id(id)
        .with_merge_policy_name(audience)
        .with_organization_name(custom)
        .with_sandbox_name(id)
}

fn well_formed(key: &ObjectKey) {
    let text = key.as_str();
    assert!(!text.contains(char::is_control), "a control character in {key:?}");
    assert!(text.split('/').all(|segment| !matches!(segment, "" | "." | "..")), "a forbidden segment in {key:?}");
    assert!(text.len() <= ObjectKey::MAX_BYTES, "{} bytes in {key:?}", text.len());
}

fn same<T: Debug + Display + PartialEq, E: Debug>(parsed: &T, text: &str, parse: impl Fn(&str) -> Result<T, E>) {
    let printed = parsed.to_string();
    assert_eq!(printed, text);
    assert_eq!(parse(&printed).expect("what was printed parses"), *parsed);
}

fn fault(text: &str, input: &str, span: Span, error: &impl Display) {
    assert_eq!(input, text);
    assert!(text.get(span.range()).is_some(), "{span:?} does not lie in {text:?}");
    let line = error.to_string();
    assert!(!line.contains(['\n', '\r']), "more than one line: {line:?}");
    assert!(format!("{error:#}").starts_with(&line));
}
