//! `examples/export.rs` as a user runs it: options, outputs, exit statuses, and what is left when it fails.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The built example, which stands beside the folder of the test binary.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().find(|path| path.join("examples").is_dir()).unwrap();
    let path = profile.join("examples").join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --examples --all-features`", path.display());
    path
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A folder to deliver to, and a destination file in it.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(destination: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("destination.json"), destination).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the example with what is always needed and these options, and gives it this input.
    fn run(&self, options: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(example("export"))
            .args(["--to", &format!("file://{}", self.path("out").display())])
            .args(["--destination", self.path("destination.json").to_str().unwrap()])
            .args(["--time", "2026-11-22T08:00:00Z"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn check(&self, options: &[&str], input: &[u8]) -> String {
        let output = self.run(options, input);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && errors.is_empty(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The run must fail with this text, and show nothing.
    #[track_caller]
    fn check_error(&self, options: &[&str], input: &[u8], text: &str) {
        let output = self.run(options, input);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{errors}");
        let errors = errors.replace(&*self.folder.path().to_string_lossy(), "DIR");
        assert_eq!(errors, format!("export: {text}\n"));
        assert!(!self.path("out").exists(), "something was left");
    }
}

const PLAIN: &str = r#"{"bucketName": "acme-exports", "path": "in/%SEGMENT_NAME%", "filenameTemplate": "t_%DATETIME%", "csvOptions": {"escape": "\""}}"#;

#[test]
fn a_piped_table_is_delivered() {
    let bench = Bench::new(PLAIN);
    let options = ["--input", "-", "--audience-name", "VIP", "--run-id", "run", "--json", "--null-text", "NA"];
    let json = bench.check(&options, b"a,b\n1,\"x,y\"\nNA,\"q\"\"\"\n");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!({
        "files": [{"key": "in/VIP/t_20261122_080000.csv", "rows": 2, "plain_bytes": 23, "stored_bytes": 23}],
        "manifest": "in/VIP/manifest-run.json",
    });
    assert_eq!(json, expected);
    let file = fs::read_to_string(bench.path("out/in/VIP/t_20261122_080000.csv")).unwrap();
    assert_eq!(file, "a,b\n1,\"x,y\"\nnull,\"q\"\"\"\n");
    let manifest = fs::read_to_string(bench.path("out/in/VIP/manifest-run.json")).unwrap();
    let expected = r#"{"flowRunId":"run","scheduledTime":"2026-11-22T08:00:00Z","exportResults":[{"sinkPath":"/in/VIP","name":"t_20261122_080000.csv","size":23}]}"#;
    assert_eq!(manifest, expected);
}

#[test]
fn a_real_table_reads_back_equal_after_gpg_and_gzip() {
    let destination = r#"{"bucketName": "acme-exports", "path": "", "filenameTemplate": "planes_%DATETIME(YYYY)%", "compression": "GZIP", "csvOptions": {"escape": "\"", "delimiter": "|"}}"#;
    let bench = Bench::new(destination);
    let (table, key) = (data("airports.csv"), data("keys/receiver.pub.asc"));
    let options = ["--input", table.to_str().unwrap(), "--recipient", key.to_str().unwrap(), "--run-id", "run"];
    let summary = bench.check(&options, b"");
    assert!(summary.contains("planes_2026.csv.gz.gpg") && summary.contains("gpg --decrypt"), "{summary}");
    // Real tools undo it, and Python's reader compares every cell.
    let script = r#"
set -eu
home=$(mktemp -d)
trap 'gpgconf --homedir "$home" --kill all; rm -rf "$home"' EXIT
gpg -q --batch --homedir "$home" --import "$1"
gpg -q --batch --homedir "$home" --decrypt "$2" > "$2.gz"
gzip -t "$2.gz"
gzip -dc "$2.gz" > "$2.csv"
python3 - "$2.csv" "$3" <<'EOF'
import csv, sys
found = list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8"), delimiter="|"))
wanted = list(csv.reader(open(sys.argv[2], newline="", encoding="utf-8")))
assert found == wanted, "the cells differ"
print(len(found))
EOF
"#;
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .args([data("keys/receiver.sec.asc"), bench.path("out/planes_2026.csv.gz.gpg"), table])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1459\n");
}

#[test]
fn without_arguments_the_bundled_table_is_delivered() {
    let target = tempfile::tempdir().unwrap();
    let output = Command::new(example("export")).env("CARGO_TARGET_DIR", target.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in
        ["1458", "104.3 kB", "/Airports_25768be6-", ".csv.gz.gpg", "manifest-", "encode ", "compress ", "upload "]
    {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    // What it says about looking at the result is true.
    let command = text.lines().last().unwrap();
    let output = Command::new("bash").args(["-c", command]).output().unwrap();
    let looked = String::from_utf8(output.stdout).unwrap();
    assert!(looked.starts_with("faa,name,lat,lon,alt,tz,dst,tzone\n04G,Lansdowne Airport,"), "{looked}");
}

#[test]
fn what_is_probably_not_meant_is_said_unless_quiet() {
    let bench = Bench::new(
        r#"{"bucketName": "acme.exports", "bucketRules": "lenient", "path": "in", "filenameTemplate": "t", "csvOptions": {"escape": "\""}}"#,
    );
    let options = ["--input", "-", "--run-id", "run", "--json"];
    let output = bench.run(&options, b"a\n1\n");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "export: warning: dots in a bucket name: TLS certificates do not match it as a host name, and it cannot use transfer acceleration\n\
         export: warning: no macro for the time in the folder or the file name: later exports overwrite the files of this one\n"
    );
    let quiet = bench.check(&[&options[..], &["--quiet"]].concat(), b"a\n1\n");
    assert_eq!(quiet.as_bytes(), output.stdout);
}

#[test]
fn a_bad_input_is_named_by_file_and_line() {
    let bench = Bench::new(PLAIN);
    let options = ["--input", "-", "--audience-name", "VIP"];
    let text = "the standard input: line 3: expected 2 fields as the table has columns, found 3";
    bench.check_error(&options, b"a,b\n1,2\n3,4,5\n", text);
    let text = "the standard input: line 2: field 2 is not UTF-8: byte 1 cannot be read as text (column `b`)";
    bench.check_error(&options, b"a,b\n1,\xff\n", text);

    let missing = bench.path("missing.csv");
    let options = ["--input", missing.to_str().unwrap(), "--audience-name", "VIP"];
    bench.check_error(&options, b"", "DIR/missing.csv: No such file or directory (os error 2)");
}

#[test]
fn a_bad_destination_is_named_by_field_and_place() {
    let bench = Bench::new("{\n  \"bucketName\": \"Acme\",\n  \"path\": \"\"\n}");
    let output = bench.run(&["--input", "-"], b"");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("destination.json: bucketName: ") && errors.contains("at line 2 column 17"), "{errors}");
    assert!(!bench.path("out").exists());

    let bench = Bench::new(PLAIN);
    let output = bench.run(&["--input", "-"], b"a\n1\n");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("%SEGMENT_NAME%"), "{errors}");
    assert!(!bench.path("out").exists());
}

#[test]
fn a_key_that_is_none_is_named() {
    let bench = Bench::new(PLAIN);
    let key = bench.path("destination.json");
    let output =
        bench.run(&["--input", "-", "--audience-name", "VIP", "--recipient", key.to_str().unwrap()], b"a\n1\n");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("destination.json: "), "{errors}");
    assert!(!bench.path("out").exists());
}

#[test]
fn a_journal_is_gone_at_the_end_and_needs_what_the_export_was_named_by() {
    let bench = Bench::new(r#"{"bucketName": "acme-exports", "path": "p", "filenameTemplate": "t"}"#);
    let journal = bench.path("journal");
    let path = journal.to_str().unwrap();
    for journal in ["manifest", path] {
        bench.check(&["--input", "-", "--run-id", "1", "--quiet", "--journal", journal, "--resume"], b"a\n1\n");
    }
    assert!(!journal.exists());
    assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1);
    fs::write(&journal, "{}\n").unwrap();
    let text = format!("export: the journal `{path}` cannot be read: line 1: expected an entry");
    let output = bench.run(&["--input", "-", "--quiet", "--journal", path], b"a\n1\n");
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().starts_with(&text));
}

#[test]
fn wrong_options_are_named_with_the_usage() {
    for (options, text) in [
        (&["--frobnicate"][..], "export: unknown option --frobnicate\n\nusage: export "),
        (&["--to"], "export: --to needs a value\n\nusage: export "),
        (&["--recipient", "key", "--quiet"], "export: --to and --destination are needed\n\nusage: export "),
        (
            &["--resume", "--run-id", "1"],
            "export: --resume needs the --run-id and the --time of the export that it goes on with\n\nusage: export ",
        ),
        (&["--to", "memory:///"], "export: --to and --destination are needed\n\nusage: export "),
        (
            &["--reap", "--to", "memory:///", "--journal", "manifest"],
            "export: --reap needs a --journal in a FILE\n\nusage: export ",
        ),
        (
            &["--reap", "--to", "memory:///", "--journal", "a", "--older-than", "1s"],
            "export: --older-than is not for --reap with a --journal, which names what is removed\n\nusage: export ",
        ),
        (&["--time", "noon"], "export: --time noon: "),
    ] {
        let output = Command::new(example("export")).args(options).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(errors.starts_with(text), "{errors}");
    }
    let output = Command::new(example("export")).arg("--help").output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"usage: export "));
}

/// What two exports to a device without room said and left, of which the second one finds room.
pub(crate) struct FullDisk {
    pub(crate) first: String,
    pub(crate) after_first: String,
    pub(crate) after_second: String,
}

/// A file system of one megabyte, in a name space of its own, which grows then.
pub(crate) fn full_disk() -> FullDisk {
    let bench = Bench::new(r#"{"bucketName": "acme-exports", "path": "", "filenameTemplate": "t"}"#);
    fs::create_dir(bench.path("disk")).unwrap();
    let script = r#"
set -eu
export_rows() {
    { head -c 4000000 /dev/zero | tr '\0' 'x' | fold -w 99; echo; } | sed '1s/.*/a/' | tee "$4" |
        "$1" --quiet --run-id run --input - --to "file://$2" --destination "$3"
}
mount -t tmpfs -o size=1m tmpfs "$2"
echo old > "$2/t.csv"
export_rows "$@" || true
echo $(ls -A "$2") $(cat "$2/t.csv")
mount -o remount,size=16m "$2"
export_rows "$@"
cmp "$4" "$2/t.csv" && echo $(ls -A "$2") whole
"#;
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "bash", "-c", script, "bash"])
        .args([example("export"), bench.path("disk"), bench.path("destination.json"), bench.path("rows")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (after_first, after_second) = said.trim_end().split_once('\n').unwrap_or_default();
    FullDisk {
        first: String::from_utf8_lossy(&output.stderr).into_owned(),
        after_first: after_first.to_owned(),
        after_second: after_second.to_owned(),
    }
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let disk = full_disk();
    assert_eq!(
        disk.first,
        "export: could not write `t.csv`: no room is left on the device: No space left on device (os error 28)\n"
    );
    assert_eq!((disk.after_first.as_str(), disk.after_second.as_str()), ("t.csv old", "manifest-run.json t.csv whole"));
}

#[test]
fn progress_is_json_lines() {
    let bench = Bench::new(PLAIN);
    let options = ["--input", "-", "--audience-name", "VIP", "--quiet", "--progress", "json", "--memory", "16MiB"];
    let output = bench.run(&options, b"a\n1\n");
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["file_opened", "file_finished", "file_committed", "progress", "committed"]);
    assert_eq!(events[3]["rows"], 1);
}

#[test]
fn options_of_a_few_words_name_them() {
    for (option, word, text) in [
        ("--commit", "all", "expected group, per-file"),
        ("--on-exists", "ask", "expected fail, overwrite, skip, suffix"),
        ("--progress", "bar", "expected json"),
        ("--memory", "1MiB", "expected at least 16MiB"),
        ("--memory", "64MB", "expected a size such as 64MiB"),
        ("--older-than", "soon", "expected an age such as 90s or 24h"),
    ] {
        let output = Command::new(example("export")).args([option, word]).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.starts_with(&format!("export: {option} {word}: {text}\n\nusage: ")), "{errors}");
    }
}

#[test]
fn what_exists_is_kept_as_asked() {
    let bench = Bench::new(PLAIN);
    let run = |rule: &str, input: &[u8]| {
        bench.run(
            &["--input", "-", "--audience-name", "VIP", "--run-id", rule, "--quiet", "--json", "--on-exists", rule],
            input,
        )
    };
    let key = |output: &Output| -> serde_json::Value {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let first = key(&run("fail", b"a\n1\n"))["files"][0]["key"].as_str().unwrap().to_owned();
    let failed = run("fail", b"a\n2\n");
    assert!(!failed.status.success());
    let text = format!("export: `{first}` exists, and this destination replaces nothing\n");
    assert_eq!(String::from_utf8_lossy(&failed.stderr), text);
    let skipped = key(&run("skip", b"a\n3\n"));
    assert_eq!((&skipped["files"], &skipped["skipped"]), (&serde_json::json!([]), &serde_json::json!(true)));
    let read = |key: &str| fs::read_to_string(bench.path("out").join(key)).unwrap();
    assert!(read(&first).ends_with("1\n"));
    let beside = key(&run("suffix", b"a\n4\n"))["files"][0]["key"].as_str().unwrap().to_owned();
    assert!(beside != first && read(&beside).ends_with("4\n"));
    assert_eq!(key(&run("overwrite", b"a\n5\n"))["files"][0]["key"], first);
    assert!(read(&first).ends_with("5\n"));
}

#[test]
fn what_a_dead_export_left_is_reaped() {
    let bench = Bench::new(PLAIN);
    let left = bench.path("out/.consign-0123456789abcdef");
    fs::create_dir_all(&left).unwrap();
    let to = format!("file://{}", bench.path("out").display());
    let reap = |options: &[&str]| {
        let output = Command::new(example("export")).args(["--reap", "--to", &to]).args(options).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(reap(&[]), "");
    assert!(left.exists(), "what is younger than a day stays");
    let printed = reap(&["--older-than", "0s"]);
    assert!(printed.starts_with(&left.display().to_string()) && !left.exists(), "{printed}");

    fs::create_dir_all(&left).unwrap();
    let (name, journal) = (left.file_name().unwrap().to_str().unwrap(), bench.path("journal"));
    fs::write(&journal, format!("{{\"entry\":\"folder\",\"number\":0,\"name\":\"{name}\"}}\n")).unwrap();
    assert_eq!(reap(&["--journal", journal.to_str().unwrap()]), format!("{}\n", left.display()));
    assert!(!left.exists() && !journal.exists());
}

/// A signal in the middle of the input, with one row in a file.
fn stopped(bench: &Bench, signal: &str, commit: &str, seen: &str) -> String {
    let mut child = Command::new(example("export"))
        .args(["--to", &format!("file://{}", bench.path("out").display())])
        .args(["--destination", bench.path("destination.json").to_str().unwrap()])
        .args(["--input", "-", "--quiet", "--progress", "json", "--commit", commit])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than the reader's buffer and a block, and one file of it.
    let rows = format!("{}\n", "x".repeat(999)).repeat(1_500);
    input.write_all(format!("a\n{rows}").as_bytes()).unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(seen) {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "the program ended early");
    }
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success() && !child.wait().unwrap().success());
    drop(input);
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    rest.lines().last().unwrap().to_owned()
}

#[test]
fn signals_take_everything_back_and_say_what_stays() {
    let plan = |file: &str| {
        format!(r#"{{"bucketName": "acme-exports", "path": "in", "filenameTemplate": "t", "maxFileRowCount": {file}}}"#)
    };
    for signal in ["-INT", "-TERM"] {
        let bench = Bench::new(&plan("1000"));
        let last = stopped(&bench, signal, "group", "file_finished");
        assert_eq!(last, format!("export: stopped by SIG{}: everything was taken back", &signal[1..]));
        assert!(!bench.path("out").exists());

        let bench = Bench::new(&plan("1000"));
        let last = stopped(&bench, signal, "per-file", "file_committed");
        let text = format!("export: stopped by SIG{}: visible without a manifest: `in/t.csv`", &signal[1..]);
        assert_eq!(last, text);
        let found: Vec<_> =
            fs::read_dir(bench.path("out/in")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(found, ["t.csv"]);
        assert_eq!(fs::read_dir(bench.path("out")).unwrap().count(), 1, "the folder of unfinished files is gone");
    }
}

/// To open a pipe with a name waits for whoever writes to it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_the_wait_for_a_writer() {
    let bench = Bench::new(r#"{"bucketName": "acme-exports", "path": "in", "filenameTemplate": "t"}"#);
    let pipe = bench.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = Command::new(example("export"))
        .args(["--to", &format!("file://{}", bench.path("out").display()), "--quiet"])
        .args(["--destination", bench.path("destination.json").to_str().unwrap(), "--input", pipe.to_str().unwrap()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // From then on, it listens.
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
        u64::from_str_radix(mask, 16).unwrap() >> 14 & 1
    };
    let until = Instant::now() + Duration::from_secs(30);
    while caught() == 0 {
        assert!(Instant::now() < until, "it does not listen");
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(100));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > until {
            child.kill().unwrap();
        }
        sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(1));
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(errors, "export: stopped by SIGTERM: everything was taken back\n");
}

#[test]
fn a_check_says_what_an_export_may_not_and_leaves_nothing() {
    let bench = Bench::new(PLAIN);
    let options = ["--check", "--audience-name", "VIP", "--quiet"];
    assert_eq!(bench.check(&options, b""), "an export can be delivered\n");
    let found = walk(&bench.path("out"));
    assert!(found.is_empty(), "{found:?}");

    fs::remove_dir_all(bench.path("out")).ok();
    fs::write(bench.path("out"), "in the way").unwrap();
    let output = bench.run(&options, b"");
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(output.stderr.starts_with(b"export: "), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}
