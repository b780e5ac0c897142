//! Which fields need quotes, and how a quoted field is spelled, where every record can be read back.

use std::borrow::Cow;

use super::charset::Coder;
use super::dialect::{Plan, Settings};
use super::encoder::{Met, Scratch, class};
use super::plain::Care;
use super::token::Empty;
use super::{
    Blank, EncodeError, EncodeErrorKind, Escape, EscapeSelf, Guard, HazardKind, InnerQuotes, Nulls, QuoteStyle,
    QuotedNull, Trim, Unmappable,
};
use crate::row::Value;

/// A byte order mark; readers drop it at the start of a file.
const BOM: char = '\u{feff}';

/// A line of this ends the data for `PostgreSQL`'s COPY.
const END_OF_DATA: &str = "\\.";

/// What the encoder needs to know of a dialect, worked out once.
pub(super) struct Rules {
    /// The bytes that may make a field need quotes: a field without any is written as it is.
    care: [bool; 256],
    /// Any such byte does make it need quotes, since each is a mark of its own.
    decisive: bool,
    delimiter: Box<str>,
    terminator: Box<str>,
    quote: Option<char>,
    /// The character before a quote inside quotes.
    escape: char,
    /// The character before an escape inside quotes; none where the rule for quotes covers it.
    escape_self: Option<char>,
    /// The escape that a reader applies although there are no quotes to be inside of.
    bare_escape: Option<char>,
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
    /// What every null is read as, if not as null.
    null_hazard: Option<HazardKind>,
    /// What every empty text is read as, if not as empty text.
    empty_hazard: Option<HazardKind>,
    /// Whether a text that equals the text for null, and is quoted, is read as that text.
    quoted_null: QuotedNull,
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
            decisive: false,
            delimiter: s.delimiter.as_str().into(),
            terminator: s.terminator.as_str().into(),
            quote,
            escape,
            escape_self,
            bare_escape: match s.escape {
                Escape::With(c) if quote.is_none() => Some(c),
                _ => None,
            },
            inner_quotes: s.inner_quotes,
            null: "".into(),
            null_text: s.null.as_str().into(),
            empty: "".into(),
            empty_text: None,
            comment: s.comment.as_char(),
            style: s.style,
            trim: s.trim,
            blank: s.blank,
            null_hazard: None,
            empty_hazard: None,
            quoted_null: s.quoted_null,
        };
        let mut buffer = [0; 4];
        let specials = ['\n', '\r'].into_iter().chain(quote).chain(quote.map(|_| escape));
        for c in specials.chain(rules.delimiter.chars().take(1)).chain(rules.terminator.chars().take(1)) {
            rules.care[usize::from(c.encode_utf8(&mut buffer).as_bytes()[0])] = true;
        }
        let is_byte = |text: &str| text.len() == 1;
        rules.decisive = is_byte(&rules.delimiter)
            && (is_byte(&rules.terminator) || rules.terminator.starts_with(['\n', '\r']))
            && quote.is_none_or(|quote| quote.is_ascii() && escape.is_ascii())
            && s.inner_quotes == InnerQuotes::Enclose;
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
            Nulls::AsText
                if rules.forced(Class::Text) == Some(true)
                    || rules.splits(s.null.as_str())
                    || rules.misleads_at_start(s.null.as_str()) =>
            {
                rules.enclosed(s.null.as_str())
            }
            Nulls::AsText => s.null.as_str().into(),
        };
        let null_is_nothing = s.null.as_str().is_empty();
        if rules.null == rules.empty || (null_is_nothing && s.quoted_null == QuotedNull::IsNull) {
            rules.empty_hazard = Some(HazardKind::EmptyIsNull);
        } else if rules.empty_text.is_some() && rules.empty != rules.enclosed("") {
            rules.empty_hazard = Some(HazardKind::EmptyText);
        }
        rules.null_hazard = rules.null_hazard();
        rules
    }

    /// What a reader makes of the field that stands for null, if not null.
    fn null_hazard(&self) -> Option<HazardKind> {
        let Some(quote) = self.quote.filter(|&quote| self.null.starts_with(quote)) else {
            return (self.null != self.null_text).then_some(HazardKind::EmptyIsNull);
        };
        if self.null == self.enclosed(&self.null_text) && self.quoted_null == QuotedNull::IsNull {
            return None;
        }
        let nothing = self.null.chars().all(|c| c == quote);
        Some(if nothing { HazardKind::EmptyIsNull } else { HazardKind::NullText })
    }

    /// A text for null or empty, spelled as a whole field: as it is where that holds together, or else in quotes.
    fn marker(&self, text: &str, class: Class) -> Box<str> {
        let Some(quote) = self.quote else { return text.into() };
        let splits =
            text.contains(['\n', '\r', quote]) || holds(text, &self.delimiter) || holds(text, &self.terminator);
        let mut inner = text.chars();
        let in_quotes =
            inner.next() == Some(quote) && inner.next_back() == Some(quote) && !inner.as_str().contains(quote);
        let all = self.style == QuoteStyle::All || (class == Class::Text && self.forced(class) == Some(true));
        if in_quotes || !(all || splits || self.misleads_at_start(text)) { text.into() } else { self.enclosed(text) }
    }

    /// Which fields need nothing.
    pub(super) fn care(&self) -> Care {
        let mut care =
            Care { delimiter: self.delimiter.clone(), inside: self.care, first: Vec::new(), null: None, quote: None };
        // A text that holds another escape for escapes is a hazard, even where quotes are all that it needs.
        let escapes = self.escape_self.is_none_or(|c| c == self.escape);
        if self.decisive && escapes && self.forced(Class::Text) != Some(false) {
            care.quote = self.quote.and_then(|quote| u8::try_from(quote).ok());
        }
        for c in self.bare_escape.into_iter().chain(self.escape_self) {
            care.inside[usize::from(first_byte(c.encode_utf8(&mut [0; 4])))] = true;
        }
        let comment = self.comment.map(String::from).unwrap_or_default();
        let texts = [&*self.null_text, self.empty_text.as_deref().unwrap_or_default(), END_OF_DATA, &*comment];
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            care.first.push(text.as_bytes().into());
        }
        care.first.push(BOM.encode_utf8(&mut [0; 4]).as_bytes().into());
        care.null = self.null_hazard.is_none().then(|| self.null.clone());
        care
    }

    fn enclosed(&self, text: &str) -> Box<str> {
        let Some(quote) = self.quote else { return text.into() };
        let mut out = Vec::new();
        self.quoted(text, quote, &mut out);
        String::from_utf8(out).expect("texts and characters are UTF-8").into()
    }

    /// Whether a reader would not take this text, written bare, for one field.
    fn splits(&self, text: &str) -> bool {
        let found = text.bytes().any(|b| self.care[usize::from(b)]);
        if !found || self.decisive {
            return found;
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
            || (column == 0 && self.misleads_at_start(text))
    }

    /// Whether a reader could take this text, at the start of a record, for something else than a field.
    fn misleads_at_start(&self, text: &str) -> bool {
        text == END_OF_DATA || text.starts_with(|c| c == BOM || Some(c) == self.comment)
    }

    /// Appends null.
    fn null(&self, column: usize, met: &mut Met, out: &mut Vec<u8>) {
        if let Some(kind) = self.null_hazard {
            met.hit(kind, column);
        }
        out.extend_from_slice(self.null.as_bytes());
    }

    /// The text without the blanks that the dialect cuts off.
    fn trim<'a>(&self, text: &'a str) -> &'a str {
        let blank = |c| c <= ' ';
        match self.trim {
            Trim::Both => text.trim_matches(blank),
            Trim::Leading => text.trim_start_matches(blank),
            Trim::None => text,
            Trim::Trailing => text.trim_end_matches(blank),
        }
    }

    /// Appends a field of this text.
    fn field(
        &self,
        column: usize,
        text: &str,
        class: Class,
        met: &mut Met,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if text.is_empty() && class == Class::Text {
            if let Some(kind) = self.empty_hazard {
                met.hit(kind, column);
            }
            out.extend_from_slice(self.empty.as_bytes());
            return Ok(());
        }
        let misleads = self.misleads(column, text);
        let enclose = match (self.quote, self.forced(class)) {
            (Some(quote), Some(true)) => Some(quote),
            (Some(quote), None) if misleads || self.splits(text) => Some(quote),
            (None, _) | (_, Some(false)) if self.splits(text) => return Err(self.unquotable(column, text)),
            _ => None,
        };
        match enclose {
            Some(quote) => self.quoted(text, quote, out),
            None => out.extend_from_slice(text.as_bytes()),
        }
        if misleads
            || self.inner_quotes == InnerQuotes::Leave
            || self.bare_escape.is_some()
            || self.escape_self.is_some_and(|c| c != self.escape)
        {
            self.note_hazards(column, text, enclose.is_some(), met);
        }
        Ok(())
    }

    /// Notes what the reader would take this field for, if not for the text.
    #[cold]
    fn note_hazards(&self, column: usize, text: &str, enclosed: bool, met: &mut Met) {
        if *text == *self.null_text && (!enclosed || self.quoted_null == QuotedNull::IsNull) {
            met.hit(HazardKind::NullText, column);
        }
        if self.empty_text.as_deref() == Some(text) && self.empty_hazard == Some(HazardKind::EmptyText) {
            met.hit(HazardKind::EmptyText, column);
        }
        if !enclosed {
            if column == 0 && text.starts_with(BOM) {
                met.hit(HazardKind::ByteOrderMark, column);
            }
            if column == 0 && text.starts_with(|c| Some(c) == self.comment) {
                met.hit(HazardKind::Comment, column);
            }
            if self.quote.is_some_and(|quote| text.contains(quote)) {
                met.hit(HazardKind::BareQuote, column);
            }
            if self.bare_escape.is_some_and(|escape| text.contains(escape)) {
                met.hit(HazardKind::Escape, column);
            }
        } else if self.escape_self.is_some_and(|c| c != self.escape && text.contains(c)) {
            met.hit(HazardKind::Escape, column);
        }
    }

    /// Appends what stands for a record that would be no bytes.
    fn blank(&self, value: Option<Value<'_>>, met: &mut Met, out: &mut Vec<u8>) {
        match (self.blank, self.quote) {
            (Blank::Bare, _) => {}
            (Blank::Quoted, None) => met.hit(HazardKind::BlankRecord, 0),
            (Blank::Quoted, Some(quote)) => {
                if value == Some(Value::Null) && self.quoted_null == QuotedNull::IsText {
                    met.hit(HazardKind::BlankRecord, 0);
                }
                self.quoted("", quote, out);
            }
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
        if quote.is_ascii() && self.escape.is_ascii() {
            self.append_escaped(text.as_bytes(), quote, out);
            return push(quote, out);
        }
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

    /// Appends what stands between quotes, where quote and escape are ASCII.
    fn append_escaped(&self, text: &[u8], quote: char, out: &mut Vec<u8>) {
        let [quote, escape] = [quote, self.escape].map(|c| c as u8);
        let mut buffer = [0; 4];
        let escape_self = self.escape_self.unwrap_or(self.escape).encode_utf8(&mut buffer).as_bytes();
        let mut done = 0;
        for (i, &b) in text.iter().enumerate() {
            if b == quote || b == escape {
                out.extend_from_slice(&text[done..i]);
                if b == quote {
                    out.push(escape);
                } else {
                    out.extend_from_slice(escape_self);
                }
                done = i;
            }
        }
        out.extend_from_slice(&text[done..]);
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

/// The first byte of a text that is not empty.
pub(super) fn first_byte(text: &str) -> u8 {
    text.as_bytes()[0]
}

/// Whether a reader who looks for `mark` in `text`, written bare with `mark` after it, finds it before the text's end.
///
/// That is so where the text holds it, and where the text's end and the mark together do: `a|` before `||`.
pub(super) fn holds(text: &str, mark: &str) -> bool {
    if text.contains(mark) {
        return true;
    }
    let (text, mark) = (text.as_bytes(), mark.as_bytes());
    (1..mark.len()).any(|n| text.ends_with(&mark[..n]) && mark.starts_with(&mark[n..]))
}

/// Appends a record.
pub(super) fn record<'a>(
    rules: &Rules,
    plan: &Plan,
    guard: &Guard,
    fields: impl IntoIterator<Item = Value<'a>>,
    met: &mut Met,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut last = None;
    for (column, value) in fields.into_iter().enumerate() {
        if column > 0 {
            out.extend_from_slice(rules.delimiter.as_bytes());
        }
        last = Some(value);
        field(rules, plan, guard, column, value, met, scratch, out)?;
    }
    if out.len() == start {
        rules.blank(last, met, out);
    }
    out.extend_from_slice(rules.terminator.as_bytes());
    Ok(())
}

/// Appends one field of a record.
#[expect(clippy::too_many_arguments, reason = "the parts of an encoder, borrowed one by one")]
pub(super) fn field(
    rules: &Rules,
    plan: &Plan,
    guard: &Guard,
    column: usize,
    value: Value<'_>,
    met: &mut Met,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let narrow = plan.coder.as_ref().filter(|_| !plan.settings.charset.is_unicode());
    // What every text has to go through before it is a field, if anything.
    let altered = guard.as_char().is_some() || narrow.is_some() || rules.trim != Trim::None;
    match value {
        Value::Null => rules.null(column, met, out),
        Value::Text(text) if !altered => rules.field(column, text, Class::Text, met, out)?,
        Value::Text(text) => {
            let bare = rules.trim(text);
            if bare.len() < text.len() {
                met.hit(HazardKind::Trim, column);
            }
            let mut text = Cow::Borrowed(bare);
            if let Some(prefix) = guard.prefix(column, bare) {
                scratch.guarded.clear();
                scratch.guarded.push(prefix);
                scratch.guarded.push_str(bare);
                text = Cow::Borrowed(&scratch.guarded);
                met.guarded += 1;
                met.hit(HazardKind::Formula, column);
            }
            let text = mapped(narrow, plan.settings.unmappable, column, &text, met)?;
            rules.field(column, &text, Class::Text, met, out)?;
        }
        _ => {
            let text = scratch.render(plan, column, value)?;
            let text = mapped(narrow, plan.settings.unmappable, column, text, met)?;
            rules.field(column, &text, class(&value), met, out)?;
        }
    }
    Ok(())
}

/// The text with nothing that the charset lacks.
fn mapped<'a>(
    coder: Option<&Coder>,
    policy: Unmappable,
    column: usize,
    text: &'a str,
    met: &mut Met,
) -> Result<Cow<'a, str>, EncodeError> {
    let Some((coder, lacking)) = coder.and_then(|coder| Some((coder, coder.lacks(text)?))) else {
        return Ok(text.into());
    };
    if policy == Unmappable::Error {
        let what = format!(
            "the charset {} has no character `{lacking}` (U+{:04X}): expected a text without it",
            coder.charset().name(),
            u32::from(lacking)
        );
        return Err(EncodeError::new(column, EncodeErrorKind::Unmappable, what));
    }
    met.hit(HazardKind::Unmappable, column);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if coder.has(c) {
            out.push(c);
            continue;
        }
        met.unmappable += 1;
        match policy {
            Unmappable::Escape => out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            Unmappable::Error | Unmappable::Replace => out.push('?'),
        }
    }
    Ok(out.into())
}
