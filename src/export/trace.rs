//! Events as those of `tracing`, in the span of their export.

use tracing::{debug, error, info, warn};

use super::event::Event;

/// Failures are errors, retries and missed files warnings; parts and progress are for debugging.
pub(super) fn trace(event: &Event) {
    match event {
        Event::FileOpened { key } => info!(key, "file opened"),
        Event::PartSent { key, part, bytes } => debug!(key, part, bytes, "part sent"),
        Event::UploadLost { key } => warn!(key, "upload lost"),
        Event::Retried { key, kind } => warn!(key, ?kind, "request made again"),
        Event::FileFinished { key, rows, plain_bytes, stored_bytes } => {
            info!(key, rows, plain_bytes, stored_bytes, "file finished");
        }
        Event::FileCommitted { key } => info!(key, "file committed"),
        Event::Progress(now) => {
            let bottleneck = now.bottleneck();
            debug!(now.rows, now.plain_bytes, now.stored_bytes, now.parts_in_flight, ?bottleneck, "progress");
        }
        Event::Committed { files, rows, manifest } => info!(files, rows, manifest, "committed"),
        Event::Skipped => info!("skipped"),
        Event::Failed { kind, error } => error!(?kind, error, "failed"),
        Event::Aborted => warn!("aborted"),
        // Of a listener; there is none here.
        Event::Missed { .. } => {}
    }
}
