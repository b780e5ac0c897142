//! The base connection: how to log in, and whether files are encrypted.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::leaf::{Leaf, Object, Text};
use super::{EncryptionSpec, PlatformError, Show, read};
use crate::destination::credentials::{AccessKeyId, Credentials, RoleArn, SecretAccessKey};

/// The platform's base connection to a bucket.
///
/// | field | values |
/// |---|---|
/// | `name`, `description` | any text; may be absent |
/// | `auth.specName` | `Access Key` or `Assumed Role`; may be absent where `params` tell |
/// | `auth.params` | `s3AccessKey` and `s3SecretKey`, or `s3Role` |
/// | `encryption` | an [`EncryptionSpec`]; may be absent |
/// | `connectionSpec` | `id` and `version`; may be absent |
///
/// What the platform adds in its answers (`id`, `etag`, `createdAt` and the like) is read over and not written.
///
/// ```
/// use consign::destination::credentials::Credentials;
/// use consign::destination::platform::BaseConnection;
///
/// let base = BaseConnection::parse(
///     r#"{
///         "name": "exports",
///         "auth": {"specName": "Assumed Role", "params": {"s3Role": "arn:aws:iam::800873819705:role/exports"}}
///     }"#,
/// )?;
/// let Credentials::AssumedRole { role, .. } = base.credentials() else { unreachable!() };
/// assert_eq!(role.reveal_name(), "exports");
/// assert!(!format!("{base:?}").contains("800873819705"));
///
/// let error = BaseConnection::parse(r#"{"auth": {"params": {"s3Role": "arn:aws:iam::80:role/x"}}}"#).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "auth.params.s3Role: a role ARN: expected an account number of 12 digits at line 1 column 32"
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(from = "Object<Raw>")]
pub struct BaseConnection {
    name: Option<String>,
    description: Option<String>,
    credentials: Credentials,
    encryption: Option<EncryptionSpec>,
    spec: Option<ConnectionSpec>,
}

/// Which connector of the platform a connection uses.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Object<RawConnectionSpec>")]
pub struct ConnectionSpec {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConnectionSpec {
    id: String,
    version: Option<String>,
}

impl From<Object<RawConnectionSpec>> for ConnectionSpec {
    fn from(Object(raw): Object<RawConnectionSpec>) -> Self {
        Self { id: raw.id, version: raw.version }
    }
}

impl ConnectionSpec {
    /// The id of the connector.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its version, such as `1.0`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

super::in_envelope! {
    struct Raw {
        name: Option<String>,
        description: Option<String>,
        auth: Auth,
        encryption: Option<EncryptionSpec>,
        connection_spec: Option<ConnectionSpec>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    auth: RawAuth,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption: Option<&'a EncryptionSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_spec: Option<&'a ConnectionSpec>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawAuth {
    spec_name: Option<Text<Method>>,
    params: Object<RawParams>,
}

/// How to log in, once it is known that the params are those of the method.
#[derive(Deserialize)]
#[serde(try_from = "Object<RawAuth>")]
struct Auth(Credentials);

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawParams {
    #[serde(rename = "s3AccessKey", skip_serializing_if = "Option::is_none")]
    access_key: Option<Text<AccessKeyId>>,
    #[serde(rename = "s3SecretKey", skip_serializing_if = "Option::is_none")]
    secret_key: Option<Text<SecretAccessKey>>,
    #[serde(rename = "s3Role", skip_serializing_if = "Option::is_none")]
    role: Option<Text<RoleArn>>,
}

/// The name of an auth spec.
#[derive(Clone, Copy, PartialEq)]
enum Method {
    AccessKey,
    AssumedRole,
}

impl Leaf for Method {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "Access Key" => Ok(Self::AccessKey),
            "Assumed Role" => Ok(Self::AssumedRole),
            _ => Err("expected `Access Key` or `Assumed Role`".into()),
        }
    }

    fn write(&self) -> Cow<'_, str> {
        match self {
            Self::AccessKey => "Access Key".into(),
            Self::AssumedRole => "Assumed Role".into(),
        }
    }
}

impl Leaf for AccessKeyId {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.reveal().into()
    }
}

impl Leaf for SecretAccessKey {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.reveal().into()
    }
}

impl Leaf for RoleArn {
    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> Cow<'_, str> {
        self.reveal().into()
    }
}

impl BaseConnection {
    /// Reads the connection from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown, missing, or has a value that it cannot have. No value is repeated.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::NoValues)
    }

    /// Writes the connection as JSON, **with its secrets**: this is what the platform's API is sent.
    #[must_use]
    pub fn to_json_with_secrets(&self) -> String {
        let (method, params) = match &self.credentials {
            Credentials::AccessKey { id, secret } => {
                let (access_key, secret_key) = (Some(Text(id.clone())), Some(Text(secret.clone())));
                (Method::AccessKey, RawParams { access_key, secret_key, role: None })
            }
            Credentials::AssumedRole { role, external_id: _ } => {
                (Method::AssumedRole, RawParams { role: Some(Text(role.clone())), ..RawParams::default() })
            }
        };
        super::write(&Written {
            name: self.name(),
            description: self.description(),
            auth: RawAuth { spec_name: Some(Text(method)), params: Object(params) },
            encryption: self.encryption(),
            connection_spec: self.connection_spec(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// How it logs in. A role has no external id here: the platform passes the id of its customer's organization.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How files are encrypted, if it says so.
    #[must_use]
    pub fn encryption(&self) -> Option<&EncryptionSpec> {
        self.encryption.as_ref()
    }

    /// Which connector it uses.
    #[must_use]
    pub fn connection_spec(&self) -> Option<&ConnectionSpec> {
        self.spec.as_ref()
    }
}

impl From<Object<Raw>> for BaseConnection {
    fn from(Object(raw): Object<Raw>) -> Self {
        let Raw { name, description, auth, encryption, connection_spec, .. } = raw;
        Self { name, description, credentials: auth.0, encryption, spec: connection_spec }
    }
}

impl TryFrom<Object<RawAuth>> for Auth {
    type Error = &'static str;

    fn try_from(Object(raw): Object<RawAuth>) -> Result<Self, &'static str> {
        let (method, credentials) = match raw.params.0 {
            RawParams { access_key: Some(id), secret_key: Some(secret), role: None } => {
                (Method::AccessKey, Credentials::AccessKey { id: id.0, secret: secret.0 })
            }
            RawParams { access_key: None, secret_key: None, role: Some(role) } => {
                (Method::AssumedRole, Credentials::AssumedRole { role: role.0, external_id: None })
            }
            _ => return Err("expected `params` with `s3AccessKey` and `s3SecretKey`, or with `s3Role` alone"),
        };
        match raw.spec_name {
            Some(Text(Method::AccessKey)) if method != Method::AccessKey => {
                Err("expected `params` with `s3AccessKey` and `s3SecretKey` for `Access Key`")
            }
            Some(Text(Method::AssumedRole)) if method != Method::AssumedRole => {
                Err("expected `params` with `s3Role` for `Assumed Role`")
            }
            _ => Ok(Self(credentials)),
        }
    }
}
