//! Delivers a CSV table as files: the crate's main job, as a program.
//!
//! Without arguments it delivers the bundled table to a folder under `target/`, compressed and encrypted to a bundled
//! test key, and prints what it did. With arguments it delivers what it is given:
//!
//! ```text
//! export [--input FILE|-] [--null-text TEXT] --to URL --destination FILE.json
//!        [--destination-name S] [--audience-id ID] [--audience-name S] [--run-id ID] [--time RFC3339]
//!        [--recipient KEYFILE]... [--on-exists RULE] [--commit WHEN] [--memory SIZE] [--progress json] [--quiet] [--json]
//!        [--journal FILE|manifest] [--resume] [--check]
//! export --reap [--older-than AGE | --journal FILE] --to URL
//! ```
//!
//! Warnings about the destination go to the standard error. The exit status is 0 when everything was delivered; otherwise
//! one line on the standard error says what was wrong and where, and nothing is visible at the destination. (A store that
//! fails between the completions of several files can leave files, but no manifest of them; so does `--commit per-file`.)

use std::fs;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use consign::destination::platform::DestinationFile;
use consign::export::{ExportBuilder, Snapshot};
use consign::layer::encrypt::{Encryption, Recipient};
use consign::manifest::Manifest;
use consign::store::{Journal, Preflight, Store};
use consign::template::Context;
use consign::{Destination, Export};
use csv_async::AsyncReaderBuilder;
use indicatif::{ProgressBar, ProgressStyle};

use crate::input::Ahead;
use crate::options::{Job, Options, Progress, USAGE};
use crate::report::{json, size, summary};
use crate::stop::{LEFT, Signals, follow, stopped};

#[path = "export/input.rs"]
mod input;
#[path = "export/options.rs"]
mod options;
#[path = "export/report.rs"]
mod report;
#[path = "export/stop.rs"]
mod stop;

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
            let done = runtime.block_on(async {
                match options.job {
                    Job::Reap(age) => {
                        let mut signals = Signals::listen()?;
                        tokio::select! {
                            done = reap(&options, age) => done,
                            signal = signals.next() => Err(format!("stopped by {signal}: some of it may be left")),
                        }
                    }
                    Job::Deliver | Job::Resume | Job::Check => run(&options).await,
                }
            });
            // To open an input may take for ever, which must not hold the program.
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
    if options.job == Job::Check {
        let preflight = check(export).await?;
        let text = preflight.to_string();
        preflight.into_result().map_err(|_| text.clone())?;
        print(&text);
        return Ok(());
    }
    match options.journal.as_deref() {
        None => {}
        Some("manifest") => {
            let journal = export.journal_beside().map_err(|e| format!("{e:#}"))?;
            export = export.with_journal(journal);
        }
        Some(path) => export = export.with_journal(Journal::file(path)),
    }
    if options.job == Job::Resume {
        export = export.with_resume();
    }
    if let Some(memory) = &options.memory {
        export = export.with_memory(memory.clone());
    }
    let mut signals = Signals::listen()?;
    let export = export.start().map_err(|e| format!("{e:#}"))?;
    let told = tokio::spawn(follow(export.events(), options.progress == Progress::Json));
    let (start, progress, bar) = (Instant::now(), export.progress(), bar(options));
    let ticks = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            show(&bar, &progress.snapshot(), start.elapsed());
        }
    };
    let delivered = tokio::select! {
        delivered = deliver(export, options) => delivered,
        () = ticks => unreachable!("the ticks never end"),
        signal = signals.next() => {
            bar.finish_and_clear();
            // The export is dropped: it takes everything back, or ends its commit, of which the last event tells.
            return tokio::select! {
                told = told => stopped(signal, told.unwrap_or_default()),
                _ = signals.next() => Err(format!("stopped by {signal}, and at once by another: {LEFT}")),
            };
        }
    };
    bar.finish_and_clear();
    // What is told of the end comes before anything else about it.
    let _ = told.await;
    let manifest = delivered?;
    let elapsed = start.elapsed();
    if options.json {
        print(&json(&manifest));
    } else if !options.quiet {
        print(&summary(options, &destination, &store, &manifest, &progress.snapshot(), elapsed));
    }
    Ok(())
}

/// Reads the input into the export and commits it, or takes everything back.
async fn deliver(mut export: Export, options: &Options) -> Result<Manifest, String> {
    match feed(&mut export, options).await {
        Ok(()) => export.commit().await.map_err(|e| at(options, &e)),
        Err(text) => match export.abort().await {
            Ok(()) => Err(text),
            Err(e) => Err(format!("{text}; {e:#}")),
        },
    }
}

/// Tries out what an export will need. A signal does not keep it from removing what it has tried.
async fn check(export: ExportBuilder) -> Result<Preflight, String> {
    let mut signals = Signals::listen()?;
    let checking = export.check();
    tokio::pin!(checking);
    let signal = tokio::select! {
        checked = &mut checking => return checked.map_err(|e| format!("{e:#}")),
        signal = signals.next() => signal,
    };
    tokio::select! {
        checked = checking => Err(match checked {
            Ok(preflight) => format!("stopped by {signal}; {preflight}"),
            Err(e) => format!("stopped by {signal}; {e:#}"),
        }),
        _ = signals.next() => Err(format!("stopped by {signal}, and at once by another: {LEFT}")),
    }
}

/// Removes what killed exports left.
async fn reap(options: &Options, age: Duration) -> Result<(), String> {
    let store = Store::from_url(options.to.as_deref().unwrap_or_default()).map_err(|e| format!("{e:#}"))?;
    if let Some(path) = &options.journal {
        let reaped = store.reap_journal(&Journal::file(path)).await.map_err(|e| format!("{e:#}"))?;
        for key in reaped.unsure {
            eprintln!("export: warning: something may be left of {key}: see --reap --older-than");
        }
        if !options.quiet {
            reaped.removed.iter().for_each(|name| print(name));
        }
        return Ok(());
    }
    let reaping = store.reap("", Utc::now(), age).await;
    for left in &reaping.left {
        eprintln!("export: warning: left: {left}");
    }
    if !options.quiet {
        for reaped in &reaping.removed {
            print(&format!("{} of {}", reaped.name, reaped.since.to_rfc3339()));
        }
    }
    reaping.into_result().map(drop).map_err(|e| format!("{e:#}"))
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
    let mut builder = destination.to_builder();
    if let Some(rule) = options.on_exists {
        builder = builder.with_on_exists(rule);
    }
    if let Some(commit) = options.commit {
        builder = builder.with_commit(commit);
    }
    let destination = builder.build().map_err(|e| named(format!("{e:#}")))?;
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
    let name = options.input_name();
    let input = if options.input.as_deref() == Some("-") {
        Ahead::new(std::io::stdin())
    } else {
        // A pipe with a name is open once there is a writer.
        let file = tokio::fs::File::open(name).await.map_err(|e| format!("{name}: {e}"))?;
        Ahead::new(file.into_std().await)
    };
    let input = input.map_err(|e| format!("{name}: {e}"))?;
    let mut reader = AsyncReaderBuilder::new().buffer_capacity(256 * 1024).create_reader(input);
    export.write_csv(&mut reader, options.null_text.as_deref()).await.map_err(|e| at(options, &e))
}

fn bar(options: &Options) -> ProgressBar {
    if options.quiet || options.progress == Progress::Json || !std::io::stderr().is_terminal() {
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
