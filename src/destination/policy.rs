//! The IAM policy that lets a destination be delivered to, and allows nothing more.

use std::fmt;

use serde::Serialize;

use super::arn::{KmsKeyArn, Partition};
use crate::location::{BucketName, FolderPath};
use crate::template::Item;

/// A least-privilege IAM policy for the credentials of one destination.
///
/// # Statements
///
/// | statement | resource | actions |
/// |---|---|---|
/// | `DeliverFiles` | the objects below the folder | `s3:AbortMultipartUpload`, `s3:DeleteObject`, `s3:GetObject`, `s3:ListMultipartUploadParts`, `s3:PutObject` |
/// | `CheckBucket` | the bucket | `s3:GetBucketLocation`, `s3:ListBucket`, `s3:ListBucketMultipartUploads` |
/// | `UseKey` | the KMS key, if one is given | `kms:Decrypt`, `kms:GenerateDataKey*` |
///
/// - The actions are those that the platform lists, and those that aborting and listing uploads need on top
///   (`s3:AbortMultipartUpload`, `s3:ListBucketMultipartUploads`; S3 user guide, multipart upload and permissions).
/// - `s3:GetBucketLocation` stands on the bucket, where AWS looks for it; the platform's sample has it on the objects,
///   where it allows nothing.
/// - `s3:ListBucket` is not narrowed to the folder by a condition on `s3:prefix`: such a condition does not hold while
///   one object is asked for, and then S3 answers that a missing object is forbidden instead of not found.
/// - A folder that holds macros is cut before the first: `acme/%SEGMENT_ID%` allows `acme/*`. Characters of the folder
///   that mean more in a policy are escaped: `*`, `?` and `$` become `${*}`, `${?}` and `${$}`.
///
/// # Example
///
/// ```
/// use consign::destination::policy::Policy;
/// use consign::location::{BucketName, FolderPath};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bucket = BucketName::parse("acme-exports")?;
/// let folder = FolderPath::parse("campaigns/2021/%SEGMENT_ID%")?;
/// let policy = Policy::builder(&bucket, &folder).build()?;
/// assert_eq!(
///     policy.to_string(),
///     r#"{
///   "Version": "2012-10-17",
///   "Statement": [
///     {
///       "Sid": "DeliverFiles",
///       "Effect": "Allow",
///       "Action": [
///         "s3:AbortMultipartUpload",
///         "s3:DeleteObject",
///         "s3:GetObject",
///         "s3:ListMultipartUploadParts",
///         "s3:PutObject"
///       ],
///       "Resource": "arn:aws:s3:::acme-exports/campaigns/2021/*"
///     },
///     {
///       "Sid": "CheckBucket",
///       "Effect": "Allow",
///       "Action": [
///         "s3:GetBucketLocation",
///         "s3:ListBucket",
///         "s3:ListBucketMultipartUploads"
///       ],
///       "Resource": "arn:aws:s3:::acme-exports"
///     }
///   ]
/// }"#
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Policy {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: &'static [&'static str],
    resource: String,
}

/// The version of the policy language, which has no later one; without it, `${*}` would not be an escape.
const VERSION: &str = "2012-10-17";

const ON_OBJECTS: &[&str] =
    &["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"];

const ON_BUCKET: &[&str] = &["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"];

const ON_KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey*"];

impl Policy {
    /// Begins the policy for what is delivered to a folder of a bucket.
    pub fn builder(bucket: &BucketName, folder: &FolderPath) -> PolicyBuilder {
        PolicyBuilder {
            bucket: bucket.as_str().to_owned(),
            prefix: escape(&literal_prefix(folder)),
            partition: None,
            kms_key: None,
        }
    }
}

impl fmt::Display for Policy {
    /// The policy document: JSON, indented by two spaces, as the console takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

/// Collects what a [`Policy`] is for.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct PolicyBuilder {
    bucket: String,
    prefix: String,
    partition: Option<Partition>,
    kms_key: Option<KmsKeyArn>,
}

impl PolicyBuilder {
    /// In which partition the bucket lives; unless set, that of the KMS key, or `aws` without a key.
    pub fn with_partition(mut self, partition: Partition) -> Self {
        self.partition = Some(partition);
        self
    }

    /// The KMS key that encrypts the bucket's objects at rest; none unless set.
    pub fn with_kms_key(mut self, key: KmsKeyArn) -> Self {
        self.kms_key = Some(key);
        self
    }

    /// Writes the statements.
    ///
    /// # Errors
    ///
    /// When the KMS key lives in another partition than the bucket.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let Self { bucket, prefix, partition, kms_key } = self;
        let of_key = kms_key.as_ref().map(KmsKeyArn::partition);
        let partition = partition.or(of_key).unwrap_or_default();
        if let Some(key) = of_key.filter(|&of_key| of_key != partition) {
            return Err(PolicyError { bucket: partition, key });
        }
        let allow = |sid, action, resource| Statement { sid, effect: "Allow", action, resource };
        let mut statements = vec![
            allow("DeliverFiles", ON_OBJECTS, format!("arn:{partition}:s3:::{bucket}/{prefix}*")),
            allow("CheckBucket", ON_BUCKET, format!("arn:{partition}:s3:::{bucket}")),
        ];
        statements.extend(kms_key.map(|key| allow("UseKey", ON_KEY, key.to_string())));
        Ok(Policy { version: VERSION, statements })
    }
}

/// What every key in the folder begins with: the text before its first macro. Where there is none, the folder itself
/// with the slash that ends it, so that `acme` does not allow `acme2`.
fn literal_prefix(folder: &FolderPath) -> String {
    let mut items = folder.template().items();
    let mut prefix = match items.next() {
        Some(Item::Text(text)) => text.trim_start_matches('/').to_owned(),
        _ => return String::new(),
    };
    if items.next().is_none() && !prefix.is_empty() && !prefix.ends_with('/') {
        prefix.push('/');
    }
    prefix
}

/// The wildcards and variables of a policy's resource, as themselves (IAM user guide, policy variables).
fn escape(literal: &str) -> String {
    let mut text = String::with_capacity(literal.len());
    for c in literal.chars() {
        match c {
            '*' => text.push_str("${*}"),
            '?' => text.push_str("${?}"),
            '$' => text.push_str("${$}"),
            _ => text.push(c),
        }
    }
    text
}

/// The KMS key lives in another partition than the bucket, so no policy could allow both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyError {
    bucket: Partition,
    key: Partition,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the KMS key is of partition `{}`, the bucket of `{}`", self.key, self.bucket)
    }
}

impl std::error::Error for PolicyError {}

impl From<PolicyError> for crate::Error {
    fn from(error: PolicyError) -> Self {
        Self::new(crate::ErrorKind::Destination, "the policy cannot be written").with_source(error)
    }
}
