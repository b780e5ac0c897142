//! A pattern that has met its locale, zone and kind of value: a flat list of steps that cannot fail.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fields of a date and time are small, and what is cast is a remainder"
)]

use std::borrow::Cow;

use super::civil::{self, Civil, DAY};
use super::error::{PatternError, PatternErrorKind};
use super::locale::{Locale, Words};
use super::pattern::{
    Colons, Field, Item, Length, Needs, Number, OffsetParts, OffsetStyle, Pad, Pattern, Plus, Text, Width, YearOf,
};
use super::zone::{Season, Shift, Zone};
use crate::Span;
use crate::format::csv::text::digits::{append_integer, append_padded, append_unsigned, pair, quad};

/// What is printed, in order.
#[derive(Clone, Debug)]
pub(super) struct Steps(Vec<Step>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    Literal(String),
    /// `2024-01-02`: one step, since most patterns have it.
    IsoDate,
    /// `03:04:05`.
    IsoTime,
    Year(YearOf, Width),
    ShortYear(YearOf),
    Number(Number, Pad),
    Century(Width),
    ModifiedJulianDay(usize),
    Words(Choice, Vec<Cow<'static, str>>),
    Fraction(u8),
    DottedFraction(u8),
    AutoFraction,
    Epoch,
    Offset(OffsetStyle),
    LocalizedOffset(&'static str, Length),
    ZoneName {
        standard: &'static str,
        daylight: &'static str,
    },
    Abbreviation,
}

/// What picks a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Choice {
    Month,
    Quarter,
    Weekday,
    Era,
    HalfDay,
}

/// A date and time of day on a wall clock, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Days since 1970-01-01 on the wall's calendar.
    days: i64,
    civil: Civil,
    second_of_day: u32,
    nanosecond: u32,
    /// Seconds since 1970-01-01T00:00:00Z, and how far the wall clock is from them.
    epoch: i64,
    shift: Shift,
}

impl Moment {
    /// Midnight of a day.
    pub(super) fn from_day(days: i64, civil: Civil) -> Self {
        let shift = Shift { seconds: 0, season: Season::Standard };
        Self { days, civil, second_of_day: 0, nanosecond: 0, epoch: 0, shift }
    }

    /// An instant, on a wall clock that far from UTC. A leap second is the first second after it, since neither Java
    /// nor Spark knows any.
    pub(super) fn from_instant(seconds: i64, nanosecond: u32, shift: impl FnOnce(i64) -> Shift) -> Self {
        let (epoch, nanosecond) = leap(seconds, nanosecond);
        let shift = shift(epoch);
        let wall = epoch.saturating_add(i64::from(shift.seconds));
        let days = wall.div_euclid(DAY);
        let second_of_day = u32::try_from(wall.rem_euclid(DAY)).expect("a day has fewer seconds");
        Self { days, civil: civil::from_days(days), second_of_day, nanosecond, epoch, shift }
    }

    fn hour(&self) -> u8 {
        (self.second_of_day / 3_600) as u8
    }

    fn minute(&self) -> u8 {
        (self.second_of_day / 60 % 60) as u8
    }

    fn second(&self) -> u8 {
        (self.second_of_day % 60) as u8
    }

    /// 0 is Monday.
    fn weekday(&self) -> u8 {
        // 1970-01-01 was a Thursday.
        (self.days + 3).rem_euclid(7) as u8
    }

    /// 1 is the first of January.
    fn day_of_year(&self) -> u16 {
        (self.days - civil::to_days(self.civil.year, 1, 1) + 1) as u16
    }

    /// The year of the ISO 8601 week, and the week: those of its Thursday.
    fn iso_week(&self) -> (i64, u8) {
        let thursday = self.days - i64::from(self.weekday()) + 3;
        let year = civil::from_days(thursday).year;
        (year, ((thursday - civil::to_days(year, 1, 1)) / 7 + 1) as u8)
    }

    fn year(&self, of: YearOf) -> i64 {
        match of {
            YearOf::Era if self.civil.year < 1 => 1 - self.civil.year,
            YearOf::Calendar | YearOf::Era => self.civil.year,
            YearOf::IsoWeek => self.iso_week().0,
        }
    }

    fn number(&self, number: Number) -> u32 {
        let hour = self.hour();
        match number {
            Number::Quarter => u32::from(self.civil.month.div_ceil(3)),
            Number::Month => self.civil.month.into(),
            Number::Day => self.civil.day.into(),
            Number::DayOfYear => self.day_of_year().into(),
            Number::DayInMonthWeek => u32::from((self.civil.day - 1) % 7 + 1),
            Number::WeekdayFromMonday => u32::from(self.weekday() + 1),
            Number::WeekdayFromSunday => u32::from((self.weekday() + 1) % 7),
            Number::IsoWeek => self.iso_week().1.into(),
            Number::WeekFromMonday => (u32::from(self.day_of_year()) + 6 - u32::from(self.weekday())) / 7,
            Number::WeekFromSunday => (u32::from(self.day_of_year()) + 6 - u32::from((self.weekday() + 1) % 7)) / 7,
            Number::YearOfCentury => self.civil.year.rem_euclid(100) as u32,
            Number::IsoYearOfCentury => self.iso_week().0.rem_euclid(100) as u32,
            Number::Hour => hour.into(),
            Number::ClockHour => u32::from(if hour == 0 { 24 } else { hour }),
            Number::HalfDayHour => u32::from(hour % 12),
            Number::HalfDayClockHour => u32::from((hour + 11) % 12 + 1),
            Number::Minute => self.minute().into(),
            Number::Second => self.second().into(),
            Number::Nanosecond => self.nanosecond,
        }
    }
}

/// Carries a leap second, which chrono holds as a second of two billion nanoseconds, into the next second.
fn leap(seconds: i64, nanosecond: u32) -> (i64, u32) {
    match nanosecond.checked_sub(1_000_000_000) {
        None => (seconds, nanosecond),
        Some(rest) => (seconds.saturating_add(1), rest.min(999_999_999)),
    }
}

/// What the values have that steps are compiled for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    Date,
    Time,
    Local,
    Instant(&'a Zone),
}

impl Kind<'_> {
    fn has(self, needs: Needs) -> bool {
        match needs {
            Needs::Date => !matches!(self, Self::Time),
            Needs::Time => !matches!(self, Self::Date),
            Needs::Zone => matches!(self, Self::Instant(_)),
        }
    }
}

impl Steps {
    /// Resolves all that does not change from value to value: optional sections, words, the zone's names.
    pub(super) fn compile(pattern: &Pattern, locale: Locale, kind: Kind<'_>) -> Result<Self, PatternError> {
        let words = locale.words();
        let mut compiler = Compiler { pattern, locale, words, kind, steps: Vec::new() };
        compiler.section(pattern.items())?;
        Ok(Self(join(&compiler.steps)))
    }

    /// Appends the text of a moment.
    pub(super) fn append(&self, moment: &Moment, zone: &Zone, out: &mut Vec<u8>) {
        for step in &self.0 {
            step.append(moment, zone, out);
        }
    }
}

struct Compiler<'a> {
    pattern: &'a Pattern,
    locale: Locale,
    words: Words,
    kind: Kind<'a>,
    steps: Vec<Step>,
}

impl Compiler<'_> {
    fn section(&mut self, items: &[Item]) -> Result<(), PatternError> {
        for item in items {
            match item {
                Item::Literal(text) => self.literal(text),
                Item::Field(field, span) => self.field(*field, *span)?,
                Item::Optional(items) => {
                    let printed = items.iter().all(|item| match item {
                        Item::Field(field, _) => self.kind.has(field.needs()),
                        Item::Literal(_) | Item::Optional(_) => true,
                    });
                    if printed {
                        self.section(items)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn literal(&mut self, text: &str) {
        match self.steps.last_mut() {
            Some(Step::Literal(before)) => before.push_str(text),
            _ => self.steps.push(Step::Literal(text.to_owned())),
        }
    }

    fn field(&mut self, field: Field, span: Span) -> Result<(), PatternError> {
        let needs = field.needs();
        let Kind::Instant(zone) = self.kind else {
            if self.kind.has(needs) {
                return self.step(field, &Zone::UTC, span);
            }
            let kind = match needs {
                Needs::Date => PatternErrorKind::NeedsDate,
                Needs::Time => PatternErrorKind::NeedsTime,
                Needs::Zone => PatternErrorKind::NeedsZone,
            };
            return Err(PatternError::new(kind, span, self.pattern.as_str()));
        };
        self.step(field, zone, span)
    }

    fn step(&mut self, field: Field, zone: &Zone, span: Span) -> Result<(), PatternError> {
        self.steps.push(match field {
            Field::Year(of, width) => Step::Year(of, width),
            Field::ShortYear(of) => Step::ShortYear(of),
            Field::Number(number, pad) => Step::Number(number, pad),
            Field::Century(pad) => Step::Century(Width { least: 2, pad, plus: Plus::Never }),
            Field::ModifiedJulianDay(width) => Step::ModifiedJulianDay(width),
            Field::Text(text) => self.words(text),
            Field::Fraction(digits) => Step::Fraction(digits),
            Field::DottedFraction(digits) => Step::DottedFraction(digits),
            Field::AutoFraction => Step::AutoFraction,
            Field::Epoch => Step::Epoch,
            Field::Offset(style) => Step::Offset(style),
            Field::LocalizedOffset(length) => Step::LocalizedOffset(self.words.gmt(), length),
            Field::Abbreviation => Step::Abbreviation,
            Field::ZoneId => {
                self.literal(zone.as_str());
                return Ok(());
            }
            Field::ZoneName(length) | Field::GenericZoneName(length) => {
                // An offset has no names in any locale.
                let names = if zone.is_region() { self.locale.zone_names(zone.as_str()) } else { Ok(None) };
                let names = names.map_err(|_| {
                    let locale = self.locale.as_str().to_owned();
                    PatternError::new(PatternErrorKind::ZoneNames { locale }, span, self.pattern.as_str())
                })?;
                match (names, field) {
                    (None, _) => self.literal(zone.as_str()),
                    (Some(names), Field::GenericZoneName(_)) => self.literal(names.generic.of(length)),
                    (Some(names), _) => self.steps.push(Step::ZoneName {
                        standard: names.standard.of(length),
                        daylight: names.daylight.of(length),
                    }),
                }
                return Ok(());
            }
        });
        Ok(())
    }

    fn words(&self, text: Text) -> Step {
        let choice = match text {
            Text::Month(..) => Choice::Month,
            Text::Quarter(..) => Choice::Quarter,
            Text::Weekday(_) => Choice::Weekday,
            Text::Era(_) => Choice::Era,
            Text::HalfDay | Text::LowercaseHalfDay => Choice::HalfDay,
        };
        let words = self.words.of(text);
        let words = match text {
            Text::LowercaseHalfDay => words.map(|word| Cow::Owned(word.to_lowercase())).collect(),
            _ => words.map(Cow::Borrowed).collect(),
        };
        Step::Words(choice, words)
    }
}

/// Joins the dates and times of ISO 8601 into one step each.
fn join(steps: &[Step]) -> Vec<Step> {
    let two = |number| Step::Number(number, Pad::Zeros(2));
    let text = |text: &str| Step::Literal(text.to_owned());
    let width = Width { least: 4, pad: Pad::Zeros(4), plus: Plus::BeyondWidth };
    let date = [Step::Year(YearOf::Calendar, width), text("-"), two(Number::Month), text("-"), two(Number::Day)];
    let time = [two(Number::Hour), text(":"), two(Number::Minute), text(":"), two(Number::Second)];

    let mut merged = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while let [first, more @ ..] = rest {
        if let Some(more) = rest.strip_prefix(&date) {
            merged.push(Step::IsoDate);
            rest = more;
        } else if let Some(more) = rest.strip_prefix(&time) {
            merged.push(Step::IsoTime);
            rest = more;
        } else {
            merged.push(first.clone());
            rest = more;
        }
    }
    merged
}

impl Step {
    fn append(&self, moment: &Moment, zone: &Zone, out: &mut Vec<u8>) {
        match self {
            Self::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Self::IsoDate => iso_date(moment.civil, out),
            Self::IsoTime => {
                let ([h, hh], [m, mm]) = (pair(moment.hour()), pair(moment.minute()));
                let [s, ss] = pair(moment.second());
                out.extend_from_slice(&[h, hh, b':', m, mm, b':', s, ss]);
            }
            Self::Year(of, width) => append_year(moment.year(*of), *width, out),
            Self::ShortYear(of) => {
                out.extend_from_slice(&pair((moment.year(*of).unsigned_abs() % 100) as u8));
            }
            Self::Number(number, pad) => append_number(moment.number(*number), *pad, out),
            Self::Century(width) => append_year(moment.civil.year.div_euclid(100), *width, out),
            Self::ModifiedJulianDay(width) => {
                // 1858-11-17 is day 0.
                let width = Width { least: *width, pad: Pad::Zeros(*width), plus: Plus::Never };
                append_year(moment.days + 40_587, width, out);
            }
            Self::Words(choice, words) => {
                let index = match choice {
                    Choice::Month => usize::from(moment.civil.month - 1),
                    Choice::Quarter => usize::from((moment.civil.month - 1) / 3),
                    Choice::Weekday => usize::from(moment.weekday()),
                    Choice::Era => usize::from(moment.civil.year > 0),
                    Choice::HalfDay => usize::from(moment.hour() >= 12),
                };
                out.extend_from_slice(words[index].as_bytes());
            }
            Self::Fraction(digits) => append_fraction(moment.nanosecond, *digits, out),
            Self::DottedFraction(digits) => {
                out.push(b'.');
                append_fraction(moment.nanosecond, *digits, out);
            }
            Self::AutoFraction => {
                let digits = match moment.nanosecond {
                    0 => return,
                    n if n % 1_000_000 == 0 => 3,
                    n if n % 1_000 == 0 => 6,
                    _ => 9,
                };
                out.push(b'.');
                append_fraction(moment.nanosecond, digits, out);
            }
            Self::Epoch => append_integer(moment.epoch.into(), out),
            Self::Offset(style) => append_offset(moment.shift.seconds, *style, out),
            Self::LocalizedOffset(gmt, length) => append_localized_offset(moment.shift.seconds, gmt, *length, out),
            Self::ZoneName { standard, daylight } => {
                let name = if moment.shift.season == Season::Daylight { daylight } else { standard };
                out.extend_from_slice(name.as_bytes());
            }
            Self::Abbreviation => out.extend_from_slice(zone.abbreviation_at(moment.epoch).as_bytes()),
        }
    }
}

fn iso_date(civil: Civil, out: &mut Vec<u8>) {
    let ([m, mm], [d, dd]) = (pair(civil.month), pair(civil.day));
    if let Ok(year @ 0..=9_999) = u16::try_from(civil.year) {
        let [y, yy, yyy, yyyy] = quad(year);
        out.extend_from_slice(&[y, yy, yyy, yyyy, b'-', m, mm, b'-', d, dd]);
        return;
    }
    append_year(civil.year, Width { least: 4, pad: Pad::Zeros(4), plus: Plus::BeyondWidth }, out);
    out.extend_from_slice(&[b'-', m, mm, b'-', d, dd]);
}

/// Appends a year: signs stand before zeros, and behind spaces.
fn append_year(year: i64, width: Width, out: &mut Vec<u8>) {
    let wide = u32::try_from(width.least).ok().and_then(|least| 10_i64.checked_pow(least));
    let sign: &[u8] = match width.plus {
        _ if year < 0 => b"-",
        Plus::BeyondWidth if wide.is_some_and(|wide| year >= wide) => b"+",
        _ => b"",
    };
    match width.pad {
        Pad::None => {
            out.extend_from_slice(sign);
            append_unsigned(year.unsigned_abs().into(), out);
        }
        Pad::Zeros(width) => {
            out.extend_from_slice(sign);
            append_padded(year.unsigned_abs().into(), width, out);
        }
        Pad::Spaces(width) => {
            let start = out.len();
            out.extend_from_slice(sign);
            append_unsigned(year.unsigned_abs().into(), out);
            fill(start, width + sign.len(), out);
        }
    }
}

fn append_number(n: u32, pad: Pad, out: &mut Vec<u8>) {
    match (pad, u8::try_from(n)) {
        (Pad::Zeros(2), Ok(n @ 0..=99)) => out.extend_from_slice(&pair(n)),
        (Pad::Zeros(width), _) => append_padded(n.into(), width, out),
        (Pad::None, _) => append_unsigned(n.into(), out),
        (Pad::Spaces(width), _) => {
            let start = out.len();
            append_unsigned(n.into(), out);
            fill(start, width, out);
        }
    }
}

/// Puts spaces before what was appended since `start`.
fn fill(start: usize, width: usize, out: &mut Vec<u8>) {
    let missing = width.saturating_sub(out.len() - start);
    out.splice(start..start, std::iter::repeat_n(b' ', missing));
}

/// Appends the first digits of the fraction of a second; what follows is cut off, not rounded.
fn append_fraction(nanosecond: u32, digits: u8, out: &mut Vec<u8>) {
    let [high, low] = [nanosecond / 100_000, nanosecond % 100_000];
    let mut all = [b'0' + (low % 10) as u8; 9];
    all[..4].copy_from_slice(&quad(high as u16));
    all[4..8].copy_from_slice(&quad((low / 10) as u16));
    out.extend_from_slice(&all[..usize::from(digits)]);
}

fn append_offset(seconds: i32, style: OffsetStyle, out: &mut Vec<u8>) {
    let total = seconds.unsigned_abs();
    let rounded = if style.parts == OffsetParts::RoundedMinutes { total + 30 } else { total };
    let (hours, minutes, rest) = ((rounded / 3_600) as u8, (rounded / 60 % 60) as u8, (rounded % 60) as u8);
    let (with_minutes, with_seconds) = match style.parts {
        OffsetParts::Hours => (false, false),
        OffsetParts::HoursMaybeMinutes => (minutes > 0, false),
        OffsetParts::Minutes | OffsetParts::RoundedMinutes => (true, false),
        OffsetParts::MinutesMaybeSeconds => (true, rest > 0),
        OffsetParts::Seconds => (true, true),
    };
    // Java prints the text for zero also where all parts that it would print are.
    let nothing = hours == 0 && (!with_minutes || minutes == 0) && (!with_seconds || rest == 0);
    let keeps_sign = matches!(style.parts, OffsetParts::Hours | OffsetParts::RoundedMinutes);
    if seconds == 0 || nothing && !keeps_sign {
        out.extend_from_slice(style.zero.as_bytes());
        return;
    }
    out.push(if seconds < 0 { b'-' } else { b'+' });
    out.extend_from_slice(&pair(hours));
    for (printed, part) in [(with_minutes, minutes), (with_seconds, rest)] {
        if printed {
            if style.colons == Colons::With {
                out.push(b':');
            }
            out.extend_from_slice(&pair(part));
        }
    }
}

fn append_localized_offset(seconds: i32, gmt: &str, length: Length, out: &mut Vec<u8>) {
    out.extend_from_slice(gmt.as_bytes());
    if seconds == 0 {
        return;
    }
    let total = seconds.unsigned_abs();
    let (hours, minutes, rest) = (total / 3_600, (total / 60 % 60) as u8, (total % 60) as u8);
    out.push(if seconds < 0 { b'-' } else { b'+' });
    if length == Length::Full {
        append_padded(hours.into(), 2, out);
    } else {
        append_unsigned(hours.into(), out);
    }
    if length == Length::Full || minutes != 0 || rest != 0 {
        out.push(b':');
        out.extend_from_slice(&pair(minutes));
    }
    if rest != 0 {
        out.push(b':');
        out.extend_from_slice(&pair(rest));
    }
}
