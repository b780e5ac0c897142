//! Encryption of a file to the OpenPGP keys of its recipients.
//!
//! Each file becomes one binary OpenPGP message (RFC 9580): a session key for each recipient, and the file in a
//! literal packet inside of an encrypted and integrity protected one. The container is version 1, AES in CFB mode with
//! a SHA-1 modification detection code, since that is what every receiver reads: GnuPG up to 2.4 knows no version 2.
//! Files are not compressed again inside of the message, and neither signed nor armored.
//!
//! ```
//! use chrono::Utc;
//! use consign::layer::Layer;
//! use consign::layer::encrypt::{Encryption, Recipient};
//!
//! # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/");
//! let recipients = Recipient::parse(&std::fs::read(format!("{root}receiver.pub.asc"))?, Utc::now())?;
//! let encryption = Encryption::to(recipients)?;
//! assert_eq!(encryption.extension(), ".gpg");
//!
//! let mut message = Vec::new();
//! let mut state = encryption.start()?;
//! state.push(b"id,name\n", &mut message)?;
//! state.finish(&mut message)?;
//! // Now `gpg --decrypt` gives the line back to who has the secret key.
//! assert!(message.len() > 400);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::Arc;

use pgp::crypto::sym::SymmetricKeyAlgorithm;
use rand::rngs::OsRng;

use crate::Span;
use crate::layer::{Layer, LayerError, Transform};

mod certificate;
mod error;
mod openpgp;
mod policy;
mod recipient;
#[cfg(test)]
mod tests;

pub use self::error::{RecipientError, RecipientErrorKind};
pub use self::recipient::Recipient;

/// The layer that encrypts each file to one or more recipients, extension `.gpg`.
///
/// Every file gets a session key of its own from the random generator of the operating system, so the same rows never
/// give the same bytes twice.
#[derive(Clone, Eq, PartialEq)]
pub struct Encryption {
    recipients: Arc<[Recipient]>,
    cipher: Cipher,
}

impl Encryption {
    /// Encrypts to all of these recipients: each of them alone can decrypt.
    ///
    /// The cipher is the strongest that all of them list in their keys' preferences: AES-256 for keys that GnuPG and
    /// others have made for twenty years. A recipient that comes twice is kept once.
    ///
    /// # Errors
    ///
    /// If there is no recipient.
    ///
    /// ```
    /// use consign::layer::encrypt::Encryption;
    ///
    /// assert_eq!(Encryption::to([]).unwrap_err().to_string(), "expected at least one recipient, found none");
    /// ```
    pub fn to(recipients: impl IntoIterator<Item = Recipient>) -> Result<Self, RecipientError> {
        let mut kept: Vec<Recipient> = Vec::new();
        for recipient in recipients {
            if !kept.contains(&recipient) {
                kept.push(recipient);
            }
        }
        if kept.is_empty() {
            let text = "expected at least one recipient, found none";
            return Err(RecipientError::new(RecipientErrorKind::Missing, text, Span::default()));
        }
        let common = |cipher: &Cipher| kept.iter().all(|recipient| recipient.takes(*cipher));
        let cipher = Cipher::BEST_FIRST.into_iter().find(common).unwrap_or(Cipher::Aes128);
        Ok(Self { recipients: kept.into(), cipher })
    }

    /// Sets the cipher, whatever the recipients prefer.
    ///
    /// Every current implementation decrypts all three; AES-128 is about a fifth faster than AES-256.
    #[must_use]
    pub fn with_cipher(mut self, cipher: Cipher) -> Self {
        self.cipher = cipher;
        self
    }

    /// Who can decrypt.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The cipher of the files.
    #[must_use]
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption").field("recipients", &self.recipients).field("cipher", &self.cipher).finish()
    }
}

impl Layer for Encryption {
    fn extension(&self) -> &'static str {
        ".gpg"
    }

    fn start(&self) -> Result<Box<dyn Transform>, LayerError> {
        openpgp::start(&self.recipients, self.cipher, openpgp::PIECE, OsRng)
    }
}

/// The cipher that files are encrypted with (RFC 9580, section 9.3); older ones are not offered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Cipher {
    /// AES with a key of 128 bits, which every implementation of OpenPGP has.
    Aes128,
    /// AES with a key of 192 bits.
    Aes192,
    /// AES with a key of 256 bits.
    Aes256,
}

impl Cipher {
    const BEST_FIRST: [Self; 3] = [Self::Aes256, Self::Aes192, Self::Aes128];

    fn algorithm(self) -> SymmetricKeyAlgorithm {
        match self {
            Self::Aes128 => SymmetricKeyAlgorithm::AES128,
            Self::Aes192 => SymmetricKeyAlgorithm::AES192,
            Self::Aes256 => SymmetricKeyAlgorithm::AES256,
        }
    }

    /// The length of the session key in bytes.
    fn key_len(self) -> usize {
        self.algorithm().key_size()
    }
}
