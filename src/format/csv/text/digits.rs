//! Integers to decimal digits, two at a time.

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
