//! Encryption: what gpg makes of it.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chrono::{DateTime, Utc};
use consign::layer::Layer;
use consign::layer::encrypt::{Cipher, Encryption, Recipient};
use tempfile::TempDir;

use super::{key, rows, run};

/// A gpg of its own, with the secret keys of these names.
struct Gpg {
    home: TempDir,
}

impl Gpg {
    #[track_caller]
    fn with(names: &[&str]) -> Self {
        // The agent's socket lies in the home, and the path of a socket has some 100 bytes at most.
        let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        let gpg = Self { home };
        for name in names {
            let output = gpg.run(&["--import"], &key(&format!("{name}.sec.asc")));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        gpg
    }

    #[track_caller]
    fn run(&self, args: &[&str], stdin: &[u8]) -> Output {
        let mut child = Command::new("gpg")
            .arg("--homedir")
            .arg(self.home.path())
            .args(["--batch", "--quiet", "--no-auto-check-trustdb"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tests need `gpg` on the PATH");
        let mut pipe = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // A broken pipe is the tool's way to stop early; its status tells.
            scope.spawn(move || pipe.write_all(stdin).ok());
            child.wait_with_output().unwrap()
        })
    }

    #[track_caller]
    fn decrypt(&self, message: &[u8]) -> Vec<u8> {
        let output = self.run(&["--decrypt"], message);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Whether gpg takes it for a whole message.
    #[track_caller]
    fn decrypts(&self, message: &[u8]) -> Whole {
        let output = self.run(&["--status-fd", "1", "--decrypt"], message);
        let status = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.success(), status.contains("[GNUPG:] DECRYPTION_OKAY"), "{status}");
        if output.status.success() { Whole::Yes } else { Whole::No }
    }

    /// Decrypts `*.gpg` of a folder beside each file, in one process, and returns the status lines.
    #[track_caller]
    fn decrypt_files(&self, folder: &Path) -> String {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| format!("{}\n", entry.unwrap().path().display())).collect();
        names.sort();
        let output = self.run(&["--status-fd", "1", "--decrypt-files"], names.concat().as_bytes());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // Otherwise the agent that gpg started would live on until it misses its folder.
        Command::new("gpgconf").arg("--homedir").arg(self.home.path()).args(["--kill", "gpg-agent"]).output().ok();
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Whole {
    No,
    Yes,
}

fn recipients(name: &str) -> Vec<Recipient> {
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    Recipient::parse(&key(&format!("{name}.pub.asc")), now).unwrap()
}

fn to(names: &[&str]) -> Encryption {
    Encryption::to(names.iter().flat_map(|name| recipients(name))).unwrap()
}

#[test]
fn gpg_decrypts_every_length_at_the_edges() {
    let gpg = Gpg::with(&["receiver"]);
    let folder = tempfile::tempdir().unwrap();
    let encryption = to(&["receiver"]);
    let mut lengths: Vec<usize> = vec![0, 1, 63, 64, 65, 191, 192];
    lengths.extend(506..=513);
    // Around a literal packet with its header of 6 bytes: where the length takes 2 octets, then 5, then a piece.
    lengths.extend([185, 186, 8191, 8192, 8193, 8377, 8378, 8383, 8384]);
    for pieces in [1_usize, 2] {
        lengths.extend([7, 6, 5].map(|less| pieces * 65_536 - less));
    }
    for pieces in [1_usize, 8, 16] {
        lengths.extend([pieces * 65_536 - 1, pieces * 65_536, pieces * 65_536 + 1]);
    }
    let input = rows(16 * 65_536 + 1);
    for len in &lengths {
        let message = run(&encryption, &input[..*len], &[30_000]);
        fs::write(folder.path().join(format!("{len}.gpg")), message).unwrap();
    }
    let status = gpg.decrypt_files(folder.path());
    for len in &lengths {
        let plain = fs::read(folder.path().join(len.to_string())).unwrap_or_else(|e| panic!("{len} bytes: {e}"));
        assert!(plain == input[..*len], "{len} bytes came back as {} others", plain.len());
    }
    let count = |line: &str| status.matches(&format!("[GNUPG:] {line}\n")).count();
    let distinct = lengths.iter().collect::<HashSet<_>>().len();
    assert_eq!(count("DECRYPTION_OKAY"), distinct);
    assert_eq!(count("GOODMDC"), distinct);
    // Modification detection by MDC, AES-256, no AEAD.
    assert_eq!(count("DECRYPTION_INFO 2 9 0"), distinct);
}

#[test]
fn each_recipient_decrypts_alone() {
    let input = rows(100_000);
    let message = run(&to(&["receiver", "second"]), &input, &[8192]);
    for name in ["receiver", "second"] {
        assert_eq!(Gpg::with(&[name]).decrypt(&message), input);
    }
    assert_eq!(Gpg::with(&["nistp"]).decrypts(&message), Whole::No);
}

#[test]
fn every_kind_of_key_and_cipher_is_decrypted() {
    let gpg = Gpg::with(&["receiver", "second", "nistp", "single"]);
    let input = rows(1000);
    for name in ["receiver", "second", "nistp", "single"] {
        assert_eq!(gpg.decrypt(&run(&to(&[name]), &input, &[1000])), input, "{name}");
    }
    for (cipher, number) in [(Cipher::Aes128, 7), (Cipher::Aes192, 8), (Cipher::Aes256, 9)] {
        let message = run(&to(&["second"]).with_cipher(cipher), &input, &[1000]);
        let output = gpg.run(&["--status-fd", "2", "--decrypt"], &message);
        assert_eq!(output.stdout, input, "{cipher:?}");
        let status = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(status.contains(&format!("[GNUPG:] DECRYPTION_INFO 2 {number} 0\n")), "{cipher:?}: {status}");
    }
}

#[test]
fn no_prefix_of_a_message_decrypts() {
    let gpg = Gpg::with(&["second"]);
    let folder = tempfile::tempdir().unwrap();
    let message = run(&to(&["second"]), &rows(100), &[100]);
    // gpg stops at an empty file.
    for end in 1..message.len() {
        fs::write(folder.path().join(format!("{end}.gpg")), &message[..end]).unwrap();
    }
    fs::write(folder.path().join("whole.gpg"), &message).unwrap();
    let status = gpg.decrypt_files(folder.path());
    assert_eq!(status.matches("[GNUPG:] FILE_START").count(), message.len());
    assert_eq!(status.matches("[GNUPG:] DECRYPTION_OKAY").count(), 1);
    assert_eq!(status.matches("[GNUPG:] GOODMDC").count(), 1);
}

#[test]
fn no_prefix_of_a_long_message_decrypts() {
    let gpg = Gpg::with(&["second"]);
    let folder = tempfile::tempdir().unwrap();
    let message = run(&to(&["second"]), &rows(140_000), &[140_000]);
    // Around the ends of both pieces, behind a session key of 96 bytes or so, and of the modification detection code.
    let ends = |end: usize| (end - 24..end + 8).filter(|end| *end < message.len());
    let ends: HashSet<usize> =
        [96 + 2 + 65_536, 96 + 3 + 2 * 65_536, message.len()].into_iter().flat_map(ends).collect();
    for end in &ends {
        fs::write(folder.path().join(format!("{end}.gpg")), &message[..*end]).unwrap();
    }
    let status = gpg.decrypt_files(folder.path());
    assert_eq!(status.matches("[GNUPG:] FILE_START").count(), ends.len());
    assert_eq!(status.matches("[GNUPG:] DECRYPTION_OKAY").count(), 0);
}

#[test]
fn a_message_that_is_dropped_before_its_end_does_not_decrypt() {
    let gpg = Gpg::with(&["second"]);
    for len in [0, 100, 65_536, 131_072, 200_000] {
        let mut state = to(&["second"]).start().unwrap();
        let mut out = Vec::new();
        state.push(&rows(len), &mut out).unwrap();
        drop(state);
        assert_eq!(gpg.decrypts(&out), Whole::No, "{len} bytes");
    }
}

#[test]
fn a_changed_byte_is_detected() {
    let gpg = Gpg::with(&["second"]);
    let message = run(&to(&["second"]), &rows(70_000), &[70_000]);
    assert_eq!(gpg.decrypts(&message), Whole::Yes);
    for at in [200, 40_000, message.len() - 1] {
        let mut changed = message.clone();
        changed[at] ^= 1;
        assert_eq!(gpg.decrypts(&changed), Whole::No, "byte {at}");
    }
}

#[test]
fn nothing_of_the_plaintext_is_in_the_message() {
    let input = rows(150_000);
    // Eight bytes meet by chance once in 2⁶⁴ / 150,000² messages.
    let runs: HashSet<&[u8]> = input.windows(8).collect();
    for cut in [1000, 150_000] {
        let message = run(&to(&["receiver", "second"]), &input, &[cut]);
        let found = message.windows(8).position(|window| runs.contains(window));
        assert_eq!(found, None, "pushes of {cut} bytes");
    }
}

#[test]
fn the_same_file_never_gives_the_same_bytes() {
    let encryption = to(&["second"]);
    let [one, two] = [(); 2].map(|()| run(&encryption, &rows(5000), &[5000]));
    assert_eq!(one.len(), two.len());
    let equal = one.iter().zip(&two).skip(200).filter(|(a, b)| a == b).count();
    // Of 5000 random bytes, 1 in 256 is equal by chance.
    assert!(equal < 100, "{equal} bytes are equal");
}

#[test]
fn the_message_says_nothing_but_its_content() {
    let gpg = Gpg::with(&["second"]);
    let message = run(&to(&["second"]), b"a,b\n", &[4]);
    let output = gpg.run(&["--list-packets"], &message);
    let packets = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(packets.contains("mode b (62), created 0, name=\"\",\n\traw data: 4 bytes"), "{packets}");
    assert!(packets.contains(":encrypted data packet:\n\tlength: 53\n\tmdc_method: 2"), "{packets}");
    assert!(!packets.contains(":compressed packet:"), "{packets}");
}

#[cfg(feature = "gzip")]
#[test]
fn a_compressed_and_encrypted_file_comes_back() {
    use consign::layer::compress::Compression;

    let input = rows(300_000);
    let compressed = run(Compression::gzip().layer().unwrap().as_ref(), &input, &[10_000]);
    let message = run(&to(&["receiver"]), &compressed, &[10_000]);
    let file = Gpg::with(&["receiver"]).decrypt(&message);
    assert_eq!(std::io::read_to_string(flate2::read::GzDecoder::new(&file[..])).unwrap().as_bytes(), input);
}
