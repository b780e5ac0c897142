//! What an export to a server tells: of repeats, and of no secret.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use consign::export::Event;
use consign::{ErrorKind, Export};
use futures::StreamExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

use super::client::Setup;
use super::fault::{Fault, Faults, Rule, Step};
use super::fixture::Server;
use super::{MOST_ROWS, context, plan, row};

/// Keeps the text of every span and event of this crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("consign")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = self.0.lock().unwrap();
        text.push_str(span.metadata().name());
        span.record(&mut Line(&mut text));
        text.push('\n');
        Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = self.0.lock().unwrap();
        text.push_str(event.metadata().level().as_str());
        event.record(&mut Line(&mut text));
        text.push('\n');
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn repeats_are_told_and_secrets_are_not() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let busy = Rule { step: Step::Part(2), key: "/t.csv", times: 6, fault: Fault::Answer(503, "SlowDown") };
    let refused = Rule { step: Step::Part(1), key: "/t.csv", times: usize::MAX, fault: Fault::Answer(403, "No") };
    let log = Log::default();
    let logged = tracing::subscriber::set_default(log.clone());
    for (folder, rule) in [("events/busy", busy), ("events/refused", refused)] {
        let store = setup.client_through(Faults::new(&[rule])).store();
        let mut export = Export::start(&plan(folder).build().unwrap(), &store, context()).unwrap();
        let (events, progress) = (export.events(), export.progress());
        let mut written = Ok(());
        for number in 0..MOST_ROWS as u64 {
            written = written.and(export.write_record([row(number)]).await);
        }
        let ended = match written {
            Ok(()) => export.commit().await.map(drop),
            Err(e) => Err(e),
        };
        let events: Vec<_> = events.collect().await;
        let retries: Vec<_> = events.iter().filter(|event| matches!(event, Event::Retried { .. })).collect();
        let key = format!("{folder}/t.csv");
        let kind = if ended.is_ok() { ErrorKind::Store } else { ErrorKind::Denied };
        assert!(
            !retries.is_empty() && retries.iter().all(|event| **event == Event::Retried { key: key.clone(), kind })
        );
        assert_eq!(progress.snapshot().retries, retries.len() as u64);
        assert_eq!(progress.snapshot().parts_in_flight, 0);
        let last = events.last().unwrap();
        match &ended {
            Ok(()) => assert!(matches!(last, Event::Committed { files: 1, .. }), "{last:?}"),
            Err(e) => assert_eq!(*last, Event::Failed { kind: ErrorKind::Denied, error: e.to_string() }),
        }
        let told: String = events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        assert!(!told.contains(setup.secret()) && !told.contains(setup.url()), "{told}");
    }
    drop(logged);
    let log = log.0.lock().unwrap();
    for line in [
        "export run_id=\"20261122T080000.000000000Z\" bucket=\"test\"\n",
        "INFO message=file opened key=\"events/busy/t.csv\"\n",
        "DEBUG message=part sent key=\"events/busy/t.csv\" part=2 bytes=8388608\n",
        "WARN message=request made again key=\"events/busy/t.csv\" kind=Store\n",
        "INFO message=file committed key=\"events/busy/t.csv\"\n",
        "ERROR message=failed kind=Denied error=",
    ] {
        assert!(log.contains(line), "{line:?} is not in:\n{log}");
    }
    assert!(!log.contains(setup.secret()) && !log.contains(setup.url()), "{log}");
}
