//! Floats as text.

use super::digits::{ROOM, write_fixed};
use super::java::Decimal;

/// How floats are spelled. The default is [`FloatText::Shortest`].
///
/// Both spellings read back as the float that was written, bit for bit (but for the payload of a NaN), and both
/// write `NaN`, `Infinity` and `-Infinity`.
///
/// ```
/// use consign::format::csv::text::FloatText;
///
/// let text = |style: FloatText, value: f64| {
///     let mut out = Vec::new();
///     style.append_f64(value, &mut out);
///     String::from_utf8(out).unwrap()
/// };
/// assert_eq!(text(FloatText::Shortest, 100.0), "100.0");
/// assert_eq!(text(FloatText::Java, 100.0), "100.0");
/// assert_eq!(text(FloatText::Shortest, 1e-4), "0.0001");
/// assert_eq!(text(FloatText::Java, 1e-4), "1.0E-4");
/// assert_eq!(text(FloatText::Shortest, 2e23), "2e23");
/// assert_eq!(text(FloatText::Java, 2e23), "1.9999999999999998E23");
/// assert_eq!(text(FloatText::Java, f64::NEG_INFINITY), "-Infinity");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FloatText {
    /// The fewest digits that read back as the same float; an exponent from `1e16` up and from `1e-6` down.
    #[default]
    Shortest,
    /// `Double.toString` and `Float.toString` of Java 17, as Spark writes them: an exponent from `1.0E7` up and below
    /// `0.001`, and of some floats more digits than are needed (JDK-4511638, fixed in Java 19).
    Java,
}

impl FloatText {
    /// Appends a 64-bit float.
    pub fn append_f64(self, value: f64, out: &mut Vec<u8>) {
        if append_special(value, out) {
            return;
        }
        match self {
            Self::Shortest => append_shortest(zmij::Buffer::new().format_finite(value), out),
            Self::Java => append_java(value.is_sign_negative(), value != 0.0, || Decimal::from_f64(value.abs()), out),
        }
    }

    /// Writes a 64-bit float, if it is one whose text is found quickly, and says how long it is.
    #[inline]
    pub(crate) fn write_f64(self, value: f64, out: &mut [u8; ROOM]) -> Option<usize> {
        if self != Self::Shortest {
            return None;
        }
        let hundredths = value * 100.0;
        if hundredths.abs() < 1e15 {
            #[expect(clippy::cast_possible_truncation, reason = "the number is below 10^15")]
            let n = (hundredths + 0.5_f64.copysign(value)) as i64;
            // Of all numbers of at most 15 digits no two are the same float, so this one is the shortest.
            #[expect(clippy::cast_precision_loss, reason = "the number is below 2^53")]
            #[expect(clippy::float_cmp, reason = "it has to be the same float")]
            if n != 0 && n as f64 / 100.0 == value {
                let len = write_fixed(n, 2, out);
                return Some(len - usize::from(out[len - 1] == b'0'));
            }
        }
        // Beyond these there are exponents.
        if !(1e-5..1e15).contains(&value.abs()) {
            return None;
        }
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value).as_bytes();
        out.get_mut(..text.len())?.copy_from_slice(text);
        Some(text.len())
    }

    /// Writes a 32-bit float, as [`write_f64`](Self::write_f64).
    #[cfg(feature = "arrow")]
    #[inline]
    pub(crate) fn write_f32(self, value: f32, out: &mut [u8; ROOM]) -> Option<usize> {
        // Exponents begin sooner than those of 64 bits.
        if self != Self::Shortest || !(1e-4..1e7).contains(&value.abs()) {
            return None;
        }
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value).as_bytes();
        out.get_mut(..text.len())?.copy_from_slice(text);
        Some(text.len())
    }

    /// Appends a 32-bit float, whose shortest text is shorter than that of the same value in 64 bits.
    ///
    /// ```
    /// use consign::format::csv::text::FloatText;
    ///
    /// let mut out = Vec::new();
    /// FloatText::Shortest.append_f32(0.1, &mut out);
    /// assert_eq!(out, b"0.1");
    /// ```
    pub fn append_f32(self, value: f32, out: &mut Vec<u8>) {
        if append_special(value.into(), out) {
            return;
        }
        match self {
            Self::Shortest => append_shortest(zmij::Buffer::new().format_finite(value), out),
            Self::Java => append_java(value.is_sign_negative(), value != 0.0, || Decimal::from_f32(value.abs()), out),
        }
    }
}

/// Appends the text, without the plus that stands before positive exponents.
fn append_shortest(text: &str, out: &mut Vec<u8>) {
    match text.split_once("e+") {
        None => out.extend_from_slice(text.as_bytes()),
        Some((number, exponent)) => {
            out.extend_from_slice(number.as_bytes());
            out.push(b'e');
            out.extend_from_slice(exponent.as_bytes());
        }
    }
}

fn append_java(negative: bool, is_some: bool, digits: impl FnOnce() -> Decimal, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    if is_some { digits().append(out) } else { out.extend_from_slice(b"0.0") }
}

/// Appends a value that is no finite number, and says whether it was one.
fn append_special(value: f64, out: &mut Vec<u8>) -> bool {
    if value.is_finite() {
        return false;
    }
    out.extend_from_slice(match value {
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ => b"NaN",
    });
    true
}
