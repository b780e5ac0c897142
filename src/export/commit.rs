//! The end of an export: every file is completed, then the manifest is written; or everything is taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use super::event::Event;
use super::file::{Ended, compare};
use super::pipeline::Run;
use crate::destination::ManifestFile;
use crate::format::csv::Counts;
use crate::location::ObjectKey;
use crate::manifest::{Delivery, FileEntry, Manifest};
use crate::store::{Marked, MayStand, OnExists, Payload, Sum, Upload, Uploader};
use crate::{Error, ErrorKind, Result};

/// How many files are completed at the same time.
const COMPLETIONS: usize = 8;

/// The files of an export of which all bytes are made.
pub(super) struct Done {
    /// These were shown before.
    pub(super) visible: Vec<FileEntry>,
    pub(super) ended: Vec<Ended>,
    pub(super) rejects: Option<Ended>,
}

/// Makes the files visible, then writes the manifest. Nothing stops it half-way but a failure: whoever drops the
/// export from here on finds it committed.
pub(super) async fn complete(run: &Run, mut uploader: Uploader, done: Done, counts: &Counts) -> Result<Manifest> {
    let Done { visible, ended: files, rejects } = done;
    let early = !visible.is_empty();
    let entries: Vec<_> = visible.into_iter().chain(files.iter().map(|file| file.entry.clone())).collect();
    let rejected = rejects.as_ref().map(|file| file.entry.clone());
    let manifest = Manifest::new(&run.id, run.context.time())
        .with_files(entries)
        .with_rejects(rejected)
        .with_counts(named(counts));
    // Whatever can fail about the manifest before it is visible fails before anything else is.
    let staged = match run.destination.manifest() {
        ManifestFile::Omit => Ok(None),
        ManifestFile::Write => stage(run, &mut uploader, &manifest, early).await.map(Some),
    };
    let prepared = uploader.prepare().await;
    let staged = match prepared.and(staged) {
        Ok(staged) => staged,
        Err(error) => {
            let uploads = files.into_iter().chain(rejects).map(|file| file.upload);
            return Err(abort(uploads, error).await);
        }
    };

    let mut files = files.into_iter().chain(rejects);
    let claimed = match if uploader.keeps() && !early { files.next() } else { None } {
        Some(first) => {
            let claimed = uploader.claim(first.upload, &first.sum).await;
            if claimed.is_ok() {
                run.events.tell(|| Event::FileCommitted { key: first.entry.key().to_owned() });
            }
            claimed
        }
        None => Ok(()),
    };
    if run.destination.on_exists() == OnExists::Skip && claimed.as_ref().is_err_and(|e| e.kind() == ErrorKind::Exists) {
        let uploads = files.map(|file| file.upload).chain(staged.map(|(_, _, upload)| upload));
        let aborted = abort(uploads, Error::new(ErrorKind::Aborted, "another export was faster")).await;
        return if aborted.kind() == ErrorKind::Aborted { Ok(skipped(run)) } else { Err(aborted) };
    }
    let failed = &AtomicBool::new(claimed.is_err());
    let first_error = stream::iter(files)
        .map(|file| async move {
            // After a failure no further file is shown.
            if failed.load(Ordering::Relaxed) {
                return file.upload.abort().await;
            }
            let completed = show(run, file).await;
            failed.fetch_or(completed.is_err(), Ordering::Relaxed);
            completed
        })
        .buffer_unordered(COMPLETIONS)
        .fold(claimed, |first, next| async {
            match (first, next) {
                // What may come yet is what a caller has to know first.
                (Err(first), Err(next)) if next.kind() == ErrorKind::Unknown && first.kind() != ErrorKind::Unknown => {
                    Err(next.with_note(&format!("besides, {first:#}")))
                }
                (Err(first), Err(next)) => Err(first.with_note(&format!("besides, {next:#}"))),
                (first, next) => first.and(next),
            }
        })
        .await;
    let completed = match first_error {
        Ok(()) => uploader.confirm().await,
        failed => failed,
    };
    match (completed, staged) {
        (Ok(()), None) => {
            uploader.delivered();
            Ok(manifest)
        }
        (Ok(()), Some((key, sum, upload))) => {
            if let Err(error) = upload.complete(&sum).await {
                let manifest = if error.kind() == ErrorKind::Unknown { MayStand::Yes } else { MayStand::No };
                return Err(if early { error } else { uploader.take_back(error, manifest).await });
            }
            uploader.delivered();
            Ok(manifest.with_key(key.as_str()))
        }
        (Err(error), Some((_, _, upload))) if error.kind() == ErrorKind::Unknown => {
            // Without the manifest's entry a reaper would not know a file that comes late for one without its manifest.
            let error = match upload.abort_noted().await {
                Ok(()) => error,
                Err(left) => error.with_note(&format!("besides, {left:#}")),
            };
            Err(if early { error } else { uploader.take_back(error, MayStand::No).await })
        }
        (Err(error), staged) => {
            let error = abort(staged.into_iter().map(|(_, _, upload)| upload), error).await;
            Err(if early { error } else { uploader.take_back(error, MayStand::No).await })
        }
    }
}

/// Makes a file visible before the commit. What was begun runs to its end, so that a dropped export leaves no upload
/// that is neither completed nor aborted.
pub(super) async fn show_early(run: &Arc<Run>, uploader: &Uploader, file: Ended, first: bool) -> Result<()> {
    if let Err(error) = uploader.prepare().await {
        return Err(abort(std::iter::once(file.upload), error).await);
    }
    run.visible.add(file.entry.key());
    let shown = {
        let (key, run) = (file.entry.key().to_owned(), Arc::clone(run));
        let shown = tokio::spawn(async move {
            let shown = show(&run, file).await;
            // Only a file of which nothing is known may be there nevertheless.
            if shown.as_ref().is_err_and(|e| e.kind() != ErrorKind::Unknown) {
                run.visible.remove(&key);
            }
            shown
        });
        shown.await
    };
    shown.map_err(|e| Error::new(ErrorKind::Internal, "the completion of a file did not end").with_source(e))??;
    if first && uploader.keeps() { uploader.claimed().await } else { Ok(()) }
}

/// Makes a file visible.
async fn show(run: &Run, file: Ended) -> Result<()> {
    file.upload.complete(&file.sum).await?;
    run.events.tell(|| Event::FileCommitted { key: file.entry.key().to_owned() });
    Ok(())
}

/// What an export returns that found itself delivered.
pub(super) fn skipped(run: &Run) -> Manifest {
    Manifest::new(&run.id, run.context.time()).with_delivery(Delivery::Skipped)
}

/// Brings the manifest to where only its completion is missing.
async fn stage(
    run: &Run,
    uploader: &mut Uploader,
    manifest: &Manifest,
    early: bool,
) -> Result<(ObjectKey, Sum, Upload)> {
    let key = run.destination.manifest_key(&run.context, &run.id)?;
    let json = Bytes::from(manifest.to_json());
    let mut digest = run.digest();
    digest.update(&json);
    let stored = Marked::new(digest, None);
    let sum = stored.sum();
    let (mut upload, finished) = uploader.start(key.as_str()).await?;
    let ended = match finished {
        Some(finished) => compare(&key, &finished, 0, &sum),
        None => match uploader.end(&mut upload, Payload::uncounted(json)).await {
            // Files that were shown one by one stay.
            Ok(()) if early => upload.finished(0, sum.clone(), &stored).await,
            Ok(()) => upload.finished_seal(&stored).await,
            failed => failed,
        },
    };
    match ended {
        Ok(()) => Ok((key, sum, upload)),
        Err(error) => Err(abort(std::iter::once(upload), error).await),
    }
}

/// The counts of the encoders, as the manifest names them.
fn named(counts: &Counts) -> impl Iterator<Item = (String, u64)> {
    let own = [
        ("lost", counts.lost()),
        ("skipped", counts.skipped()),
        ("rejected", counts.rejected()),
        ("unmappable", counts.unmappable()),
        ("guarded", counts.guarded()),
    ];
    let own = own.into_iter().map(|(name, count)| (name.to_owned(), count));
    own.chain(counts.hazards().map(|(kind, count)| (kind.name().to_owned(), count)))
}

/// Takes back what was sent. The error is the one that the export failed with; a failed abort is told beside it. An export
/// that was refused may be resumed yet, as the one that it is not: what it has taken up stays.
pub(super) async fn abort(uploads: impl Iterator<Item = Upload>, error: Error) -> Error {
    let refused = error.kind() == ErrorKind::Resume;
    let failures: Vec<_> = stream::iter(uploads.filter(|upload| !(refused && upload.is_taken_up())))
        .map(Upload::abort)
        .buffer_unordered(COMPLETIONS)
        .filter_map(|aborted| async { aborted.err() })
        .collect()
        .await;
    match failures.first() {
        None => error,
        Some(first) if error.kind() == ErrorKind::Aborted => first.clone(),
        Some(first) => {
            error.with_note(&format!("besides, uploads were left open that could not be aborted: {first:#}"))
        }
    }
}
