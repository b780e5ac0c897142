//! Date patterns, locales and zones: the text of Java 17 as Spark narrows it, and strftime.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use consign::Error;
use consign::format::csv::datetime::{
    DateText, LocalText, Locale, LocaleError, LocaleErrorKind, Pattern, PatternError, PatternErrorKind, TimestampText,
    Zone, ZoneError, ZoneErrorKind,
};
use serde::Deserialize;

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

#[test]
fn the_vectors_of_spark_agree() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in include_str!("../data/spark_datetime.jsonl").lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let text = vector.text();
        if text.as_ref().ok() != vector.expected.as_ref() {
            wrong.push(format!("{vector:?}: {text:?}"));
        }
        count += 1;
    }
    assert_eq!(count, 766);
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
