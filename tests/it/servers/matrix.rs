//! What a reader sees, and what the caller is told, when one request of an export goes wrong: the table in
//! `docs/faults.md`, made by running every fault against every server.

use std::fmt::Write;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use consign::destination::DestinationBuilder;
use consign::export::{Event, MemoryBudget};
use consign::manifest::Manifest;
use consign::store::{PartSchedule, Store};
use consign::{Error, Export};
use futures::{StreamExt, stream};

use super::client::{Client, Setup};
use super::fault::{Fault, Faults, Rule, Sent, Step};
use super::fixture::Server;
use super::proxy::{Cut, CutRule, Proxy};
use super::rows::{Means, Promise, Row, rows};
use super::{MOST_ROWS, context, plan, row, text};

/// How long a client waits for a reply in the face of silence.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an export may take one of whose requests is refused for ever: it goes on for a minute.
const END_OF_PATIENCE: Duration = Duration::from_secs(120);

/// The small file fits one request.
const SMALL_ROWS: u64 = 1;

/// How many exports run at the same time, beside those that wait for the end of an upload's patience, and those that wait
/// for a reply.
const AT_ONCE: usize = 8;
const WAITING_AT_ONCE: usize = 16;

/// How long all of them may take.
const AT_MOST: Duration = Duration::from_secs(300);

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
    /// What is not as it should be about its requests.
    oddities: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    Nothing,
    Whole,
    Wrong,
}

async fn run(row: &Row, folder: &str, setup: &Setup) -> Option<Outcome> {
    if !row.is_for(setup.server()) {
        return None;
    }
    let plan = plan(folder).with_on_exists(row.on_exists).with_commit(row.commit);
    let start = Instant::now();
    let (result, faults, struck) = match &row.means {
        Means::Requests(rules) => {
            let faults = Faults::new(rules);
            let store = setup.client_through(faults.clone()).store();
            let result = deliver(plan, row, store).await;
            let struck = faults.struck().iter().all(|struck| *struck > 0);
            (result, faults, struck)
        }
        Means::Network(step, key, cut) => {
            let proxy = Proxy::start(setup.url(), wire(*step, key, setup.server(), *cut)).await;
            let faults = Faults::new(&[]);
            let setup = setup.clone().with_url(proxy.url()).with_timeout(PATIENCE);
            let result = deliver(plan, row, setup.client_through(faults.clone()).store()).await;
            (result, faults, proxy.struck() > 0)
        }
    };
    let took = start.elapsed();

    let client = setup.client();
    let see = |found: Option<Vec<u8>>, expected: &[u8]| match found {
        None => Seen::Nothing,
        Some(found) if found == expected => Seen::Whole,
        Some(_) => Seen::Wrong,
    };
    let manifest = client.get(&format!("{folder}/manifest-run.json")).await;
    Some(Outcome {
        large: see(client.get(&format!("{folder}/t.csv")).await, text(0..row.rows)),
        small: see(client.get(&format!("{folder}/t_2.csv")).await, text(row.rows..row.rows + SMALL_ROWS)),
        manifest: match &result {
            Ok(delivered) => see(manifest, delivered.to_json().as_bytes()),
            Err(_) => manifest.map_or(Seen::Nothing, |_| Seen::Whole),
        },
        open: open(&client, folder).await,
        struck,
        oddities: oddities(row, &faults, took),
        result: result.map(drop),
    })
}

/// Delivers the rows of the two files. What fails before its commit says the same whatever it is asked from then on.
async fn deliver(plan: DestinationBuilder, line: &Row, store: Store) -> consign::Result<Manifest> {
    let destination = plan.with_max_rows(NonZeroU64::new(line.rows).expect("files have rows")).build()?;
    let store = store.with_part_schedule(PartSchedule::equal(5 * 1024 * 1024).expect("the least that S3 takes"));
    let memory = MemoryBudget::new(MemoryBudget::DEFAULT).expect("more than the least");
    let builder = Export::builder(&destination, &store, context()).with_run_id("run").with_memory(memory);
    let mut export = builder.start()?;
    let mut events = export.events();
    let all_rows = line.rows + SMALL_ROWS;
    for number in 0..all_rows {
        export.write_record([row(number)]).await?;
    }
    if !line.fails_early() {
        return export.commit().await;
    }
    // The rows of the large file are on their way.
    loop {
        match events.next().await.expect("an event before the end") {
            Event::FileFinished { .. } => return export.commit().await,
            Event::Failed { .. } => break,
            _ => {}
        }
    }
    let mut written = Ok(());
    for _ in 0..MOST_ROWS {
        written = export.write_record([row(0)]).await;
        if written.is_err() {
            break;
        }
    }
    let first = written.expect_err("a failed export takes no block");
    let again = export.write_record([row(0)]).await.unwrap_err();
    assert_eq!(again.to_string(), first.to_string(), "the first error is not kept");
    let last = export.commit().await.unwrap_err();
    assert_eq!(last.to_string(), first.to_string(), "the first error is not kept");
    Err(first)
}

/// What is odd about the requests: nothing is made more than once without a reason, and what is refused for ever is
/// not asked for ever.
fn oddities(row: &Row, faults: &Faults, took: Duration) -> Vec<String> {
    let mut odd = Vec::new();
    let (rules, cut): (&[Rule], _) = match &row.means {
        Means::Requests(rules) => (rules, None),
        Means::Network(step, ..) => (&[], Some(*step)),
    };
    for ((step, path), Sent { times, failed }) in faults.sent() {
        // Objects are deleted several at once, of which each is tried out by two puts.
        if matches!(step, Step::Look | Step::Delete) || path.contains("/.consign-") {
            continue;
        }
        let refused =
            rules.iter().find(|rule| rule.times == usize::MAX && rule.step == step && path.ends_with(rule.key));
        let most = match refused.map(|rule| rule.fault) {
            // Asked again once, as credentials may just have expired.
            Some(Fault::Answer(403, _)) => 2,
            Some(Fault::Answer(404, _)) => 1,
            Some(_) => usize::MAX,
            None => 1 + failed + usize::from(cut == Some(step)),
        };
        if times > most {
            odd.push(format!("{step:?} of {path} was sent {times} times"));
        }
    }
    if took > END_OF_PATIENCE {
        odd.push(format!("it took {} s", took.as_secs()));
    }
    odd
}

/// A request as it looks to the proxy; none where the server has no such request.
fn wire(step: Step, key: &'static str, server: Server, cut: Cut) -> Option<CutRule> {
    let (method, holds, after) = match (step, server) {
        // Its blocks have no numbers.
        (Step::Part(number), Server::Azurite) => ("PUT ", "comp=block&", number as usize - 1),
        (Step::Complete, Server::Azurite) => ("PUT ", "comp=blocklist", 0),
        (Step::Create, Server::Azurite) => return None,
        (Step::Create, _) => ("POST ", "/t.csv?uploads", 0),
        (Step::Part(1), _) => ("PUT ", "/t.csv?partNumber=1&", 0),
        (Step::Part(2), _) => ("PUT ", "/t.csv?partNumber=2&", 0),
        (Step::Part(3), _) => ("PUT ", "/t.csv?partNumber=3&", 0),
        (Step::Complete, _) => ("POST ", "/t.csv?uploadId=", 0),
        (Step::Put, _) => ("PUT ", key, 0),
        (step, _) => unreachable!("no row cuts {step:?}"),
    };
    Some(CutRule { method, holds, after, times: 1, cut })
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
    let start = Instant::now();
    let setups: Vec<_> = running.iter().map(|running| Setup::new(running)).collect();
    let rows = rows();
    let cells = (0..rows.len()).flat_map(|row| (0..servers.len()).map(move |server| (row, server)));
    let (long, short): (Vec<_>, Vec<_>) = cells.partition(|(row, _)| rows[*row].is_long());
    let (waiting, short): (Vec<_>, Vec<_>) = short.into_iter().partition(|(row, _)| rows[*row].is_silent());
    let outcome = |(row, server)| {
        let (rows, setups) = (&rows, &setups);
        async move {
            let folder = format!("faults/{}/{row}", std::process::id());
            ((row, server), run(&rows[row], &folder, &setups[server]).await)
        }
    };
    let (long, waiting, short): (Vec<_>, Vec<_>, Vec<_>) = futures::join!(
        stream::iter(long).map(outcome).buffer_unordered(usize::MAX).collect(),
        stream::iter(waiting).map(outcome).buffer_unordered(WAITING_AT_ONCE).collect(),
        stream::iter(short).map(outcome).buffer_unordered(AT_ONCE).collect(),
    );
    let mut outcomes = [long, waiting, short].concat();
    outcomes.sort_by_key(|(cell, _): &((usize, usize), Option<Outcome>)| *cell);

    let mut table = String::from("| where | fault |");
    for server in &servers {
        write!(table, " {server} |").unwrap();
    }
    writeln!(table, "\n|---|---|{}", "---|".repeat(servers.len())).unwrap();
    let mut broken = String::new();
    for (number, row) in rows.iter().enumerate() {
        write!(table, "| {} | {} |", row.place, row.fault).unwrap();
        for ((_, server), outcome) in outcomes.iter().filter(|((row, _), _)| *row == number) {
            let Some(outcome) = outcome else {
                table += " not looked at |";
                continue;
            };
            write!(table, " {} |", outcome.text()).unwrap();
            if !outcome.keeps(row.promise) || !outcome.oddities.is_empty() {
                let (server, odd) = (servers[*server], outcome.oddities.join("; "));
                write!(broken, "\n{}, {}, {server}: {}. {odd}", row.place, row.fault, outcome.text()).unwrap();
                if let Err(e) = &outcome.result {
                    write!(broken, " ({e:#})").unwrap();
                }
            }
        }
        table.push('\n');
    }
    let took = start.elapsed();
    eprintln!("{table}\n{} exports in {} s", outcomes.len(), took.as_secs());
    assert!(broken.is_empty(), "promises that were not kept:{broken}");

    if deep {
        return;
    }
    assert!(took < AT_MOST, "the table took {} s", took.as_secs());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let page = format!("{}{table}", include_str!("faults-head.md"));
    if env::var_os("CONSIGN_WRITE_FAULTS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == page, "docs/faults.md is not what this run has shown; scripts/faults writes it anew");
}
