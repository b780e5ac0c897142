//! A receiver's public key.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use pgp::composed::RawSessionKey;
use pgp::packet::{PacketTrait, PublicKey, PublicKeyEncryptedSessionKey, PublicSubkey};
use pgp::types::KeyDetails;
use rand::{CryptoRng, Rng, SeedableRng};

use super::{Cipher, RecipientError, RecipientErrorKind, certificate, policy};

/// Somebody that files are encrypted to: one OpenPGP public key that may be used.
///
/// A recipient comes from [`parse`](Self::parse) alone, so that a key that has expired, was revoked, is too weak, or
/// cannot be encrypted to for another reason is found before the first byte is written. Cheap to clone.
#[derive(Clone, Eq, PartialEq)]
pub struct Recipient(Arc<Inner>);

#[derive(Eq, PartialEq)]
struct Inner {
    fingerprint: String,
    user_id: Option<String>,
    ciphers: Vec<Cipher>,
    key: Key,
}

/// The part of a certificate that a session key is encrypted to.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum Key {
    Primary(PublicKey),
    Subkey(PublicSubkey),
}

impl Recipient {
    /// Reads every public key of a key file, for use at this time.
    ///
    /// The input may be one armored block (`-----BEGIN PGP PUBLIC KEY BLOCK-----`, RFC 9580 section 6) or several, with
    /// text around them, or binary, or Base64 of either with or without line breaks, as the platform's API takes it. A
    /// UTF-8 byte order mark is passed over. Every key in the input counts as a recipient: if one of them cannot be
    /// used, it is an error rather than a recipient less.
    ///
    /// The rules for a key, in which gpg and Sequoia agree for the most part:
    ///
    /// - self-signatures count if they verify, have not expired, are not later than `now`, and use SHA-2 or SHA-3; the
    ///   newest decides, and certifications by others neither help nor harm;
    /// - the key is neither revoked nor expired, and RSA and DSA have at least 2048 bits;
    /// - the newest subkey that is flagged for encryption and fulfils the same is encrypted to, or else the primary key
    ///   if it is flagged so; supported are RSA, X25519, X448, and ECDH on Curve25519 and the NIST curves.
    ///
    /// # Errors
    ///
    /// If the input holds anything but usable public keys: nothing, a secret key, a PEM or OpenSSH key, a key that is
    /// cut off, or one that the rules refuse.
    ///
    /// ```
    /// use chrono::Utc;
    /// use consign::layer::encrypt::Recipient;
    ///
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/");
    /// let recipients = Recipient::parse(&std::fs::read(format!("{root}receiver.pub.asc"))?, Utc::now())?;
    /// assert_eq!(recipients.len(), 1);
    /// assert_eq!(recipients[0].user_id(), Some("receiver <receiver@consign.example>"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(input: &[u8], now: DateTime<Utc>) -> Result<Vec<Self>, RecipientError> {
        certificate::read(input)?
            .into_iter()
            .map(|certificate| {
                let policy::Chosen { key, user_id, ciphers } = policy::choose(&certificate, now)?;
                let fingerprint = format!("{:X}", certificate.primary.fingerprint());
                let recipient = Self(Arc::new(Inner { fingerprint, user_id, ciphers, key }));
                recipient.try_out(certificate.span)?;
                Ok(recipient)
            })
            .collect()
    }

    /// The fingerprint of the whole key, in upper case hexadecimal digits: 40 of them, or 64 for a version 6 key.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The fingerprint of the part of the key that is encrypted to, most often a subkey's.
    #[must_use]
    pub fn encryption_fingerprint(&self) -> String {
        match &self.0.key {
            Key::Primary(key) => format!("{:X}", key.fingerprint()),
            Key::Subkey(key) => format!("{:X}", key.fingerprint()),
        }
    }

    /// What the key says about its holder, usually a name and a mail address; none if it says nothing or no UTF-8.
    ///
    /// Whoever made the key chose the text, so escape it before it is shown on a terminal.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// Whether the key lists this cipher in its preferences.
    pub(super) fn takes(&self, cipher: Cipher) -> bool {
        self.0.ciphers.contains(&cipher)
    }

    /// Appends the packet that gives the session key to this recipient (RFC 9580, section 5.1).
    pub(super) fn seal_session_key(
        &self,
        session_key: &RawSessionKey,
        cipher: Cipher,
        rng: impl CryptoRng + Rng,
        out: &mut Vec<u8>,
    ) -> pgp::errors::Result<()> {
        let algorithm = cipher.algorithm();
        let packet = match &self.0.key {
            Key::Primary(key) => PublicKeyEncryptedSessionKey::from_session_key_v3(rng, session_key, algorithm, key),
            Key::Subkey(key) => PublicKeyEncryptedSessionKey::from_session_key_v3(rng, session_key, algorithm, key),
        };
        packet?.to_writer_with_header(out)
    }

    /// Encrypts a made-up session key once, so that parameters that only look right are found here.
    fn try_out(&self, span: crate::Span) -> Result<(), RecipientError> {
        let rng = rand::rngs::StdRng::seed_from_u64(0);
        let nothing = RawSessionKey::from(vec![0; Cipher::Aes256.key_len()]);
        self.seal_session_key(&nothing, Cipher::Aes256, rng, &mut Vec::new()).map_err(|_| {
            let text = format!("cannot encrypt to the key {}: its numbers are not valid", self.fingerprint());
            RecipientError::new(RecipientErrorKind::Unsupported, text, span)
        })
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").field("fingerprint", &self.0.fingerprint).finish_non_exhaustive()
    }
}
