//! What a dialect writes, another project's reader reads back under the same dialect: the same records, the same cells.
//!
//! The first six bytes choose the dialect and how wide the rows are; the rest are cells, which end at the byte 0xFF,
//! since that stands in no UTF-8. A cell of the one byte 0xFE is null.

use consign::format::csv::{Delimiter, Dialect, Escape, Header, NullText, Outcome, Quote, QuoteStyle, Terminator};
use consign::row::Value;
use csv_async::{AsyncReaderBuilder, ByteRecord};
use futures::StreamExt;
use futures::executor::block_on;

pub fn run(data: &[u8]) {
    let Some((choices, cells)) = data.split_first_chunk::<6>() else { return };
    let Some(choice) = Choice::new(*choices) else { return };
    let cells: Vec<Option<String>> = cells
        .split(|byte| *byte == 0xFF)
        .map(|cell| (cell != b"\xFE").then(|| String::from_utf8_lossy(cell).into_owned()))
        .collect();
    let rows: Vec<&[Option<String>]> = cells.chunks_exact(choice.width).collect();

    let written = choice.encode_together(&rows);
    assert_eq!(written, choice.encode_apart(&rows), "the records are the same from one encoder and from many");

    let read = choice.read(&written);
    assert_eq!(read.len(), rows.len(), "as many records: {}", written.escape_ascii());
    for (read, row) in read.iter().zip(rows) {
        let expected: Vec<&[u8]> = row.iter().map(|cell| cell.as_deref().unwrap_or(NULL).as_bytes()).collect();
        let found: Vec<&[u8]> = read.iter().collect();
        assert_eq!(found, expected, "the same cells: {}", written.escape_ascii());
    }
}

/// How the dialects here spell null; the reader cannot tell it from the text, which is the point of quoting the text.
const NULL: &str = "NULL";

struct Choice {
    dialect: Dialect,
    delimiter: u8,
    quote: u8,
    escape: Escape,
    width: usize,
}

impl Choice {
    /// None where the parts clash, which the dialect refuses.
    fn new([delimiter, quote, escape, style, terminator, width]: [u8; 6]) -> Option<Self> {
        let delimiter = pick(b",;|\t:", delimiter);
        let quote = pick(b"\"'", quote);
        let escape = pick(&[Escape::Doubled, Escape::With('\\'), Escape::With('^'), Escape::With('"')], escape);
        let styles =
            [QuoteStyle::Minimal, QuoteStyle::All, QuoteStyle::AllNonNull, QuoteStyle::NonNumeric, QuoteStyle::Strings];
        let dialect = Dialect::builder()
            .with_delimiter(char::from(delimiter).to_string().parse::<Delimiter>().ok()?)
            .with_quote(char::from(quote).to_string().parse::<Quote>().ok()?)
            .with_escape(escape)
            .with_quote_style(pick(&styles, style))
            .with_terminator(pick(&[Terminator::LF, Terminator::CRLF], terminator))
            .with_null(NullText::new(NULL))
            .with_header(Header::Omit)
            .build()
            .ok()?;
        Some(Self { dialect, delimiter, quote, escape, width: usize::from(width % 4) + 1 })
    }

    fn encode_together(&self, rows: &[&[Option<String>]]) -> Vec<u8> {
        let mut encoder = self.dialect.encoder();
        let mut out = Vec::new();
        for row in rows {
            let outcome = encoder.record(values(row), &mut out).expect("with quotes, any text can be written");
            assert_eq!(outcome, Outcome::Written);
        }
        out
    }

    fn encode_apart(&self, rows: &[&[Option<String>]]) -> Vec<u8> {
        rows.iter().flat_map(|row| self.encode_together(&[row])).collect()
    }

    fn read(&self, written: &[u8]) -> Vec<ByteRecord> {
        let mut builder = AsyncReaderBuilder::new();
        builder.has_headers(false).delimiter(self.delimiter).quote(self.quote);
        match self.escape {
            Escape::With(escape) if escape != char::from(self.quote) => {
                let escape = u8::try_from(escape).expect("the choices are ASCII");
                builder.double_quote(false).escape(Some(escape));
            }
            _ => {
                builder.double_quote(true);
            }
        }
        let records = builder.create_reader(written).into_byte_records();
        block_on(records.map(|record| record.expect("every record is as wide as the first")).collect())
    }
}

fn values(row: &[Option<String>]) -> impl Iterator<Item = Value<'_>> {
    row.iter().map(|cell| Value::from(cell.as_deref()))
}

/// Any byte chooses something, so that no input of the fuzzer is wasted.
fn pick<T: Clone>(of: &[T], byte: u8) -> T {
    of[usize::from(byte) % of.len()].clone()
}
