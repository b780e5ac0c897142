//! Which fields need quotes, and how a quoted field is spelled.

use super::dialect::{QuoteStyle, Settings};
use super::token::Empty;
use super::{EncodeError, EncodeErrorKind, Escape};

/// What a byte order mark is in UTF-8; readers drop it at the start of a file.
const BOM: &str = "\u{feff}";

/// What the encoder needs to know of a dialect, worked out once.
pub(super) struct Rules {
    /// The bytes that may make a field need quotes: a field without any is written as it is.
    care: [bool; 256],
    pub(super) delimiter: Box<str>,
    pub(super) terminator: Box<str>,
    quote: Option<char>,
    /// The character that stands before a quote inside quotes, and before itself where it is not the quote.
    escape: char,
    /// What null is, spelled as a whole field.
    pub(super) null: Box<str>,
    /// What empty text is, spelled as a whole field.
    pub(super) empty: Box<str>,
    /// The text that, written bare, would be read as null.
    null_text: Box<str>,
    comment: Option<char>,
    pub(super) style: QuoteStyle,
}

/// What kind of value a field's text came from, as far as quote styles care.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Class {
    Number,
    Other,
    Text,
}

impl Rules {
    pub(super) fn new(s: &Settings) -> Self {
        let quote = s.quote.as_char();
        let escape = match (s.escape, quote) {
            (Escape::With(c), _) => c,
            (Escape::Doubled, Some(quote)) => quote,
            (Escape::Doubled, None) => '"',
        };
        let mut rules = Self {
            care: [false; 256],
            delimiter: s.delimiter.as_str().into(),
            terminator: s.terminator.as_str().into(),
            quote,
            escape,
            null: "".into(),
            empty: "".into(),
            null_text: s.null.as_str().into(),
            comment: s.comment.as_char(),
            style: s.style,
        };
        rules.care[usize::from(b'\n')] = true;
        rules.care[usize::from(b'\r')] = true;
        let mut buffer = [0; 4];
        for first in [&*rules.delimiter, &*rules.terminator].map(|text| text.as_bytes()[0]) {
            rules.care[usize::from(first)] = true;
        }
        if let Some(quote) = quote {
            rules.care[usize::from(quote.encode_utf8(&mut buffer).as_bytes()[0])] = true;
            rules.care[usize::from(escape.encode_utf8(&mut buffer).as_bytes()[0])] = true;
        }
        rules.null = rules.marker(s.null.as_str());
        rules.empty = match &s.empty.0 {
            Empty::Quoted => quote.into_iter().chain(quote).collect::<String>().into(),
            Empty::Text(text) => rules.marker(text),
        };
        rules
    }

    /// A text for null or empty, spelled as a whole field: bare where that holds together, or already in quotes.
    fn marker(&self, text: &str) -> Box<str> {
        let Some(quote) = self.quote else { return text.into() };
        let in_quotes = text.chars().count() >= 2 && text.starts_with(quote) && text.ends_with(quote);
        if in_quotes || (self.style != QuoteStyle::All && !self.splits(text)) {
            return text.into();
        }
        let mut out = Vec::new();
        self.quoted(text, quote, &mut out);
        String::from_utf8_lossy(&out).into()
    }

    /// Whether a reader would not take this text, written bare, for one field.
    fn splits(&self, text: &str) -> bool {
        let care = text.bytes().any(|b| self.care[usize::from(b)]);
        care && (text.contains(['\n', '\r'])
            || self.quote.is_some_and(|quote| text.contains(quote) || text.contains(self.escape))
            || holds(text, &self.delimiter)
            || holds(text, &self.terminator))
    }

    /// Appends a field of this text.
    pub(super) fn field(&self, column: usize, text: &str, class: Class, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if text.is_empty() && class == Class::Text && self.forced(class) != Some(true) {
            out.extend_from_slice(self.empty.as_bytes());
            return Ok(());
        }
        let first =
            column == 0 && (self.comment.is_some_and(|comment| text.starts_with(comment)) || text.starts_with(BOM));
        let needed = self.splits(text) || first || (class == Class::Text && *text == *self.null_text);
        match (self.quote, self.forced(class)) {
            (Some(quote), None) if needed => self.quoted(text, quote, out),
            (Some(quote), Some(true)) => self.quoted(text, quote, out),
            (None, _) | (_, Some(false)) if self.splits(text) => return Err(self.unquotable(column, text)),
            _ => out.extend_from_slice(text.as_bytes()),
        }
        Ok(())
    }

    /// Whether the quote style alone decides: `Some(true)` for quotes, `Some(false)` against them.
    fn forced(&self, class: Class) -> Option<bool> {
        match self.style {
            QuoteStyle::All | QuoteStyle::AllNonNull => Some(true),
            QuoteStyle::NonNumeric if class != Class::Number => Some(true),
            QuoteStyle::Strings if class == Class::Text => Some(true),
            QuoteStyle::Never => Some(false),
            _ => None,
        }
    }

    fn quoted(&self, text: &str, quote: char, out: &mut Vec<u8>) {
        let mut buffer = [0; 4];
        let mut escape_buffer = [0; 4];
        let escape = self.escape.encode_utf8(&mut escape_buffer).as_bytes();
        let quote_bytes = quote.encode_utf8(&mut buffer).as_bytes();
        out.extend_from_slice(quote_bytes);
        let mut rest = text;
        while let Some(at) = rest.find([quote, self.escape]) {
            out.extend_from_slice(&rest.as_bytes()[..at]);
            out.extend_from_slice(escape);
            let special = rest[at..].chars().next().map_or(0, char::len_utf8);
            out.extend_from_slice(&rest.as_bytes()[at..at + special]);
            rest = &rest[at + special..];
        }
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(quote_bytes);
    }

    #[cold]
    fn unquotable(&self, column: usize, text: &str) -> EncodeError {
        let what = if holds(text, &self.delimiter) {
            format!("the delimiter `{}`", self.delimiter.escape_debug())
        } else {
            "a line end or a quote".to_owned()
        };
        let what = format!("the text holds {what}, and the dialect has no quotes: expected text without it, or quotes");
        EncodeError::new(column, EncodeErrorKind::Unquotable, what)
    }
}

/// Whether a reader who looks for `mark` in `text`, written bare with `mark` after it, finds it before the text's end.
///
/// That is so where the text holds it, and where the text's end and the mark together do: `a|` before `||`.
fn holds(text: &str, mark: &str) -> bool {
    if text.contains(mark) {
        return true;
    }
    let (text, mark) = (text.as_bytes(), mark.as_bytes());
    (1..mark.len()).any(|n| text.ends_with(&mark[..n]) && mark.starts_with(&mark[n..]))
}
