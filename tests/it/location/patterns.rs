//! Our rules against the patterns that the platform publishes, run by an engine that can look around.

use consign::location::{BucketName, BucketRules, FolderPath, FolderRules};
use fancy_regex::Regex;

const BUCKET: &str = r"(?=^.{3,63}$)(?!^(\d+\.)+\d+$)(^(([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9\-]*[a-z0-9])$)";

const AZURE_CONTAINER: &str = r"^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$";

const GCS_BUCKET: &str = r"(?!^goog.*$)(?!^.*g(o|0)(o|0)gle.*$)(((?=^.{3,63}$)(^([a-z0-9]|[a-z0-9][a-z0-9\-_]*)[a-z0-9]$))|((?=^.{3,222}$)(?!^(\d+\.)+\d+$)(^(([a-z0-9]{1,63}|[a-z0-9][a-z0-9\-_]{1,61}[a-z0-9])\.)*([a-z0-9]{1,63}|[a-z0-9][a-z0-9\-_]{1,61}[a-z0-9])$)))";

const FOLDER: &str = r"^[0-9a-zA-Z\/\!\-_\.\*\''\(\)]*((\%SEGMENT_(NAME|ID)\%)?\/?)+$";

const AZURE_FOLDER: &str = r"^[0-9a-zA-Z\/\!\-_\.\*\'\(\)]+$";

/// A small generator (splitmix64), since a million cases of a property test proper would take minutes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// Appends one bucket name: mostly of what is nearly right, at lengths around the limits.
fn bucket(random: &mut Random, out: &mut String) {
    const NEARLY: &[&str] = &["a", "z", "0", "9", "b", "c1", "-", ".", "a", "b"];
    const NUMBERS: &[&str] = &["1", "22", "333", ".", "0", ".", "4444", "9"];
    const WORDS: &[&str] = &[
        "goog", "google", "g0ogle", "g00gle", "go0gl", "xn--", "-an", "--", "..", ".-", "-.", "_", "a", "b.c", "--x-s3",
    ];
    const WRONG: &[&str] =
        &["a", "b", "A", "Z", "_", " ", "/", "é", "ß", "\n", "\r\n", "\u{661}", "٣", "\0", "a-", ".b", "%", "\u{2028}"];
    match random.below(32) {
        0..=11 => (0..=random.below(9)).for_each(|_| out.push_str(random.pick(NEARLY))),
        12..=17 => (0..=random.below(8)).for_each(|_| out.push_str(random.pick(NUMBERS))),
        18..=21 => (0..=random.below(4)).for_each(|_| out.push_str(random.pick(WORDS))),
        22..=25 => (0..=random.below(6)).for_each(|_| out.push_str(random.pick(WRONG))),
        26..=29 => (0..random.below(5)).for_each(|_| out.push_str(random.pick(&["a", "1", ".", "-"]))),
        // Around the limit of 63, and of 222 with parts of many lengths.
        30 => {
            out.push_str(&LETTERS[..58 + random.below(7)]);
            out.push_str(random.pick(&["", ".", "-", "b", "-b", ".b"]));
        }
        _ => {
            let total = 212 + random.below(14);
            while out.len() < total {
                out.push_str(&LETTERS[..(1 + random.below(66)).min(total - out.len())]);
                out.push_str(random.pick(&[".", ".", "-", "_", "", "a"]));
            }
        }
    }
}

/// More letters than a part of a name may have.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

fn folder(random: &mut Random, out: &mut String) {
    const HEAD: &[&str] = &["a", "Z", "0", "/", "acme/", "!", "-", "_", ".", "*", "'", "(", ")", "..", "//", "b"];
    const TAIL: &[&str] = &["%SEGMENT_NAME%", "%SEGMENT_ID%", "/", "/", "%SEGMENT_ID%/"];
    const WRONG: &[&str] = &[
        "%",
        "%%",
        "%SEGMENT_NAME",
        "SEGMENT_ID%",
        "%segment_id%",
        "%SEGMENT_%",
        "%SEGMENT_IDS%",
        "%DATETIME%",
        "$",
        " ",
        "+",
        "\"",
        "^",
        "[",
        "]",
        "é",
        "\n",
        "\0",
        "%SEGMENT_NAME%%",
        "%SANDBOX_NAME%",
        "%SEGMENT_ID(x)%",
        "a",
        "\\",
        "&",
        "%FILE_INDEX%",
        "%DATETIME(YYYY)%",
        "%TIMESTAMP%",
    ];
    (0..random.below(6)).for_each(|_| out.push_str(random.pick(HEAD)));
    (0..random.below(5)).for_each(|_| out.push_str(random.pick(TAIL)));
    match random.below(4) {
        0 => (0..random.below(2)).for_each(|_| out.push_str(random.pick(WRONG))),
        1 => out.push_str(random.pick(HEAD)),
        _ => {}
    }
    if random.below(4) == 0 {
        (0..random.below(4)).for_each(|_| out.push_str(random.pick(TAIL)));
    }
}

/// Whether the names agree, for so many of them; both answers have to come often enough for that to mean something.
#[track_caller]
fn check(
    pattern: &str,
    cases: usize,
    mut generate: impl FnMut(&mut Random, &mut String),
    ours: impl Fn(&str) -> Option<String>,
) {
    let pattern = Regex::new(pattern).unwrap();
    let mut random = Random(0x5EED);
    let mut text = String::new();
    let mut taken = 0;
    for _ in 0..cases {
        text.clear();
        generate(&mut random, &mut text);
        let theirs = pattern.is_match(&text).unwrap();
        let ours = ours(&text);
        assert_eq!(ours.is_some(), theirs, "{text:?}: we say {}, the pattern {theirs}", ours.is_some());
        if let Some(ours) = ours {
            assert_eq!(ours, text);
            taken += 1;
        }
    }
    assert!((cases / 10..cases * 9 / 10).contains(&taken), "{taken} of {cases} were taken: the generator is lopsided");
}

fn parse_bucket(rules: BucketRules) -> impl Fn(&str) -> Option<String> {
    move |text| BucketName::parse_with(text, rules).ok().map(|name| name.as_str().to_owned())
}

fn parse_folder(rules: FolderRules) -> impl Fn(&str) -> Option<String> {
    move |text| FolderPath::parse_with(text, rules).ok().map(|path| path.as_str().to_owned())
}

#[test]
fn a_million_bucket_names() {
    check(BUCKET, 1_000_000, bucket, parse_bucket(BucketRules::PlatformApi));
}

#[test]
fn a_million_folder_paths() {
    check(FOLDER, 1_000_000, folder, parse_folder(FolderRules::PlatformApi));
}

#[test]
fn bucket_names_of_google() {
    check(GCS_BUCKET, 50_000, bucket, parse_bucket(BucketRules::Gcs));
}

#[test]
fn containers_of_azure() {
    check(AZURE_CONTAINER, 100_000, bucket, parse_bucket(BucketRules::Azure));
}

#[test]
fn folder_paths_of_google_and_azure() {
    check(FOLDER, 50_000, folder, parse_folder(FolderRules::Gcs));
    check(AZURE_FOLDER, 100_000, folder, parse_folder(FolderRules::Azure));
}
