//! What bytes a file has: how many, and their hash.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Counts and hashes the bytes of a file, in order. Of those that are stored, it tells our file from another under the
/// same key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    bytes: u64,
    sha256: Sha256,
}

/// How many bytes a file has, and their SHA-256.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sum {
    pub(crate) bytes: u64,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
}

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
    }

    pub(crate) fn sum(&self) -> Sum {
        Sum { bytes: self.bytes, sha256: format!("{:x}", self.sha256.clone().finalize()) }
    }
}
