//! The servers: those that `scripts/test` has started, or own ones that end with the tests that use them.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::{env, fmt};

/// A kind of server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Server {
    Azurite,
    Rclone,
    Seaweedfs,
}

impl Server {
    /// Its name for `scripts/servers`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Azurite => "azurite",
            Self::Rclone => "rclone",
            Self::Seaweedfs => "seaweedfs",
        }
    }

    /// The one that all tests share: the environment names it (`CONSIGN_TEST_SEAWEEDFS`, …), or it is started, once in
    /// a process, and stopped with the last test that uses it.
    pub(super) fn shared(self) -> Arc<Running> {
        static SHARED: Mutex<[Weak<Running>; 3]> = Mutex::new([const { Weak::new() }; 3]);
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let slot = &mut shared[self as usize];
        if let Some(running) = slot.upgrade() {
            return running;
        }
        let running = Arc::new(match env::var(format!("CONSIGN_TEST_{}", self.name().to_uppercase())) {
            Ok(url) => Running { server: self, url, process: None },
            Err(_) => self.start(),
        });
        *slot = Arc::downgrade(&running);
        running
    }

    /// One of the test's own, which it may kill.
    pub(super) fn start(self) -> Running {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/servers");
        let mut child = Command::new(&script)
            .args(["run", self.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{} starts the servers and cannot be run: {e}", script.display()));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("the output is a pipe"));
        let mut process = Process { child, input, output };
        let url = process.url(self);
        Running { server: self, url, process: Some(process) }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Azurite => "Azurite",
            Self::Rclone => "rclone",
            Self::Seaweedfs => "SeaweedFS",
        })
    }
}

/// A server that listens.
#[derive(Debug)]
pub(super) struct Running {
    server: Server,
    url: String,
    /// None for one that was started by somebody else.
    process: Option<Process>,
}

/// The script that runs a server until its input ends.
#[derive(Debug)]
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Running {
    pub(super) fn server(&self) -> Server {
        self.server
    }

    /// Kills the server at once; it must be one of the test's own.
    pub(super) fn kill(&mut self) {
        let process = self.process.as_mut().expect("a server of the test's own");
        process.say("kill");
        assert_eq!(process.line(), "killed\n");
    }

    /// Starts it again on its data and port, and waits until it answers.
    pub(super) fn start_again(&mut self) {
        let process = self.process.as_mut().expect("a server of the test's own");
        process.say("start");
        assert_eq!(process.url(self.server), self.url);
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Process {
    fn say(&mut self, command: &str) {
        let input = self.input.as_mut().expect("it is open until the end");
        writeln!(input, "{command}").expect("the script listens");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the script's output is text");
        line
    }

    fn url(&mut self, server: Server) -> String {
        let line = self.line();
        match line.trim().split_once(' ') {
            Some((name, url)) if name == server.name() => url.to_owned(),
            _ => panic!(
                "{server} did not start, what scripts/servers said is above; `scripts/servers install` fetches it"
            ),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
