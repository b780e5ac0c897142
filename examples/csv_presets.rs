//! Writes one hostile table in the dialect of each preset, for the readers themselves to load.
//!
//!     csv_presets FOLDER
//!
//! makes `FOLDER/PRESET.csv` for each preset and `FOLDER/table.json` with the cells: `tests/readers/check.py` loads the
//! files with the readers that the presets are for, and compares.

use std::error::Error;
use std::fs;
use std::path::Path;

use consign::format::csv::{Dialect, Outcome};
use consign::row::Value;
use serde_json::json;

/// The name of a dialect and the dialect.
type Preset = (&'static str, fn() -> Dialect);

const PRESETS: [Preset; 10] = [
    ("bigquery", Dialect::bigquery),
    ("duckdb", Dialect::duckdb),
    ("excel", Dialect::excel),
    ("mysql_load_data", Dialect::mysql_load_data),
    ("platform", Dialect::platform),
    ("postgres_copy", Dialect::postgres_copy),
    ("redshift_copy", Dialect::redshift_copy),
    ("rfc4180", Dialect::rfc4180),
    ("snowflake", Dialect::snowflake),
    ("spark", Dialect::spark),
];

/// What loaders stumble over.
const CELLS: [Option<&str>; 34] = [
    None,
    Some(""),
    Some("plain"),
    Some(" "),
    Some("  both ends  "),
    Some("\ttab"),
    Some("a,b"),
    Some("say \"hi\""),
    Some("\""),
    Some("\"\""),
    Some("'single'"),
    Some("back\\slash"),
    Some("ends\\"),
    Some("ends,\\"),
    Some("\\\""),
    Some("line\nfeed"),
    Some("carriage\rreturn"),
    Some("both\r\nof them"),
    Some("\n"),
    Some("NULL"),
    Some("null"),
    Some("\\N"),
    Some("\\."),
    Some("#comment"),
    Some("-- comment"),
    Some("=1+1"),
    Some("@x"),
    Some("-1.5"),
    Some("007"),
    Some("12345678901234567890123456789"),
    Some("1e400"),
    Some("žluťoučký kůň 🐎"),
    Some("\u{a0}no break\u{3000}"),
    Some("e\u{301} \u{200b} \u{202e}"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("expected a folder to write to")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;

    // Each cell stands first, in the middle and last.
    let rows: Vec<[Option<&str>; 3]> =
        (0..CELLS.len()).map(|i| [0, 11, 23].map(|step| CELLS[(i + step) % CELLS.len()])).collect();
    for (name, dialect) in PRESETS {
        let dialect = dialect();
        let mut encoder = dialect.encoder();
        let mut out = Vec::new();
        encoder.header(&["a", "b", "c"], &mut out)?;
        for row in &rows {
            let outcome = encoder.record(row.map(Value::from), &mut out)?;
            if outcome != Outcome::Written {
                return Err(format!("{name}: a row was not written: {outcome:?}").into());
            }
        }
        fs::write(folder.join(name).with_extension("csv"), out)?;
    }
    fs::write(folder.join("table.json"), serde_json::to_vec(&json!({ "columns": ["a", "b", "c"], "rows": rows }))?)?;
    Ok(())
}
