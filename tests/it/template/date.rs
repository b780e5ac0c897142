//! Patterns of `%DATETIME(…)%`.

use std::num::NonZeroU64;

use chrono::{DateTime, Utc};
use consign::template::{Context, Template, TemplateErrorKind as Kind};

use super::{Lenient, check_error};

/// 2022-05-09 21:05:43.007 UTC: every field has a value of its own.
fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_652_130_343, 7_000_000).unwrap()
}

#[track_caller]
fn check_at(time: DateTime<Utc>, pattern: &str, expected: &str) {
    let template = Template::parse(&format!("%DATETIME({pattern})%")).unwrap();
    assert_eq!(template.expand(&Context::new(time), NonZeroU64::MIN).unwrap(), expected, "{pattern}");
}

#[track_caller]
fn check(pattern: &str, expected: &str) {
    check_at(moment(), pattern, expected);
}

/// The pattern is refused, with this text up to the place, and the place within the pattern.
#[track_caller]
fn check_refused(pattern: &str, found: &str, at: usize) {
    let error = Template::parse(&format!("%DATETIME({pattern})%")).expect_err(pattern);
    assert_eq!(error.kind(), Kind::DatePattern, "{pattern}");
    let start = "%DATETIME(".len() + at;
    assert_eq!(error.to_string(), format!("{found} at byte {start} of the template"));
    assert_eq!(error.span().start(), start);
}

#[test]
fn spellings_of_the_platform() {
    check("YYYYMMdd_HHmmss", "20220509_210543");
    check("YYYYMMDD_HHMMSS", "20220509_210543");
    check("MMDDYYYY_HHMMSS", "05092022_210543");
    check("yyyymmddhhmmss", "20220509210543");
    check("YYYYMMDDHHMM", "202205092105");
    let bare = Template::parse("%DATETIME%").unwrap();
    assert_eq!(bare.expand(&Context::new(moment()), NonZeroU64::MIN).unwrap(), "20220509_210543");
}

#[test]
fn spellings_of_java() {
    check("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2022-05-09T21:05:43.007Z");
    check("yyyy/MM/dd", "2022/05/09");
    check("yy-M-d_H-m-s", "22-5-9_21-5-43");
    check("dd.MM.yyyy", "09.05.2022");
    check("DD.MM.yyyy", "09.05.2022");
    check("''yyyy'' 'at' HH 'o''clock'", "'2022' at 21 o'clock");
    check("HH:mm", "21:05");
    check("mmss", "0543");
    check("éYYYY日", "é2022日");
}

#[test]
fn months_and_minutes_of_one_case_are_told_apart_by_their_place() {
    check("YYYY-MM", "2022-05");
    check("MM", "05");
    check("HHMM", "2105");
    check("HH_MM_SS", "21_05_43");
    check("YYYYMMDDHH", "2022050921");
    check("DDMM", "0905");
    // The month and the minute differ here.
    let other = DateTime::from_timestamp(1_652_132_103, 0).unwrap();
    check_at(other, "YYYYMMDD_HHMMSS", "20220509_213503");
    check_at(other, "yyyymmdd_hhmmss", "20220509_213503");
    check_at(other, "MMSS", "3503");
    check_at(other, "mm", "35");
    check_at(other, "MM", "05");
    check_at(other, "HHmm", "2135");
    check_at(other, "YYYYMMDDHHMM", "202205092135");
}

/// `YYYY` is the year of the week in Java: on these days it would be another.
#[test]
fn the_year_is_the_calendar_year() {
    for (day, expected) in [
        ("2018-12-31T12:00:00Z", "20181231"),
        ("2019-12-30T12:00:00Z", "20191230"),
        ("2021-01-01T12:00:00Z", "20210101"),
        ("2022-01-02T00:00:00Z", "20220102"),
        ("2024-12-31T23:59:59Z", "20241231"),
        ("2024-02-29T00:00:00Z", "20240229"),
        ("0000-01-01T00:00:00Z", "00000101"),
    ] {
        check_at(day.parse().unwrap(), "YYYYMMdd", expected);
        check_at(day.parse().unwrap(), "yyyyMMdd", expected);
        check_at(day.parse().unwrap(), "YYYYMMDD", expected);
    }
}

#[test]
fn a_leap_second_has_three_digits_of_milliseconds() {
    let leap = "2016-12-31T23:59:60.250Z".parse().unwrap();
    check_at(leap, "HH:mm:ss.SSS", "23:59:59.250");
}

#[test]
fn what_is_refused() {
    check_refused("", "expected letters of a date, found none", 0);
    check_refused("'x'", "expected letters of a date, found none", 0);
    check_refused("_-_", "expected letters of a date, found none", 0);
    check_refused("YYYY-QQ", "expected letters of a date, found `QQ`", 5);
    check_refused("YYYYMMddThh", "expected letters of a date, found `T`", 8);
    check_refused("YYY", "expected letters of a date, found `YYY`: a year is `YYYY` or `YY`", 0);
    check_refused("YYYYMMMdd", "expected letters of a date, found `MMM`: a month is `MM` or `M`", 4);
    check_refused("YYYYMMdd_hhmmss", "expected letters of a date, found `hh`: the hour from 0 to 23 is `HH`", 9);
    check_refused("YYYYMMdd_HHMM", "expected letters of a date, found `MM`: the minute is `mm`", 11);
    check_refused(
        "YYYYMMdd_HHmmSS",
        "expected letters of a date, found `SS`: the second is `ss`, the millisecond `SSS`",
        13,
    );
    check_refused("ddd", "expected letters of a date, found `ddd`: a day is `dd` or `d`", 0);
    check_refused("HHH", "expected letters of a date, found `HHH`: an hour is `HH` or `H`", 0);
    check_refused("HHmmm", "expected letters of a date, found `mmm`: a minute is `mm` or `m`", 2);
    check_refused("HHMMM", "expected letters of a date, found `MMM`: a minute is `MM` or `M`", 2);
    check_refused("sss", "expected letters of a date, found `sss`: a second is `ss` or `s`", 0);
    check_refused("YYYY'x", "expected a closing `'`, found the end of the date pattern", 4);
    check_refused("/YYYY", "expected no slash at an end of the date pattern, found one", 0);
    check_refused("YYYY/", "expected no slash at an end of the date pattern, found one", 4);
}

#[test]
fn errors_word_for_word() {
    let letters = "allowed: YYYY, MM, dd, HH, mm, ss, SSS, separators, and text in single quotes";
    check_error(
        Lenient,
        "a_%DATETIME(YYYY-QQ)%",
        Kind::DatePattern,
        &format!(
            "expected letters of a date, found `QQ` at byte 17 of the template\na_%DATETIME(YYYY-QQ)%\n                 ^^\n{letters}"
        ),
    );
    check_error(
        Lenient,
        &format!("%DATETIME({})%", "y".repeat(50)),
        Kind::DatePattern,
        &format!(
            "expected letters of a date, found `{}...`: a year is `YYYY` or `YY` at byte 10 of the template\n\
             %DATETIME({})%\n          {}\n{letters}",
            "y".repeat(20),
            "y".repeat(50),
            "^".repeat(50)
        ),
    );
    check_error(
        Lenient,
        "%DATETIME(YYYY%",
        Kind::DatePattern,
        "expected `)%` to close the date pattern that `(` opens at byte 9 of the template\n%DATETIME(YYYY%\n         ^^^^^\n\
         allowed: %DATETIME(YYYYMMdd_HHmmss)% and the like",
    );
    check_error(
        Lenient,
        "%DATETIME((YYYY))%",
        Kind::Character,
        "expected no parenthesis in a date pattern, found `(` at byte 10 of the template\n%DATETIME((YYYY))%\n          ^",
    );
    check_error(
        Lenient,
        "%DATETIME(YYYY\n)%",
        Kind::Character,
        "expected no control character, found `\\n` at byte 14 of the template\n%DATETIME(YYYY\\n)%\n              ^^\n\
         allowed: all characters but U+0000 to U+001F and U+007F to U+009F",
    );
}
