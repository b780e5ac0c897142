//! What can be wrong with a JSON text of the platform: the field, the value, the rule and the place.

use std::fmt;

use super::ENVELOPE;
use super::place::{self, Step};
use crate::Span;
use crate::span::Caret;

/// A JSON text is not what the platform, or this crate, takes.
///
/// `{}` is one line that names the field by its path, then what was found and expected, and the place; `{:#}` adds the
/// line of the text with carets, but not where the text holds secrets or encryption. `{:?}` never shows that line.
#[derive(Clone, Eq, PartialEq)]
pub struct PlatformError(Box<Inner>);

#[derive(Clone, Eq, PartialEq)]
struct Inner {
    kind: PlatformErrorKind,
    path: String,
    text: String,
    line: usize,
    column: usize,
    span: Span,
    /// The line at fault and the span in it, unless it may hold a secret.
    excerpt: Option<(String, Span)>,
}

/// What kind of fault a JSON text has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PlatformErrorKind {
    /// It is no JSON.
    Syntax,
    /// A field is not known where it stands.
    UnknownField,
    /// A field is missing.
    MissingField,
    /// A field is given twice, perhaps under two of its names.
    DuplicateField,
    /// A value has the wrong type, such as a number where a text is expected.
    Type,
    /// A value breaks its rules.
    Value,
    /// Two values exclude one another, or what one of them asks for is not built.
    Rule,
}

/// Whether errors may show the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Show {
    Everything,
    NoValues,
}

impl Show {
    /// What errors may show of a text that should hold no secret: nothing where one is likely. A whole connection may
    /// have been given where only its target belongs, or a private key where a public one does.
    pub(super) fn of(json: &str) -> Self {
        let secret = ["s3SecretKey", "s3AccessKey", "\"auth\"", "\"encryption\"", PRIVATE_KEY];
        if secret.iter().any(|mark| json.contains(mark)) { Self::NoValues } else { Self::Everything }
    }
}

/// What stands in the first line of every armored private key.
pub(super) const PRIVATE_KEY: &str = "PRIVATE KEY";

impl PlatformError {
    /// What kind of fault it is.
    #[must_use]
    pub fn kind(&self) -> PlatformErrorKind {
        self.0.kind
    }

    /// The path of the field, such as `csvOptions.delimiter`; empty for the whole text.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// The character in its line, counted from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column
    }

    /// The bytes at fault in the JSON text: the value, or the key of a field that should not be there.
    #[must_use]
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// What is wrong with the value at a path of plain keys.
    pub(super) fn at(kind: PlatformErrorKind, json: &str, path: &str, text: String, show: Show) -> Self {
        let steps = place::keys(path);
        // A field that is not there is looked for in what should hold it.
        let span = (0..=steps.len()).rev().find_map(|n| place::locate(json, &steps[..n])).unwrap_or_default().value;
        Self::new(kind, path.to_owned(), text, json, span, show)
    }

    /// What serde found, with the path that was being read.
    pub(super) fn from_serde(
        json: &str,
        path: &serde_path_to_error::Path,
        error: &serde_json::Error,
        show: Show,
    ) -> Self {
        use serde_path_to_error::Segment;

        let path: Vec<Step> = path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Map { key } => Some(Step::Key(key.clone())),
                Segment::Seq { index } => Some(Step::Index(*index)),
                Segment::Enum { .. } | Segment::Unknown => None,
            })
            .collect();
        let message = message(error);
        if !error.is_data() {
            let at = offset(json, error.line(), error.column());
            let text = format!("broken JSON: {message}");
            let span = Span::new(at, at + json[at..].chars().next().map_or(0, char::len_utf8));
            return Self::new(PlatformErrorKind::Syntax, String::new(), text, json, span, show);
        }
        Self::data(json, path, &message, show)
    }

    fn data(json: &str, mut path: Vec<Step>, message: &str, show: Show) -> Self {
        use PlatformErrorKind::{DuplicateField, MissingField, Type, UnknownField, Value};

        if let Some(rest) = message.strip_prefix("unknown field `")
            && let Some((name, expected)) = rest.split_once("`, ")
        {
            if path.last() != Some(&Step::Key(name.to_owned())) {
                path.push(Step::Key(name.to_owned()));
            }
            // A connector has an `id` and a `version` of its own, and nothing else.
            let names = || expected.split('`').skip(1).step_by(2);
            let known: Vec<&str> = names().filter(|name| !ENVELOPE.contains(name)).collect();
            let known = if known.is_empty() { names().collect() } else { known };
            let hint = nearest(name, &known).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
            let text = format!("unknown field{hint} (expected {})", list(&known));
            let span = place::locate(json, &path).unwrap_or_default().key;
            return Self::new(UnknownField, place::spell(&path), text, json, span, show);
        }
        if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            let span = place::locate(json, &path).unwrap_or_default().value;
            path.push(Step::Key(name.to_owned()));
            return Self::new(MissingField, place::spell(&path), "missing field".into(), json, span, show);
        }
        if let Some(name) = message.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
            let parent = place::locate(json, &path).unwrap_or_default();
            path.push(Step::Key(name.to_owned()));
            // Under its other name it is not found, and the object stands for it.
            let span = place::locate(json, &path).unwrap_or(parent).key;
            return Self::new(DuplicateField, place::spell(&path), "duplicate field".into(), json, span, show);
        }
        let (kind, text) = match message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
        {
            Some((found, expected)) if show == Show::Everything => {
                (Type, format!("expected {}, found {}", word(expected), word(found)))
            }
            Some((_, expected)) => (Type, format!("expected {}, found another type", word(expected))),
            None => (Value, message.to_owned()),
        };
        let span = place::locate(json, &path).unwrap_or_default().value;
        Self::new(kind, place::spell(&path), text, json, span, show)
    }

    /// The same error in a text that has more bytes before the JSON.
    pub(super) fn moved(mut self, by: usize) -> Self {
        self.0.span = Span::new(self.0.span.start() + by, self.0.span.end() + by);
        self
    }

    fn new(kind: PlatformErrorKind, path: String, text: String, json: &str, span: Span, show: Show) -> Self {
        let before = &json[..span.start()];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let excerpt = (show == Show::Everything).then(|| {
            let end = json[line_start..].find('\n').map_or(json.len(), |at| line_start + at);
            let excerpt = json[line_start..end].trim_end_matches('\r');
            let within = |at: usize| at.saturating_sub(line_start).min(excerpt.len());
            (excerpt.to_owned(), Span::new(within(span.start()), within(span.end())))
        });
        Self(Box::new(Inner { kind, path, text, line, column, span, excerpt }))
    }
}

/// What a user calls a type that serde names by its own words.
fn word(serde: &str) -> &str {
    match serde {
        "a sequence" | "sequence" => "a list",
        "i64" => "a whole number",
        "map" => "an object",
        "u64" => "a whole number of at least 0",
        other => other,
    }
}

/// The message without its place, which serde counts in bytes and after the value.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(place.as_str()).unwrap_or(&text).to_owned()
}

/// The byte that serde's line and column mean: the column is counted in bytes from 1, and is 0 at a line's end.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let start: usize = json.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(json.len());
    while !json.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The name that a typing mistake is nearest to.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let fold = |text: &str| text.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_lowercase();
    let wanted = fold(name);
    let (distance, near) = known.iter().map(|near| (distance(&wanted, &fold(near)), near)).min_by_key(|(d, _)| *d)?;
    let begins = || known.iter().find(|near| wanted.len() > 3 && fold(near).starts_with(&wanted));
    if distance * 3 <= wanted.chars().count() { Some(near) } else { begins().copied() }
}

/// `` `a`, `b` or `c` ``.
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// How many letters have to be put in, taken out, replaced, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect(), vec![0; b.len() + 1]];
    for i in 1..=a.len() {
        rows[2][0] = i;
        for j in 1..=b.len() {
            let mut cost =
                (rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1])).min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = cost;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { path, text, line, column, excerpt, .. } = &*self.0;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        write!(f, "{text} at line {line} column {column}")?;
        match excerpt {
            Some((text, span)) if f.alternate() => write!(f, "\n{}", Caret { text, span: *span }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, span, .. } = &*self.0;
        write!(f, "PlatformError({kind:?}, {}..{}, \"{self}\")", span.start(), span.end())
    }
}

impl std::error::Error for PlatformError {}

impl From<PlatformError> for crate::Error {
    fn from(error: PlatformError) -> Self {
        Self::new(crate::ErrorKind::Destination, "the JSON of the destination is wrong").with_source(error)
    }
}
