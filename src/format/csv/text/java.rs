//! The digits that Java printed for floats up to release 18.
//!
//! Before JDK-4511638 was fixed in Java 19, `Double.toString` did not always print the shortest text: it developed
//! digits one by one (Steele and White's method) but always at least two where it writes an exponent, dropped digits
//! of large whole numbers by powers of ten, and, where the numbers fit a machine word, took an upper bound that it
//! should have rejected. Texts that were written by such a Java are only met again by doing the same, step by step,
//! also in where it changes from 32 to 64 bits and to big integers.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "exponents and digit counts are small, and limbs are cut in halves on purpose"
)]

use std::cmp::Ordering;

/// The significant digits of a float, and where the point stands.
pub(super) struct Decimal {
    digits: [u8; 32],
    len: usize,
    /// How many digits stand before the point; none or fewer for numbers below 0.1.
    exponent: i32,
}

/// The bits of the fraction of a double, without the one that is not stored.
const FRACTION_BITS: i32 = 52;

impl Decimal {
    /// The digits of a positive double.
    pub(super) fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let exponent = (bits >> FRACTION_BITS) as i32 & 0x7ff;
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        if exponent == 0 {
            let zeros = fraction.leading_zeros() as i32;
            let shift = zeros - (63 - FRACTION_BITS);
            return develop(fraction << shift, 1 - shift - 1_023, 64 - zeros);
        }
        develop(fraction | 1 << FRACTION_BITS, exponent - 1_023, FRACTION_BITS + 1)
    }

    /// The digits of a positive float.
    pub(super) fn from_f32(value: f32) -> Self {
        const BITS: i32 = 23;
        let bits = value.to_bits();
        let exponent = (bits >> BITS) as i32 & 0xff;
        let fraction = bits & ((1 << BITS) - 1);
        let widen = FRACTION_BITS - BITS;
        if exponent == 0 {
            let zeros = fraction.leading_zeros() as i32;
            let shift = zeros - (31 - BITS);
            return develop(u64::from(fraction << shift) << widen, 1 - shift - 127, 32 - zeros);
        }
        develop(u64::from(fraction | 1 << BITS) << widen, exponent - 127, BITS + 1)
    }

    /// Appends the number as `Double.toString` lays it out: plain from 0.001 up to ten million, otherwise with an
    /// exponent; a digit stands behind the point in any case.
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        let digits = &self.digits[..self.len];
        match usize::try_from(self.exponent) {
            Ok(whole @ 1..=7) => {
                let (before, after) = digits.split_at(whole.min(digits.len()));
                out.extend_from_slice(before);
                out.resize(out.len() + whole - before.len(), b'0');
                out.push(b'.');
                out.extend_from_slice(if after.is_empty() { b"0" } else { after });
            }
            _ if (-2..=0).contains(&self.exponent) => {
                out.extend_from_slice(b"0.");
                out.resize(out.len() + self.exponent.unsigned_abs() as usize, b'0');
                out.extend_from_slice(digits);
            }
            _ => {
                let (first, rest) = digits.split_at(1);
                out.extend_from_slice(first);
                out.push(b'.');
                out.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
                out.push(b'E');
                super::digits::append_integer(i128::from(self.exponent) - 1, out);
            }
        }
    }

    fn new(exponent: i32) -> Self {
        Self { digits: [0; 32], len: 0, exponent }
    }

    fn push(&mut self, digit: u8) {
        self.digits[self.len] = b'0' + digit;
        self.len += 1;
    }

    /// Adds one to the last digit; nines become zeros, which stay.
    fn round_up(&mut self) {
        for i in (0..self.len).rev() {
            if self.digits[i] != b'9' {
                self.digits[i] += 1;
                return;
            }
            self.digits[i] = b'0';
        }
        self.digits[0] = b'1';
        self.exponent += 1;
    }

    /// Rounds the last digit by what the remainder is like.
    fn round(&mut self, end: End) {
        let up = match end {
            End { high: false, .. } => false,
            End { low: false, .. } => true,
            End { half, .. } => match half {
                Ordering::Less => false,
                Ordering::Equal => self.digits[self.len - 1] & 1 == 1,
                Ordering::Greater => true,
            },
        };
        if up {
            self.round_up();
        }
    }
}

/// Why no further digit is needed.
#[derive(Clone, Copy)]
struct End {
    /// What is left is too little to matter.
    low: bool,
    /// What is missing to the next digit is.
    high: bool,
    /// What is left, against half a digit.
    half: Ordering,
}

/// The digits of `fraction × 2^(exponent - 52)`, of which so many bits are significant; the highest is bit 52.
fn develop(fraction: u64, exponent: i32, significant: i32) -> Decimal {
    let zeros = fraction.trailing_zeros() as i32;
    let bits = FRACTION_BITS + 1 - zeros;
    let behind_point = (bits - exponent - 1).max(0);
    if behind_point == 0 && exponent <= 62 && bits < 64 {
        let dropped = if exponent > significant { digits_in_bits(exponent - significant - 1) } else { 0 };
        let whole = if exponent >= FRACTION_BITS {
            fraction << (exponent - FRACTION_BITS)
        } else {
            fraction >> (FRACTION_BITS - exponent)
        };
        return whole_number(whole, dropped);
    }

    // The number is B / S × 10^decimal, and M is half the distance to the next one, each as powers of two and five.
    let decimal = estimate(fraction, exponent);
    let b5 = (-decimal).max(0);
    let mut b2 = b5 + behind_point + exponent;
    let s5 = decimal.max(0);
    let mut s2 = s5 + behind_point;
    let mut m2 = b2 - significant;
    let fraction = fraction >> zeros;
    b2 -= bits - 1;
    let common = b2.min(s2);
    b2 -= common;
    s2 -= common;
    m2 -= common;
    if bits == 1 {
        // Below a power of two, numbers are half as far apart.
        m2 -= 1;
    }
    if m2 < 0 {
        b2 -= m2;
        s2 -= m2;
        m2 = 0;
    }
    let ratio = Ratio {
        fraction,
        b: Power { two: b2.unsigned_abs(), five: b5.unsigned_abs() },
        s: Power { two: s2.unsigned_abs(), five: s5.unsigned_abs() },
        m: Power { two: m2.unsigned_abs(), five: b5.unsigned_abs() },
    };
    let b_bits = bits.unsigned_abs() + ratio.b.two + bits_of_power_of_five(ratio.b.five);
    let ten_s_bits = ratio.s.two + 1 + bits_of_power_of_five(ratio.s.five + 1);
    match b_bits.max(ten_s_bits) {
        0..=31 => word::<i32>(&ratio, decimal),
        32..=63 => word::<i64>(&ratio, decimal),
        64..=120 => wide(&ratio, decimal),
        _ => big(&ratio, decimal),
    }
}

/// Of how many decimal digits so many bits tell nothing.
fn digits_in_bits(bits: i32) -> u32 {
    // The logarithm of 2 to base 10, which is close enough for the bits of a word.
    if bits > 1 { bits.unsigned_abs() * 30_103 / 100_000 } else { 0 }
}

/// A whole number, rounded to a power of ten, without the zeros at its end.
fn whole_number(whole: u64, dropped: u32) -> Decimal {
    let mut exponent = dropped as i32;
    let mut whole = whole;
    if dropped > 0 {
        let unit = 10_u64.pow(dropped);
        let rest = whole % unit;
        whole = whole / unit + u64::from(rest >= unit / 2);
    }
    while whole.is_multiple_of(10) {
        whole /= 10;
        exponent += 1;
    }
    let text = super::digits::Digits::new(whole.into());
    let mut decimal = Decimal::new(0);
    for digit in text.as_bytes() {
        decimal.push(digit - b'0');
    }
    decimal.exponent = exponent + decimal.len as i32;
    decimal
}

/// The power of ten of the first digit, or one more: a line through the logarithm.
fn estimate(fraction: u64, exponent: i32) -> i32 {
    const ONE: u64 = 1_023 << FRACTION_BITS;
    #[expect(clippy::approx_constant, reason = "Java's own, which has fewer digits")]
    const LOG10_2: f64 = 0.301_029_995_663_981;
    let mantissa = f64::from_bits(ONE | fraction & ((1 << FRACTION_BITS) - 1));
    let log = (mantissa - 1.5) * 0.289_529_654 + 0.176_091_259 + f64::from(exponent) * LOG10_2;
    log.floor() as i32
}

/// How many bits a power of five takes, or an upper bound where Java has no table.
fn bits_of_power_of_five(exponent: u32) -> u32 {
    match exponent {
        0 => 0,
        // The logarithm of 5 to base 2.
        1..27 => exponent * 232_193 / 100_000 + 1,
        _ => exponent * 3,
    }
}

/// `fraction × B / S`, and the distance M.
struct Ratio {
    fraction: u64,
    b: Power,
    s: Power,
    m: Power,
}

/// A product of powers of two and five.
#[derive(Clone, Copy)]
struct Power {
    two: u32,
    five: u32,
}

/// Whether an exponent will be printed, for which Java wants two digits at least.
fn prints_exponent(decimal: i32) -> bool {
    !(-3..8).contains(&decimal)
}

/// A machine word of Java, whose overflow is part of the algorithm.
trait Word: Copy {
    fn power(factor: u64, power: Power) -> Self;
    fn times_ten(self) -> Self;
    /// The digit of `self / s`, and ten times the remainder.
    fn digit(self, s: Self) -> (u8, Self);
    fn end(self, m: Self, tens: Self) -> End;
}

macro_rules! word {
    ($word:ty, $unsigned:ty) => {
        impl Word for $word {
            fn power(factor: u64, power: Power) -> Self {
                // The bits were counted: the product fits.
                ((factor as $unsigned).wrapping_mul((5 as $unsigned).pow(power.five)) << power.two) as Self
            }

            fn times_ten(self) -> Self {
                self.wrapping_mul(10)
            }

            fn digit(self, s: Self) -> (u8, Self) {
                ((self / s) as u8, (self % s).wrapping_mul(10))
            }

            fn end(self, m: Self, tens: Self) -> End {
                let half = self.wrapping_shl(1).wrapping_sub(tens).cmp(&0);
                if m > 0 {
                    return End { low: self < m, high: self.wrapping_add(m) > tens, half };
                }
                // The distance has overflown: it is larger than all else.
                End { low: true, high: true, half }
            }
        }
    };
}

word!(i32, u32);
word!(i64, u64);

/// The digits by arithmetic of one machine word.
fn word<W: Word>(ratio: &Ratio, decimal: i32) -> Decimal {
    let s = W::power(1, ratio.s);
    let tens = s.times_ten();
    let mut m = W::power(1, ratio.m).times_ten();
    let (digit, mut b) = W::power(ratio.fraction, ratio.b).digit(s);
    first_digit(decimal, digit, b.end(m, tens), || {
        let (digit, rest) = b.digit(s);
        b = rest;
        m = m.times_ten();
        (digit, b.end(m, tens))
    })
}

/// The digits by arithmetic of 128 bits, where Java has big integers already and this is exact too.
fn wide(ratio: &Ratio, decimal: i32) -> Decimal {
    let power = |factor: u64, power: Power| (u128::from(factor) * 5_u128.pow(power.five)) << power.two;
    let end = |b: u128, m: u128, tens: u128| End { low: b < m, high: b + m >= tens, half: (b << 1).cmp(&tens) };
    let s = power(1, ratio.s);
    let tens = s * 10;
    let mut m = power(1, ratio.m) * 10;
    let b = power(ratio.fraction, ratio.b);
    let (digit, mut b) = ((b / s) as u8, b % s * 10);
    first_digit(decimal, digit, end(b, m, tens), || {
        let digit = (b / s) as u8;
        b = b % s * 10;
        m *= 10;
        (digit, end(b, m, tens))
    })
}

/// The digits by big integers.
fn big(ratio: &Ratio, decimal: i32) -> Decimal {
    let end = |b: &Big, m: &Big, tens: &Big| {
        let high = b.plus(m).cmp(tens) != Ordering::Less;
        End { low: b.cmp(m) == Ordering::Less, high, half: b.plus(b).cmp(tens) }
    };
    let s = Big::power(1, ratio.s);
    let tens = s.times_ten();
    let mut m = Big::power(1, ratio.m).times_ten();
    let mut b = Big::power(ratio.fraction, ratio.b);
    let digit = b.take_digit(&s);
    first_digit(decimal, digit, end(&b, &m, &tens), || {
        let digit = b.take_digit(&s);
        m = m.times_ten();
        (digit, end(&b, &m, &tens))
    })
}

/// Takes the first digit, which is left out if it is a zero (the estimate was one too high), and then all others.
fn first_digit(estimate: i32, digit: u8, end: End, mut next: impl FnMut() -> (u8, End)) -> Decimal {
    let mut exponent = estimate;
    let mut decimal = Decimal::new(0);
    if digit == 0 && !end.high {
        exponent -= 1;
    } else {
        decimal.push(digit);
    }
    let mut end = end;
    let mut going = prints_exponent(exponent) || !end.low && !end.high;
    while going {
        let (digit, after) = next();
        decimal.push(digit);
        end = after;
        going = !end.low && !end.high;
    }
    decimal.exponent = exponent + 1;
    decimal.round(end);
    decimal
}

/// A natural number, the lowest limb first, without zeros at its end.
#[derive(Clone)]
struct Big(Vec<u64>);

impl Big {
    fn power(factor: u64, power: Power) -> Self {
        let mut big = Self(vec![factor]);
        let mut five = power.five;
        while five > 0 {
            // 5^27 is the largest that fits a limb.
            let step = five.min(27);
            big = big.times(5_u64.pow(step));
            five -= step;
        }
        let (limbs, bits) = (power.two / 64, power.two % 64);
        if bits > 0 {
            big = big.times(1 << bits);
        }
        big.0.splice(0..0, std::iter::repeat_n(0, limbs as usize));
        big
    }

    fn times(&self, factor: u64) -> Self {
        let mut carry = 0_u128;
        let mut limbs = Vec::with_capacity(self.0.len() + 1);
        for &limb in &self.0 {
            let product = u128::from(limb) * u128::from(factor) + carry;
            limbs.push(product as u64);
            carry = product >> 64;
        }
        if carry > 0 {
            limbs.push(carry as u64);
        }
        Self(limbs)
    }

    fn times_ten(&self) -> Self {
        self.times(10)
    }

    fn plus(&self, other: &Self) -> Self {
        let (longer, shorter) = if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut carry = false;
        let mut limbs = Vec::with_capacity(longer.0.len() + 1);
        for (i, &limb) in longer.0.iter().enumerate() {
            let (sum, first) = limb.overflowing_add(shorter.0.get(i).copied().unwrap_or(0));
            let (sum, second) = sum.overflowing_add(carry.into());
            carry = first || second;
            limbs.push(sum);
        }
        if carry {
            limbs.push(1);
        }
        Self(limbs)
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes off another number, which must not be greater.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let (rest, first) = limb.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (rest, second) = rest.overflowing_sub(borrow.into());
            borrow = first || second;
            *limb = rest;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Divides by a number that goes into this one less than ten times: returns how often, and leaves ten times the
    /// remainder.
    fn take_digit(&mut self, s: &Self) -> u8 {
        let mut digit = 0;
        while self.cmp(s) != Ordering::Less {
            self.subtract(s);
            digit += 1;
        }
        *self = self.times_ten();
        digit
    }
}
