//! Delivers a CSV table as files: the crate's main job, as a program.
//!
//! Without arguments it delivers the bundled table to a folder under `target/`, compressed and encrypted to a bundled
//! test key, and prints what it did. With arguments it delivers what it is given:
//!
//! ```text
//! export [--input FILE|-] [--null-text TEXT] --to URL --destination FILE.json
//!        [--destination-name S] [--audience-id ID] [--audience-name S] [--run-id ID] [--time RFC3339]
//!        [--recipient KEYFILE]... [--quiet] [--json]
//! ```
//!
//! Warnings about the destination go to the standard error. The exit status is 0 when everything was delivered; otherwise one line on the standard error says what was wrong and
//! where, and nothing is visible at the destination. (A store that fails between the completions of several files can
//! leave files, but no manifest of them.)

use std::fmt::Write as _;
use std::fs;
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use consign::destination::platform::DestinationFile;
use consign::export::Snapshot;
use consign::layer::encrypt::{Encryption, Recipient};
use consign::manifest::Manifest;
use consign::store::Store;
use consign::template::Context;
use consign::{Destination, Export};
use csv_async::AsyncReaderBuilder;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncRead;

const USAGE: &str = "\
usage: export [--input FILE|-] [--null-text TEXT] --to URL --destination FILE.json
              [--destination-name S] [--audience-id ID] [--audience-name S] [--run-id ID] [--time RFC3339]
              [--recipient KEYFILE]... [--quiet] [--json]

  --input FILE|-        the CSV table to deliver, with a header; - is the standard input (default: the bundled table)
  --null-text TEXT      cells that are equal to TEXT are null (default: no cell is)
  --to URL              where to: file:///folder, memory:///, s3://bucket/prefix, gs://…, az://… (features aws, gcp, azure)
  --destination FILE    the destination's JSON
  --destination-name S, --audience-id ID, --audience-name S
                        what the macros of folder and file name expand to
  --run-id ID           the id of this run, for the manifest (default: made from the time)
  --time RFC3339        the time of this run (default: now)
  --recipient KEYFILE   an OpenPGP public key to encrypt to, beside those of the destination
  --quiet               no warnings, no progress bar and no summary
  --json                print one JSON object about the files instead of the summary";

/// What the user asked for.
#[derive(Default)]
struct Options {
    input: Option<String>,
    null_text: Option<String>,
    to: Option<String>,
    destination: Option<PathBuf>,
    destination_name: Option<String>,
    audience_id: Option<String>,
    audience_name: Option<String>,
    run_id: Option<String>,
    time: Option<DateTime<Utc>>,
    recipients: Vec<PathBuf>,
    quiet: bool,
    json: bool,
    bundled: bool,
}

fn main() -> ExitCode {
    let args: Result<Vec<_>, _> = std::env::args_os().skip(1).map(std::ffi::OsString::into_string).collect();
    let options = args.map_err(|arg| format!("{} is not UTF-8", arg.display()));
    let options = match options.and_then(|args| Options::parse(args.into_iter())) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print(USAGE);
            return ExitCode::SUCCESS;
        }
        Err(text) => {
            eprintln!("export: {text}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(run(&options));
            // A read of the standard input that never ends must not hold the program.
            runtime.shutdown_background();
            done
        }
        Err(e) => Err(format!("cannot start: {e}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("export: {text}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// The options, or none where only the usage is asked for.
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut any = false;
        while let Some(arg) = args.next() {
            any |= !matches!(arg.as_str(), "--quiet" | "--json");
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--input" => options.input = Some(value()?),
                "--null-text" => options.null_text = Some(value()?),
                "--to" => options.to = Some(value()?),
                "--destination" => options.destination = Some(value()?.into()),
                "--destination-name" => options.destination_name = Some(value()?),
                "--audience-id" => options.audience_id = Some(value()?),
                "--audience-name" => options.audience_name = Some(value()?),
                "--run-id" => options.run_id = Some(value()?),
                "--time" => {
                    let text = value()?;
                    let time = DateTime::parse_from_rfc3339(&text)
                        .map_err(|e| format!("--time {text}: {e}; expected a time such as 2026-11-22T08:00:00Z"))?;
                    options.time = Some(time.to_utc());
                }
                "--recipient" => options.recipients.push(value()?.into()),
                "--quiet" => options.quiet = true,
                "--json" => options.json = true,
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("unknown option {other}")),
            }
        }
        if options.to.is_some() && options.destination.is_some() {
            return Ok(Some(options));
        }
        if any {
            return Err("--to and --destination are needed".into());
        }
        Ok(Some(Self { quiet: options.quiet, json: options.json, ..Self::bundled() }))
    }

    /// What runs without arguments: the bundled table, to a folder under `target/`.
    fn bundled() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder =
            std::path::absolute(target.join("consign-export")).unwrap_or_else(|_| target.join("consign-export"));
        Self {
            to: url::Url::from_file_path(&folder).ok().map(String::from),
            destination: Some(root.join("examples/destination.json")),
            audience_id: Some("25768be6-ebd5-45cc-8913-12fb3f348615".into()),
            audience_name: Some("US Airports".into()),
            recipients: vec![root.join("tests/data/keys/receiver.pub.asc")],
            bundled: true,
            ..Self::default()
        }
    }

    fn input_name(&self) -> &str {
        match self.input.as_deref() {
            Some("-") => "the standard input",
            Some(path) => path,
            None => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/airports.csv"),
        }
    }
}

async fn run(options: &Options) -> Result<(), String> {
    let now = Utc::now();
    let destination = read_destination(options, now)?;
    if !options.quiet {
        for warning in destination.warnings() {
            eprintln!("export: warning: {warning}");
        }
    }
    let mut context = Context::new(options.time.unwrap_or(now));
    if let Some(name) = &options.destination_name {
        context = context.with_destination(name);
    }
    if let Some(id) = &options.audience_id {
        context = context.with_audience_id(id);
    }
    if let Some(name) = &options.audience_name {
        context = context.with_audience_name(name);
    }
    let to = options.to.as_deref().unwrap_or_default();
    let store = Store::from_url(to).map_err(|e| format!("{e:#}"))?;
    let mut export = Export::builder(&destination, &store, context);
    if let Some(id) = &options.run_id {
        export = export.with_run_id(id);
    }
    let mut export = export.start().map_err(|e| format!("{e:#}"))?;

    let start = Instant::now();
    let progress = export.progress();
    let bar = bar(options);
    let delivered = {
        let ticks = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                show(&bar, &progress.snapshot(), start.elapsed());
            }
        };
        tokio::select! {
            done = feed(&mut export, options) => done,
            () = ticks => unreachable!("the ticks never end"),
            _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
        }
    };
    if let Err(text) = delivered {
        bar.finish_and_clear();
        return Err(match export.abort().await {
            Ok(()) => text,
            Err(e) => format!("{text}; {e:#}"),
        });
    }
    let manifest = export.commit().await;
    bar.finish_and_clear();
    let manifest = manifest.map_err(|e| at(options, &e))?;
    let elapsed = start.elapsed();
    if options.json {
        print(&json(&manifest));
    } else if !options.quiet {
        print(&summary(options, &destination, &store, &manifest, &progress.snapshot(), elapsed));
    }
    Ok(())
}

/// Prints text, and does not mind a reader that has gone away.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// An error about the input, with its name before the line.
fn at(options: &Options, error: &consign::Error) -> String {
    match error.kind() {
        consign::ErrorKind::Row | consign::ErrorKind::Input => format!("{}: {error:#}", options.input_name()),
        _ => format!("{error:#}"),
    }
}

fn read_destination(options: &Options, now: DateTime<Utc>) -> Result<Destination, String> {
    let path = options.destination.as_deref().unwrap_or_else(|| Path::new(""));
    let named = |text: String| format!("{}: {text}", path.display());
    let json = fs::read_to_string(path).map_err(|e| named(e.to_string()))?;
    let file = DestinationFile::parse(&json).map_err(|e| named(e.to_string()))?;
    let destination = file.into_destination(now).map_err(|e| named(format!("{e:#}")))?;
    if options.recipients.is_empty() {
        return Ok(destination);
    }
    let mut recipients: Vec<_> = destination.encryption().map(Encryption::recipients).unwrap_or_default().to_vec();
    for path in &options.recipients {
        let named = |text: String| format!("{}: {text}", path.display());
        let key = fs::read(path).map_err(|e| named(e.to_string()))?;
        recipients.extend(Recipient::parse(&key, now).map_err(|e| named(e.to_string()))?);
    }
    let encryption = Encryption::to(recipients).map_err(|e| e.to_string())?;
    destination.to_builder().with_encryption(encryption).build().map_err(|e| named(format!("{e:#}")))
}

/// Reads the input into the export.
async fn feed(export: &mut Export, options: &Options) -> Result<(), String> {
    let input: Box<dyn AsyncRead + Send + Unpin> = if options.input.as_deref() == Some("-") {
        Box::new(tokio::io::stdin())
    } else {
        let path = options.input_name();
        Box::new(tokio::fs::File::open(path).await.map_err(|e| format!("{path}: {e}"))?)
    };
    let mut reader = AsyncReaderBuilder::new().buffer_capacity(256 * 1024).create_reader(input);
    export.write_csv(&mut reader, options.null_text.as_deref()).await.map_err(|e| at(options, &e))
}

fn bar(options: &Options) -> ProgressBar {
    if options.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn show(bar: &ProgressBar, now: &Snapshot, elapsed: Duration) {
    let rate = u128::from(now.plain_bytes) * 1000 / elapsed.as_millis().max(1);
    bar.set_message(format!(
        "{} rows, {} read into {}, {}/s",
        now.rows,
        size(now.plain_bytes),
        size(now.stored_bytes),
        size(u64::try_from(rate).unwrap_or(u64::MAX)),
    ));
    bar.tick();
}

/// A number of bytes for a person.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// What was delivered, for a program.
fn json(manifest: &Manifest) -> String {
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
    if let Some(rejects) = manifest.rejects() {
        object["rejects"] = rejects.key().into();
    }
    if !manifest.counts().is_empty() {
        object["counts"] = serde_json::json!(manifest.counts());
    }
    object.to_string()
}

/// What was delivered, for a person.
fn summary(
    options: &Options,
    destination: &Destination,
    store: &Store,
    manifest: &Manifest,
    spent: &Snapshot,
    elapsed: Duration,
) -> String {
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
