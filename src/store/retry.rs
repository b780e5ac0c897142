//! Which failures are worth another try, and for how long.
//!
//! `object_store` repeats a failed request about ten times within some seconds, which does not outlast a server that is
//! restarted, and gives up at once on a few answers that pass by themselves. This is the loop around it. It repeats a
//! part under its own number, which the writers that come with `object_store` cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::failure;
use super::watch::Watch;

/// The least time that a request is repeated for, once the store has answered at all: a server's restart fits in.
const LEAST: Duration = Duration::from_secs(60);
/// How long a store is given that has failed every request yet.
const FIRST_CONTACT: Duration = Duration::from_secs(10);
/// How often a request is made at least that fails late, once the store has answered at all.
const TRIES: u32 = 3;
/// What a request may take besides its body.
const SHORTEST: Duration = Duration::from_secs(30);
/// Four parts share a line of 2 Mbit/s.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 * 1024;
/// The largest part of any store.
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
const LARGEST_BODY: u64 = 5 << 30;
/// What it may take a store to put the parts of an object together: some minutes for thousands (S3 API reference,
/// `CompleteMultipartUpload`).
const ASSEMBLY: Duration = Duration::from_secs(60);
const ASSEMBLY_OF_A_PART: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Credentials that have just expired, or clocks that differ, make for one refusal; more of them are meant.
const REFUSALS: u32 = 1;
/// A body that was damaged on the way is whole the next time; where the two sides reckon differently, it never is.
const DAMAGES: u32 = 3;

/// How long one try of a request may take. It is the only limit: the client's own, of which its settings know one for all
/// requests, has to be out of the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Limit(Duration);

impl Limit {
    /// That of a request without a body.
    pub(super) const SHORT: Self = Self(SHORTEST);
    /// No request takes longer.
    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
    pub(super) const LONGEST: Self = Self::of_size(LARGEST_BODY);

    /// That of a request with a body of so many bytes.
    pub(super) fn of_body(bytes: usize) -> Self {
        Self::of_size(bytes as u64)
    }

    const fn of_size(bytes: u64) -> Self {
        Self(Duration::from_secs(SHORTEST.as_secs() + bytes / SLOWEST_BYTES_PER_SECOND))
    }

    /// That of completing an upload of so many parts, for which the store may have to copy them.
    pub(super) fn of_parts(parts: usize) -> Self {
        Self(ASSEMBLY + ASSEMBLY_OF_A_PART * u32::try_from(parts).unwrap_or(u32::MAX))
    }

    pub(super) const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }
}

/// Ends a try of a request that takes longer than it may.
pub(super) async fn timely<T>(
    limit: Limit,
    request: impl Future<Output = object_store::Result<T>>,
) -> object_store::Result<T> {
    timeout(limit.0, request).await.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", limit.as_secs());
        let source = std::io::Error::new(std::io::ErrorKind::TimedOut, text);
        Err(object_store::Error::Generic { store: "consign", source: source.into() })
    })
}

/// How long one request may go on being repeated.
#[derive(Debug)]
pub(super) struct Patience {
    first_failure: Option<Instant>,
    tries: u32,
    /// Whether the store has answered anything yet, be it another's request.
    answered: Arc<AtomicBool>,
    pause: Duration,
    refusals: u32,
    damages: u32,
    key: String,
    watch: Arc<dyn Watch>,
}

impl Patience {
    /// A store that cannot be reached, and never was, is not waited for: its address or the network is wrong, and the caller
    /// wants to know now. One that takes requests from the start, but answers with failures or not at all, is waited for, but
    /// not for long.
    pub(super) fn new(answered: Arc<AtomicBool>, key: String, watch: Arc<dyn Watch>) -> Self {
        Self { first_failure: None, tries: 0, answered, pause: FIRST_PAUSE, refusals: 0, damages: 0, key, watch }
    }

    /// Waits and says yes, or says at once that this failure is final.
    pub(super) async fn again(&mut self, error: &object_store::Error) -> bool {
        self.tries += 1;
        let answered = self.answered.load(Ordering::Relaxed);
        let worth_it = match verdict(error) {
            Verdict::Final => false,
            Verdict::Refused => {
                self.refusals += 1;
                self.refusals <= REFUSALS
            }
            Verdict::Damaged => {
                self.damages += 1;
                self.damages <= DAMAGES
            }
            Verdict::Passing { reached } => reached || answered || failure::is_unanswered(error),
        };
        let budget = if answered { LEAST } else { FIRST_CONTACT };
        let until = *self.first_failure.get_or_insert_with(Instant::now) + budget;
        let is_late = Instant::now() + self.pause > until && !(answered && self.tries < TRIES);
        if !worth_it || is_late {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.watch.retried(&self.key, failure::kind_of(error));
        true
    }
}

/// What S3 and its likes say of a body that its checksum does not fit (S3 API reference, error responses).
const DAMAGED: [&str; 2] = ["<Code>BadDigest<", "<Code>XAmzContentChecksumMismatch<"];

/// Whether an answer says by itself that the request did nothing. One that came after repeats of the client's own is that of
/// the last of them.
pub(super) fn took_no_effect(error: &object_store::Error) -> bool {
    !matches!(verdict(error), Verdict::Passing { .. }) && !error.to_string().contains(" retries, max_retries: ")
}

/// Whether an answer says that there is no such upload: it was completed or aborted.
pub(super) fn is_gone(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) || error.to_string().contains("<Code>InvalidBlockList<")
}

enum Verdict {
    /// Another try gives the same.
    Final,
    /// The store refused the credentials.
    Refused,
    /// The bytes that came are not those that were sent.
    Damaged,
    /// The store or the network failed; a status is an answer of the store's.
    Passing { reached: bool },
}

/// Whether a failure is an answer of the store's, and not the lack of one.
pub(super) fn reached(error: &object_store::Error) -> bool {
    match error {
        object_store::Error::Generic { source, .. } => source.to_string().contains("status code: "),
        _ => true,
    }
}

fn verdict(error: &object_store::Error) -> Verdict {
    use object_store::Error as Cause;

    match error {
        // Also where it is told by its text alone, as that of a delete is.
        refused if failure::is_refusal(refused) => Verdict::Refused,
        Cause::Generic { source, .. } => {
            let text = source.to_string();
            if DAMAGED.iter().any(|code| text.contains(code)) {
                return Verdict::Damaged;
            }
            // The status is known by its text alone. A request that timed out in the store is told with 400.
            let refused =
                ["status code: 400", "status code: 404", "status code: 405", "status code: 411", "status code: 501"];
            if refused.iter().any(|status| text.contains(status)) && !text.contains("RequestTimeout") {
                Verdict::Final
            } else {
                Verdict::Passing { reached: reached(error) }
            }
        }
        // Of a key at which nothing stands: S3 says so while another request for the key is under way.
        Cause::AlreadyExists { .. } => Verdict::Passing { reached: true },
        _ => Verdict::Final,
    }
}
