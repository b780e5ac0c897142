//! The ARNs of the AWS resources that a destination names: the role that is assumed, the key that encrypts at rest.

use std::borrow::Cow;
use std::fmt;

use crate::Span;
use crate::span::Caret;

/// The part of AWS in which a bucket, a role or a key lives; names are unique in each.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Partition {
    /// The commercial regions: `aws`.
    #[default]
    Aws,
    /// The regions in China: `aws-cn`.
    AwsCn,
    /// The regions of the government of the United States: `aws-us-gov`.
    AwsUsGov,
}

impl Partition {
    /// Every partition.
    pub const ALL: [Self; 3] = [Self::Aws, Self::AwsCn, Self::AwsUsGov];

    /// The name of the partition, as it stands in an ARN.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an ARN of either kind begins with: `arn:partition:service:region:account:`.
pub(super) struct Head {
    pub(super) partition: Partition,
    pub(super) region: Span,
    pub(super) account: Span,
    /// Where the resource begins.
    pub(super) end: usize,
}

/// Which part of an ARN is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) rule: Cow<'static, str>,
    pub(super) span: Span,
}

impl Fault {
    pub(super) fn new(rule: impl Into<Cow<'static, str>>, span: Span) -> Self {
        Self { rule: rule.into(), span }
    }
}

/// Cuts off the five parts before the resource, and checks those that every ARN shares ("Identify AWS resources with
/// Amazon Resource Names", format).
pub(super) fn parse_head(text: &str, service: &str) -> Result<Head, Fault> {
    let mut parts = [Span::default(); 5];
    let mut at = 0;
    for part in &mut parts {
        let Some(length) = text[at..].find(':') else {
            return Err(Fault::new("expected `arn:partition:service:region:account:resource`", at_end(text)));
        };
        *part = Span::new(at, at + length);
        at += length + 1;
    }
    let [arn, partition_span, service_span, region, account] = parts;
    if &text[arn.range()] != "arn" {
        return Err(Fault::new("expected `arn`", arn));
    }
    let Some(partition) = Partition::ALL.into_iter().find(|p| p.as_str() == &text[partition_span.range()]) else {
        return Err(Fault::new("expected the partition `aws`, `aws-cn` or `aws-us-gov`", partition_span));
    };
    if &text[service_span.range()] != service {
        return Err(Fault::new(format!("expected the service `{service}`"), service_span));
    }
    let digits = &text[account.range()];
    if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::new("expected an account number of 12 digits", account));
    }
    Ok(Head { partition, region, account, end: at })
}

fn at_end(text: &str) -> Span {
    Span::new(text.len(), text.len())
}

/// The ARN of a KMS key: `arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`.
///
/// # Rules
///
/// - The partition is `aws`, `aws-cn` or `aws-us-gov`, the service `kms`.
/// - The region is lowercase letters, digits and hyphens; the account has 12 digits.
/// - The resource is `key/` and a key id of lowercase letters, digits and hyphens (a UUID, or `mrk-` and 32 hexadecimal
///   digits). An alias is refused, since a policy that names an alias as its resource allows nothing.
///
/// ```
/// use consign::destination::arn::{KmsKeyArn, Partition};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = KmsKeyArn::parse("arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab")?;
/// assert_eq!(key.partition(), Partition::AwsCn);
///
/// let error = KmsKeyArn::parse("arn:aws:kms:eu-west-1:111122223333:alias/exports").unwrap_err();
/// assert_eq!(
///     format!("{error:#}"),
///     "invalid KMS key `arn:aws:kms:eu-west-1:111122223333:alias/exports`: expected `key/` and a key id, no alias
/// arn:aws:kms:eu-west-1:111122223333:alias/exports
///                                    ^^^^^^^^^^^^^"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct KmsKeyArn {
    text: String,
    partition: Partition,
}

impl KmsKeyArn {
    /// Reads the ARN of a key.
    ///
    /// # Errors
    ///
    /// When the text breaks one of the rules.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        Self::partition_of(text)
            .map(|partition| Self { text: text.to_owned(), partition })
            .map_err(|fault| ArnError { input: text.to_owned(), fault })
    }

    fn partition_of(text: &str) -> Result<Partition, Fault> {
        let of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let head = parse_head(text, "kms")?;
        let region = &text[head.region.range()];
        if region.is_empty() || !region.bytes().all(of_id) {
            return Err(Fault::new("expected a region", head.region));
        }
        let resource = Span::new(head.end, text.len());
        let Some(id) = text[head.end..].strip_prefix("key/") else {
            return Err(Fault::new("expected `key/` and a key id, no alias", resource));
        };
        if id.is_empty() || !id.bytes().all(of_id) {
            let span = Span::new(head.end + "key/".len(), text.len());
            return Err(Fault::new("a key id has lowercase letters, digits and hyphens", span));
        }
        Ok(head.partition)
    }

    /// The ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition in which the key lives.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }
}

impl fmt::Display for KmsKeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text is no ARN of a key. `{}` is one line; `{:#}` adds the text with carets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArnError {
    input: String,
    fault: Fault,
}

impl ArnError {
    /// The bytes at fault.
    #[must_use]
    pub fn span(&self) -> Span {
        self.fault.span
    }
}

impl fmt::Display for ArnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid KMS key `{}`: {}", self.input.escape_debug(), self.fault.rule)?;
        if f.alternate() {
            write!(f, "\n{}", Caret { text: &self.input, span: self.fault.span })?;
        }
        Ok(())
    }
}

impl std::error::Error for ArnError {}

impl From<ArnError> for crate::Error {
    fn from(error: ArnError) -> Self {
        Self::new(crate::ErrorKind::Destination, "the key that encrypts at rest is wrong").with_source(error)
    }
}
