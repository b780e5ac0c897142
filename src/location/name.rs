//! Names of files: the last segment of a key.

use super::text::text_type;
use super::{FileNameError, FileNameErrorKind};
use crate::Span;
use crate::template::Leaf;

/// The whole name of a file: stem, suffix of the file index and extensions, such as `daily_2.csv.gz`.
///
/// # Rules
///
/// - 1 to 255 characters ([`FileName::MAX_CHARS`]). The platform states the number without saying of what; we count
///   the Unicode characters of the whole name, with suffix and extensions.
/// - No slash and no control character (U+0000 to U+001F, U+007F to U+009F).
/// - Not `.` and not `..`.
///
/// ```
/// use consign::location::FileName;
///
/// assert_eq!(FileName::parse("daily_2.csv.gz")?.as_str(), "daily_2.csv.gz");
/// assert_eq!(
///     FileName::parse("a/b.csv").unwrap_err().to_string(),
///     "expected no slash and no control character, found `/` at byte 1 of the file name"
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileName(String);

text_type!(FileName, FileNameError);

impl FileName {
    /// How many characters the platform allows in the name of a file.
    pub const MAX_CHARS: usize = 255;

    /// Parses the name of a file.
    ///
    /// # Errors
    ///
    /// - empty text
    /// - `a/b`, `a\nb`: a slash or a control character
    /// - `..`
    /// - more than 255 characters
    pub fn parse(text: &str) -> Result<Self, FileNameError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn check(text: &str) -> Result<(), FileNameError> {
    let fault = |kind, span, message: String| Err(Leaf::new(kind, text, span, message, "").into());
    if text.is_empty() {
        return fault(FileNameErrorKind::Empty, Span::default(), "expected a file name, found empty text".to_owned());
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| *c == '/' || c.is_control()) {
        let message = format!(
            "expected no slash and no control character, found `{}` at byte {at} of the file name",
            c.escape_debug()
        );
        return fault(FileNameErrorKind::Character, Span::new(at, at + c.len_utf8()), message);
    }
    if text == "." || text == ".." {
        let message = format!("expected a file name, found `{text}`, which means a folder");
        return fault(FileNameErrorKind::Segment, Span::new(0, text.len()), message);
    }
    let max = FileName::MAX_CHARS;
    if let Some((at, _)) = text.char_indices().nth(max) {
        let found = text.chars().count();
        let message = format!("expected no more than {max} characters, found {found} in the file name");
        return fault(FileNameErrorKind::Length, Span::new(at, text.len()), message);
    }
    Ok(())
}
