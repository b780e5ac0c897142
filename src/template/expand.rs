//! Templates with values put in.

use std::num::NonZeroU64;

use chrono::Datelike;

use super::date::{DateFormat, number};
use super::{Context, ExpandError, ExpandErrorKind, Leaf, Macro, Template, ValuePolicy, find_macro};
use crate::Span;

/// The folder of a dataset export is stamped to the minute: `exportTime=YYYYMMDDHHMM`.
const EXPORT_TIME: &str = "exportTime=";

/// How many bytes of UTF-8 a key may have, and so what becomes a part of one (AWS user guide, object key names).
pub(crate) const MAX_BYTES: usize = 1024;

impl Template {
    /// Tells whether the context has all that this template needs, so that nothing is missing later.
    ///
    /// # Errors
    ///
    /// - The context lacks a value, or has an empty one.
    /// - The expanded text of the first file would have more than 1,024 bytes, values as their policy writes them: no
    ///   key is longer.
    /// - A value holds `/` or a control character, or a character that its [`ValuePolicy`] refuses.
    /// - The expanded text would have a segment between slashes that is empty, `.` or `..`, or would read as if a macro
    ///   had not been expanded.
    /// - The year does not lie in 0 to 9999, or the Unix time has more than ten digits or is negative, and the template
    ///   asks for it.
    pub fn check(&self, context: &Context) -> Result<(), ExpandError> {
        let mut missing: Option<(Span, Vec<&'static str>)> = None;
        for piece in self.pieces() {
            let Some(wanted) = &piece.what else { continue };
            if matches!(Value::of(wanted, context), Value::Missing) {
                let (_, names) = missing.get_or_insert_with(|| (piece.span, Vec::new()));
                if !names.contains(&wanted.name()) {
                    names.push(wanted.name());
                }
            }
        }
        if let Some((span, names)) = missing {
            return Err(self.lacks(span, &names));
        }
        // Before anything looks at values again and again, or builds the text: a value may stand in many places.
        self.check_length(context)?;
        for piece in self.pieces() {
            let Some(wanted) = &piece.what else { continue };
            match Value::of(wanted, context) {
                Value::Text(text) => self.check_value(wanted, text, context.value_policy(), piece.span)?,
                Value::Computed => self.check_time(wanted, context, piece.span)?,
                // Found above.
                Value::Missing => {}
            }
        }
        self.check_expanded(context)
    }

    /// Appends the expanded text; the index is that of the file in its export, from one.
    ///
    /// It is for contexts that [`check`](Self::check) has accepted, for which the text is short. Of one that `check`
    /// would refuse, the values that are missing are left out, and others go in as they are, however long they are and
    /// however often the template names them.
    pub fn expand_into(&self, context: &Context, file_index: NonZeroU64, out: &mut String) {
        for piece in self.pieces() {
            self.expand_piece(piece.what.as_ref(), piece.span, context, file_index, out);
        }
    }

    /// The expanded text: [`check`](Self::check) and [`expand_into`](Self::expand_into) in one.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn expand(&self, context: &Context, file_index: NonZeroU64) -> Result<String, ExpandError> {
        self.check(context)?;
        let mut out = String::new();
        self.expand_into(context, file_index, &mut out);
        Ok(out)
    }

    fn expand_piece(
        &self,
        what: Option<&Macro>,
        span: Span,
        context: &Context,
        file_index: NonZeroU64,
        out: &mut String,
    ) {
        match what {
            None => out.push_str(&self.as_str()[span.range()]),
            Some(Macro::Datetime(format)) => format.write(context.time(), out),
            Some(Macro::ExportTime) => {
                out.push_str(EXPORT_TIME);
                DateFormat::MINUTE.write(context.time(), out);
            }
            Some(Macro::FileIndex) => out.push_str(&file_index.to_string()),
            Some(Macro::Timestamp) => number(out, context.time().timestamp(), 10),
            Some(other) => {
                let Value::Text(text) = Value::of(other, context) else { return };
                match context.value_policy() {
                    ValuePolicy::PercentEncode => percent_encode(text, out),
                    ValuePolicy::Refuse | ValuePolicy::Verbatim => out.push_str(text),
                }
            }
        }
    }

    /// Adds up the bytes of the pieces, and stops at the first that is too much.
    fn check_length(&self, context: &Context) -> Result<(), ExpandError> {
        let mut length = 0_usize;
        let mut scratch = String::new();
        for piece in self.pieces() {
            let text = piece.what.as_ref().map(|wanted| Value::of(wanted, context));
            // No value is shorter once it is encoded, so long ones need not be.
            length += match text {
                None => piece.span.range().len(),
                Some(Value::Text(text)) if text.len() > MAX_BYTES => text.len(),
                Some(_) => {
                    scratch.clear();
                    self.expand_piece(piece.what.as_ref(), piece.span, context, NonZeroU64::MIN, &mut scratch);
                    scratch.len()
                }
            };
            if length > MAX_BYTES {
                let what = match &piece.what {
                    None => "its fixed text".to_owned(),
                    Some(wanted) => format!("`%{}%`", wanted.name()),
                };
                let at = piece.span.start();
                let message = format!(
                    "expected no more than {MAX_BYTES} bytes in the expanded template, found more with {what} at byte {at} of the template"
                );
                return Err(Leaf::new(ExpandErrorKind::TooLong, self.as_str(), piece.span, message, "").into());
            }
        }
        Ok(())
    }

    fn check_value(&self, wanted: &Macro, text: &str, policy: ValuePolicy, span: Span) -> Result<(), ExpandError> {
        let name = wanted.name();
        if text.is_empty() {
            let message = format!("expected a value for `%{name}%`, found empty text");
            return Err(Leaf::new(ExpandErrorKind::Empty, self.as_str(), span, message, "").into());
        }
        let unwanted = |c: char| match policy {
            ValuePolicy::PercentEncode => false,
            ValuePolicy::Refuse => !is_safe(c),
            ValuePolicy::Verbatim => c == '/' || c.is_control(),
        };
        let Some((at, c)) = text.char_indices().find(|(_, c)| unwanted(*c)) else { return Ok(()) };
        let why = match c {
            '/' => "which would make another folder",
            _ if c.is_control() => "a control character",
            _ => "which is not one of the safe characters",
        };
        let help = match policy {
            ValuePolicy::Refuse => "allowed: 0-9 A-Z a-z ! - _ . * ' ( )",
            _ => "allowed: all characters but `/`, U+0000 to U+001F and U+007F to U+009F; or percent-encode values",
        };
        let message = format!("the value of `%{name}%` holds `{}` at its byte {at}, {why}", c.escape_debug());
        Err(Leaf::new(ExpandErrorKind::Character, self.as_str(), span, message, help).into())
    }

    fn check_time(&self, wanted: &Macro, context: &Context, span: Span) -> Result<(), ExpandError> {
        let time = context.time();
        let (fits, expected) = match wanted {
            Macro::Timestamp => {
                ((0..=9_999_999_999).contains(&time.timestamp()), "from 1970 on with a Unix time of at most ten digits")
            }
            Macro::Datetime(_) | Macro::ExportTime => ((0..=9999).contains(&time.year()), "in the years 0 to 9999"),
            _ => return Ok(()),
        };
        if fits {
            return Ok(());
        }
        let message = format!("expected a time {expected} for `%{}%`, found {time}", wanted.name());
        Err(Leaf::new(ExpandErrorKind::Time, self.as_str(), span, message, "").into())
    }

    /// What only the whole text shows: its segments, and what reads as a macro.
    fn check_expanded(&self, context: &Context) -> Result<(), ExpandError> {
        let mut text = String::new();
        // Where in the expanded text each piece ends.
        let mut ends = Vec::with_capacity(self.pieces().len());
        for piece in self.pieces() {
            self.expand_piece(piece.what.as_ref(), piece.span, context, NonZeroU64::MIN, &mut text);
            ends.push((text.len(), piece.span));
        }
        // A place in the expanded text, as the macros and texts of the template that it came from.
        let origin = |found: Span| {
            let first = ends.partition_point(|(end, _)| *end <= found.start()).min(ends.len().saturating_sub(1));
            let last = ends.partition_point(|(end, _)| *end < found.end()).min(ends.len().saturating_sub(1));
            match (ends.get(first), ends.get(last)) {
                (Some((_, first)), Some((_, last))) => Span::new(first.start(), last.end()),
                _ => Span::default(),
            }
        };
        if let Some((span, segment)) = bad_segment(&text) {
            let message = match segment {
                "" => "expected text between slashes in the expanded template, found none".to_owned(),
                _ => format!("expected no segment `{segment}` in the expanded template, found one"),
            };
            return Err(Leaf::new(ExpandErrorKind::Segment, self.as_str(), origin(span), message, "").into());
        }
        if let Some((span, name)) = find_macro(&text) {
            let message = format!("expected no macro in the expanded template, found `%{name}%`");
            return Err(Leaf::new(ExpandErrorKind::Unexpanded, self.as_str(), origin(span), message, "").into());
        }
        Ok(())
    }

    #[cold]
    fn lacks(&self, span: Span, names: &[&str]) -> ExpandError {
        let names: Vec<String> = names.iter().map(|name| format!("`%{name}%`")).collect();
        let word = if names.len() == 1 { "a value" } else { "values" };
        let message = format!("the context lacks {word} for {}", names.join(", "));
        Leaf::new(ExpandErrorKind::Missing, self.as_str(), span, message, "").into()
    }
}

/// What a context has for a macro.
enum Value<'c> {
    /// Nothing to look up: made of the time or the file index.
    Computed,
    Missing,
    Text(&'c str),
}

impl<'c> Value<'c> {
    fn of(wanted: &Macro, context: &'c Context) -> Self {
        let text = match wanted {
            Macro::CustomText => context.custom_text(),
            Macro::DatasetId => context.dataset_id(),
            Macro::DatasetName => context.dataset_name(),
            Macro::Destination => context.destination(),
            Macro::DestinationInstanceId => context.destination_instance_id(),
            Macro::DestinationInstanceName => context.destination_instance_name(),
            Macro::MergePolicyId => context.merge_policy_id(),
            Macro::MergePolicyName => context.merge_policy_name(),
            Macro::OrganizationName => context.organization_name(),
            Macro::SandboxName => context.sandbox_name(),
            Macro::SegmentId => context.audience_id(),
            Macro::SegmentName => context.audience_name(),
            Macro::Datetime(_) | Macro::ExportTime | Macro::FileIndex | Macro::Timestamp => return Self::Computed,
        };
        text.map_or(Self::Missing, Self::Text)
    }
}

/// The safe characters (AWS user guide, object key naming guidelines), but for the slash.
pub(crate) const fn is_safe(c: char) -> bool {
    matches!(c, '0'..='9' | 'A'..='Z' | 'a'..='z' | '!' | '-' | '_' | '.' | '*' | '\'' | '(' | ')')
}

fn percent_encode(text: &str, out: &mut String) {
    // `.` and `..` are segments that lead elsewhere, though a dot is a safe character.
    let dots = text.bytes().all(|byte| byte == b'.');
    for c in text.chars() {
        if is_safe(c) && !dots {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// The first segment of a folder that is empty, `.` or `..`. One slash at each end is no segment.
pub(crate) fn bad_segment(text: &str) -> Option<(Span, &str)> {
    if text.is_empty() || text == "/" {
        return None;
    }
    let inner = text.strip_prefix('/').unwrap_or(text);
    let mut at = text.len() - inner.len();
    for segment in inner.strip_suffix('/').unwrap_or(inner).split('/') {
        if matches!(segment, "" | "." | "..") {
            // An empty span says nothing: mark the slash that follows, too.
            let end = if segment.is_empty() { at + 1 } else { at + segment.len() };
            return Some((Span::new(at, end), segment));
        }
        at += segment.len() + 1;
    }
    None
}
