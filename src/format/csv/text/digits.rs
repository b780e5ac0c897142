//! Integers to decimal digits, many at a time.

#![expect(clippy::inline_always, reason = "the loops that write columns of numbers are nothing but these")]
#![expect(clippy::cast_possible_truncation, reason = "what is cast was divided, or is below the divisor")]

/// The digits of 0 to 99.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
      2021222324252627282930313233343536373839\
      4041424344454647484950515253545556575859\
      6061626364656667686970717273747576777879\
      8081828384858687888990919293949596979899";

/// As many digits as a `u128` has.
const MOST: usize = 39;

/// The two digits of a number below 100, with a zero before a single one.
#[inline]
pub(crate) fn pair(n: u8) -> [u8; 2] {
    let at = usize::from(n) * 2;
    [PAIRS[at], PAIRS[at + 1]]
}

/// The four digits of a number below 10,000.
#[inline]
pub(crate) fn quad(n: u16) -> [u8; 4] {
    let (high, low) = (pair((n / 100) as u8), pair((n % 100) as u8));
    [high[0], high[1], low[0], low[1]]
}

/// The digits of a number, at the end of an array.
pub(crate) struct Digits {
    array: [u8; MOST],
    start: usize,
}

impl Digits {
    pub(crate) fn new(n: u128) -> Self {
        // 64-bit division is several times faster, and nineteen digits always fit.
        const CHUNK: u128 = 10_000_000_000_000_000_000;
        let mut digits = Self { array: [b'0'; MOST], start: MOST };
        let mut rest = n;
        while rest >= CHUNK {
            let end = digits.start;
            digits.prepend((rest % CHUNK) as u64);
            // Zeros at the head of a chunk count, since more follows before them.
            digits.start = end - 19;
            rest /= CHUNK;
        }
        digits.prepend(rest as u64);
        digits
    }

    fn prepend(&mut self, n: u64) {
        let mut rest = n;
        while rest >= 100 {
            self.start -= 2;
            self.array[self.start..self.start + 2].copy_from_slice(&pair((rest % 100) as u8));
            rest /= 100;
        }
        let [tens, ones] = pair(rest as u8);
        self.start -= 1;
        self.array[self.start] = ones;
        if rest >= 10 {
            self.start -= 1;
            self.array[self.start] = tens;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.array[self.start..]
    }
}

/// How many bytes [`write_integer`] and [`write_fixed`] write to, whatever the number: a sign, 20 digits, a point, and what
/// the last word reaches beyond its digits.
pub(crate) const ROOM: usize = 32;

/// The eight digits of a number below 10⁸, as numbers, the first in the lowest byte.
#[inline(always)]
fn eight(n: u32) -> u64 {
    // Both halves at once: four digits to two pairs, pairs to digits, by multiplications in place of divisions.
    let halves = u64::from(n / 10_000) | u64::from(n % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = ((halves - 100 * hundreds) << 16) + hundreds;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens + ((pairs - 10 * tens) << 8)
}

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Writes a word of digits at a place.
#[inline(always)]
fn put(word: u64, at: usize, out: &mut [u8; ROOM]) {
    out[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

/// Writes the digits of a number below 10⁸, at least `least` of them (1 to 8), and says how many.
#[inline(always)]
fn write_eight(n: u32, least: usize, at: usize, out: &mut [u8; ROOM]) -> usize {
    let digits = eight(n);
    let zeros = (digits | 1 << (8 * (8 - least))).trailing_zeros() / 8;
    put((digits | ZEROS) >> (8 * zeros), at, out);
    8 - zeros as usize
}

/// Writes the digits of a number from a place on, and says where they end.
#[inline(always)]
fn write_unsigned(n: u64, at: usize, out: &mut [u8; ROOM]) -> usize {
    const E8: u64 = 100_000_000;
    if n < E8 {
        return at + write_eight(n as u32, 1, at, out);
    }
    let (rest, low) = (n / E8, (n % E8) as u32);
    let mut at = at;
    if rest < E8 {
        at += write_eight(rest as u32, 1, at, out);
    } else {
        at += write_eight((rest / E8) as u32, 1, at, out);
        put(eight((rest % E8) as u32) | ZEROS, at, out);
        at += 8;
    }
    put(eight(low) | ZEROS, at, out);
    at + 8
}

/// Writes an integer, and says how long it is.
#[inline(always)]
pub(crate) fn write_integer(n: i64, out: &mut [u8; ROOM]) -> usize {
    out[0] = b'-';
    write_unsigned(n.unsigned_abs(), usize::from(n < 0), out)
}

/// The most digits behind the point that [`write_fixed`] takes.
pub(crate) const MOST_FIXED: u8 = 7;

/// Writes `n × 10^-scale` with `scale` digits behind the point, and says how long it is.
#[inline(always)]
pub(crate) fn write_fixed(n: i64, scale: u8, out: &mut [u8; ROOM]) -> usize {
    if scale == 0 {
        return write_integer(n, out);
    }
    let scale = usize::from(scale.min(MOST_FIXED));
    out[0] = b'-';
    let (start, n) = (usize::from(n < 0), n.unsigned_abs());
    if n < 100_000_000 {
        let digits = eight(n as u32);
        let zeros = (digits | 1 << (8 * (7 - scale))).trailing_zeros() / 8;
        let digits = (digits | ZEROS) >> (8 * zeros);
        let whole = 8 - zeros as usize - scale;
        put(digits, start, out);
        out[start + whole] = b'.';
        put(digits >> (8 * whole), start + whole + 1, out);
        return start + whole + 1 + scale;
    }
    let unit = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000][scale];
    let point = write_unsigned(n / unit, start, out);
    out[point] = b'.';
    put((eight((n % unit) as u32) | ZEROS) >> (8 * (8 - scale)), point + 1, out);
    point + 1 + scale
}

/// The digits of many numbers, of those that have no more than eight.
///
/// They are found all at once: each step is a loop of its own, in a form that compilers turn into vector instructions.
#[derive(Debug)]
pub(crate) struct Eights<const N: usize> {
    /// Eight digits of each, as numbers, the first in the lowest byte.
    digits: [u64; N],
    /// How many there are behind the zeros; none for a number that has more than eight.
    lens: [u8; N],
}

impl<const N: usize> Default for Eights<N> {
    fn default() -> Self {
        Self { digits: [0; N], lens: [0; N] }
    }
}

impl<const N: usize> Eights<N> {
    /// Finds the digits of these numbers, whatever their sign.
    #[inline(always)]
    pub(crate) fn find(&mut self, numbers: &[i64; N]) {
        let mut sizes = [0; N];
        for (size, n) in sizes.iter_mut().zip(numbers) {
            let n = n.unsigned_abs();
            *size = if n < 100_000_000 { n as u32 } else { u32::MAX };
        }
        let (mut high, mut low) = ([0; N], [0; N]);
        for ((high, low), n) in high.iter_mut().zip(&mut low).zip(&sizes) {
            // Divided by 10,000.
            let quad = ((u64::from(*n) * 3_518_437_209) >> 45) as u32;
            (*high, *low) = (quad as u16, n.wrapping_sub(quad * 10_000) as u16);
        }
        let is_short = high.iter().fold(0, |any, n| any | n) == 0;
        let (high, low) = (if is_short { [0; N] } else { fours(&high) }, fours(&low));
        for ((digits, high), low) in self.digits.iter_mut().zip(&high).zip(&low) {
            *digits = u64::from(*high) | u64::from(*low) << 32;
        }
        for (len, n) in self.lens.iter_mut().zip(&sizes) {
            let mut digits = 1;
            for most in [9, 99, 999, 9_999, 99_999, 999_999, 9_999_999] {
                digits += u8::from(*n > most);
            }
            *len = if *n == u32::MAX { 0 } else { digits };
        }
    }

    /// Whether none of the numbers has more than eight digits.
    pub(crate) fn are_all(&self) -> bool {
        !self.lens.contains(&0)
    }

    /// Writes one of the numbers, and says how long it is.
    #[inline(always)]
    pub(crate) fn write(&self, at: usize, n: i64, out: &mut [u8; 16]) -> usize {
        let (digits, len) = (self.digits[at] | ZEROS, usize::from(self.lens[at]));
        out[0] = b'-';
        let start = usize::from(n < 0);
        out[start..start + 8].copy_from_slice(&(digits >> ((64 - 8 * len as u32) % 64)).to_le_bytes());
        start + len
    }

    /// Writes one of the numbers with `scale` digits behind the point, 1 to [`MOST_FIXED`], and says how long it is.
    #[inline(always)]
    pub(crate) fn write_fixed(&self, at: usize, n: i64, scale: usize, out: &mut [u8; 24]) -> usize {
        let (digits, len) = (self.digits[at] | ZEROS, usize::from(self.lens[at]));
        out[0] = b'-';
        let start = usize::from(n < 0);
        let len = len.max(scale + 1);
        let whole = (len - scale) % 8;
        let digits = digits >> ((64 - 8 * len as u32) % 64);
        out[start..start + 8].copy_from_slice(&digits.to_le_bytes());
        out[start + whole] = b'.';
        out[start + whole + 1..start + whole + 9].copy_from_slice(&(digits >> (8 * whole)).to_le_bytes());
        start + len + 1
    }
}

/// The four digits of each number, the first in the lowest byte.
#[inline(always)]
fn fours<const N: usize>(numbers: &[u16; N]) -> [u32; N] {
    let (mut high, mut low, mut digits) = ([0; N], [0; N], [0; N]);
    for ((high, low), &n) in high.iter_mut().zip(&mut low).zip(numbers) {
        *high = ((u32::from(n) * 5_243) >> 16) as u16 >> 3;
        *low = n.wrapping_sub(*high * 100);
    }
    for ((digits, high), low) in digits.iter_mut().zip(&high).zip(&low) {
        *digits = u32::from(two(*high)) | u32::from(two(*low)) << 16;
    }
    digits
}

/// The two digits of a number, the first in the lower byte.
#[inline(always)]
fn two(n: u16) -> u16 {
    let tens = n.wrapping_mul(103) >> 10;
    tens | n.wrapping_sub(10 * tens) << 8
}

/// Appends an integer.
#[inline]
pub(crate) fn append_integer(n: i128, out: &mut Vec<u8>) {
    if n < 0 {
        out.push(b'-');
    }
    append_unsigned(n.unsigned_abs(), out);
}

/// Appends an integer without a sign.
#[inline]
pub(crate) fn append_unsigned(n: u128, out: &mut Vec<u8>) {
    out.extend_from_slice(Digits::new(n).as_bytes());
}

/// Appends an integer without a sign, with zeros before it up to a width.
pub(crate) fn append_padded(n: u128, width: usize, out: &mut Vec<u8>) {
    let digits = Digits::new(n);
    let digits = digits.as_bytes();
    append_zeros(width.saturating_sub(digits.len()), out);
    out.extend_from_slice(digits);
}

/// Appends zeros.
pub(crate) fn append_zeros(count: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + count, b'0');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around every power of ten and of two.
    fn edges() -> impl Iterator<Item = i64> {
        let tens = (0..19).map(|e| 10_i64.pow(e));
        let twos = (0..63).map(|e| 1_i64 << e);
        let near = tens.chain(twos).flat_map(|n| [n - 1, n, n + 1, n / 3, n / 7 * 5]);
        near.flat_map(|n| [n, -n]).chain([i64::MIN, i64::MAX])
    }

    #[test]
    fn integers_are_spelled_as_the_standard_library_does() {
        for n in edges().chain(0..100_000) {
            let mut out = [0; ROOM];
            let len = write_integer(n, &mut out);
            assert_eq!(std::str::from_utf8(&out[..len]), Ok(&*n.to_string()));
        }
    }

    #[test]
    fn fixed_numbers_are_spelled_as_decimals_are() {
        for n in edges().chain(-1_000..1_000) {
            for scale in 0..=MOST_FIXED {
                let mut out = [0; ROOM];
                let len = write_fixed(n, scale, &mut out);
                let mut expected = Vec::new();
                let style = crate::format::csv::text::DecimalText::Plain;
                style.append(n.into(), scale.cast_signed(), &mut expected);
                assert_eq!(std::str::from_utf8(&out[..len]), std::str::from_utf8(&expected), "{n} {scale}");
            }
        }
    }
}
