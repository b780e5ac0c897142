//! Lengths of time and intervals of the calendar as text.

use super::digits::{append_integer, append_padded};
use crate::row::iso;

/// How lengths of time and intervals are spelled. The default is [`IntervalText::Iso8601`].
///
/// ```
/// use consign::format::csv::text::IntervalText;
///
/// let text = |append: &dyn Fn(&mut Vec<u8>)| {
///     let mut out = Vec::new();
///     append(&mut out);
///     String::from_utf8(out).unwrap()
/// };
/// let nanoseconds = 93_784_567_000_000;
/// assert_eq!(text(&|out| IntervalText::Iso8601.append_duration(nanoseconds, out)), "PT26H3M4.567S");
/// assert_eq!(text(&|out| IntervalText::Spark.append_duration(nanoseconds, out)), "INTERVAL '1 02:03:04.567' DAY TO SECOND");
/// assert_eq!(text(&|out| IntervalText::Iso8601.append_months(-14, out)), "P-1Y-2M");
/// assert_eq!(text(&|out| IntervalText::Spark.append_months(-14, out)), "INTERVAL '-1-2' YEAR TO MONTH");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IntervalText {
    /// ISO 8601, section 4.4.3.2, as `PostgreSQL` and Java read it: each number has its own sign, a length of time counts
    /// in hours, and an interval in years, months, days and hours.
    #[default]
    Iso8601,
    /// Spark's literals: `INTERVAL '1-2' YEAR TO MONTH` and `INTERVAL '1 02:03:04.567' DAY TO SECOND`. It has none for
    /// intervals of both months and days, which are refused.
    Spark,
}

impl IntervalText {
    /// Appends a length of time.
    pub fn append_duration(self, nanoseconds: i128, out: &mut Vec<u8>) {
        match self {
            Self::Iso8601 => out.extend_from_slice(iso::duration(nanoseconds).as_bytes()),
            Self::Spark => append_day_to_second(nanoseconds, out),
        }
    }

    /// Appends an interval of whole months.
    pub fn append_months(self, months: i32, out: &mut Vec<u8>) {
        match self {
            Self::Iso8601 => out.extend_from_slice(iso::interval(months, 0, 0).as_bytes()),
            Self::Spark => {
                out.extend_from_slice(if months < 0 { b"INTERVAL '-" } else { b"INTERVAL '" });
                let months = i128::from(months).abs();
                append_integer(months / 12, out);
                out.push(b'-');
                append_integer(months % 12, out);
                out.extend_from_slice(b"' YEAR TO MONTH");
            }
        }
    }
}

fn append_day_to_second(nanoseconds: i128, out: &mut Vec<u8>) {
    out.extend_from_slice(if nanoseconds < 0 { b"INTERVAL '-" } else { b"INTERVAL '" });
    let (seconds, fraction) = (nanoseconds.unsigned_abs() / 1_000_000_000, nanoseconds.unsigned_abs() % 1_000_000_000);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    out.extend_from_slice(days.to_string().as_bytes());
    for (mark, number) in [(b' ', time / 3_600), (b':', time / 60 % 60), (b':', time % 60)] {
        out.push(mark);
        append_padded(number, 2, out);
    }
    if fraction > 0 {
        out.push(b'.');
        append_padded(fraction, 9, out);
        out.truncate(out.len() - out.iter().rev().take_while(|&&b| b == b'0').count());
    }
    // Spark spells the least of its lengths apart, with more digits than the others.
    if nanoseconds == i128::from(i64::MIN) * 1_000 {
        out.extend_from_slice(b"000");
    }
    out.extend_from_slice(b"' DAY TO SECOND");
}
