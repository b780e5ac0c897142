//! The platform's shape of a manifest.

use chrono::SecondsFormat;
use serde::Serialize;

use super::Manifest;

/// The fields in the order of the platform's own manifests.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Platform<'a> {
    flow_run_id: &'a str,
    scheduled_time: String,
    export_results: Vec<ExportResult<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportResult<'a> {
    sink_path: String,
    name: &'a str,
    size: u64,
}

pub(super) fn to_json(manifest: &Manifest) -> String {
    let files = manifest.files().iter().map(|file| ExportResult {
        sink_path: format!("/{}", file.folder()),
        name: file.name(),
        size: file.stored_bytes(),
    });
    let platform = Platform {
        flow_run_id: manifest.run_id(),
        scheduled_time: manifest.scheduled_time().to_rfc3339_opts(SecondsFormat::Secs, true),
        export_results: files.collect(),
    };
    serde_json::to_string(&platform).expect("texts and numbers are JSON")
}
