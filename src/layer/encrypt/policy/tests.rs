//! Certificates that gpg does not make, signed here by the test key `second`.

use chrono::{DateTime, Utc};
use pgp::composed::{Deserializable, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PacketTrait, PublicKey, Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::types::{Duration, KeyDetails, PacketHeaderVersion, Password, Tag, Timestamp};

use super::super::{Recipient, RecipientErrorKind as Kind};

/// A day in seconds.
const DAY: u32 = 24 * 60 * 60;

/// 2024-01-01, when the test keys were made.
const BORN: u32 = 1_704_067_200;

struct Signer {
    key: SignedSecretKey,
    user: UserId,
}

impl Signer {
    fn new() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/second.sec.asc");
        let (key, _) = SignedSecretKey::from_string(&std::fs::read_to_string(path).unwrap()).unwrap();
        Self { key, user: UserId::from_str(PacketHeaderVersion::New, "second").unwrap() }
    }

    fn primary(&self) -> &PublicKey {
        self.key.primary_key.public_key()
    }

    /// A signature of this kind, made on a day after the key, over the user id, the subkey or the key alone.
    fn sign(&self, typ: SignatureType, day: u32, more: Vec<SubpacketData>) -> Signature {
        let mut config = SignatureConfig::v4(typ, self.primary().algorithm(), HashAlgorithm::Sha256);
        let created = SubpacketData::SignatureCreationTime(Timestamp::from_secs(BORN + day * DAY));
        let issuer = SubpacketData::IssuerFingerprint(self.primary().fingerprint());
        config.hashed_subpackets =
            [created, issuer].into_iter().chain(more).map(|data| Subpacket::regular(data).unwrap()).collect();
        let (secret, password) = (&self.key.primary_key, Password::empty());
        match typ {
            SignatureType::Key | SignatureType::KeyRevocation => config.sign_key(secret, &password, self.primary()),
            SignatureType::SubkeyBinding | SignatureType::SubkeyRevocation => {
                let subkey = self.key.secret_subkeys[0].key.public_key();
                config.sign_subkey_binding(secret, self.primary(), &password, &subkey)
            }
            _ => config.sign_certification(secret, self.primary(), &password, Tag::UserId, &self.user),
        }
        .unwrap()
    }

    fn certified(&self, day: u32, more: Vec<SubpacketData>) -> Signature {
        self.sign(SignatureType::CertPositive, day, more)
    }

    fn bound(&self, day: u32, more: Vec<SubpacketData>) -> Signature {
        self.sign(SignatureType::SubkeyBinding, day, [vec![SubpacketData::KeyFlags(encrypting())], more].concat())
    }

    /// The certificate of these signatures over the key, its user id, and its subkey.
    fn certificate(&self, direct: &[Signature], user: &[Signature], subkey: &[Signature]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |packet: &dyn Fn(&mut Vec<u8>) -> pgp::errors::Result<()>| packet(&mut out).unwrap();
        put(&|out| self.primary().to_writer_with_header(out));
        for s in direct {
            put(&|out| s.to_writer_with_header(out));
        }
        put(&|out| self.user.to_writer_with_header(out));
        for s in user {
            put(&|out| s.to_writer_with_header(out));
        }
        put(&|out| self.key.secret_subkeys[0].key.public_key().to_writer_with_header(out));
        for s in subkey {
            put(&|out| s.to_writer_with_header(out));
        }
        out
    }
}

fn encrypting() -> KeyFlags {
    let mut flags = KeyFlags::default();
    flags.set_encrypt_comms(true);
    flags
}

fn at(day: u32, certificate: &[u8]) -> Result<Vec<Recipient>, super::super::RecipientError> {
    let now = DateTime::<Utc>::from_timestamp(i64::from(BORN + day * DAY), 0).expect("a day of this century");
    Recipient::parse(certificate, now)
}

#[track_caller]
fn taken(day: u32, certificate: &[u8]) {
    assert_eq!(at(day, certificate).unwrap().len(), 1);
}

#[track_caller]
fn refused(day: u32, certificate: &[u8], kind: Kind, text: &str) {
    let e = at(day, certificate).unwrap_err();
    let fingerprint = format!("{:X}", Signer::new().primary().fingerprint());
    assert_eq!(e.to_string(), format!("cannot encrypt to the key {fingerprint}: {text}"));
    assert_eq!(e.kind(), kind);
}

#[test]
fn signatures_expire() {
    let signer = Signer::new();
    let for_two_days = || vec![SubpacketData::SignatureExpirationTime(Duration::from_secs(2 * DAY))];
    let user = signer.certificate(&[], &[signer.certified(0, for_two_days())], &[signer.bound(0, vec![])]);
    taken(1, &user);
    let text = "its user id is bound by a signature that expired on 2024-01-03T00:00:00Z";
    refused(2, &user, Kind::Expired, text);

    let subkey = signer.certificate(&[], &[signer.certified(0, vec![])], &[signer.bound(0, for_two_days())]);
    taken(1, &subkey);
    let text = format!(
        "its subkey {:X} is bound by a signature that expired on 2024-01-03T00:00:00Z",
        signer.key.secret_subkeys[0].key.fingerprint()
    );
    refused(2, &subkey, Kind::Expired, &text);
    // A newer one that does not expire, or an older one, stands for it.
    let renewed = [signer.bound(0, vec![]), signer.bound(1, for_two_days())];
    taken(10, &signer.certificate(&[], &[signer.certified(0, vec![])], &renewed));
}

#[test]
fn the_newest_statement_decides() {
    let signer = Signer::new();
    let lifetime = |days| vec![SubpacketData::KeyExpirationTime(Duration::from_secs(days * DAY))];
    let bound = [signer.bound(0, vec![])];
    // Shortened on the first day, whichever stands first.
    for user in [[0, 1], [1, 0]] {
        let user = user.map(|day| signer.certified(day, lifetime(if day == 0 { 100 } else { 10 })));
        let certificate = signer.certificate(&[], &user, &bound);
        taken(9, &certificate);
        refused(10, &certificate, Kind::Expired, "it expired on 2024-01-11T00:00:00Z");
    }
    // A lifetime of zero is for ever; a direct-key signature speaks before the user id.
    let direct = [signer.sign(SignatureType::Key, 0, lifetime(0))];
    taken(1000, &signer.certificate(&direct, &[signer.certified(0, lifetime(10))], &bound));
    // The newer binding takes the flag away.
    let unflagged = signer.sign(SignatureType::SubkeyBinding, 1, vec![]);
    let certificate = signer.certificate(&[], &[signer.certified(0, vec![])], &[signer.bound(0, vec![]), unflagged]);
    refused(2, &certificate, Kind::SigningOnly, "it has no subkey for encryption");
}

#[test]
fn a_revoked_user_id_speaks_no_more() {
    let signer = Signer::new();
    let revocation = signer.sign(SignatureType::CertRevocation, 1, vec![]);
    let user = [signer.certified(0, vec![]), revocation.clone()];
    let bound = [signer.bound(0, vec![])];
    refused(2, &signer.certificate(&[], &user, &bound), Kind::Revoked, "its user id has been revoked");
    // A direct-key signature is enough.
    taken(2, &signer.certificate(&[signer.sign(SignatureType::Key, 0, vec![])], &user, &bound));
    // Certified again after the revocation.
    taken(4, &signer.certificate(&[], &[signer.certified(3, vec![]), revocation], &bound));
}

#[test]
fn revocations_of_keys_are_for_ever() {
    let signer = Signer::new();
    let (user, bound) = ([signer.certified(5, vec![])], [signer.bound(5, vec![])]);
    let revocation = signer.sign(SignatureType::KeyRevocation, 1, vec![]);
    refused(6, &signer.certificate(&[revocation], &user, &bound), Kind::Revoked, "it has been revoked");

    let revocation = signer.sign(SignatureType::SubkeyRevocation, 1, vec![]);
    let [bound] = bound;
    let text = format!("its subkey {:X} has been revoked", signer.key.secret_subkeys[0].key.fingerprint());
    refused(6, &signer.certificate(&[], &user, &[revocation, bound]), Kind::Revoked, &text);
}

#[test]
fn subkeys_that_nobody_knows_are_passed_over() {
    let signer = Signer::new();
    // Of version 9, without any signature that could be checked.
    let unknown = [0xce, 6, 9, 0, 0, 0, 0, 1];
    let user = [signer.certified(0, vec![])];
    let certificate = signer.certificate(&[], &user, &[signer.bound(0, vec![])]);
    taken(1, &[&certificate[..], &unknown].concat());
    let certificate = signer.certificate(&[], &user, &[signer.sign(SignatureType::SubkeyBinding, 0, vec![])]);
    refused(
        1,
        &[&certificate[..], &unknown].concat(),
        Kind::Unsupported,
        "the version or algorithm of a subkey is not supported",
    );
}
