//! Decimals as text.

use super::digits::{Digits, append_integer, append_zeros};
use super::wide;

/// How decimals are spelled. The default is [`DecimalText::Plain`].
///
/// ```
/// use consign::format::csv::text::DecimalText;
///
/// let text = |style: DecimalText, unscaled, scale| {
///     let mut out = Vec::new();
///     style.append(unscaled, scale, &mut out);
///     String::from_utf8(out).unwrap()
/// };
/// assert_eq!(text(DecimalText::Plain, 1_234_500, 4), "123.4500");
/// assert_eq!(text(DecimalText::Java, 1_234_500, 4), "123.4500");
/// assert_eq!(text(DecimalText::Plain, -1, 10), "-0.0000000001");
/// assert_eq!(text(DecimalText::Java, -1, 10), "-1E-10");
/// assert_eq!(text(DecimalText::Java, 0, 10), "0E-10");
/// assert_eq!(text(DecimalText::Plain, 12, -3), "12000");
/// assert_eq!(text(DecimalText::Java, 12, -3), "1.2E+4");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DecimalText {
    /// Digits and a point, never an exponent: as many digits behind the point as the scale says.
    #[default]
    Plain,
    /// `BigDecimal.toString` of Java, as Spark writes it: with an exponent if the scale is negative or more than five
    /// zeros would stand between the point and the first digit.
    Java,
}

impl DecimalText {
    /// Appends `unscaled × 10^-scale`.
    pub fn append(self, unscaled: i128, scale: i8, out: &mut Vec<u8>) {
        self.append_digits(unscaled < 0, Digits::new(unscaled.unsigned_abs()).as_bytes(), scale, out);
    }

    /// Appends `unscaled × 10^-scale`, the integer in two's complement, the lowest byte first.
    ///
    /// ```
    /// use consign::format::csv::text::DecimalText;
    ///
    /// let mut unscaled = [0xFF; 32];
    /// unscaled[31] = 0x7F;
    /// let mut out = Vec::new();
    /// DecimalText::Plain.append_256(&unscaled, 76, &mut out);
    /// assert_eq!(out, b"5.7896044618658097711785492504343953926634992332820282019728792003956564819967");
    /// ```
    pub fn append_256(self, unscaled: &[u8; 32], scale: i8, out: &mut Vec<u8>) {
        let (negative, digits) = wide::digits(unscaled);
        self.append_digits(negative, &digits, scale, out);
    }

    fn append_digits(self, negative: bool, digits: &[u8], scale: i8, out: &mut Vec<u8>) {
        // The power of ten of the first digit.
        let adjusted = digits.len().cast_signed() - 1 - isize::from(scale);
        if self == Self::Java && (scale < 0 || adjusted < -6) {
            return append_scientific(negative, digits, adjusted, out);
        }
        if negative {
            out.push(b'-');
        }
        match usize::try_from(scale) {
            Ok(0) => out.extend_from_slice(digits),
            Ok(scale) if scale < digits.len() => {
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                out.extend_from_slice(whole);
                out.push(b'.');
                out.extend_from_slice(fraction);
            }
            Ok(scale) => {
                out.extend_from_slice(b"0.");
                append_zeros(scale - digits.len(), out);
                out.extend_from_slice(digits);
            }
            Err(_) => {
                out.extend_from_slice(digits);
                // Zero has no digits to move.
                if digits != b"0" {
                    append_zeros(scale.unsigned_abs().into(), out);
                }
            }
        }
    }
}

fn append_scientific(negative: bool, digits: &[u8], exponent: isize, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let (first, rest) = digits.split_at(1);
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    if exponent != 0 {
        out.push(b'E');
        if exponent > 0 {
            out.push(b'+');
        }
        append_integer(exponent as i128, out);
    }
}
