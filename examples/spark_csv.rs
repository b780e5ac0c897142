//! Writes rows as Spark's CSV writer does: JSON lines on stdin, JSON lines on stdout.
//!
//!     spark_csv < rows.jsonl
//!
//! takes lines of `{"options":{"sep":"\t",…},"header":["id",…] or null,"row":["a",null,…]}` and answers each with
//! `{"bytes":"…"}` or `{"error":"…"}`. A header is written where one is given. Where the charset is not UTF-8, each
//! byte of the answer is the character of that number, U+0000 to U+00FF.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use consign::Result;
use consign::format::csv::{Header, Mode, SparkOptions};
use consign::row::Value;
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
    Error(String),
}

fn main() -> io::Result<()> {
    let answer = match std::env::args().nth(1).as_deref() {
        None => csv,
        Some(other) => {
            return Err(io::Error::other(format!("expected no argument, found `{other}`")));
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
    let input: Input = serde_json::from_str(line).map_err(|error| {
        consign::Error::new(consign::ErrorKind::Input, "could not read the line as JSON").with_source(error)
    })?;
    let options = SparkOptions::parse(input.options.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    let header = if input.header.is_some() { Header::Write } else { Header::Omit };
    let mut encoder = options.builder(Mode::Exact).with_header(header).build()?.encoder();

    let mut out = Vec::new();
    encoder.header(&input.header.unwrap_or_default(), &mut out)?;
    // A record that Spark loses is no bytes, and that is the answer.
    let _outcome = encoder.record(input.row.iter().map(|field| Value::from(field.as_deref())), &mut out)?;
    let text = String::from_utf8(out);
    Ok(Answer::Bytes(text.unwrap_or_else(|error| error.as_bytes().iter().map(|&b| char::from(b)).collect())))
}
