//! Batches of more rows than are encoded at a time, with texts of all lengths.

use std::sync::Arc;

use consign::arrow_array::types::{Int8Type, Int16Type};
use consign::arrow_array::*;
use consign::format::csv::{Dialect, QuoteStyle};

use super::reference::{self, Owned};

/// How long the text of a row is: mostly short, sometimes longer than a block of rows may be.
fn length(row: usize, longest: usize) -> usize {
    match row {
        _ if row % 997 == 996 => longest * 40,
        _ if row % 89 == 88 => longest * 3,
        _ => row * 7919 % longest,
    }
}

/// A text of some length, of which some need quotes, and some more than these.
fn text(row: usize, longest: usize) -> String {
    let mut text: String = ('a'..='z').cycle().skip(row % 26).take(length(row, longest)).collect();
    match row % 11 {
        3 if !text.is_empty() => text.replace_range(0..1, ","),
        5 => text.push('"'),
        7 => text.push('é'),
        _ => {}
    }
    text
}

fn batch(rows: usize, longest: usize) -> RecordBatch {
    let texts = || (0..rows).map(|row| (row % 13 != 4).then(|| text(row, longest)));
    let small = |row: usize| i64::try_from(row * 31 % 10_000).unwrap() - 5_000;
    let wide = |row: usize| if row % 300 < 200 { small(row) } else { small(row) * 1_000_000_007 };
    let decimals = (0..rows).map(|row| i128::from(wide(row)) * if row % 700 == 699 { i128::from(u64::MAX) } else { 1 });
    let days: Date32Array = (0..rows).map(|row| (row % 5 > 0).then_some(i32::try_from(row * 40).unwrap())).collect();
    let columns: [ArrayRef; 11] = [
        Arc::new((0..rows).map(|row| Some(small(row))).collect::<Int64Array>()),
        Arc::new((0..rows).map(|row| (row % 9 > 0).then(|| wide(row))).collect::<Int64Array>()),
        Arc::new(decimals.map(Some).collect::<Decimal128Array>().with_precision_and_scale(38, 2).unwrap()),
        Arc::new(
            (0..rows).map(|row| Some(small(row))).collect::<Decimal64Array>().with_precision_and_scale(18, 7).unwrap(),
        ),
        Arc::new(texts().collect::<StringArray>()),
        Arc::new(texts().collect::<LargeStringArray>()),
        Arc::new(texts().collect::<StringViewArray>()),
        Arc::new(days),
        Arc::new((0..rows).map(|row| (row % 3 > 0).then_some(row % 2 > 0)).collect::<BooleanArray>()),
        Arc::new((0..rows).map(|row| Some(["", "a", "b,c", "d\"e"][row % 4])).collect::<DictionaryArray<Int8Type>>()),
        Arc::new((0..rows).map(|row| ["x", "y\n"][row / 100 % 2]).collect::<RunArray<Int16Type>>()),
    ];
    RecordBatch::try_from_iter(columns.into_iter().enumerate().map(|(at, column)| (at.to_string(), column))).unwrap()
}

#[test]
fn blocks_of_rows_do_not_show() {
    let quoted = Dialect::builder().with_quote_style(QuoteStyle::All).build().unwrap();
    let long = Dialect::builder().with_delimiter("<=>".parse().unwrap()).build().unwrap();
    let longer = Dialect::builder().with_delimiter("<-------->".parse().unwrap()).build().unwrap();
    for dialect in [Dialect::default(), quoted, long, longer, Dialect::spark()] {
        let (mut encoder, mut one) = (dialect.encoder(), dialect.encoder());
        // The same encoder has them all, and learns from each how many rows it can take at once.
        for (rows, longest) in [(1_500, 20), (2_500, 70), (2_000, 4_000), (700, 12)] {
            let batch = batch(rows, longest);
            let (mut out, mut expected) = (b"before".to_vec(), b"before".to_vec());
            assert_eq!(encoder.record_batch(&batch, &mut out).unwrap(), []);
            for row in 0..rows {
                let cells = reference::row(&batch, row).unwrap();
                let _written = one.record(cells.iter().map(Owned::value), &mut expected).unwrap();
            }
            let differs = out.iter().zip(&expected).position(|(a, b)| a != b);
            let around =
                |bytes: &[u8]| differs.map(|at| bytes[at - 6..bytes.len().min(at + 40)].escape_ascii().to_string());
            assert_eq!(around(&out), around(&expected), "{rows} rows of up to {longest} letters differ at {differs:?}");
            assert_eq!(out.len(), expected.len());
            assert_eq!(encoder.counts(), one.counts());
        }
    }
}

/// Holds that an encoder writes batches, one after another, as it does their records.
fn check(dialect: &Dialect, batches: &[RecordBatch]) {
    let mut encoder = dialect.encoder();
    for (at, batch) in batches.iter().enumerate() {
        let (mut one, mut out, mut expected) = (dialect.encoder(), Vec::new(), Vec::new());
        assert_eq!(encoder.record_batch(batch, &mut out).unwrap(), []);
        for row in 0..batch.num_rows() {
            let cells = reference::row(batch, row).unwrap();
            let _written = one.record(cells.iter().map(Owned::value), &mut expected).unwrap();
        }
        assert!(out == expected, "batch {at} is not its records");
    }
}

#[test]
fn texts_that_fill_a_block_leave_no_room_for_short_ones() {
    let columns = |words: Vec<Option<String>>, text: usize, view: usize| {
        let words: DictionaryArray<Int16Type> = words.iter().map(Option::as_deref).collect();
        let rows = words.len();
        let texts = |len: usize| vec!["x".repeat(len); rows];
        let columns: [(&str, ArrayRef); 3] = [
            ("words", Arc::new(words)),
            ("texts", Arc::new(StringArray::from(texts(text)))),
            ("views", Arc::new(StringViewArray::from_iter_values(texts(view)))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let long = [131_000, 130_996].map(|len| Some("w".repeat(len)));
    let words = long.into_iter().chain(vec![None; 254]).collect();
    let batches = [columns(vec![Some("x".to_owned()); 256], 1, 1), columns(words, 1_024, 12)];
    check(&Dialect::default(), &batches);
    check(&Dialect::builder().with_quote_style(QuoteStyle::All).build().unwrap(), &batches);
}

#[test]
fn a_dictionary_of_many_long_words_is_its_records() {
    let words = (0..400).map(|word| Some(format!("{word},{}", "w".repeat(5_000))));
    let words: DictionaryArray<Int16Type> = words.collect::<Vec<_>>().iter().map(Option::as_deref).collect();
    check(&Dialect::default(), &[RecordBatch::try_from_iter([("words", Arc::new(words) as ArrayRef)]).unwrap()]);
}
