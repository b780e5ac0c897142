//! Why a pattern, a locale or a zone was refused.

use std::fmt;

use crate::span::Caret;
use crate::{Error, ErrorKind, Span};

/// A pattern was refused: why, and where in the pattern.
///
/// `{}` prints one line; `{:#}` adds the pattern with carets under what was refused.
///
/// ```
/// use consign::format::csv::datetime::Pattern;
///
/// let e = Pattern::spark("yyyy-MMMMM").unwrap_err();
/// assert_eq!(e.to_string(), "`MMMMM` at byte 5 asks for narrow text, which Spark refuses");
/// assert_eq!(
///     format!("{e:#}"),
///     "`MMMMM` at byte 5 asks for narrow text, which Spark refuses\n\
///      yyyy-MMMMM\n     ^^^^^",
/// );
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PatternError {
    kind: PatternErrorKind,
    span: Span,
    pattern: String,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// A letter of week-based years, which Spark 3 refuses: `Y`, `W`, `w`, `u`, `e`, `c`.
    WeekBased,
    /// A letter that Java knows and Spark refuses: `A`, `B`, `n`, `N`, `p`.
    Unsupported,
    /// Five letters of a text field, whose narrow form Spark refuses.
    Narrow,
    /// More repetitions of a letter than its field has forms.
    TooMany {
        /// How many there may be.
        most: usize,
    },
    /// A letter that must stand an exact number of times.
    WrongCount {
        /// How many times, in words.
        expected: &'static str,
    },
    /// A letter without a meaning.
    UnknownLetter,
    /// A character that Java keeps for later: `{`, `}`, `#`.
    Reserved,
    /// A `]` without a `[` before it.
    UnmatchedBracket,
    /// A quote that is not closed.
    OpenQuote,
    /// A `%` sequence that strftime does not know.
    UnknownSpecifier,
    /// A field of the time of day in a pattern for dates.
    NeedsTime,
    /// The field needs a date, which a time of day does not have.
    NeedsDate,
    /// A zone or an offset in a pattern for values that have none.
    NeedsZone,
    /// A zone's name in a locale whose zone names are not carried.
    ZoneNames {
        /// The locale.
        locale: String,
    },
}

impl PatternError {
    #[cold]
    pub(super) fn new(kind: PatternErrorKind, span: Span, pattern: &str) -> Self {
        Self { kind, span, pattern: pattern.to_owned() }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &PatternErrorKind {
        &self.kind
    }

    /// Where in the pattern it is wrong.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = shown(&self.pattern, self.span);
        write!(f, "`{what}` at byte {} ", self.span.start())?;
        match &self.kind {
            PatternErrorKind::WeekBased => f.write_str("is a week-based letter, which Spark refuses since 3.0")?,
            PatternErrorKind::Unsupported => f.write_str("is a letter that Spark refuses")?,
            PatternErrorKind::Narrow => f.write_str("asks for narrow text, which Spark refuses")?,
            PatternErrorKind::TooMany { most: 1 } => f.write_str("repeats a letter that may stand once only")?,
            PatternErrorKind::TooMany { most } => write!(f, "repeats a letter more than {most} times")?,
            PatternErrorKind::WrongCount { expected } => {
                write!(f, "repeats a letter that must stand {expected}")?;
            }
            PatternErrorKind::UnknownLetter => {
                f.write_str("is no pattern letter, and text must stand in single quotes")?;
            }
            PatternErrorKind::Reserved => f.write_str("is reserved, and as text must stand in single quotes")?,
            PatternErrorKind::UnmatchedBracket => f.write_str("closes no `[`")?,
            PatternErrorKind::OpenQuote => f.write_str("opens a quote that is not closed")?,
            PatternErrorKind::UnknownSpecifier => f.write_str("is no strftime specifier")?,
            PatternErrorKind::NeedsTime => f.write_str("needs a time of day, which a date does not have")?,
            PatternErrorKind::NeedsDate => f.write_str("needs a date, which a time of day does not have")?,
            PatternErrorKind::NeedsZone => f.write_str("needs a zone, which the value does not have")?,
            PatternErrorKind::ZoneNames { locale } => {
                write!(f, "needs the names of zones, which are not carried for the locale `{locale}`")?;
            }
        }
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.pattern, span: self.span })?;
        }
        Ok(())
    }
}

impl std::error::Error for PatternError {}

impl From<PatternError> for Error {
    fn from(error: PatternError) -> Self {
        Self::new(
            ErrorKind::Destination,
            format!("the date pattern `{}` is refused", shown(&error.pattern, Span::new(0, error.pattern.len()))),
        )
        .with_source(error)
    }
}

/// A locale was refused: why, and where in the tag.
///
/// `{}` prints one line; `{:#}` adds the tag with carets under what was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocaleError {
    kind: LocaleErrorKind,
    span: Span,
    tag: String,
}

/// What is wrong with a locale.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LocaleErrorKind {
    /// The text is no language tag of BCP 47.
    Malformed,
    /// No text is carried for the language.
    NotCarried,
}

impl LocaleError {
    #[cold]
    pub(super) fn new(kind: LocaleErrorKind, span: Span, tag: &str) -> Self {
        Self { kind, span, tag: tag.to_owned() }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> LocaleErrorKind {
        self.kind
    }

    /// Where in the tag it is wrong.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for LocaleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = shown(&self.tag, self.span);
        match self.kind {
            LocaleErrorKind::Malformed => write!(
                f,
                "expected a subtag of one to eight letters or digits, found `{what}` at byte {}",
                self.span.start()
            )?,
            LocaleErrorKind::NotCarried => write!(f, "no text is carried for the language `{what}`")?,
        }
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.tag, span: self.span })?;
        }
        Ok(())
    }
}

impl std::error::Error for LocaleError {}

impl From<LocaleError> for Error {
    fn from(error: LocaleError) -> Self {
        Self::new(
            ErrorKind::Destination,
            format!("the locale `{}` is refused", shown(&error.tag, Span::new(0, error.tag.len()))),
        )
        .with_source(error)
    }
}

/// A zone was refused: why, and where in its text.
///
/// `{}` prints one line; `{:#}` adds the text with carets under what was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneError {
    kind: ZoneErrorKind,
    span: Span,
    id: String,
}

/// What is wrong with a zone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ZoneErrorKind {
    /// The text after a sign is no offset of hours, minutes and seconds.
    Offset,
    /// An offset lies beyond 18 hours.
    Range,
    /// The zone is not in the IANA time zone database.
    Unknown,
}

impl ZoneError {
    #[cold]
    pub(super) fn new(kind: ZoneErrorKind, span: Span, id: &str) -> Self {
        Self { kind, span, id: id.to_owned() }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ZoneErrorKind {
        self.kind
    }

    /// Where in the text it is wrong.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = shown(&self.id, self.span);
        match self.kind {
            ZoneErrorKind::Offset => {
                write!(f, "expected an offset such as `+05:30`, found `{what}` at byte {}", self.span.start())?;
            }
            ZoneErrorKind::Range => write!(f, "the offset `{what}` lies beyond 18 hours")?,
            ZoneErrorKind::Unknown => write!(f, "expected a zone such as `Europe/Paris`, found `{what}`")?,
        }
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.id, span: self.span })?;
        }
        Ok(())
    }
}

impl std::error::Error for ZoneError {}

impl From<ZoneError> for Error {
    fn from(error: ZoneError) -> Self {
        Self::new(
            ErrorKind::Destination,
            format!("the time zone `{}` is refused", shown(&error.id, Span::new(0, error.id.len()))),
        )
        .with_source(error)
    }
}

/// A part of a text on one line: control characters are escaped.
fn shown(text: &str, span: Span) -> String {
    let mut shown = String::new();
    for c in text.get(span.range()).unwrap_or_default().chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
