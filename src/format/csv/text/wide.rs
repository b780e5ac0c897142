//! Integers of 256 bits to decimal digits.

use super::digits::{append_padded, append_unsigned};

/// Nineteen digits always fit 64 bits.
const CHUNK: u128 = 10_000_000_000_000_000_000;

/// Whether an integer (two's complement, the lowest byte first) is negative, and the digits of its absolute value.
pub(super) fn digits(number: &[u8; 32]) -> (bool, Vec<u8>) {
    let negative = number[31] >= 0x80;
    let (limbs, _) = number.as_chunks::<8>();
    let mut rest: [u64; 4] = std::array::from_fn(|i| u64::from_le_bytes(limbs[i]));
    if negative {
        let mut carry = true;
        for limb in &mut rest {
            (*limb, carry) = (!*limb).overflowing_add(carry.into());
        }
    }
    let mut chunks = Vec::new();
    while rest != [0; 4] {
        let mut remainder = 0;
        for limb in rest.iter_mut().rev() {
            let part = (remainder << 64) | u128::from(*limb);
            *limb = u64::try_from(part / CHUNK).expect("the remainder before was below the divisor");
            remainder = part % CHUNK;
        }
        chunks.push(remainder);
    }
    let mut digits = Vec::new();
    append_unsigned(chunks.pop().unwrap_or_default(), &mut digits);
    chunks.iter().rev().for_each(|&chunk| append_padded(chunk, 19, &mut digits));
    (negative, digits)
}
