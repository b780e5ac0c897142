//! Writes rows as Spark's CSV writer does: JSON lines on stdin, JSON lines on stdout.
//!
//!     spark_csv < rows.jsonl
//!     spark_csv --datetime < values.jsonl
//!
//! takes lines of `{"options":{"sep":"\t",…},"header":["id",…] or null,"row":["a",null,…]}` and answers each with
//! `{"bytes":"…"}` or `{"error":"…"}`. A header is written where one is given. Where the charset is not UTF-8, each
//! byte of the answer is the character of that number, U+0000 to U+00FF.
//!
//! With `--datetime` it takes lines of `{"kind":"date","pattern":"d.M.yyyy","locale":"de-DE","zone":"UTC","value":…}` and
//! answers with `{"text":"…"}` or `{"error":"…"}`. Kinds are `date` (`2024-01-02`), `timestamp`
//! (`2024-01-02T03:04:05.123456Z`), `timestamp_ntz` (the same without the `Z`) and `pattern_check`, which has no value:
//! a pattern that is accepted is answered with what it prints for 2024-01-02T03:04:05.123456Z. Without a locale it is
//! en-US, without a zone UTC.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use consign::format::csv::datetime::{DateText, LocalText, Locale, Pattern, TimestampText, Zone};
use consign::format::csv::{Charset, Header, Mode, SparkOptions};
use consign::row::Value;
use consign::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// One line of input.
#[derive(Deserialize)]
struct Input {
    options: BTreeMap<String, String>,
    header: Option<Vec<String>>,
    row: Vec<Option<String>>,
}

/// One line of output.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Bytes(String),
    Text(String),
    Error(String),
}

fn main() -> io::Result<()> {
    let answer = match std::env::args().nth(1).as_deref() {
        None => csv,
        Some("--datetime") => datetime,
        Some(other) => {
            return Err(io::Error::other(format!("expected `--datetime` or no argument, found `{other}`")));
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|error| Answer::Error(format!("{error:#}")));
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Answers a line with the bytes of its row.
fn csv(line: &str) -> Result<Answer> {
    let input: Input = json(line)?;
    let options = SparkOptions::parse(input.options.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    let header = if input.header.is_some() { Header::Write } else { Header::Omit };
    let dialect = options.builder(Mode::Exact).with_header(header).build()?;
    let mut encoder = dialect.encoder();

    let mut out = Vec::new();
    encoder.header(&input.header.unwrap_or_default(), &mut out)?;
    // A record that Spark loses is no bytes, and that is the answer.
    let _outcome = encoder.record(input.row.iter().map(|field| Value::from(field.as_deref())), &mut out)?;
    let text = match String::from_utf8(out) {
        Ok(text) if dialect.charset() == Charset::UTF_8 => text,
        Ok(text) => text.bytes().map(char::from).collect(),
        Err(error) => error.as_bytes().iter().map(|&b| char::from(b)).collect(),
    };
    Ok(Answer::Bytes(text))
}

/// One line of input with `--datetime`.
#[derive(Deserialize)]
struct DateTimeInput {
    kind: Kind,
    pattern: String,
    locale: Option<String>,
    zone: Option<String>,
    value: Option<String>,
}

/// What is printed.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Date,
    Timestamp,
    TimestampNtz,
    PatternCheck,
}

/// Answers a line with the text of its value.
fn datetime(line: &str) -> Result<Answer> {
    let input: DateTimeInput = json(line)?;
    let pattern = Pattern::spark(&input.pattern)?;
    let locale = input.locale.map_or(Ok(Locale::EN_US), |tag| Locale::parse(&tag))?;
    let zone = input.zone.map_or(Ok(Zone::UTC), |id| Zone::parse(&id))?;
    let value = input.value.as_deref();
    Ok(Answer::Text(match input.kind {
        Kind::Date => DateText::new(&pattern, locale)?.to_text(date(value.unwrap_or_default())?),
        Kind::TimestampNtz => LocalText::new(&pattern, locale)?.to_text(date_time(value.unwrap_or_default())?),
        Kind::Timestamp | Kind::PatternCheck => {
            let text = TimestampText::new(&pattern, locale, &zone)?;
            let value = value.unwrap_or("2024-01-02T03:04:05.123456Z");
            let value = value.strip_suffix('Z').ok_or_else(|| input_error(value))?;
            text.to_text(date_time(value)?.and_utc())
        }
    }))
}

/// A date of any year: `-0044-03-15`, `12024-02-29`.
fn date(text: &str) -> Result<NaiveDate> {
    let mut parts = text.rsplitn(3, '-');
    let mut next = || parts.next().ok_or_else(|| input_error(text));
    let (day, month, year) = (next()?, next()?, next()?);
    let date = match (year.parse(), month.parse(), day.parse()) {
        (Ok(year), Ok(month), Ok(day)) => NaiveDate::from_ymd_opt(year, month, day),
        _ => None,
    };
    date.ok_or_else(|| input_error(text))
}

fn date_time(text: &str) -> Result<NaiveDateTime> {
    let (day, time) = text.split_once('T').ok_or_else(|| input_error(text))?;
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|format| NaiveTime::parse_from_str(time, format).ok());
    Ok(date(day)?.and_time(time.ok_or_else(|| input_error(text))?))
}

fn input_error(text: &str) -> Error {
    Error::new(
        ErrorKind::Input,
        format!("expected a value such as `2024-01-02` or `2024-01-02T03:04:05`, found `{text}`"),
    )
}

fn json<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T> {
    serde_json::from_str(line)
        .map_err(|error| Error::new(ErrorKind::Input, "could not read the line as JSON").with_source(error))
}
