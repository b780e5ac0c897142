//! From the bytes of a key file to certificates: a primary key with its user ids, subkeys and signatures, all unjudged.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pgp::packet::{Packet, PacketHeader, PublicKey, PublicSubkey, Signature, UserId};
use pgp::types::{PacketLength, Tag};

use super::{RecipientError, RecipientErrorKind as Kind};
use crate::Span;

/// One certificate (RFC 9580, section 10.1), as it stands in the input.
pub(super) struct Certificate {
    pub(super) primary: PublicKey,
    /// Revocations of the primary key and direct-key signatures.
    pub(super) direct: Vec<Signature>,
    pub(super) users: Vec<(UserId, Vec<Signature>)>,
    pub(super) subkeys: Vec<(PublicSubkey, Vec<Signature>)>,
    /// Whether a subkey was passed over, since its algorithm or version is unknown.
    pub(super) passed_over: PassedOver,
    /// The armored block that holds it, or the whole input.
    pub(super) span: Span,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum PassedOver {
    None,
    Subkey,
}

/// Reads every certificate of a key file: armored blocks, binary packets, or Base64 of either.
pub(super) fn read(input: &[u8]) -> Result<Vec<Certificate>, RecipientError> {
    let whole = Span::new(0, input.len());
    let form = |found: &str| RecipientError::new(Kind::Form, format!("{EXPECTED}, found {found}"), whole);

    if input.starts_with(b"\xff\xfe") || input.starts_with(b"\xfe\xff") {
        return Err(form("UTF-16 text: save it as UTF-8"));
    }
    // White space may stand around text; at the end of packets it is part of them, or passed over there.
    let text = bare(input).trim_ascii_start();
    if text.is_empty() {
        return Err(RecipientError::new(Kind::Missing, format!("{EXPECTED}, found nothing"), whole));
    }
    let start = input.len() - text.len();
    if let Some(certificates) = read_packets_or_armor(text, |block| Span::new(start + block.start, start + block.end))?
    {
        return Ok(certificates);
    }
    if [&b"ssh-"[..], b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"].iter().any(|start| text.starts_with(start)) {
        return Err(form("an OpenSSH public key"));
    }

    // The platform's API takes the key as Base64 in JSON, of the armored text or of the binary key.
    let packed: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let Ok(inner) = BASE64.decode(&packed) else {
        return Err(form("text that is neither armored nor Base64"));
    };
    // Places inside of Base64 mean nothing to who wrote it, so every span is the whole input.
    match read_packets_or_armor(bare(&inner), |_| whole) {
        Ok(Some(certificates)) => return Ok(certificates),
        // Any word may be Base64 of bytes that look like a packet: a message would be a strange thing to report.
        Err(e) if e.kind() == Kind::Form && !inner.is_ascii() => {}
        Err(e) => return Err(e),
        Ok(None) => {}
    }
    // What PEM wraps: a SEQUENCE whose length takes one octet or two.
    if inner.starts_with(b"\x30\x81") || inner.starts_with(b"\x30\x82") {
        return Err(form("Base64 of a DER structure, as in X.509 and PEM"));
    }
    Err(form("Base64 of something else"))
}

/// The input without the byte order mark that editors put before UTF-8 text.
fn bare(input: &[u8]) -> &[u8] {
    input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input)
}

/// Reads the text if it is armored or binary; `span` says where in the input a range of the text stands.
fn read_packets_or_armor(
    text: &[u8],
    span: impl Fn(Range<usize>) -> Span,
) -> Result<Option<Vec<Certificate>>, RecipientError> {
    let mut certificates = Vec::new();
    // Each packet begins with a byte whose highest bit is set (RFC 9580, section 4.2), and so may words before an armor.
    if text.first().is_some_and(|first| first & 0x80 != 0) && str::from_utf8(text).is_err() {
        packets(text, span(0..text.len()), &mut certificates)?;
        return Ok(Some(certificates));
    }
    let mut at = 0;
    while let Some((label, block)) = next_block(text, at) {
        at = block.end;
        let span = span(block.clone());
        packets(&dearmor(label, &text[block], span)?, span, &mut certificates)?;
    }
    Ok((at > 0).then_some(certificates))
}

/// The next `-----BEGIN LABEL-----` at or after a place: its label, and where it stands, first to last line.
///
/// A block without its last line reaches to the end of the text.
fn next_block(text: &[u8], from: usize) -> Option<(&str, Range<usize>)> {
    let mut at = from;
    let mut open: Option<(usize, &str)> = None;
    for line in text[from..].split_inclusive(|&b| b == b'\n') {
        let end = at + line.len();
        let line = line.trim_ascii();
        match open {
            None => open = boundary(line, "-----BEGIN ").map(|label| (at, label)),
            Some((start, label)) if boundary(line, "-----END ") == Some(label) => return Some((label, start..end)),
            Some(_) => {}
        }
        at = end;
    }
    open.map(|(start, label)| (label, start..text.len()))
}

fn boundary<'a>(line: &'a [u8], start: &str) -> Option<&'a str> {
    str::from_utf8(line).ok()?.strip_prefix(start)?.strip_suffix("-----")
}

/// The bytes of one armored block (RFC 9580, section 6.2).
fn dearmor(label: &str, block: &[u8], span: Span) -> Result<Vec<u8>, RecipientError> {
    if label != PUBLIC {
        let shown = label.escape_debug();
        let (kind, found) = match label {
            _ if label.contains("PRIVATE") || label.contains("SECRET") => {
                (Kind::Secret, format!("the secret key `{shown}`"))
            }
            _ if label.starts_with("PGP ") => (Kind::Form, format!("the block `{shown}`")),
            // What tools for TLS and SSH write; the platform's documents ask for an "RSA-formatted" key and show PGP.
            _ => (Kind::Form, format!("the PEM block `{shown}`: export the key with `gpg --armor --export`")),
        };
        let text = format!("{EXPECTED}, found {found}");
        return Err(RecipientError::new(kind, text, span));
    }
    let damaged = |text: &str| RecipientError::new(Kind::Damaged, text, span);
    let mut lines = block.trim_ascii_end().split(|&b| b == b'\n').map(<[u8]>::trim_ascii).skip(1);
    // Headers (`Version: …`) end at the first blank line.
    if !lines.by_ref().any(<[u8]>::is_empty) {
        return Err(damaged("the armored key is cut off: it ends before its data"));
    }
    let mut packed = Vec::with_capacity(block.len());
    for line in lines {
        if boundary(line, "-----END ") == Some(PUBLIC) {
            return BASE64
                .decode(&packed)
                .map_err(|_| damaged("the armored key is damaged: its data is no valid Base64"));
        }
        // The checksum must not decide anything (RFC 9580, section 6.1); the signatures do.
        if !(line.starts_with(b"=") && line.len() == 5) {
            packed.extend_from_slice(line);
        }
    }
    Err(damaged("the armored key is cut off: expected `-----END PGP PUBLIC KEY BLOCK-----` at its end"))
}

/// Reads a sequence of packets into certificates.
fn packets(bytes: &[u8], span: Span, certificates: &mut Vec<Certificate>) -> Result<(), RecipientError> {
    let cut = || RecipientError::new(Kind::Damaged, "the key is cut off: it ends inside of a packet", span);
    let before = certificates.len();
    let mut place = Place::Direct;
    let mut rest = bytes;
    while !rest.trim_ascii_start().is_empty() {
        if rest[0] & 0x80 == 0 {
            let text = "the key is damaged: expected a packet, found other bytes";
            return Err(RecipientError::new(Kind::Damaged, text, span));
        }
        let header = PacketHeader::try_from_reader(&mut rest).map_err(|_| cut())?;
        let tag = header.tag();
        let expected = match tag {
            Tag::SecretKey | Tag::SecretSubkey => {
                // Its body is never parsed, so that no copy of the secret is made.
                let text = format!("{EXPECTED}, found a secret key");
                return Err(RecipientError::new(Kind::Secret, text, span));
            }
            Tag::PublicKey | Tag::Marker | Tag::Padding => true,
            Tag::PublicSubkey | Tag::UserId | Tag::UserAttribute | Tag::Signature | Tag::Trust => {
                certificates.len() > before
            }
            Tag::UnassignedNonCritical(_) | Tag::Experimental(_) => certificates.len() > before,
            _ => false,
        };
        if !expected {
            let what = match tag {
                Tag::Signature => "an OpenPGP signature",
                Tag::PublicKeyEncryptedSessionKey
                | Tag::SymKeyEncryptedSessionKey
                | Tag::SymEncryptedData
                | Tag::SymEncryptedProtectedData
                | Tag::CompressedData
                | Tag::LiteralData
                | Tag::OnePassSignature => "an OpenPGP message",
                _ => "other bytes",
            };
            return Err(RecipientError::new(Kind::Form, format!("{EXPECTED}, found {what}"), span));
        }
        // The packets of keys have a definite length (RFC 9580, section 4.2.1.4).
        let PacketLength::Fixed(length) = header.packet_length() else {
            return Err(cut());
        };
        let (body, after) = usize::try_from(length).ok().and_then(|n| rest.split_at_checked(n)).ok_or_else(cut)?;
        rest = after;
        place = collect(tag, Packet::from_reader(header, body), place, span, certificates)?;
    }
    if certificates.len() == before {
        return Err(RecipientError::new(Kind::Missing, format!("{EXPECTED}, found nothing"), span));
    }
    Ok(())
}

/// To what the next signature belongs.
#[derive(Clone, Copy)]
enum Place {
    Direct,
    User,
    Subkey,
    /// Something that decides nothing here: a photo, or a subkey that was passed over.
    Nothing,
}

/// Puts one packet in its place and says where signatures after it belong.
fn collect(
    tag: Tag,
    packet: pgp::errors::Result<Packet>,
    place: Place,
    span: Span,
    certificates: &mut Vec<Certificate>,
) -> Result<Place, RecipientError> {
    if tag == Tag::PublicKey {
        let Ok(Packet::PublicKey(primary)) = packet else {
            let text = "the version or algorithm of the primary key is not supported";
            return Err(RecipientError::new(Kind::Unsupported, text, span));
        };
        let (direct, users, subkeys) = (Vec::new(), Vec::new(), Vec::new());
        certificates.push(Certificate { primary, direct, users, subkeys, passed_over: PassedOver::None, span });
        return Ok(Place::Direct);
    }
    let Some(certificate) = certificates.last_mut() else {
        return Ok(place);
    };
    match packet {
        Ok(Packet::UserId(id)) => {
            certificate.users.push((id, Vec::new()));
            return Ok(Place::User);
        }
        Ok(Packet::PublicSubkey(key)) => {
            certificate.subkeys.push((key, Vec::new()));
            return Ok(Place::Subkey);
        }
        Ok(Packet::Signature(signature)) => {
            let signatures = match place {
                Place::Direct => Some(&mut certificate.direct),
                Place::User => certificate.users.last_mut().map(|(_, signatures)| signatures),
                Place::Subkey => certificate.subkeys.last_mut().map(|(_, signatures)| signatures),
                Place::Nothing => None,
            };
            if let Some(signatures) = signatures {
                signatures.push(signature);
            }
        }
        Err(_) if tag == Tag::PublicSubkey => {
            certificate.passed_over = PassedOver::Subkey;
            return Ok(Place::Nothing);
        }
        Ok(Packet::UserAttribute(_)) => return Ok(Place::Nothing),
        Err(_) if matches!(tag, Tag::UserId | Tag::UserAttribute) => return Ok(Place::Nothing),
        // Trust and padding, and signatures by algorithms that nobody here can check: as if they were not there.
        _ => {}
    }
    Ok(place)
}

const EXPECTED: &str = "expected an OpenPGP public key";

const PUBLIC: &str = "PGP PUBLIC KEY BLOCK";

/// Base64 with or without padding: people copy keys by hand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
