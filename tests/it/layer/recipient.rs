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

const RECEIVER: &str = "568C29D8EE45D8D2D2E6E961B33DA783D05F058F";
const SECOND: &str = "B21AA12D12C6E44A7EC4D6096B903CC7C8447159";

#[expect(clippy::unwrap_in_result, reason = "the time is part of the test")]
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
    check("receiver", RECEIVER, "BDC858C0ECCA3C888F39FB0B02F935BD38FB5B40");
    check("second", SECOND, "DF12B809AB30BF9BBE39C9F49EED5D6841A0E145");
    check("nistp", "BBC17054166416BF258C304E77CAC8307D5C74BD", "9834E35936ABDD34E1EA86BE4573DA6DEAEAD754");
    // A primary key for everything.
    check("single", "04210E4B2F7EF801BEA0E7DF2D306AE4FF77743F", "04210E4B2F7EF801BEA0E7DF2D306AE4FF77743F");
    // The newer subkey is revoked, so the older one is taken.
    check("fallback", "4A0BFEC95C41D92A716EC80A77C11EC669F98B67", "1B2202E073987D48CC523774B7A5383255328EEA");
    // The newest subkey is for signing, which must not be encrypted to.
    check("signing-subkey", "F67654F4D9052DD2D259C9148E5DF45AA2D317F1", "905FA461B858DCA9DC34F5AA8582F7F454A29D25");
    // The newest self-signatures have taken the expiry back.
    check("extended", "574503203B93688B221F1EF0D23E78C87E14ECDA", "DD8114D754749CB95CA1AFE2AB2B99B3A00A213C");
    // Version 6, without a user id.
    check(
        "v6",
        "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9",
        "12C83F1E706F6308FE151A417743A1F033790E93E9978488D1DB378DA9930885",
    );
    // A certification by somebody else changes nothing.
    check("certified", RECEIVER, "BDC858C0ECCA3C888F39FB0B02F935BD38FB5B40");
}

#[test]
fn the_user_id_is_shown() {
    let user_id = |name, now| at(now, &key(name)).unwrap()[0].user_id().map(str::to_owned);
    assert_eq!(user_id("receiver.pub.asc", NOW).as_deref(), Some("receiver <receiver@consign.example>"));
    assert_eq!(user_id("v6.pub.asc", NOW), None);
    // The newest speaks for the key, unless it is revoked; before it was made, the older one did.
    assert_eq!(user_id("users.pub.asc", NOW).as_deref(), Some("users <users@consign.example>"));
    assert_eq!(user_id("users.pub.asc", "2024-05-01T00:00:00Z").as_deref(), Some("users <users@consign.example>"));

    let recipients = at(NOW, &key("receiver.pub.asc")).unwrap();
    assert_eq!(format!("{:?}", recipients[0]), format!("Recipient {{ fingerprint: \"{RECEIVER}\", .. }}"));
}

#[test]
fn keys_come_in_every_wrapping() {
    let armored = key("receiver.pub.asc");
    let text = String::from_utf8(armored.clone()).unwrap();
    let packets = binary(&armored);
    taken(&packets, &[RECEIVER]);
    // The last byte of a packet may look like a line end, here of one that nobody knows; behind it one is passed over.
    for end in [&b"\n"[..], b"\xe8\x01\n", b"\xe8\x01\n\r\n"] {
        taken(&[&packets, end].concat(), &[RECEIVER]);
        taken(STANDARD.encode([&packets, end].concat()).as_bytes(), &[RECEIVER]);
    }
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
    taken(format!("Übergabe an uns:\n\n{text}\nRegards\n").as_bytes(), &[RECEIVER]);
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
    assert_eq!(e.span(), Span::new(receiver.len(), receiver.len() + expired.len()));
}

#[test]
fn keys_that_cannot_be_used_are_refused_with_the_reason() {
    #[track_caller]
    fn check(name: &str, kind: Kind, text: &str) {
        let input = key(&format!("{name}.pub.asc"));
        let e = refused(&input, kind, text);
        assert_eq!(e.span(), Span::new(0, input.len()));
        refused(STANDARD.encode(&input).as_bytes(), kind, text);
    }
    check(
        "expired",
        Kind::Expired,
        "cannot encrypt to the key CB7626FCF07B420390DD7B2A32014D8EB421C8B7: it expired on 2024-02-01T12:00:00Z",
    );
    check(
        "expired-subkey",
        Kind::Expired,
        "cannot encrypt to the key 265AFC40A33457CBEA5CD2059973A5F38E848D21: its subkey \
         8BD868102FE0128F02D0736F6AFDE1F7DDCDDC60 expired on 2024-02-01T12:00:00Z",
    );
    check(
        "revoked",
        Kind::Revoked,
        "cannot encrypt to the key DBF47C57FBB596DD9DB14D7BE0F6CD4545E8B0AA: it has been revoked",
    );
    check(
        "revoked-subkey",
        Kind::Revoked,
        "cannot encrypt to the key 59212D795AFC748EE41932F1B96A93550109D033: its subkey \
         FE53B2E21947386377E4FB639CF3DD2D697F5C9A has been revoked",
    );
    check(
        "sign-only",
        Kind::SigningOnly,
        "cannot encrypt to the key 51F2AD520E9F73807EDEA3A3CE28CD145A63F8A8: it has no subkey for encryption",
    );
    check(
        "rsa1024",
        Kind::Weak,
        "cannot encrypt to the key 5A308AE01BC6263B3A4EBDAEE767604A8E6C04E8: its primary key is RSA of 1024 bits, at \
         least 2048 are needed",
    );
    check(
        "rsa1024-subkey",
        Kind::Weak,
        "cannot encrypt to the key C383E1C2052BF28DF95279911FA3F4C26F0B216F: its subkey \
         3A320FF446469A4754C737E493ACA978ED81BF8F is RSA of 1024 bits, at least 2048 are needed",
    );
    check(
        "sha1",
        Kind::Weak,
        "cannot encrypt to the key F7BAA8BD5ABBD743E66C8F31DE5D29B8CAABEFE3: its user id is bound by a signature over \
         SHA-1 or a weaker hash only",
    );
    check(
        "sha1-subkey",
        Kind::Weak,
        "cannot encrypt to the key 8C17CC9F240D32ED808F0FFCDE73DD2A11071E2C: its subkey \
         24807BE857D37DFD69DBFB21AB366D141C3A188E is bound by a signature over SHA-1 or a weaker hash only",
    );
    check(
        "elgamal",
        Kind::Unsupported,
        "cannot encrypt to the key BBB2671B2FC3507CC37795657C7631C4E9F0533B: its subkey \
         4CE181D95C1E51A9382BB46CA2DFF1BB61DC4051 uses ElGamal, which is not supported",
    );
    check(
        "brainpool",
        Kind::Unsupported,
        "cannot encrypt to the key 3AA00FAAE124C14E52BFDC6A08853DB9EEACCE31: its subkey \
         FAAB82A15063FF2C6D599CB413CE77B830EE31D1 uses the curve brainpoolP256r1, which is not supported",
    );
}

#[test]
fn the_time_decides() {
    let input = key("expired.pub.asc");
    let text = |now| at(now, &input).unwrap_err().to_string();
    let of = "cannot encrypt to the key CB7626FCF07B420390DD7B2A32014D8EB421C8B7";
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
    refused(
        &[&packets[..], b"key"].concat(),
        Kind::Damaged,
        "the key is damaged: expected a packet, found other bytes",
    );
    refused(&packets[..1], Kind::Damaged, "the key is cut off: it ends inside of a packet");

    // The subkey without its binding, and the user id without its certification.
    let second = binary(&key("second.pub.asc"));
    let ends = packet_ends(&second);
    let of = format!("cannot encrypt to the key {SECOND}");
    refused(
        &second[..ends[3]],
        Kind::Unbound,
        &format!("{of}: its subkey DF12B809AB30BF9BBE39C9F49EED5D6841A0E145 is bound by no valid signature"),
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
            "cannot encrypt to the key {SECOND}: its subkey BDC858C0ECCA3C888F39FB0B02F935BD38FB5B40 is bound by no \
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
                prop_assert_eq!(recipient.encryption_fingerprint(), "DF12B809AB30BF9BBE39C9F49EED5D6841A0E145");
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
