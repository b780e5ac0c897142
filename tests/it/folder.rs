//! Local folders that are not as an export needs them: not writable, gone, or leading elsewhere. Nothing is left behind.

#![cfg(unix)]

pub(crate) mod faults;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use consign::location::{BucketName, FolderPath};
use consign::manifest::Manifest;
use consign::store::{OnExists, Operation, Store};
use consign::template::{Context, Template};
use consign::{Destination, Error, ErrorKind, Export};
use tempfile::TempDir;

fn start(folder: &str, root: &Path) -> Export {
    start_on(folder, &Store::folder(root), OnExists::Overwrite)
}

fn start_on(folder: &str, store: &Store, rule: OnExists) -> Export {
    let (bucket, folder) = (BucketName::parse("acme-exports").unwrap(), FolderPath::parse(folder).unwrap());
    let destination = Destination::builder(bucket, folder, Template::parse("t").unwrap())
        .with_max_rows(std::num::NonZeroU64::MIN)
        .with_on_exists(rule)
        .with_columns(consign::row::Columns::all());
    Export::builder(&destination.build().unwrap(), store, Context::new(chrono::Utc::now()))
        .with_columns(["a"])
        .with_run_id("run")
        .start()
        .unwrap()
}

async fn deliver(folder: &str, root: &Path) -> Result<Manifest, Error> {
    let mut export = start(folder, root);
    export.write_record(["1"]).await?;
    export.write_record(["2"]).await?;
    export.commit().await
}

/// Every path below a folder, sorted.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(below(&path));
        }
        found.push(path.display().to_string());
    }
    found.sort();
    found
}

#[track_caller]
fn check_error(error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}

/// A folder whose owner is nobody in particular, and that others may only read; and one below it that all may write.
fn read_only() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o555)).unwrap();
    place
}

/// Root may write anywhere, so as root the program runs as another user.
fn without_privileges(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    let mut command = Command::new(program);
    if is_root {
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
        std::os::unix::process::CommandExt::gid(&mut command, 65_534);
    }
    command
}

#[test]
fn a_folder_that_may_only_be_read_is_named() {
    let (place, output) = faults::unwritable();
    let root = place.path().join("root");
    let said = String::from_utf8(output.stderr).unwrap();
    let text = format!(
        "could not make a folder for unfinished files in `{}`: the store refused, check the credentials and their permissions",
        root.display()
    );
    assert!(!output.status.success() && said.contains(&text), "{said}");
    assert_eq!(below(&root), [""; 0]);
}

/// No file can be made in the kernel's own folders, by root either.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_of_the_kernel_is_named() {
    let root = Path::new("/proc/self");
    let error = deliver("out", root).await.unwrap_err();
    let text = "could not make a folder for unfinished files in `/proc/self`: the bucket or folder does not exist";
    check_error(&error, ErrorKind::NotFound, text);
    let preflight = Store::folder(root).check("out", OnExists::Fail).await;
    assert_eq!(preflight.to_string(), text);
    assert_eq!(preflight.findings()[0].operation(), Operation::Put);
}

/// A row more than a block has, so that a file is begun while the export goes on.
async fn begun(root: &Path) -> Export {
    let mut export = start("out", root);
    for row in ["1", "2", "3"] {
        export.write_record([row]).await.unwrap();
    }
    while export.progress().snapshot().files < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    export
}

#[tokio::test]
async fn a_folder_that_vanishes_is_not_made_again() {
    let vanished = faults::vanished().await;
    let error = vanished.error();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let begin = "could not make an unfinished file: the bucket or folder does not exist";
    assert!(error.to_string().starts_with(begin), "{error}");
    assert_eq!(below(vanished.place.path()), [""; 0]);
}

#[tokio::test]
async fn unfinished_files_that_vanish_are_missed_before_anything_is_shown() {
    let (scene, unfinished) = faults::unfinished_vanished().await;
    let (error, folder) = (scene.error(), unfinished.strip_suffix("/0").unwrap());
    let text = format!("could not write `out/t.csv`: the folder of unfinished files `{folder}` is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with(&text), "{error}");
    assert!(!scene.root.join("out/manifest-run.json").exists());
}

#[tokio::test]
async fn a_link_out_of_the_folder_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (root, outside) = (place.path().join("root"), place.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink(&outside, root.join("out")).unwrap();
    symlink("../outside", root.join("relative")).unwrap();
    let before = below(place.path());
    for (folder, link) in [("out", "out"), ("out/deeper", "out"), ("relative/a/b", "relative")] {
        let error = deliver(folder, &root).await.unwrap_err();
        let link = root.join(link);
        let text = format!(
            "could not write `{folder}/t.csv`: `{}` is a link that leads out of the store's folder",
            link.display()
        );
        check_error(&error, ErrorKind::Denied, &text);
        assert_eq!(below(place.path()), before);
        let preflight = Store::folder(&root).check(folder, OnExists::Overwrite).await;
        assert_eq!(preflight.findings()[0].error().kind(), ErrorKind::Denied);
        assert_eq!(below(place.path()), before);
    }

    // One that is put there while the export goes on.
    fs::remove_file(root.join("out")).unwrap();
    let export = begun(&root).await;
    symlink(&outside, root.join("out")).unwrap();
    assert_eq!(export.commit().await.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(below(place.path()), before);
}

#[tokio::test]
async fn links_that_stay_within_the_folder_are_followed() {
    let place = tempfile::tempdir().unwrap();
    let real = place.path().join("real");
    fs::create_dir_all(real.join("year")).unwrap();
    let root = place.path().join("root");
    symlink(&real, &root).unwrap();
    symlink("year", real.join("out")).unwrap();
    deliver("out", &root).await.unwrap();
    assert_eq!(fs::read_to_string(real.join("year/t_2.csv")).unwrap(), "a\n2\n");

    // A link in a file's place is replaced, and not written through.
    let other = place.path().join("other");
    fs::write(&other, "other").unwrap();
    fs::remove_file(real.join("year/t.csv")).unwrap();
    symlink(&other, real.join("year/t.csv")).unwrap();
    deliver("out", &root).await.unwrap();
    assert_eq!(fs::read_to_string(real.join("year/t.csv")).unwrap(), "a\n1\n");
    assert_eq!(fs::read_to_string(&other).unwrap(), "other");
}

/// A folder in a file's place: what was made for the export goes again.
#[tokio::test]
async fn folders_that_were_made_in_vain_go_again() {
    let scene = faults::in_the_way().await;
    let root = &scene.root;
    let before = ["out", "out/t.csv", "out/t_2.csv", "out/t_3.csv"].map(|path| root.join(path).display().to_string());
    assert_eq!(scene.error().kind(), ErrorKind::Exists);
    assert_eq!(below(root), before);
}

/// What a delivery asks of the disk, in its order: each call with the paths that it is about, temporary files without what is
/// random in them.
#[cfg(target_os = "linux")]
fn traced(place: &Path, program: &[&str]) -> Vec<String> {
    let trace = place.join("trace");
    let output = Command::new("strace")
        .args(["-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,link,linkat", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(program)
        .env(TRACED, place.join("made/out"))
        .output()
        .expect("strace is there: scripts/test installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let place = place.display().to_string();
    let calls = fs::read_to_string(trace).unwrap();
    let mut shown = Vec::new();
    for line in calls.lines() {
        // A thread's number, the call, and what came of it.
        let (_, call) = line.split_once(' ').unwrap();
        let (name, rest) = call.trim_start().split_once('(').unwrap();
        assert!(rest.ends_with("= 0"), "{line}");
        let name = if name.starts_with("rename") { "rename" } else { name.trim_end_matches("at") };
        let mut call = name.to_owned();
        for path in rest.split(['"', '<', '>']).filter_map(|path| path.strip_prefix(&place)) {
            let path = match path.split_once(".consign-") {
                Some((root, temporary)) => format!("{root}{}", &temporary[17..]),
                None => path.to_owned(),
            };
            call.push(' ');
            call.push_str(&path);
        }
        shown.push(call);
    }
    shown
}

/// Tells the process that is traced where to deliver.
#[cfg(target_os = "linux")]
const TRACED: &str = "CONSIGN_TEST_TRACED";

/// Delivers to a folder that is to be made, and to be traced; or has that done, and gives the calls.
#[cfg(target_os = "linux")]
fn trace(name: &str, rule: OnExists, with: fn(Store) -> Store) -> Option<Vec<String>> {
    let Some(root) = std::env::var_os(TRACED) else {
        let place = tempfile::tempdir().unwrap();
        return Some(traced(place.path(), &["--exact", &format!("folder::{name}")]));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut export = start_on("p", &with(Store::folder(root)), rule);
        export.write_record(["1"]).await.unwrap();
        export.commit().await.unwrap();
    });
    None
}

#[cfg(target_os = "linux")]
#[test]
fn with_fsync_bytes_are_forced_out_before_their_names() {
    let name = "with_fsync_bytes_are_forced_out_before_their_names";
    let Some(calls) = trace(name, OnExists::Overwrite, Store::with_fsync) else { return };
    let expected = |number: u32, target: &str| {
        [
            format!("fdatasync /made/out/{number}"),
            format!("rename /made/out/{number} /made/out/p/{target}"),
            "fsync /made/out/p".to_owned(),
            "fsync /made/out".to_owned(),
            "fsync /made".to_owned(),
            "fsync ".to_owned(),
        ]
    };
    assert_eq!(calls, [expected(0, "t.csv"), expected(1, "manifest-run.json")].concat());
}

#[cfg(target_os = "linux")]
#[test]
fn with_fsync_links_are_forced_out_too() {
    let name = "with_fsync_links_are_forced_out_too";
    let Some(calls) = trace(name, OnExists::Fail, Store::with_fsync) else { return };
    let expected = ["fdatasync /made/out/0", "link /made/out/0 /made/out/p/t.csv", "fsync /made/out/p"];
    assert_eq!(calls[..3], expected);
}

#[cfg(target_os = "linux")]
#[test]
fn without_fsync_nothing_is_forced_out() {
    let name = "without_fsync_nothing_is_forced_out";
    let Some(calls) = trace(name, OnExists::Overwrite, |store| store) else { return };
    let target = ["t.csv", "manifest-run.json"];
    let expected = [0, 1].map(|number| format!("rename /made/out/{number} /made/out/p/{}", target[number]));
    assert_eq!(calls, expected);
}
