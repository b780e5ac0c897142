//! What bytes a file has: how many, and their hash.

use sha2::{Digest as _, Sha256};

/// Counts and hashes the bytes of a file as it is stored, in order. It tells our file from another under the same key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    bytes: u64,
    sha256: Sha256,
}

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.sha256.clone().finalize().into()
    }
}
