//! Bytes on their way to a store, with the right to hold them.

use object_store::PutPayload;

use crate::memory::Permit;

/// Bytes in pieces, and what they take of a budget until the store has them.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) bytes: PutPayload,
    pub(crate) permit: Permit,
}

impl Payload {
    /// Bytes that are not counted: few, or counted by the caller until they are sent.
    pub(crate) fn uncounted(bytes: impl Into<PutPayload>) -> Self {
        Self { bytes: bytes.into(), permit: Permit::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.content_length()
    }
}
