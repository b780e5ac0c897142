//! Where in a JSON text a value stands, found again by its path once something is known to be wrong with it.

use serde::de::IgnoredAny;

use crate::Span;

/// One step of a path into JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The path as it is written in messages: `csvOptions.delimiter`, `columns[1].source`.
pub(super) fn spell(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(key.chars().flat_map(char::escape_debug));
            }
            Step::Index(index) => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
            }
        }
    }
    text
}

/// A path of keys from its spelling, for paths that this crate itself names.
pub(super) fn keys(path: &str) -> Vec<Step> {
    path.split('.').filter(|key| !key.is_empty()).map(|key| Step::Key(key.to_owned())).collect()
}

/// Where a value stands, and where the key that names it does; the whole text for an empty path.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) key: Span,
    pub(super) value: Span,
}

/// Follows the path into the text. The text may be broken behind the value, but not before it.
///
/// Of a key that stands there twice, the last one before the break is meant.
pub(super) fn locate(json: &str, path: &[Step]) -> Option<Found> {
    let start = skip_blanks(json, 0);
    let whole = value_at(json, start);
    let mut found = Found { key: whole, value: whole };
    for step in path {
        found = match step {
            Step::Key(key) => member(json, found.value.start(), key)?,
            Step::Index(index) => element(json, found.value.start(), *index)?,
        };
    }
    Some(found)
}

/// The last member of this name of the object at `at`.
fn member(json: &str, at: usize, name: &str) -> Option<Found> {
    let mut found = None;
    let mut at = open(json, at, '{')?;
    while json[at..].starts_with('"') {
        let Some((key, key_end)) = read::<String>(json, at) else { break };
        let key_span = Span::new(at, key_end);
        let colon = skip_blanks(json, key_end);
        if !json[colon..].starts_with(':') {
            break;
        }
        let value = value_at(json, skip_blanks(json, colon + 1));
        if key == name {
            found = Some(Found { key: key_span, value });
        }
        let Some(next) = next_item(json, value.end()) else { break };
        at = next;
    }
    found
}

/// The element of this index of the array at `at`.
fn element(json: &str, at: usize, index: usize) -> Option<Found> {
    let mut at = open(json, at, '[')?;
    for _ in 0..index {
        at = next_item(json, value_at(json, at).end())?;
    }
    let value = value_at(json, at);
    Some(Found { key: value, value })
}

/// The first byte inside the object or array at `at`.
fn open(json: &str, at: usize, bracket: char) -> Option<usize> {
    json.get(at..)?.starts_with(bracket).then(|| skip_blanks(json, at + 1))
}

/// The first byte of the next member or element, if a comma follows.
fn next_item(json: &str, at: usize) -> Option<usize> {
    let comma = skip_blanks(json, at);
    json[comma..].starts_with(',').then(|| skip_blanks(json, comma + 1))
}

fn skip_blanks(json: &str, at: usize) -> usize {
    let rest = &json[at..];
    at + (rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len())
}

/// The value at `at`; of a broken one its first character.
fn value_at(json: &str, at: usize) -> Span {
    let end = match read::<IgnoredAny>(json, at) {
        Some((_, end)) => end,
        None => at + json[at..].chars().next().map_or(0, char::len_utf8),
    };
    Span::new(at, end)
}

fn read<T: serde::de::DeserializeOwned>(json: &str, at: usize) -> Option<(T, usize)> {
    let mut stream = serde_json::Deserializer::from_str(&json[at..]).into_iter::<T>();
    let value = stream.next()?.ok()?;
    Some((value, at + stream.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, path: &[Step], expected: Option<(&str, &str)>) {
        let found = locate(json, path).map(|found| (&json[found.key.range()], &json[found.value.range()]));
        assert_eq!(found, expected);
    }

    fn key(key: &str) -> Step {
        Step::Key(key.to_owned())
    }

    #[test]
    fn paths_lead_to_values() {
        let json = r#" { "a" : [ 1, {"b": "é\"}" }, [] ], "c": null, "a2": 5 } "#;
        check(json, &[], Some((json.trim(), json.trim())));
        check(json, &[key("a"), Step::Index(0)], Some(("1", "1")));
        check(json, &[key("a"), Step::Index(1), key("b")], Some(("\"b\"", "\"é\\\"}\"")));
        check(json, &[key("a"), Step::Index(2)], Some(("[]", "[]")));
        check(json, &[key("c")], Some(("\"c\"", "null")));
        check(json, &[key("a2")], Some(("\"a2\"", "5")));
        check(json, &[key("d")], None);
        check(json, &[key("c"), key("d")], None);
        check(json, &[key("a"), Step::Index(3)], None);
    }

    #[test]
    fn what_is_broken_behind_a_value_does_not_hide_it() {
        check(r#"{"a": 1, "b": "x", "#, &[key("b")], Some(("\"b\"", "\"x\"")));
        check(r#"{"a": {"b": tru"#, &[key("a"), key("b")], Some(("\"b\"", "t")));
        check(r#"{"a": [1, 2"#, &[key("a"), Step::Index(0)], Some(("1", "1")));
        check("", &[], Some(("", "")));
        check(r#"{"a": 1, "a": 2}"#, &[key("a")], Some(("\"a\"", "2")));
    }

    #[test]
    fn paths_are_spelled_with_dots_and_brackets() {
        assert_eq!(spell(&[key("a"), Step::Index(1), key("b\n")]), "a[1].b\\n");
        assert_eq!(spell(&keys("a.b")), "a.b");
        assert_eq!(spell(&keys("")), "");
    }
}
