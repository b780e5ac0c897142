//! What becomes of files that exist: how an export keeps them, and whether a store can be held to it.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::ledger::{Entry, Ledger};
use super::retry::{Limit, timely};
use super::wire::{Interface, Opened, Wire};
use super::{Store, failure};
use crate::{Error, ErrorKind, Result};

/// What an export does where something stands at one of its keys.
///
/// Every rule but the first keeps what exists. The keys of the first file and of the manifest are looked at when the export
/// starts, so that nobody waits an hour to hear of it; and each file is then made only where nothing stands:
///
/// | store | files of one part at most | larger files |
/// |---|---|---|
/// | a folder | a hard link, which replaces nothing | the same |
/// | S3, from a URL or with [`Store::with_create_client`] | `If-None-Match: *` | `If-None-Match: *` when the upload is completed |
/// | any other | `If-None-Match: *`, or what the store has instead | the key is asked for right before the upload is completed |
///
/// Where the key is only asked for, two exports that end at the very same moment may both write it, and the later one
/// stays. Whether a server obeys the condition is tried out, once for each [`Store`], with an object `.consign-…` in the
/// folder of the files, which is removed again; for one that does not, see [`CreateCheck`].
///
/// The first file is completed before all others, alone: of two exports that race for the same names, one gets it, and
/// the other takes everything back. A server may obey the condition by looking first and writing then, as `SeaweedFS` does
/// when it completes an upload; so the file is looked at once more, a quarter of a second after its upload was completed
/// and again before the manifest is written. Two exports that end at the very same moment may then both find out that they
/// were not alone, and both take everything back; they never end as a mixture. An export that keeps files and fails while it
/// completes its own also takes back those that were visible already, since its next run would find them in its way; but
/// only those that can be told to be its own, by a token in the object's metadata or by the file itself. What cannot be
/// told stays, and everything where it is unknown whether the manifest was written, and the error says so.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OnExists {
    /// Replaces it, the default: an export that runs again ends as the first one did. Files are replaced one after the
    /// other: who reads at that moment, or after a failure or a killed process at it, finds some of the older set and some of
    /// the newer, each whole. For a set that is there as a whole or not at all, give names that no other export has.
    #[default]
    Overwrite,
    /// Fails with [`ErrorKind::Exists`], and leaves it as it is. The key of each further file is looked at when the file is
    /// begun, too.
    Fail,
    /// Delivers nothing where the first file or the manifest exists: the rows are read over, and the commit returns
    /// [`Delivery::Skipped`](crate::manifest::Delivery::Skipped). It does not compare what stands there with the rows. On a
    /// server that obeys no condition, keys are only asked for. A further file that exists is an error of the commit.
    Skip,
    /// Adds `-2`, `-3` and so on, up to `-1000`, to the names of all files and of the manifest, with the first number for
    /// which neither the first file nor the manifest exists: `name-2.csv`, `name-2_2.csv`. The number is chosen when the
    /// export starts: one that loses a race for it fails as with `Fail`, and finds the next number when it runs again.
    Suffix,
}

/// Who answers for it that nothing is replaced, where an export keeps what exists; see [`OnExists`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CreateCheck {
    /// The server, the default: an export with [`OnExists::Fail`] or [`OnExists::Suffix`] fails at its start where the
    /// server ignores the condition.
    #[default]
    Server,
    /// This crate: it asks for each key right before it completes the file, and sends no condition. Two exports that end
    /// at the very same moment may both write a key.
    Look,
}

/// How a file gets its key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Claim {
    /// In place of what stands there.
    #[default]
    Replace,
    /// Only where nothing stands; the store holds to it.
    Create,
    /// As before, but the store is only asked for the key, right before.
    Look,
}

/// How the files of an export get their keys.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claims {
    pub(super) put: Claim,
    pub(super) complete: Claim,
}

/// Whether a server obeys a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Condition {
    Obeyed,
    Ignored,
    /// There is no way to tell the server.
    Untold,
}

/// What was tried out about a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    put: Condition,
    complete: Condition,
}

/// How the files of an export by this rule get their keys; `key` is one of them.
pub(super) async fn claims(
    store: &Store,
    wire: Option<&Wire>,
    rule: OnExists,
    key: &str,
    ledger: Option<&Arc<Ledger>>,
) -> Result<Claims> {
    let strict = match rule {
        OnExists::Overwrite => return Ok(Claims::default()),
        OnExists::Skip => false,
        OnExists::Fail | OnExists::Suffix => true,
    };
    let Some(wire) = wire else { return Ok(Claims { put: Claim::Create, complete: Claim::Create }) };
    if store.create_check == CreateCheck::Look {
        return Ok(Claims { put: Claim::Look, complete: Claim::Look });
    }
    let conditions = store.conditions.get_or_try_init(|| try_out(store, wire, key, ledger)).await?;
    conditions.claims(strict)
}

/// Tries out by an object of ours that stands at a path whether a store can be held to a rule.
pub(super) async fn check(store: &Store, wire: &Wire, rule: OnExists, path: &Path, uploads: Uploads) -> Result<()> {
    if rule == OnExists::Overwrite || store.create_check == CreateCheck::Look {
        return Ok(());
    }
    let tried = async {
        let put = try_put(wire, path).await?;
        let complete = match uploads {
            Uploads::Allowed => try_complete(wire, path).await?,
            Uploads::Refused => Condition::Untold,
        };
        Ok(Conditions { put, complete })
    };
    let conditions = tried.await.map_err(|e: Untried| e.at(path))?;
    conditions.claims(rule != OnExists::Skip).map(drop)
}

/// Whether an upload can be opened and aborted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Uploads {
    Allowed,
    Refused,
}

impl Conditions {
    fn claims(self, strict: bool) -> Result<Claims> {
        let claim = |condition, request: &str| match condition {
            Condition::Obeyed => Ok(Claim::Create),
            Condition::Ignored if strict => Err(Error::new(
                ErrorKind::Store,
                format!(
                    "the store ignores `If-None-Match: *` {request}, so it may replace what exists: expected a destination \
                 that overwrites or skips, or a store with `CreateCheck::Look`"
                ),
            )),
            Condition::Ignored | Condition::Untold => Ok(Claim::Look),
        };
        Ok(Claims {
            put: claim(self.put, "when it puts an object")?,
            complete: claim(self.complete, "when it completes an upload")?,
        })
    }
}

fn doing(path: &Path) -> String {
    format!("try out with `{path}` whether the store keeps what exists")
}

/// Tries out what the server does, in the folder of a key.
async fn try_out(store: &Store, wire: &Wire, key: &str, ledger: Option<&Arc<Ledger>>) -> Result<Conditions> {
    let folder = key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let key = format!("{folder}.consign-{:016x}", RandomState::new().hash_one(key));
    let path = store.path(&key)?;
    let noted = match ledger {
        Some(ledger) => Some(Entry::trial(Arc::clone(ledger), &key).await?),
        None => None,
    };
    let wire = wire.clone();
    // In a task of its own, which cleans up whatever becomes of the export.
    let tried = tokio::spawn(async move {
        let (tried, removed) = try_at(&wire, &path).await;
        if let (Some(noted), Ok(())) = (noted, &removed) {
            noted.close();
        }
        match (tried, removed) {
            (Ok(conditions), removed) => removed.map(|()| conditions),
            (Err(error), Ok(())) => Err(error),
            (Err(error), Err(left)) => Err(error.with_note(&format!("besides, {left:#}"))),
        }
    });
    tried.await.map_err(|e| failure::task("try out the store", e))?
}

/// A trial that has failed.
struct Untried {
    error: object_store::Error,
    /// Whether its upload could not be aborted.
    left: bool,
}

impl From<object_store::Error> for Untried {
    fn from(error: object_store::Error) -> Self {
        Self { error, left: false }
    }
}

impl Untried {
    fn at(self, path: &Path) -> Error {
        let error = failure::object(&doing(path), self.error);
        if self.left { error.with_note("besides, its upload was left open") } else { error }
    }
}

/// What was tried out, and whether nothing is left of it.
async fn try_at(wire: &Wire, path: &Path) -> (Result<Conditions>, Result<()>) {
    let mut patience = wire.patience(path);
    // All of it is tried again: a request whose reply was lost may have taken effect, which says nothing of the server.
    let tried = loop {
        let tried = async {
            let put = try_put(wire, path).await?;
            Ok(Conditions { put, complete: try_complete(wire, path).await? })
        };
        match tried.await {
            Err(Untried { error, left: false }) if patience.again(&error).await => {}
            tried => break tried,
        }
    };
    let removed = wire.remove(path).await;
    let removed = removed.map_err(|e| failure::object(&format!("remove `{path}`, which tried out the store"), e));
    (tried.map_err(|e| e.at(path)), removed)
}

/// Puts an object where there is one, or twice.
async fn try_put(wire: &Wire, path: &Path) -> object_store::Result<Condition> {
    let create =
        || timely(Limit::SHORT, wire.store().put_opts(path, PutPayload::default(), PutOptions::from(PutMode::Create)));
    match create().await {
        Err(e) if is_no_such_request(&e) => {
            timely(Limit::SHORT, wire.store().put(path, PutPayload::default())).await?;
            Ok(Condition::Ignored)
        }
        // A first try whose reply was lost may have made it.
        Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => obeyed(create().await),
        Err(e) => Err(e),
    }
}

/// Completes an upload where there is an object.
async fn try_complete(wire: &Wire, path: &Path) -> Result<Condition, Untried> {
    let (Interface::Parts(parts), Some(create)) = (wire.interface(), wire.create()) else {
        return Ok(Condition::Untold);
    };
    let id = timely(Limit::SHORT, parts.create_multipart(path)).await?;
    let part = PutPayload::from(Bytes::from_static(b"."));
    let completed = match timely(Limit::SHORT, parts.put_part(path, &id, 0, part)).await {
        Ok(part) => match timely(Limit::of_parts(1), create.complete_multipart(path, &id, vec![part])).await {
            Ok(_) => return Ok(Condition::Ignored),
            answer => obeyed(answer),
        },
        Err(e) => Err(e),
    };
    match (completed, wire.abort(path, Opened::Parts { id, token: None }).await) {
        (Ok(complete), Ok(())) => Ok(complete),
        (Ok(_), Err(error)) => Err(Untried { error, left: true }),
        (Err(error), aborted) => Err(Untried { error, left: aborted.is_err() }),
    }
}

/// What is to be learnt from a conditional request for a key at which something stands.
fn obeyed<T>(answer: object_store::Result<T>) -> object_store::Result<Condition> {
    use object_store::Error as Cause;

    match answer {
        Ok(_) => Ok(Condition::Ignored),
        Err(Cause::AlreadyExists { .. } | Cause::Precondition { .. }) => Ok(Condition::Obeyed),
        Err(e) if is_no_such_request(&e) => Ok(Condition::Ignored),
        Err(e) => Err(e),
    }
}

/// Whether the store has no conditional requests at all.
fn is_no_such_request(error: &object_store::Error) -> bool {
    use object_store::Error as Cause;

    match error {
        Cause::NotImplemented { .. } | Cause::NotSupported { .. } => true,
        Cause::Generic { source, .. } => source.to_string().contains("status code: 501"),
        _ => false,
    }
}

impl Store {
    /// The same store, where it is S3, with a second client of the same bucket whose every request carries the header
    /// `If-None-Match: *`. Only uploads of exports that keep what exists ([`OnExists`]) are completed through it, since
    /// `object_store` has no option for that. A store from a URL has one.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use consign::object_store::aws::AmazonS3Builder;
    /// use consign::object_store::{ClientOptions, HeaderMap, HeaderValue};
    /// use consign::store::Store;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("if-none-match", HeaderValue::from_static("*"));
    /// let builder = AmazonS3Builder::new().with_bucket_name("acme-exports").with_region("eu-central-1");
    /// let create = builder.clone().with_client_options(ClientOptions::new().with_default_headers(headers)).build()?;
    /// let store = Store::s3(Arc::new(builder.build()?)).with_create_client(Arc::new(create));
    /// # Ok::<(), consign::object_store::Error>(())
    /// ```
    #[cfg(feature = "aws")]
    #[must_use]
    pub fn with_create_client(self, create: Arc<object_store::aws::AmazonS3>) -> Self {
        Self { create: Some(create), conditions: Arc::default(), ..self }
    }

    /// The same store with another way to see to it that nothing is replaced. Default: [`CreateCheck::Server`]. Without
    /// effect on exports that overwrite, and on folders.
    #[must_use]
    pub fn with_create_check(self, create_check: CreateCheck) -> Self {
        Self { create_check, ..self }
    }
}
