//! What a connection logs in with: an access key, or a role to assume.
//!
//! None of these types implements `Display` or `Serialize`, their `Debug` is masked, and their errors never repeat what
//! was parsed: the text leaves through methods whose name says so.

use std::fmt;

use super::arn::{Fault, Partition, parse_head};
use crate::Span;

/// How a connection logs in.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Credentials {
    /// An access key and its secret; the platform's `Access Key`.
    AccessKey {
        /// Which key.
        id: AccessKeyId,
        /// Its secret.
        secret: SecretAccessKey,
    },
    /// A role that the platform's account assumes; the platform's `Assumed Role`.
    AssumedRole {
        /// Which role.
        role: RoleArn,
        /// What the caller passes as `sts:ExternalId`, so that no other customer of the caller can use the role.
        external_id: Option<ExternalId>,
    },
}

/// The id of an access key: 20 characters from `A-Z` and `2-7` (the platform's pattern `^[A-Z2-7]{20}$`).
///
/// ```
/// use consign::destination::credentials::AccessKeyId;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let id = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE")?;
/// assert_eq!(id.reveal(), "AKIAIOSFODNN7EXAMPLE");
/// assert_eq!(format!("{id:?}"), "AccessKeyId(..)");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct AccessKeyId(String);

/// The secret of an access key: 40 characters from `A-Z`, `a-z`, `0-9`, `/` and `+` (the platform's pattern
/// `^[A-Za-z0-9\/\+]{40}$`).
#[derive(Clone, Eq, PartialEq)]
pub struct SecretAccessKey(String);

/// The ARN of an IAM role: `arn:aws:iam::800873819705:role/destinations-role-customer`.
///
/// # Rules
///
/// - The partition is `aws`, `aws-cn` or `aws-us-gov`; the service is `iam`, which has no region; the account has 12
///   digits.
/// - The resource is `role/`, then an optional path (printable ASCII, between slashes; 512 bytes with them), then the
///   name.
/// - The name has 1 to 64 characters: letters and digits of ASCII, and `+ = , . @ - _` (IAM user guide, name
///   requirements).
#[derive(Clone, Eq, PartialEq)]
pub struct RoleArn {
    text: String,
    partition: Partition,
    account: Span,
    name: usize,
}

/// The external id of a role's trust policy: 2 to 1,224 characters, letters and digits of ASCII and `_ + = , . @ : / -`
/// (STS API reference, `AssumeRole`, `ExternalId`).
#[derive(Clone, Eq, PartialEq)]
pub struct ExternalId(String);

impl AccessKeyId {
    /// Reads the id of an access key.
    ///
    /// # Errors
    ///
    /// When it has not 20 characters, or one that no id has.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        ACCESS_KEY.check(text, 0)?;
        Ok(Self(text.to_owned()))
    }

    /// The id itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl SecretAccessKey {
    /// Reads the secret of an access key.
    ///
    /// # Errors
    ///
    /// When it has not 40 characters, or one that no secret has.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        SECRET_KEY.check(text, 0)?;
        Ok(Self(text.to_owned()))
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl RoleArn {
    /// Reads the ARN of a role.
    ///
    /// # Errors
    ///
    /// When the text breaks one of the rules.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let kind = CredentialErrorKind::Role;
        let fault =
            |fault: Fault| CredentialError { kind, text: format!("a role ARN: {}", fault.rule), span: fault.span };

        let head = parse_head(text, "iam").map_err(fault)?;
        if !head.region.range().is_empty() {
            return Err(fault(Fault::new("expected no region", head.region)));
        }
        let Some(resource) = text[head.end..].strip_prefix("role/") else {
            let span = Span::new(head.end, text.len());
            return Err(fault(Fault::new("expected `role/` and the name of the role", span)));
        };
        let resource_at = text.len() - resource.len();
        let name = resource_at + resource.rfind('/').map_or(0, |slash| slash + 1);
        // The path begins with the slash of `role/`.
        let path = Span::new(resource_at - 1, name);
        if path.range().len() > 512 || !text[path.range()].bytes().all(|byte| byte.is_ascii_graphic()) {
            let rule = "the path of a role has at most 512 characters of printable ASCII";
            return Err(fault(Fault::new(rule, path)));
        }
        ROLE_NAME.check(text, name)?;
        Ok(Self { text: text.to_owned(), partition: head.partition, account: head.account, name })
    }

    /// The ARN itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The partition in which the role lives.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The account that owns the role, 12 digits.
    #[must_use]
    pub fn reveal_account(&self) -> &str {
        &self.text[self.account.range()]
    }

    /// The name of the role, without its path.
    #[must_use]
    pub fn reveal_name(&self) -> &str {
        &self.text[self.name..]
    }
}

impl ExternalId {
    /// Reads an external id.
    ///
    /// # Errors
    ///
    /// When it has fewer than 2 or more than 1,224 characters, or one that no external id has.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        EXTERNAL_ID.check(text, 0)?;
        Ok(Self(text.to_owned()))
    }

    /// The id itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Which characters a credential has, and how many.
struct Rule {
    kind: CredentialErrorKind,
    what: &'static str,
    least: usize,
    most: usize,
    allowed: fn(char) -> bool,
    set: &'static str,
}

const ACCESS_KEY: Rule = Rule {
    kind: CredentialErrorKind::AccessKey,
    what: "an access key",
    least: 20,
    most: 20,
    allowed: |c| matches!(c, 'A'..='Z' | '2'..='7'),
    set: "`A-Z` and `2-7`",
};

const SECRET_KEY: Rule = Rule {
    kind: CredentialErrorKind::SecretKey,
    what: "a secret key",
    least: 40,
    most: 40,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '/' | '+'),
    set: "`A-Z`, `a-z`, `0-9`, `/` and `+`",
};

const ROLE_NAME: Rule = Rule {
    kind: CredentialErrorKind::Role,
    what: "the name of a role",
    least: 1,
    most: 64,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | ',' | '.' | '@' | '-' | '_'),
    set: "`A-Z`, `a-z`, `0-9` and `+=,.@-_`",
};

const EXTERNAL_ID: Rule = Rule {
    kind: CredentialErrorKind::ExternalId,
    what: "an external id",
    least: 2,
    most: 1224,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | ':' | '/' | '-'),
    set: "`A-Z`, `a-z`, `0-9` and `_+=,.@:/-`",
};

impl Rule {
    /// Checks the text that begins at the byte `from` of what was parsed, and goes to its end.
    fn check(&self, input: &str, from: usize) -> Result<(), CredentialError> {
        let Self { kind, what, least, most, allowed, set } = *self;
        let found = &input[from..];
        if let Some((at, c)) = found.char_indices().find(|&(_, c)| !allowed(c)) {
            let at = from + at;
            let text = format!("{what} has only characters from {set}: found another at byte {at}");
            return Err(CredentialError { kind, text, span: Span::new(at, at + c.len_utf8()) });
        }
        if !(least..=most).contains(&found.len()) {
            let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let text = format!("{what} has {expected} characters: found {}", found.len());
            return Err(CredentialError { kind, text, span: Span::new(from, input.len()) });
        }
        Ok(())
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKeyId(..)")
    }
}

impl fmt::Debug for SecretAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretAccessKey(..)")
    }
}

impl fmt::Debug for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleArn(..)")
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(..)")
    }
}

/// A text is no credential of its kind; what it is never stands in the error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialError {
    kind: CredentialErrorKind,
    text: String,
    span: Span,
}

/// Which credential was wrong.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CredentialErrorKind {
    /// The id of an access key.
    AccessKey,
    /// The secret of an access key.
    SecretKey,
    /// The ARN of a role.
    Role,
    /// The external id of a role.
    ExternalId,
}

impl CredentialError {
    /// Which credential was wrong.
    #[must_use]
    pub fn kind(&self) -> CredentialErrorKind {
        self.kind
    }

    /// The bytes at fault.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CredentialError {}

impl From<CredentialError> for crate::Error {
    fn from(error: CredentialError) -> Self {
        Self::new(crate::ErrorKind::Destination, "the credentials are wrong").with_source(error)
    }
}
