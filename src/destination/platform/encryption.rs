//! The encryption of a connection: the key that files are encrypted to.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::leaf::{Filled, Leaf, Object, Text};
use super::{PlatformError, Show, read};

/// How the platform encrypts files. There are no other algorithms.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum EncryptionAlgorithm {
    /// Not at all: `NONE`.
    None,
    /// To an OpenPGP key: `PGPGPG`, also spelled `PGP/GPG`.
    #[default]
    OpenPgp,
}

impl Leaf for EncryptionAlgorithm {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "NONE" => Ok(Self::None),
            "PGPGPG" | "PGP/GPG" => Ok(Self::OpenPgp),
            _ => Err("expected `PGPGPG`, `PGP/GPG` or `NONE`".into()),
        }
    }

    fn write(&self) -> Cow<'_, str> {
        match self {
            Self::None => "NONE".into(),
            Self::OpenPgp => "PGPGPG".into(),
        }
    }
}

/// The `encryption` object of a connection.
///
/// | field | values |
/// |---|---|
/// | `specName` | `File PGP/GPG Encryption`, also spelled `File Encryption`; may be absent |
/// | `params.encryptionAlgo` | `PGPGPG`, also spelled `PGP/GPG`, or `NONE`; without it `PGPGPG` |
/// | `params.publicKey` | the key: an armored OpenPGP public key, or Base64 of one; required but for `NONE` |
///
/// The two params may also stand beside `specName`, without `params`. The platform speaks of an "RSA-formatted" key,
/// but shows an OpenPGP key block; which keys can be used is decided when a destination is made of it.
///
/// ```
/// use consign::destination::platform::{EncryptionAlgorithm, EncryptionSpec};
///
/// let json = r#"{"specName": "File Encryption", "params": {"encryptionAlgo": "PGP/GPG", "publicKey": "mQENBF..."}}"#;
/// let encryption = EncryptionSpec::parse(json)?;
/// assert_eq!(encryption.algorithm(), EncryptionAlgorithm::OpenPgp);
/// assert_eq!(
///     encryption.to_json(),
///     r#"{
///   "specName": "File PGP/GPG Encryption",
///   "params": {
///     "encryptionAlgo": "PGPGPG",
///     "publicKey": "mQENBF..."
///   }
/// }"#
/// );
/// # Ok::<(), consign::Error>(())
/// ```
#[derive(Clone, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Object<RawSpec>")]
pub struct EncryptionSpec {
    algorithm: EncryptionAlgorithm,
    public_key: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawSpec {
    spec_name: Option<Text<SpecName>>,
    params: Option<Object<Params>>,
    #[serde(skip_serializing)]
    encryption_algo: Option<Text<EncryptionAlgorithm>>,
    #[serde(skip_serializing)]
    public_key: Option<Text<Filled>>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Params {
    encryption_algo: Option<Text<EncryptionAlgorithm>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Text<Filled>>,
}

/// The name of the one encryption spec.
struct SpecName;

impl Leaf for SpecName {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "File PGP/GPG Encryption" | "File Encryption" => Ok(Self),
            _ => Err("expected `File PGP/GPG Encryption` or `File Encryption`".into()),
        }
    }

    fn write(&self) -> Cow<'_, str> {
        "File PGP/GPG Encryption".into()
    }
}

impl EncryptionSpec {
    /// Reads the object from JSON.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, a field is unknown or has a value that it cannot have, or the key is missing. Nothing
    /// of the text is repeated, since people paste private keys where public ones belong.
    pub fn parse(json: &str) -> Result<Self, PlatformError> {
        read(json, Show::NoValues)
    }

    /// Writes the object as JSON, with the canonical spellings.
    #[must_use]
    pub fn to_json(&self) -> String {
        super::write(&self.raw())
    }

    /// How files are encrypted.
    #[must_use]
    pub fn algorithm(&self) -> EncryptionAlgorithm {
        self.algorithm
    }

    /// The text of the key, armored or Base64.
    #[must_use]
    pub fn public_key(&self) -> Option<&str> {
        self.public_key.as_deref()
    }

    fn raw(&self) -> RawSpec {
        let params = Params {
            encryption_algo: Some(Text(self.algorithm)),
            public_key: self.public_key.clone().map(|key| Text(Filled(key))),
        };
        RawSpec {
            spec_name: Some(Text(SpecName)),
            params: Some(Object(params)),
            encryption_algo: None,
            public_key: None,
        }
    }
}

impl TryFrom<Object<RawSpec>> for EncryptionSpec {
    type Error = String;

    fn try_from(Object(raw): Object<RawSpec>) -> Result<Self, String> {
        let RawSpec { spec_name: _, params, encryption_algo, public_key } = raw;
        let params = match params {
            Some(_) if encryption_algo.is_some() || public_key.is_some() => {
                return Err(
                    "`encryptionAlgo` and `publicKey` stand in `params` or beside it: expected one place".into()
                );
            }
            Some(Object(params)) => params,
            None => Params { encryption_algo, public_key },
        };
        let algorithm = params.encryption_algo.map(|algorithm| algorithm.0).unwrap_or_default();
        let public_key = params.public_key.map(|key| key.0.0);
        if algorithm == EncryptionAlgorithm::OpenPgp && public_key.is_none() {
            return Err("expected a `publicKey`, unless `encryptionAlgo` is `NONE`".into());
        }
        Ok(Self { algorithm, public_key })
    }
}

impl Serialize for EncryptionSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw().serialize(serializer)
    }
}

impl fmt::Debug for EncryptionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A private key may have been pasted.
        let key = self.public_key.as_ref().map(|_| "..");
        f.debug_struct("EncryptionSpec").field("algorithm", &self.algorithm).field("public_key", &key).finish()
    }
}
