//! Folders: the first part of a key, with macros.

use super::rules::{Empty, FolderAsked, Macros, Segments};
use super::text::text_type;
use super::{FolderPathError, FolderPathErrorKind, FolderRules};
use crate::Span;
use crate::template::{Grammar, Leaf, Macro, Slash, Template, TemplateErrorKind, bad_segment};

/// The folder that files go to: text with macros, such as `acme/campaigns/2021/%SEGMENT_NAME%`.
///
/// # Rules
///
/// By default, [`FolderRules::Lenient`], a path is what the pattern of the platform's API accepts, as far as keys can be
/// built of it:
///
/// - The characters are `0-9 A-Z a-z / ! - _ . * ' ( )`. The platform's user interface lists `" ^ [ ] + $ %` beside
///   them, but its API refuses those.
/// - After these come any number of the macros `%SEGMENT_NAME%` and `%SEGMENT_ID%` and of slashes, and then nothing
///   else. The user interface documents three such tails; [`FolderRules::Strict`] asks for one of them.
/// - One slash may stand at the beginning, and one at the end; they are no part of the key. Between them no segment is
///   empty, `.` or `..`.
/// - The path may be empty, or `/`: files then lie in the root of the bucket.
///
/// A path has no length of its own; the key has, see [`ObjectKey`](super::ObjectKey).
///
/// serde reads paths by the default rules, whatever rules the path that it wrote was parsed by: of a path that these
/// refuse, read a `String` and parse it.
///
/// # Example
///
/// ```
/// use std::num::NonZeroU64;
///
/// use chrono::DateTime;
/// use consign::location::FolderPath;
/// use consign::template::Context;
///
/// let folder: FolderPath = "acme/campaigns/2021/%SEGMENT_NAME%".parse()?;
/// let context = Context::new(DateTime::UNIX_EPOCH).with_audience_name("Luxury Audience");
/// assert_eq!(folder.template().expand(&context, NonZeroU64::MIN)?, "acme/campaigns/2021/Luxury Audience");
///
/// let error = FolderPath::parse("acme/%SEGMENT_NAME%/x").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "expected nothing but macros and slashes after the first macro, found `x` at byte 20 of the folder path"
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct FolderPath(Template);

text_type!(FolderPath, FolderPathError);

impl FolderPath {
    /// Parses a path by [`FolderRules::Lenient`].
    ///
    /// # Errors
    ///
    /// - `a b`, `a,b`, `a$b`: a character that is not allowed.
    /// - `acme/%SEGMENT_NMAE%`: there is no such macro; the error suggests the nearest.
    /// - `acme/%SANDBOX_NAME%`: a macro that does not stand in folder paths.
    /// - `acme/%SEGMENT_NAME%/x`: a macro that does not stand at the end.
    /// - `a//b`, `../x`: a segment that keys cannot have.
    pub fn parse(text: &str) -> Result<Self, FolderPathError> {
        Self::parse_with(text, FolderRules::Lenient)
    }

    /// Parses a path by the rules that are named.
    ///
    /// # Errors
    ///
    /// What the [rules](FolderRules) refuse.
    pub fn parse_with(text: &str, rules: FolderRules) -> Result<Self, FolderPathError> {
        let asked = rules.asked();
        if text.is_empty() && asked.empty == Empty::Refused {
            let message = "expected a folder path, found empty text".to_owned();
            return Err(Leaf::new(FolderPathErrorKind::Empty, text, Span::default(), message, asked.allowed).into());
        }
        let template = asked.template(text)?;
        asked.check_characters(&template)?;
        match asked.macros {
            Macros::Nowhere => check_none(&template)?,
            Macros::Run => check_run(&template)?,
            Macros::Tails => check_tail(&template)?,
            Macros::Anywhere => check_anywhere(&template)?,
        }
        if asked.segments == Segments::Keyed {
            check_segments(text)?;
        }
        Ok(Self(template))
    }

    /// The path as it was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The path as a template, to check and expand.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.0
    }
}

impl FolderAsked {
    fn template(&self, text: &str) -> Result<Template, FolderPathError> {
        let offered: fn(&Macro) -> bool = match self.macros {
            Macros::Nowhere => |_| false,
            Macros::Run | Macros::Tails => |found| matches!(found, Macro::SegmentName | Macro::SegmentId),
            Macros::Anywhere => |found| *found != Macro::FileIndex,
        };
        let grammar = Grammar { percent: self.percent, slash: Slash::Allowed, noun: "folder path", offered };
        Template::parse_grammar(text, grammar).map_err(|error| {
            let allowed = match self.macros {
                _ if error.kind() == TemplateErrorKind::Character => self.allowed,
                Macros::Nowhere => "allowed: no macros",
                Macros::Run | Macros::Tails => "allowed: %SEGMENT_NAME%, %SEGMENT_ID%",
                Macros::Anywhere => "allowed: the macros of templates, but for %FILE_INDEX%",
            };
            Leaf::new(FolderPathErrorKind::Template, text, error.span(), error.to_string(), allowed).into()
        })
    }

    fn check_characters(&self, template: &Template) -> Result<(), FolderPathError> {
        let text = template.as_str();
        for piece in template.pieces().iter().filter(|piece| piece.what.is_none()) {
            let start = piece.span.start();
            if let Some((at, c)) = text[piece.span.range()].char_indices().find(|(_, c)| !(self.alphabet)(*c)) {
                let at = start + at;
                let message = format!(
                    "expected a character that the folder rules allow, found `{}` at byte {at} of the folder path",
                    c.escape_debug()
                );
                let span = Span::new(at, at + c.len_utf8());
                return Err(Leaf::new(FolderPathErrorKind::Character, text, span, message, self.allowed).into());
            }
        }
        Ok(())
    }
}

#[cold]
fn macro_fault(template: &Template, span: Span, message: String, help: &str) -> FolderPathError {
    Leaf::new(FolderPathErrorKind::Macro, template.as_str(), span, message, help).into()
}

/// What `{:#}` says where any run of macros is allowed, and where one of three tails is.
const RUN: &str = "allowed: %SEGMENT_NAME%, %SEGMENT_ID% and slashes at the end";
const TAILS: &str = "allowed at the end: /%SEGMENT_NAME%, /%SEGMENT_ID%, /%SEGMENT_NAME%/%SEGMENT_ID%";

fn check_none(template: &Template) -> Result<(), FolderPathError> {
    for piece in template.pieces() {
        if let Some(found) = &piece.what {
            let message = format!(
                "expected no macro, found `%{}%` at byte {} of the folder path",
                found.name(),
                piece.span.start()
            );
            return Err(macro_fault(template, piece.span, message, "allowed: no macros"));
        }
    }
    Ok(())
}

fn check_anywhere(template: &Template) -> Result<(), FolderPathError> {
    match template.pieces().iter().find(|piece| piece.what == Some(Macro::FileIndex)) {
        None => Ok(()),
        Some(piece) => {
            let message = format!(
                "expected no `%FILE_INDEX%` in a folder, which all files of an export share, found one at byte {} of the folder path",
                piece.span.start()
            );
            Err(macro_fault(template, piece.span, message, "allowed: the other macros of templates"))
        }
    }
}

/// Only the audience's macros, and behind the first of them only more of them and slashes.
fn check_run(template: &Template) -> Result<(), FolderPathError> {
    check_audience(template, RUN)?;
    let text = template.as_str();
    for piece in template.pieces().iter().skip_while(|piece| piece.what.is_none()).filter(|piece| piece.what.is_none())
    {
        let plain = &text[piece.span.range()];
        if let Some((at, c)) = plain.char_indices().find(|(_, c)| *c != '/') {
            let at = piece.span.start() + at;
            let message = format!(
                "expected nothing but macros and slashes after the first macro, found `{}` at byte {at} of the folder path",
                c.escape_debug()
            );
            return Err(macro_fault(template, Span::new(at, piece.span.end()), message, RUN));
        }
    }
    Ok(())
}

fn check_audience(template: &Template, help: &str) -> Result<(), FolderPathError> {
    for piece in template.pieces() {
        let Some(found) = &piece.what else { continue };
        if !matches!(found, Macro::SegmentName | Macro::SegmentId) {
            let message = format!(
                "expected `%SEGMENT_NAME%` or `%SEGMENT_ID%`, found `%{}%` at byte {} of the folder path",
                found.name(),
                piece.span.start()
            );
            return Err(macro_fault(template, piece.span, message, help));
        }
    }
    Ok(())
}

/// No macro at all, or one of the three tails that the platform documents.
fn check_tail(template: &Template) -> Result<(), FolderPathError> {
    check_run(template)?;
    let text = template.as_str();
    let Some(first) = template.pieces().iter().find(|piece| piece.what.is_some()) else { return Ok(()) };
    let at = first.span.start();
    if !matches!(text[..at].chars().next_back(), None | Some('/')) {
        let message = format!("expected a slash before the macro at byte {at} of the folder path");
        return Err(macro_fault(template, first.span, message, TAILS));
    }
    let tail = &text[at..];
    match tail.strip_suffix('/').unwrap_or(tail) {
        "%SEGMENT_NAME%" | "%SEGMENT_ID%" | "%SEGMENT_NAME%/%SEGMENT_ID%" => Ok(()),
        _ => {
            let message = format!("expected one of the three documented tails from byte {at} of the folder path");
            Err(macro_fault(template, Span::new(at, text.len()), message, TAILS))
        }
    }
}

/// The text between slashes is as it has to be in a key; macros stand for text that is not empty.
fn check_segments(text: &str) -> Result<(), FolderPathError> {
    let Some((span, segment)) = bad_segment(text) else { return Ok(()) };
    let at = span.start();
    let message = match segment {
        "" => format!("expected text between slashes, found none at byte {at} of the folder path"),
        _ => format!("expected no segment `{segment}`, found one at byte {at} of the folder path"),
    };
    Err(Leaf::new(FolderPathErrorKind::Segment, text, span, message, "").into())
}
