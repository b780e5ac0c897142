//! Checks names as a destination would: JSON lines on standard input, one answer line for each on standard output.
//!
//! ```text
//! $ echo '{"kind":"bucket","text":"my.bucket"}' | cargo run --example check_names
//! {"ok":false,"error":"expected a lowercase letter, a digit or a hyphen, found `.` at byte 2 of the bucket name","span":[2,3]}
//! ```
//!
//! A line is an object with these fields; `kind` and `text` are required:
//!
//! - `kind`: `bucket`, `folder`, `key`, `template` or `file-name`.
//! - `rules`: `platform`, `platform-api`, `aws`, `aws-directory`, `gcs`, `azure`, `strict` or `lenient`; without it, the
//!   default of the kind. For templates and file names, `strict` and `platform` ask for what the platform's user
//!   interface builds, all others are lenient; `aws-directory` is `aws` but for buckets. Keys have one set of rules.
//! - `text`: what to check.
//! - `context`: an object with values for the macros. Then the value of the answer is the expanded text, checked as
//!   what it has become. Without it the value is the text as it was parsed.
//!
//! The context has the names of the macros as its keys, in capitals or in small letters; null is as if it were not there:
//!
//! - `DESTINATION` (also `DESTINATION_NAME`), `DESTINATION_INSTANCE_ID`, `DESTINATION_INSTANCE_NAME`, `SEGMENT_ID` (also
//!   `AUDIENCE_ID`), `SEGMENT_NAME` (also `AUDIENCE_NAME`), `ORGANIZATION_NAME`, `SANDBOX_NAME`, `MERGE_POLICY_ID`,
//!   `MERGE_POLICY_NAME`, `DATASET_ID`, `DATASET_NAME`, `CUSTOM_TEXT` (also `custom-text`): text.
//! - `TIME` (also `DATETIME`, `EXPORT_TIME`, `TIMESTAMP`): the time of the export, as RFC 3339 text or Unix seconds.
//! - `FILE_INDEX`: a number from 1 on; 1 without it.
//! - `VALUE_POLICY`: `verbatim` (the default), `refuse` or `percent-encode`.
//!
//! Answers are `{"ok":true,"value":"…"}` and `{"ok":false,"error":"…","span":[from,to]}`, where the span is of bytes in
//! the text that was checked, or in the line where that is no such object. With `--explain` the answers are for a
//! person: the value with warnings, or the error with carets under its place and what would be allowed. Empty lines are
//! skipped, and a line that is wrong ends nothing.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};
use std::num::NonZeroU64;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use consign::Span;
use consign::location::{
    BucketName, BucketNameError, BucketRules, FileName, FileNameError, FolderPath, FolderPathError, FolderRules,
    ObjectKey, ObjectKeyError,
};
use consign::template::{Context, ExpandError, Template, TemplateError, TemplateRules, ValuePolicy};
use serde::Deserialize;
use serde_json::Value;

fn main() -> ExitCode {
    let mut form = Form::Json;
    for argument in std::env::args().skip(1) {
        if argument != "--explain" {
            eprintln!("check_names: expected no argument but --explain, found {argument:?}");
            return ExitCode::from(2);
        }
        form = Form::Person;
    }
    match answer_all(form) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the answers has had enough of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("check_names: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How answers are written.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Person,
}

fn answer_all(form: Form) -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if !line.trim_ascii().is_empty() {
            let answer = check_line(line.trim_ascii_end());
            match form {
                Form::Json => writeln!(out, "{}", answer.to_json())?,
                Form::Person => writeln!(out, "{}", answer.to_explanation())?,
            }
            // Whoever writes one line and waits for its answer gets it.
            out.flush()?;
        }
        line.clear();
    }
    Ok(())
}

/// What is found out about one line.
enum Answer {
    Good { value: String, warnings: Vec<String> },
    Bad(Fault),
}

struct Fault {
    text: String,
    /// The text with carets.
    explanation: String,
    span: Span,
}

impl Fault {
    /// A fault of a line that is not about a name: nothing is drawn, and a terminal does not obey what the line holds.
    fn of_line(text: String, span: Span) -> Self {
        let mut explanation = String::new();
        for c in text.chars() {
            if c.is_control() {
                explanation.extend(c.escape_default());
            } else {
                explanation.push(c);
            }
        }
        Self { text, explanation, span }
    }
}

impl Answer {
    fn to_json(&self) -> String {
        // By hand for the order of the fields: first whether it is good.
        match self {
            Self::Good { value, .. } => format!("{{\"ok\":true,\"value\":{}}}", Value::from(&**value)),
            Self::Bad(Fault { text, span, .. }) => format!(
                "{{\"ok\":false,\"error\":{},\"span\":[{},{}]}}",
                Value::from(&**text),
                span.start(),
                span.end()
            ),
        }
    }

    fn to_explanation(&self) -> String {
        match self {
            Self::Good { value, warnings } => {
                let mut text = format!("ok: {value}");
                for warning in warnings {
                    text.push_str("\nwarning: ");
                    text.push_str(warning);
                }
                text
            }
            Self::Bad(fault) => format!("error: {}", fault.explanation),
        }
    }
}

/// The errors of the parsers, which all have a span.
macro_rules! faults {
    ($($error:ident),*) => {
        $(
            impl From<$error> for Fault {
                fn from(error: $error) -> Self {
                    Self { text: error.to_string(), explanation: format!("{error:#}"), span: error.span() }
                }
            }
        )*
    };
}

faults!(BucketNameError, ExpandError, FileNameError, FolderPathError, ObjectKeyError, TemplateError);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: Kind,
    rules: Option<Rules>,
    text: String,
    context: Option<BTreeMap<String, Value>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Bucket,
    FileName,
    Folder,
    Key,
    Template,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rules {
    Aws,
    AwsDirectory,
    Azure,
    Gcs,
    Lenient,
    Platform,
    PlatformApi,
    Strict,
}

fn check_line(line: &[u8]) -> Answer {
    let parsed = match serde_json::from_slice::<Line>(line) {
        Ok(parsed) => parsed,
        Err(error) => {
            return Answer::Bad(Fault::of_line(error.to_string(), Span::new(0, line.len())));
        }
    };
    match check(&parsed) {
        Ok((value, warnings)) => Answer::Good { value, warnings },
        Err(fault) => Answer::Bad(fault),
    }
}

/// The value and its warnings.
type Checked = Result<(String, Vec<String>), Fault>;

fn check(line: &Line) -> Checked {
    let run = match &line.context {
        None => None,
        Some(values) => Some(Run::read(values).map_err(|error| Fault::of_line(error.to_string(), Span::default()))?),
    };
    match line.kind {
        Kind::Bucket => check_bucket(line),
        Kind::Folder => check_folder(line, run.as_ref()),
        Kind::Key => check_key(line, run.as_ref()),
        Kind::FileName => check_file_name(line, run.as_ref()),
        Kind::Template => check_template(line, run.as_ref()),
    }
}

fn check_bucket(line: &Line) -> Checked {
    let rules = match line.rules {
        None => BucketRules::default(),
        Some(Rules::Strict) => BucketRules::Strict,
        Some(Rules::Lenient) => BucketRules::Lenient,
        Some(Rules::Platform) => BucketRules::Platform,
        Some(Rules::PlatformApi) => BucketRules::PlatformApi,
        Some(Rules::Aws) => BucketRules::Aws,
        Some(Rules::AwsDirectory) => BucketRules::AwsDirectory,
        Some(Rules::Gcs) => BucketRules::Gcs,
        Some(Rules::Azure) => BucketRules::Azure,
    };
    let bucket = BucketName::parse_with(&line.text, rules)?;
    Ok((bucket.to_string(), words(&bucket.warnings())))
}

fn check_folder(line: &Line, run: Option<&Run>) -> Checked {
    let rules = match line.rules {
        None => FolderRules::default(),
        Some(Rules::Strict) => FolderRules::Strict,
        Some(Rules::Lenient) => FolderRules::Lenient,
        Some(Rules::Platform) => FolderRules::Platform,
        Some(Rules::PlatformApi) => FolderRules::PlatformApi,
        Some(Rules::Aws | Rules::AwsDirectory) => FolderRules::Aws,
        Some(Rules::Gcs) => FolderRules::Gcs,
        Some(Rules::Azure) => FolderRules::Azure,
    };
    let folder = FolderPath::parse_with(&line.text, rules)?;
    match run {
        None => Ok((folder.to_string(), Vec::new())),
        Some(run) => Ok((run.expand(folder.template())?, Vec::new())),
    }
}

fn check_key(line: &Line, run: Option<&Run>) -> Checked {
    let key = match run {
        None => ObjectKey::parse(&line.text)?,
        Some(run) => ObjectKey::parse(&run.expand(&Template::parse(&line.text)?)?)?,
    };
    Ok((key.to_string(), words(&key.warnings())))
}

fn check_file_name(line: &Line, run: Option<&Run>) -> Checked {
    let rules = match line.rules {
        Some(Rules::Strict | Rules::Platform) => TemplateRules::Strict,
        _ => TemplateRules::FileName,
    };
    let template = Template::parse_with(&line.text, rules)?;
    let value = match run {
        None => template.to_string(),
        Some(run) => FileName::parse(&run.expand(&template)?)?.to_string(),
    };
    Ok((value, words(&template.warnings())))
}

fn check_template(line: &Line, run: Option<&Run>) -> Checked {
    let rules = match line.rules {
        Some(Rules::Strict | Rules::Platform) => TemplateRules::Strict,
        _ => TemplateRules::Lenient,
    };
    let template = Template::parse_with(&line.text, rules)?;
    let value = match run {
        None => template.to_string(),
        Some(run) => run.expand(&template)?,
    };
    Ok((value, words(&template.warnings())))
}

fn words<T: ToString>(warnings: &[T]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

/// What the context of a line says.
struct Run {
    context: Context,
    /// Whether the context holds a time; the one in `context` is only there to fill the place if not.
    time: Time,
    file_index: NonZeroU64,
}

#[derive(Clone, Copy, PartialEq)]
enum Time {
    Given,
    Missing,
}

impl Run {
    fn expand(&self, template: &Template) -> Result<String, Fault> {
        if template.has_time() && self.time == Time::Missing {
            let text = "the context lacks `TIME`, which the template needs".to_owned();
            return Err(Fault { explanation: text.clone(), text, span: Span::new(0, template.as_str().len()) });
        }
        Ok(template.expand(&self.context, self.file_index)?)
    }

    fn read(values: &BTreeMap<String, Value>) -> Result<Self, Box<dyn Error>> {
        let mut run =
            Self { context: Context::new(DateTime::UNIX_EPOCH), time: Time::Missing, file_index: NonZeroU64::MIN };
        // The time goes first, since a context begins with it.
        for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            if matches!(&*name.to_uppercase(), "TIME" | "DATETIME" | "EXPORT_TIME" | "TIMESTAMP") {
                run.context = Context::new(read_time(name, value)?);
                run.time = Time::Given;
            }
        }
        for (name, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            let text =
                || value.as_str().ok_or_else(|| format!("expected text for `{name}` in the context, found {value}"));
            let context = run.context.clone();
            run.context = match &*name.to_uppercase() {
                "TIME" | "DATETIME" | "EXPORT_TIME" | "TIMESTAMP" => context,
                "DESTINATION" | "DESTINATION_NAME" => context.with_destination(text()?),
                "DESTINATION_INSTANCE_ID" => context.with_destination_instance_id(text()?),
                "DESTINATION_INSTANCE_NAME" => context.with_destination_instance_name(text()?),
                "SEGMENT_ID" | "AUDIENCE_ID" => context.with_audience_id(text()?),
                "SEGMENT_NAME" | "AUDIENCE_NAME" => context.with_audience_name(text()?),
                "ORGANIZATION_NAME" => context.with_organization_name(text()?),
                "SANDBOX_NAME" => context.with_sandbox_name(text()?),
                "MERGE_POLICY_ID" => context.with_merge_policy_id(text()?),
                "MERGE_POLICY_NAME" => context.with_merge_policy_name(text()?),
                "DATASET_ID" => context.with_dataset_id(text()?),
                "DATASET_NAME" => context.with_dataset_name(text()?),
                "CUSTOM_TEXT" | "CUSTOM-TEXT" => context.with_custom_text(text()?),
                "FILE_INDEX" => {
                    run.file_index = value
                        .as_u64()
                        .and_then(NonZeroU64::new)
                        .ok_or_else(|| format!("expected a number from 1 on for `{name}` in the context, found {value}"))?;
                    context
                }
                "VALUE_POLICY" => context.with_value_policy(match text()? {
                    "verbatim" => ValuePolicy::Verbatim,
                    "refuse" => ValuePolicy::Refuse,
                    "percent-encode" => ValuePolicy::PercentEncode,
                    other => {
                        return Err(format!(
                            "expected `verbatim`, `refuse` or `percent-encode` for `{name}` in the context, found `{other}`"
                        )
                        .into());
                    }
                }),
                _ => return Err(format!("unknown value `{name}` in the context").into()),
            };
        }
        Ok(run)
    }
}

fn read_time(name: &str, value: &Value) -> Result<DateTime<Utc>, String> {
    let time = match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
        Value::Number(number) => number.as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        _ => None,
    };
    time.ok_or_else(|| {
        format!("expected a time as RFC 3339 text or in Unix seconds for `{name}` in the context, found {value}")
    })
}
