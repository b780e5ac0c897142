//! Byte-to-byte stages of one file: compression and encryption, and the counters between them.
//!
//! A layer is a plan that is shared by all files ([`Layer`]); for each file it starts a state ([`Transform`]) that is
//! given bytes, appends bytes to a buffer of the caller's, and is finished once. Neither does I/O, starts a thread or
//! knows a runtime.
//!
//! Layers are stacked in one order: the plain bytes are compressed, then encrypted, so that ciphertext is never
//! compressed (it would not shrink) and the extension reads in the order in which a receiver undoes it: `.csv.gz.gpg`.

pub mod compress;
#[cfg(feature = "openpgp")]
pub mod encrypt;

/// The plan of a layer: what it does to every file.
pub trait Layer: Send + Sync {
    /// What the layer appends to a file's extension, with its dot: `.gz`, `.gpg`.
    fn extension(&self) -> &str;

    /// Starts the state for one file.
    ///
    /// # Errors
    ///
    /// When the state cannot be set up, such as a session key that cannot be encrypted to a recipient.
    fn start(&self) -> Result<Box<dyn Transform>, LayerError>;
}

/// The state of a layer for one file.
///
/// The laws, which every implementation is tested for: the bytes that come out are the same however the input was cut
/// into pushes (randomness aside); nothing but [`finish`](Self::finish) makes the output complete, so a state that is
/// dropped leaves bytes that no receiver takes for a whole file; after an error the state is poisoned and every
/// further call fails.
pub trait Transform: Send {
    /// Takes more bytes of the file and appends what is ready to `out`, which may be nothing.
    ///
    /// # Errors
    ///
    /// When the layer cannot go on; the output so far is then worthless.
    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), LayerError>;

    /// Ends the file and appends all that is left to `out`.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), LayerError>;
}

/// A layer failed: what it was doing, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct LayerError {
    text: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl LayerError {
    /// An error with a lowercase fragment that says what failed.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<LayerError> for crate::Error {
    fn from(error: LayerError) -> Self {
        Self::new(crate::ErrorKind::Layer, "a layer failed").with_source(error)
    }
}
