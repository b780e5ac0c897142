//! What one run of an export knows: its time, ids and names.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};

/// The values that macros stand for, in one run of an export.
///
/// A value that no template asks for need not be there; [`Template::check`](super::Template::check) tells what is
/// missing. All times are in UTC.
///
/// ```
/// use chrono::DateTime;
/// use consign::template::Context;
///
/// let context = Context::new(DateTime::UNIX_EPOCH).with_audience_name("Luxury Audience");
/// assert_eq!(context.audience_name(), Some("Luxury Audience"));
/// assert_eq!(context.audience_id(), None);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Context {
    time: DateTime<Utc>,
    policy: ValuePolicy,
    destination: Option<String>,
    destination_instance_id: Option<String>,
    destination_instance_name: Option<String>,
    audience_id: Option<String>,
    audience_name: Option<String>,
    organization_name: Option<String>,
    sandbox_name: Option<String>,
    merge_policy_id: Option<String>,
    merge_policy_name: Option<String>,
    dataset_id: Option<String>,
    dataset_name: Option<String>,
    custom_text: Option<String>,
}

impl Context {
    /// A context that knows the time of the export and nothing else.
    #[must_use]
    pub fn new(time: DateTime<Utc>) -> Self {
        Self {
            time,
            policy: ValuePolicy::default(),
            destination: None,
            destination_instance_id: None,
            destination_instance_name: None,
            audience_id: None,
            audience_name: None,
            organization_name: None,
            sandbox_name: None,
            merge_policy_id: None,
            merge_policy_name: None,
            dataset_id: None,
            dataset_name: None,
            custom_text: None,
        }
    }

    /// The time of the export.
    #[must_use]
    pub fn time(&self) -> DateTime<Utc> {
        self.time
    }

    /// What becomes of characters in values that are not safe in a key; [`ValuePolicy::Verbatim`] unless it is said.
    #[must_use]
    pub fn with_value_policy(mut self, policy: ValuePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// What becomes of characters in values that are not safe in a key.
    #[must_use]
    pub fn value_policy(&self) -> ValuePolicy {
        self.policy
    }
}

/// One setter and one getter for each value.
macro_rules! values {
    ($($what:literal, $macro:literal: $set:ident, $get:ident;)*) => {
        impl Context {
            $(
                #[doc = concat!("The same context with the ", $what, ", for `%", $macro, "%`.")]
                #[must_use]
                pub fn $set(mut self, value: impl Into<String>) -> Self {
                    self.$get = Some(value.into());
                    self
                }

                #[doc = concat!("The ", $what, ", if it is known.")]
                #[must_use]
                pub fn $get(&self) -> Option<&str> {
                    self.$get.as_deref()
                }
            )*

            /// All that it knows, by names that stay: an export that goes on is known by them to be the same one.
            pub(crate) fn settings(&self) -> Vec<(&'static str, Json)> {
                let policy = match self.policy {
                    ValuePolicy::PercentEncode => "percentEncode",
                    ValuePolicy::Refuse => "refuse",
                    ValuePolicy::Verbatim => "verbatim",
                };
                vec![
                    ("time", json!(self.time.to_rfc3339_opts(SecondsFormat::Nanos, true))),
                    ("valuePolicy", json!(policy)),
                    $(($macro, json!(self.$get()))),*
                ]
            }
        }
    };
}

values! {
    "name of the destination", "DESTINATION": with_destination, destination;
    "id of the dataflow", "DESTINATION_INSTANCE_ID": with_destination_instance_id, destination_instance_id;
    "name of the dataflow", "DESTINATION_INSTANCE_NAME": with_destination_instance_name, destination_instance_name;
    "id of the audience", "SEGMENT_ID": with_audience_id, audience_id;
    "name of the audience", "SEGMENT_NAME": with_audience_name, audience_name;
    "name of the organization", "ORGANIZATION_NAME": with_organization_name, organization_name;
    "name of the sandbox", "SANDBOX_NAME": with_sandbox_name, sandbox_name;
    "id of the merge policy", "MERGE_POLICY_ID": with_merge_policy_id, merge_policy_id;
    "name of the merge policy", "MERGE_POLICY_NAME": with_merge_policy_name, merge_policy_name;
    "id of the dataset", "DATASET_ID": with_dataset_id, dataset_id;
    "name of the dataset", "DATASET_NAME": with_dataset_name, dataset_name;
    "text of the caller's", "CUSTOM_TEXT": with_custom_text, custom_text;
}

/// What becomes of the characters of a value that are not safe in a key.
///
/// Values are names that people gave, such as the name of an audience. Whatever the policy, a value never moves a file
/// out of its folder: `/`, control characters, a whole segment of `.` or `..`, and anything that reads as a macro are
/// refused when the context is checked, or are encoded.
///
/// The safe characters are `0-9 a-z A-Z ! - _ . * ' ( )` (AWS user guide, object key naming guidelines).
///
/// ```
/// use std::num::NonZeroU64;
///
/// use chrono::DateTime;
/// use consign::template::{Context, Template, ValuePolicy};
///
/// let template = Template::parse("acme/%SEGMENT_NAME%")?;
/// let context = Context::new(DateTime::UNIX_EPOCH).with_audience_name("50% off/now");
/// assert_eq!(
///     template.check(&context).unwrap_err().to_string(),
///     "the value of `%SEGMENT_NAME%` holds `/` at its byte 7, which would make another folder"
/// );
/// let context = context.with_value_policy(ValuePolicy::PercentEncode);
/// assert_eq!(template.expand(&context, NonZeroU64::MIN)?, "acme/50%25%20off%2Fnow");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ValuePolicy {
    /// Insert values as they are, as the platform does.
    #[default]
    Verbatim,
    /// Refuse a value with a character that is not safe.
    Refuse,
    /// Write each byte of the UTF-8 of such characters as `%` and two hexadecimal digits in capitals; the dots of a
    /// value that has nothing else, too.
    PercentEncode,
}
