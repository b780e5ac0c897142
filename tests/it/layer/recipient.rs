//! Which keys are taken, and what is said about the others.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chrono::{DateTime, Utc};
use consign::layer::encrypt::{Cipher, Encryption, Recipient, RecipientError, RecipientErrorKind as Kind};
use consign::{ErrorKind, Span};
use proptest::prelude::*;

use super::key;

/// All test keys were made on 2024-01-01 and are judged at this time, unless a test says otherwise.
const NOW: &str = "2026-01-01T00:00:00Z";

const RECEIVER: &str = "03DFC9DFF531BCD78A57098BE3E72525269E5DD5";
const SECOND: &str = "63C88BC14DF72F33D1B2ED176C8DFB0DC61E3AAD";

fn at(now: &str, input: &[u8]) -> Result<Vec<Recipient>, RecipientError> {
    let now: DateTime<Utc> = now.parse().unwrap();
    Recipient::parse(input, now)
}

#[track_caller]
fn taken(input: &[u8], fingerprints: &[&str]) {
    let recipients = at(NOW, input).unwrap();
    let found: Vec<&str> = recipients.iter().map(Recipient::fingerprint).collect();
    assert_eq!(found, fingerprints);
}

#[track_caller]
fn refused(input: &[u8], kind: Kind, text: &str) -> RecipientError {
    let e = at(NOW, input).unwrap_err();
    assert_eq!(e.to_string(), text);
    assert_eq!(format!("{e:#}"), text);
    assert_eq!(e.kind(), kind);
    e
}

/// The packets of an armored key.
fn binary(armored: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(armored).unwrap();
    let body = text.split("\n\n").nth(1).unwrap();
    let lines: String = body.lines().take_while(|line| !line.starts_with('=')).collect();
    STANDARD.decode(lines).unwrap()
}

#[test]
fn healthy_keys_are_taken_with_their_newest_encryption_key() {
    #[track_caller]
    fn check(name: &str, fingerprint: &str, encryption: &str) {
        let recipients = at(NOW, &key(&format!("{name}.pub.asc"))).unwrap();
        let [recipient] = &recipients[..] else { panic!("{recipients:?}") };
        assert_eq!(recipient.fingerprint(), fingerprint);
        assert_eq!(recipient.encryption_fingerprint(), encryption);
    }
    check("receiver", RECEIVER, "BEC83A9C83D5BF922BD8C075594123DDFC6EE124");
    check("second", SECOND, "6079D9ABAC666227F63BD78F9EE278C6707EF95A");
    check("nistp", "0448889BA6FC3B4C4974950DC7F51DF36268E3A3", "B7588F8266E48C1B3041010AADCE3E139B88EF9D");
    // A primary key for everything.
    check("single", "378AB77A1248A696EC5303BF52C59C22C264A13E", "378AB77A1248A696EC5303BF52C59C22C264A13E");
    // The newer subkey is revoked, so the older one is taken.
    check("fallback", "B8347638FB174E8D26C55DB7BF9AD6A1741E4085", "85AB227276C64E94EABC5E65DA9E84A9B9DDF77C");
    // A certification by somebody else changes nothing.
    check("certified", RECEIVER, "BEC83A9C83D5BF922BD8C075594123DDFC6EE124");
}

#[test]
fn the_user_id_is_shown() {
    let recipients = at(NOW, &key("receiver.pub.asc")).unwrap();
    assert_eq!(recipients[0].user_id(), Some("receiver <receiver@consign.example>"));
    assert_eq!(format!("{:?}", recipients[0]), format!("Recipient {{ fingerprint: \"{RECEIVER}\", .. }}"));
}

#[test]
fn keys_come_in_every_wrapping() {
    let armored = key("receiver.pub.asc");
    let text = String::from_utf8(armored.clone()).unwrap();
    let packets = binary(&armored);
    taken(&packets, &[RECEIVER]);
    taken(STANDARD.encode(&armored).as_bytes(), &[RECEIVER]);
    taken(STANDARD.encode(&packets).as_bytes(), &[RECEIVER]);
    taken(STANDARD_NO_PAD.encode(&packets).as_bytes(), &[RECEIVER]);
    let wrapped: Vec<String> =
        STANDARD.encode(&packets).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
    taken(wrapped.join("\r\n").as_bytes(), &[RECEIVER]);
    taken(format!("\u{feff}{text}").as_bytes(), &[RECEIVER]);
    taken(STANDARD.encode(format!("\u{feff}{text}")).as_bytes(), &[RECEIVER]);
    taken(text.replace('\n', "\r\n").as_bytes(), &[RECEIVER]);
    taken(text.trim_end().as_bytes(), &[RECEIVER]);
    taken(format!("This is our key:\n\n{text}\nRegards\n").as_bytes(), &[RECEIVER]);
    taken(text.replacen("\n\n", "\nVersion: 1\nComment: a: b\n\n", 1).as_bytes(), &[RECEIVER]);
    // RFC 9580, section 6.1: a missing or wrong checksum decides nothing.
    let lines = || text.lines().filter(|line| !(line.starts_with('=') && line.len() == 5));
    taken(lines().collect::<Vec<_>>().join("\n").as_bytes(), &[RECEIVER]);
}

#[test]
fn every_key_in_the_input_counts() {
    let [receiver, second] = ["receiver.pub.asc", "second.pub.asc"].map(key);
    taken(&[&receiver[..], &second].concat(), &[RECEIVER, SECOND]);
    taken(&[&second[..], b"\nand\n", &receiver].concat(), &[SECOND, RECEIVER]);
    taken(&[binary(&receiver), binary(&second)].concat(), &[RECEIVER, SECOND]);
    taken(STANDARD.encode([&receiver[..], &second].concat()).as_bytes(), &[RECEIVER, SECOND]);

    // One that cannot be used is an error, and the span says which.
    let expired = key("expired.pub.asc");
    let e = at(NOW, &[&receiver[..], &expired].concat()).unwrap_err();
    assert_eq!(e.kind(), Kind::Expired);
    assert_eq!(e.span(), Span::new(receiver.len(), receiver.len() + expired.trim_ascii_end().len()));
}

#[test]
fn keys_that_cannot_be_used_are_refused_with_the_reason() {
    #[track_caller]
    fn check(name: &str, kind: Kind, text: &str) {
        let input = key(&format!("{name}.pub.asc"));
        let e = refused(&input, kind, text);
        assert_eq!(e.span(), Span::new(0, input.trim_ascii_end().len()));
        refused(STANDARD.encode(&input).as_bytes(), kind, text);
    }
    check(
        "expired",
        Kind::Expired,
        "cannot encrypt to the key 9B40AA5C9F9DB53D57007BB4936CC700FC16AF16: it expired on 2024-02-01T12:00:00Z",
    );
    check(
        "expired-subkey",
        Kind::Expired,
        "cannot encrypt to the key B5BCF6E218839A7A0D72D22AE37BA984B2B23B82: its subkey \
         1404971CCCA00584E20B9F31966622A0EE3F2461 expired on 2024-02-01T12:00:00Z",
    );
    check(
        "revoked",
        Kind::Revoked,
        "cannot encrypt to the key 51CC228D7ACA815382150D571AFDF6F05202D34D: it has been revoked",
    );
    check(
        "revoked-subkey",
        Kind::Revoked,
        "cannot encrypt to the key 96DDAB7EC200B2C89D34EEB30510A1FAB18A9AC4: its subkey \
         94B98D2D3B4B0DCCAA3909328B60F4E89826324F has been revoked",
    );
    check(
        "sign-only",
        Kind::SigningOnly,
        "cannot encrypt to the key 7A1197DA8C5142C2AEF4E87B5D1C743294D8D8C0: it has no subkey for encryption",
    );
    check(
        "rsa1024",
        Kind::Weak,
        "cannot encrypt to the key DA459ACA0EEDE9CE56BA2A1AE00F726F057904EE: its primary key is RSA of 1024 bits, at \
         least 2048 are needed",
    );
    check(
        "rsa1024-subkey",
        Kind::Weak,
        "cannot encrypt to the key 893D362A1B3EA281DAA1169DDD6E659F96D3C87D: its subkey \
         53E4ABF47522EAA5198377FA455A70DF6E5A23C7 is RSA of 1024 bits, at least 2048 are needed",
    );
    check(
        "sha1",
        Kind::Weak,
        "cannot encrypt to the key 46F24D22C3D1C4001AD35F72E40321201DA6FE24: its user id is bound by a signature over \
         SHA-1 or a weaker hash only",
    );
    check(
        "sha1-subkey",
        Kind::Weak,
        "cannot encrypt to the key E1E2AD92692A81A61A93A44BFE1D830E36243195: its subkey \
         0E644EBD3AEAB48992FA6D95F2506DCCB846DB88 is bound by a signature over SHA-1 or a weaker hash only",
    );
    check(
        "elgamal",
        Kind::Unsupported,
        "cannot encrypt to the key 424307325F8AEF16F8DDEDCF6F3BE1983A716D65: its subkey \
         99311413CFE718FD42DE6A91D5DA8EFA428E07DB uses ElGamal, which is not supported",
    );
    check(
        "brainpool",
        Kind::Unsupported,
        "cannot encrypt to the key C95853A606D23F5D156F1080A3F1355FE3602257: its subkey \
         50EC4A07DC871C99AF32CAC562572D0B6F142EFF uses the curve brainpoolP256r1, which is not supported",
    );
}

#[test]
fn the_time_decides() {
    let input = key("expired.pub.asc");
    let text = |now| at(now, &input).unwrap_err().to_string();
    let of = "cannot encrypt to the key 9B40AA5C9F9DB53D57007BB4936CC700FC16AF16";
    assert_eq!(
        text("2023-12-31T23:59:59Z"),
        format!("{of}: its user id is bound by a signature that is valid from 2024-01-01T00:00:00Z on")
    );
    assert_eq!(at("2023-12-31T23:59:59Z", &input).unwrap_err().kind(), Kind::Early);
    assert!(at("2024-01-01T00:00:00Z", &input).is_ok());
    assert!(at("2024-02-01T11:59:59Z", &input).is_ok());
    assert_eq!(text("2024-02-01T12:00:00Z"), format!("{of}: it expired on 2024-02-01T12:00:00Z"));
    // Times that OpenPGP cannot say are times like others.
    assert!(at("1900-01-01T00:00:00Z", &input).is_err());
    assert!(at("9999-01-01T00:00:00Z", &key("receiver.pub.asc")).is_ok());
}

#[test]
fn what_is_no_public_key_is_named() {
    let receiver = key("receiver.pub.asc");
    refused(b"", Kind::Missing, "expected an OpenPGP public key, found nothing");
    refused(b" \r\n\t", Kind::Missing, "expected an OpenPGP public key, found nothing");
    refused(b"\xef\xbb\xbf\n", Kind::Missing, "expected an OpenPGP public key, found nothing");
    refused(&key("id_ed25519.pub"), Kind::Form, "expected an OpenPGP public key, found an OpenSSH public key");
    refused(
        &key("rsa.pub.pem"),
        Kind::Form,
        "expected an OpenPGP public key, found the PEM block `PUBLIC KEY`: export the key with `gpg --armor --export`",
    );
    // The body of that PEM block alone, as one might paste it into JSON.
    let pem = String::from_utf8(key("rsa.pub.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    refused(
        body.as_bytes(),
        Kind::Form,
        "expected an OpenPGP public key, found Base64 of a DER structure, as in X.509 and PEM",
    );
    refused(b"receiver", Kind::Form, "expected an OpenPGP public key, found Base64 of something else");
    refused(b"AAAA", Kind::Form, "expected an OpenPGP public key, found Base64 of something else");
    refused(b"no key!", Kind::Form, "expected an OpenPGP public key, found text that is neither armored nor Base64");
    refused(
        b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n",
        Kind::Form,
        "expected an OpenPGP public key, found the block `PGP MESSAGE`",
    );
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(receiver.iter().flat_map(|&b| [b, 0])).collect();
    refused(&utf16, Kind::Form, "expected an OpenPGP public key, found UTF-16 text: save it as UTF-8");
    // An empty user id, a marker and a session key packet.
    refused(&[0xcd, 0], Kind::Form, "expected an OpenPGP public key, found other bytes");
    refused(b"\xca\x03PGP", Kind::Missing, "expected an OpenPGP public key, found nothing");
    refused(&[0xc1, 1, 3], Kind::Form, "expected an OpenPGP public key, found an OpenPGP message");
    refused(&[0xc2, 1, 4], Kind::Form, "expected an OpenPGP public key, found an OpenPGP signature");
    refused(
        &[0xc6, 6, 9, 0, 0, 0, 0, 1],
        Kind::Unsupported,
        "the version or algorithm of the primary key is not supported",
    );
}

#[test]
fn secret_keys_are_refused_before_they_are_read() {
    #[track_caller]
    fn check(input: &[u8], text: &str) {
        let e = refused(input, Kind::Secret, text);
        // Nothing of the input is in any rendering.
        let e = consign::Error::from(e);
        assert_eq!(format!("{e:#}"), format!("could not use the recipient's key: {text}"));
    }
    let secret = key("receiver.sec.asc");
    let armored = "expected an OpenPGP public key, found the secret key `PGP PRIVATE KEY BLOCK`";
    let packet = "expected an OpenPGP public key, found a secret key";
    check(&secret, armored);
    check(STANDARD.encode(&secret).as_bytes(), armored);
    check(&binary(&secret), packet);
    check(STANDARD.encode(binary(&secret)).as_bytes(), packet);
    check(&[key("receiver.pub.asc"), secret.clone()].concat(), armored);
    check(&[binary(&key("second.pub.asc")), binary(&secret)].concat(), packet);
    // Under a false label.
    let text = String::from_utf8(secret).unwrap();
    check(text.replace("PRIVATE", "PUBLIC").as_bytes(), packet);
    check(&key("rsa.sec.pem"), "expected an OpenPGP public key, found the secret key `PRIVATE KEY`");
    check(
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "expected an OpenPGP public key, found the secret key `OPENSSH PRIVATE KEY`",
    );
}

#[test]
fn keys_that_are_cut_off_or_garbled_are_refused() {
    let armored = key("receiver.pub.asc");
    let text = String::from_utf8(armored.clone()).unwrap();
    let no_end = "the armored key is cut off: expected `-----END PGP PUBLIC KEY BLOCK-----` at its end";
    refused(&armored[..armored.len() / 2], Kind::Damaged, no_end);
    refused(
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n",
        Kind::Damaged,
        "the armored key is cut off: it ends before its data",
    );
    let garbled = text.replacen("\n\n", "\n\n!", 1);
    refused(garbled.as_bytes(), Kind::Damaged, "the armored key is damaged: its data is no valid Base64");
    let packets = binary(&armored);
    refused(&packets[..packets.len() - 1], Kind::Damaged, "the key is cut off: it ends inside of a packet");
    refused(&packets[..1], Kind::Damaged, "the key is cut off: it ends inside of a packet");

    // The subkey without its binding, and the user id without its certification.
    let second = binary(&key("second.pub.asc"));
    let ends = packet_ends(&second);
    let of = format!("cannot encrypt to the key {SECOND}");
    refused(
        &second[..ends[3]],
        Kind::Unbound,
        &format!("{of}: its subkey 6079D9ABAC666227F63BD78F9EE278C6707EF95A is bound by no valid signature"),
    );
    refused(&second[..ends[2]], Kind::SigningOnly, &format!("{of}: it has no subkey for encryption"));
    refused(&second[..ends[1]], Kind::Unbound, &format!("{of}: its user id is bound by no valid signature"));
    refused(&second[..ends[0]], Kind::Unbound, &format!("{of}: its user id is bound by no valid signature"));
}

/// Where each packet ends: gpg writes the old format, with lengths of one or two octets.
fn packet_ends(packets: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < packets.len() {
        at += match packets[at] & 0b11 {
            0 => 2 + usize::from(packets[at + 1]),
            1 => 3 + usize::from(u16::from_be_bytes([packets[at + 1], packets[at + 2]])),
            other => panic!("length type {other}"),
        };
        ends.push(at);
    }
    ends
}

#[test]
fn every_prefix_of_a_key_is_refused() {
    let packets = binary(&key("second.pub.asc"));
    for end in 0..packets.len() {
        assert!(at(NOW, &packets[..end]).is_err(), "the first {end} of {} bytes were taken", packets.len());
    }
}

#[test]
fn signatures_of_another_key_bind_nothing() {
    // The subkey of the receiver, with its binding, under the primary key and user id of another.
    let [receiver, second] = ["receiver.pub.asc", "second.pub.asc"].map(|name| binary(&key(name)));
    let (receiver_ends, second_ends) = (packet_ends(&receiver), packet_ends(&second));
    let forged = [&second[..second_ends[2]], &receiver[receiver_ends[2]..]].concat();
    refused(
        &forged,
        Kind::Unbound,
        &format!(
            "cannot encrypt to the key {SECOND}: its subkey BEC83A9C83D5BF922BD8C075594123DDFC6EE124 is bound by no \
             valid signature"
        ),
    );
}

#[test]
fn an_encryption_has_recipients_each_once_and_a_common_cipher() {
    let e = Encryption::to([]).unwrap_err();
    assert_eq!(e.kind(), Kind::Missing);
    assert_eq!(e.to_string(), "expected at least one recipient, found none");

    let [receiver, second] = ["receiver.pub.asc", "second.pub.asc"].map(|name| at(NOW, &key(name)).unwrap().remove(0));
    let encryption = Encryption::to([receiver.clone(), second.clone(), receiver.clone()]).unwrap();
    assert_eq!(encryption.recipients(), [receiver, second]);
    assert_eq!(encryption.cipher(), Cipher::Aes256);
    assert_eq!(encryption.clone().with_cipher(Cipher::Aes128).cipher(), Cipher::Aes128);
    assert_eq!(
        format!("{encryption:?}"),
        format!(
            "Encryption {{ recipients: [Recipient {{ fingerprint: \"{RECEIVER}\", .. }}, Recipient {{ fingerprint: \
             \"{SECOND}\", .. }}], cipher: Aes256 }}"
        )
    );
}

#[test]
fn refusals_become_errors_of_the_crate() {
    let e = consign::Error::from(at(NOW, b"").unwrap_err());
    assert_eq!(e.kind(), ErrorKind::Recipient);
    assert_eq!(format!("{e:#}"), "could not use the recipient's key: expected an OpenPGP public key, found nothing");
}

#[test]
fn recipients_are_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Cipher>();
    check::<Encryption>();
    check::<Recipient>();
    check::<RecipientError>();
}

proptest! {
    #[test]
    fn a_changed_byte_never_changes_who_can_decrypt(at_byte in 0_usize..10_000, xor in 1_u8..) {
        let mut packets = binary(&key("second.pub.asc"));
        let len = packets.len();
        packets[at_byte % len] ^= xor;
        if let Ok(recipients) = at(NOW, &packets) {
            for recipient in recipients {
                prop_assert_eq!(recipient.fingerprint(), SECOND);
                prop_assert_eq!(recipient.encryption_fingerprint(), "6079D9ABAC666227F63BD78F9EE278C6707EF95A");
            }
        }
    }

    #[test]
    fn garbage_is_refused(input in prop::collection::vec(any::<u8>(), 0..300), tag in prop::sample::select(vec![0x98_u8, 0x99, 0xc6, b'-', b' '])) {
        prop_assert!(at(NOW, &input).is_err());
        let tagged: Vec<u8> = [tag].into_iter().chain(input).collect();
        prop_assert!(at(NOW, &tagged).is_err());
    }
}
