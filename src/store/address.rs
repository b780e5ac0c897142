//! Stores from URLs.

use std::sync::Arc;

use object_store::ObjectStoreScheme as Scheme;
use object_store::memory::InMemory;
use url::Url;

use super::{PartSchedule, Store};
use crate::{Error, ErrorKind, Result};

/// The store that a URL names; see [`Store::from_url`].
pub(super) fn store(url: &str) -> Result<Store> {
    let shown = &*without_secrets(url);
    let parsed =
        Url::parse(url).map_err(|e| refuse(format!("cannot deliver to `{shown}`: not a URL")).with_source(e))?;
    match parsed.scheme() {
        "file" => match parsed.to_file_path() {
            Ok(path) => Ok(Store::folder(path)),
            Err(()) => Err(refuse(format!("cannot deliver to `{shown}`: expected file:/// and an absolute path"))),
        },
        "memory" => Store::multipart(Arc::new(InMemory::new())).with_prefix(parsed.path().trim_matches('/')),
        _ => cloud(shown, &parsed),
    }
}

/// A store that needs a feature.
fn cloud(shown: &str, url: &Url) -> Result<Store> {
    let (scheme, prefix) = Scheme::parse(url).map_err(|_| {
        let known = "file:///, memory:///, s3://, gs://, az:// or https://";
        refuse(format!("cannot deliver to `{shown}`: expected a URL that begins with {known}"))
    })?;
    let bucket = match url.scheme() {
        "abfs" | "abfss" if !url.username().is_empty() => Some(url.username()),
        "http" | "https" => None,
        _ => url.host_str(),
    };
    let schedule = match scheme {
        Scheme::MicrosoftAzure => PartSchedule::AZURE,
        _ if std::env::var("AWS_ENDPOINT").is_ok_and(|host| host.contains(".r2.cloudflarestorage.com")) => {
            PartSchedule::R2
        }
        _ => PartSchedule::S3,
    };
    let mut store = open(shown, url, &scheme)?.with_part_schedule(schedule);
    store.prefix = prefix;
    store.bucket = bucket.map(str::to_owned);
    Ok(store)
}

#[cfg_attr(
    not(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http")),
    expect(unused_variables, reason = "every store that has a URL needs a feature")
)]
fn open(shown: &str, url: &Url, scheme: &Scheme) -> Result<Store> {
    match scheme {
        #[cfg(feature = "aws")]
        Scheme::AmazonS3 => {
            let mut builder = object_store::aws::AmazonS3Builder::from_env().with_url(url.as_str());
            // A hash of every part for its signature is half of an upload's CPU; a checksum finds a flipped bit as well.
            if std::env::var_os("AWS_UNSIGNED_PAYLOAD").is_none() {
                builder = builder.with_unsigned_payload(true);
            }
            if std::env::var_os("AWS_CHECKSUM_ALGORITHM").is_none() {
                builder = builder.with_checksum_algorithm(object_store::aws::Checksum::CRC64NVME);
            }
            let create = builder.clone().with_http_connector(super::create::Create).build();
            let create = Arc::new(built(shown, create)?);
            Ok(Store::s3(Arc::new(built(shown, builder.build())?)).with_create_client(create))
        }
        #[cfg(feature = "gcp")]
        Scheme::GoogleCloudStorage => {
            let builder = object_store::gcp::GoogleCloudStorageBuilder::from_env().with_url(url.as_str());
            Ok(Store::multipart(Arc::new(built(shown, builder.build())?)))
        }
        #[cfg(feature = "azure")]
        Scheme::MicrosoftAzure => {
            let builder = object_store::azure::MicrosoftAzureBuilder::from_env().with_url(url.as_str());
            Ok(Store::multipart(Arc::new(built(shown, builder.build())?)))
        }
        #[cfg(feature = "http")]
        Scheme::Http => {
            let builder = object_store::http::HttpBuilder::new().with_url(&url[..url::Position::BeforePath]);
            Ok(Store::new(Arc::new(built(shown, builder.build())?)))
        }
        other => {
            let feature = match other {
                Scheme::AmazonS3 => "aws",
                Scheme::GoogleCloudStorage => "gcp",
                Scheme::MicrosoftAzure => "azure",
                _ => "http",
            };
            Err(refuse(format!("cannot deliver to `{shown}`: needs the feature `{feature}`")))
        }
    }
}

/// What a builder made, or the builder's refusal in the words of this crate.
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
fn built<S>(shown: &str, built: object_store::Result<S>) -> Result<S> {
    built.map_err(|e| refuse(format!("cannot set up the store of `{shown}`")).with_source(e))
}

#[cold]
fn refuse(text: String) -> Error {
    Error::new(ErrorKind::Store, text)
}

/// A URL as errors show it: without a user's name and password, and without a query, which may hold a signature.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("//") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            // The container of an Azure URL stands where others have a user's name or a token, and is no secret.
            let container = matches!(scheme, "abfs:" | "abfss:") && !authority.contains(':');
            let host = authority.rsplit_once('@').filter(|_| !container).map_or(authority, |(_, host)| host);
            format!("{scheme}//{host}{path}")
        }
        None => url.to_owned(),
    }
}
