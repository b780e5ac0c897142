//! What an encoder has counted.

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

    /// Adds what another encoder has counted.
    pub fn merge(&mut self, other: &Self) {
        self.written += other.written;
        self.lost += other.lost;
        self.skipped += other.skipped;
        self.rejected += other.rejected;
    }
}
