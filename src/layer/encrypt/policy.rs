//! Which key of a certificate is encrypted to, if any.
//!
//! `pgp` reads keys and checks the mathematics of signatures; whether a key may be used is decided here:
//!
//! 1. A signature counts if it is by the key itself, verifies, is not from the future, has not expired, and does not
//!    rest on SHA-1 or weaker. Of several the newest counts. Signatures by others are passed over.
//! 2. A revoked certificate is refused, whatever hash its revocation uses and whenever it was made.
//! 3. The primary key must be alive and strong enough before its subkeys count.
//! 4. A subkey counts if it is bound, flagged for encryption, alive, not revoked, and of a supported algorithm. The
//!    newest wins, as with gpg; the primary key is taken if no subkey counts and it is flagged for encryption.

use std::cmp::Reverse;
use std::fmt;

use chrono::{DateTime, Utc};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{Signature, SignatureType, UserId};
use pgp::ser::Serialize;
use pgp::types::{EcdhPublicParams, KeyDetails, KeyVersion, PublicParams, Tag};

use super::certificate::{Certificate, PassedOver};
use super::recipient::Key;
use super::{Cipher, RecipientError, RecipientErrorKind as Kind};

#[cfg(test)]
mod tests;

/// What was chosen.
pub(super) struct Chosen {
    pub(super) key: Key,
    pub(super) user_id: Option<String>,
    pub(super) ciphers: Vec<Cipher>,
}

/// Why something is not chosen: the kind, and a text that lacks its subject until [`of`](Self::of) puts it there.
struct Refusal(Kind, String);

impl Refusal {
    fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self(kind, text.into())
    }

    /// The same with what it speaks of before it.
    fn of(self, subject: &str) -> Self {
        Self(self.0, format!("{subject} {}", self.1))
    }
}

/// Chooses the key of the certificate that is encrypted to at this time.
pub(super) fn choose(certificate: &Certificate, now: DateTime<Utc>) -> Result<Chosen, RecipientError> {
    judge(certificate, now.timestamp()).map_err(|Refusal(kind, text)| {
        let fingerprint = format!("{:X}", certificate.primary.fingerprint());
        RecipientError::new(kind, format!("cannot encrypt to the key {fingerprint}: {text}"), certificate.span)
    })
}

fn judge(certificate: &Certificate, now: i64) -> Result<Chosen, Refusal> {
    let primary = &certificate.primary;
    if !matches!(primary.version(), KeyVersion::V4 | KeyVersion::V6) {
        return Err(Refusal::new(Kind::Unsupported, "its version is older than 4"));
    }

    let revocations = certificate.direct.iter().filter(|s| s.typ() == Some(SignatureType::KeyRevocation));
    if revocations.into_iter().any(|s| s.verify_key(primary).is_ok()) {
        return Err(Refusal::new(Kind::Revoked, "it has been revoked"));
    }

    let direct =
        newest(&certificate.direct, now, |s| s.typ() == Some(SignatureType::Key) && s.verify_key(primary).is_ok());
    let user = primary_user(certificate, now);
    // RFC 9580, section 5.2.3.10: what holds for the whole key stands in the direct-key signature, and in version 4
    // keys mostly with the primary user id.
    let statements: Vec<&Signature> =
        [direct.as_ref().ok().copied(), user.as_ref().ok().map(|(_, s)| *s)].into_iter().flatten().collect();
    if statements.is_empty() {
        let why = [direct.err(), user.err()].into_iter().flatten().max().unwrap_or(Absent::None);
        return Err(why.refusal("is bound").of("its user id"));
    }

    strong(primary.public_params()).map_err(|why| why.of("its primary key"))?;
    alive(primary, lifetime(&statements), now).map_err(|why| why.of("it"))?;

    let key = choose_key(certificate, &statements, now)?;
    let preferred = statements.iter().map(|s| s.preferred_symmetric_algs()).find(|list| !list.is_empty());
    let user_id = user.ok().and_then(|(id, _)| id.as_str()).map(str::to_owned);
    Ok(Chosen { key, user_id, ciphers: ciphers(preferred.unwrap_or_default()) })
}

/// The user id that speaks for the key (RFC 9580, section 5.2.3.27): marked as primary, or else certified last.
fn primary_user(certificate: &Certificate, now: i64) -> Result<(&UserId, &Signature), Absent> {
    let primary = &certificate.primary;
    let mut best: Result<(&UserId, &Signature), Absent> = Err(Absent::None);
    for (id, signatures) in &certificate.users {
        let verifies = |s: &Signature| s.verify_certification(primary, Tag::UserId, id).is_ok();
        let found = newest(signatures, now, |s| {
            s.is_certification() && s.typ() != Some(SignatureType::CertRevocation) && verifies(s)
        });
        let certified = match found {
            Ok(certified) => certified,
            Err(why) => {
                best = best.map_err(|other| other.max(why));
                continue;
            }
        };
        let revoked = signatures.iter().any(|s| {
            s.typ() == Some(SignatureType::CertRevocation) && s.created() >= certified.created() && verifies(s)
        });
        let rank = |s: &Signature| (s.is_primary(), s.created());
        match best {
            Err(other) if revoked => best = Err(other.max(Absent::Revoked)),
            Ok((_, other)) if revoked || rank(certified) <= rank(other) => {}
            _ => best = Ok((id, certified)),
        }
    }
    best
}

/// The newest usable subkey, or else the primary key, or else why not.
fn choose_key(certificate: &Certificate, statements: &[&Signature], now: i64) -> Result<Key, Refusal> {
    let primary = &certificate.primary;
    let mut subkeys: Vec<_> = certificate.subkeys.iter().collect();
    subkeys.sort_by_key(|(key, _)| Reverse(key.created_at()));

    let mut refusals = Vec::new();
    for (key, signatures) in subkeys {
        let usable = || {
            let binding = newest(signatures, now, |s| {
                s.typ() == Some(SignatureType::SubkeyBinding) && s.verify_subkey_binding(primary, key).is_ok()
            });
            let binding = binding.map_err(|why| why.refusal("is bound"))?;
            if !for_encryption(binding) {
                return Err(Refusal::new(Kind::SigningOnly, "is not for encryption"));
            }
            let revocations = signatures.iter().filter(|s| s.typ() == Some(SignatureType::SubkeyRevocation));
            if revocations.into_iter().any(|s| s.verify_subkey_binding(primary, key).is_ok()) {
                return Err(Refusal::new(Kind::Revoked, "has been revoked"));
            }
            encrypts(key)?;
            alive(key, lifetime(&[binding]), now)
        };
        match usable() {
            Ok(()) => return Ok(Key::Subkey(key.clone())),
            Err(Refusal(Kind::SigningOnly, _)) => {}
            Err(why) => refusals.push(why.of(&format!("its subkey {:X}", key.fingerprint()))),
        }
    }
    if statements.iter().any(|s| for_encryption(s)) {
        match encrypts(primary) {
            Ok(()) => return Ok(Key::Primary(primary.clone())),
            Err(why) => refusals.push(why.of("its primary key")),
        }
    }
    if certificate.passed_over == PassedOver::Subkey {
        refusals.push(Refusal::new(Kind::Unsupported, "the version or algorithm of a subkey is not supported"));
    }
    let texts: Vec<&str> = refusals.iter().map(|Refusal(_, text)| text.as_str()).collect();
    let text = texts.join(", and ");
    match refusals.first() {
        Some(Refusal(kind, _)) => Err(Refusal(*kind, text)),
        None => Err(Refusal::new(Kind::SigningOnly, "it has no subkey for encryption")),
    }
}

/// Why there is no signature of the kind that was looked for; the greatest says most.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Absent {
    None,
    Expired(i64),
    Early(i64),
    Weak,
    Revoked,
}

impl Absent {
    /// `what` says how a signature would count: "is bound".
    fn refusal(self, what: &str) -> Refusal {
        match self {
            Self::None => Refusal::new(Kind::Unbound, format!("{what} by no valid signature")),
            Self::Expired(at) => {
                Refusal::new(Kind::Expired, format!("{what} by a signature that expired on {}", Instant(at)))
            }
            Self::Early(at) => {
                Refusal::new(Kind::Early, format!("{what} by a signature that is valid from {} on", Instant(at)))
            }
            Self::Revoked => Refusal::new(Kind::Revoked, "has been revoked"),
            Self::Weak => Refusal::new(Kind::Weak, format!("{what} by a signature over SHA-1 or a weaker hash only")),
        }
    }
}

/// The newest signature that fits and counts now.
fn newest(signatures: &[Signature], now: i64, fits: impl Fn(&Signature) -> bool) -> Result<&Signature, Absent> {
    let mut best: Result<&Signature, Absent> = Err(Absent::None);
    for signature in signatures {
        match (standing(signature, now), &best) {
            (Ok(()), Ok(other)) if signature.created() <= other.created() => {}
            // The cheap checks come first: a verification is a computation with big numbers.
            (Ok(()), _) if fits(signature) => best = Ok(signature),
            (Err(why), Err(other)) if why > *other && fits(signature) => best = Err(why),
            _ => {}
        }
    }
    best
}

/// Whether the signature counts now, if it verifies.
fn standing(signature: &Signature, now: i64) -> Result<(), Absent> {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha224, Sha256, Sha384, Sha512};

    let from = signature.created().map_or(i64::MAX, |created| i64::from(created.as_secs()));
    let lifetime = signature.signature_expiration_time().map_or(0, |d| i64::from(d.as_secs()));
    if !matches!(signature.hash_alg(), Some(Sha224 | Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512)) {
        return Err(Absent::Weak);
    }
    if from > now {
        return Err(Absent::Early(from));
    }
    if lifetime > 0 && from.saturating_add(lifetime) <= now {
        return Err(Absent::Expired(from.saturating_add(lifetime)));
    }
    Ok(())
}

/// The key's lifetime in seconds by the first statement that has one; 0 is for ever (RFC 9580, section 5.2.3.13).
fn lifetime(statements: &[&Signature]) -> u32 {
    statements.iter().find_map(|s| s.key_expiration_time()).map_or(0, pgp::types::Duration::as_secs)
}

fn for_encryption(signature: &Signature) -> bool {
    let flags = signature.key_flags();
    flags.encrypt_comms() || flags.encrypt_storage()
}

/// Whether the key exists yet and still; `lifetime` counts from its creation in seconds, 0 is for ever.
fn alive(key: &impl KeyDetails, lifetime: u32, now: i64) -> Result<(), Refusal> {
    let from = i64::from(key.created_at().as_secs());
    let until = from + i64::from(lifetime);
    if from > now {
        return Err(Refusal::new(Kind::Early, format!("is valid from {} on", Instant(from))));
    }
    if lifetime > 0 && until <= now {
        return Err(Refusal::new(Kind::Expired, format!("expired on {}", Instant(until))));
    }
    Ok(())
}

/// Whether the session key can be encrypted to this key.
fn encrypts(key: &impl KeyDetails) -> Result<(), Refusal> {
    let unsupported = |what: &str| Err(Refusal::new(Kind::Unsupported, format!("uses {what}, which is not supported")));
    match key.public_params() {
        PublicParams::RSA(_) if key.algorithm() == PublicKeyAlgorithm::RSASign => unsupported("RSA for signing only"),
        params @ PublicParams::RSA(_) => strong(params),
        PublicParams::X25519(_) | PublicParams::X448(_) => Ok(()),
        PublicParams::ECDH(params) => match params {
            EcdhPublicParams::Curve25519Legacy { .. }
            | EcdhPublicParams::P256 { .. }
            | EcdhPublicParams::P384 { .. }
            | EcdhPublicParams::P521 { .. } => Ok(()),
            other => unsupported(&format!("the curve {}", other.curve().name())),
        },
        PublicParams::Elgamal(_) => unsupported("ElGamal"),
        _ => unsupported("an algorithm that does not encrypt, or is unknown"),
    }
}

/// Whether a key over big numbers is long enough: NIST SP 800-131A disallows RSA and DSA below 2048 bits since 2014.
fn strong(params: &PublicParams) -> Result<(), Refusal> {
    let (name, bits) = match params {
        PublicParams::RSA(params) => ("RSA", first_number_bits(params)),
        PublicParams::DSA(params) => ("DSA", first_number_bits(params)),
        _ => return Ok(()),
    };
    if bits < MIN_BITS {
        let text = format!("is {name} of {bits} bits, at least {MIN_BITS} are needed");
        return Err(Refusal::new(Kind::Weak, text));
    }
    Ok(())
}

/// The least number of bits of an RSA or DSA key.
const MIN_BITS: u16 = 2048;

/// The length of the modulus, which comes first; a number begins with its length in bits (RFC 9580, section 3.2).
fn first_number_bits(params: &impl Serialize) -> u16 {
    let mut bytes = Vec::new();
    let written = params.to_writer(&mut bytes);
    match (written, bytes.first_chunk()) {
        (Ok(()), Some(length)) => u16::from_be_bytes(*length),
        _ => 0,
    }
}

/// The ciphers of ours that the preferences list; every implementation has AES-128 (RFC 9580, section 9.3).
fn ciphers(preferred: &[SymmetricKeyAlgorithm]) -> Vec<Cipher> {
    let listed = |cipher: &Cipher| *cipher == Cipher::Aes128 || preferred.contains(&cipher.algorithm());
    Cipher::BEST_FIRST.into_iter().filter(listed).collect()
}

/// Seconds since 1970, printed as RFC 3339 in UTC.
struct Instant(i64);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp(self.0, 0) {
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%SZ")),
            None => write!(f, "second {} since 1970", self.0),
        }
    }
}
