//! What an encoder has counted.

use super::HazardKind;

/// How many records an encoder has written, and what became of the others.
///
/// Several encoders of one dialect can each write a share of a file's records; their counts are
/// [merged](Self::merge).
///
/// ```
/// use consign::format::csv::{Counts, Dialect};
/// use consign::row::Value;
///
/// let dialect = Dialect::default();
/// let (mut one, mut two) = (dialect.encoder(), dialect.encoder());
/// let mut out = Vec::new();
/// one.record([Value::Integer(1)], &mut out)?;
/// two.record([Value::Integer(2)], &mut out)?;
///
/// let mut counts = Counts::default();
/// counts.merge(one.counts());
/// counts.merge(two.counts());
/// assert_eq!(counts.written(), 2);
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub(super) written: u64,
    pub(super) lost: u64,
    pub(super) skipped: u64,
    pub(super) rejected: u64,
    pub(super) unmappable: u64,
    pub(super) guarded: u64,
    pub(super) hazards: [u64; HazardKind::COUNT],
}

impl Counts {
    /// Records that were written; the header is not one of them.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Records that came out as no bytes at all ([`Outcome::Lost`](super::Outcome::Lost)).
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Rows that were left out ([`Outcome::Skipped`](super::Outcome::Skipped)).
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Rows that were handed back ([`Outcome::Rejected`](super::Outcome::Rejected)).
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Characters that the charset lacks, and that were replaced or escaped.
    #[must_use]
    pub fn unmappable(&self) -> u64 {
        self.unmappable
    }

    /// Texts that the guard against formulas changed.
    #[must_use]
    pub fn guarded(&self) -> u64 {
        self.guarded
    }

    /// The hazards that written cells and names met, each with how many.
    pub fn hazards(&self) -> impl Iterator<Item = (HazardKind, u64)> {
        let counted = HazardKind::ALL.into_iter().zip(self.hazards);
        counted.filter(|(_, count)| *count > 0)
    }

    /// Adds what another encoder has counted.
    pub fn merge(&mut self, other: &Self) {
        self.written += other.written;
        self.lost += other.lost;
        self.skipped += other.skipped;
        self.rejected += other.rejected;
        self.unmappable += other.unmappable;
        self.guarded += other.guarded;
        for (own, other) in self.hazards.iter_mut().zip(other.hazards) {
            *own += other;
        }
    }
}
