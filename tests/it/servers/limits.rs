//! The limits of uploads, at a real server: part sizes, the most parts, and files that are a part to the byte.

use std::num::{NonZeroU32, NonZeroU64};

use consign::export::Event;
use consign::store::PartSchedule;
use consign::{ErrorKind, Export};
use futures::StreamExt;

use super::client::Setup;
use super::fault::{Faults, Step};
use super::fixture::Server;
use super::{context, deliver, plan, row, text};

/// The least that S3 takes, which is so many rows.
const PART: u64 = 5 * 1024 * 1024;
const PART_ROWS: u64 = 320;

fn equal() -> PartSchedule {
    PartSchedule::equal(PART).expect("S3 takes it")
}

fn folder(name: &str) -> String {
    format!("limits/{}/{name}", std::process::id())
}

#[tokio::test]
async fn all_parts_but_the_last_are_equal_at_the_server() {
    let running = Server::Seaweedfs.shared();
    let client = Setup::new(&running).client();
    let (folder, rows) = (folder("equal"), 2 * PART_ROWS + 64);
    let destination = plan(&folder).with_max_rows(NonZeroU64::new(rows).unwrap()).build().unwrap();
    let store = client.store().with_part_schedule(equal());
    let mut export = Export::start(&destination, &store, context()).unwrap();
    let mut events = export.events();
    for number in 0..=rows {
        export.write_record([row(number)]).await.unwrap();
    }
    while !matches!(events.next().await.unwrap(), Event::FileFinished { .. }) {}
    let sizes = client.part_sizes(&format!("{folder}/t.csv")).await;
    assert_eq!(sizes, [PART, PART, 1024 * 1024]);
    export.commit().await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_part_to_the_byte_is_one_request() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    for (rows, expected) in [
        (PART_ROWS, vec![Step::Put]),
        (PART_ROWS + 1, vec![Step::Create, Step::Part(1), Step::Part(2), Step::Complete]),
    ] {
        let (folder, faults) = (folder(&rows.to_string()), Faults::new(&[]));
        let store = setup.client_through(faults.clone()).store().with_part_schedule(equal());
        deliver(plan(&folder), rows, rows, &store).await.unwrap();
        let sent = faults.sent();
        let mut steps: Vec<_> =
            sent.keys().filter(|(_, path)| path.ends_with("/t.csv")).map(|(step, _)| *step).collect();
        steps.sort_by_key(|step| expected.iter().position(|expected| expected == step));
        assert_eq!(steps, expected);
        assert!(setup.client().get(&format!("{folder}/t.csv")).await.unwrap() == text(0..rows), "other bytes");
    }
}

/// A store would say so only once all that fits has been sent.
#[tokio::test]
async fn a_part_more_than_the_store_takes_is_refused_before_it_is_sent() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let schedule = equal().with_most(NonZeroU32::new(2).unwrap());
    for (rows, fits) in [(2 * PART_ROWS, true), (2 * PART_ROWS + 1, false)] {
        let (folder, faults) = (folder(&format!("most-{rows}")), Faults::new(&[]));
        let store = setup.client_through(faults.clone()).store().with_part_schedule(schedule);
        let delivered = deliver(plan(&folder), rows, rows, &store).await;
        let client = setup.client();
        if fits {
            delivered.unwrap();
            assert!(client.get(&format!("{folder}/t.csv")).await.unwrap() == text(0..rows), "other bytes");
            continue;
        }
        let error = delivered.unwrap_err();
        let text = format!("`{folder}/t.csv` has more parts than a store takes: give it fewer rows");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Store, text));
        assert!(!faults.sent().keys().any(|(step, _)| *step == Step::Part(3)), "it was sent");
        assert_eq!((client.keys(&folder).await, client.open_uploads(&folder).await), (Vec::new(), Some(Vec::new())));
    }
}
