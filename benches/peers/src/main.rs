//! How fast the encoder is beside its peers: same data, same bytes, in one process.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- [--json] [--front NAME]... [--seconds N] [--scale F]
//! ```

mod cases;
mod measure;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use measure::{Case, Clock, Figures, Shortest};
use table::Table;

const USAGE: &str =
    "peers [--json] [--front contiguous|iterators|serde|arrow|threads]... [--seconds N] [--whole] [--scale F]
peers --write FOLDER [--scale F]

  --json       one JSON object for each row, instead of a table
  --front      only this front; may be repeated
  --seconds    how long each row is measured: 2 by default, and three passes at least
  --whole      the shortest pass over the table counts, and not the shortest time of each block
  --write      writes the table as lineitem.arrow (IPC) and lineitem.csv, for the engines of scripts/peers
  --scale      the scale factor of the table: 0.05 by default, which is 300,000 rows";

type Rows = fn(&Table, &mut dyn FnMut(Case<'_>));

const FRONTS: [(&str, Rows); 5] = [
    ("contiguous", cases::contiguous),
    ("iterators", cases::iterators),
    ("serde", cases::serde),
    ("arrow", cases::arrow),
    ("threads", cases::threads),
];

struct Options {
    write: Option<PathBuf>,
    json: bool,
    fronts: Vec<(&'static str, Rows)>,
    time: Duration,
    shortest: Shortest,
    scale: f64,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    let table = Table::generate(options.scale);
    if let Some(folder) = &options.write {
        return match table.write(folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(wrong) => {
                eprintln!("{}: {wrong}", folder.display());
                ExitCode::FAILURE
            }
        };
    }
    if !options.json {
        println!("TPC-H lineitem, scale factor {}, {} rows\n", options.scale, table.rows());
        println!("| front | peer | ratio | median | ours MB/s | peer MB/s | passes | clock |");
        println!("|---|---|---|---|---|---|---|---|");
    }
    for (_, rows) in &options.fronts {
        rows(&table, &mut |mut case| {
            let figures = case.measure(options.time, options.shortest);
            if options.json { print_json(&case, &figures) } else { print_row(&case, &figures) }
        });
    }
    ExitCode::SUCCESS
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        write: None,
        json: false,
        fronts: Vec::new(),
        time: Duration::from_secs(2),
        shortest: Shortest::Block,
        scale: 0.05,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--json" => options.json = true,
            "--front" => {
                let name = value()?;
                let front = FRONTS.iter().find(|(front, _)| *front == name);
                options.fronts.push(*front.ok_or(format!("there is no front `{name}`"))?);
            }
            "--seconds" => {
                let seconds = value()?.parse().map_err(|e| format!("--seconds: {e}"))?;
                options.time = Duration::try_from_secs_f64(seconds).map_err(|e| format!("--seconds: {e}"))?;
            }
            "--scale" => {
                options.scale = value()?.parse().map_err(|e| format!("--scale: {e}"))?;
                if !(0.001..=1.0).contains(&options.scale) {
                    return Err(format!("--scale: expected 0.001 to 1, found {}", options.scale));
                }
            }
            "--whole" => options.shortest = Shortest::Pass,
            "--write" => options.write = Some(value()?.into()),
            _ => return Err(format!("there is no option `{arg}`")),
        }
    }
    if options.fronts.is_empty() {
        options.fronts = FRONTS.to_vec();
    }
    Ok(options)
}

fn print_row(case: &Case<'_>, figures: &Figures) {
    let clock = if case.clock == Clock::Cpu { "processor" } else { "wall" };
    println!(
        "| {} | {} | {:.2} | {:.2} | {:.0} | {:.0} | {} | {clock} |",
        case.front,
        case.peer,
        figures.ratio(),
        figures.median_ratio,
        figures.ours_mb_s(),
        figures.theirs_mb_s(),
        figures.passes,
    );
}

/// One line of `--json`.
#[derive(serde::Serialize)]
struct Row {
    front: &'static str,
    peer: &'static str,
    ratio: f64,
    ours_mb_s: f64,
    peer_mb_s: f64,
}

fn print_json(case: &Case<'_>, figures: &Figures) {
    let row = Row {
        front: case.front,
        peer: case.peer,
        ratio: figures.ratio(),
        ours_mb_s: figures.ours_mb_s(),
        peer_mb_s: figures.theirs_mb_s(),
    };
    println!("{}", serde_json::to_string(&row).expect("names and numbers"));
}
