//! Many exports to a slow server, out of one small budget: none waits for ever, and together they hold no more than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use consign::Export;
use consign::export::MemoryBudget;
use consign::store::PartSchedule;
use futures::future::try_join_all;

use super::client::Setup;
use super::fixture::Server;
use super::proxy::Proxy;
use super::{context, plan, row, text};

/// Rows of a file of two parts, and of one that waits in memory or in a file until its commit.
const TWO_PARTS: u64 = 6 * 64;
const SMALL: u64 = 40;

/// Bytes in a second, on each connection; rows come as fast as they are taken.
const RATE: u32 = 8 * 1024 * 1024;

/// Delivers `exports` files side by side, every tenth of them in parts; gives the most that they held.
async fn deliver(exports: usize, budget: &MemoryBudget, name: &str) -> usize {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let proxy = Proxy::start_slow(setup.url(), RATE).await;
    let slow = setup.clone().with_url(proxy.url()).client();
    let folder = format!("throng/{}/{name}", std::process::id());
    let rows = |number: usize| if number.is_multiple_of(10) { TWO_PARTS } else { SMALL };

    let most = Arc::new(AtomicUsize::new(0));
    let (seen, watched) = (Arc::clone(&most), budget.clone());
    let watch = tokio::spawn(async move {
        loop {
            seen.fetch_max(watched.held(), Ordering::Relaxed);
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    });
    let writers = (0..exports).map(|number| {
        let destination = plan(&format!("{folder}/{number}")).build().unwrap();
        let store = slow.store().with_part_schedule(PartSchedule::equal(5 * 1024 * 1024).expect("the least"));
        let builder = Export::builder(&destination, &store, context()).with_memory(budget.clone());
        tokio::spawn(async move {
            let mut export = builder.start()?;
            for at in 0..rows(number) {
                export.write_record([row(at)]).await?;
            }
            export.commit().await
        })
    });
    let ended = tokio::time::timeout(Duration::from_secs(150), try_join_all(writers)).await;
    for manifest in ended.expect("an export waits for ever").unwrap() {
        manifest.unwrap();
    }
    watch.abort();
    assert_eq!(budget.held(), 0, "not everything was given back");

    let client = setup.client();
    for number in 0..exports {
        let found = client.get(&format!("{folder}/{number}/t.csv")).await.unwrap();
        assert!(found == text(0..rows(number)), "file {number} has other bytes");
    }
    assert_eq!(client.keys(&folder).await.len(), 2 * exports);
    assert_eq!(client.open_uploads(&folder).await, Some(Vec::new()));
    most.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_writers_keep_to_the_least_budget() {
    let budget = MemoryBudget::new(MemoryBudget::LEAST).unwrap();
    let most = deliver(100, &budget, "hundred").await;
    assert!(most > budget.bytes() / 4 && most <= budget.bytes(), "at most {most} bytes were held");
}

/// On one thread, with room for hardly more than a part.
#[tokio::test]
async fn one_writer_goes_on_with_the_least_budget() {
    let budget = MemoryBudget::new(MemoryBudget::LEAST).unwrap();
    let most = deliver(1, &budget, "one").await;
    assert!(most <= budget.bytes(), "at most {most} bytes were held");
}
