//! What a reader sees, and what the caller is told, when one request of an export goes wrong: the table in
//! `docs/faults.md`, made by running every fault against every server.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use consign::Error;
use futures::{StreamExt, stream};

use super::client::{Client, Setup};
use super::fault::{Faults, Step};
use super::fixture::Server;
use super::proxy::{Cut, CutRule, Proxy};
use super::rows::{Means, Promise, Row, rows};
use super::{deliver, plan, text};

/// How long a client waits for a reply in the face of silence.
const PATIENCE: Duration = Duration::from_secs(10);

/// The small file fits one request.
const SMALL_ROWS: u64 = 1;

/// How many exports run at the same time, beside those that wait for the end of an upload's patience.
const AT_ONCE: usize = 10;

/// What there was to see after an export.
#[derive(Clone, Debug)]
struct Outcome {
    result: Result<(), Error>,
    large: Seen,
    small: Seen,
    manifest: Seen,
    /// How many uploads are open, where the server tells.
    open: Option<usize>,
    /// Whether every rule struck; an export to Azure never asks for an upload, for example.
    struck: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    Nothing,
    Whole,
    Wrong,
}

async fn run(row: &Row, folder: &str, setup: &Setup) -> Outcome {
    let plan = plan(folder).with_on_exists(row.on_exists).with_commit(row.commit);
    let (result, struck) = match &row.means {
        Means::Requests(rules) => {
            let faults = Faults::new(rules);
            let store = setup.client_through(faults.clone()).store();
            let result = deliver(plan, row.rows, row.rows + SMALL_ROWS, &store).await;
            (result, faults.struck().iter().all(|struck| *struck > 0))
        }
        Means::Network(step, cut) => {
            let proxy = Proxy::start(setup.url(), wire(*step, setup.server(), *cut)).await;
            let store = setup.clone().with_url(proxy.url()).with_timeout(PATIENCE).client().store();
            let result = deliver(plan, row.rows, row.rows + SMALL_ROWS, &store).await;
            (result, proxy.struck() > 0)
        }
    };

    let client = setup.client();
    let see = |found: Option<Vec<u8>>, expected: &[u8]| match found {
        None => Seen::Nothing,
        Some(found) if found == expected => Seen::Whole,
        Some(_) => Seen::Wrong,
    };
    let manifest = client.get(&format!("{folder}/manifest-run.json")).await;
    Outcome {
        large: see(client.get(&format!("{folder}/t.csv")).await, text(0..row.rows)),
        small: see(client.get(&format!("{folder}/t_2.csv")).await, text(row.rows..row.rows + SMALL_ROWS)),
        manifest: match &result {
            Ok(delivered) => see(manifest, delivered.to_json().as_bytes()),
            Err(_) => manifest.map_or(Seen::Nothing, |_| Seen::Whole),
        },
        open: open(&client, folder).await,
        struck,
        result: result.map(drop),
    }
}

/// A request as it looks to the proxy; none where the server has no such request.
fn wire(step: Step, server: Server, cut: Cut) -> Option<CutRule> {
    let (method, holds) = match (step, server) {
        (Step::Part(2), Server::Azurite) => ("PUT ", "comp=block&"),
        (Step::Complete, Server::Azurite) => ("PUT ", "comp=blocklist"),
        (_, Server::Azurite) => return None,
        (Step::Create, _) => ("POST ", "?uploads"),
        (Step::Part(2), _) => ("PUT ", "partNumber=2&"),
        (Step::Complete, _) => ("POST ", "uploadId="),
        (step, _) => unreachable!("no row cuts {step:?}"),
    };
    Some(CutRule { method, holds, after: 0, times: 1, cut })
}

async fn open(client: &Client, folder: &str) -> Option<usize> {
    client.open_uploads(folder).await.map(|uploads| uploads.len())
}

impl Outcome {
    /// The cell of the table.
    fn text(&self) -> String {
        if !self.struck {
            return "–".to_owned();
        }
        let mut text = match &self.result {
            Ok(()) => "Ok".to_owned(),
            Err(e) => format!("{:?}", e.kind()),
        };
        let seen = match (self.large, self.small, self.manifest) {
            (Seen::Whole, Seen::Whole, Seen::Whole) => "all",
            (Seen::Nothing, Seen::Nothing, Seen::Nothing) => "nothing",
            (Seen::Wrong, ..) | (_, Seen::Wrong, _) | (.., Seen::Wrong) => "WRONG BYTES",
            (.., Seen::Whole) => "A MANIFEST OF WHAT IS NOT THERE",
            (Seen::Whole, Seen::Whole, Seen::Nothing) => "both files, no manifest",
            _ => "one file, no manifest",
        };
        write!(text, ", {seen}").unwrap();
        match self.open {
            Some(0) | None => {}
            Some(1) => text += ", 1 upload open",
            Some(n) => write!(text, ", {n} uploads open").unwrap(),
        }
        text
    }

    /// Whether the error names each file that is there.
    fn names_what_stands(&self) -> bool {
        let error = self.result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let named = error.split_once("visible without a manifest: ").map(|(_, named)| named).unwrap_or_default();
        [(self.large, "/t.csv`"), (self.small, "/t_2.csv`")]
            .iter()
            .all(|(seen, key)| *seen == Seen::Nothing || named.contains(key))
    }

    /// Whether it is what was promised.
    fn keeps(&self, promise: Promise) -> bool {
        let seen = [self.large, self.small, self.manifest];
        let open = self.open.unwrap_or(0);
        let all = seen == [Seen::Whole; 3];
        let nothing = seen == [Seen::Nothing; 3];
        match promise {
            // A server without this request has nothing to show but the rule that holds always.
            _ if !self.struck => open == 0 && if self.result.is_ok() { all } else { nothing },
            Promise::Delivered => self.result.is_ok() && all && open == 0,
            Promise::DeliveredButOneOpen => self.result.is_ok() && all && open <= 1,
            Promise::NoManifest => {
                self.result.is_err() && self.manifest == Seen::Nothing && !seen.contains(&Seen::Wrong) && open == 0
            }
            Promise::NoManifestAndTold => self.keeps(Promise::NoManifest) && self.names_what_stands(),
            Promise::Nothing => self.result.is_err() && nothing && open == 0,
            Promise::NothingButOpen => {
                let told = |e: &Error| e.to_string().contains("besides, uploads were left open");
                nothing && open <= 1 && self.result.as_ref().is_err_and(|e| open == 0 || told(e))
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_as_the_table_says() {
    // `scripts/test-deep` puts another server in the place of the first, and asks for the promises only.
    let deep = env::var_os("CONSIGN_TEST_DEEP").is_some();
    let mut servers = vec![Server::Seaweedfs];
    if !deep {
        servers.extend([Server::Rclone, Server::Azurite]);
    }
    let running: Vec<_> = servers.iter().map(|server| server.shared()).collect();
    let setups: Vec<_> = running.iter().map(|running| Setup::new(running)).collect();
    let rows = rows();
    let cells = (0..rows.len()).flat_map(|row| (0..servers.len()).map(move |server| (row, server)));
    let (long, short): (Vec<_>, Vec<_>) = cells.partition(|(row, _)| rows[*row].is_long());
    let outcome = |(row, server)| {
        let (rows, setups) = (&rows, &setups);
        async move {
            let folder = format!("faults/{}/{row}", std::process::id());
            ((row, server), run(&rows[row], &folder, &setups[server]).await)
        }
    };
    let (waited, unwaited): (Vec<_>, Vec<_>) = futures::join!(
        stream::iter(long).map(outcome).buffer_unordered(usize::MAX).collect(),
        stream::iter(short).map(outcome).buffer_unordered(AT_ONCE).collect(),
    );
    let mut outcomes = [waited, unwaited].concat();
    outcomes.sort_by_key(|(cell, _): &((usize, usize), Outcome)| *cell);

    let mut table = String::from("| where | fault |");
    for server in &servers {
        write!(table, " {server} |").unwrap();
    }
    writeln!(table, "\n|---|---|{}", "---|".repeat(servers.len())).unwrap();
    let mut broken = String::new();
    for (number, row) in rows.iter().enumerate() {
        write!(table, "| {} | {} |", row.place, row.fault).unwrap();
        for ((_, server), outcome) in outcomes.iter().filter(|((row, _), _)| *row == number) {
            write!(table, " {} |", outcome.text()).unwrap();
            if !outcome.keeps(row.promise) {
                let server = servers[*server];
                write!(broken, "\n{}, {}, {server}: {}", row.place, row.fault, outcome.text()).unwrap();
                if let Err(e) = &outcome.result {
                    write!(broken, " ({e:#})").unwrap();
                }
            }
        }
        table.push('\n');
    }
    eprintln!("{table}");
    assert!(broken.is_empty(), "promises that were not kept:{broken}");

    if deep {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let page = format!("{}{table}", include_str!("faults-head.md"));
    if env::var_os("CONSIGN_WRITE_FAULTS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == page, "docs/faults.md is not what this run has shown; scripts/faults writes it anew");
}
