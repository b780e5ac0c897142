//! Names of buckets.

use std::fmt;

use super::rules::{Asked, Rule};
use super::text::text_type;
use super::{BucketNameError, BucketNameErrorKind, BucketRules};
use crate::Span;
use crate::template::Leaf;

/// The name of a bucket, or of a container where the store calls it so.
///
/// # Rules
///
/// By default, [`BucketRules::Strict`], a name is what the platform's user interface and AWS both accept:
///
/// - 3 to 63 characters, which are lowercase letters, digits and hyphens;
/// - a letter or digit at both ends;
/// - not in the form of an IP address;
/// - not beginning with `xn--`, `sthree-` or `amzn-s3-demo-`;
/// - not ending in `-s3alias`, `--ol-s3`, `.mrap`, `--x-s3` or `--table-s3`;
/// - ending in `-an` only in the form `<prefix>-<12-digit account>-<region>-an`.
///
/// Names with dots are refused, since the platform's user interface refuses them; its API and AWS take them. To have
/// dots, parse with [`BucketRules::Lenient`]. That names are unique cannot be seen from a name.
///
/// serde reads names by the default rules, whatever rules the name that it wrote was parsed by: of a name with dots,
/// read a `String` and parse it.
///
/// # Example
///
/// ```
/// use consign::location::{BucketName, BucketRules};
///
/// let bucket: BucketName = "my-bucket".parse()?;
/// assert_eq!(bucket.as_str(), "my-bucket");
///
/// let error = BucketName::parse("my.bucket").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "expected a lowercase letter, a digit or a hyphen, found `.` at byte 2 of the bucket name"
/// );
/// assert!(BucketName::parse_with("my.bucket", BucketRules::Lenient).is_ok());
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BucketName(String);

text_type!(BucketName, BucketNameError);

impl BucketName {
    /// Parses a name by [`BucketRules::Strict`].
    ///
    /// # Errors
    ///
    /// - `ab`: too short.
    /// - `my_bucket`, `MyBucket`, `my.bucket`: a character that is not allowed.
    /// - `-abc`, `abc-`: a hyphen at an end.
    /// - `xn--abc`, `abc-s3alias`: reserved.
    pub fn parse(text: &str) -> Result<Self, BucketNameError> {
        Self::parse_with(text, BucketRules::Strict)
    }

    /// Parses a name by the rules that are named.
    ///
    /// # Errors
    ///
    /// What the [rules](BucketRules) refuse.
    pub fn parse_with(text: &str, rules: BucketRules) -> Result<Self, BucketNameError> {
        for asked in rules.asked() {
            asked.check(text)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is legal but not advised.
    ///
    /// ```
    /// use consign::location::{BucketName, BucketRules};
    ///
    /// let bucket = BucketName::parse_with("www.example.com", BucketRules::Lenient)?;
    /// assert_eq!(
    ///     bucket.warnings()[0].to_string(),
    ///     "dots in a bucket name: TLS certificates do not match it as a host name, and it cannot use transfer acceleration"
    /// );
    /// # Ok::<(), consign::Error>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<BucketWarning> {
        if self.0.contains('.') { vec![BucketWarning::Dots] } else { Vec::new() }
    }
}

/// Something about a bucket name that is legal, but not advised.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BucketWarning {
    /// It has dots (AWS user guide, bucket naming rules, rule 9 and best practices).
    Dots,
}

impl fmt::Display for BucketWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dots => f.write_str(
                "dots in a bucket name: TLS certificates do not match it as a host name, and it cannot use transfer \
                 acceleration",
            ),
        }
    }
}

impl Asked {
    fn check(&self, text: &str) -> Result<(), BucketNameError> {
        use BucketNameErrorKind::{Character, Form, IpAddress, Length, Repeated, Reserved};

        let whole = Span::new(0, text.len());
        match self.rule {
            Rule::Length(min, max) => {
                let count = text.chars().count();
                if (min..=max).contains(&count) {
                    return Ok(());
                }
                let from = text.char_indices().nth(max).map_or(0, |(at, _)| at);
                let message = format!("expected {min} to {max} characters, found {count} in the bucket name");
                Err(self.fault(Length, text, Span::new(from, text.len()), message))
            }
            Rule::Alphabet(allowed, words) => match text.char_indices().find(|(_, c)| !allowed(*c)) {
                None => Ok(()),
                Some((at, c)) => Err(self.fault_at(Character, text, at, words, Some(c))),
            },
            Rule::Edges => self.check_edges(text, whole),
            Rule::Labels(max) => {
                let mut at = 0;
                for label in text.split('.') {
                    let span = Span::new(at, at + label.len());
                    self.check_edges(text, span)?;
                    if label.len() > max {
                        let message = format!(
                            "expected no more than {max} characters between dots, found {} from byte {at} of the bucket name",
                            label.len()
                        );
                        return Err(self.fault(Length, text, span, message));
                    }
                    at += label.len() + 1;
                }
                Ok(())
            }
            Rule::NoPair(pair) => match text.find(pair) {
                None => Ok(()),
                Some(at) => {
                    let message = format!("expected no `{pair}`, found one at byte {at} of the bucket name");
                    Err(self.fault(Repeated, text, Span::new(at, at + pair.len()), message))
                }
            },
            Rule::NoIpAddress if is_ip_address(text) => {
                let message = format!("expected no IP address, found `{text}` as the bucket name");
                Err(self.fault(IpAddress, text, whole, message))
            }
            Rule::NoDottedNumber if text.contains('.') && text.bytes().all(|b| b == b'.' || b.is_ascii_digit()) => {
                let message =
                    format!("expected a letter or a hyphen among digits and dots, found `{text}` as the bucket name");
                Err(self.fault(IpAddress, text, whole, message))
            }
            Rule::NoPrefix(prefixes) => match prefixes.iter().find(|it| text.starts_with(**it)) {
                None => Ok(()),
                Some(prefix) => {
                    let message = format!("expected no reserved prefix, found `{prefix}` at byte 0 of the bucket name");
                    Err(self.fault(Reserved, text, Span::new(0, prefix.len()), message))
                }
            },
            Rule::NoSuffix(suffixes) => match suffixes.iter().find(|it| text.ends_with(**it)) {
                None => Ok(()),
                Some(suffix) => {
                    let at = text.len() - suffix.len();
                    let message =
                        format!("expected no reserved suffix, found `{suffix}` at byte {at} of the bucket name");
                    Err(self.fault(Reserved, text, Span::new(at, text.len()), message))
                }
            },
            Rule::NoGoogle => match find_google(text) {
                None => Ok(()),
                Some(span) => {
                    let message = format!(
                        "expected no `google`, found `{}` at byte {} of the bucket name",
                        &text[span.range()],
                        span.start()
                    );
                    Err(self.fault(Reserved, text, span, message))
                }
            },
            Rule::AccountNamespace if text.ends_with("-an") && !is_account_namespace(text) => {
                let message = format!(
                    "expected `<prefix>-<12-digit account>-<region>-an`, since the suffix `-an` is reserved, found `{text}` as the bucket name"
                );
                Err(self.fault(Reserved, text, Span::new(text.len() - 3, text.len()), message))
            }
            Rule::Directory if !is_directory(text) => {
                let message =
                    format!("expected `<base name>--<zone>--x-s3`, found `{text}` as the name of the directory bucket");
                Err(self.fault(Form, text, whole, message))
            }
            Rule::NoIpAddress | Rule::NoDottedNumber | Rule::AccountNamespace | Rule::Directory => Ok(()),
        }
    }

    /// The part of the name begins and ends with a letter or digit.
    fn check_edges(&self, text: &str, part: Span) -> Result<(), BucketNameError> {
        let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let words = "a lowercase letter or a digit";
        let mut chars = text[part.range()].char_indices();
        let Some((first, c)) = chars.next() else {
            let found = text[part.start()..].chars().next();
            return Err(self.fault_at(BucketNameErrorKind::Edge, text, part.start(), words, found));
        };
        if !is_edge(c) {
            return Err(self.fault_at(BucketNameErrorKind::Edge, text, part.start() + first, words, Some(c)));
        }
        match chars.next_back() {
            Some((last, c)) if !is_edge(c) => {
                Err(self.fault_at(BucketNameErrorKind::Edge, text, part.start() + last, words, Some(c)))
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn fault_at(
        &self,
        kind: BucketNameErrorKind,
        text: &str,
        at: usize,
        expected: &str,
        found: Option<char>,
    ) -> BucketNameError {
        let (found, width) = match found {
            Some(c) => (format!("`{}`", c.escape_debug()), c.len_utf8()),
            None => ("the end".to_owned(), 0),
        };
        let message = format!("expected {expected}, found {found} at byte {at} of the bucket name");
        self.fault(kind, text, Span::new(at, at + width), message)
    }

    #[cold]
    fn fault(&self, kind: BucketNameErrorKind, text: &str, span: Span, message: String) -> BucketNameError {
        Leaf::new(kind, text, span, message, format!("rule: {}", self.by)).into()
    }
}

/// Four groups of one to three digits, whatever their value: `999.999.999.999` is formatted as an address, too.
fn is_ip_address(text: &str) -> bool {
    let mut groups = 0;
    for group in text.split('.') {
        if !(1..=3).contains(&group.len()) || !group.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        groups += 1;
    }
    groups == 4
}

/// `google` in which each `o` may be a zero.
fn find_google(text: &str) -> Option<Span> {
    let at = text
        .as_bytes()
        .windows(6)
        .position(|window| matches!(window, [b'g', b'o' | b'0', b'o' | b'0', b'g', b'l', b'e']))?;
    Some(Span::new(at, at + 6))
}

/// `<prefix>-<12-digit account>-<region>-an`, where a region is like `us-west-2` or `us-gov-west-1`.
fn is_account_namespace(text: &str) -> bool {
    let Some(rest) = text.strip_suffix("-an") else { return false };
    let parts: Vec<&str> = rest.split('-').collect();
    // The region is the number, the words before it up to the account, and there is a prefix before that.
    let Some((number, words)) = parts.split_last() else { return false };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let is_word = |part: &&&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let count = words.iter().rev().take_while(is_word).count();
    let Some((account, prefix)) = words[..words.len() - count].split_last() else { return false };
    count >= 2 && account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && !prefix.is_empty()
}

/// `<base name>--<zone>--x-s3`, where a zone is like `usw2-az1` or `usw2-lax1-az1`.
fn is_directory(text: &str) -> bool {
    let Some(rest) = text.strip_suffix("--x-s3") else { return false };
    let Some((base, zone)) = rest.rsplit_once("--") else { return false };
    let is_edge = |c: char| c != '-';
    // The name's own edges have been looked at: these are the ones at the two hyphens.
    base.ends_with(is_edge) && zone.starts_with(is_edge) && zone.ends_with(is_edge)
}
