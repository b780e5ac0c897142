//! What bytes a file has: how many, and their hash.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use twox_hash::XxHash3_128;

use super::PartSchedule;
use super::ledger::Finished;

/// Counts and hashes the bytes of a file, in order. Of those that are stored, it tells our file from another under the
/// same key.
#[derive(Clone)]
pub(crate) struct Digest {
    bytes: u64,
    hash: State,
}

#[derive(Clone)]
enum State {
    Sha256(Box<Sha256>),
    Xxh3(Box<XxHash3_128>),
}

/// How many bytes a file has, and their hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    #[serde(flatten)]
    hash: Hash,
}

/// In hexadecimal digits.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Hash {
    Sha256(String),
    Xxh3(String),
}

impl Digest {
    /// For sums that a journal keeps.
    pub(crate) fn lasting() -> Self {
        Self { bytes: 0, hash: State::Sha256(Box::default()) }
    }

    /// For sums that are compared by this process alone, and mostly by none.
    pub(crate) fn quick() -> Self {
        Self { bytes: 0, hash: State::Xxh3(Box::default()) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        match &mut self.hash {
            State::Sha256(hash) => hash.update(bytes),
            State::Xxh3(hash) => hash.write(bytes),
        }
    }

    fn mark(&self) -> String {
        let (Hash::Sha256(mut digits) | Hash::Xxh3(mut digits)) = self.sum().hash;
        digits.truncate(DIGITS);
        digits
    }

    pub(crate) fn sum(&self) -> Sum {
        let hash = match &self.hash {
            State::Sha256(hash) => Hash::Sha256(format!("{:x}", hash.as_ref().clone().finalize())),
            State::Xxh3(hash) => Hash::Xxh3(format!("{:032x}", hash.finish_128())),
        };
        Sum { bytes: self.bytes, hash }
    }
}

impl Sum {
    /// Starts the same sum of bytes that are to be compared.
    pub(crate) fn digest(&self) -> Digest {
        match self.hash {
            Hash::Sha256(_) => Digest::lasting(),
            Hash::Xxh3(_) => Digest::quick(),
        }
    }
}

/// The sum of a file, and what its bytes hash to up to the end of each part.
pub(crate) struct Marked {
    digest: Digest,
    ends: Ends,
    marks: Vec<String>,
    /// How many bytes these are of, where the next part begins.
    start: u64,
    /// Where it ends.
    end: Option<u64>,
}

/// Where the parts of a file end.
enum Ends {
    /// Nobody asks.
    Untold,
    Scheduled(PartSchedule),
    /// As those of a file that is to be the same: their sizes, and what it hashed to.
    Known(VecDeque<(u64, String)>),
}

/// How many digits of a hash tell one part from another.
const DIGITS: usize = 16;

/// Bytes that are others than they were, from the first to the last of a part, counted from 1.
#[derive(Debug)]
pub(crate) struct Differs(pub(crate) u64, pub(crate) u64);

impl Marked {
    /// For a file of parts by this schedule, if it has such and their hashes are to be known.
    pub(crate) fn new(digest: Digest, schedule: Option<PartSchedule>) -> Self {
        Self::with_ends(digest, schedule.map_or(Ends::Untold, Ends::Scheduled))
    }

    /// For bytes that are to be those of a finished file.
    pub(crate) fn like(finished: &Finished) -> Self {
        let known = finished.sizes.iter().copied().zip(finished.hashes.iter().cloned());
        Self::with_ends(finished.stored.digest(), Ends::Known(known.collect()))
    }

    fn with_ends(digest: Digest, ends: Ends) -> Self {
        let mut new = Self { digest, ends, marks: Vec::new(), start: 0, end: None };
        new.end = new.next_end();
        new
    }

    fn next_end(&self) -> Option<u64> {
        let size = match &self.ends {
            Ends::Untold => None,
            Ends::Scheduled(schedule) => schedule.size(u32::try_from(self.marks.len()).ok()? + 1),
            Ends::Known(known) => known.front().map(|(size, _)| *size),
        };
        size.map(|size| self.start.saturating_add(size))
    }

    /// Adds bytes; fails where they are not those that are known.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> Result<(), Differs> {
        while let Some(end) = self.end
            && let Ok(left) = usize::try_from(end - self.digest.bytes)
            && let Some((head, rest)) = bytes.split_at_checked(left)
        {
            self.digest.update(head);
            self.mark()?;
            bytes = rest;
        }
        self.digest.update(bytes);
        Ok(())
    }

    fn mark(&mut self) -> Result<(), Differs> {
        let (first, mark) = (self.start + 1, self.digest.mark());
        self.start = self.digest.bytes;
        if let Ends::Known(known) = &mut self.ends
            && known.pop_front().is_some_and(|(_, known)| known != mark)
        {
            return Err(Differs(first, self.start));
        }
        self.marks.push(mark);
        self.end = self.next_end();
        Ok(())
    }

    pub(crate) fn sum(&self) -> Sum {
        self.digest.sum()
    }

    /// One for each part, of the bytes up to its end.
    pub(crate) fn marks(&self) -> Vec<String> {
        let mut marks = self.marks.clone();
        if self.digest.bytes > self.start {
            marks.push(self.digest.mark());
        }
        marks
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}
