//! Fields that come again and again: spelled once, then copied.

use super::dialect::{Plan, Way};
use super::encoder::{Met, Scratch};
use super::plain::Short;
use super::{exact, fixed};
use crate::row::Value;

/// How dates and booleans were spelled as whole fields, in all columns alike.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By the lowest bits of the day; empty before the first date.
    dates: Vec<(i32, Option<Short>)>,
    booleans: [Boolean; 2],
}

#[derive(Clone, Copy, Debug, Default)]
enum Boolean {
    #[default]
    Unknown,
    Known(Option<Short>),
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
        if self.dates.get(home(days)).is_none_or(|(known, _)| *known != days) {
            self.learn_date(plan, days);
        }
        self.dates[home(days)].1.as_ref()
    }

    #[cold]
    fn learn_date(&mut self, plan: &Plan, days: i32) {
        if self.dates.is_empty() {
            // No day is at home in the place of its neighbour.
            self.dates = (1..).map(|stranger| (stranger, None)).take(DATES).collect();
        }
        let field = spell(plan, Value::DateAt { days });
        self.dates[home(days)] = (days, field);
    }

    /// The field of a boolean, as that of a date.
    #[inline]
    pub(super) fn boolean(&mut self, plan: &Plan, value: bool) -> Option<Short> {
        let known = &mut self.booleans[usize::from(value)];
        if let Boolean::Unknown = known {
            *known = Boolean::Known(spell(plan, Value::Boolean(value)));
        }
        match *known {
            Boolean::Known(field) => field,
            Boolean::Unknown => None,
        }
    }
}

/// The field of a value, if it is the same in all columns, short, and no hazard.
fn spell(plan: &Plan, value: Value<'_>) -> Option<Short> {
    plan.renderers.numbers()?;
    let field = spell_in(plan, 0, value).filter(|field| spell_in(plan, 1, value).as_ref() == Some(field))?;
    Short::new(&String::from_utf8(field).ok()?)
}

/// The field of a value in a column, if it can be written, is no hazard, and is not nothing, which can make a record of
/// nothing.
pub(super) fn spell_in(plan: &Plan, column: usize, value: Value<'_>) -> Option<Vec<u8>> {
    let (mut met, mut scratch, mut out) = (Met::default(), Scratch::default(), Vec::new());
    match &plan.way {
        Way::Exact(rules) => exact::field(rules, plan, column, value, &mut met, &mut scratch, &mut out),
        Way::Fixed(rules) => {
            fixed::field(rules, plan, &plan.settings.guard, column, value, &mut met, &mut scratch, &mut out)
        }
    }
    .ok()?;
    (met.hits.first().is_none() && !out.is_empty()).then_some(out)
}
