//! What a dialect writes, a reader of that dialect reads back: the same records, the same cells, but for the rows that
//! meet a hazard, which are skipped here. The reader is the one of the crate's own tests, and for dialects that it can be
//! told, another project's too.
//!
//! The first six bytes choose the dialect and how wide the rows are; the rest are cells, which end at the byte 0xFF,
//! since that stands in no UTF-8. A cell of the one byte 0xFE is null.

use consign::format::csv::{
    Blank, Charset, Dialect, EmptyText, Escape, EscapeSelf, Guard, Header, InnerQuotes, NullText, Nulls, OnHazard,
    Outcome, Quote, QuoteStyle, QuotedNull, Refused, Trim, Unmappable,
};
use consign::row::{Batch, Value};
use csv_async::{AsyncReaderBuilder, ByteRecord};
use futures::StreamExt;
use futures::executor::block_on;

use reader::Reader;

#[path = "../../tests/it/csv_law/reader.rs"]
mod reader;

type Cell = Option<String>;

pub fn run(data: &[u8]) {
    let Some((choices, cells)) = data.split_first_chunk::<6>() else { return };
    let Some(choice) = Choice::new(*choices) else { return };
    let cells: Vec<Cell> = cells
        .split(|byte| *byte == 0xFF)
        .map(|cell| (cell != b"\xFE").then(|| String::from_utf8_lossy(cell).into_owned()))
        .collect();
    let rows: Vec<&[Cell]> = cells.chunks_exact(choice.width).collect();

    let (written, kept) = choice.encode_together(&rows);
    assert_eq!(written, choice.encode_apart(&rows), "the records are the same from one encoder and from many");
    for size in [1, 3, rows.len().max(1)] {
        assert_eq!(written, choice.encode_batches(&rows, size), "and from batches of {size}");
    }
    if choice.dialect.clone().lossless().is_ok() {
        assert_eq!(kept, rows, "a lossless dialect refuses no row");
    }

    let read = choice.reader.read(&choice.decode(&written));
    assert_eq!(read, kept, "the same rows: {}", written.escape_ascii());

    let Some(read) = choice.read_elsewhere(&written) else { return };
    let null = &choice.reader.null;
    for (read, row) in read.iter().zip(&kept) {
        let expected: Vec<&[u8]> = row.iter().map(|cell| cell.as_ref().unwrap_or(null).as_bytes()).collect();
        let found: Vec<&[u8]> = read.iter().collect();
        assert_eq!(found, expected, "the same cells: {}", written.escape_ascii());
    }
    assert_eq!(read.len(), kept.len(), "as many records: {}", written.escape_ascii());
}

struct Choice {
    dialect: Dialect,
    charset: Charset,
    reader: Reader,
    width: usize,
}

impl Choice {
    /// None where the parts clash, which the dialect refuses.
    fn new([one, two, three, four, five, width]: [u8; 6]) -> Option<Self> {
        let delimiter = pick(&[",", ";", "|", "\t", ":", "||", "::", "aba"], one);
        let charsets = [Charset::UTF_8, Charset::UTF_16LE, Charset::ISO_8859_1, Charset::US_ASCII];
        let charset = pick(&charsets, one >> 3);
        let quotes = [Some('"'), Some('\''), Some('"'), Some('\''), None, Some('\''), Some('\u{20ac}'), None];
        let quote = pick(&quotes, two);
        let guards = [Guard::OFF, Guard::apostrophe(), Guard::apostrophe().except(0), Guard::with_prefix('=')];
        let escapes = [Escape::Doubled, Escape::With('\\'), Escape::With('^'), Escape::With('"')];
        let escape = pick(&escapes, three);
        let escapes_self = [EscapeSelf::Auto, EscapeSelf::Auto, EscapeSelf::With('!'), EscapeSelf::Auto];
        let escape_self = pick(&escapes_self, three >> 2);
        let null = pick(&["NULL", "", "\\N", "a,b"], three >> 4);
        let empties = [EmptyText::NOTHING, EmptyText::QUOTED, EmptyText::new("EMPTY"), EmptyText::new("NULL")];
        let styles = [
            QuoteStyle::Minimal,
            QuoteStyle::All,
            QuoteStyle::AllNonNull,
            QuoteStyle::NonNumeric,
            QuoteStyle::Strings,
            QuoteStyle::Never,
        ];
        let quoted_null = pick(&[QuotedNull::IsNull, QuotedNull::IsText], four >> 3);
        let blank = pick(&[Blank::Quoted, Blank::Bare], four >> 4);
        let terminator = pick(&["\n", "\r\n", "~~", "\r"], five);
        let comment = pick(&["", "#", "N", "~"], five >> 2);
        let dialect = Dialect::builder()
            .with_delimiter(delimiter.parse().ok()?)
            .with_charset(charset)
            .with_unmappable(pick(&[Unmappable::Error, Unmappable::Replace, Unmappable::Escape], one >> 5))
            .with_quote(quote.map_or(Quote::OFF, Quote::from))
            .with_trim(pick(&[Trim::None, Trim::Both, Trim::Leading, Trim::Trailing], two >> 3))
            .with_guard(pick(&guards, two >> 5))
            .with_escape(escape)
            .with_escape_self(escape_self)
            .with_null(NullText::new(null))
            .with_empty(pick(&empties, three >> 6))
            .with_quote_style(pick(&styles, four & 7))
            .with_quoted_null(quoted_null)
            .with_blank(blank)
            .with_nulls(pick(&[Nulls::Marked, Nulls::AsText], four >> 5))
            .with_inner_quotes(pick(&[InnerQuotes::Enclose, InnerQuotes::Leave], four >> 6))
            .with_terminator(terminator.parse().ok()?)
            .with_comment(comment.parse().ok()?)
            .with_header(Header::Omit)
            .with_on_hazard(OnHazard::Refuse)
            .with_refused(Refused::Skip)
            .build()
            .ok()?;
        let reader = Reader::new(escape, escape_self, quote).with_marks(delimiter, terminator, comment).with_nulls(
            null,
            quoted_null,
            blank,
        );
        Some(Self { dialect, charset, reader, width: usize::from(width % 4) + 1 })
    }

    /// The bytes, and the rows that are in them.
    fn encode_together<'a>(&self, rows: &[&'a [Cell]]) -> (Vec<u8>, Vec<&'a [Cell]>) {
        let mut encoder = self.dialect.encoder();
        let mut out = Vec::new();
        let written = rows.iter().copied().filter(|row| {
            let outcome = encoder.record(values(row), &mut out).expect("rows are skipped and not failed");
            outcome == Outcome::Written
        });
        let written = written.collect();
        (out, written)
    }

    fn encode_apart(&self, rows: &[&[Cell]]) -> Vec<u8> {
        rows.iter().flat_map(|row| self.encode_together(&[row]).0).collect()
    }

    fn encode_batches(&self, rows: &[&[Cell]], size: usize) -> Vec<u8> {
        let (mut encoder, mut batch) = (self.dialect.encoder(), Batch::new(self.width));
        let columns: Vec<_> = (0..self.width).collect();
        let mut out = Vec::new();
        for rows in rows.chunks(size) {
            batch.clear();
            for row in rows {
                batch.push_record(values(row)).expect("the row has all columns");
            }
            let refused = encoder.batch(&batch, &columns, &mut out).expect("rows are skipped and not failed");
            assert!(refused.is_empty(), "rows are skipped and not handed back");
        }
        out
    }

    fn decode(&self, file: &[u8]) -> String {
        if self.charset == Charset::UTF_8 {
            return String::from_utf8(file.to_vec()).expect("the charset is UTF-8");
        }
        if self.charset == Charset::UTF_16LE {
            let units = file.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
            return char::decode_utf16(units).map(|c| c.expect("the charset is UTF-16")).collect();
        }
        file.iter().map(|&byte| char::from(byte)).collect()
    }

    /// What another project's reader reads, where it can be told the dialect.
    fn read_elsewhere(&self, written: &[u8]) -> Option<Vec<ByteRecord>> {
        let Reader { delimiter, terminator, quote, escape, escape_self, comment, .. } = &self.reader;
        let byte = |c: char| u8::try_from(c).ok();
        let lines = matches!(terminator.as_str(), "\n" | "\r\n") && comment.is_none();
        let escaped = escape_self.is_none_or(|c| c == *escape);
        if self.charset != Charset::UTF_8 || !lines || !escaped || delimiter.len() > 1 {
            return None;
        }
        // Blank lines are no records to it.
        if self.width == 1 && self.reader.blank == Blank::Bare {
            return None;
        }
        let (quote, escape) = (byte((*quote)?)?, byte(*escape)?);
        let mut builder = AsyncReaderBuilder::new();
        builder.has_headers(false).delimiter(delimiter.as_bytes()[0]).quote(quote);
        if escape == quote {
            builder.double_quote(true);
        } else {
            builder.double_quote(false).escape(Some(escape));
        }
        let records = builder.create_reader(written).into_byte_records();
        Some(block_on(records.map(|record| record.expect("every record is as wide as the first")).collect()))
    }
}

fn values(row: &[Cell]) -> impl Iterator<Item = Value<'_>> {
    row.iter().map(|cell| Value::from(cell.as_deref()))
}

/// Any byte chooses something, so that no input of the fuzzer is wasted.
fn pick<T: Clone>(of: &[T], byte: u8) -> T {
    of[usize::from(byte) % of.len()].clone()
}
