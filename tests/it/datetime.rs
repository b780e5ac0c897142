//! Date patterns, locales and zones: the text of Java 17 as Spark narrows it, and strftime.

use std::io::Write;
use std::process::{Command, Stdio};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use consign::format::csv::datetime::{
    DateText, LocalText, Locale, LocaleError, LocaleErrorKind, Pattern, PatternError, PatternErrorKind, TimestampText,
    Zone, ZoneError, ZoneErrorKind,
};
use consign::{Error, ErrorKind};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value as Json;

/// One line of the vectors.
#[derive(Debug, Deserialize)]
struct Vector {
    kind: String,
    pattern: String,
    locale: Option<String>,
    zone: Option<String>,
    value: Option<String>,
    expected: Option<String>,
}

impl Vector {
    fn text(&self) -> Result<String, Error> {
        let pattern = Pattern::spark(&self.pattern)?;
        let locale = Locale::parse(self.locale.as_deref().unwrap_or("en-US"))?;
        let value = self.value.as_deref().unwrap_or("2024-01-02");
        match self.kind.as_str() {
            "timestamp" => {
                let zone = Zone::parse(self.zone.as_deref().unwrap())?;
                let instant = instant(value.strip_suffix('Z').unwrap());
                Ok(TimestampText::new(&pattern, locale, &zone)?.to_text(instant.and_utc()))
            }
            "timestamp_ntz" => Ok(LocalText::new(&pattern, locale)?.to_text(instant(value))),
            _ => Ok(DateText::new(&pattern, locale)?.to_text(date(value))),
        }
    }
}

/// A date of any year: `-0044-03-15`, `12024-02-29`.
fn date(text: &str) -> NaiveDate {
    let mut parts = text.rsplitn(3, '-');
    let [day, month, year] = [0; 3].map(|_| parts.next().unwrap());
    NaiveDate::from_ymd_opt(year.parse().unwrap(), month.parse().unwrap(), day.parse().unwrap()).unwrap()
}

fn instant(text: &str) -> NaiveDateTime {
    let (day, time) = text.split_once('T').unwrap();
    date(day).and_time(time.parse().unwrap())
}

#[track_caller]
fn check_vectors(vectors: &str, expected_count: usize) {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in vectors.lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let text = vector.text();
        if text.as_ref().ok() != vector.expected.as_ref() {
            wrong.push(format!("{vector:?}: {text:?}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert_eq!(count, expected_count);
}

#[test]
fn the_vectors_of_spark_agree() {
    check_vectors(include_str!("../data/spark_datetime.jsonl"), 766);
}

/// Runs the example on lines, as a program of its own, and gives its answers.
fn run_example(argument: &str, lines: &str) -> Vec<Json> {
    let tests = std::env::current_exe().unwrap();
    let examples = tests.parent().unwrap().parent().unwrap().join("examples");
    let mut child = Command::new(examples.join("spark_csv"))
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("examples are built with the tests");
    let mut stdin = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_example_answers_as_the_vectors_do() {
    let vectors = include_str!("../data/spark_datetime.jsonl");
    let answers = run_example("--datetime", vectors);
    assert_eq!(answers.len(), 766);
    for (vector, answer) in vectors.lines().zip(answers) {
        let expected = serde_json::from_str::<Json>(vector).unwrap();
        assert_eq!(answer.get("text").unwrap_or(&Json::Null), &expected["expected"], "{vector}");
        assert_ne!(answer.get("text").is_some(), answer.get("error").is_some(), "{vector}");
    }
    let answers = run_example("--datetime", "{\"kind\":\"date\",\"pattern\":\"YYYY\",\"value\":\"2024-01-02\"}\n{}\n");
    assert_eq!(
        answers[0]["error"],
        "the date pattern `YYYY` is refused: `YYYY` at byte 0 is a week-based letter, which Spark refuses since 3.0",
    );
    assert_eq!(answers[1]["error"], "could not read the line as JSON: missing field `kind` at line 1 column 2");
}

#[test]
fn the_public_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<DateText>();
    check::<LocalText>();
    check::<Locale>();
    check::<LocaleError>();
    check::<Pattern>();
    check::<PatternError>();
    check::<TimestampText>();
    check::<Zone>();
    check::<ZoneError>();
}

#[track_caller]
fn check_refused(pattern: &str, kind: &PatternErrorKind, expected: &str) {
    let error = Pattern::spark(pattern).unwrap_err();
    assert_eq!(error.kind(), kind);
    let span = error.span();
    let carets = format!("{}{}", " ".repeat(span.start()), "^".repeat(span.end() - span.start()));
    assert_eq!(format!("{error:#}"), format!("{expected}\n{pattern}\n{carets}"));
}

#[test]
fn refusals_say_what_and_where() {
    use PatternErrorKind::{
        Narrow, OpenQuote, Reserved, TooMany, UnknownLetter, UnmatchedBracket, Unsupported, WeekBased, WrongCount,
    };
    check_refused("yyyy-ww", &WeekBased, "`ww` at byte 5 is a week-based letter, which Spark refuses since 3.0");
    check_refused("u", &WeekBased, "`u` at byte 0 is a week-based letter, which Spark refuses since 3.0");
    check_refused("HH:mm B", &Unsupported, "`B` at byte 6 is a letter that Spark refuses");
    check_refused("ppH", &Unsupported, "`pp` at byte 0 is a letter that Spark refuses");
    check_refused("d MMMMM", &Narrow, "`MMMMM` at byte 2 asks for narrow text, which Spark refuses");
    check_refused("EEEEEE", &TooMany { most: 4 }, "`EEEEEE` at byte 0 repeats a letter more than 4 times");
    check_refused("yyyyyyy", &TooMany { most: 6 }, "`yyyyyyy` at byte 0 repeats a letter more than 6 times");
    check_refused("aa", &TooMany { most: 1 }, "`aa` at byte 0 repeats a letter that may stand once only");
    check_refused("SSSSSSSSSS", &TooMany { most: 9 }, "`SSSSSSSSSS` at byte 0 repeats a letter more than 9 times");
    let twenty = "g".repeat(20);
    check_refused(&twenty, &TooMany { most: 19 }, &format!("`{twenty}` at byte 0 repeats a letter more than 19 times"));
    let twice = WrongCount { expected: "twice" };
    check_refused("yyyy V", &twice, "`V` at byte 5 repeats a letter that must stand twice");
    let once = WrongCount { expected: "once or four times" };
    check_refused("OO", &once, "`OO` at byte 0 repeats a letter that must stand once or four times");
    check_refused("vvv", &once, "`vvv` at byte 0 repeats a letter that must stand once or four times");
    check_refused("R", &UnknownLetter, "`R` at byte 0 is no pattern letter, and text must stand in single quotes");
    check_refused("yyyy#", &Reserved, "`#` at byte 4 is reserved, and as text must stand in single quotes");
    check_refused("[yyyy]]", &UnmatchedBracket, "`]` at byte 6 closes no `[`");
    check_refused("yyyy'T", &OpenQuote, "`'T` at byte 4 opens a quote that is not closed");
    check_refused("'''", &OpenQuote, "`'''` at byte 0 opens a quote that is not closed");

    let error = Error::from(Pattern::spark("yyyy-ww").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Destination);
    assert_eq!(
        format!("{error:#}"),
        "the date pattern `yyyy-ww` is refused: `ww` at byte 5 is a week-based letter, which Spark refuses since 3.0",
    );
}

#[test]
fn fields_that_a_value_lacks_are_refused_before_any_value() {
    let date = |pattern: &str| {
        let pattern = Pattern::spark(pattern).unwrap();
        DateText::new(&pattern, Locale::EN_US).map(|_| ()).map_err(|e| e.to_string())
    };
    let local = |pattern: &str| {
        let pattern = Pattern::spark(pattern).unwrap();
        LocalText::new(&pattern, Locale::EN_US).map(|_| ()).map_err(|e| e.to_string())
    };
    for letter in ["H", "k", "K", "h", "m", "s", "S", "a"] {
        let text = format!("`{letter}` at byte 5 needs a time of day, which a date does not have");
        assert_eq!(date(&format!("yyyy {letter}")), Err(text));
        assert_eq!(date(&format!("yyyy[ {letter}]")), Ok(()));
        assert_eq!(local(&format!("yyyy {letter}")), Ok(()));
    }
    for letters in ["VV", "z", "zzzz", "v", "O", "OOOO", "X", "x", "Z", "ZZZZ"] {
        let text = format!("`{letters}` at byte 5 needs a zone, which the value does not have");
        assert_eq!(date(&format!("yyyy {letters}")), Err(text.clone()));
        assert_eq!(local(&format!("yyyy {letters}")), Err(text));
        assert_eq!(local(&format!("yyyy[ {letters}]")), Ok(()));
    }
}

/// The text of a pattern for one instant in a locale and a zone.
#[track_caller]
fn check_in(pattern: &str, locale: &str, zone: &str, expected: &str) {
    assert_eq!(text_in(pattern, locale, zone, "2024-01-02T03:04:05.123456"), expected);
}

#[track_caller]
fn text_in(pattern: &str, locale: &str, zone: &str, at: &str) -> String {
    let (pattern, locale, zone) =
        (Pattern::spark(pattern).unwrap(), Locale::parse(locale).unwrap(), Zone::parse(zone).unwrap());
    TimestampText::new(&pattern, locale, &zone).unwrap().to_text(instant(at).and_utc())
}

/// The first letters of each row print its first example, and the last letters print the last.
#[test]
fn the_table_of_letters_is_true() {
    let ticked = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    let mut rows = 0;
    for row in include_str!("../../src/format/csv/datetime/mod.rs").lines() {
        let Some(row) = row.strip_prefix("//! | `") else { continue };
        let cells: Vec<_> = row.split(" | ").collect();
        // The prefix took the first tick.
        let letters: Vec<_> = cells[0].split('`').step_by(2).collect();
        let examples = ticked(cells[2]);
        if letters[0] == "[" {
            assert!(examples.is_empty());
            continue;
        }
        check_in(letters[0], "en-US", "America/Los_Angeles", examples[0]);
        if examples.len() > 1 {
            let last = letters.iter().rev().find(|letters| !letters.is_empty()).unwrap();
            check_in(last, "en-US", "America/Los_Angeles", examples.last().unwrap());
        }
        rows += 1;
    }
    assert_eq!(rows, 30);
}

#[test]
fn sections_are_printed_if_the_value_has_their_fields() {
    let date =
        |pattern| DateText::new(&Pattern::spark(pattern).unwrap(), Locale::EN_US).unwrap().to_text(date("2024-01-02"));
    assert_eq!(date("yyyy[-MM[-dd[ HH]]]"), "2024-01-02");
    // An outer section is given up with all within it.
    assert_eq!(date("yyyy[-MM[-dd] HH]"), "2024");
    assert_eq!(date("[[[yyyy"), "2024");
    assert_eq!(date("[]''[' ]']"), "' ]");
    assert_eq!(date(""), "");
    assert_eq!(date("''''"), "'");
    assert_eq!(date("'a''b' '' ''''é"), "a'b ' 'é");
}

#[test]
fn years_beyond_chrono_are_printed() {
    let pattern = Pattern::spark("yyyy-MM-dd'T'HH:mm:ss.SSSSSS").unwrap();
    let text = TimestampText::new(&pattern, Locale::EN_US, &Zone::UTC).unwrap();
    let at = |micros: i64| {
        let nanos = u32::try_from(micros.rem_euclid(1_000_000)).unwrap() * 1_000;
        let mut out = Vec::new();
        text.append_at(micros.div_euclid(1_000_000), nanos, &mut out);
        String::from_utf8(out).unwrap()
    };
    // The ends of Spark's and Arrow's timestamps.
    assert_eq!(at(i64::MAX), "+294247-01-10T04:00:54.775807");
    assert_eq!(at(i64::MIN), "-290308-12-21T19:59:05.224192");
    for seconds in [i64::MIN, i64::MAX] {
        for zone in ["UTC", "+18:00", "-18:00", "Europe/Paris"] {
            let text = TimestampText::new(&pattern, Locale::EN_US, &Zone::parse(zone).unwrap()).unwrap();
            let mut out = Vec::new();
            text.append_at(seconds, 0, &mut out);
            assert!(out.len() > 30, "{}", String::from_utf8(out).unwrap());
        }
    }
    let mut out = Vec::new();
    DateText::new(&Pattern::spark("yyyy-MM-dd").unwrap(), Locale::EN_US).unwrap().append_day(i32::MAX, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "+5881580-07-11");
}

#[test]
fn a_leap_second_is_the_second_after_it() {
    let time = date("2016-12-31").and_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
    let text = LocalText::new(&Pattern::spark("yyyy-MM-dd HH:mm:ss.SSS").unwrap(), Locale::EN_US).unwrap();
    assert_eq!(text.to_text(time), "2017-01-01 00:00:00.500");
}

#[track_caller]
fn check_zone(text: &str, expected: &str) {
    assert_eq!(Zone::parse(text).unwrap().as_str(), expected);
}

#[track_caller]
fn check_zone_refused(text: &str, kind: ZoneErrorKind, expected: &str) {
    let error = Zone::parse(text).unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(format!("{error:#}"), expected);
}

#[test]
fn zones_are_read_as_spark_reads_them() {
    check_zone("Z", "Z");
    check_zone("+5", "+05:00");
    check_zone("-05", "-05:00");
    check_zone("+0530", "+05:30");
    check_zone("+053015", "+05:30:15");
    check_zone("+05:30:15", "+05:30:15");
    check_zone("-18:00", "-18:00");
    check_zone("+00:00", "Z");
    check_zone("-0:30", "-00:30");
    check_zone("+05:3", "+05:03");
    check_zone("+5:3", "+05:03");
    check_zone("UTC", "UTC");
    check_zone("UTC+0", "UTC");
    check_zone("GMT-5:30", "GMT-05:30");
    check_zone("UT+01:02:03", "UT+01:02:03");
    check_zone("GMT0", "GMT0");
    check_zone("Etc/GMT-14", "Etc/GMT-14");
    check_zone("EST", "-05:00");
    check_zone("CST", "America/Chicago");
    check_zone("Europe/Kyiv", "Europe/Kyiv");
    assert_eq!(Zone::parse("UTC").unwrap(), Zone::UTC);
    assert_eq!(Zone::default().to_string(), "UTC");
}

#[test]
fn zones_are_refused_as_java_refuses_them() {
    let offset = "expected an offset such as `+05:30`, found";
    check_zone_refused("", ZoneErrorKind::Offset, &format!("{offset} `` at byte 0\n\n^"));
    check_zone_refused("x", ZoneErrorKind::Offset, &format!("{offset} `x` at byte 0\nx\n^"));
    check_zone_refused("+05:60", ZoneErrorKind::Offset, &format!("{offset} `+05:60` at byte 0\n+05:60\n^^^^^^"));
    check_zone_refused("UTC+x", ZoneErrorKind::Offset, &format!("{offset} `+x` at byte 3\nUTC+x\n   ^^"));
    check_zone_refused("+18:01", ZoneErrorKind::Range, "the offset `+18:01` lies beyond 18 hours\n+18:01\n^^^^^^");
    let zone = "expected a zone such as `Europe/Paris`, found";
    check_zone_refused("utc", ZoneErrorKind::Unknown, &format!("{zone} `utc`\nutc\n^^^"));
    check_zone_refused("Mars/Base", ZoneErrorKind::Unknown, &format!("{zone} `Mars/Base`\nMars/Base\n^^^^^^^^^"));
    let error = Error::from(Zone::parse("utc").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Destination);
    assert_eq!(error.to_string(), "the time zone `utc` is refused");
}

#[test]
fn seasons_and_offsets_are_those_of_java() {
    // Winter is the exception in Ireland's law, and summer in Java's tables.
    check_in("zzzz O", "en-US", "Europe/Dublin", "Greenwich Mean Time GMT");
    check_in("zzzz XXX", "en-US", "Africa/Casablanca", "Western European Summer Time +01:00");
    check_in("zzzz", "en-US", "UTC+01:00", "UTC+01:00");
    check_in("z VV", "ja-JP", "UT", "UT UT");
    check_in("vvvv", "de-DE", "Asia/Kolkata", "Zeitzone für Indien");
    // An offset of seconds only is none where seconds are not printed.
    check_in("XXX XXXXX O", "en-US", "-00:00:30", "Z -00:00:30 GMT-0:00:30");
    // After the tables of the IANA database end, their last rules go on.
    let summer = "2150-07-04T12:00:00";
    assert_eq!(text_in("yyyy-MM-dd HH:mm z", "en-US", "America/New_York", summer), "2150-07-04 08:00 EDT");
    assert_eq!(text_in("HH:mm z", "en-US", "Africa/Casablanca", summer), "13:00 WEST");
}

#[test]
fn locales_are_tags_of_bcp_47() {
    let carried = |tag: &str| Locale::parse(tag).unwrap().as_str();
    assert_eq!(carried("EN-us"), "en-US");
    assert_eq!(carried("zh-hant-tw"), "zh-Hant-TW");
    assert_eq!(carried("de-CH-1996"), "de-CH");
    assert_eq!(carried("ja-JP-u-ca-japanese"), "ja-JP");
    assert_eq!(carried("sr-RS"), "sr-RS");
    assert_eq!(Locale::default().to_string(), "en-US");
}

#[track_caller]
fn check_locale_refused(tag: &str, kind: LocaleErrorKind, expected: &str) {
    let error = Locale::parse(tag).unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(format!("{error:#}"), expected);
}

#[test]
fn locales_that_are_not_carried_are_refused() {
    let malformed = "expected a subtag of one to eight letters or digits, found";
    check_locale_refused("en_US", LocaleErrorKind::Malformed, &format!("{malformed} `en_US` at byte 0\nen_US\n^^^^^"));
    check_locale_refused("en--US", LocaleErrorKind::Malformed, &format!("{malformed} `` at byte 3\nen--US\n   ^"));
    check_locale_refused("", LocaleErrorKind::Malformed, &format!("{malformed} `` at byte 0\n\n^"));
    let expected = "no text is carried for the language `tlh`\ntlh-DE\n^^^";
    check_locale_refused("tlh-DE", LocaleErrorKind::NotCarried, expected);
    let error = Error::from(Locale::parse("tlh").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Destination);
    assert_eq!(error.to_string(), "the locale `tlh` is refused");
}

#[test]
fn every_carried_locale_has_all_words() {
    let pattern = Pattern::spark("G|GGGG|MMM|MMMM|LLL|LLLL|E|EEEE|QQQ|QQQQ|qqq|qqqq|a|O|ZZZZ").unwrap();
    let mut count = 0;
    for locale in Locale::carried() {
        let plan = TimestampText::new(&pattern, locale, &Zone::UTC).unwrap();
        for month in 1..=12 {
            let time = NaiveDate::from_ymd_opt(2024, month, month).unwrap().and_hms_opt(month * 2 - 1, 0, 0).unwrap();
            let text = plan.to_text(time.and_utc());
            assert!(text.split('|').all(|word| !word.is_empty()), "{locale}: {text}");
        }
        count += 1;
    }
    assert!(count > 1_000, "{count}");
}

#[test]
fn zone_names_are_carried_or_refused() {
    let zone = Zone::parse("Europe/Paris").unwrap();
    let pattern = Pattern::spark("HH zzzz").unwrap();
    let named: Vec<_> = Locale::with_zone_names().collect();
    assert!(named.contains(&Locale::EN_US) && named.len() > 100);
    for locale in named {
        assert!(TimestampText::new(&pattern, locale, &zone).is_ok(), "{locale}");
        assert_eq!(Locale::parse(locale.as_str()).unwrap(), locale);
    }
    let swedish = Locale::parse("sv-SE").unwrap();
    let error = TimestampText::new(&pattern, swedish, &zone).unwrap_err();
    assert_eq!(error.kind(), &PatternErrorKind::ZoneNames { locale: "sv-SE".to_owned() });
    assert_eq!(
        error.to_string(),
        "`zzzz` at byte 3 needs the names of zones, which are not carried for the locale `sv-SE`",
    );
    // Offsets have no names, and need none.
    check_in("HH zzzz", "sv-SE", "+05:30", "08 +05:30");
}

/// Answers of Java 17, as the vectors are: every letter, random patterns, all locales, all zones.
#[test]
fn what_java_17_answers_agrees() {
    check_vectors(include_str!("../data/java_datetime.jsonl"), 2550);
}

#[test]
fn strftime_refuses_what_chrono_does_not_print() {
    let refused =
        [("%", "%", 0), ("%Y%", "%", 2), ("%Q", "%Q", 0), ("%#z", "%#z", 0), ("%-B", "%-B", 0), ("%é", "%é", 0)];
    for (pattern, what, at) in refused {
        let error = Pattern::strftime(pattern).unwrap_err();
        assert_eq!(error.kind(), &PatternErrorKind::UnknownSpecifier);
        assert_eq!(error.to_string(), format!("`{what}` at byte {at} is no strftime specifier"));
    }
    let error = DateText::new(&Pattern::strftime("%Y %T").unwrap(), Locale::EN_US).unwrap_err();
    assert_eq!(error.to_string(), "`%T` at byte 3 needs a time of day, which a date does not have");
}

/// Every specifier of chrono, and text between them.
const SPECIFIERS: &[&str] = &[
    "%Y", "%-Y", "%_Y", "%C", "%y", "%-y", "%m", "%-m", "%_m", "%b", "%B", "%h", "%d", "%-d", "%e", "%a", "%A", "%w",
    "%u", "%U", "%W", "%G", "%-G", "%g", "%V", "%j", "%-j", "%_j", "%q", "%D", "%x", "%F", "%v", "%H", "%-H", "%k",
    "%I", "%-I", "%l", "%P", "%p", "%M", "%S", "%f", "%-f", "%.f", "%.3f", "%.6f", "%.9f", "%3f", "%6f", "%9f", "%R",
    "%T", "%X", "%r", "%z", "%:z", "%::z", "%:::z", "%Z", "%c", "%+", "%s", "%t", "%n", "%%", " ", "-", "é", "T",
];

/// Instants from the year -10,072 to 10,209, on whole seconds, milliseconds and nanoseconds.
fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    let nanos = prop_oneof![Just(0), 0_u32..1_000_000_000, (0_u32..1_000).prop_map(|n| n * 1_000_000)];
    (-380_000_000_000_i64..260_000_000_000, nanos)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

proptest! {
    #[test]
    fn strftime_prints_what_chrono_prints(
        parts in proptest::collection::vec(proptest::sample::select(SPECIFIERS), 0..8),
        instant in instants(),
        zone in proptest::sample::select(vec!["UTC", "Europe/Paris", "America/St_Johns", "Asia/Kathmandu"]),
    ) {
        // Chrono's tables end in 2100, and ours go on.
        prop_assume!(zone == "UTC" || instant.timestamp() < 4_102_444_800);
        let pattern = parts.concat();
        // Chrono prints no century but of these years.
        prop_assume!(!pattern.contains("%C") || (0..=9_999).contains(&instant.year()));
        let plan = Pattern::strftime(&pattern).unwrap();
        let text = TimestampText::new(&plan, Locale::EN_US, &Zone::parse(zone).unwrap()).unwrap().to_text(instant);
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        prop_assert_eq!(text, instant.with_timezone(&tz).format(&pattern).to_string());
    }

    #[test]
    fn what_is_printed_reads_back(
        seconds in -62_000_000_000_i64..253_000_000_000,
        nanos in 0_u32..1_000_000_000,
        zone in "[+-]((0[0-9]|1[0-7]):[0-5][0-9]|18:00)",
    ) {
        let instant = DateTime::from_timestamp(seconds, nanos).unwrap();
        let zone = Zone::parse(&zone).unwrap();
        for (java, read) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSxxx", "%Y-%m-%dT%H:%M:%S%.f%:z"),
            ("d.M.yyyy h:m:s.SSSSSSSSS a xx", "%d.%m.%Y %I:%M:%S%.f %p %z"),
            ("EEE, dd MMM yyyy HH:mm:ss.SSSSSSSSS xx", "%a, %d %b %Y %H:%M:%S%.f %z"),
            ("EEEE yyyy DDD MMMM HH:mm:ss.SSSSSSSSS xxx", "%A %Y %j %B %H:%M:%S%.f %:z"),
        ] {
            let text = TimestampText::new(&Pattern::spark(java).unwrap(), Locale::EN_US, &zone).unwrap();
            let text = text.to_text(instant);
            prop_assert_eq!(DateTime::parse_from_str(&text, read).unwrap(), instant, "{}", text);
        }
    }

    #[test]
    fn dates_are_those_of_chrono(days in -4_000_000_i32..4_000_000) {
        let date = DateTime::from_timestamp(i64::from(days) * 86_400, 0).unwrap().date_naive();
        let plan = DateText::new(&Pattern::spark("yyyy-MM-dd").unwrap(), Locale::EN_US).unwrap();
        let text = plan.to_text(date);
        prop_assert_eq!(&text, &date.to_string());
        let mut by_day = Vec::new();
        plan.append_day(days, &mut by_day);
        prop_assert_eq!(by_day, text.into_bytes());
    }

    #[test]
    fn any_text_is_a_pattern_or_is_refused(
        pattern in r"[yMdHmsSEaGQqLhkKDFgXxZzOVv'\[\]%:é. -]{0,16}|\PC{0,8}",
        instant in instants(),
    ) {
        for pattern in [Pattern::spark(&pattern), Pattern::strftime(&pattern)] {
            match pattern {
                Ok(pattern) => {
                    let text = TimestampText::new(&pattern, Locale::EN_US, &Zone::UTC).unwrap().to_text(instant);
                    prop_assert!(!text.is_empty() || pattern.as_str().is_empty() || pattern.as_str().starts_with(['[', '%']));
                    prop_assert_eq!(pattern.check_date().is_ok(), DateText::new(&pattern, Locale::EN_US).is_ok());
                    prop_assert_eq!(pattern.check_local().is_ok(), LocalText::new(&pattern, Locale::EN_US).is_ok());
                }
                Err(error) => prop_assert!(error.span().end() > error.span().start()),
            }
        }
    }

    #[test]
    fn any_text_is_a_zone_or_is_refused(text in r"(UTC|GMT|UT)?[+-]?[0-9:]{0,8}|\PC{0,8}") {
        if let Ok(zone) = Zone::parse(&text) {
            prop_assert_eq!(Zone::parse(zone.as_str()).unwrap(), zone);
        }
    }
}
