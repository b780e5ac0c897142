//! Keys: the full names of objects.

use std::fmt;

use object_store::path::Path;

use super::name;
use super::text::text_type;
use super::{FileNameErrorKind, ObjectKeyError, ObjectKeyErrorKind};
use crate::Span;
use crate::template::{Leaf, bad_segment, find_macro, is_safe};

/// The full name of an object in a bucket: folders and file name, after macros are expanded.
///
/// # Rules
///
/// - 1 to 1,024 bytes of UTF-8 ([`ObjectKey::MAX_BYTES`]; AWS user guide, object key names).
/// - No control character (U+0000 to U+001F, U+007F to U+009F).
/// - No slash at the beginning or the end, and between slashes no segment that is empty, `.` or `..`.
/// - Nothing that reads as a macro, such as `%SEGMENT_ID%`: it has not been expanded.
///
/// The key that is computed is the key in the store, to the byte: its [`Path`] holds the same text, while `Path::from` of
/// a text encodes some of it.
///
/// # Characters
///
/// | class | characters |
/// |---|---|
/// | [`Safe`](CharClass::Safe) | `0-9 A-Z a-z ! - _ . * ' ( )`, and `/` between segments |
/// | [`NeedsCare`](CharClass::NeedsCare) | `& $ @ = ; : + , ?`, space, and all beyond ASCII, which must be encoded in URLs |
/// | [`Avoid`](CharClass::Avoid) | `\ { } ^ %` backtick `[ ] " < > ~ #` and the vertical bar |
///
/// # Example
///
/// ```
/// use consign::location::{CharClass, ObjectKey};
///
/// let key = ObjectKey::join("/acme/Luxury Audience/", "daily.csv.gz")?;
/// assert_eq!(key.as_str(), "acme/Luxury Audience/daily.csv.gz");
/// assert_eq!(key.class(), CharClass::NeedsCare);
///
/// let error = ObjectKey::parse("acme/../daily.csv").unwrap_err();
/// assert_eq!(error.to_string(), "expected no segment `..`, found one at byte 5 of the object key");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectKey(String);

text_type!(ObjectKey, ObjectKeyError);

impl ObjectKey {
    /// How many bytes of UTF-8 a key may have.
    pub const MAX_BYTES: usize = crate::template::MAX_BYTES;

    /// Parses a key.
    ///
    /// # Errors
    ///
    /// - empty text, or more than 1,024 bytes
    /// - `/a`, `a/`, `a//b`, `a/./b`, `../a`: a segment that is empty, `.` or `..`
    /// - `a\nb`: a control character
    /// - `%SEGMENT_ID%.csv`: a macro that was not expanded
    pub fn parse(text: &str) -> Result<Self, ObjectKeyError> {
        use ObjectKeyErrorKind::{Character, Empty, Length, Segment, Unexpanded};

        let fault = |kind, span, message: String| Err(Leaf::new(kind, text, span, message, "").into());
        if text.is_empty() {
            return fault(Empty, Span::default(), "expected an object key, found empty text".to_owned());
        }
        if text.len() > Self::MAX_BYTES {
            let message =
                format!("expected no more than {} bytes, found {} in the object key", Self::MAX_BYTES, text.len());
            let start = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= Self::MAX_BYTES).last();
            return fault(Length, Span::new(start.unwrap_or(0), text.len()), message);
        }
        if let Some((at, c)) = text.char_indices().find(|(_, c)| c.is_control()) {
            let found = c.escape_debug();
            let message = format!("expected no control character, found `{found}` at byte {at} of the object key");
            return fault(Character, Span::new(at, at + c.len_utf8()), message);
        }
        if text.starts_with('/') {
            let message = "expected no slash at the beginning of the object key, found one".to_owned();
            return fault(Segment, Span::new(0, 1), message);
        }
        if text.ends_with('/') {
            let message = "expected no slash at the end of the object key, found one".to_owned();
            return fault(Segment, Span::new(text.len() - 1, text.len()), message);
        }
        if let Some((span, segment)) = bad_segment(text) {
            let at = span.start();
            let message = match segment {
                "" => format!("expected text between slashes, found none at byte {at} of the object key"),
                _ => format!("expected no segment `{segment}`, found one at byte {at} of the object key"),
            };
            return fault(Segment, span, message);
        }
        if let Some((span, name)) = find_macro(text) {
            let message = format!(
                "expected no macro that is left to expand, found `%{name}%` at byte {} of the object key",
                span.start()
            );
            return fault(Unexpanded, span, message);
        }
        Ok(Self(text.to_owned()))
    }

    /// The key of a file in a folder. Slashes at both ends of the folder are left away; an empty folder is the root of
    /// the bucket.
    ///
    /// # Errors
    ///
    /// - The name is not a [`FileName`](super::FileName): it is empty, holds a slash, or is longer than 255 characters.
    /// - The whole is refused by [`parse`](Self::parse), such as for being longer than 1,024 bytes.
    ///
    /// The span points into the whole key.
    pub fn join(folder: &str, name: &str) -> Result<Self, ObjectKeyError> {
        let folder = folder.trim_matches('/');
        let key = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if let Err(error) = name::check(name) {
            let kind = match error.kind() {
                FileNameErrorKind::Character => ObjectKeyErrorKind::Character,
                FileNameErrorKind::Empty => ObjectKeyErrorKind::Empty,
                FileNameErrorKind::Length => ObjectKeyErrorKind::Length,
                FileNameErrorKind::Segment => ObjectKeyErrorKind::Segment,
            };
            let start = key.len() - name.len();
            let span = Span::new(start + error.span().start(), start + error.span().end());
            return Err(Leaf::new(kind, &key, span, error.to_string(), "").into());
        }
        Self::parse(&key)
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// The class of the character that needs most care.
    #[must_use]
    pub fn class(&self) -> CharClass {
        self.0.chars().map(CharClass::of).max().unwrap_or_default()
    }

    /// What is legal but may give trouble: each character that is not safe, once, and names with a meaning of their own.
    ///
    /// ```
    /// use consign::location::ObjectKey;
    ///
    /// let key = ObjectKey::parse("a b/100%.csv.")?;
    /// let warnings: Vec<String> = key.warnings().iter().map(ToString::to_string).collect();
    /// assert_eq!(warnings, [
    ///     "` ` at byte 1 of the object key needs care: it must be encoded in URLs",
    ///     "`%` at byte 7 of the object key should be avoided: some tools and stores change it",
    ///     "the object key ends in a dot, which some tools drop",
    /// ]);
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<KeyWarning> {
        let mut warnings = Vec::new();
        let mut seen = Vec::new();
        for (at, c) in self.0.char_indices() {
            let class = CharClass::of(c);
            if class != CharClass::Safe && !seen.contains(&c) {
                seen.push(c);
                warnings.push(KeyWarning::Character { character: c, class, at });
            }
        }
        if self.0.ends_with('.') {
            warnings.push(KeyWarning::TrailingDot);
        }
        if self.0 == "soap" {
            warnings.push(KeyWarning::Soap);
        }
        warnings
    }
}

/// The path of the same bytes: `Path::from(&str)` would encode `" ^ [ ] % *` and more.
impl From<&ObjectKey> for Path {
    fn from(key: &ObjectKey) -> Self {
        Self::parse(key.as_str()).expect("a key has no segment and no character that a path refuses")
    }
}

/// How well a character goes through tools and URLs (AWS user guide, object key naming guidelines).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CharClass {
    /// Goes through everything.
    #[default]
    Safe,
    /// Has to be encoded in URLs.
    NeedsCare,
    /// Better not used.
    Avoid,
}

impl CharClass {
    /// The class of a character in a key, where `/` stands between segments.
    #[must_use]
    pub const fn of(c: char) -> Self {
        match c {
            _ if is_safe(c) || c == '/' => Self::Safe,
            '\\' | '{' | '}' | '^' | '%' | '`' | '[' | ']' | '"' | '<' | '>' | '~' | '#' | '|'
            // Of 128 to 255 the AWS guide names those that are not printed.
            | '\0'..='\x1F' | '\x7F'..='\u{A0}' | '\u{AD}' => Self::Avoid,
            _ => Self::NeedsCare,
        }
    }
}

/// Something about a key that is legal, but may give trouble.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyWarning {
    /// A character that is not safe, where it stands first.
    Character {
        /// The character.
        character: char,
        /// Its class.
        class: CharClass,
        /// Its first byte in the key.
        at: usize,
    },
    /// The key is `soap`, which requests in the virtual-host style cannot name.
    Soap,
    /// The key ends in a dot, which consoles drop on download.
    TrailingDot,
}

impl fmt::Display for KeyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { character, class, at } => {
                let words = match class {
                    CharClass::Avoid => "should be avoided: some tools and stores change it",
                    CharClass::NeedsCare | CharClass::Safe => "needs care: it must be encoded in URLs",
                };
                write!(f, "`{}` at byte {at} of the object key {words}", character.escape_debug())
            }
            Self::Soap => f.write_str("the object key `soap` cannot be named by requests in the virtual-host style"),
            Self::TrailingDot => f.write_str("the object key ends in a dot, which some tools drop"),
        }
    }
}
