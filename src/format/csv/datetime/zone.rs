//! Time zones as Java and Spark read them: regions of the IANA database, and offsets.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{Offset, TimeZone};
use chrono_tz::{OffsetComponents, Tz};

use super::civil;
use super::error::{ZoneError, ZoneErrorKind};
use crate::Span;

/// A time zone: a region with its history of offsets, or a fixed offset from UTC. The default is [`Zone::UTC`].
///
/// Parsed as Spark's `timeZone` option is, which is `ZoneId.of` of Java with its short names:
///
/// | text | zone |
/// |---|---|
/// | `Europe/Paris`, `US/Pacific`, `Etc/GMT+5` | a region of the IANA database, by its exact spelling |
/// | `Z`, `+5`, `+05`, `+0530`, `+05:30`, `+05:30:15`, `+5:30`, `+05:3` | an offset of at most 18 hours |
/// | `UTC`, `GMT`, `UT`, each also with an offset: `UTC+1` | that offset, under that name: `UTC+01:00` |
/// | `PST`, `JST`, `EST` and 25 more | what `ZoneId.SHORT_IDS` says: `America/Los_Angeles`, `Asia/Tokyo`, `-05:00` |
///
/// ```
/// use consign::format::csv::datetime::Zone;
///
/// assert_eq!(Zone::parse("Asia/Kolkata")?.as_str(), "Asia/Kolkata");
/// assert_eq!(Zone::parse("+5:30")?.as_str(), "+05:30");
/// assert_eq!(Zone::parse("UTC-8")?.as_str(), "UTC-08:00");
/// assert_eq!(Zone::parse("PST")?.as_str(), "America/Los_Angeles");
/// assert_eq!(
///     Zone::parse("Mars/Olympus").unwrap_err().to_string(),
///     "expected a zone such as `Europe/Paris`, found `Mars/Olympus`",
/// );
/// # Ok::<(), consign::format::csv::datetime::ZoneError>(())
/// ```
///
/// The offsets of regions come from the crate `chrono-tz`. Its tables end in 2100; later years follow the rules of
/// the last ones. Where the IANA database has merged zones that differed before 1970 only, it has one history for
/// them, while Java may still have two.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Zone {
    /// The name that Java gives the zone; none for UTC, so that it can be a constant.
    id: Option<Arc<str>>,
    rules: Rules,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Rules {
    /// An offset with no name: its identifier stands for its name too.
    Offset(i32),
    /// An offset under `UTC`, `GMT` or `UT`.
    Prefixed(i32),
    Region(Tz),
}

/// The offset of a zone at an instant, and whether it is that of summer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shift {
    /// Seconds east of UTC.
    pub(super) seconds: i32,
    pub(super) season: Season,
}

/// Whether a zone observes its standard time or its daylight saving time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Season {
    Standard,
    Daylight,
}

impl Zone {
    /// Coordinated universal time, as the region `UTC`.
    pub const UTC: Self = Self { id: None, rules: Rules::Prefixed(0) };

    /// Reads a zone as Spark does.
    ///
    /// # Errors
    ///
    /// When the text is neither an offset nor a region of the IANA database. Names are not folded: `utc` and
    /// `europe/paris` are refused, as Java refuses them.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let padded = pad_single_digits(text);
        let id = SHORT_IDS.iter().find(|(short, _)| *short == padded).map_or(padded.as_str(), |&(_, long)| long);
        // Spans count in the text that the caller gave, which padding has made longer by the zeros it put in.
        let at = |offset: usize| Span::new(offset.min(text.len()), text.len());

        if id.len() <= 1 || id.starts_with(['+', '-']) {
            let seconds = parse_offset(id).map_err(|kind| ZoneError::new(kind, at(0), text))?;
            return Ok(Self { id: Some(offset_id(seconds).into()), rules: Rules::Offset(seconds) });
        }
        for prefix in ["UTC", "GMT", "UT"] {
            let Some(rest) = id.strip_prefix(prefix) else { continue };
            if rest.is_empty() || rest.starts_with(['+', '-']) {
                let seconds = if rest.is_empty() { Ok(0) } else { parse_offset(rest) }
                    .map_err(|kind| ZoneError::new(kind, at(prefix.len()), text))?;
                let id = if seconds == 0 { prefix.to_owned() } else { format!("{prefix}{}", offset_id(seconds)) };
                let id = if id == "UTC" { None } else { Some(id.into()) };
                return Ok(Self { id, rules: Rules::Prefixed(seconds) });
            }
        }
        let tz = Tz::from_str(id).map_err(|_| ZoneError::new(ZoneErrorKind::Unknown, at(0), text))?;
        Ok(Self { id: Some(id.into()), rules: Rules::Region(tz) })
    }

    /// The zone's identifier, as Java spells it and as the pattern letters `VV` print it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.id.as_deref().unwrap_or("UTC")
    }

    /// Whether the zone has names besides its identifier; an offset has none.
    pub(super) fn is_region(&self) -> bool {
        !matches!(self.rules, Rules::Offset(_))
    }

    /// The offset at a number of seconds since 1970-01-01T00:00:00Z.
    pub(super) fn shift_at(&self, epoch: i64) -> Shift {
        match self.rules {
            Rules::Offset(seconds) | Rules::Prefixed(seconds) => Shift { seconds, season: Season::Standard },
            Rules::Region(tz) => region_shift(tz, epoch),
        }
    }

    /// The abbreviation that the IANA database has for the zone at that time, or the offset where it has none.
    pub(super) fn abbreviation_at(&self, epoch: i64) -> String {
        match self.rules {
            Rules::Prefixed(0) => self.as_str().to_owned(),
            Rules::Offset(seconds) | Rules::Prefixed(seconds) => offset_id(seconds),
            Rules::Region(tz) => tz.offset_from_utc_datetime(&naive(epoch)).to_string(),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The last year whose transitions `chrono-tz` lists in full, and the first from which on every zone keeps to rules
/// that name days such as "the last Sunday of March": Morocco and Palestine have one-off dates up to 2087.
const RULED_YEARS: (i64, i64) = (2088, 2099);

/// 1700-01-01T00:00:00Z: no zone has changed its offset before.
const BEFORE_ALL: i64 = -8_520_336_000;

fn region_shift(tz: Tz, epoch: i64) -> Shift {
    let epoch = year_within_tables(tz, epoch.max(BEFORE_ALL));
    let offset = tz.offset_from_utc_datetime(&naive(epoch));
    let seconds = offset.fix().local_minus_utc();
    let daylight = match standard_of_java(tz, epoch) {
        Some(standard) => seconds != standard,
        None => offset.dst_offset().num_seconds() > 0,
    };
    Shift { seconds, season: if daylight { Season::Daylight } else { Season::Standard } }
}

/// The standard offset of zones that the IANA database describes by a negative daylight saving time in winter. Java
/// reads the database's "rearguard" form, in which summer is the exception, and in Namibia has been since 1990.
fn standard_of_java(tz: Tz, epoch: i64) -> Option<i32> {
    let (since, standard) = match tz {
        // 1968-10-26T23:00Z
        Tz::Europe__Dublin | Tz::Eire => (-37_242_000, 0),
        // 2018-10-28T02:00Z
        Tz::Africa__Casablanca | Tz::Africa__El_Aaiun => (1_540_692_000, 0),
        // 1990-03-20T22:00Z
        Tz::Africa__Windhoek => (637_970_400, 3_600),
        _ => return None,
    };
    (epoch >= since).then_some(standard)
}

/// Moves an instant after the tables into a year within them whose days fall on the same weekdays.
fn year_within_tables(tz: Tz, epoch: i64) -> i64 {
    let (first_ruled, last_ruled) = RULED_YEARS;
    let date = civil::from_days(epoch.div_euclid(civil::DAY));
    if date.year <= last_ruled {
        return epoch;
    }
    let winter = civil::to_days(last_ruled, 1, 1) * civil::DAY;
    let summer = civil::to_days(last_ruled, 7, 1) * civil::DAY;
    let offset = |at| tz.offset_from_utc_datetime(&naive(at)).fix();
    if offset(winter) == offset(summer) {
        return winter;
    }
    // Counted from March, leap years do not matter; and no rule moves the clocks in January or February.
    let month = if date.month < 3 { 1 } else { 3 };
    let start = civil::to_days(date.year, month, 1);
    // Twelve years in a row begin, and have their Marches begin, on every weekday.
    (first_ruled..=last_ruled)
        .map(|year| civil::to_days(year, month, 1))
        .find(|day| (start - day) % 7 == 0)
        .map_or(winter, |day| epoch - (start - day) * civil::DAY)
}

fn naive(epoch: i64) -> chrono::NaiveDateTime {
    chrono::DateTime::from_timestamp(epoch, 0).map_or(chrono::NaiveDateTime::MAX, |t| t.naive_utc())
}

/// Spark reads `+5:30` and `+05:3` too (the first sign counts, and the single digit at the end).
fn pad_single_digits(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut padded = text.to_owned();
    let sign = |i: usize| matches!(bytes.get(i), Some(b'+' | b'-'));
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let hours = (0..bytes.len()).find(|&i| sign(i) && digit(i + 1) && bytes.get(i + 2) == Some(&b':'));
    if let Some(i) = hours {
        padded.insert(i + 1, '0');
    }
    let bytes = padded.as_bytes();
    if let Some([b'+' | b'-', h, hh, b':', m]) = bytes.last_chunk::<5>()
        && h.is_ascii_digit()
        && hh.is_ascii_digit()
        && m.is_ascii_digit()
    {
        padded.insert(bytes.len() - 1, '0');
    }
    padded
}

/// `ZoneOffset.of`: `Z`, and a sign with hours, minutes and seconds in six forms.
fn parse_offset(text: &str) -> Result<i32, ZoneErrorKind> {
    if text == "Z" {
        return Ok(0);
    }
    let pair = |tens: &u8, ones: &u8| -> Result<i32, ZoneErrorKind> {
        if tens.is_ascii_digit() && ones.is_ascii_digit() {
            return Ok(i32::from(tens - b'0') * 10 + i32::from(ones - b'0'));
        }
        Err(ZoneErrorKind::Offset)
    };
    let (sign, rest) = match text.as_bytes() {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(ZoneErrorKind::Offset),
    };
    let (hours, minutes, seconds) = match rest {
        [h] => (pair(&b'0', h)?, 0, 0),
        [h, hh] => (pair(h, hh)?, 0, 0),
        [h, hh, m, mm] | [h, hh, b':', m, mm] => (pair(h, hh)?, pair(m, mm)?, 0),
        [h, hh, m, mm, s, ss] | [h, hh, b':', m, mm, b':', s, ss] => (pair(h, hh)?, pair(m, mm)?, pair(s, ss)?),
        _ => return Err(ZoneErrorKind::Offset),
    };
    if minutes > 59 || seconds > 59 {
        return Err(ZoneErrorKind::Offset);
    }
    let total = hours * 3_600 + minutes * 60 + seconds;
    if total > 18 * 3_600 {
        return Err(ZoneErrorKind::Range);
    }
    Ok(sign * total)
}

/// `ZoneOffset.getId`: `Z`, `+05:30`, `-07:52:58`.
fn offset_id(seconds: i32) -> String {
    if seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.unsigned_abs();
    let (hours, minutes, rest) = (total / 3_600, total / 60 % 60, total % 60);
    if rest == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
    }
}

/// `ZoneId.SHORT_IDS` of Java, which Spark passes on.
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];
