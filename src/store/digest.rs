//! What bytes a file has: how many, and their hash.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use twox_hash::XxHash3_128;

/// Counts and hashes the bytes of a file, in order. Of those that are stored, it tells our file from another under the
/// same key.
#[derive(Clone)]
pub(crate) struct Digest {
    bytes: u64,
    hash: State,
}

#[derive(Clone)]
enum State {
    Sha256(Sha256),
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
        Self { bytes: 0, hash: State::Sha256(Sha256::new()) }
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

    pub(crate) fn sum(&self) -> Sum {
        let hash = match &self.hash {
            State::Sha256(hash) => Hash::Sha256(format!("{:x}", hash.clone().finalize())),
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

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}
