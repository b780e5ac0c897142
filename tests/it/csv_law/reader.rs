//! A reader of CSV that knows its dialect, written apart from the writer; the fuzz target of round trips reads with it
//! too.

use consign::format::csv::{Blank, Escape, EscapeSelf, QuotedNull};

type Row = Vec<Option<String>>;

/// The parts of a dialect that its reader has to know.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) delimiter: String,
    pub(crate) terminator: String,
    pub(crate) quote: Option<char>,
    pub(crate) escape: char,
    pub(crate) escape_self: Option<char>,
    /// The escape where there are no quotes.
    pub(crate) bare_escape: Option<char>,
    pub(crate) comment: Option<char>,
    pub(crate) null: String,
    pub(crate) quoted_null: QuotedNull,
    pub(crate) blank: Blank,
}

/// A field as it stands in the file: its text, and whether it was in quotes.
type Field = (String, bool);

impl Reader {
    pub(crate) fn new(escape: Escape, escape_self: EscapeSelf, quote: Option<char>) -> Self {
        let (escape, bare_escape) = match escape {
            Escape::Doubled => (quote.unwrap_or('"'), None),
            Escape::With(c) => (c, Some(c).filter(|_| quote.is_none())),
        };
        Self {
            delimiter: ",".to_owned(),
            terminator: "\n".to_owned(),
            quote,
            escape,
            escape_self: match escape_self {
                _ if quote == Some(escape) => None,
                EscapeSelf::With(c) => Some(c),
                _ => Some(escape),
            },
            bare_escape,
            comment: None,
            null: String::new(),
            quoted_null: QuotedNull::IsNull,
            blank: Blank::Quoted,
        }
    }

    pub(crate) fn with_marks(self, delimiter: &str, terminator: &str, comment: &str) -> Self {
        let (delimiter, terminator) = (delimiter.to_owned(), terminator.to_owned());
        Self { delimiter, terminator, comment: comment.chars().next(), ..self }
    }

    pub(crate) fn with_nulls(self, null: &str, quoted_null: QuotedNull, blank: Blank) -> Self {
        Self { null: null.to_owned(), quoted_null, blank, ..self }
    }

    /// Reads all records of a file.
    pub(crate) fn read(&self, file: &str) -> Vec<Row> {
        let mut rest = file.strip_prefix('\u{feff}').unwrap_or(file);
        let mut records = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(&*self.terminator) {
                rest = after;
                if self.blank == Blank::Bare {
                    records.push(vec![self.value(&(String::new(), false))]);
                }
                continue;
            }
            if rest.starts_with(|c| Some(c) == self.comment) {
                rest = rest.split_once(&*self.terminator).map_or("", |(_, after)| after);
                continue;
            }
            let mut record = Vec::new();
            loop {
                let field = self.field(&mut rest);
                record.push(self.value(&field));
                if let Some(after) = rest.strip_prefix(&*self.delimiter) {
                    rest = after;
                    continue;
                }
                rest = rest.strip_prefix(&*self.terminator).expect("a field ends at a delimiter or a terminator");
                break;
            }
            records.push(record);
        }
        records
    }

    fn field(&self, rest: &mut &str) -> Field {
        let Some(quote) = self.quote.filter(|&quote| rest.starts_with(quote)) else {
            let ends = [&self.delimiter, &self.terminator].map(|mark| rest.find(&**mark).unwrap_or(rest.len()));
            let (text, after) = rest.split_at(ends[0].min(ends[1]));
            *rest = after;
            return (self.unescape(text), false);
        };
        let mut chars = rest.chars();
        chars.next();
        let mut text = String::new();
        loop {
            let c = chars.next().expect("a quoted field ends");
            let next = chars.clone().next();
            if Some(c) == self.escape_self && next == Some(self.escape) || c == self.escape && next == Some(quote) {
                text.extend(chars.next());
            } else if c == quote {
                *rest = chars.as_str();
                return (text, true);
            } else {
                text.push(c);
            }
        }
    }

    /// A bare field without the escapes of a dialect that has no quotes; the text for null is known before.
    fn unescape(&self, text: &str) -> String {
        let Some(escape) = self.bare_escape.filter(|_| text != self.null) else { return text.to_owned() };
        let mut chars = text.chars();
        std::iter::from_fn(|| chars.next().and_then(|c| if c == escape { chars.next() } else { Some(c) })).collect()
    }

    fn value(&self, (text, quoted): &Field) -> Option<String> {
        let null = *text == self.null && (!quoted || self.quoted_null == QuotedNull::IsNull);
        (!null).then(|| text.clone())
    }
}
