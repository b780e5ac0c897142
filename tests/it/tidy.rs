//! The tree holds to the rules of the house: floors, file sizes, leftovers, documents that follow the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors: a room imports only from floors below its own, so rooms on one floor know nothing of each other.
const FLOORS: &[(u8, &[&str])] = &[
    (5, &["export"]),
    (4, &["destination"]),
    (3, &["format", "location"]),
    (2, &["row", "layer", "manifest", "store", "template"]),
    (1, &["error", "memory", "span"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The files below a folder of the project, as paths from its root, sorted. What Git ignores is left out, and so is
/// data; the extension of a name without one is empty. A packaged crate lacks some of the folders.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { return };
        for entry in entries {
            let path = folder.join(entry.unwrap().file_name());
            if root().join(&path).is_dir() {
                if ![".venv", "target", "corpus", "artifacts"].iter().any(|name| path.ends_with(name)) {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), &mut found);
    found.retain(|path| extensions.contains(&path.extension().and_then(|e| e.to_str()).unwrap_or("")));
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    let found = files("src", &["rs"]);
    assert!(found.len() > 10, "the sources were not found: {found:?}");
    found
}

fn written_by_hand() -> Vec<PathBuf> {
    let mut found = sources();
    for folder in ["tests/it", "examples", "benches", "fuzz"] {
        found.extend(files(folder, &["rs", "toml"]));
    }
    found.extend(files("docs", &["md", "svg"]));
    for entry in fs::read_dir(root()).unwrap() {
        let name = PathBuf::from(entry.unwrap().file_name());
        if name.extension().is_some_and(|e| e == "md" || e == "toml") {
            found.push(name);
        }
    }
    found
}

#[track_caller]
fn no_findings(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

#[test]
fn nothing_unfinished_is_left() {
    // Spelled in two halves, so that this file does not find itself.
    let leftovers = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("#[", "ignore"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
    ];
    let mut findings = Vec::new();
    for path in written_by_hand() {
        let text = read(&path);
        if text.trim().is_empty() {
            findings.push(format!("{}: empty", path.display()));
        }
        for (number, line) in text.lines().enumerate() {
            for leftover in leftovers.iter().filter(|l| line.contains(**l)) {
                findings.push(format!("{}:{}: {leftover}", path.display(), number + 1));
            }
        }
    }
    no_findings("unfinished", &findings);
}

#[test]
fn no_path_of_one_machine_is_named() {
    let paths = ["work", "root", "home", "Users"].map(|folder| format!("/{folder}/"));
    let mut findings = Vec::new();
    let scripts = files("scripts", &["", "txt"]).into_iter();
    for path in written_by_hand().into_iter().chain(scripts) {
        for (number, line) in read(&path).lines().enumerate() {
            for found in paths.iter().filter(|p| line.contains(p.as_str())) {
                findings.push(format!("{}:{}: {found}", path.display(), number + 1));
            }
        }
    }
    no_findings("paths that exist on one machine only", &findings);
}

#[test]
fn no_source_file_is_two_ideas() {
    let findings: Vec<String> = sources()
        .iter()
        .map(|path| (path, read(path).lines().count()))
        .filter(|(_, lines)| *lines > 800)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    no_findings("more than 800 lines: split by idea", &findings);
}

#[test]
fn rooms_import_only_from_floors_below() {
    let mut findings = Vec::new();
    for path in sources() {
        let Some(room) = room_of(&path) else { continue };
        let Some(floor) = floor(&room) else {
            findings.push(format!("{}: `{room}` stands on no floor", path.display()));
            continue;
        };
        for (number, used) in rooms_used(&path, &read(&path)) {
            if used != room && floor_at_least(&used, floor) {
                let at = format!("{}:{number}", path.display());
                findings.push(format!("{at}: `{room}` (floor {floor}) imports `{used}`, which is not below it"));
            }
        }
    }
    no_findings("imports against the floors", &findings);
}

/// `src/row/value.rs` and `src/row.rs` are of the room `row`; `src/lib.rs` is of none.
fn room_of(path: &Path) -> Option<String> {
    let first = path.components().nth(1)?.as_os_str().to_str()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (room != "lib").then(|| room.to_owned())
}

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// A module that stands on no floor counts as one too high, so that it is found.
fn floor_at_least(room: &str, at_least: u8) -> bool {
    floor(room).is_none_or(|floor| floor >= at_least)
}

/// The rooms that the code names through `crate::` or through `super::`, with the line. Comments may name any.
fn rooms_used(path: &Path, text: &str) -> BTreeSet<(usize, String)> {
    // How many `super::` lead from this file's module to the crate's root.
    let named_mod = path.file_name().is_some_and(|name| name == "mod.rs");
    let depth = path.components().count() - 1 - usize::from(named_mod);
    let from_root = "super::".repeat(depth);

    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let bare = line.trim_start();
        code.push_str(if bare.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) });
        code.push('\n');
    }
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let number = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        found.extend(heads(rest).into_iter().map(|head| (number, head)));
    }
    for (at, _) in code.match_indices(&from_root) {
        let number = code[..at].matches('\n').count() + 1;
        let rest = &code[at + from_root.len()..];
        found.extend(heads(rest).into_iter().filter(|head| floor(head).is_some()).map(|head| (number, head)));
    }
    found
}

/// The first names of a path or of a `{…}` group of paths, where they are modules (types start in upper case).
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut heads = Vec::new();
    match rest.strip_prefix('{') {
        None => heads.push(name(rest)),
        Some(group) => {
            let (mut depth, mut item) = (1, String::new());
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 || (depth == 1 && c == ',') {
                    heads.push(name(item.trim()));
                    item.clear();
                } else {
                    item.push(c);
                }
                if depth == 0 {
                    break;
                }
            }
        }
    }
    heads.retain(|head| head.starts_with(|c: char| c.is_lowercase()));
    heads
}

#[test]
fn the_reader_of_imports_reads_every_shape() {
    #[track_caller]
    fn check(path: &str, code: &str, expected: &[&str]) {
        let found: Vec<String> = rooms_used(Path::new(path), code).into_iter().map(|(_, room)| room).collect();
        assert_eq!(found, expected, "{code}");
    }
    check("src/row/value.rs", "use crate::layer::Layer;", &["layer"]);
    check("src/row/value.rs", "use crate::{\n  Error,\n  format::{csv, x::{y}},\n  span::Caret};", &["format", "span"]);
    check("src/row/value.rs", "fn f() -> crate::Error { crate::store::open() }", &["store"]);
    check("src/row/value.rs", "/// As [`crate::export`].\n//! crate::export\nlet x = 1; // crate::export", &[]);
    check("src/row/value.rs", "use super::super::layer::Layer;", &["layer"]);
    check("src/row/mod.rs", "use super::layer::Layer;", &["layer"]);
    check("src/row/mod.rs", "mod tests { use super::*; }", &[]);
}

/// The names of the `[dependencies]` and `[dev-dependencies]` of the manifest.
fn dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.starts_with("dependencies]") || header.starts_with("dev-dependencies]");
        } else if inside && line.starts_with(|c: char| c.is_ascii_lowercase()) {
            names.extend(line.split([' ', '=', '.']).next().map(str::to_owned));
        }
    }
    assert!(names.contains("bytes") && names.contains("proptest"), "the manifest was not understood: {names:?}");
    names
}

#[test]
fn every_dependency_has_its_reason() {
    let design = read("DESIGN.md");
    let rows: Vec<&str> = design.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut findings = Vec::new();
    for name in dependencies() {
        match rows.iter().filter(|row| **row == name).count() {
            0 => findings.push(format!("`{name}` has no row")),
            1 => {}
            more => findings.push(format!("`{name}` has {more} rows")),
        }
    }
    no_findings("the table of dependencies in DESIGN.md", &findings);
}

#[test]
fn the_changelog_knows_this_version() {
    let version = concat!("## ", env!("CARGO_PKG_VERSION"));
    let changelog = read("CHANGELOG.md");
    let known = changelog.lines().any(|line| {
        line == "## Unreleased"
            || line.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    assert!(known, "CHANGELOG.md has neither `## Unreleased` nor `{version}`");
}

#[test]
fn every_feature_is_in_the_table() {
    let manifest = read("Cargo.toml");
    let (_, features) = manifest.split_once("\n[features]\n").expect("the manifest has features");
    let features: Vec<&str> = features
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .filter(|name| *name != "default")
        .collect();
    assert!(features.contains(&"gzip"), "the manifest was not understood: {features:?}");
    let library = read("src/lib.rs");
    let table: String = library.lines().filter(|line| line.starts_with("//! | `")).collect();
    let missing = features.iter().filter(|name| !table.contains(&format!("`{name}`")));
    no_findings("features without a row in src/lib.rs", &missing.map(|name| format!("`{name}`")).collect::<Vec<_>>());
}

#[test]
fn documents_link_to_what_is_there() {
    let mut findings = Vec::new();
    for path in written_by_hand().iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = read(path);
        let folder = path.parent().expect("a file has a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()) {
            let elsewhere = target.is_empty() || target.contains("://");
            if !elsewhere && !root().join(folder).join(target).exists() {
                findings.push(format!("{}: {target}", path.display()));
            }
        }
    }
    no_findings("links to nothing", &findings);
}

#[test]
fn the_map_stays_a_map() {
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines < 200, "ARCHITECTURE.md has {lines} lines: expected fewer than 200");
}

#[test]
fn every_example_is_run_by_a_test() {
    let tests: String = files("tests/it", &["rs"]).iter().map(read).collect();
    let findings: Vec<String> = files("examples", &["rs"])
        .iter()
        .filter(|path| path.components().count() == 2)
        .filter(|path| !tests.contains(&format!("\"{}\"", path.file_stem().unwrap().to_str().unwrap())))
        .map(|path| format!("{} is named in no test", path.display()))
        .collect();
    no_findings("examples that no test runs", &findings);
}

#[test]
fn this_binary_holds_every_room() {
    let main = read("tests/it/main.rs");
    let findings: Vec<String> = files("tests/it", &["rs"])
        .iter()
        .filter(|path| path.components().count() == 3)
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .filter(|name| name != "main" && !main.contains(&format!("mod {name};")))
        .map(|name| format!("tests/it/{name}.rs is no module of main.rs"))
        .collect();
    no_findings("tests that never run", &findings);
}
