//! What the user asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use consign::destination::Commit;
use consign::export::MemoryBudget;
use consign::store::OnExists;

pub(crate) const USAGE: &str = "\
usage: export [--input FILE|-] [--null-text TEXT] --to URL --destination FILE.json
              [--destination-name S] [--audience-id ID] [--audience-name S] [--run-id ID] [--time RFC3339]
              [--recipient KEYFILE]... [--on-exists RULE] [--commit WHEN] [--memory SIZE]
              [--progress json] [--quiet] [--json] [--journal FILE|manifest] [--resume] [--check]
       export --reap [--older-than AGE | --journal FILE] --to URL

  --input FILE|-        the CSV table to deliver, with a header; - is the standard input (default: the bundled table)
  --null-text TEXT      cells that are equal to TEXT are null (default: no cell is)
  --to URL              where to: file:///folder, memory:///, s3://bucket/prefix, gs://…, az://… (features aws, gcp, azure)
  --destination FILE    the destination's JSON
  --destination-name S, --audience-id ID, --audience-name S
                        what the macros of folder and file name expand to
  --run-id ID           the id of this run, for the manifest (default: made from the time)
  --time RFC3339        the time of this run (default: now)
  --recipient KEYFILE   an OpenPGP public key to encrypt to, beside those of the destination
  --on-exists fail|overwrite|skip|suffix
                        what becomes of files that exist (default: the destination's rule, or overwrite)
  --commit group|per-file
                        files become visible all together at the end, or each when it is done (default: the
                        destination's, or group)
  --memory SIZE         how much rows, blocks, parts and small files may take: 64MiB, 1GiB (default: 48MiB)
  --progress json       what happens, as one JSON object per line on the standard error
  --journal FILE|manifest
                        keeps the list of open uploads in FILE, or beside the manifest, for --resume after a crash
  --resume              goes on where a crash ended the same export (same input, --run-id and --time), by its journal
                        (default: that beside the manifest); without one it starts afresh
  --quiet               no warnings, no progress bar and no summary
  --json                print one JSON object about the files instead of the summary
  --check               deliver nothing: try with a few bytes whether the store lets an export do all it needs, and say
                        what is missing; leaves nothing
  --reap                deliver nothing: remove what killed exports left in the store, and print its names; with a
                        --journal FILE, what that one export left, whatever its age
  --older-than AGE      what is younger is left alone, as it may be running: 90s, 30m, 24h, 7d; 0s takes all
                        (default: 24h)

S3 is set up by the usual AWS_* variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
AWS_ENDPOINT, AWS_ALLOW_HTTP. SIGINT and SIGTERM take back what is not committed yet, let a commit come to its end, and
say what stays; a second signal ends the program at once.";

/// What the user asked for.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) input: Option<String>,
    pub(crate) null_text: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) destination: Option<PathBuf>,
    pub(crate) destination_name: Option<String>,
    pub(crate) audience_id: Option<String>,
    pub(crate) audience_name: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) time: Option<DateTime<Utc>>,
    pub(crate) recipients: Vec<PathBuf>,
    pub(crate) journal: Option<String>,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
    pub(crate) bundled: bool,
    pub(crate) on_exists: Option<OnExists>,
    pub(crate) commit: Option<Commit>,
    pub(crate) memory: Option<MemoryBudget>,
    pub(crate) progress: Progress,
    pub(crate) job: Job,
}

/// As long as no export should take.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is to be done.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) enum Job {
    #[default]
    Deliver,
    /// To go on where a crash ended.
    Resume,
    /// To find out whether it could be delivered.
    Check,
    /// To remove what killed exports left that is older than this.
    Reap(Duration),
}

/// How progress is shown.
#[derive(Default, Eq, PartialEq)]
pub(crate) enum Progress {
    /// As a bar, where the standard error is a terminal.
    #[default]
    Bar,
    Json,
}

impl Options {
    /// The options, or none where only the usage is asked for.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut any = false;
        let mut older_than = None;
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
                "--on-exists" => {
                    let rules = [
                        ("fail", OnExists::Fail),
                        ("overwrite", OnExists::Overwrite),
                        ("skip", OnExists::Skip),
                        ("suffix", OnExists::Suffix),
                    ];
                    options.on_exists = Some(choice(&arg, &value()?, &rules)?);
                }
                "--commit" => {
                    let rules = [("group", Commit::Group), ("per-file", Commit::PerFile)];
                    options.commit = Some(choice(&arg, &value()?, &rules)?);
                }
                "--memory" => options.memory = Some(budget(&value()?)?),
                "--progress" => {
                    choice(&arg, &value()?, &[("json", ())])?;
                    options.progress = Progress::Json;
                }
                "--check" => options.job = Job::Check,
                "--reap" => options.job = Job::Reap(A_DAY),
                "--older-than" => older_than = Some(age(&value()?)?),
                "--journal" => options.journal = Some(value()?),
                "--resume" => options.job = Job::Resume,
                "--quiet" => options.quiet = true,
                "--json" => options.json = true,
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("unknown option {other}")),
            }
        }
        match (&mut options.job, older_than) {
            (Job::Reap(age), Some(older_than)) => *age = older_than,
            (Job::Deliver | Job::Resume | Job::Check, Some(_)) => return Err("--older-than is for --reap".into()),
            (_, None) => {}
        }
        if let Job::Reap(_) = options.job {
            match options.journal.as_deref() {
                Some(_) if older_than.is_some() => {
                    return Err("--older-than is not for --reap with a --journal, which names what is removed".into());
                }
                Some("manifest") => return Err("--reap needs a --journal in a FILE".into()),
                _ => {}
            }
            return if options.to.is_some() { Ok(Some(options)) } else { Err("--reap needs --to".into()) };
        }
        if options.job == Job::Resume && (options.run_id.is_none() || options.time.is_none()) {
            return Err("--resume needs the --run-id and the --time of the export that it goes on with".into());
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

    pub(crate) fn input_name(&self) -> &str {
        match self.input.as_deref() {
            Some("-") => "the standard input",
            Some(path) => path,
            None => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/airports.csv"),
        }
    }
}

/// The value of one of a few words.
fn choice<T: Copy>(option: &str, word: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(known, _)| *known == word);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(known, _)| *known).collect();
        format!("{option} {word}: expected {}", known.join(", "))
    })
}

/// A number and its unit.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(known, _)| *known == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn budget(text: &str) -> Result<MemoryBudget, String> {
    let units = [("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let bytes = measured(text, &units).and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| format!("--memory {text}: expected a size such as 64MiB"))?;
    MemoryBudget::new(bytes)
        .ok_or_else(|| format!("--memory {text}: expected at least {}MiB", MemoryBudget::LEAST >> 20))
}

fn age(text: &str) -> Result<Duration, String> {
    let seconds = measured(text, &[("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]);
    seconds.map(Duration::from_secs).ok_or_else(|| format!("--older-than {text}: expected an age such as 90s or 24h"))
}
