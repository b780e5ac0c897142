//! Which fields need quotes, and how a quoted field is spelled, where every record can be read back.

use super::dialect::Settings;
use super::token::{Empty, EscapeSelf};
use super::{Blank, EncodeError, EncodeErrorKind, Escape, InnerQuotes, Nulls, QuoteStyle, Trim};

/// A byte order mark; readers drop it at the start of a file.
const BOM: char = '\u{feff}';

/// What the encoder needs to know of a dialect, worked out once.
pub(super) struct Rules {
    /// The bytes that may make a field need quotes: a field without any is written as it is.
    care: [bool; 256],
    pub(super) delimiter: Box<str>,
    pub(super) terminator: Box<str>,
    quote: Option<char>,
    /// The character before a quote inside quotes.
    escape: char,
    /// The character before an escape inside quotes; none where the rule for quotes covers it.
    escape_self: Option<char>,
    inner_quotes: InnerQuotes,
    /// What null is, spelled as a whole field.
    null: Box<str>,
    /// The text that, written bare, would be read as null.
    null_text: Box<str>,
    /// What empty text is, spelled as a whole field.
    empty: Box<str>,
    /// The text that, written bare, would be read as empty; none where that is no text at all.
    empty_text: Option<Box<str>>,
    comment: Option<char>,
    style: QuoteStyle,
    trim: Trim,
    blank: Blank,
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
            (Escape::Doubled, quote) => quote.unwrap_or('"'),
        };
        let escape_self = match s.escape_self {
            _ if quote == Some(escape) => None,
            EscapeSelf::With(c) => Some(c),
            EscapeSelf::Auto | EscapeSelf::Bare => Some(escape),
        };
        let mut rules = Self {
            care: [false; 256],
            delimiter: s.delimiter.as_str().into(),
            terminator: s.terminator.as_str().into(),
            quote,
            escape,
            escape_self,
            inner_quotes: s.inner_quotes,
            null: "".into(),
            null_text: s.null.as_str().into(),
            empty: "".into(),
            empty_text: None,
            comment: s.comment.as_char(),
            style: s.style,
            trim: s.trim,
            blank: s.blank,
        };
        let mut buffer = [0; 4];
        let specials = ['\n', '\r'].into_iter().chain(quote).chain(quote.map(|_| escape));
        for c in specials.chain(rules.delimiter.chars().take(1)).chain(rules.terminator.chars().take(1)) {
            rules.care[usize::from(c.encode_utf8(&mut buffer).as_bytes()[0])] = true;
        }
        match &s.empty.0 {
            Empty::Quoted => rules.empty = rules.enclosed(""),
            Empty::Text(text) => {
                rules.empty = rules.marker(text, Class::Text);
                rules.empty_text = (!text.is_empty()).then(|| (**text).into());
            }
        }
        rules.null = match s.nulls {
            Nulls::Marked => rules.marker(s.null.as_str(), Class::Other),
            Nulls::AsText if s.null.as_str().is_empty() => rules.empty.clone(),
            Nulls::AsText if rules.forced(Class::Text) == Some(true) || rules.splits(s.null.as_str()) => {
                rules.enclosed(s.null.as_str())
            }
            Nulls::AsText => s.null.as_str().into(),
        };
        rules
    }

    /// A text for null or empty, spelled as a whole field: as it is where that holds together, or else in quotes.
    fn marker(&self, text: &str, class: Class) -> Box<str> {
        let Some(quote) = self.quote else { return text.into() };
        let mut inner = text.chars();
        let in_quotes =
            inner.next() == Some(quote) && inner.next_back() == Some(quote) && !inner.as_str().contains(quote);
        let all = self.style == QuoteStyle::All || (class == Class::Text && self.forced(class) == Some(true));
        if in_quotes || !(all || self.splits(text)) { text.into() } else { self.enclosed(text) }
    }

    fn enclosed(&self, text: &str) -> Box<str> {
        let Some(quote) = self.quote else { return text.into() };
        let mut out = Vec::new();
        self.quoted(text, quote, &mut out);
        String::from_utf8(out).expect("texts and characters are UTF-8").into()
    }

    /// Whether a reader would not take this text, written bare, for one field.
    fn splits(&self, text: &str) -> bool {
        if !text.bytes().any(|b| self.care[usize::from(b)]) {
            return false;
        }
        text.contains(['\n', '\r'])
            || self.quote.is_some_and(|quote| match self.inner_quotes {
                InnerQuotes::Enclose => text.contains([quote, self.escape]),
                InnerQuotes::Leave => text.starts_with(quote) || (self.escape != quote && text.contains(self.escape)),
            })
            || holds(text, &self.delimiter)
            || holds(text, &self.terminator)
    }

    /// Whether a reader could take this text, written bare, for something else than the text.
    fn misleads(&self, column: usize, text: &str) -> bool {
        *text == *self.null_text
            || self.empty_text.as_deref() == Some(text)
            || (column == 0 && text.starts_with(|c| c == BOM || Some(c) == self.comment))
    }

    /// Appends null.
    pub(super) fn null(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.null.as_bytes());
    }

    /// The text without the blanks that the dialect cuts off.
    pub(super) fn trim<'a>(&self, text: &'a str) -> &'a str {
        let blank = |c| c <= ' ';
        match self.trim {
            Trim::Both => text.trim_matches(blank),
            Trim::Leading => text.trim_start_matches(blank),
            Trim::None => text,
            Trim::Trailing => text.trim_end_matches(blank),
        }
    }

    /// Appends a field of this text, which has been trimmed.
    pub(super) fn field(&self, column: usize, text: &str, class: Class, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if text.is_empty() && class == Class::Text {
            out.extend_from_slice(self.empty.as_bytes());
            return Ok(());
        }
        let enclose = match (self.quote, self.forced(class)) {
            (Some(quote), Some(true)) => Some(quote),
            (Some(quote), None) if self.splits(text) || self.misleads(column, text) => Some(quote),
            (None, _) | (_, Some(false)) if self.splits(text) => return Err(self.unquotable(column, text)),
            _ => None,
        };
        match enclose {
            Some(quote) => self.quoted(text, quote, out),
            None => out.extend_from_slice(text.as_bytes()),
        }
        Ok(())
    }

    /// Appends what stands for a record that would be no bytes.
    pub(super) fn blank(&self, out: &mut Vec<u8>) {
        if let (Blank::Quoted, Some(quote)) = (self.blank, self.quote) {
            self.quoted("", quote, out);
        }
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
        let mut push = |c: char, out: &mut Vec<u8>| out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        push(quote, out);
        let mut rest = text;
        while let Some(at) = rest.find([quote, self.escape]) {
            let (plain, special) = rest.split_at(at);
            out.extend_from_slice(plain.as_bytes());
            let mut chars = special.chars();
            if let Some(c) = chars.next() {
                push(if c == quote { self.escape } else { self.escape_self.unwrap_or(c) }, out);
                push(c, out);
            }
            rest = chars.as_str();
        }
        out.extend_from_slice(rest.as_bytes());
        push(quote, out);
    }

    #[cold]
    fn unquotable(&self, column: usize, text: &str) -> EncodeError {
        let what = if holds(text, &self.delimiter) {
            format!("the delimiter `{}`", self.delimiter.escape_debug())
        } else if text.contains(['\n', '\r']) || holds(text, &self.terminator) {
            "a line end".to_owned()
        } else {
            "a quote or an escape".to_owned()
        };
        let why = if self.quote.is_some() { "never quotes" } else { "has no quote" };
        let what = format!("the text holds {what}, and the dialect {why}: expected a text without it");
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
