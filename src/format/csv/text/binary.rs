//! Bytes as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How binary values are spelled. The default is [`BinaryText::Base64`].
///
/// Spark refuses binary columns in CSV.
///
/// ```
/// use consign::format::csv::text::BinaryText;
///
/// let text = |style: BinaryText| {
///     let mut out = Vec::new();
///     style.append(b"\x00\xffa", &mut out);
///     String::from_utf8(out).unwrap()
/// };
/// assert_eq!(text(BinaryText::Base64), "AP9h");
/// assert_eq!(text(BinaryText::EscapedHex), r"\x00\xff\x61");
/// assert_eq!(text(BinaryText::Hex), "00ff61");
/// assert_eq!(text(BinaryText::PrefixedHex), r"\x00ff61");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BinaryText {
    /// Base64 with padding (RFC 4648, section 4).
    #[default]
    Base64,
    /// `\x` and two lowercase hexadecimal digits for each byte, as `DuckDB` reads a BLOB.
    EscapedHex,
    /// Two lowercase hexadecimal digits for each byte (RFC 4648, section 8, in lower case).
    Hex,
    /// `\x` and then as [`BinaryText::Hex`]: the hex format of `PostgreSQL`'s `bytea`.
    PrefixedHex,
}

impl BinaryText {
    /// Appends the bytes.
    pub fn append(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Base64 => {
                let start = out.len();
                // Four digits for every three bytes that have begun, which is what the encoder fills.
                out.resize(start + bytes.len().div_ceil(3) * 4, 0);
                let filled = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or_default();
                debug_assert_eq!(start + filled, out.len());
            }
            Self::EscapedHex => bytes.iter().for_each(|&b| {
                out.extend_from_slice(br"\x");
                out.extend(digits(b));
            }),
            Self::Hex => out.extend(bytes.iter().copied().flat_map(digits)),
            Self::PrefixedHex => {
                out.extend_from_slice(br"\x");
                out.extend(bytes.iter().copied().flat_map(digits));
            }
        }
    }
}

fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}
