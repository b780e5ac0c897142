//! Signals, and what they leave.

use consign::export::Event;
use futures::{Stream, StreamExt};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a second signal leaves, which ends the program at once.
pub(crate) const LEFT: &str = "uploads and unfinished files may be left, see --reap";

/// The signals that ask the program to end.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

impl Signals {
    /// From here on, they no longer end the program by themselves.
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|e| format!("cannot listen for signals: {e}"));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(crate) fn listen() -> Result<Self, String> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> &'static str {
        let _ = tokio::signal::ctrl_c().await;
        "SIGINT"
    }
}

/// What was told of an export.
#[derive(Default)]
pub(crate) struct Told {
    visible: Vec<String>,
    /// How many events came faster than they could be printed.
    missed: u64,
    last: Option<Event>,
}

/// Prints the events, if they are asked for, and gathers which files are visible.
pub(crate) async fn follow(mut events: impl Stream<Item = Event> + Unpin, print: bool) -> Told {
    let mut told = Told::default();
    while let Some(event) = events.next().await {
        if print && let Ok(line) = serde_json::to_string(&event) {
            eprintln!("{line}");
        }
        match &event {
            Event::FileCommitted { key } => told.visible.push(key.clone()),
            Event::Missed { events } => told.missed += events,
            _ => {}
        }
        told.last = Some(event);
    }
    told
}

/// What a signal has ended.
pub(crate) fn stopped(signal: &str, told: Told) -> Result<(), String> {
    match told.last {
        Some(Event::Committed { files, .. }) => {
            eprintln!("export: {signal} came when files were being completed: all {files} are delivered");
            Ok(())
        }
        Some(Event::Failed { error, .. }) => Err(format!("stopped by {signal}; {error}")),
        _ if told.missed > 0 => {
            let events = told.missed;
            Err(format!("stopped by {signal}: {events} events were missed, so files may be visible without a manifest"))
        }
        _ if told.visible.is_empty() => Err(format!("stopped by {signal}: everything was taken back")),
        _ => Err(format!("stopped by {signal}: visible without a manifest: `{}`", told.visible.join("`, `"))),
    }
}
