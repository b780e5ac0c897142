//! Dates and timestamps as text: the pattern language of Spark, strftime, locales and time zones.
//!
//! A [`Pattern`] is parsed once and meets a [`Locale`], a [`Zone`] and a kind of value in one of four plans, which
//! then print without a way to fail: [`DateText`], [`TimeText`] for times of day, [`TimestampText`] for instants,
//! [`LocalText`] for timestamps without a zone.
//!
//! # The letters of Spark
//!
//! Spark writes with Java's `DateTimeFormatter` and refuses some of its letters; the text here is that of Java 17.
//! Examples are those of 2024-01-02T03:04:05.123456Z in `America/Los_Angeles` (which is the first of January there),
//! in English.
//!
//! | letters | print | example |
//! |---|---|---|
//! | `y` `yyy` | the year, at least so many digits | `2024` |
//! | `yy` | its last two digits | `24` |
//! | `yyyy` to `yyyyyy` | the year, at least so many digits, a plus before more | `2024` to `002024` |
//! | `G` to `GGG`, `GGGG` | the era; `y` then counts within it | `AD`, `Anno Domini` |
//! | `M` `MM`, `L` `LL` | the month | `1` `01` |
//! | `MMM` `MMMM` | its name within a date | `Jan` `January` |
//! | `LLL` `LLLL` | its name alone | `Jan` `January` |
//! | `Q` `QQ`, `q` `qq` | the quarter | `1` `01` |
//! | `QQQ` `QQQQ`, `qqq` `qqqq` | its name | `Q1` `1st quarter` |
//! | `d` `dd` | the day of the month | `1` `01` |
//! | `D` `DD` `DDD` | the day of the year, at least so many digits | `1` `01` `001` |
//! | `F` | the day within its run of seven from the first of the month | `1` |
//! | `g` to 19 letters | days since 1858-11-17 (modified Julian day), at least so many digits | `60310` |
//! | `E` to `EEE`, `EEEE` | the day of the week | `Mon`, `Monday` |
//! | `a` | the half of the day | `PM` |
//! | `H` `HH` | the hour, 0 to 23 | `19` |
//! | `k` `kk` | the hour, 1 to 24 | `19` |
//! | `K` `KK` | the hour of the half day, 0 to 11 | `7` `07` |
//! | `h` `hh` | the hour of the half day, 1 to 12 | `7` `07` |
//! | `m` `mm`, `s` `ss` | the minute, the second | `4` `04`, `5` `05` |
//! | `S` to `SSSSSSSSS` | so many digits of the fraction, cut off | `1` to `123456000` |
//! | `VV` | the zone's identifier | `America/Los_Angeles` |
//! | `z` to `zzz`, `zzzz` | the zone's name in that season | `PST`, `Pacific Standard Time` |
//! | `v`, `vvvv` | the zone's name in all seasons | `PT`, `Pacific Time` |
//! | `O`, `OOOO` and `ZZZZ` | the offset from Greenwich | `GMT-8`, `GMT-08:00` |
//! | `X`, `XX`, `XXX` | the offset, `Z` if it is zero | `-08`, `-0800`, `-08:00` |
//! | `XXXX`, `XXXXX` and `ZZZZZ` | the same, with seconds unless they are zero | `-0800`, `-08:00` |
//! | `x` to `xxxxx` | as `X`, but for zero `+00`, `+0000`, `+00:00` | `-08` |
//! | `Z` to `ZZZ` | the offset, `+0000` if it is zero | `-0800` |
//! | `[` `]` | the text between is printed if the value has all its fields | |
//! | `'text'`, `''` | text as it stands, a single quote | `text`, `'` |
//!
//! Refused are `Y`, `W`, `w`, `u`, `e`, `c` (week-based), `A`, `B`, `n`, `N`, `p`, five letters of `G`, `M`, `L`, `E`,
//! `Q` or `q` (narrow text), all other letters, more repetitions than the table has, `{`, `}`, `#`, a `]` without its
//! `[` and a quote without its end.
//!
//! The years printed are those of the proleptic Gregorian calendar, also before 1582; year 0 is 1 BCE.

mod civil;
mod error;
mod locale;
mod pattern;
mod plan;
mod spark;
mod steps;
mod strftime;
mod zone;

pub use error::{LocaleError, LocaleErrorKind, PatternError, PatternErrorKind, ZoneError, ZoneErrorKind};
pub use locale::Locale;
pub use pattern::Pattern;
pub use plan::{DateText, LocalText, TimeText, TimestampText};
pub use zone::Zone;
