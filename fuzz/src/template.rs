//! What a template prints parses to the same template, errors point into the input, and a value never leaves its folder.
//!
//! The text stands before the first byte 0xFF, and what the context holds for every macro behind it.

use std::num::NonZeroU64;

use chrono::DateTime;
use consign::Span;
use consign::template::{Context, Template, TemplateRules, ValuePolicy};

pub fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0xFF).map(str::from_utf8);
    let (Some(Ok(text)), value) = (parts.next(), parts.next()) else { return };
    let Ok(value) = value.unwrap_or(Ok("value")) else { return };

    for rules in [TemplateRules::Lenient, TemplateRules::FileName, TemplateRules::Strict, TemplateRules::DatasetFolder]
    {
        match Template::parse_with(text, rules) {
            Ok(template) => {
                let again = Template::parse_with(&template.to_string(), rules).expect("what was printed parses");
                assert_eq!(again, template);
                for policy in [ValuePolicy::Verbatim, ValuePolicy::Refuse, ValuePolicy::PercentEncode] {
                    expand(&template, value, policy);
                }
            }
            Err(error) => {
                inside(text, error.span());
                one_line(&error.to_string());
                assert!(format!("{error:#}").starts_with(&error.to_string()));
            }
        }
    }
}

fn expand(template: &Template, value: &str, policy: ValuePolicy) {
    let context = context(value).with_value_policy(policy);
    let expanded = match template.expand(&context, NonZeroU64::MAX) {
        Ok(expanded) => expanded,
        Err(error) => {
            assert!(template.check(&context).is_err(), "the check finds what expanding finds");
            inside(template.as_str(), error.span());
            one_line(&error.to_string());
            return;
        }
    };
    let mut appended = "before/".to_owned();
    template.expand_into(&context, NonZeroU64::MAX, &mut appended);
    assert_eq!(appended.strip_prefix("before/"), Some(&*expanded), "expanding appends");

    assert!(!expanded.contains(char::is_control), "a control character in {expanded:?}");
    assert!(expanded.split('/').all(|segment| !matches!(segment, "." | "..")), "a forbidden segment in {expanded:?}");
    let mut harmless = String::new();
    template.expand_into(&self::context("x"), NonZeroU64::MAX, &mut harmless);
    let folders = |text: &str| text.matches('/').count();
    assert_eq!(folders(&expanded), folders(&harmless), "a value moved the file: {expanded:?}");
}

fn context(value: &str) -> Context {
    let time = DateTime::from_timestamp(1_652_130_343, 0).expect("the second is in range");
    Context::new(time)
        .with_audience_id(value)
        .with_audience_name(value)
        .with_custom_text(value)
        .with_dataset_id(value)
        .with_dataset_name(value)
        .with_destination(value)
        .with_destination_instance_id(value)
        .with_destination_instance_name(value)
        .with_merge_policy_id(value)
        .with_merge_policy_name(value)
        .with_organization_name(value)
        .with_sandbox_name(value)
}

fn inside(text: &str, span: Span) {
    assert!(text.get(span.range()).is_some(), "{span:?} does not lie in {text:?}");
}

fn one_line(message: &str) {
    assert!(!message.contains(['\n', '\r']), "more than one line: {message:?}");
}
