//! Stores from URLs.

use std::sync::Arc;

#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
use object_store::ClientConfigKey;
use object_store::ObjectStoreScheme as Scheme;
use object_store::memory::InMemory;
use url::Url;

#[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
use super::PartSchedule;
use super::Store;
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
    let mut store = open(shown, url, &scheme)?;
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
            let builder = s3(url, environment());
            let schedule = schedule(url, &builder);
            let create = builder.clone().with_http_connector(super::create::Create).build();
            let create = Arc::new(built(shown, create)?);
            let store = Store::s3(Arc::new(built(shown, builder.build())?));
            Ok(store.with_create_client(create).with_part_schedule(schedule))
        }
        #[cfg(feature = "gcp")]
        Scheme::GoogleCloudStorage => {
            let store = Store::multipart(Arc::new(built(shown, gcs(url).build())?));
            Ok(store.with_part_schedule(PartSchedule::GCS))
        }
        #[cfg(feature = "azure")]
        Scheme::MicrosoftAzure => {
            let store = Store::multipart(Arc::new(built(shown, azure(url).build())?));
            Ok(store.with_part_schedule(PartSchedule::AZURE))
        }
        #[cfg(feature = "http")]
        Scheme::Http => Ok(Store::new(Arc::new(built(shown, http(url).build())?))),
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

/// The variables of the environment that are text.
#[cfg(feature = "aws")]
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// As the builder reads the environment, but for what differs by default, and a checksum of `none`, for which the builder
/// has no word.
#[cfg(feature = "aws")]
fn s3(url: &Url, environment: impl Iterator<Item = (String, String)>) -> object_store::aws::AmazonS3Builder {
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key, Checksum};

    let given: Vec<(Key, String)> = environment
        .filter(|(name, _)| name.starts_with("AWS_"))
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)))
        .collect();
    let is_given = |key| given.iter().any(|(given, _)| *given == key);
    let mut builder = AmazonS3Builder::new().with_url(url.as_str()).with_retry(retry());
    // A hash of every part for its signature is half of an upload's CPU; a checksum finds a flipped bit as well.
    if !is_given(Key::UnsignedPayload) {
        builder = builder.with_unsigned_payload(true);
    }
    if !is_given(Key::Checksum) {
        builder = builder.with_checksum_algorithm(Checksum::CRC64NVME);
    }
    let timeout = Key::Client(ClientConfigKey::Timeout);
    if !is_given(timeout) {
        builder = builder.with_config(timeout, longest());
    }
    given
        .into_iter()
        .filter(|(key, value)| !(*key == Key::Checksum && value.eq_ignore_ascii_case("none")))
        .fold(builder, |builder, (key, value)| builder.with_config(key, value))
}

/// The part schedule of the server that a URL or the environment names.
#[cfg(feature = "aws")]
fn schedule(url: &Url, builder: &object_store::aws::AmazonS3Builder) -> PartSchedule {
    use object_store::aws::AmazonS3ConfigKey as Key;

    let endpoint = if url.scheme() == "https" {
        Some(url.clone())
    } else {
        let given = [Key::S3Endpoint, Key::Endpoint].iter().find_map(|key| builder.get_config_value(key));
        given.and_then(|endpoint| Url::parse(&endpoint).ok())
    };
    match endpoint.as_ref().and_then(Url::host_str) {
        Some(host) if host.ends_with(".r2.cloudflarestorage.com") => PartSchedule::R2,
        Some(host) if host.ends_with(".scw.cloud") => PartSchedule::FEW_PARTS,
        _ => PartSchedule::S3,
    }
}

#[cfg(feature = "gcp")]
fn gcs(url: &Url) -> object_store::gcp::GoogleCloudStorageBuilder {
    use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};

    let builder = GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retry());
    match limit("GOOGLE_TIMEOUT") {
        Some(limit) => builder.with_config(GoogleConfigKey::Client(ClientConfigKey::Timeout), limit),
        None => builder,
    }
}

#[cfg(feature = "azure")]
fn azure(url: &Url) -> object_store::azure::MicrosoftAzureBuilder {
    use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

    let builder = MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retry());
    match limit("AZURE_TIMEOUT") {
        Some(limit) => builder.with_config(AzureConfigKey::Client(ClientConfigKey::Timeout), limit),
        None => builder,
    }
}

#[cfg(feature = "http")]
fn http(url: &Url) -> object_store::http::HttpBuilder {
    let builder = object_store::http::HttpBuilder::new().with_url(&url[..url::Position::BeforePath]);
    builder.with_config(ClientConfigKey::Timeout, longest()).with_retry(retry())
}

/// The client's limit for any request, unless the environment has one: its own default, 30 s, would end each part that is
/// slower than 280 kB/s, and begin it anew. [`super::retry::Limit`] ends what takes too long for its size.
#[cfg(any(feature = "azure", feature = "gcp"))]
fn limit(variable: &str) -> Option<String> {
    std::env::var_os(variable).is_none().then(longest)
}

#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
fn longest() -> String {
    format!("{}s", super::retry::Limit::LONGEST.as_secs())
}

/// The client repeats what fails at once; what took longer is repeated by us, who give each try its whole time.
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
fn retry() -> object_store::RetryConfig {
    object_store::RetryConfig { retry_timeout: std::time::Duration::from_secs(10), ..Default::default() }
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

#[cfg(all(test, feature = "aws", feature = "azure", feature = "gcp"))]
mod tests {
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
    use object_store::azure::AzureConfigKey;
    use object_store::gcp::GoogleConfigKey;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn s3_with(url: &Url, variables: &[(&str, &str)]) -> AmazonS3Builder {
        s3(url, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    /// 5 GiB at 64 KiB a second, and half a minute: no part is ended by its client.
    #[test]
    fn clients_leave_the_limits_to_us() {
        let key = ClientConfigKey::Timeout;
        let limits = [
            s3_with(&url("s3://bucket"), &[]).get_config_value(&AmazonS3ConfigKey::Client(key)),
            gcs(&url("gs://bucket")).get_config_value(&GoogleConfigKey::Client(key)),
            azure(&url("az://container")).get_config_value(&AzureConfigKey::Client(key)),
        ];
        assert_eq!(limits, [const { "81950s" }; 3].map(|limit| Some(limit.to_owned())));
        let given = s3_with(&url("s3://bucket"), &[("AWS_TIMEOUT", "90s")]);
        assert_eq!(given.get_config_value(&AmazonS3ConfigKey::Client(key)).as_deref(), Some("90s"));
    }

    #[test]
    fn a_checksum_is_one_of_three() {
        for (variables, expected) in [
            (&[][..], Some("CRC64NVME")),
            (&[("AWS_CHECKSUM_ALGORITHM", "sha256")], Some("sha256")),
            (&[("AWS_CHECKSUM_ALGORITHM", "None")], None),
        ] {
            let builder = s3_with(&url("s3://bucket"), variables);
            let checksum = builder.get_config_value(&AmazonS3ConfigKey::Checksum);
            assert_eq!(checksum.as_deref().map(str::to_lowercase), expected.map(str::to_lowercase), "{variables:?}");
        }
    }

    #[test]
    fn a_server_is_known_by_its_address() {
        let r2 = "https://0123.eu.r2.cloudflarestorage.com";
        for (address, variables, expected) in [
            ("s3://bucket", &[][..], PartSchedule::S3),
            ("s3://bucket", &[("AWS_ENDPOINT", r2)], PartSchedule::R2),
            ("s3://bucket", &[("AWS_ENDPOINT_URL", r2)], PartSchedule::R2),
            ("s3://bucket", &[("AWS_ENDPOINT_URL_S3", r2)], PartSchedule::R2),
            ("s3://bucket", &[("AWS_ENDPOINT_URL_S3", "http://localhost"), ("AWS_ENDPOINT", r2)], PartSchedule::S3),
            ("s3://bucket", &[("AWS_ENDPOINT", "https://s3.fr-par.scw.cloud")], PartSchedule::FEW_PARTS),
            ("https://0123.r2.cloudflarestorage.com/bucket", &[], PartSchedule::R2),
        ] {
            let address = url(address);
            assert_eq!(schedule(&address, &s3_with(&address, variables)), expected, "{address} {variables:?}");
        }
    }
}
