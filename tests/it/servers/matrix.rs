//! What a reader sees, and what the caller is told, when one request of an export goes wrong: the table in
//! `docs/faults.md`, made by running every fault against every server.

use std::fmt::Write;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use consign::destination::DestinationBuilder;
use consign::export::{Event, MemoryBudget};
use consign::manifest::Manifest;
use consign::store::{Journal, OnExists, PartSchedule, Store};
use consign::{Error, ErrorKind, Export};
use futures::{FutureExt, StreamExt, stream};

use super::client::{Client, Setup};
use super::fault::{Fault, Faults, Hand, Meddling, Rule, Sent, Step};
use super::fixture::Server;
use super::proxy::{Cut, CutRule, Proxy};
use super::rows::{Journaled, Means, Promise, Row, rows};
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
    /// The keys of everything else in the folder.
    others: Vec<String>,
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
    /// What somebody else has put there.
    Foreign,
    Wrong,
}

async fn run(row: &Row, folder: &str, setup: &Setup) -> Outcome {
    let plan = plan(folder).with_on_exists(row.on_exists).with_commit(row.commit);
    let start = Instant::now();
    let (result, faults, struck) = match &row.means {
        Means::Requests(rules) => {
            let faults = Faults::new(rules).with_hand(hand(setup.client()));
            let store = setup.client_through(faults.clone()).store();
            let result = deliver(plan, row, folder, store).await;
            let struck = faults.struck().iter().all(|struck| *struck > 0);
            (result, faults, struck)
        }
        Means::Network(step, key, cut) => {
            let proxy = Proxy::start(setup.url(), wire(*step, key, setup.server(), *cut)).await;
            let faults = Faults::new(&[]);
            let setup = setup.clone().with_url(proxy.url()).with_timeout(PATIENCE);
            let result = deliver(plan, row, folder, setup.client_through(faults.clone()).store()).await;
            (result, faults, proxy.struck() > 0)
        }
    };
    let took = start.elapsed();

    let client = setup.client();
    let see = |found: Option<Vec<u8>>, expected: &[u8]| match found {
        None => Seen::Nothing,
        Some(found) if found == expected => Seen::Whole,
        Some(found) if found == FOREIGN.as_bytes() => Seen::Foreign,
        Some(_) => Seen::Wrong,
    };
    let keys = ["t.csv", "t_2.csv", "manifest-run.json"].map(|name| format!("{folder}/{name}"));
    let manifest = client.get(&keys[2]).await;
    Outcome {
        large: see(client.get(&keys[0]).await, text(0..row.rows)),
        small: see(client.get(&keys[1]).await, text(row.rows..row.rows + SMALL_ROWS)),
        manifest: match &result {
            Ok(delivered) => see(manifest, delivered.to_json().as_bytes()),
            Err(_) => manifest.map_or(Seen::Nothing, |_| Seen::Whole),
        },
        others: client.keys(folder).await.into_iter().filter(|key| !keys.contains(key)).collect(),
        open: client.open_uploads(folder).await.map(|uploads| uploads.len()),
        struck,
        oddities: oddities(row, &faults, took),
        result: result.map(drop),
    }
}

/// What somebody else writes.
const FOREIGN: &str = "of another";

/// Somebody else, with a client of his own.
fn hand(client: Client) -> Hand {
    Arc::new(move |meddling, path| {
        let client = client.clone();
        let meddle = async move {
            let (_, key) = path.split_once("/test/").expect("the bucket");
            match meddling {
                Meddling::Abort => client.abort_uploads(key).await,
                Meddling::Write => client.put(key, FOREIGN).await,
            }
        };
        meddle.boxed()
    })
}

/// Delivers the rows of the two files. What fails before its commit says the same whatever it is asked from then on.
async fn deliver(plan: DestinationBuilder, line: &Row, folder: &str, store: Store) -> consign::Result<Manifest> {
    let destination = plan.with_max_rows(NonZeroU64::new(line.rows).expect("files have rows")).build()?;
    let store = store.with_part_schedule(PartSchedule::equal(5 * 1024 * 1024).expect("the least that S3 takes"));
    let memory = MemoryBudget::new(MemoryBudget::DEFAULT).expect("more than the least");
    let builder = Export::builder(&destination, &store, context()).with_run_id("run").with_memory(memory);
    let builder = match line.journal {
        Journaled::No => builder,
        Journaled::Yes => builder.with_journal(Journal::beside(&format!("{folder}/manifest-run.json"))),
    };
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
        // A server is tried out by two puts, and a journal grows by puts.
        if step == Step::Look || path.contains("/.consign-") || path.ends_with(".journal") {
            continue;
        }
        let refused = rules.iter().find(|rule| rule.times == usize::MAX && rule.step == step && rule.is_for(&path));
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
            (Seen::Foreign, Seen::Nothing, Seen::Nothing) | (Seen::Nothing, Seen::Foreign, Seen::Nothing) => {
                "the other's file alone"
            }
            (Seen::Foreign, Seen::Whole, Seen::Nothing) | (Seen::Whole, Seen::Foreign, Seen::Nothing) => {
                "the other's file and one file, no manifest"
            }
            (.., Seen::Whole) => "A MANIFEST OF WHAT IS NOT THERE",
            (Seen::Whole, Seen::Whole, Seen::Nothing) => "both files, no manifest",
            _ => "one file, no manifest",
        };
        write!(text, ", {seen}").unwrap();
        match &*self.others {
            [] => {}
            [one] if one.ends_with(".journal") => text += ", the journal",
            [one] if one.contains("/.consign-") => text += ", 1 trial object",
            others => write!(text, ", {} OTHER OBJECTS", others.len()).unwrap(),
        }
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

    /// Whether the error leaves it open what became of our write, or says that another was there: that it was not written
    /// is not known.
    fn is_unclear(&self) -> bool {
        self.result.as_ref().is_err_and(|e| matches!(e.kind(), ErrorKind::Unknown | ErrorKind::Exists))
    }

    /// Whether it is what was promised.
    fn keeps(&self, row: &Row, server: Server) -> bool {
        let seen = [self.large, self.small, self.manifest];
        let open = self.open.unwrap_or(0);
        let all = seen == [Seen::Whole; 3] && self.others.iter().all(|key| key.ends_with(".journal"));
        let nothing = seen == [Seen::Nothing; 3] && self.others.is_empty();
        let failed = self.result.as_ref().err().map(ToString::to_string);
        let ignores = failed.as_ref().is_some_and(|e| e.starts_with("the store ignores `If-None-Match: *`"));
        if (ignores || server == Server::Rclone) && row.on_exists == OnExists::Fail {
            // Nothing is exported there.
            let most = usize::from(row.promise == Promise::DeliveredButOneOpen);
            let told = |e: String| self.others.iter().all(|key| e.contains(key));
            return seen == [Seen::Nothing; 3] && open <= most && failed.is_some_and(told);
        }
        match row.promise {
            // A server without this request has nothing to show but the rule that holds always.
            _ if !self.struck => open == 0 && if failed.is_none() { all } else { nothing },
            Promise::Delivered => failed.is_none() && all && open == 0,
            Promise::DeliveredButOneOpen => failed.is_none() && all && open <= 1,
            Promise::NoManifest | Promise::NoManifestAndTold => {
                failed.is_some()
                    && self.manifest == Seen::Nothing
                    && !seen.contains(&Seen::Wrong)
                    && self.others.is_empty()
                    && open == 0
                    && (row.promise == Promise::NoManifest || self.names_what_stands())
                    && (!seen.contains(&Seen::Foreign) || self.is_unclear())
            }
            Promise::Unknown => {
                let is_unknown = self.result.as_ref().is_err_and(|e| e.kind() == ErrorKind::Unknown);
                let told =
                    |e: String| e.contains("/t.csv` and 1 more files stay visible, since it may be a manifest of that");
                is_unknown
                    && failed.is_some_and(told)
                    && seen == [Seen::Whole, Seen::Whole, Seen::Nothing]
                    && self.others.is_empty()
                    && open == 0
            }
            Promise::Nothing => failed.is_some() && nothing && open == 0,
            Promise::NothingButOpen => {
                let told = |e: String| e.contains("besides, uploads were left open");
                nothing && open <= 1 && failed.is_some_and(|e| open == 0 || told(e))
            }
            Promise::NothingButTold => {
                let stands = [(self.large, "/t.csv`"), (self.small, "/t_2.csv`")];
                let stands = stands.iter().filter(|(seen, _)| *seen != Seen::Nothing).map(|(_, key)| *key);
                let mut left = stands.chain(self.others.iter().map(String::as_str));
                failed.is_some_and(|e| left.all(|key| e.contains(key)) && (open == 0 || e.contains("left open")))
                    && self.manifest == Seen::Nothing
            }
            Promise::OnlyForeign => {
                let is_asked = server == Server::Azurite && failed.is_none();
                let alone = seen.iter().filter(|seen| **seen == Seen::Foreign).count() == 1
                    && seen.iter().filter(|seen| **seen == Seen::Nothing).count() == 2;
                open == 0 && self.others.is_empty() && if is_asked { all } else { failed.is_some() && alone }
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
    let mut rows = rows();
    if deep {
        // Those servers do not look.
        rows.retain(|row| row.is_lost_on(Server::Rclone).is_none());
    }
    let cells = (0..rows.len()).flat_map(|row| (0..servers.len()).map(move |server| (row, server)));
    let cells = cells.filter(|(row, server)| rows[*row].is_lost_on(servers[*server]).is_none());
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
    outcomes.sort_by_key(|(cell, _): &((usize, usize), Outcome)| *cell);

    let mut table = String::from("| where | fault |");
    for server in &servers {
        write!(table, " {server} |").unwrap();
    }
    writeln!(table, "\n|---|---|{}", "---|".repeat(servers.len())).unwrap();
    let mut broken = String::new();
    for (number, row) in rows.iter().enumerate() {
        write!(table, "| {} | {} |", row.place, row.fault).unwrap();
        for (place, server) in servers.iter().enumerate() {
            if let Some(text) = row.is_lost_on(*server) {
                write!(table, " {text} |").unwrap();
                continue;
            }
            let (_, outcome) = outcomes.iter().find(|(cell, _)| *cell == (number, place)).expect("every cell was run");
            write!(table, " {} |", outcome.text()).unwrap();
            if !outcome.keeps(row, *server) || !outcome.oddities.is_empty() {
                let odd = outcome.oddities.join("; ");
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
    let folders = crate::folder::faults::table().await;
    eprintln!("{folders}");
    let page = format!("{}{table}{}{folders}", include_str!("faults-head.md"), include_str!("faults-folders.md"));
    if env::var_os("CONSIGN_WRITE_FAULTS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == page, "docs/faults.md is not what this run has shown; scripts/faults writes it anew");
}
