//! The export program, killed by SIGKILL at random moments and at each of its requests, with a journal, over an older set:
//! that one stands there, or the newer one as a whole, or, where the same names are overwritten, whole files of both without
//! the newer manifest; the journal leads to all that it left open, and a resumed run ends with the same bytes.

use std::env;
use std::fs;
use std::num::NonZeroU64;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{TimeZone, Utc};
use consign::location::{BucketName, FolderPath};
use consign::store::{Journal, Store};
use consign::template::{Context, Template};
use consign::{Destination, Export};
use futures::{StreamExt, stream};

use super::client::{Client, Setup};
use super::fixture::Server;
use super::proxy::{Cut, CutRule, Proxy};
use super::{row, text};
use crate::program::example;

/// Two files of two parts each, and one that fits one request.
const ROWS: u64 = 9 * 64;
const ALL_ROWS: u64 = 2 * ROWS + 1;
const HEADER: &str = "a\n";
/// Exports at the same time.
const AT_ONCE: usize = 2;

/// Where the files go to.
enum Place {
    Bucket(Setup, Client),
    Folder,
}

/// What is there before the export, and what it does about that.
#[derive(Clone, Copy, Debug)]
struct Rule {
    on_exists: &'static str,
    /// The template of its names, those of an older export, and its own: behind `t`, and behind `manifest-run`.
    template: &'static str,
    older: &'static str,
    newer: &'static str,
    number: &'static str,
}

const RULES: [Rule; 5] = [
    Rule { on_exists: "overwrite", template: "t", older: "t", newer: "t", number: "" },
    Rule { on_exists: "overwrite", template: OWN, older: "t20261121", newer: "t20261122", number: "" },
    Rule { on_exists: "fail", template: OWN, older: "t20261121", newer: "t20261122", number: "" },
    Rule { on_exists: "skip", template: OWN, older: "t20261121", newer: "t20261122", number: "" },
    Rule { on_exists: "suffix", template: "t", older: "t", newer: "t-2", number: "-2" },
];

/// Names of its own for the export of each day.
const OWN: &str = "t%DATETIME(YYYYMMdd)%";

impl Rule {
    /// Whether the names of the older export are those of the newer one.
    fn replaces(&self) -> bool {
        self.older == self.newer
    }

    /// The names of three files.
    fn names(of: &str) -> [String; 3] {
        ["", "_2", "_3"].map(|index| format!("{of}{index}.csv"))
    }

    /// Of two rules that make the same requests, each is tried at every other one; every other one of these is reaped.
    fn is_tried_at(&self, request: usize, reaped: bool) -> bool {
        let is_odd = !request.is_multiple_of(2);
        match self.on_exists {
            "fail" if !is_odd => false,
            "suffix" if is_odd => false,
            "overwrite" => is_odd == reaped,
            _ => (request / 2).is_multiple_of(2) == reaped,
        }
    }

    fn manifest(&self) -> String {
        format!("manifest-run{}.json", self.number)
    }
}

/// The rows of an older export's three files, and of one that is killed.
const OLDER: [Range<u64>; 3] = [1250..1252, 1252..1254, 1254..1255];
const NEWER: [Range<u64>; 3] = [0..ROWS, ROWS..2 * ROWS, 2 * ROWS..ALL_ROWS];

/// The bytes of a file.
fn file(rows: &Range<u64>) -> Vec<u8> {
    [HEADER.as_bytes(), text(rows.clone())].concat()
}

/// One export, which dies and dies again.
struct Case {
    rule: Rule,
    place: Place,
    folder: String,
    local: tempfile::TempDir,
    older_manifest: Vec<u8>,
}

/// What stands there after a process was killed.
#[derive(Debug)]
struct Sight {
    journal: Option<String>,
    /// How many of its files are visible, of which some or all may be without a manifest.
    visible: usize,
    is_done: bool,
}

/// A generator of random numbers; its first one says all others.
struct Dice(u64);

impl Dice {
    /// A number below another.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

impl Case {
    async fn new(name: &str, rule: Rule, in_bucket: bool) -> Self {
        let local = tempfile::tempdir().unwrap();
        let folder = format!("resumed/{}/{name}", std::process::id());
        fs::write(local.path().join("input.csv"), file(&(0..ALL_ROWS))).unwrap();
        let Rule { on_exists, template, .. } = rule;
        let json = format!(
            r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "{template}",
                "maxFileRowCount": {ROWS}, "onExists": "{on_exists}"}}"#
        );
        fs::write(local.path().join("destination.json"), json).unwrap();
        let place = if in_bucket {
            let setup = Setup::new(&Server::Seaweedfs.shared());
            let client = setup.client();
            Place::Bucket(setup, client)
        } else {
            Place::Folder
        };
        let mut case = Self { rule, place, folder, local, older_manifest: Vec::new() };
        case.deliver_older().await;
        case
    }

    /// Delivers an older set, whose names are those of the day before, with other bytes.
    async fn deliver_older(&mut self) {
        let (bucket, folder) = (BucketName::parse("test").unwrap(), FolderPath::parse(&self.folder).unwrap());
        let builder = Destination::builder(bucket, folder, Template::parse(self.rule.template).unwrap());
        let destination = builder.with_max_rows(NonZeroU64::new(2).unwrap()).build().unwrap();
        let context = Context::new(Utc.with_ymd_and_hms(2026, 11, 21, 8, 0, 0).unwrap());
        let export = Export::builder(&destination, &self.store(), context).with_run_id("old").with_columns(["a"]);
        let mut export = export.start().unwrap();
        for number in OLDER[0].start..OLDER[2].end {
            export.write_record([row(number)]).await.unwrap();
        }
        export.commit().await.unwrap();
        self.older_manifest = self.get("manifest-old.json").await.unwrap();
        for (name, rows) in Rule::names(self.rule.older).iter().zip(&OLDER) {
            assert!(self.get(name).await.unwrap() == file(rows), "{}/{name}", self.folder);
        }
    }

    fn root(&self) -> std::path::PathBuf {
        self.local.path().join("out")
    }

    fn store(&self) -> Store {
        match &self.place {
            Place::Bucket(_, client) => client.store(),
            Place::Folder => Store::folder(self.root()),
        }
    }

    /// Starts the program, which finds the server at this address.
    fn spawn(&self, options: &[&str], endpoint: Option<&str>) -> Child {
        let mut command = Command::new(example("export"));
        let to = match &self.place {
            Place::Bucket(setup, _) => {
                let endpoint = endpoint.unwrap_or_else(|| setup.url());
                command
                    .envs([("AWS_ENDPOINT", endpoint), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
                    .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())]);
                "s3://test".to_owned()
            }
            Place::Folder => format!("file://{}", self.root().display()),
        };
        command
            .args(["--to", &to, "--run-id", "run", "--time", "2026-11-22T08:00:00Z", "--quiet"])
            .args(["--input".as_ref(), self.local.path().join("input.csv").as_os_str()])
            .args(["--destination".as_ref(), self.local.path().join("destination.json").as_os_str()])
            .args(options)
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs the program, until it is time to kill it; says whether it came to its end.
    async fn run(&self, options: &[&str], endpoint: Option<&str>, is_time: impl Fn() -> bool) -> bool {
        let mut child = self.spawn(options, endpoint);
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{}, {:?}: {status}", self.folder, self.rule);
                return true;
            }
            if is_time() {
                child.kill().unwrap();
                // A program that came to its end right before was not killed.
                return child.wait().unwrap().success();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn get(&self, name: &str) -> Option<Vec<u8>> {
        let key = format!("{}/{name}", self.folder);
        match &self.place {
            Place::Bucket(_, client) => client.get(&key).await,
            Place::Folder => fs::read(self.root().join(key)).ok(),
        }
    }

    /// The names that stand there.
    async fn names(&self) -> Vec<String> {
        let names: Vec<String> = match &self.place {
            Place::Bucket(_, client) => client.keys(&self.folder).await,
            Place::Folder => {
                [self.root(), self.root().join(&self.folder)].iter().flat_map(|path| files(path)).collect()
            }
        };
        names.iter().map(|name| name.rsplit_once('/').map_or(&**name, |(_, name)| name).to_owned()).collect()
    }

    async fn journal(&self) -> Option<String> {
        let journal = match &self.place {
            Place::Bucket(..) => self.get("manifest-run.json.journal").await,
            Place::Folder => files(&self.root())
                .into_iter()
                .find(|name| name.ends_with(".journal"))
                .and_then(|name| fs::read(self.root().join(name)).ok()),
        };
        journal.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// The older set is whole, or, file by file, replaced by whole files of the newer one, and only once all of that one is
    /// in the store; and the newer manifest stands over the whole newer set alone.
    async fn look(&self) -> Sight {
        let Self { rule, folder, .. } = self;
        let is_done = self.get(&rule.manifest()).await.is_some();
        let mut visible = 0;
        for ((name, newer), older) in Rule::names(rule.newer).iter().zip(&NEWER).zip(&OLDER) {
            let found = self.get(name).await;
            match &found {
                Some(found) if *found == file(newer) => visible += 1,
                Some(found) if rule.replaces() => {
                    assert!(*found == file(older), "{folder}/{name} is neither the older nor the newer file");
                }
                None if !rule.replaces() => {}
                _ => panic!("{folder}/{name} is not whole, or gone: {rule:?}"),
            }
        }
        assert!(!is_done || visible == NEWER.len(), "{folder}: a manifest of {visible} files: {rule:?}");
        if !rule.replaces() {
            for (name, rows) in Rule::names(rule.older).iter().zip(&OLDER) {
                assert!(self.get(name).await.is_some_and(|found| found == file(rows)), "{folder}/{name}: {rule:?}");
            }
        }
        assert!(self.get("manifest-old.json").await.as_ref() == Some(&self.older_manifest), "{folder}: {rule:?}");

        let journal = self.journal().await;
        if let (Some(journal), Place::Bucket(setup, _)) = (&journal, &self.place) {
            for secret in ["testkey", setup.secret(), "ignature"] {
                assert!(!journal.contains(secret), "{journal}");
            }
            let sent = journal.matches("\"finished\"").count();
            assert!(visible == 0 || sent == 2, "{folder}: {visible} files are visible, {sent} were sent: {journal}");
        }
        Sight { journal, visible, is_done }
    }

    /// Nothing may be open, or stand beside what was delivered.
    async fn nothing_left(&self, is_done: bool) {
        let mut expected = Rule::names(self.rule.older).to_vec();
        expected.push("manifest-old.json".to_owned());
        if is_done {
            expected.extend(Rule::names(self.rule.newer));
            expected.push(self.rule.manifest());
        } else if self.rule.on_exists == "overwrite" {
            // What an export that overwrites has replaced, and what stands beside that, stays.
            let newer = Rule::names(self.rule.newer);
            expected.extend(self.names().await.into_iter().filter(|name| newer.contains(name)));
        }
        if let Place::Folder = self.place {
            expected.push("resumed".to_owned());
        }
        expected.sort();
        expected.dedup();
        let mut names = self.names().await;
        names.sort();
        assert_eq!(names, expected, "{}: {:?}", self.folder, self.rule);
        if let Place::Bucket(_, client) = &self.place {
            assert_eq!(client.open_uploads(&self.folder).await.unwrap(), [""; 0], "{}", self.folder);
        }
    }

    /// Removes what the dead export left, by its journal.
    async fn reap(&self) {
        // What the dead has sent may only now come to the server.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let journal = Journal::beside(&format!("{}/manifest-run.json", self.folder));
        let reaped = self.store().reap_journal(&journal).await.unwrap();
        assert_eq!(reaped.unsure, [""; 0], "{}: {:?}", self.folder, self.rule);
        self.nothing_left(self.look().await.is_done).await;
    }

    /// Whether it was delivered, its journal is gone, and it would not deliver the same again.
    async fn is_closed(&self) -> bool {
        let Sight { journal, is_done, .. } = self.look().await;
        self.rule.on_exists != "overwrite" && is_done && journal.is_none()
    }

    /// Runs the program once more, which must come to its end with everything in its place.
    async fn end(&self) {
        assert!(self.run(&["--resume"], None, || false).await);
        let Sight { journal, visible, is_done } = self.look().await;
        assert_eq!((journal, visible, is_done), (None, 3, true), "{}: {:?}", self.folder, self.rule);
        self.nothing_left(true).await;
    }
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What happened, for the summary.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    killed: usize,
    /// With a journal, with a file in it that was finished, and with a file that was visible without its manifest.
    journals: usize,
    finished: usize,
    part_visible: usize,
    reaped: usize,
}

/// The place and the rule of the case with a number.
fn kind(number: usize) -> (bool, Rule) {
    (number % 2 == 1, RULES[number / 2 % RULES.len()])
}

/// Kills an export at a random moment, once or twice, and lets it end.
async fn kill(number: usize, whole: Duration, mut dice: Dice) -> Seen {
    let (in_bucket, rule) = kind(number);
    let case = Case::new(&number.to_string(), rule, in_bucket).await;
    let mut seen = Seen::default();
    let moments = u64::try_from(whole.as_micros()).unwrap() * 3 / 2;
    let mut options = ["--journal", "manifest"].as_slice();
    for _ in 0..=dice.roll(2) {
        let (start, at_most) = (Instant::now(), Duration::from_micros(dice.roll(moments)));
        if case.run(options, None, || start.elapsed() >= at_most).await {
            break;
        }
        seen.killed += 1;
        let sight = case.look().await;
        seen.finished += usize::from(sight.journal.as_ref().is_some_and(|journal| journal.contains("\"finished\"")));
        seen.journals += usize::from(sight.journal.is_some());
        seen.part_visible += usize::from(sight.visible > 0 && !sight.is_done);
        if case.is_closed().await {
            break;
        }
        options = &["--resume"];
    }
    if seen.killed > 0 && dice.roll(2) == 0 {
        case.reap().await;
        seen.reaped += 1;
    }
    if !case.is_closed().await {
        case.end().await;
    }
    seen
}

/// How many random kills there are, unless the environment says otherwise.
const FEW: u64 = 20;

/// A number from the environment.
fn given(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_at_random_moments_is_resumed_or_reaped() {
    let kills = usize::try_from(given("CONSIGN_TEST_KILLS", FEW)).unwrap();
    let mut dice = Dice(given("CONSIGN_TEST_SEED", 0x9E37_79B9_7F4A_7C15));
    eprintln!("{kills} kills, CONSIGN_TEST_SEED={}", dice.0);
    let _running = Server::Seaweedfs.shared();
    let mut whole = [Duration::ZERO; 2];
    for (number, in_bucket) in [false, true].into_iter().enumerate() {
        let case = Case::new(&format!("whole-{number}"), RULES[0], in_bucket).await;
        let start = Instant::now();
        assert!(case.run(&["--journal", "manifest"], None, || false).await);
        whole[number] = start.elapsed();
        case.nothing_left(true).await;
    }
    let (mut done, mut total, mut number) = (0, Seen::default(), 0);
    while total.killed < kills {
        // Some that are meant to be killed come to their end before, so there are more rounds than it seems to take.
        let round: Vec<_> = (number..number + AT_ONCE)
            .map(|number| kill(number, whole[number % 2], Dice(dice.roll(u64::MAX - 1) + 1)))
            .collect();
        number += AT_ONCE;
        let ended: Vec<_> = stream::iter(round).buffer_unordered(AT_ONCE).collect().await;
        for seen in ended {
            done += 1;
            total.killed += seen.killed;
            total.journals += seen.journals;
            total.finished += seen.finished;
            total.part_visible += seen.part_visible;
            total.reaped += seen.reaped;
        }
    }
    eprintln!("{done} exports of {whole:?}: {total:?}");
    assert!(total.journals > 0, "no moment was within an upload: {total:?}");
}

/// Kills the program at one of its requests, and lets it go on, or reaps what it left and lets it run anew. Says whether it
/// was killed.
async fn kill_at(request: usize, rule: Rule, reaped: bool) -> bool {
    let running = Server::Seaweedfs.shared();
    let name = format!("at-{}-{}-{request}-{reaped}", rule.on_exists, rule.newer);
    let case = Case::new(&name, rule, true).await;
    let url = Setup::new(&running).url().to_owned();
    let cut = CutRule { method: "", holds: "", after: request - 1, times: 1, cut: Cut::HoldReply };
    let proxy = Proxy::start(&url, Some(cut)).await;
    let options = ["--journal", "manifest"];
    if case.run(&options, Some(proxy.url().as_str()), || proxy.struck() > 0).await {
        return false;
    }
    drop(proxy);
    case.look().await;
    if reaped {
        case.reap().await;
    }
    if !case.is_closed().await {
        case.end().await;
    }
    true
}

/// More than the requests of any of the exports: those of the trial of the server, the journal's, and those of three files
/// and a manifest.
const MOST_REQUESTS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_at_any_request_is_resumed_or_reaped() {
    let _running = Server::Seaweedfs.shared();
    // All of them take minutes.
    let all = env::var_os("CONSIGN_TEST_EVERY_KILL").is_some();
    let rules = if all { RULES.to_vec() } else { vec![RULES[0], RULES[2], RULES[4]] };
    for rule in rules {
        let mut requests = 0;
        loop {
            let turn: Vec<_> = (requests + 1..=requests + AT_ONCE)
                .flat_map(|request| [false, true].map(|reaped| (request, reaped)))
                .filter(|(request, reaped)| all || rule.is_tried_at(*request, *reaped))
                .map(|(request, reaped)| kill_at(request, rule, reaped))
                .collect();
            let killed: Vec<_> = stream::iter(turn).buffered(AT_ONCE).collect().await;
            if killed.contains(&false) {
                break;
            }
            requests += AT_ONCE;
            assert!(requests < MOST_REQUESTS, "{rule:?} makes more requests than are known");
        }
        eprintln!("{rule:?}: {requests} requests or one more");
        assert!(requests > 6, "{rule:?} came to its end after {requests} requests");
    }
}
