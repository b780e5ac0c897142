//! What an encoder writes of a record batch is what it writes of its cells, one at a time, however the batch is cut.

use consign::arrow_array::RecordBatch;
use consign::format::csv::{Counts, Encoder, HazardKind, Outcome, RecordError, Refused};

use super::reference;
use super::table::{self, Choice, Source};

/// Holds that of the dialect and the batch that these bytes decide on.
pub(super) fn check(data: &[u8]) {
    let mut source = Source::new(data);
    let choice = table::choice(&mut source);
    let batch = table::batch(&mut source);
    let dialect = &choice.dialect;

    let mut out = b"before".to_vec();
    let mut encoder = dialect.encoder();
    let written = encoder.record_batch(&batch, &mut out);
    let schema = batch.schema();
    let mut types = schema.fields().iter().map(|field| field.data_type());
    let refused = types.position(|of| {
        (choice.refuses_nested && reference::is_nested(of)) || (choice.refuses_intervals && reference::is_interval(of))
    });
    assert_eq!(dialect.check_schema(&schema).err().map(|e| e.column()), refused);
    if let Some(column) = refused {
        let e = written.expect_err("the type is refused");
        assert_eq!((e.row(), e.error().column(), &out[..]), (0, column, &b"before"[..]));
        return;
    }

    let mut one = dialect.encoder();
    let mut expected = b"before".to_vec();
    let mut rejected = Vec::new();
    for row in 0..batch.num_rows() {
        let outcome = match reference::row(&batch, row) {
            Some(cells) => one.record(cells.iter().map(reference::Owned::value), &mut expected),
            // A cell is no date or time, so the row cannot be written.
            None if choice.refused == Refused::Fail => {
                let e = written.expect_err("the row has no record");
                assert_eq!((e.row(), &out[..]), (row, &b"before"[..]));
                return;
            }
            None => {
                rejected.extend((choice.refused == Refused::Reject).then_some((row, None)));
                continue;
            }
        };
        match outcome {
            Ok(Outcome::Rejected(e)) => rejected.push((row, Some(e))),
            Ok(_) => {}
            Err(e) => {
                let failed = written.expect_err("the row has no record");
                assert_eq!((failed.row(), failed.error(), &out[..]), (row, &e, &b"before"[..]));
                return;
            }
        }
    }
    let written = written.expect("every row is written, skipped or handed back");
    assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
    assert_eq!(written.len(), rejected.len());
    for (found, (row, e)) in written.iter().zip(&rejected) {
        assert_eq!(found.row(), *row);
        assert!(e.as_ref().is_none_or(|e| e == found.error()), "{found} is not {e:?}");
    }
    assert_eq!(without_refused(&encoder), without_refused(&one));

    let (cut, counts, found) = in_slices(&choice, &batch, source.below(3) + 1 + batch.num_rows() / 7);
    assert_eq!(cut, out[b"before".len()..], "the bytes do not depend on how rows are batched");
    assert_eq!(&counts, encoder.counts());
    assert_eq!(found, written.iter().map(RecordError::row).collect::<Vec<_>>());
}

/// All that an encoder has counted but the rows that have no record.
fn without_refused(encoder: &Encoder) -> (u64, u64, u64, u64, Vec<(HazardKind, u64)>) {
    let counts = encoder.counts();
    (counts.written(), counts.lost(), counts.guarded(), counts.unmappable(), counts.hazards().collect())
}

/// The same from encoders on two threads, which take turns at every few rows.
fn in_slices(choice: &Choice, batch: &RecordBatch, rows: usize) -> (Vec<u8>, Counts, Vec<usize>) {
    let starts: Vec<_> = (0..batch.num_rows()).step_by(rows).collect();
    let share = |thread: usize| {
        let mut encoder = choice.dialect.encoder();
        let mut written = Vec::new();
        for &start in starts.iter().skip(thread).step_by(2) {
            let slice = batch.slice(start, rows.min(batch.num_rows() - start));
            let mut out = Vec::new();
            let found = encoder.record_batch(&slice, &mut out).expect("the whole batch is written");
            written.push((start, out, found.iter().map(|e| start + e.row()).collect::<Vec<_>>()));
        }
        (written, encoder.counts().clone())
    };
    let (one, (mut all, mut counts)) = std::thread::scope(|scope| {
        let other = scope.spawn(|| share(1));
        (share(0), other.join().expect("no thread panics"))
    });
    all.extend(one.0);
    counts.merge(&one.1);
    all.sort_by_key(|(start, ..)| *start);
    let (mut out, mut rejected) = (Vec::new(), Vec::new());
    for (_, bytes, rows) in all {
        out.extend(bytes);
        rejected.extend(rows);
    }
    (out, counts, rejected)
}
