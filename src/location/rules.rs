//! The one table of rules: what the platform and the stores ask of bucket names and folder paths.

use crate::template::is_safe;

/// Which rules a bucket name has to keep.
///
/// | rule | `Platform` | `PlatformApi` | `Aws` | `AwsDirectory` | `Gcs` | `Azure` |
/// |---|---|---|---|---|---|---|
/// | characters | 3 to 63 | 3 to 63 | 3 to 63 | 3 to 63 | 3 to 63, with dots to 222 | 3 to 63 |
/// | `a-z 0-9 -` | yes | yes | yes | yes | yes | yes |
/// | `.` | no | yes | yes | no | yes | no |
/// | `_` | no | no | no | no | yes | no |
/// | begins and ends with a letter or digit | yes | each part between dots | yes | yes | each part between dots, of 1 to 63 | yes |
/// | two together | | no `..` | no `..` | | no `..` | no `--` |
/// | looks like numbers | no IP address | no digits and dots alone | no IP address | | no digits and dots alone | |
/// | reserved | | | prefixes, suffixes | prefixes, form | `goog…`, `google` | |
///
/// Where the platform and AWS disagree, which is about dots, `Strict` refuses and `Lenient` accepts:
///
/// | name | `PlatformApi` | `Platform` | `Aws` | `Strict` | `Lenient` |
/// |---|---|---|---|---|---|
/// | `my-bucket`, `123`, `a--b` | yes | yes | yes | yes | yes |
/// | `my.bucket`, `1.a`, `a.1` | yes | no | yes | no | yes |
/// | `1.2`, `1.2.3.4.5` | no | no | yes | no | no |
/// | `my.-b`, `my-.b` | no | no | yes | no | no |
/// | `xn--abc`, `abc-s3alias`, `abc--ol-s3`, `amzn-s3-demo-bucket` | yes | yes | no | no | no |
/// | `192.100.1.1`, `999.999.999.999`, `my..bucket` | no | no | no | no | no |
/// | `ab`, `-abc`, `abc-`, `.abc`, `abc.`, `Abc`, `a_b` | no | no | no | no | no |
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BucketRules {
    /// What the platform's user interface and AWS both accept.
    #[default]
    Strict,
    /// What the platform's API and AWS both accept: dots too.
    Lenient,
    /// What the platform's user interface says.
    Platform,
    /// The pattern that the platform's API publishes, no more and no less.
    PlatformApi,
    /// General purpose buckets (AWS user guide, bucket naming rules):
    ///
    /// 1. 3 to 63 characters
    /// 2. lowercase letters, digits, dots and hyphens
    /// 3. a letter or digit at both ends
    /// 4. no two dots together
    /// 5. not formatted as an IP address: four groups of up to three digits, whatever their value
    /// 6. not beginning with `xn--`, `sthree-` (and so `sthree-configurator`) or `amzn-s3-demo-`
    /// 7. not ending in `-s3alias`, `--ol-s3`, `.mrap`, `--x-s3` or `--table-s3`
    /// 8. ending in `-an` only as `<prefix>-<12-digit account>-<region>-an`
    /// 9. no dots where Transfer Acceleration is used: a [warning](super::BucketWarning::Dots), as buckets work without
    Aws,
    /// Directory buckets (AWS user guide, directory bucket naming rules): `<base name>--<zone>--x-s3`, of 3 to 63
    /// characters with the suffix, without dots, and else as `Aws`.
    AwsDirectory,
    /// The pattern that the platform's API publishes for buckets of Google Cloud Storage.
    Gcs,
    /// The pattern that the platform's API publishes for containers of Azure Blob Storage.
    Azure,
}

/// Which rules a folder path has to keep.
///
/// | rule | `Strict` | `Lenient` | `Platform` | `PlatformApi`, `Gcs` | `Azure` | `Aws` |
/// |---|---|---|---|---|---|---|
/// | `0-9 A-Z a-z / ! - _ . * ' ( )` | yes | yes | yes | yes | yes | yes |
/// | `" ^ [ ] + $` | no | no | yes | no | no | yes |
/// | `%` | in macros | in macros | yes, but what reads as `%NAME%` must be a macro | in macros | no | in macros |
/// | other characters | no | no | no | no | no | yes, but for control characters |
/// | macros | name and id of the audience | same | same | same | none | all but `FILE_INDEX` |
/// | where | one of three tails | any run at the end | one of three tails | any run at the end | | anywhere |
/// | empty path | yes | yes | no | yes | no | yes |
/// | segments that are empty, `.` or `..` | no | no | yes | yes | yes | no |
///
/// The three tails are those that the platform documents: `/%SEGMENT_NAME%`, `/%SEGMENT_ID%` and
/// `/%SEGMENT_NAME%/%SEGMENT_ID%`, each with or without a slash at the end. At the beginning of the path the tail needs
/// no slash before it.
///
/// `Platform`, `PlatformApi`, `Gcs` and `Azure` accept what the platform accepts, to the letter. That includes paths of
/// which no key can be built; what is delivered is refused for them when the context is checked.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FolderRules {
    /// The characters of the API's pattern and the three documented tails, as far as keys can be built.
    Strict,
    /// What the API's pattern accepts, as far as keys can be built.
    #[default]
    Lenient,
    /// What the platform's user interface says.
    Platform,
    /// The pattern that the platform's API publishes for Amazon S3, no more and no less.
    PlatformApi,
    /// Whatever keys can be built of, with every macro of this crate.
    Aws,
    /// The pattern that the platform's API publishes for Google Cloud Storage: that for Amazon S3.
    Gcs,
    /// The pattern that the platform's API publishes for Azure Blob Storage.
    Azure,
}

/// One thing that is asked of a bucket name, and who asks.
pub(super) struct Asked {
    pub(super) rule: Rule,
    pub(super) by: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// As many characters, both ends included.
    Length(usize, usize),
    /// These characters only.
    Alphabet(fn(char) -> bool, &'static str),
    /// Begins and ends with a letter or digit.
    Edges,
    /// Each part between dots begins and ends with a letter or digit, and is no longer than this.
    Labels(usize),
    /// These two characters do not stand there.
    NoPair(&'static str),
    /// Not four groups of up to three digits.
    NoIpAddress,
    /// Not digits and dots alone.
    NoDottedNumber,
    NoPrefix(&'static [&'static str]),
    NoSuffix(&'static [&'static str]),
    /// `google`, also with zeros.
    NoGoogle,
    /// A name that ends in `-an` is `<prefix>-<account>-<region>-an`.
    AccountNamespace,
    /// `<base name>--<zone>--x-s3`
    Directory,
}

const fn asked(rule: Rule, by: &'static str) -> Asked {
    Asked { rule, by }
}

static PLATFORM: [Asked; 4] = [
    asked(Rule::Length(3, 63), "the platform's bucket rules, rule 1"),
    asked(Rule::Alphabet(is_plain, "a lowercase letter, a digit or a hyphen"), "the platform's bucket rules, rule 3"),
    asked(Rule::Edges, "the platform's bucket rules, rule 2"),
    // Nothing without dots looks like an IP address, but the rule is theirs.
    asked(Rule::NoIpAddress, "the platform's bucket rules, rule 4"),
];

static PLATFORM_API: [Asked; 4] = [
    asked(Rule::Length(3, 63), "the platform's API, pattern of bucketName"),
    asked(
        Rule::Alphabet(is_dotted, "a lowercase letter, a digit, a hyphen or a dot"),
        "the platform's API, pattern of bucketName",
    ),
    asked(Rule::Labels(63), "the platform's API, pattern of bucketName"),
    asked(Rule::NoDottedNumber, "the platform's API, pattern of bucketName"),
];

static AWS: [Asked; 8] = [
    asked(Rule::Length(3, 63), "AWS user guide, bucket naming rules, rule 1"),
    asked(
        Rule::Alphabet(is_dotted, "a lowercase letter, a digit, a hyphen or a dot"),
        "AWS user guide, bucket naming rules, rule 2",
    ),
    asked(Rule::Edges, "AWS user guide, bucket naming rules, rule 3"),
    asked(Rule::NoPair(".."), "AWS user guide, bucket naming rules, rule 4"),
    asked(Rule::NoIpAddress, "AWS user guide, bucket naming rules, rule 5"),
    asked(Rule::NoPrefix(&AWS_PREFIXES), "AWS user guide, bucket naming rules, rule 6"),
    asked(
        Rule::NoSuffix(&["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]),
        "AWS user guide, bucket naming rules, rule 7",
    ),
    // Rule 9, no dots with Transfer Acceleration, is a warning: the bucket works without it.
    asked(Rule::AccountNamespace, "AWS user guide, bucket naming rules, rule 8"),
];

/// `sthree-` covers `sthree-configurator`.
const AWS_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];

// The other banned suffixes need no rule here: the form asks for one suffix.
static AWS_DIRECTORY: [Asked; 5] = [
    asked(Rule::Length(3, 63), "AWS user guide, directory bucket naming rules"),
    asked(
        Rule::Alphabet(is_plain, "a lowercase letter, a digit or a hyphen"),
        "AWS user guide, directory bucket naming rules",
    ),
    asked(Rule::Edges, "AWS user guide, directory bucket naming rules"),
    asked(Rule::NoPrefix(&AWS_PREFIXES), "AWS user guide, directory bucket naming rules"),
    asked(Rule::Directory, "AWS user guide, directory bucket naming rules"),
];

static GCS: [Asked; 6] = [
    asked(Rule::Length(3, 222), "the platform's API, pattern of bucketName for Google Cloud Storage"),
    asked(
        Rule::Alphabet(is_google, "a lowercase letter, a digit, a hyphen, an underscore or a dot"),
        "the platform's API, pattern of bucketName for Google Cloud Storage",
    ),
    asked(Rule::Labels(63), "the platform's API, pattern of bucketName for Google Cloud Storage"),
    asked(Rule::NoDottedNumber, "the platform's API, pattern of bucketName for Google Cloud Storage"),
    asked(Rule::NoPrefix(&["goog"]), "the platform's API, pattern of bucketName for Google Cloud Storage"),
    asked(Rule::NoGoogle, "the platform's API, pattern of bucketName for Google Cloud Storage"),
];

static AZURE: [Asked; 4] = [
    asked(Rule::Length(3, 63), "the platform's API, pattern of the container for Azure Blob Storage"),
    asked(
        Rule::Alphabet(is_plain, "a lowercase letter, a digit or a hyphen"),
        "the platform's API, pattern of the container for Azure Blob Storage",
    ),
    asked(Rule::Edges, "the platform's API, pattern of the container for Azure Blob Storage"),
    asked(Rule::NoPair("--"), "the platform's API, pattern of the container for Azure Blob Storage"),
];

impl BucketRules {
    /// All that is asked, in the order in which faults are reported.
    pub(super) fn asked(self) -> impl Iterator<Item = &'static Asked> {
        let (first, second): (&[Asked], &[Asked]) = match self {
            Self::Strict => (&PLATFORM, &AWS),
            Self::Lenient => (&PLATFORM_API, &AWS),
            Self::Platform => (&PLATFORM, &[]),
            Self::PlatformApi => (&PLATFORM_API, &[]),
            Self::Aws => (&AWS, &[]),
            Self::AwsDirectory => (&AWS_DIRECTORY, &[]),
            Self::Gcs => (&GCS, &[]),
            Self::Azure => (&AZURE, &[]),
        };
        first.iter().chain(second)
    }
}

const fn is_plain(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '-')
}

const fn is_dotted(c: char) -> bool {
    is_plain(c) || c == '.'
}

const fn is_google(c: char) -> bool {
    is_dotted(c) || c == '_'
}

/// What is asked of a folder path: one row of the table.
#[derive(Clone, Copy)]
pub(super) struct FolderAsked {
    pub(super) alphabet: fn(char) -> bool,
    /// The alphabet in words.
    pub(super) allowed: &'static str,
    /// What a percent sign is that opens no macro.
    pub(super) percent: crate::template::Percent,
    pub(super) macros: Macros,
    pub(super) empty: Empty,
    pub(super) segments: Segments,
}

/// Which macros may stand in a folder path, and where.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Macros {
    Anywhere,
    /// Any run of the audience's two macros and slashes, at the end.
    Run,
    /// One of the three tails that are documented.
    Tails,
    Nowhere,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Empty {
    Allowed,
    Refused,
}

/// What segments may be between slashes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Segments {
    /// Such that keys can be built.
    Keyed,
    /// Whatever the alphabet allows.
    Any,
}

/// The characters of the API's pattern: the safe ones of AWS, and the slash.
const PATTERN: &str = "allowed: 0-9 A-Z a-z / ! - _ . * ' ( )";

impl FolderRules {
    pub(super) fn asked(self) -> FolderAsked {
        use crate::template::Percent;

        let pattern = FolderAsked {
            alphabet: is_pattern,
            allowed: PATTERN,
            percent: Percent::Macro,
            macros: Macros::Run,
            empty: Empty::Allowed,
            segments: Segments::Any,
        };
        match self {
            Self::PlatformApi | Self::Gcs => pattern,
            Self::Lenient => FolderAsked { segments: Segments::Keyed, ..pattern },
            Self::Strict => FolderAsked { macros: Macros::Tails, segments: Segments::Keyed, ..pattern },
            Self::Platform => FolderAsked {
                alphabet: is_prose,
                allowed: "allowed: 0-9 A-Z a-z / ! - _ . ' ( ) \" ^ [ ] + $ % *",
                percent: Percent::Text,
                macros: Macros::Tails,
                empty: Empty::Refused,
                ..pattern
            },
            Self::Azure => FolderAsked { macros: Macros::Nowhere, empty: Empty::Refused, ..pattern },
            Self::Aws => FolderAsked {
                alphabet: |c| !c.is_control(),
                allowed: "allowed: all characters but U+0000 to U+001F and U+007F to U+009F",
                macros: Macros::Anywhere,
                segments: Segments::Keyed,
                ..pattern
            },
        }
    }
}

const fn is_pattern(c: char) -> bool {
    is_safe(c) || c == '/'
}

const fn is_prose(c: char) -> bool {
    is_pattern(c) || matches!(c, '"' | '^' | '[' | ']' | '+' | '$' | '%')
}
