//! What goes on with a journal may be dropped at any await, too: the next one finds what is left.

use std::sync::Arc;
use std::time::Duration;

use consign::object_store::ObjectStoreExt;
use consign::object_store::memory::InMemory;
use consign::object_store::path::Path;
use consign::store::{Journal, Store};

use super::{ROWS, builder, deliver, die, id, is_open, keys, multipart, runtime};
use crate::cancel::{MOMENTS, drop_after};

/// Waits until no task holds the store any more.
async fn quiet(memory: &Arc<InMemory>, own: usize) {
    while Arc::strong_count(memory) > own {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn an_export_that_goes_on_and_is_dropped_at_any_poll_shows_all_or_nothing() {
    let whole = Arc::new(InMemory::new());
    runtime().block_on(deliver(builder(&multipart(&whole)), ROWS)).unwrap();
    for moment in MOMENTS {
        for polls in 0.. {
            let memory = Arc::new(InMemory::new());
            let store = multipart(&memory);
            let lines = die(&store);
            let journal = || Journal::kept_by(Arc::clone(&lines) as _);
            let ids = [id(&lines.text(), 0), id(&lines.text(), 1)];
            let own = Arc::strong_count(&memory);
            let done = runtime().block_on(async {
                let resumed = deliver(builder(&store).with_journal(journal()).with_resume(), ROWS);
                let done = drop_after(polls, moment, resumed).await.map(Result::unwrap).is_some();
                quiet(&memory, own).await;
                let found = keys(&memory).await;
                assert!(
                    found == keys(&whole).await || !done && found.is_empty(),
                    "{moment:?} after {polls} polls: {found:?}"
                );
                for key in &found {
                    let path = Path::from(key.as_str());
                    let read = async |memory: &InMemory| memory.get(&path).await.unwrap().bytes().await.unwrap();
                    assert!(read(&memory).await == read(&whole).await, "{moment:?} after {polls} polls: {key}");
                }
                // One that was dropped before it began has left the journal, and all that it names.
                store.reap_journal(&journal()).await.unwrap();
                assert_eq!(lines.text(), "", "{moment:?} after {polls} polls");
                for id in &ids {
                    assert!(!is_open(&memory, id).await, "{moment:?} after {polls} polls, an upload is open");
                }
                done
            });
            if done {
                assert!(polls > 3, "the export waited only {polls} times");
                break;
            }
        }
    }
}

#[test]
fn a_reaper_that_is_dropped_at_any_poll_is_run_again() {
    for moment in MOMENTS {
        for polls in 0.. {
            let memory = Arc::new(InMemory::new());
            let store: Store = multipart(&memory);
            let lines = die(&store);
            let journal = Journal::kept_by(Arc::clone(&lines) as _);
            let ids = [id(&lines.text(), 0), id(&lines.text(), 1)];
            let done = runtime().block_on(async {
                let done = drop_after(polls, moment, store.reap_journal(&journal)).await.is_some();
                store.reap_journal(&journal).await.unwrap();
                assert_eq!((lines.text(), keys(&memory).await), (String::new(), Vec::new()));
                for id in &ids {
                    assert!(!is_open(&memory, id).await, "{moment:?} after {polls} polls, an upload is open");
                }
                done
            });
            if done {
                break;
            }
        }
    }
}
