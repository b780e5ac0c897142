//! Which failures are worth another try, and for how long.
//!
//! `object_store` repeats a failed request about ten times within some seconds, which does not outlast a server that is
//! restarted, and gives up at once on a few answers that pass by themselves. This is the loop around it. It repeats a
//! part under its own number, which the writers that come with `object_store` cannot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::failure;
use super::watch::Watch;

/// The least time that a request is repeated for, once the store has answered at all: a server's restart fits in.
const LEAST: Duration = Duration::from_secs(60);
/// How long a store is given that has failed every request yet.
const FIRST_CONTACT: Duration = Duration::from_secs(10);
/// A part is repeated for as long as it would take at this rate, if that is longer.
const SLOWEST_BYTES_PER_SECOND: u64 = 256 * 1024;
/// What `object_store` allows for any request, whatever its size.
const SHORTEST_TRY: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Credentials that have just expired, or clocks that differ, make for one refusal; more of them are meant.
const REFUSALS: u32 = 1;
/// A body that was damaged on the way is whole the next time; where the two sides reckon differently, it never is.
const DAMAGES: u32 = 3;

/// How long one request may go on being repeated.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    answered: bool,
    pause: Duration,
    refusals: u32,
    damages: u32,
    key: String,
    watch: Arc<dyn Watch>,
}

impl Patience {
    /// For a request with a body of this size. A store that has never been reached is not waited for: its address or
    /// the network is wrong, and the caller wants to know now. One that answers with failures from the start is waited
    /// for, but not for long.
    pub(super) fn new(bytes: usize, answered: bool, key: String, watch: Arc<dyn Watch>) -> Self {
        let budget = if answered { LEAST.max(at_the_slowest(bytes)) } else { FIRST_CONTACT };
        Self { until: Instant::now() + budget, answered, pause: FIRST_PAUSE, refusals: 0, damages: 0, key, watch }
    }

    /// Waits and says yes, or says at once that this failure is final.
    pub(super) async fn again(&mut self, error: &object_store::Error) -> bool {
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
            Verdict::Passing { reached } => reached || self.answered,
        };
        if !worth_it || Instant::now() + self.pause > self.until {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.watch.retried(&self.key, failure::kind_of(error));
        true
    }
}

/// How long one try of a request with a body of this size may take.
pub(super) fn try_limit(bytes: usize) -> Duration {
    SHORTEST_TRY + at_the_slowest(bytes)
}

fn at_the_slowest(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64 / SLOWEST_BYTES_PER_SECOND)
}

/// What S3 and its likes say of a body that its checksum does not fit (S3 API reference, error responses).
const DAMAGED: [&str; 2] = ["<Code>BadDigest<", "<Code>XAmzContentChecksumMismatch<"];

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
        Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => Verdict::Refused,
        // Of a key at which nothing stands: S3 says so while another request for the key is under way.
        Cause::AlreadyExists { .. } => Verdict::Passing { reached: true },
        _ => Verdict::Final,
    }
}
