//! The nearest macro to a name that is none.

use super::Macro;
use super::item::SPELLINGS;

/// Longer names are no typing errors, and the distance is quadratic.
const LONGEST: usize = 40;

/// The spelling that is at most two typing errors away from the name, whatever its case, among macros that are offered.
pub(super) fn nearest(name: &str, offered: fn(&Macro) -> bool) -> Option<&'static str> {
    if name.len() > LONGEST {
        return None;
    }
    // The platform's newer documents say audience where the macros say segment.
    let name: Vec<char> = name.to_uppercase().replace('-', "_").replace("AUDIENCE", "SEGMENT").chars().collect();
    // Two errors in a name of four letters make any name of any other.
    let most = 2.min(name.len() / 3);
    SPELLINGS
        .iter()
        .filter(|spelling| offered(&spelling.means))
        .map(|spelling| spelling.name)
        .filter(|candidate| *candidate != "custom-text" && candidate.len().abs_diff(name.len()) <= most)
        .map(|candidate| (distance(&name, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= most)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &str) -> usize {
    let b = b.as_bytes();
    // The rows of the table that are still needed.
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    let same = |i: usize, j: usize| a[i - 1] == char::from(b[j - 1]);
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let mut best = last[j - 1] + usize::from(!same(i, j));
            best = best.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j) {
                best = best.min(before_last[j - 2] + 1);
            }
            row[j] = best;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(nearest(name, |_| true), expected);
    }

    #[test]
    fn near_misses() {
        check("SEGMENT_NMAE", Some("SEGMENT_NAME"));
        check("segment_name", Some("SEGMENT_NAME"));
        check("SEGMENTID", Some("SEGMENT_ID"));
        check("Custom-Text", Some("CUSTOM_TEXT"));
        check("FILEINDX", Some("FILE_INDEX"));
        check("TIMESTAMPS", Some("TIMESTAMP"));
        check("audience_name", Some("SEGMENT_NAME"));
        check("AUDIENCE", None);
        check("ID", None);
        check("", None);
        check(&"SEGMENT_NAME".repeat(1000), None);
    }
}
