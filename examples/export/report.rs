//! What was delivered, for a person or a program.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use consign::Destination;
use consign::export::Snapshot;
use consign::manifest::{Delivery, Manifest};
use consign::store::Store;

use crate::options::Options;

/// A number of bytes for a person.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// What was delivered, for a program.
pub(crate) fn json(manifest: &Manifest) -> String {
    let files: Vec<_> = manifest
        .files()
        .iter()
        .map(|file| {
            serde_json::json!({
                "key": file.key(),
                "rows": file.rows(),
                "plain_bytes": file.plain_bytes(),
                "stored_bytes": file.stored_bytes(),
            })
        })
        .collect();
    let mut object = serde_json::json!({ "files": files, "manifest": manifest.key() });
    if manifest.delivery() == Delivery::Skipped {
        object["skipped"] = true.into();
    }
    if let Some(rejects) = manifest.rejects() {
        object["rejects"] = rejects.key().into();
    }
    if !manifest.counts().is_empty() {
        object["counts"] = serde_json::json!(manifest.counts());
    }
    object.to_string()
}

/// What was delivered, for a person.
pub(crate) fn summary(
    options: &Options,
    destination: &Destination,
    store: &Store,
    manifest: &Manifest,
    spent: &Snapshot,
    elapsed: Duration,
) -> String {
    if manifest.delivery() == Delivery::Skipped {
        return "skipped: files with these names exist".to_owned();
    }
    let mut out = String::new();
    let _ = writeln!(out, "{:>12}  {:>12}  {:>12}  key", "rows", "plain", "stored");
    for file in manifest.files() {
        let (plain, stored) = (size(file.plain_bytes()), size(file.stored_bytes()));
        let _ = writeln!(out, "{:>12}  {plain:>12}  {stored:>12}  {}", file.rows(), file.key());
    }
    if let Some(rejects) = manifest.rejects() {
        let stored = size(rejects.stored_bytes());
        let _ = writeln!(out, "{:>12}  {:>12}  {stored:>12}  {}", rejects.rows(), "rejected", rejects.key());
    }
    if let Some(key) = manifest.key() {
        let _ = writeln!(out, "{:>12}  {:>12}  {:>12}  {key}", "manifest", "", size(manifest.to_json().len() as u64));
    }
    for (name, count) in manifest.counts() {
        let _ = writeln!(out, "{count:>12}  {name}");
    }
    let _ = writeln!(
        out,
        "\ntime: {elapsed:.1?} in all; encode {:.1?}, compress {:.1?}, encrypt {:.1?}, upload {:.1?} (stages run side by side)",
        spent.encode, spent.compress, spent.encrypt, spent.upload,
    );
    let Some((folder, file)) = store.as_folder().zip(manifest.files().first()) else {
        return out.trim_end().to_owned();
    };
    let path = folder.join(file.key());
    let mut look = format!("cat '{}'", path.display());
    if destination.encryption().is_some() {
        let secret = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/receiver.sec.asc");
        look = if options.bundled {
            format!(
                "home=$(mktemp -d) && gpg -q --homedir \"$home\" --import '{}' && gpg -q --homedir \"$home\" --decrypt '{}'",
                secret.display(),
                path.display()
            )
        } else {
            format!("gpg --decrypt '{}'", path.display())
        };
    }
    if destination.compression_layer().is_some() {
        look += " | gzip -d";
    }
    let _ = write!(out, "\nlook at it:\n{look} | head");
    out
}
