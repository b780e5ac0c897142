//! The numbers and dates of a column, laid down all at once, wherever they come from.

#![expect(clippy::inline_always, reason = "what is compiled for AVX2 has to be inside of the function that says so")]

use super::block::Block;
use super::dialect::Plan;
use super::memo::Memo;
use super::plain::{Enclosed, Short};
use super::scan::{Work, widely};
use super::text::FloatText;
use super::text::digits::{Eights, ROOM, write_fixed, write_integer};

/// The numbers of a column, as integers, and their digits.
#[derive(Debug)]
pub(super) struct Numbers {
    values: [i64; Block::ROWS],
    eights: Eights<{ Block::ROWS }>,
}

/// The place for a number: a quote, and what is written to for any.
const NUMBER: usize = ROOM + 8;

/// The place for a date.
const DATE: usize = size_of::<Short>();

/// So many digits are behind the point of the floats that are laid down as integers.
const CENTS: u8 = 2;

impl Default for Numbers {
    fn default() -> Self {
        Self { values: [0; Block::ROWS], eights: Eights::default() }
    }
}

impl Numbers {
    /// Stands for a number that needs another way, and for itself.
    pub(super) const UNKNOWN: i64 = i64::MIN;

    /// Lets `fill` say which numbers there are.
    #[inline(always)]
    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut [i64])) -> &mut Self {
        fill(&mut self.values);
        self
    }

    #[inline(never)]
    pub(super) fn lay_integers(&mut self, enclosed: Enclosed, column: usize, block: &mut Block) {
        let Self { values, eights } = self;
        values[block.rows()..].fill(0);
        widely(Digits { values, eights });
        if eights.are_all() && enclosed == Enclosed::Bare {
            return block.write(column, values.iter().enumerate(), |(row, &n), slot| Some(eights.write(row, n, slot)));
        }
        block.write::<_, NUMBER>(column, values, |&mut n, slot| {
            let is_known = n != Self::UNKNOWN;
            is_known.then(|| enclosed.put_number(0, slot, |out| Some(write_integer(n, out))))?
        });
    }

    /// With `scale` digits behind the point, 1 at least.
    #[inline(never)]
    pub(super) fn lay_fixed(&mut self, scale: u8, enclosed: Enclosed, column: usize, block: &mut Block) {
        let Self { values, eights } = self;
        values[block.rows()..].fill(0);
        widely(Digits { values, eights });
        if eights.are_all() && enclosed == Enclosed::Bare {
            let scale = usize::from(scale);
            return block.write(column, values.iter().enumerate(), |(row, &n), slot| {
                Some(eights.write_fixed(row, n, scale, slot))
            });
        }
        block.write::<_, NUMBER>(column, values, |&mut n, slot| {
            let is_known = n != Self::UNKNOWN;
            is_known.then(|| enclosed.put_number(0, slot, |out| Some(write_fixed(n, scale, out))))?
        });
    }

    /// As the shortest texts; what is not laid down needs another way.
    #[inline(never)]
    pub(super) fn lay_doubles(
        &mut self,
        floats: &[f64],
        style: Option<FloatText>,
        enclosed: Enclosed,
        column: usize,
        block: &mut Block,
    ) {
        let Self { values, eights } = self;
        if style == Some(FloatText::Shortest) && enclosed == Enclosed::Bare {
            values[block.rows()..].fill(0);
            widely(Cents { floats, values });
            widely(Digits { values, eights });
            if eights.are_all() {
                return block.write(column, values.iter().enumerate(), |(row, &n), slot| {
                    let len = eights.write_fixed(row, n, CENTS.into(), slot);
                    Some(len - usize::from(slot[(len - 1) % slot.len()] == b'0'))
                });
            }
        }
        lay_floats(floats, style, FloatText::write_f64, enclosed, column, block);
    }
}

/// Finds the digits of numbers.
struct Digits<'n> {
    values: &'n [i64; Block::ROWS],
    eights: &'n mut Eights<{ Block::ROWS }>,
}

impl Work for Digits<'_> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        self.eights.find(self.values);
    }
}

/// Finds the integers that are floats times a hundred.
struct Cents<'n> {
    floats: &'n [f64],
    values: &'n mut [i64],
}

impl Work for Cents<'_> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        // Three times 2^51: added to a float it leaves no digits behind the point, and the integer in the lowest bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        for (n, &float) in self.values.iter_mut().zip(self.floats) {
            let sum = float * 100.0 + ROUND;
            let cents = sum - ROUND;
            // Of all numbers of at most 15 digits no two are the same float, so this one is the shortest.
            #[expect(clippy::float_cmp, reason = "it has to be the same float")]
            let is_same = cents / 100.0 == float && cents.abs() < 1e15 && float.to_bits() != 1 << 63;
            let integer = sum.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
            *n = if is_same { integer } else { Numbers::UNKNOWN };
        }
    }
}

#[inline(never)]
pub(super) fn lay_floats<T: Copy>(
    values: &[T],
    style: Option<FloatText>,
    write: impl Fn(FloatText, T, &mut [u8; ROOM]) -> Option<usize>,
    enclosed: Enclosed,
    column: usize,
    block: &mut Block,
) {
    block.write::<_, NUMBER>(column, values, |&value, slot| {
        enclosed.put_number(0, slot, |out| write(style?, value, out))
    });
}

#[inline(never)]
pub(super) fn lay_days(
    days: impl Iterator<Item = Option<i32>>,
    plan: &Plan,
    memo: &mut Memo,
    column: usize,
    block: &mut Block,
) {
    block.write::<_, DATE>(column, days, |days, slot| memo.date(plan, days?)?.write(slot));
}
