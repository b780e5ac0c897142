//! Fields that come again and again: spelled once, then copied.

use super::dialect::{Plan, Way};
use super::encoder::{Met, Scratch};
use super::plain::Short;
use super::{exact, fixed};
use crate::row::Value;

/// How dates were spelled as whole fields, in all columns alike.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By the lowest bits of the day; empty before the first date.
    days: Vec<i32>,
    /// The field of each; empty where it needs another way.
    dates: Vec<Short>,
}

/// Days in a row that do not drive each other out: eleven years.
const DATES: usize = 4096;

/// Where a day is looked for.
#[inline]
fn home(days: i32) -> usize {
    days.cast_unsigned() as usize % DATES
}

impl Memo {
    /// The field of a date; none where it is too long, differs from column to column, or is a hazard.
    #[inline]
    pub(super) fn date(&mut self, plan: &Plan, days: i32) -> Option<&Short> {
        if self.days.get(home(days)) != Some(&days) {
            self.learn_date(plan, days);
        }
        self.dates.get(home(days)).filter(|field| field.len() > 0)
    }

    #[cold]
    fn learn_date(&mut self, plan: &Plan, days: i32) {
        if self.days.is_empty() {
            // No day is at home in the place of its neighbour.
            self.days = (1..).take(DATES).collect();
            self.dates = vec![Short::EMPTY; DATES];
        }
        self.days[home(days)] = days;
        self.dates[home(days)] = spell(plan, Value::DateAt { days }).unwrap_or(Short::EMPTY);
    }
}

/// The field of a value, if it is the same in all columns, short, and no hazard.
fn spell(plan: &Plan, value: Value<'_>) -> Option<Short> {
    plan.renderers.numbers()?;
    let mut speller = Speller::default();
    let field = speller.spell(plan, 0, value)?.to_vec();
    let same = !field.is_empty() && speller.spell(plan, 1, value)? == field;
    Short::new(std::str::from_utf8(&field).ok().filter(|_| same)?)
}

/// Spells single fields.
#[derive(Debug, Default)]
pub(super) struct Speller {
    met: Met,
    scratch: Scratch,
    field: Vec<u8>,
}

impl Speller {
    /// The field of a value in a column, if it can be written and there is nothing to be counted of it.
    pub(super) fn spell(&mut self, plan: &Plan, column: usize, value: Value<'_>) -> Option<&[u8]> {
        let Self { met, scratch, field } = self;
        met.clear();
        field.clear();
        match &plan.way {
            Way::Exact(rules) => exact::field(rules, plan, column, value, met, scratch, field),
            Way::Fixed(rules) => fixed::field(rules, plan, &plan.settings.guard, column, value, met, scratch, field),
        }
        .ok()?;
        met.is_empty().then_some(&*field)
    }
}
