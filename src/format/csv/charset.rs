//! The charset of a file: which bytes its characters become.

use std::fmt;
use std::str::FromStr;

use super::{DialectError, DialectErrorKind};
use crate::Span;

/// The charset of a file.
///
/// Default: [`Charset::UTF_8`].
///
/// Names are parsed without regard to case: `UTF-8`, `UTF-16` (big endian, with a byte order mark, as Java writes it),
/// `UTF-16BE`, `UTF-16LE`, `UTF-32` (big endian, without a mark), `UTF-32BE`, `UTF-32LE`, `US-ASCII`, `ISO-8859-1`,
/// and the single-byte charsets of the WHATWG Encoding Standard by the names it gives them: `windows-1250` to
/// `windows-1258`, `windows-874`, `ISO-8859-2` to `-8`, `-10`, `-13` to `-16`, `KOI8-R`, `KOI8-U`, `IBM866`,
/// `macintosh` and `x-mac-cyrillic`. Charsets of several bytes to a character, other than Unicode's, are not carried,
/// since in most of them a byte of a character can be taken for a delimiter or a backslash. Bytes that Microsoft's
/// tables of the `windows-` charsets leave free stand for no character, as Java and Python have it; that standard reads
/// control characters from them.
///
/// ```
/// use consign::format::csv::{Charset, Dialect};
/// use consign::row::Value;
///
/// let record = ["é", "b"].map(Value::Text);
/// let mut out = Vec::new();
/// Dialect::builder().with_charset("windows-1252".parse()?).build()?.encoder().record(record, &mut out)?;
/// assert_eq!(out, b"\xE9,b\n");
///
/// out.clear();
/// let mut encoder = Dialect::builder().with_charset(Charset::UTF_16).build()?.encoder();
/// encoder.header(&["n"], &mut out)?;
/// encoder.record([Value::Text("é")], &mut out)?;
/// assert_eq!(out, b"\xFE\xFF\0n\0\n\0\xE9\0\n");
///
/// let e = "Shift_JIS".parse::<Charset>().unwrap_err();
/// assert_eq!(e.to_string(), "expected Unicode or a single-byte charset, found `Shift_JIS`");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Charset(Kind);

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Kind {
    Ascii,
    Latin1,
    Narrow(&'static encoding_rs::Encoding),
    Utf16(Order),
    /// Big endian with a byte order mark in any case.
    Utf16Marked,
    Utf32(Order),
    Utf8,
}

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Order {
    Big,
    Little,
}

impl Charset {
    /// ISO-8859-1: the characters up to U+00FF.
    pub const ISO_8859_1: Self = Self(Kind::Latin1);
    /// US-ASCII: the characters up to U+007F.
    pub const US_ASCII: Self = Self(Kind::Ascii);
    /// UTF-16, big endian, with a byte order mark.
    pub const UTF_16: Self = Self(Kind::Utf16Marked);
    /// UTF-16, big endian.
    pub const UTF_16BE: Self = Self(Kind::Utf16(Order::Big));
    /// UTF-16, little endian.
    pub const UTF_16LE: Self = Self(Kind::Utf16(Order::Little));
    /// UTF-8, the default.
    pub const UTF_8: Self = Self(Kind::Utf8);

    /// The charset's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Ascii => "US-ASCII",
            Kind::Latin1 => "ISO-8859-1",
            Kind::Narrow(encoding) => encoding.name(),
            Kind::Utf16(Order::Big) => "UTF-16BE",
            Kind::Utf16(Order::Little) => "UTF-16LE",
            Kind::Utf16Marked => "UTF-16",
            Kind::Utf32(Order::Big) => "UTF-32BE",
            Kind::Utf32(Order::Little) => "UTF-32LE",
            Kind::Utf8 => "UTF-8",
        }
    }

    /// Whether every character has a place in it.
    pub(super) fn is_unicode(self) -> bool {
        !matches!(self.0, Kind::Ascii | Kind::Latin1 | Kind::Narrow(_))
    }
}

impl Default for Charset {
    fn default() -> Self {
        Self::UTF_8
    }
}

impl fmt::Debug for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Charset({})", self.name())
    }
}

impl FromStr for Charset {
    type Err = DialectError;

    fn from_str(name: &str) -> Result<Self, DialectError> {
        let kind = match &*name.to_ascii_lowercase() {
            "ascii" | "us-ascii" => Kind::Ascii,
            "iso-8859-1" | "iso8859_1" | "latin1" => Kind::Latin1,
            "utf-16" | "utf16" => Kind::Utf16Marked,
            "utf-16be" => Kind::Utf16(Order::Big),
            "utf-16le" => Kind::Utf16(Order::Little),
            "utf-32" | "utf32" | "utf-32be" => Kind::Utf32(Order::Big),
            "utf-32le" => Kind::Utf32(Order::Little),
            "utf-8" | "utf8" => Kind::Utf8,
            // A label such as `iso-8859-9` stands for another charset in that standard, and is not taken for it.
            _ => match encoding_rs::Encoding::for_label_no_replacement(name.as_bytes()) {
                Some(encoding)
                    if encoding.is_single_byte()
                        && encoding.name().eq_ignore_ascii_case(name)
                        && encoding != encoding_rs::X_USER_DEFINED
                        && encoding != encoding_rs::ISO_8859_8_I =>
                {
                    Kind::Narrow(encoding)
                }
                _ => {
                    let what = format!("expected Unicode or a single-byte charset, found `{name}`");
                    let span = Span::new(0, name.len());
                    return Err(DialectError::new(DialectErrorKind::Charset, what).at(name, span));
                }
            },
        };
        Ok(Self(kind))
    }
}

/// Whether a file begins with a byte order mark.
///
/// Default: [`Bom::Omit`]; [`Charset::UTF_16`] has one in any case. Only Unicode's charsets have one.
///
/// ```
/// use consign::format::csv::{Bom, Dialect};
///
/// let mut out = Vec::new();
/// Dialect::builder().with_bom(Bom::Write).build()?.encoder().header(&["id"], &mut out)?;
/// assert_eq!(out, b"\xEF\xBB\xBFid\n");
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a mark is written or not")]
pub enum Bom {
    /// The file begins with its text.
    #[default]
    Omit,
    /// The file begins with U+FEFF, which Excel needs to read a file as UTF-8.
    Write,
}

/// What becomes of a character that the charset lacks.
///
/// All but [`Unmappable::Error`] count such characters ([`Counts::unmappable`](super::Counts::unmappable)).
/// Default: [`Unmappable::Error`]. Spark's writer replaces.
///
/// ```
/// use consign::format::csv::{Charset, Dialect, Unmappable};
/// use consign::row::Value;
///
/// let dialect = Dialect::builder().with_charset(Charset::ISO_8859_1);
/// let record = ["5 €"].map(Value::Text);
/// let mut out = Vec::new();
///
/// let e = dialect.clone().build()?.encoder().record(record, &mut out).unwrap_err();
/// assert_eq!(e.to_string(), "the charset ISO-8859-1 has no character `€` (U+20AC): expected a text without it");
///
/// dialect.clone().with_unmappable(Unmappable::Replace).build()?.encoder().record(record, &mut out)?;
/// assert_eq!(out, b"5 ?\n");
///
/// out.clear();
/// let mut encoder = dialect.with_unmappable(Unmappable::Escape).build()?.encoder();
/// encoder.record(record, &mut out)?;
/// assert_eq!(out, b"\"5 \\\\u20ac\"\n");
/// assert_eq!(encoder.counts().unmappable(), 1);
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the character fails, is told, or is gone")]
pub enum Unmappable {
    /// The cell cannot be written.
    #[default]
    Error,
    /// It becomes the text `\uXXXX`, as in Java and JSON; a character beyond U+FFFF becomes two of them.
    Escape,
    /// It becomes `?`.
    Replace,
}

/// Turns texts into the bytes of a charset.
#[derive(Debug)]
pub(super) struct Coder {
    charset: Charset,
    /// The characters of a single-byte charset and their bytes, in order of characters.
    table: Box<[(char, u8)]>,
}

impl Coder {
    /// None where the bytes of a text are those that it has in memory.
    pub(super) fn new(charset: Charset) -> Option<Self> {
        let latin = |last| (0..=last).map(|b| (char::from(b), b)).collect();
        let table = match charset.0 {
            Kind::Utf8 => return None,
            Kind::Ascii => latin(0x7F),
            Kind::Latin1 => latin(0xFF),
            Kind::Narrow(encoding) => narrow(encoding),
            Kind::Utf16(_) | Kind::Utf16Marked | Kind::Utf32(_) => Box::default(),
        };
        Some(Self { charset, table })
    }

    pub(super) fn charset(&self) -> Charset {
        self.charset
    }

    /// Whether the charset has a place for the character.
    pub(super) fn has(&self, c: char) -> bool {
        self.charset.is_unicode() || self.byte(c).is_some()
    }

    fn byte(&self, c: char) -> Option<u8> {
        let at = self.table.binary_search_by_key(&c, |entry| entry.0).ok()?;
        Some(self.table[at].1)
    }

    /// The first character that the charset lacks.
    pub(super) fn lacks(&self, text: &str) -> Option<char> {
        text.chars().find(|&c| !self.has(c))
    }

    /// Appends the bytes of a text, and `?` for each character that the charset lacks.
    pub(super) fn append(&self, text: &str, out: &mut Vec<u8>) {
        match self.charset.0 {
            Kind::Utf8 => out.extend_from_slice(text.as_bytes()),
            Kind::Utf16(Order::Big) | Kind::Utf16Marked => {
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Kind::Utf16(Order::Little) => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Kind::Utf32(Order::Big) => out.extend(text.chars().flat_map(|c| u32::from(c).to_be_bytes())),
            Kind::Utf32(Order::Little) => out.extend(text.chars().flat_map(|c| u32::from(c).to_le_bytes())),
            Kind::Ascii | Kind::Latin1 | Kind::Narrow(_) => {
                out.extend(text.chars().map(|c| self.byte(c).unwrap_or(b'?')));
            }
        }
    }
}

/// The characters of a single-byte charset and their bytes.
fn narrow(encoding: &'static encoding_rs::Encoding) -> Box<[(char, u8)]> {
    let windows = encoding.name().starts_with("windows-");
    let mut table = Vec::with_capacity(256);
    for byte in 0..=255_u8 {
        let input = [byte];
        let (text, failed) = encoding.decode_without_bom_handling(&input);
        match text.chars().next() {
            Some(c) if failed || (windows && ('\u{80}'..='\u{9f}').contains(&c)) => {}
            Some(c) => table.push((c, byte)),
            None => {}
        }
    }
    table.sort_unstable();
    table.into()
}

impl Charset {
    /// Whether a file of this charset begins with a byte order mark.
    pub(super) fn is_marked(self, bom: Bom) -> bool {
        self.0 == Kind::Utf16Marked || bom == Bom::Write
    }
}
