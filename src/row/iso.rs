//! Times as ISO 8601 spells them, for texts that no dialect decides: JSON in cells, rejects, and the default of others.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};

/// The days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// The day so many days after 1970-01-01: `2024-01-02`.
pub(crate) fn date(days: i64) -> String {
    let in_era = i32::try_from(days.rem_euclid(ERA)).expect("an era has fewer days");
    let day = NaiveDate::from_epoch_days(in_era).expect("chrono has the years 1970 to 2369");
    let year = i64::from(day.year()) + days.div_euclid(ERA) * 400;
    let year = if (0..=9_999).contains(&year) { format!("{year:04}") } else { format!("{year:+05}") };
    format!("{year}-{:02}-{:02}", day.month(), day.day())
}

/// A time of day: `03:04:05`, with as many digits of the fraction as it has.
pub(crate) fn time(time: NaiveTime) -> String {
    time.format("%H:%M:%S%.f").to_string()
}

/// The second so many after 1970-01-01T00:00:00: `2024-01-02T03:04:05`.
pub(crate) fn timestamp(seconds: i64, nanoseconds: u32) -> String {
    let of_day = DateTime::from_timestamp(seconds.rem_euclid(86_400), nanoseconds.min(999_999_999));
    let of_day = of_day.expect("chrono has the first of January 1970").time();
    format!("{}T{}", date(seconds.div_euclid(86_400)), time(of_day))
}

/// A length of time: `PT26H3M4.567S`.
pub(crate) fn duration(nanoseconds: i128) -> String {
    let mut text = String::from("P");
    push_time(nanoseconds, &mut text);
    if text.len() == 1 { "PT0S".to_owned() } else { text }
}

/// An interval of the calendar: `P1Y2M3DT4H5M6.789S`.
pub(crate) fn interval(months: i32, days: i32, nanoseconds: i64) -> String {
    let mut text = String::from("P");
    push_number(i128::from(months / 12), 'Y', &mut text);
    push_number(i128::from(months % 12), 'M', &mut text);
    push_number(i128::from(days), 'D', &mut text);
    push_time(nanoseconds.into(), &mut text);
    if text.len() == 1 { "PT0S".to_owned() } else { text }
}

fn push_time(nanoseconds: i128, text: &mut String) {
    if nanoseconds == 0 {
        return;
    }
    text.push('T');
    let (seconds, fraction) = (nanoseconds / 1_000_000_000, (nanoseconds % 1_000_000_000).abs());
    push_number(seconds / 3_600, 'H', text);
    push_number(seconds / 60 % 60, 'M', text);
    if fraction == 0 {
        push_number(seconds % 60, 'S', text);
        return;
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let fraction = format!("{fraction:09}");
    // A string takes whatever is written to it.
    let _ = write!(text, "{sign}{}.{}S", (seconds % 60).abs(), fraction.trim_end_matches('0'));
}

fn push_number(number: i128, unit: char, text: &mut String) {
    if number != 0 {
        let _ = write!(text, "{number}{unit}");
    }
}
