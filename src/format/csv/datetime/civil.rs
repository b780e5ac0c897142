//! Days since 1970-01-01 to years, months and days and back, in the proleptic Gregorian calendar.
//!
//! Chrono's dates end at the years ±262,143; instants of Arrow and Spark reach further, so the calendar is computed
//! here, for every day whose year fits an `i64`.

/// The seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// The days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// A day of the calendar; year 0 is 1 BCE.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
}

/// The day of the calendar that is `days` after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year; see Howard Hinnant, "chrono-compatible
/// low-level date algorithms".
pub(super) fn from_days(days: i64) -> Civil {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(ERA);
    let day_of_era = from_march_0000.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { year, month: small(month), day: small(day) }
}

/// The days from 1970-01-01 to a day of the calendar.
pub(super) fn to_days(year: i64, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA + day_of_era - 719_468
}

/// Months and days are at most 31.
fn small(n: i64) -> u8 {
    u8::try_from(n).expect("months and days are small")
}
