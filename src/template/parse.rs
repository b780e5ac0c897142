//! The parser of templates: macros first, then what the rules say.

use super::date::DateFormat;
use super::item::{Place, SPELLINGS, Spelling, lookup, spelling_of};
use super::suggest::nearest;
use super::{Leaf, Macro, Piece, Template, TemplateError, TemplateErrorKind, TemplateRules};
use crate::Span;

/// What differs between texts with macros.
#[derive(Clone, Copy)]
pub(crate) struct Grammar {
    pub(crate) percent: Percent,
    pub(crate) slash: Slash,
    /// What the text is called in errors.
    pub(crate) noun: &'static str,
    /// Which macros errors may offer: those that the rules take.
    pub(crate) offered: fn(&Macro) -> bool,
}

/// What a percent sign is that opens no macro.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Percent {
    /// An error.
    Macro,
    /// A character, unless a name and another percent sign follow.
    Text,
}

/// Whether slashes may stand in the text.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Slash {
    Allowed,
    Refused,
}

/// How many characters the platform allows in the name of a file.
const NAME_CHARS: usize = 255;

pub(super) fn parse_with(text: &str, rules: TemplateRules) -> Result<Template, TemplateError> {
    let slash = match rules {
        TemplateRules::Lenient | TemplateRules::DatasetFolder => Slash::Allowed,
        TemplateRules::FileName | TemplateRules::Strict => Slash::Refused,
    };
    let offered: fn(&Macro) -> bool = match rules {
        TemplateRules::Lenient | TemplateRules::FileName => |_| true,
        TemplateRules::Strict => |found| spelling_of(found).file_name == Place::Taken,
        TemplateRules::DatasetFolder => |found| spelling_of(found).dataset_folder == Place::Taken,
    };
    let template = parse(text, Grammar { percent: Percent::Macro, slash, noun: "template", offered })?;
    if slash == Slash::Refused {
        check_name(&template)?;
    }
    match rules {
        TemplateRules::Lenient | TemplateRules::FileName => {}
        TemplateRules::Strict => check_strict(&template)?,
        TemplateRules::DatasetFolder => {
            check_places(&template, |spelling| spelling.dataset_folder, "a dataset folder")?;
        }
    }
    Ok(template)
}

pub(super) fn parse(text: &str, grammar: Grammar) -> Result<Template, TemplateError> {
    let mut pieces = Vec::new();
    // Where the text that is no macro began.
    let mut plain = 0;
    let mut from = 0;
    while let Some(open) = text[from..].find('%').map(|at| from + at) {
        let close = text[open + 1..].find('%').map(|at| open + 1 + at);
        if grammar.percent == Percent::Text && !close.is_some_and(|close| is_name(&text[open + 1..close])) {
            from = open + 1;
            continue;
        }
        push_text(text, Span::new(plain, open), grammar, &mut pieces)?;
        let span = Span::new(open, close.map_or(text.len(), |close| close + 1));
        if close.is_none() {
            return Err(unclosed(text, span, grammar));
        }
        pieces.push(Piece { span, what: Some(parse_macro(text, span, grammar)?) });
        plain = span.end();
        from = span.end();
    }
    push_text(text, Span::new(plain, text.len()), grammar, &mut pieces)?;
    let template = Template { text: text.to_owned(), pieces };
    check_exclusions(&template, grammar.noun)?;
    Ok(template)
}

/// Whether text between percent signs looks like a macro, known or not.
fn is_name(body: &str) -> bool {
    let name = body.split_once('(').map_or(body, |(name, _)| name);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn push_text(text: &str, span: Span, grammar: Grammar, pieces: &mut Vec<Piece>) -> Result<(), TemplateError> {
    for (at, c) in text[span.range()].char_indices() {
        if c.is_control() || (c == '/' && grammar.slash == Slash::Refused) {
            return Err(bad_character(
                text,
                c,
                Span::new(span.start() + at, span.start() + at + c.len_utf8()),
                grammar,
            ));
        }
    }
    if span.start() < span.end() {
        pieces.push(Piece { span, what: None });
    }
    Ok(())
}

/// Reads `%NAME%` or `%NAME(pattern)%`, which the span is of.
fn parse_macro(text: &str, span: Span, grammar: Grammar) -> Result<Macro, TemplateError> {
    let noun = grammar.noun;
    let body = &text[span.start() + 1..span.end() - 1];
    let (name, pattern) = match body.split_once('(') {
        Some((name, rest)) => (name, Some(rest)),
        None => (body, None),
    };
    let Some(spelling) = lookup(name) else { return Err(unknown(text, body, name, span, grammar)) };
    let Some(rest) = pattern else { return Ok(spelling.means.clone()) };

    let start = span.start() + 1 + name.len() + 1;
    if !matches!(spelling.means, Macro::Datetime(_)) {
        return Err(Leaf::new(
            TemplateErrorKind::Pattern,
            text,
            Span::new(start - 1, span.end() - 1),
            format!("expected `%` after `{name}`, found `(` at byte {} of the {noun}", start - 1),
            "allowed: a pattern in parentheses after DATETIME only",
        )
        .into());
    }
    let Some(pattern) = rest.strip_suffix(')') else {
        return Err(Leaf::new(
            TemplateErrorKind::DatePattern,
            text,
            Span::new(start - 1, span.end() - 1),
            format!("expected `)%` to close the date pattern that `(` opens at byte {} of the {noun}", start - 1),
            "allowed: %DATETIME(YYYYMMdd_HHmmss)% and the like",
        )
        .into());
    };
    let place = |span: Span| Span::new(start + span.start(), start + span.end());
    let unwanted = |c: char| c.is_control() || c == '(' || c == ')' || (c == '/' && grammar.slash == Slash::Refused);
    if let Some((at, c)) = pattern.char_indices().find(|(_, c)| unwanted(*c)) {
        return Err(bad_character(text, c, place(Span::new(at, at + c.len_utf8())), grammar));
    }
    // A slash at an end of a time would make an empty segment together with one beside the macro.
    if let Some(at) =
        [0, pattern.len().saturating_sub(1)].into_iter().find(|at| pattern.as_bytes().get(*at) == Some(&b'/'))
    {
        let span = place(Span::new(at, at + 1));
        return Err(Leaf::new(
            TemplateErrorKind::DatePattern,
            text,
            span,
            format!(
                "expected no slash at an end of the date pattern, found one at byte {} of the {noun}",
                span.start()
            ),
            "allowed: slashes between fields, and before and after the macro",
        )
        .into());
    }
    DateFormat::parse(pattern).map(Macro::Datetime).map_err(|fault| {
        let span = place(fault.span);
        let message = format!("{} at byte {} of the {noun}", fault.text, span.start());
        Leaf::new(fault.kind, text, span, message, fault.help).into()
    })
}

/// A name has one time: of `DATETIME`, `EXPORT_TIME` and `TIMESTAMP`, one kind.
fn check_exclusions(template: &Template, noun: &str) -> Result<(), TemplateError> {
    let mut times = template.pieces.iter().filter_map(|piece| match &piece.what {
        Some(found @ (Macro::Datetime(_) | Macro::ExportTime | Macro::Timestamp)) => Some((piece.span, found.name())),
        _ => None,
    });
    let Some((_, first)) = times.next() else { return Ok(()) };
    let Some((span, second)) = times.find(|(_, name)| *name != first) else { return Ok(()) };
    Err(Leaf::new(
        TemplateErrorKind::Excluded,
        &template.text,
        span,
        format!(
            "expected `%{}%` or `%{}%`, found both, the second at byte {} of the {noun}",
            first.min(second),
            first.max(second),
            span.start()
        ),
        "allowed: one of them, since a name has one time",
    )
    .into())
}

/// What holds for the name of a file, before values are known.
fn check_name(template: &Template) -> Result<(), TemplateError> {
    let text = template.as_str();
    if text.is_empty() {
        return Err(Leaf::new(
            TemplateErrorKind::Empty,
            text,
            Span::new(0, 0),
            "expected the name of a file, found empty text".to_owned(),
            "allowed: text and macros, such as %DESTINATION%_%SEGMENT_ID%_%DATETIME%",
        )
        .into());
    }
    let mut chars = 0;
    for piece in template.pieces.iter().filter(|piece| piece.what.is_none()) {
        let plain = &text[piece.span.range()];
        let count = plain.chars().count();
        if chars + count > NAME_CHARS {
            let fits = plain.char_indices().nth(NAME_CHARS - chars).map_or(plain.len(), |(at, _)| at);
            let at = piece.span.start() + fits;
            return Err(Leaf::new(
                TemplateErrorKind::TooLong,
                text,
                Span::new(at, piece.span.end()),
                format!("expected a file name of no more than {NAME_CHARS} characters, found more fixed text from byte {at} of the template"),
                "",
            )
            .into());
        }
        chars += count;
    }
    Ok(())
}

/// The combinations that the platform's user interface builds.
fn check_strict(template: &Template) -> Result<(), TemplateError> {
    check_places(template, |spelling| spelling.file_name, "a file name")?;
    let text = template.as_str();
    let mut seen: Vec<&'static str> = Vec::new();
    for piece in &template.pieces {
        let Some(name) = piece.what.as_ref().map(Macro::name) else { continue };
        if seen.contains(&name) {
            return Err(Leaf::new(
                TemplateErrorKind::Repeated,
                text,
                piece.span,
                format!(
                    "expected each macro once, found `%{name}%` again at byte {} of the template",
                    piece.span.start()
                ),
                "",
            )
            .into());
        }
        seen.push(name);
    }
    for (required, words) in
        [("DESTINATION", "`%DESTINATION%` or `%DESTINATION_NAME%`"), ("SEGMENT_ID", "`%SEGMENT_ID%`")]
    {
        if !seen.contains(&required) {
            return Err(Leaf::new(
                TemplateErrorKind::Required,
                text,
                Span::new(text.len(), text.len()),
                format!("expected {words} somewhere in the template, found none"),
                "required: the name of the destination and the id of the audience",
            )
            .into());
        }
    }
    Ok(())
}

/// Refuses the macros that the platform does not take at a place.
fn check_places(template: &Template, place: fn(&Spelling) -> Place, words: &str) -> Result<(), TemplateError> {
    for piece in &template.pieces {
        let Some(found) = &piece.what else { continue };
        let name = found.name();
        let why = match place(spelling_of(found)) {
            Place::Taken => continue,
            Place::Grouped => ", unless exports are grouped by merge policy",
            Place::Ours => ", since the platform does not know it",
            Place::Refused => "",
        };
        let taken: Vec<&str> = SPELLINGS.iter().filter(|it| place(it) == Place::Taken).map(|it| it.name).collect();
        return Err(Leaf::new(
            TemplateErrorKind::NotAllowed,
            template.as_str(),
            piece.span,
            format!("`%{name}%` cannot stand in {words}{why}, found at byte {} of the template", piece.span.start()),
            format!("allowed: {}", taken.join(", ")),
        )
        .into());
    }
    Ok(())
}

#[cold]
fn bad_character(text: &str, c: char, span: Span, grammar: Grammar) -> TemplateError {
    let (expected, allowed) = match grammar.slash {
        _ if c == '(' || c == ')' => ("no parenthesis in a date pattern", ""),
        Slash::Allowed => ("no control character", "allowed: all characters but U+0000 to U+001F and U+007F to U+009F"),
        Slash::Refused => (
            "no control character and no slash in a file name",
            "allowed: all characters but `/`, U+0000 to U+001F and U+007F to U+009F",
        ),
    };
    let at = span.start();
    let message = format!("expected {expected}, found `{}` at byte {at} of the {}", c.escape_debug(), grammar.noun);
    Leaf::new(TemplateErrorKind::Character, text, span, message, allowed).into()
}

#[cold]
fn unclosed(text: &str, span: Span, grammar: Grammar) -> TemplateError {
    let found: String =
        text[span.start() + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').take(41).collect();
    let advice =
        nearest(&found, grammar.offered).map_or_else(String::new, |name| format!(", did you mean `%{name}%`?"));
    Leaf::new(
        TemplateErrorKind::Unclosed,
        text,
        span,
        format!(
            "expected a `%` that closes the macro opened at byte {} of the {}, found its end{advice}",
            span.start(),
            grammar.noun
        ),
        allowed(grammar),
    )
    .into()
}

#[cold]
fn unknown(text: &str, body: &str, name: &str, span: Span, grammar: Grammar) -> TemplateError {
    let shown = match body.char_indices().nth(40) {
        None => format!("`%{}%`", body.escape_debug()),
        Some((end, _)) => format!("`%{}...`", body[..end].escape_debug()),
    };
    let advice = nearest(name, grammar.offered).map_or_else(String::new, |name| format!(", did you mean `%{name}%`?"));
    Leaf::new(
        TemplateErrorKind::UnknownMacro,
        text,
        span,
        format!("unknown macro {shown} at byte {} of the {}{advice}", span.start(), grammar.noun),
        allowed(grammar),
    )
    .into()
}

fn allowed(grammar: Grammar) -> String {
    let names: Vec<&str> = SPELLINGS.iter().filter(|it| (grammar.offered)(&it.means)).map(|it| it.name).collect();
    format!("allowed: {}", names.join(", "))
}

/// Where a text that should have been expanded reads as a macro, and the name of that.
///
/// The beginning of a `DATETIME` with a pattern is enough: patterns hold slashes, and so what a folder begins, the name
/// of a file in it could end.
pub(crate) fn find_macro(text: &str) -> Option<(Span, &'static str)> {
    let mut open = text.find('%')?;
    loop {
        let rest = &text[open + 1..];
        if rest.starts_with("DATETIME(") {
            return Some((Span::new(open, open + "%DATETIME(".len()), "DATETIME"));
        }
        let close = open + 1 + rest.find('%')?;
        if let Some(spelling) = lookup(&text[open + 1..close]) {
            return Some((Span::new(open, close + 1), spelling.name));
        }
        open = close;
    }
}
