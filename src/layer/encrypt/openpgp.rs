//! The message itself: packet framing, AES in CFB mode, and the modification detection code, pushed through in pieces.
//!
//! `pgp` makes the session key packets; the bulk is done here, since its encryptors pull from a reader, copy more often,
//! and give plaintext out if the reader ever fails. In RFC 9580's words:
//!
//! ```text
//! session key packets (5.1)
//! packet 18, in partial lengths (4.2.1.4) ─ version 1 (5.13.1)
//!   └ encrypted ─ prefix: 16 random bytes, the last two again
//!               ─ packet 11, in partial lengths: the file (5.9)
//!               ─ packet 19: SHA-1 of everything encrypted before it
//! ```

use std::slice;

use aes::cipher::consts::U16;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{AsyncStreamCipher, BlockCipher, BlockEncryptMut, BlockSizeUser, KeyInit, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use cfb_mode::Encryptor;
use rand::{CryptoRng, Rng};
use sha1::Sha1Core;
use sha1::digest::Output;
use sha1::digest::core_api::{Buffer, FixedOutputCore, UpdateCore};

use super::{Cipher, Recipient};
use crate::layer::{LayerError, Transform};

/// How long the pieces of both packets with partial lengths are, as a power of two: 64 KiB.
///
/// This is what a state holds back at most. Larger pieces are no faster, and smaller ones cost a byte each.
pub(super) const PIECE: u8 = 16;

/// Starts a message to these recipients; `piece` is the power of two of the length of its pieces, 9 (the least that
/// RFC 9580 allows, in section 4.2.1.4) to 30.
pub(super) fn start(
    recipients: &[Recipient],
    cipher: Cipher,
    piece: u8,
    mut rng: impl CryptoRng + Rng,
) -> Result<Box<dyn Transform>, LayerError> {
    let session_key = cipher.algorithm().new_session_key(&mut rng);
    let mut head = Vec::new();
    for recipient in recipients {
        recipient.seal_session_key(&session_key, cipher, &mut rng, &mut head).map_err(|e| {
            LayerError::new(format!("could not encrypt the session key to {}", recipient.fingerprint())).with_source(e)
        })?;
    }
    head.push(TAG_ENCRYPTED);
    let key = session_key.as_ref();
    Ok(match cipher {
        Cipher::Aes128 => Box::new(Message::<Aes128>::new(key, head, piece, rng)),
        Cipher::Aes192 => Box::new(Message::<Aes192>::new(key, head, piece, rng)),
        Cipher::Aes256 => Box::new(Message::<Aes256>::new(key, head, piece, rng)),
    })
}

/// One message on its way. After its start nothing can fail, so it has no poisoned state.
struct Message<C: BlockCipher + BlockEncryptMut> {
    /// The session keys and the tag of the encrypted packet, until they are given out with the first piece.
    head: Vec<u8>,
    /// The body of the literal packet since the last whole piece; always shorter than a piece between calls.
    literal: Vec<u8>,
    sealer: Sealer<C>,
    /// The body of the encrypted packet since the last whole piece.
    ready: Vec<u8>,
    piece: u8,
}

impl<C> Message<C>
where
    C: BlockCipher + BlockEncryptMut + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    fn new(key: &[u8], head: Vec<u8>, piece: u8, rng: impl CryptoRng + Rng) -> Self {
        let mut sealer = Sealer::new(key, rng);
        let mut ready = vec![VERSION];
        sealer.seal(&[TAG_LITERAL], &mut ready);
        let mut literal = Vec::with_capacity(1 << piece);
        literal.extend_from_slice(&LITERAL_HEADER);
        Self { head, literal, sealer, ready, piece }
    }

    /// Seals one whole piece of the literal packet, and gives out one of the encrypted packet.
    ///
    /// The pieces of the inner packet are a byte longer once they carry their length, so the rest that stays in
    /// `ready` grows by a byte each time; when it has grown to a piece, two are given out.
    fn seal_piece(&mut self, literal: &[u8], out: &mut Vec<u8>) {
        let partial_length = PARTIAL | self.piece;
        let piece: usize = 1 << self.piece;
        out.append(&mut self.head);
        let start = out.len();
        out.push(partial_length);
        out.append(&mut self.ready);
        self.sealer.seal(&[partial_length], out);
        self.sealer.seal(literal, out);

        // A piece is a number of whole groups, so sealing one gives out at least as many bytes.
        let end = start + 1 + piece;
        self.ready.extend_from_slice(&out[end..]);
        out.truncate(end);
        if self.ready.len() >= piece {
            out.push(partial_length);
            out.extend(self.ready.drain(..piece));
        }
    }
}

impl<C> Transform for Message<C>
where
    C: BlockCipher + BlockEncryptMut + BlockSizeUser<BlockSize = U16> + KeyInit + Send,
{
    fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), LayerError> {
        let piece: usize = 1 << self.piece;
        if !self.literal.is_empty() {
            let (head, rest) = input.split_at(input.len().min(piece - self.literal.len()));
            self.literal.extend_from_slice(head);
            input = rest;
            if self.literal.len() < piece {
                return Ok(());
            }
            let mut literal = std::mem::take(&mut self.literal);
            self.seal_piece(&literal, out);
            literal.clear();
            self.literal = literal;
        }
        let mut pieces = input.chunks_exact(piece);
        for literal in &mut pieces {
            self.seal_piece(literal, out);
        }
        self.literal.extend_from_slice(pieces.remainder());
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), LayerError> {
        let Self { mut head, literal, mut sealer, mut ready, .. } = *self;
        let mut length = Vec::new();
        write_length(literal.len(), &mut length);
        sealer.seal(&length, &mut ready);
        sealer.seal(&literal, &mut ready);
        sealer.finish(&mut ready);
        out.append(&mut head);
        write_length(ready.len(), out);
        out.append(&mut ready);
        Ok(())
    }
}

/// Encrypts a stream and hashes it on the way, in groups that fit both: four blocks of AES are one of SHA-1.
struct Sealer<C: BlockCipher + BlockEncryptMut> {
    cipher: Encryptor<C>,
    hash: Sha1Core,
    /// What is left over from the last whole group, in plaintext; always shorter than one between calls.
    rest: Vec<u8>,
}

impl<C> Sealer<C>
where
    C: BlockCipher + BlockEncryptMut + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    /// A stream that begins with the random prefix (RFC 9580, section 5.13.1).
    fn new(key: &[u8], mut rng: impl CryptoRng + Rng) -> Self {
        let cipher = Encryptor::new_from_slices(key, &[0; 16]).expect("the session key was made for this cipher");
        let mut prefix = [0; 18];
        rng.fill_bytes(&mut prefix[..16]);
        prefix.copy_within(14..16, 16);
        let mut rest = Vec::with_capacity(GROUP);
        rest.extend_from_slice(&prefix);
        Self { cipher, hash: Sha1Core::default(), rest }
    }

    fn seal(&mut self, mut plain: &[u8], out: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            let (head, tail) = plain.split_at(plain.len().min(GROUP - self.rest.len()));
            self.rest.extend_from_slice(head);
            plain = tail;
            if self.rest.len() < GROUP {
                return;
            }
            let start = out.len();
            out.append(&mut self.rest);
            self.seal_groups(&mut out[start..]);
        }
        let (groups, rest) = plain.split_at(plain.len() / GROUP * GROUP);
        let start = out.len();
        out.extend_from_slice(groups);
        self.seal_groups(&mut out[start..]);
        self.rest.extend_from_slice(rest);
    }

    /// Hashes and encrypts whole groups in place: group by group, so that the processor can work on both at once.
    fn seal_groups(&mut self, groups: &mut [u8]) {
        for group in groups.chunks_exact_mut(GROUP) {
            self.hash.update_blocks(slice::from_ref(GenericArray::from_slice(group)));
            let (blocks, _) = InOutBuf::from(group).into_chunks();
            self.cipher.encrypt_blocks_inout_mut(blocks);
        }
    }

    /// Ends the stream with the modification detection code (RFC 9580, section 5.13.1), which covers its own header.
    fn finish(mut self, out: &mut Vec<u8>) {
        self.seal(&MDC_HEADER, out);
        let mut buffer = Buffer::<Sha1Core>::new(&self.rest);
        let mut digest = Output::<Sha1Core>::default();
        self.hash.finalize_fixed_core(&mut buffer, &mut digest);
        let start = out.len();
        out.append(&mut self.rest);
        out.extend_from_slice(&digest);
        self.cipher.encrypt(&mut out[start..]);
    }
}

/// The length of a packet or of its last piece (RFC 9580, section 4.2.1).
fn write_length(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("what is left at the end is shorter than two pieces");
    match length {
        0..192 => out.extend(length.to_be_bytes().last()),
        192..8384 => {
            let [.., high, low] = (length - 192).to_be_bytes();
            out.extend_from_slice(&[0xC0 | high, low]);
        }
        _ => {
            out.push(0xFF);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// The least common group of AES (16 bytes) and SHA-1 (64 bytes).
const GROUP: usize = 64;

/// Packet 18, "symmetrically encrypted and integrity protected data", with the marks of the current packet format.
const TAG_ENCRYPTED: u8 = 0xD2;

/// The version of packet 18 that has the modification detection code.
const VERSION: u8 = 1;

/// Packet 11, "literal data".
const TAG_LITERAL: u8 = 0xCB;

/// Binary, no file name, no date: the message says nothing but its content.
const LITERAL_HEADER: [u8; 6] = [b'b', 0, 0, 0, 0, 0];

/// Packet 19, "modification detection code", always of 20 bytes.
const MDC_HEADER: [u8; 2] = [0xD3, 20];

/// Marks a length octet as that of a partial body; the other bits are the power of two.
const PARTIAL: u8 = 0xE0;
