//! How the tests come to a server: as the store of an export, and as an onlooker who sees what stands there.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use consign::object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use consign::object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};
use consign::object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use consign::object_store::multipart::MultipartStore;
use consign::object_store::path::Path;
use consign::object_store::signer::{Method, SignedUrlOptions, Signer};
use consign::object_store::{
    BackoffConfig, ClientOptions, HeaderMap, HeaderValue, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use consign::store::Store;
use futures::TryStreamExt;

use super::fixture::{Running, Server};

/// The key that Azurite's documentation gives for its one account.
const AZURITE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// How a client is set up; what is right for the server, unless a test makes it wrong.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    server: Server,
    url: String,
    bucket: String,
    key: String,
    secret: String,
    timeout: Duration,
}

/// A client of a server.
#[derive(Clone, Debug)]
pub(super) enum Client {
    Azure(Arc<MicrosoftAzure>),
    S3 {
        s3: Arc<AmazonS3>,
        /// Sends every request with `If-None-Match: *`.
        create: Arc<AmazonS3>,
    },
}

/// Connects without faults.
#[derive(Clone, Debug)]
struct Direct;

impl HttpConnector for Direct {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        ReqwestConnector::default().connect(options)
    }
}

impl Setup {
    pub(super) fn new(running: &Running) -> Self {
        // Other credentials come with another server in the place of `SeaweedFS`.
        let given = |name: &str, otherwise: &str| match running.server() {
            Server::Seaweedfs => env::var(name).unwrap_or_else(|_| otherwise.to_owned()),
            Server::Azurite | Server::Rclone => otherwise.to_owned(),
        };
        let secret = match running.server() {
            Server::Azurite => AZURITE_KEY.to_owned(),
            Server::Rclone | Server::Seaweedfs => given("CONSIGN_TEST_SECRET", "testsecret12345"),
        };
        Self {
            server: running.server(),
            url: running.url().to_owned(),
            bucket: "test".to_owned(),
            key: given("CONSIGN_TEST_KEY", "testkey"),
            secret,
            timeout: Duration::from_secs(120),
        }
    }

    pub(super) fn with_url(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    pub(super) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    pub(super) fn server(&self) -> Server {
        self.server
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn with_bucket(self, bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), ..self }
    }

    pub(super) fn with_wrong_secret(self) -> Self {
        // Of the same shape: Azure's is Base64.
        Self { secret: format!("A{}", &self.secret[1..]), ..self }
    }

    pub(super) fn client(&self) -> Client {
        self.client_through(Direct)
    }

    /// A client whose requests go through a connector, with repeats that do not make a test long.
    pub(super) fn client_through(&self, connector: impl HttpConnector + Clone) -> Client {
        let options = ClientOptions::new().with_allow_http(true).with_timeout(self.timeout);
        let backoff =
            BackoffConfig { init_backoff: Duration::from_millis(5), max_backoff: Duration::from_millis(50), base: 2.0 };
        let retry = RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_secs(120) };
        match self.server {
            Server::Azurite => {
                let builder = MicrosoftAzureBuilder::new()
                    .with_account("devstoreaccount1")
                    .with_access_key(&self.secret)
                    .with_endpoint(format!("{}/devstoreaccount1", self.url))
                    .with_container_name(&self.bucket)
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_http_connector(connector);
                Client::Azure(Arc::new(builder.build().unwrap()))
            }
            Server::Rclone | Server::Seaweedfs => {
                let builder = AmazonS3Builder::new()
                    .with_endpoint(&self.url)
                    .with_bucket_name(&self.bucket)
                    .with_region("us-east-1")
                    .with_access_key_id(&self.key)
                    .with_secret_access_key(&self.secret)
                    .with_checksum_algorithm(Checksum::CRC64NVME)
                    .with_unsigned_payload(true)
                    .with_client_options(options.clone())
                    .with_retry(retry)
                    .with_http_connector(connector);
                let mut headers = HeaderMap::new();
                headers.insert("if-none-match", HeaderValue::from_static("*"));
                let create = builder.clone().with_client_options(options.with_default_headers(headers));
                Client::S3 { s3: Arc::new(builder.build().unwrap()), create: Arc::new(create.build().unwrap()) }
            }
        }
    }
}

impl Client {
    /// The store of an export.
    pub(super) fn store(&self) -> Store {
        match self {
            Self::Azure(azure) => Store::multipart(Arc::clone(azure)),
            Self::S3 { s3, create } => Store::s3(Arc::clone(s3)).with_create_client(Arc::clone(create)),
        }
    }

    /// The store of an export, of S3, whose second client lacks the header that it should send.
    pub(super) fn store_that_replaces(&self) -> Store {
        match self {
            Self::Azure(_) => panic!("Azure has no second client"),
            Self::S3 { s3, .. } => Store::s3(Arc::clone(s3)).with_create_client(Arc::clone(s3)),
        }
    }

    fn objects(&self) -> &dyn ObjectStore {
        match self {
            Self::Azure(azure) => azure.as_ref(),
            Self::S3 { s3, .. } => s3.as_ref(),
        }
    }

    /// The bytes of an object, if it is there.
    pub(super) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.objects().get(&Path::parse(key).unwrap()).await {
            Ok(found) => Some(found.bytes().await.unwrap().into()),
            Err(object_store::Error::NotFound { .. }) => None,
            Err(e) => panic!("{key}: {e}"),
        }
    }

    /// Puts an object, in place of what stands there.
    pub(super) async fn put(&self, key: &str, text: &'static str) {
        self.put_text(key, text).await;
    }

    pub(super) async fn put_text(&self, key: &str, text: impl Into<PutPayload>) {
        self.objects().put(&Path::parse(key).unwrap(), text.into()).await.unwrap();
    }

    /// The keys below a folder, sorted, as the server spells them.
    pub(super) async fn keys(&self, folder: &str) -> Vec<String> {
        let mut keys = match self {
            Self::Azure(azure) => {
                let listed = azure.list(Some(&Path::parse(folder).unwrap()));
                listed.map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap()
            }
            Self::S3 { s3, .. } => {
                let prefix = format!("{folder}/");
                between(&ask(s3, &[("list-type", "2"), ("prefix", &prefix)]).await, "Contents", "Key")
            }
        };
        keys.sort();
        keys
    }

    /// How many hold the connection that requests go through.
    pub(super) fn holders(&self) -> usize {
        match self {
            Self::Azure(azure) => Arc::strong_count(azure),
            Self::S3 { s3, .. } => Arc::strong_count(s3),
        }
    }

    /// Opens an upload, and forgets it.
    pub(super) async fn open_upload(&self, key: &str) {
        let Self::S3 { s3, .. } = self else { panic!("Azure has no uploads") };
        s3.create_multipart(&Path::parse(key).unwrap()).await.unwrap();
    }

    /// The sizes of the parts that the server has of the one upload of a key.
    pub(super) async fn part_sizes(&self, key: &str) -> Vec<u64> {
        let Self::S3 { s3, .. } = self else { panic!("Azure has no uploads") };
        let ids = between(&ask(s3, &[("uploads", ""), ("prefix", key)]).await, "Upload", "UploadId");
        let parts = ask_of(s3, &Path::parse(key).unwrap(), &[("uploadId", &ids[0])]).await;
        between(&parts, "Part", "Size").iter().map(|size| size.parse().unwrap()).collect()
    }

    /// Aborts the uploads of a key, where there is such a thing.
    pub(super) async fn abort_uploads(&self, key: &str) {
        let Self::S3 { s3, .. } = self else { return };
        for id in between(&ask(s3, &[("uploads", ""), ("prefix", key)]).await, "Upload", "UploadId") {
            s3.abort_multipart(&Path::parse(key).unwrap(), &id).await.unwrap();
        }
    }

    /// The keys below a folder of which an upload is open, where the server tells: Azure has no uploads, but blocks that
    /// it forgets by itself after a week.
    pub(super) async fn open_uploads(&self, folder: &str) -> Option<Vec<String>> {
        match self {
            Self::Azure(_) => None,
            Self::S3 { s3, .. } => {
                let prefix = format!("{folder}/");
                Some(between(&ask(s3, &[("uploads", ""), ("prefix", &prefix)]).await, "Upload", "Key"))
            }
        }
    }
}

/// Asks the bucket something that `object_store` has no call for: with a signed URL.
async fn ask(s3: &AmazonS3, query: &[(&str, &str)]) -> String {
    ask_of(s3, &Path::default(), query).await
}

/// The same, of a key.
async fn ask_of(s3: &AmazonS3, path: &Path, query: &[(&str, &str)]) -> String {
    let options = SignedUrlOptions::new().with_query(query.iter().copied());
    let ttl = Duration::from_secs(60);
    let url = s3.signed_url_opts(Method::GET, path, ttl, &options).await.unwrap();
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = url.as_str().parse().unwrap();
    let http: HttpClient = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
    let reply = http.execute(request).await.unwrap();
    let status = reply.status();
    let text = String::from_utf8(reply.into_body().bytes().await.unwrap().into()).unwrap();
    // What rclone says of a bucket that has never had an upload.
    if text.contains("<Code>NoSuchUpload</Code>") {
        return String::new();
    }
    assert!(status.is_success(), "{status}: {text}");
    text
}

/// As servers spell what XML cannot hold bare; the ampersand last.
const ENTITIES: [(&str, &str); 7] =
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];

/// The texts of an element in all elements that hold it.
fn between(xml: &str, outer: &str, inner: &str) -> Vec<String> {
    let cut = |text: &str| -> Option<String> {
        let (_, rest) = text.split_once(&format!("<{inner}>"))?;
        let (found, _) = rest.split_once(&format!("</{inner}>"))?;
        let mut found = found.to_owned();
        for (escaped, plain) in ENTITIES {
            found = found.replace(escaped, plain);
        }
        Some(found)
    };
    xml.split(&format!("<{outer}>")).skip(1).map(|element| cut(element).expect("each element holds it")).collect()
}
