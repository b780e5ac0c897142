//! The message with a seeded source of randomness, and with small pieces, so that the rest between them wraps round.

use chrono::{DateTime, Utc};
use pgp::composed::{Deserializable, Message, SignedSecretKey};
use pgp::types::Password;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Cipher, Recipient, openpgp};

fn key(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/data/keys/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn recipients(name: &str) -> Vec<Recipient> {
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    Recipient::parse(key(&format!("{name}.pub.asc")).as_bytes(), now).unwrap()
}

fn encrypt(input: &[u8], cipher: Cipher, piece: u8, cuts: &[usize]) -> Vec<u8> {
    encrypt_to("second", input, cipher, piece, cuts)
}

fn encrypt_to(name: &str, input: &[u8], cipher: Cipher, piece: u8, cuts: &[usize]) -> Vec<u8> {
    let mut state = openpgp::start(&recipients(name), cipher, piece, StdRng::seed_from_u64(7)).unwrap();
    let mut out = Vec::new();
    let mut rest = input;
    for &cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (head, tail) = rest.split_at(cut.clamp(1, rest.len()));
        state.push(head, &mut out).unwrap();
        rest = tail;
    }
    state.finish(&mut out).unwrap();
    out
}

#[track_caller]
fn decrypt(message: &[u8]) -> Vec<u8> {
    decrypt_by("second", message)
}

#[track_caller]
fn decrypt_by(name: &str, message: &[u8]) -> Vec<u8> {
    let (key, _) = SignedSecretKey::from_string(&key(&format!("{name}.sec.asc"))).unwrap();
    let message = Message::from_bytes(message).unwrap();
    message.decrypt(&Password::empty(), &key).unwrap().as_data_vec().unwrap()
}

fn rows(len: usize) -> Vec<u8> {
    (0_u64..).flat_map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).take(len).collect()
}

#[test]
fn small_pieces_are_read_back_beyond_the_wrap() {
    // The rest between pieces grows by a byte with each: with 512 bytes it wraps after some 490 pieces.
    for len in [0, 1, 485, 486, 487, 505, 506, 507, 511, 512, 513, 1018, 1019, 250_000, 300_000, 600_000] {
        let input = rows(len);
        assert_eq!(decrypt(&encrypt(&input, Cipher::Aes256, 9, &[1000])), input, "{len} bytes");
    }
}

#[test]
fn every_cipher_is_read_back() {
    for cipher in Cipher::BEST_FIRST {
        let input = rows(70_000);
        assert_eq!(decrypt(&encrypt(&input, cipher, openpgp::PIECE, &[70_000])), input, "{cipher:?}");
    }
}

#[test]
fn version_6_keys_are_read_back() {
    let input = rows(1000);
    assert_eq!(decrypt_by("v6", &encrypt_to("v6", &input, Cipher::Aes256, openpgp::PIECE, &[1000])), input);
}

#[test]
fn pieces_cost_a_byte_each() {
    let [small, large] =
        [0, 16 * 65_536].map(|len| encrypt(&rows(len), Cipher::Aes256, openpgp::PIECE, &[65_536]).len());
    assert_eq!(large - small, 16 * 65_536 + 2 * 16);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_message(
        len in prop_oneof![3 => 0_usize..4000, 1 => 65_000_usize..67_000],
        cuts in prop::collection::vec(prop_oneof![1_usize..700, 30_000_usize..70_000], 1..6),
        piece in prop::sample::select(vec![9_u8, 12, openpgp::PIECE]),
    ) {
        let input = rows(len);
        let whole = encrypt(&input, Cipher::Aes128, piece, &[usize::MAX]);
        prop_assert!(encrypt(&input, Cipher::Aes128, piece, &cuts) == whole, "other bytes for the cuts {:?}", cuts);
    }
}
