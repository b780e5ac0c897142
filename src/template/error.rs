//! What is wrong with a template, or with the values for it.

use std::fmt;

use crate::Span;
use crate::span::Caret;

/// What all errors of a parser have: a kind, the text that was parsed, a place in it, and words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Leaf<K> {
    pub(crate) kind: K,
    pub(crate) input: Box<str>,
    pub(crate) span: Span,
    /// The one line of `{}`.
    pub(crate) text: String,
    /// The last line of `{:#}`: what would be allowed.
    pub(crate) help: String,
}

impl<K> Leaf<K> {
    #[cold]
    pub(crate) fn new(kind: K, input: &str, span: Span, text: String, help: impl Into<String>) -> Self {
        Self { kind, input: input.into(), span, text, help: help.into() }
    }

    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.input, span: self.span })?;
            if !self.help.is_empty() {
                write!(f, "\n{}", self.help)?;
            }
        }
        Ok(())
    }
}

/// Makes the public error around a [`Leaf`], and its way into the crate's error.
macro_rules! leaf_error {
    ($(#[$docs:meta])* $name:ident($kind:ty), $crate_kind:ident, $crate_text:literal) => {
        $(#[$docs])*
        ///
        /// `{}` is one line; `{:#}` adds the input with carets under the place, and what would be allowed.
        #[derive(Clone, Eq, PartialEq)]
        pub struct $name(Box<$crate::template::Leaf<$kind>>);

        impl $name {
            /// What kind of fault it is.
            #[must_use]
            pub fn kind(&self) -> $kind {
                self.0.kind
            }

            /// Where in the [input](Self::input) it is.
            #[must_use]
            pub fn span(&self) -> $crate::Span {
                self.0.span
            }

            /// The text that the span points into.
            #[must_use]
            pub fn input(&self) -> &str {
                &self.0.input
            }
        }

        impl From<$crate::template::Leaf<$kind>> for $name {
            #[cold]
            fn from(leaf: $crate::template::Leaf<$kind>) -> Self {
                Self(Box::new(leaf))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.write(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?}, {}..{}, \"{}\")", stringify!($name), self.kind(), self.span().start(), self.span().end(), self.0.text)
            }
        }

        impl std::error::Error for $name {}

        impl From<$name> for $crate::Error {
            #[cold]
            fn from(error: $name) -> Self {
                Self::new($crate::ErrorKind::$crate_kind, $crate_text).with_source(error)
            }
        }
    };
}
pub(crate) use leaf_error;

leaf_error! {
    /// A text is no template.
    TemplateError(TemplateErrorKind), Name, "could not parse the template"
}

leaf_error! {
    /// A context does not have what a template needs.
    ///
    /// The span points into the template: at the macro whose value is missing or wrong.
    ExpandError(ExpandErrorKind), Context, "the template cannot be expanded with this context"
}

/// What is wrong with a template.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// A control character, or a slash in the name of a file.
    Character,
    /// The pattern of `DATETIME` is wrong.
    DatePattern,
    /// The name of a file is empty.
    Empty,
    /// Two macros exclude one another.
    Excluded,
    /// The rules do not take this macro.
    NotAllowed,
    /// A macro other than `DATETIME` has a pattern.
    Pattern,
    /// The rules take a macro only once.
    Repeated,
    /// The rules ask for a macro that is not there.
    Required,
    /// The fixed text alone is too long for the name of a file.
    TooLong,
    /// A percent sign opens a macro that nothing closes.
    Unclosed,
    /// There is no macro of this name.
    UnknownMacro,
}

/// What is wrong with the values of a context.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ExpandErrorKind {
    /// A value holds a character that may not reach a key, or that the policy refuses.
    Character,
    /// A value is empty text.
    Empty,
    /// The context lacks values; the text of the error names all of them.
    Missing,
    /// The text would have a segment that is empty, `.` or `..`.
    Segment,
    /// The time has no four-digit year, or no ten-digit timestamp.
    Time,
    /// The text would have more than 1,024 bytes, which no key has.
    TooLong,
    /// The text would hold something that reads as a macro.
    Unexpanded,
}
