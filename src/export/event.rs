//! What happens in an export, told as it happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use futures::{Stream, stream};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::progress::{Progress, Snapshot};
use crate::manifest::{Delivery, Manifest};
use crate::store::Watch;
use crate::{Error, ErrorKind, Result};

/// How many events a listener may be behind.
const KEPT: usize = 256;

/// Something that has happened in an export.
///
/// [`Export::events`](super::Export::events) tells them. As JSON, `event` names the variant, in snake case:
///
/// ```
/// use consign::export::Event;
///
/// let event = Event::PartSent { key: "out/a.csv".into(), part: 3, bytes: 8 << 20 };
/// assert_eq!(serde_json::to_string(&event)?, r#"{"event":"part_sent","key":"out/a.csv","part":3,"bytes":8388608}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A file has begun; nothing of it is visible.
    FileOpened {
        /// Its key.
        key: String,
    },
    /// The store has a part of a file.
    PartSent {
        /// The file's key.
        key: String,
        /// The part's number, from 1.
        part: usize,
        /// The part's size.
        bytes: usize,
    },
    /// The export that this one goes on with may have left an upload of this key open that nobody knows: its id was lost
    /// with the reply, and the store cannot be asked, or what is open may be another export's.
    UploadLost {
        /// The key.
        key: String,
    },
    /// A request failed in a way that may pass, and is made again.
    Retried {
        /// The key that the request was about.
        key: String,
        /// What was wrong.
        kind: ErrorKind,
    },
    /// All bytes of a file are made and sent, or held; it waits to become visible.
    FileFinished {
        /// Its key.
        key: String,
        /// Its rows.
        rows: u64,
        /// The bytes that the format made of them.
        plain_bytes: u64,
        /// The bytes that are stored.
        stored_bytes: u64,
    },
    /// A file is visible.
    FileCommitted {
        /// Its key.
        key: String,
    },
    /// How far the export is, about once a second, and once before its end.
    Progress(Snapshot),
    /// The last event of an export that has delivered: the manifest is written.
    Committed {
        /// How many files there are.
        files: usize,
        /// How many rows they have.
        rows: u64,
        /// The manifest's key, if it is stored.
        manifest: Option<String>,
    },
    /// The last event of an export that found itself delivered before.
    Skipped,
    /// The last event of an export that has failed.
    Failed {
        /// What kind of failure it was.
        kind: ErrorKind,
        /// The error's own text, without its sources.
        error: String,
    },
    /// The last event of an export that was aborted or dropped.
    Aborted,
    /// The listener was too far behind, and some events are gone. The export waits for no listener.
    Missed {
        /// How many.
        events: u64,
    },
}

/// Tells the listeners of one export, if there are any.
#[derive(Clone, Debug, Default)]
pub(super) struct Events(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Made for the first listener.
    sender: OnceLock<broadcast::Sender<Event>>,
    ended: AtomicBool,
}

impl Events {
    /// All events from now on, until the export has ended.
    pub(super) fn listen(&self) -> impl Stream<Item = Event> + Send + Unpin + use<> {
        let receiver = self.0.sender.get_or_init(|| broadcast::Sender::new(KEPT)).subscribe();
        Box::pin(stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(event) => Some((event, receiver)),
                Err(RecvError::Lagged(events)) => Some((Event::Missed { events }, receiver)),
                Err(RecvError::Closed) => None,
            }
        }))
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        #[cfg(feature = "tracing")]
        let event = {
            let event = event();
            super::trace::trace(&event);
            || event
        };
        if let Some(sender) = self.0.sender.get() {
            // Nobody listens any more, or somebody does.
            let _ = sender.send(event());
        }
    }

    /// Tells how the export has ended; only the first end is told.
    pub(super) fn end(&self, ended: &Result<Manifest>, progress: &Progress) {
        if self.0.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        self.tell(|| Event::Progress(progress.snapshot()));
        self.tell(|| match ended {
            Ok(manifest) if manifest.delivery() == Delivery::Skipped => Event::Skipped,
            Ok(manifest) => Event::Committed {
                files: manifest.files().len(),
                rows: manifest.rows(),
                manifest: manifest.key().map(str::to_owned),
            },
            Err(error) if error.kind() == ErrorKind::Aborted => Event::Aborted,
            Err(error) => Event::Failed { kind: error.kind(), error: error.to_string() },
        });
    }

    /// As [`end`](Self::end), for a failure that the pipeline does not know of.
    pub(super) fn failed(&self, error: &Error, progress: &Progress) {
        self.end(&Err(error.clone()), progress);
    }
}

/// What the store tells goes to the counters and to the listeners.
#[derive(Debug)]
pub(super) struct Onlooker {
    pub(super) progress: Progress,
    pub(super) events: Events,
}

impl Watch for Onlooker {
    fn part_begun(&self) {
        self.progress.part_begun();
    }

    fn part_ended(&self, key: &str, sent: Option<(usize, usize)>) {
        self.progress.part_ended();
        if let Some((part, bytes)) = sent {
            self.events.tell(|| Event::PartSent { key: key.to_owned(), part, bytes });
        }
    }

    fn retried(&self, key: &str, kind: ErrorKind) {
        self.progress.retried();
        self.events.tell(|| Event::Retried { key: key.to_owned(), kind });
    }
}
