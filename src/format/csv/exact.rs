//! Spark's writer to the last byte, defects included.
//!
//! Spark hands its rows to the CSV writer of the Univocity parsers (2.9.1). This is that writer's behaviour, told in
//! terms of characters: what a field needs quotes for is decided on the whole value, but blanks are cut off only after
//! the field has been written into a buffer of its own. The defects come from that order; they are listed at
//! [`Mode`](super::Mode).

use std::collections::HashMap;

use super::dialect::{Plan, Settings};
use super::encoder::{Met, Scratch};
use super::plain::Care;
use super::token::Empty;
use super::{EncodeError, Escape, EscapeSelf, HazardKind, InnerQuotes, Nulls, QuoteStyle, Trim};
use crate::row::Value;

/// What stands for "no character" in Spark's options; it is written all the same.
const NUL: char = '\0';

/// A byte order mark; readers drop it at the start of a file.
const BOM: char = '\u{feff}';

/// The settings of the writer, as Spark sets them.
pub(super) struct Rules {
    /// The delimiter as it is written.
    delimiter: Box<str>,
    terminator: Box<str>,
    /// The delimiter as it is looked for.
    needle: Box<str>,
    quote: char,
    escape: char,
    escape_self: Option<char>,
    /// The character that becomes the whole terminator wherever it is written on its own.
    new_line: char,
    /// Characters that make a field need quotes, the delimiter aside.
    triggers: Vec<char>,
    comment: char,
    style: QuoteStyle,
    trim: Trim,
    null: Box<str>,
    nulls: Nulls,
    empty: Box<str>,
    /// How a null and an empty text come out.
    null_field: Vec<u8>,
    empty_field: Vec<u8>,
    /// The bytes that the short way for plain fields must not meet.
    care: [bool; 256],
}

/// A column's name as Spark's writer takes it.
enum Name<'a> {
    /// Nothing is cut off it.
    Literal(&'a str),
    /// It is written like a value.
    Plain(&'a str),
}

/// A text on its way into a field.
struct Piece<'a> {
    text: &'a str,
    trim: Trim,
    /// Whether the text stands for null or empty.
    special: bool,
}

/// A field that is being written: `cut` UTF-16 units at its end do not count.
#[derive(Default)]
struct Field {
    text: String,
    cut: usize,
}

impl Rules {
    pub(super) fn new(s: &Settings) -> Self {
        let terminator = s.terminator.as_str();
        let mut ends = terminator.chars();
        let new_line = match (ends.next(), ends.next()) {
            (Some(only), None) => only,
            _ => '\n',
        };
        let quote = s.quote.as_char().unwrap_or(NUL);
        let escape = match s.escape {
            Escape::Doubled => quote,
            Escape::With(c) => c,
        };
        let escape_self = match s.escape_self {
            EscapeSelf::Auto => Some(escape).filter(|&c| c != quote),
            EscapeSelf::Bare => None,
            EscapeSelf::With(c) => Some(c),
        };
        let mut triggers = vec!['\n', '\r'];
        triggers.extend(terminator.chars());
        if s.inner_quotes == InnerQuotes::Enclose {
            triggers.push(quote);
        }
        let empty = match &s.empty.0 {
            Empty::Quoted => "\"\"".into(),
            Empty::Text(text) => (**text).into(),
        };
        let mut care = [false; 256];
        let mut buffer = [0; 4];
        let first = s.delimiter.as_str().chars().next();
        for c in triggers.iter().copied().chain(first).chain([quote, escape, new_line]) {
            care[usize::from(c.encode_utf8(&mut buffer).as_bytes()[0])] = true;
        }
        let mut rules = Self {
            delimiter: s.delimiter.as_str().into(),
            terminator: terminator.into(),
            needle: s.delimiter.as_str().into(),
            quote,
            escape,
            escape_self: escape_self.filter(|&c| c != NUL),
            new_line,
            triggers,
            comment: s.comment.as_char().unwrap_or(NUL),
            style: s.style,
            trim: s.trim,
            null: s.null.as_str().into(),
            nulls: s.nulls,
            empty,
            null_field: Vec::new(),
            empty_field: Vec::new(),
            care,
        };
        let mut chars = rules.delimiter.chars();
        if let (Some(only), None) = (chars.next(), chars.next()) {
            let mut written = String::new();
            rules.push(only, &mut written);
            rules.delimiter = written.into();
        }
        let spell = |value| {
            let mut out = Vec::new();
            rules.slow(1, value, rules.trim, &mut out);
            out
        };
        (rules.null_field, rules.empty_field) = (spell(None), spell(Some("")));
        rules
    }

    /// Which fields need nothing.
    pub(super) fn care(&self) -> Care {
        let mut care =
            Care { delimiter: self.delimiter.clone(), inside: self.care, first: Vec::new(), null: None, quote: None };
        let comment = self.comment.to_string();
        for text in [&*comment, &*self.null, &*self.empty].into_iter().filter(|text| !text.is_empty()) {
            care.first.push(text.as_bytes().into());
        }
        care.first.push(BOM.encode_utf8(&mut [0; 4]).as_bytes().into());
        let (mut met, mut null) = (Met::default(), Vec::new());
        self.field(0, None, &mut met, &mut null);
        let same = null == self.null_field && met.hits.first().is_none();
        care.null = String::from_utf8(null).ok().filter(|_| same).map(Into::into);
        care
    }

    /// Appends a field; `None` is null.
    fn field(&self, column: usize, value: Option<&str>, met: &mut Met, out: &mut Vec<u8>) {
        match value {
            Some(text) if self.is_plain(column, text) => {
                out.extend_from_slice(text.as_bytes());
                // What is plain has blanks, quotes, escapes and delimiters nowhere.
                if text.starts_with(BOM) || *text == *self.null || *text == *self.empty {
                    self.note_hazards(column, value, text.as_bytes(), met);
                }
            }
            _ => {
                let field = out.len();
                self.slow(column, value, self.trim, out);
                self.note_hazards(column, value, &out[field..], met);
            }
        }
    }

    /// Appends a column's name.
    fn name(&self, column: usize, name: &Name<'_>, met: &mut Met, out: &mut Vec<u8>) {
        match name {
            Name::Literal(name) => self.slow(column, Some(name), Trim::None, out),
            Name::Plain(name) => self.field(column, Some(name), met, out),
        }
    }

    /// Whether the text holds nothing that any rule looks at.
    fn is_plain(&self, column: usize, text: &str) -> bool {
        let bytes = text.as_bytes();
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
        first > b' '
            && last > b' '
            && self.style != QuoteStyle::All
            && !(column == 0 && text.starts_with(self.comment))
            && !bytes.iter().any(|&b| self.care[usize::from(b)])
    }

    fn slow(&self, column: usize, value: Option<&str>, trim: Trim, out: &mut Vec<u8>) {
        let value = if self.nulls == Nulls::AsText { Some(value.unwrap_or(&self.null)) } else { value };
        let (text, special) = match value {
            None => (&*self.null, true),
            Some(text) if start(self.trim, text) == text.len() => (&*self.empty, true),
            Some(text) => (text, false),
        };
        let mut field = Field::default();
        let piece = |text| Piece { text, trim, special };
        let enclosed = self.append(column, self.style == QuoteStyle::All, &piece(text), &mut field);
        if field.is_empty() && !special {
            // The blanks of the value stay in front of what is now appended, and as many characters go at its end.
            self.append(column, enclosed, &piece(&self.empty), &mut field);
        }
        if enclosed {
            let mut quote = String::new();
            self.push(self.quote, &mut quote);
            out.extend_from_slice(quote.as_bytes());
            field.finish(out);
            out.extend_from_slice(quote.as_bytes());
        } else {
            field.finish(out);
        }
    }

    /// Appends the text to the field, and says whether the field has to be enclosed in quotes.
    fn append(&self, column: usize, enclose: bool, piece: &Piece<'_>, field: &mut Field) -> bool {
        let text = piece.text;
        let rest = &text[start(piece.trim, text)..];
        let comment = column == 0 && text.starts_with(self.comment);
        if enclose || (!rest.is_empty() && (rest.starts_with(self.quote) || comment)) {
            let mut inner = text.chars();
            if piece.special && inner.next() == Some(self.quote) && inner.next_back() == Some(self.quote) {
                field.text.push_str(text);
                return false;
            }
            self.append_quoted(rest, piece.trim, field);
            return true;
        }
        if rest.contains(&*self.triggers) || rest.contains(&*self.needle) {
            self.append_quoted(rest, piece.trim, field);
            return true;
        }
        field.text.push_str(rest);
        field.cut_blanks(rest, piece.trim);
        false
    }

    fn append_quoted(&self, text: &str, trim: Trim, field: &mut Field) {
        for c in text.chars() {
            if c == self.quote {
                self.push(self.escape, &mut field.text);
            } else if let (true, Some(escape)) = (c == self.escape, self.escape_self) {
                self.push(escape, &mut field.text);
            }
            self.push(c, &mut field.text);
        }
        field.cut_blanks(text, trim);
    }

    /// Writes one character on its own, which turns a line feed into the terminator.
    fn push(&self, c: char, out: &mut String) {
        if c == self.new_line {
            out.push_str(&self.terminator);
        } else {
            out.push(c);
        }
    }
}

impl Rules {
    /// Notes what Spark's reader would take a field for, if not for its value.
    fn note_hazards(&self, column: usize, value: Option<&str>, written: &[u8], met: &mut Met) {
        let mut hit = |kind| met.hit(kind, column);
        let Some(text) = value else {
            if self.nulls == Nulls::AsText && !self.null.is_empty() || written != self.null.as_bytes() {
                hit(if written == self.empty_field { HazardKind::EmptyIsNull } else { HazardKind::NullText });
            }
            return;
        };
        if text.is_empty() {
            if self.empty_field == self.null_field {
                hit(HazardKind::EmptyIsNull);
            } else if !self.empty_field.is_empty() && self.empty_field != self.quotes().as_bytes() {
                hit(HazardKind::EmptyText);
            }
            return;
        }
        if *text == *self.null {
            hit(HazardKind::NullText);
        }
        if *text == *self.empty && self.empty_field != self.quotes().as_bytes() {
            hit(HazardKind::EmptyText);
        }
        let blank = |c| c <= ' ';
        let bare = match self.trim {
            Trim::Both => text.trim_matches(blank),
            Trim::Leading => text.trim_start_matches(blank),
            Trim::None => text,
            Trim::Trailing => text.trim_end_matches(blank),
        };
        if bare.len() < text.len() {
            hit(if bare.is_empty() && self.trim == Trim::Trailing { HazardKind::BlankCell } else { HazardKind::Trim });
        }
        let escapes = self.escape != self.quote && text.contains(self.escape);
        if !bare.is_empty() && written.starts_with(self.quote.encode_utf8(&mut [0; 4]).as_bytes()) {
            if self.quote == NUL {
                hit(HazardKind::NulQuote);
            }
            if self.terminator.chars().count() == 2 && bare.contains(self.new_line) {
                hit(HazardKind::LineEnd);
            }
            let quotes = self.escape == NUL && self.quote != NUL && text.contains(self.quote);
            if quotes || (escapes && self.escape_self != Some(self.escape)) {
                hit(HazardKind::Escape);
            }
            return;
        }
        if escapes {
            hit(HazardKind::Escape);
        }
        if text.contains(self.quote) {
            hit(HazardKind::BareQuote);
        }
        if super::fixed::holds(bare, &self.needle) {
            hit(HazardKind::DelimiterRun);
        }
        if column == 0 && self.comment != NUL && bare.starts_with(self.comment) {
            hit(HazardKind::Comment);
        }
        if column == 0 && bare.starts_with(BOM) {
            hit(HazardKind::ByteOrderMark);
        }
    }

    /// A pair of quotes.
    fn quotes(&self) -> String {
        [self.quote; 2].iter().collect()
    }
}

/// Appends a record as Spark's writer does, which may be nothing.
pub(super) fn record<'a>(
    rules: &Rules,
    plan: &Plan,
    fields: impl IntoIterator<Item = Value<'a>>,
    met: &mut Met,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    for (column, value) in fields.into_iter().enumerate() {
        let field = out.len();
        if column > 0 {
            out.extend_from_slice(rules.delimiter.as_bytes());
        }
        self::field(rules, plan, column, value, met, scratch, out)?;
        note_unmappable(plan, column, &out[field..], met);
    }
    end(rules, plan, start, met, out);
    Ok(())
}

/// Appends one field of a record.
pub(super) fn field(
    rules: &Rules,
    plan: &Plan,
    column: usize,
    value: Value<'_>,
    met: &mut Met,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let text = match value {
        Value::Null => None,
        Value::Text(text) => Some(text),
        _ => Some(scratch.render(plan, column, value)?),
    };
    rules.field(column, text, met, out);
    Ok(())
}

/// Appends the columns' names as Spark's writer does, which may be nothing.
pub(super) fn header(rules: &Rules, plan: &Plan, columns: &[impl AsRef<str>], met: &mut Met, out: &mut Vec<u8>) {
    let start = out.len();
    for (column, name) in names(columns).iter().enumerate() {
        let field = out.len();
        if column > 0 {
            out.extend_from_slice(rules.delimiter.as_bytes());
        }
        let (Name::Literal(text) | Name::Plain(text)) = name;
        if *text != columns[column].as_ref() {
            met.hit(HazardKind::NameMark, column);
        }
        rules.name(column, name, met, out);
        note_unmappable(plan, column, &out[field..], met);
    }
    end(rules, plan, start, met, out);
}

/// Ends a record, unless it is nothing.
fn end(rules: &Rules, plan: &Plan, start: usize, met: &mut Met, out: &mut Vec<u8>) {
    if out.len() > start {
        out.extend_from_slice(rules.terminator.as_bytes());
        note_unmappable(plan, 0, rules.terminator.as_bytes(), met);
    } else {
        met.hit(HazardKind::BlankRecord, 0);
    }
}

/// Notes what Spark's writer replaces by `?`, be it of a value or of the dialect's own.
fn note_unmappable(plan: &Plan, column: usize, written: &[u8], met: &mut Met) {
    let Some(coder) = &plan.coder else { return };
    let written = std::str::from_utf8(written).expect("fields are written whole, and in UTF-8");
    let lacking = written.chars().filter(|&c| !coder.has(c)).count();
    if lacking > 0 {
        met.unmappable += lacking as u64;
        met.hit(HazardKind::Unmappable, column);
    }
}

impl Field {
    fn is_empty(&self) -> bool {
        self.cut >= self.text.encode_utf16().count()
    }

    /// Notes how many blanks end the field, if what was appended last ends with one.
    fn cut_blanks(&mut self, appended: &str, trim: Trim) {
        let trims = matches!(trim, Trim::Both | Trim::Trailing);
        if trims && appended.chars().next_back().is_none_or(|c| c <= ' ') {
            self.cut = self.text.len() - self.text.trim_end_matches(|c| c <= ' ').len();
        }
    }

    /// Appends what is left when the cut is made.
    fn finish(mut self, out: &mut Vec<u8>) {
        while self.cut > 0 {
            match self.text.pop() {
                // A character beyond U+FFFF is two units there; half of one cannot be encoded and becomes `?`.
                Some(c) if c.len_utf16() > self.cut => {
                    self.text.push('?');
                    break;
                }
                Some(c) => self.cut -= c.len_utf16(),
                None => break,
            }
        }
        out.extend_from_slice(self.text.as_bytes());
    }
}

/// Where the text begins, once blanks are skipped; its end where it is nothing but what is skipped.
fn start(trim: Trim, text: &str) -> usize {
    match trim {
        Trim::Both | Trim::Leading => text.find(|c| c > ' ').unwrap_or(text.len()),
        Trim::None | Trim::Trailing => 0,
    }
}

/// The columns' names as Spark's writer takes them.
///
/// Single quotes around a name mark it as literal there, and go. Names that differ only in case or in blanks around
/// them are made literal too, by putting such quotes around them; around an empty name they are too few to be taken
/// for a mark, and stay. That is done twice, and nothing is cut off a name that is literal the second time.
fn names(columns: &[impl AsRef<str>]) -> Vec<Name<'_>> {
    let once: Vec<_> = literals(columns.iter().map(AsRef::as_ref)).into_iter().map(|(name, _)| name).collect();
    let twice = literals(once.iter().copied());
    once.into_iter()
        .zip(twice)
        .map(|(name, (_, literal))| if literal { Name::Literal(name) } else { Name::Plain(name) })
        .collect()
}

/// The names without the marks around them, and whether each is literal.
fn literals<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<(&'a str, bool)> {
    let mark = |name: &'a str| if name.is_empty() { ("''", false) } else { (name, true) };
    let mut names = Vec::new();
    let mut seen: HashMap<String, (usize, &str)> = HashMap::new();
    for (i, column) in columns.enumerate() {
        let bare = column.trim_matches(|c| c <= ' ');
        if bare.len() > 2 && bare.starts_with('\'') && bare.ends_with('\'') {
            let mut inner = column.chars();
            inner.next();
            inner.next_back();
            names.push((inner.as_str(), true));
            continue;
        }
        match seen.get(&bare.to_lowercase()) {
            Some(&(other, name)) if name != column => {
                names[other] = mark(name);
                names.push(mark(column));
            }
            _ => {
                seen.insert(bare.to_lowercase(), (i, column));
                names.push((column, false));
            }
        }
    }
    names
}
