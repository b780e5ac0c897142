//! Compression.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use consign::ErrorKind;
use consign::layer::Layer;
use consign::layer::compress::{Compression, CompressionError, CompressionErrorKind, Gzip, GzipLevel};
use proptest::prelude::*;

use super::{rows, run};

fn gzip(level: u8) -> Gzip {
    Gzip::new(GzipLevel::try_new(level).expect("a level"))
}

#[track_caller]
fn gunzip(file: &[u8]) -> Vec<u8> {
    // A plain decoder reads one member only, so that a second one would show as bytes left over.
    let mut decoder = flate2::bufread::GzDecoder::new(file);
    let mut plain = Vec::new();
    decoder.read_to_end(&mut plain).expect("flate2 reads the file");
    assert!(decoder.into_inner().is_empty(), "more than one member");
    plain
}

/// What `gzip` says to the file on its stdin.
#[track_caller]
fn run_gzip(arg: &str, file: &[u8]) -> std::process::Output {
    let mut child = Command::new("gzip")
        .arg(arg)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tests need `gzip` on the PATH");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    std::thread::scope(|scope| {
        // A broken pipe is the tool's way to stop early; its status tells.
        scope.spawn(move || stdin.write_all(file).ok());
        child.wait_with_output().expect("gzip ends")
    })
}

#[test]
fn gzip_is_read_by_gzip_and_flate2() {
    for len in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let input = rows(len);
        for level in [0, 1, 6, 9] {
            let file = run(&gzip(level), &input, &[10_000]);
            assert_eq!(gunzip(&file), input, "{len} bytes at level {level}");
        }
        let file = run(&gzip(6), &input, &[70_000]);
        assert!(run_gzip("-t", &file).status.success(), "gzip -t of {len} bytes");
        assert_eq!(run_gzip("-dc", &file).stdout, input);
    }
}

#[test]
fn gzip_header_names_no_time_and_no_system() {
    for (level, xfl) in [(0, 4), (1, 4), (6, 0), (9, 2)] {
        let file = run(&gzip(level), b"a,b\n", &[4]);
        assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, xfl, 0xff], "level {level}");
    }
}

#[test]
fn gzip_shrinks_and_higher_levels_shrink_more() {
    let input = rows(300_000);
    let [stored, fast, best] = [0, 1, 9].map(|level| run(&gzip(level), &input, &[8192]).len());
    assert!(best < fast && fast < input.len() * 2 / 3 && input.len() < stored, "{best} {fast} {stored}");
}

#[test]
fn gzip_takes_what_does_not_shrink() {
    // A fixed linear congruential generator: no byte can be predicted from its window.
    let mut x = 1_u64;
    let input: Vec<u8> = std::iter::repeat_with(|| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (x >> 56) as u8
    })
    .take(300_000)
    .collect();
    for level in [0, 1, 6, 9] {
        assert_eq!(gunzip(&run(&gzip(level), &input, &[65_536])), input);
    }
}

#[test]
fn gzip_dropped_before_its_end_is_no_whole_file() {
    let input = rows(200_000);
    let mut state = gzip(6).start().unwrap();
    let mut out = Vec::new();
    state.push(&input, &mut out).unwrap();
    drop(state);
    assert!(!run_gzip("-t", &out).status.success());
    assert!(flate2::read::GzDecoder::new(&out[..]).read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn every_prefix_of_a_gzip_file_is_broken() {
    let file = run(&gzip(6), &rows(2_000), &[2_000]);
    for end in 0..file.len() {
        let read = flate2::read::GzDecoder::new(&file[..end]).read_to_end(&mut Vec::new());
        assert!(read.is_err(), "the first {end} of {} bytes were read", file.len());
    }
}

#[test]
fn compression_is_parsed_in_any_case_and_printed_in_one() {
    for (text, expected, printed) in [
        ("NONE", Compression::None, "NONE"),
        ("none", Compression::None, "NONE"),
        ("GZIP", Compression::gzip(), "GZIP"),
        ("Gzip", Compression::gzip(), "GZIP"),
    ] {
        let compression: Compression = text.parse().unwrap();
        assert_eq!(compression, expected);
        assert_eq!(compression.to_string(), printed);
        assert_eq!(printed.parse::<Compression>().unwrap(), compression);
    }
    assert_eq!(Compression::default(), Compression::None);
    assert_eq!(Compression::gzip(), Compression::Gzip(GzipLevel::DEFAULT));
}

#[test]
fn unknown_compressions_are_refused() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let e: CompressionError = text.parse::<Compression>().unwrap_err();
        assert_eq!(format!("{e:#}"), expected);
        assert_eq!(e.kind(), CompressionErrorKind::Unknown);
        assert_eq!(e.span().range(), 0..text.len());
    }
    check("SNAPPY", "expected compression `NONE` or `GZIP`, found `SNAPPY`\nSNAPPY\n^^^^^^");
    check("", "expected compression `NONE` or `GZIP`, found ``\n\n^");
    check("gzip ", "expected compression `NONE` or `GZIP`, found `gzip `\ngzip \n^^^^^");
    check("a\nb", "expected compression `NONE` or `GZIP`, found `a\\nb`\na\\nb\n^^^^");

    let e = consign::Error::from("lz4".parse::<Compression>().unwrap_err());
    assert_eq!(e.kind(), ErrorKind::Destination);
    assert_eq!(format!("{e:#}"), "could not parse the compression: expected compression `NONE` or `GZIP`, found `lz4`");
}

#[test]
fn gzip_levels_are_0_to_9() {
    for level in 0..=9 {
        assert_eq!(GzipLevel::try_new(level).unwrap().get(), level);
    }
    let e = GzipLevel::try_new(10).unwrap_err();
    assert_eq!(format!("{e:#}"), "expected a gzip level from 0 to 9, found `10`\n10\n^^");
    let e = consign::Error::from(e);
    assert_eq!(e.kind(), ErrorKind::Destination);
    assert_eq!(format!("{e:#}"), "could not parse the gzip level: expected a gzip level from 0 to 9, found `10`");
}

#[test]
fn plans_are_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Compression>();
    check::<CompressionError>();
    check::<Gzip>();
    check::<GzipLevel>();
    check::<Box<dyn Layer>>();
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_gzip_bytes(
        len in prop_oneof![2 => 0_usize..300, 1 => 60_000_usize..140_000],
        cuts in prop::collection::vec(prop_oneof![1_usize..2000, 60_000_usize..70_000], 1..6),
        level in prop::sample::select(vec![0_u8, 1, 6]),
    ) {
        let input = rows(len);
        let whole = run(&gzip(level), &input, &[usize::MAX]);
        prop_assert_eq!(gunzip(&whole), input.clone());
        prop_assert!(run(&gzip(level), &input, &cuts) == whole, "other bytes for the cuts {:?}", cuts);
    }
}
