//! The faults of local folders as scenes: the tests beside this look at them closely, and the table of faults tells them in
//! short.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use consign::Error;
use consign::store::{OnExists, Store};
use tempfile::TempDir;

use super::{begun, deliver, read_only, start, start_on, without_privileges};
use crate::program::{example, full_disk};

/// An export to the folder `root` of a place of its own, and what it ended with.
pub(super) struct Scene {
    pub(super) place: TempDir,
    pub(super) root: PathBuf,
    pub(super) ended: Result<(), Error>,
}

impl Scene {
    fn place() -> (TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        (place, root)
    }

    #[track_caller]
    pub(super) fn error(&self) -> &Error {
        self.ended.as_ref().unwrap_err()
    }
}

/// The folder goes while an export is under way.
pub(super) async fn vanished() -> Scene {
    let (place, root) = Scene::place();
    let export = begun(&root).await;
    fs::remove_dir_all(&root).unwrap();
    let ended = export.commit().await.map(drop);
    Scene { place, root, ended }
}

/// An unfinished file goes; its path is given, too.
pub(super) async fn unfinished_vanished() -> (Scene, String) {
    let (place, root) = Scene::place();
    let mut export = start("out", &root);
    export.write_record(["1"]).await.unwrap();
    export.write_record(["2"]).await.unwrap();
    while export.progress().snapshot().files < 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let [unfinished] = &*super::below(&root).into_iter().filter(|path| path.ends_with("/0")).collect::<Vec<_>>() else {
        panic!("one file is unfinished")
    };
    fs::remove_file(unfinished).unwrap();
    let ended = export.commit().await.map(drop);
    (Scene { place, root, ended }, unfinished.clone())
}

/// Folders stand where the files should.
pub(super) async fn in_the_way() -> Scene {
    let (place, root) = Scene::place();
    let export = begun(&root).await;
    for name in ["t.csv", "t_2.csv", "t_3.csv"] {
        fs::create_dir_all(root.join("out").join(name)).unwrap();
    }
    let ended = export.commit().await.map(drop);
    Scene { place, root, ended }
}

/// A link leads out, from the start.
async fn led_out() -> Scene {
    let (place, root) = Scene::place();
    fs::create_dir(&root).unwrap();
    fs::create_dir(place.path().join("outside")).unwrap();
    symlink(place.path().join("outside"), root.join("out")).unwrap();
    let ended = deliver("out", &root).await.map(drop);
    Scene { place, root, ended }
}

/// A link leads out that is put there while the export goes on.
async fn led_out_meanwhile() -> Scene {
    let (place, root) = Scene::place();
    let export = begun(&root).await;
    fs::create_dir(place.path().join("outside")).unwrap();
    symlink(place.path().join("outside"), root.join("out")).unwrap();
    let ended = export.commit().await.map(drop);
    Scene { place, root, ended }
}

/// An export that died has left its folder of unfinished files.
async fn stale() -> Scene {
    let (place, root) = Scene::place();
    let stale = root.join(".consign-0123456789abcdef");
    fs::create_dir_all(&stale).unwrap();
    fs::write(stale.join("0"), "a\n").unwrap();
    let ended = deliver("out", &root).await.map(drop);
    let reaped =
        Store::folder(&root).reap("", chrono::Utc::now() + Duration::from_secs(1), Duration::ZERO).await.into_result();
    assert_eq!(reaped.unwrap().len(), 1);
    Scene { place, root, ended }
}

/// Somebody writes one of the files of an export that replaces nothing.
async fn written_by_another() -> Scene {
    let (place, root) = Scene::place();
    let mut export = start_on("out", &Store::folder(&root), OnExists::Fail);
    for row in ["1", "2", "3"] {
        export.write_record([row]).await.unwrap();
    }
    while export.progress().snapshot().files < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    fs::create_dir_all(root.join("out")).unwrap();
    fs::write(root.join("out/t_2.csv"), "of another").unwrap();
    let ended = export.commit().await.map(drop);
    Scene { place, root, ended }
}

/// The export is dropped while a file is being written.
async fn dropped() -> Scene {
    let (place, root) = Scene::place();
    drop(begun(&root).await);
    let is_left = || fs::read_dir(&root).is_ok_and(|mut entries| entries.next().is_some());
    while is_left() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Scene { place, root, ended: Ok(()) }
}

/// The program, in a folder that it may only read; what it said is in the output.
pub(super) fn unwritable() -> (TempDir, Output) {
    let place = read_only();
    let root = place.path().join("root");
    let destination = place.path().join("destination.json");
    fs::write(&destination, r#"{"bucketName": "acme-exports", "path": "out", "filenameTemplate": "t%DATETIME%"}"#)
        .unwrap();
    // Where another user can run it.
    let program = place.path().join("export");
    fs::copy(example("export"), &program).unwrap();
    fs::set_permissions(&destination, fs::Permissions::from_mode(0o644)).unwrap();
    let output = without_privileges(&program)
        .args(["--quiet", "--to", &format!("file://{}", root.display())])
        .arg("--destination")
        .arg(&destination)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (place, output)
}

/// What stands in the folder of the export, and what else is left of it.
fn seen(root: &Path) -> String {
    let Ok(entries) = fs::read_dir(root.join("out")) else { return left(root, "nothing") };
    let mut ours = 0;
    let mut foreign = 0;
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match fs::read_to_string(&path).unwrap().as_str() {
            "of another" => foreign += 1,
            "a\n1\n" if name == "t.csv" => ours += 1,
            "a\n2\n" if name == "t_2.csv" => ours += 1,
            "a\n3\n" if name == "t_3.csv" => ours += 1,
            text => assert!(name == "manifest-run.json" && text.starts_with('{'), "{name} has other bytes: {text}"),
        }
    }
    let all = root.join("out/manifest-run.json").exists();
    left(
        root,
        match (all, ours, foreign) {
            (true, 2.., 0) => "all",
            (false, 0, 0) => "nothing",
            (false, 0, 1) => "the other's file alone",
            (true, ..) => "A MANIFEST OF WHAT IS NOT THERE",
            _ => "some files, no manifest",
        },
    )
}

fn left(root: &Path, seen: &str) -> String {
    let Ok(mut entries) = fs::read_dir(root) else { return seen.to_owned() };
    let left = entries.any(|entry| entry.unwrap().file_name().to_str().unwrap().starts_with(".consign-"));
    if left { format!("{seen}, UNFINISHED FILES") } else { seen.to_owned() }
}

/// The table of the faults of folders.
pub(crate) async fn table() -> String {
    let mut table = String::from("| fault | a folder |\n|---|---|\n");
    let scenes = [
        ("folder vanishes while the export goes on", vanished().await),
        ("unfinished file vanishes", unfinished_vanished().await.0),
        ("folders stand where the files should", in_the_way().await),
        ("link that leads out of the folder", led_out().await),
        ("the same, put there while the export goes on", led_out_meanwhile().await),
        ("unfinished files of an export that died, reaped afterwards", stale().await),
        ("file written by another meanwhile, replacing nothing", written_by_another().await),
    ];
    for (fault, scene) in &scenes {
        let ended = scene.ended.as_ref().map_or_else(|e| format!("{:?}", e.kind()), |()| "Ok".to_owned());
        writeln!(table, "| {fault} | {ended}, {} |", seen(&scene.root)).unwrap();
        let outside = fs::read_dir(scene.place.path().join("outside"));
        assert_eq!(outside.map_or(0, Iterator::count), 0, "{fault}: files were written outside of the folder");
    }
    let scene = dropped().await;
    writeln!(table, "| dropped while a file is written | {} |", seen(&scene.root)).unwrap();
    let (place, output) = unwritable();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("the store refused"), "{text}");
    writeln!(table, "| folder that may only be read | Denied, {} |", seen(&place.path().join("root"))).unwrap();
    let disk = full_disk();
    assert!(disk.first.contains("no room is left on the device"), "{}", disk.first);
    assert_eq!((disk.after_first.as_str(), disk.after_second.as_str()), ("t.csv old", "manifest-run.json t.csv whole"));
    writeln!(table, "| no room in the middle of a file | Full, the older file as it was |").unwrap();
    writeln!(table, "| the same, then room again, and the export once more | Ok, all |").unwrap();
    table
}
