//! Runs a target over files: those given as arguments, those of directories given, or those of the target's corpus.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The `main` of a target outside the fuzzer. Fails where nothing was replayed; panics where the target does, after
/// the file was named on stderr.
pub fn main(target: &str, run: fn(&[u8])) -> ExitCode {
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target));
    }
    match replay(&paths, run) {
        Ok(0) => {
            eprintln!("{target}: nothing to replay");
            ExitCode::FAILURE
        }
        Ok(count) => {
            println!("{target}: {count} inputs replayed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{target}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn replay(paths: &[PathBuf], run: fn(&[u8])) -> io::Result<usize> {
    let mut count = 0;
    for path in paths {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("could not read {}: {e}", path.display()));
        if path.is_dir() {
            let entries: io::Result<Vec<_>> = fs::read_dir(path).map_err(named)?.map(|e| Ok(e?.path())).collect();
            let mut inside = entries.map_err(named)?;
            inside.sort();
            count += replay(&inside, run)?;
        } else {
            let data = fs::read(path).map_err(named)?;
            let reported = Reported(path);
            run(&data);
            drop(reported);
            count += 1;
        }
    }
    Ok(count)
}

/// Names the file when the target panics over it.
struct Reported<'a>(&'a Path);

impl Drop for Reported<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input: {}", self.0.display());
        }
    }
}
