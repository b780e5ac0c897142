//! The export program, killed by SIGKILL at random moments, with a journal: what stands there then is whole, its journal
//! leads to all that it left open, and a resumed run ends with the same bytes.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use consign::store::{Journal, Store};
use futures::{StreamExt, stream};

use super::client::{Client, Setup};
use super::fixture::Server;
use super::text;
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

/// One export, which dies and dies again.
struct Case {
    place: Place,
    folder: String,
    local: tempfile::TempDir,
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
    fn new(number: usize, in_bucket: bool) -> Self {
        let local = tempfile::tempdir().unwrap();
        let folder = format!("resumed/{}/{number}", std::process::id());
        fs::write(local.path().join("input.csv"), [HEADER.as_bytes(), text(0..ALL_ROWS)].concat()).unwrap();
        let json = format!(
            r#"{{"bucketName": "test", "path": "{folder}", "filenameTemplate": "t", "maxFileRowCount": {ROWS}}}"#
        );
        fs::write(local.path().join("destination.json"), json).unwrap();
        let place = if in_bucket {
            let setup = Setup::new(&Server::Seaweedfs.shared());
            let client = setup.client();
            Place::Bucket(setup, client)
        } else {
            Place::Folder
        };
        Self { place, folder, local }
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

    /// Runs the program, for so long at most; says whether it came to its end.
    async fn run(&self, options: &[&str], at_most: Duration) -> bool {
        let mut command = Command::new(example("export"));
        let to = match &self.place {
            Place::Bucket(setup, _) => {
                command
                    .envs([("AWS_ENDPOINT", setup.url()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
                    .envs([("AWS_ACCESS_KEY_ID", "testkey"), ("AWS_SECRET_ACCESS_KEY", setup.secret())]);
                "s3://test".to_owned()
            }
            Place::Folder => format!("file://{}", self.root().display()),
        };
        let mut child = command
            .args(["--to", &to, "--run-id", "run", "--time", "2026-11-22T08:00:00Z", "--quiet"])
            .args(["--input".as_ref(), self.local.path().join("input.csv").as_os_str()])
            .args(["--destination".as_ref(), self.local.path().join("destination.json").as_os_str()])
            .args(options)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{}: {status}", self.folder);
                return true;
            }
            if start.elapsed() >= at_most {
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

    /// Everything that stands there must be whole, and a manifest must not stand alone; returns what the journal holds.
    async fn look(&self) -> Option<String> {
        let manifest = self.get("manifest-run.json").await;
        for (name, rows) in [("t.csv", 0..ROWS), ("t_2.csv", ROWS..2 * ROWS), ("t_3.csv", 2 * ROWS..ALL_ROWS)] {
            match self.get(name).await {
                Some(found) => {
                    assert!(found == [HEADER.as_bytes(), text(rows)].concat(), "{}/{name} is not whole", self.folder);
                }
                None => assert!(manifest.is_none(), "{}: a manifest without {name}", self.folder),
            }
        }
        let journal = match &self.place {
            Place::Bucket(..) => self.get("manifest-run.json.journal").await,
            Place::Folder => files(&self.root())
                .into_iter()
                .find(|name| name.ends_with(".journal"))
                .and_then(|name| fs::read(self.root().join(name)).ok()),
        };
        let journal = journal.map(|bytes| String::from_utf8(bytes).unwrap());
        if let (Some(journal), Place::Bucket(setup, _)) = (&journal, &self.place) {
            for secret in ["testkey", setup.secret(), "ignature"] {
                assert!(!journal.contains(secret), "{journal}");
            }
        }
        journal
    }

    /// Nothing may be open, or stand beside what was delivered.
    async fn nothing_left(&self, delivered: &[&str]) {
        let mut names = self.names().await;
        names.retain(|name| !["resumed", "t.csv", "t_2.csv", "t_3.csv"].contains(&&**name));
        assert_eq!(names, delivered, "{}", self.folder);
        if let Place::Bucket(_, client) = &self.place {
            assert_eq!(client.open_uploads(&self.folder).await.unwrap(), [""; 0], "{}", self.folder);
        }
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
    /// With a journal, with a file in it that was finished, and with a file that was visible.
    journals: usize,
    finished: usize,
    visible: usize,
    reaped: usize,
}

/// Kills an export at a random moment, once or twice, and lets it end.
async fn kill(number: usize, in_bucket: bool, whole: Duration, mut dice: Dice) -> Seen {
    let case = Case::new(number, in_bucket);
    let mut seen = Seen::default();
    let moments = u64::try_from(whole.as_micros()).unwrap() * 3 / 2;
    let forever = Duration::from_secs(300);
    let mut options = ["--journal", "manifest"].as_slice();
    for _ in 0..=dice.roll(2) {
        if case.run(options, Duration::from_micros(dice.roll(moments))).await {
            break;
        }
        seen.killed += 1;
        let journal = case.look().await;
        seen.journals += usize::from(journal.is_some());
        seen.finished += usize::from(journal.is_some_and(|journal| journal.contains("\"finished\"")));
        seen.visible += usize::from(case.get("t.csv").await.is_some());
        options = &["--resume"];
    }
    if seen.killed > 0 && dice.roll(2) == 0 {
        // What the dead has sent may only now come to the server.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let journal = Journal::beside(&format!("{}/manifest-run.json", case.folder));
        case.store().reap_journal(&journal).await.unwrap();
        seen.reaped += 1;
        let delivered = case.get("manifest-run.json").await.map(|_| "manifest-run.json");
        case.nothing_left(delivered.as_slice()).await;
    }
    assert!(case.run(&["--resume"], forever).await);
    assert_eq!(case.look().await, None);
    assert!(case.get("manifest-run.json").await.is_some());
    case.nothing_left(&["manifest-run.json"]).await;
    seen
}

/// A number from the environment.
fn given(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_at_random_moments_is_resumed_or_reaped() {
    let kills = usize::try_from(given("CONSIGN_TEST_KILLS", 20)).unwrap();
    let mut dice = Dice(given("CONSIGN_TEST_SEED", 0x9E37_79B9_7F4A_7C15));
    eprintln!("{kills} kills, CONSIGN_TEST_SEED={}", dice.0);
    let _running = Server::Seaweedfs.shared();
    let mut whole = [Duration::ZERO; 2];
    for (number, in_bucket) in [false, true].into_iter().enumerate() {
        let (case, start) = (Case::new(number, in_bucket), Instant::now());
        assert!(case.run(&["--journal", "manifest"], Duration::from_secs(300)).await);
        case.nothing_left(&["manifest-run.json"]).await;
        whole[number] = start.elapsed();
    }
    let (mut done, mut total, mut number) = (0, Seen::default(), 2);
    while total.killed < kills {
        // Some that are meant to be killed come to their end before, so there are more rounds than it seems to take.
        let round: Vec<_> = (number..number + AT_ONCE)
            .map(|number| kill(number, number % 2 == 1, whole[number % 2], Dice(dice.roll(u64::MAX - 1) + 1)))
            .collect();
        number += AT_ONCE;
        let ended: Vec<_> = stream::iter(round).buffer_unordered(AT_ONCE).collect().await;
        for seen in ended {
            done += 1;
            total.killed += seen.killed;
            total.journals += seen.journals;
            total.finished += seen.finished;
            total.visible += seen.visible;
            total.reaped += seen.reaped;
        }
    }
    eprintln!("{done} exports of {whole:?}: {total:?}");
    assert!(total.journals > 0, "no moment was within an upload: {total:?}");
}
