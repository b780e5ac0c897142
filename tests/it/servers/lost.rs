//! Uploads that a journal does not lead to, and files that it leads to in vain.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use consign::export::{Event, ExportBuilder};
use consign::object_store::aws::AmazonS3;
use consign::object_store::multipart::MultipartStore;
use consign::object_store::path::Path;
use consign::object_store::{Attribute, Attributes, ObjectStore, ObjectStoreExt, PutOptions};
use consign::store::{Journal, Keep, OnExists, Store};
use consign::{Error, ErrorKind, Export, Result};
use futures::future::{BoxFuture, ready};
use futures::{FutureExt, StreamExt};

use super::client::{Client, Setup};
use super::fault::{Fault, Faults, Rule, Step};
use super::fixture::{Running, Server};
use super::{context, plan, row};

/// Rows of a file of two parts.
const TWO_PARTS: u64 = 9 * 64;

/// A journal in memory; one that lasts is of an export that dies right before it removes it.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: Mutex<String>,
    lasts: bool,
}

impl Lines {
    fn new(text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { text: Mutex::new(text.into()), lasts: false })
    }

    pub(super) fn lasting() -> Arc<Self> {
        Arc::new(Self { lasts: true, ..Self::default() })
    }

    pub(super) fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

impl Keep for Lines {
    fn read(&self) -> BoxFuture<'_, Result<String>> {
        ready(Ok(self.text())).boxed()
    }

    fn append(&self, lines: String) -> BoxFuture<'_, Result<()>> {
        self.text.lock().unwrap().push_str(&lines);
        ready(Ok(())).boxed()
    }

    fn remove(&self) -> BoxFuture<'_, Result<()>> {
        if !self.lasts {
            self.text.lock().unwrap().clear();
        }
        ready(Ok(())).boxed()
    }
}

pub(super) fn journal(lines: &Arc<Lines>) -> Journal {
    Journal::kept_by(Arc::clone(lines) as _)
}

/// An export that died, of one file of two parts and a small one.
struct Dead {
    folder: String,
    client: Client,
    _running: Arc<Running>,
}

impl Dead {
    fn new(server: Server, name: &str) -> Self {
        let folder = format!("lost/{}/{name}", std::process::id());
        let running = server.shared();
        Self { folder, client: Setup::new(&running).client(), _running: running }
    }

    fn key(&self) -> String {
        format!("{}/t.csv", self.folder)
    }

    fn path(&self) -> Path {
        Path::from(self.key())
    }

    fn s3(&self) -> &Arc<AmazonS3> {
        let Client::S3 { s3, .. } = &self.client else { panic!("a server of S3") };
        s3
    }

    fn builder(&self, store: &Store) -> ExportBuilder {
        let destination = plan(&self.folder).with_max_rows(TWO_PARTS.try_into().unwrap()).build().unwrap();
        Export::builder(&destination, store, context()).with_run_id("run")
    }

    /// Delivers, and gives the journal as it was right before it was removed.
    async fn die(&self, store: &Store) -> String {
        let lines = Lines::lasting();
        deliver(self.builder(store).with_journal(journal(&lines))).await.unwrap();
        lines.text()
    }

    /// The journal of an export that has asked for an upload at this second, and heard no more.
    async fn asked(&self, store: &Store, at: i64) -> Arc<Lines> {
        let text = self.die(store).await;
        let head = text.lines().next().unwrap();
        let key = self.key();
        Lines::new(format!("{head}\n{{\"entry\":\"upload\",\"number\":0,\"key\":\"{key}\",\"at\":{at}}}\n"))
    }

    async fn open(&self) -> String {
        self.s3().create_multipart(&self.path()).await.unwrap()
    }

    async fn open_uploads(&self) -> usize {
        self.client.open_uploads(&self.folder).await.unwrap().len()
    }
}

async fn deliver(builder: ExportBuilder) -> Result<Vec<Event>> {
    let mut export = builder.start()?;
    let events = export.events();
    for number in 0..=TWO_PARTS {
        export.write_record([row(number)]).await?;
    }
    export.commit().await?;
    Ok(events.collect().await)
}

#[track_caller]
fn check_error(error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}

async fn an_upload_is_found_whose_id_never_came(server: Server) {
    let dead = Dead::new(server, "found");
    let store = dead.client.store();
    let now = Utc::now().timestamp();
    // Its key is that of another one's beginning.
    let other = Path::from(format!("{}.gz", dead.key()));
    let other_id = dead.s3().create_multipart(&other).await.unwrap();
    for resumed in [false, true] {
        let lines = dead.asked(&store, now).await;
        dead.open().await;
        if resumed {
            let events = deliver(dead.builder(&store).with_journal(journal(&lines)).with_resume()).await.unwrap();
            assert!(!events.iter().any(|event| matches!(event, Event::UploadLost { .. })), "{server}");
        } else {
            let reaped = store.reap_journal(&journal(&lines)).await.unwrap();
            assert_eq!((reaped.removed, reaped.unsure), (vec![dead.key()], Vec::new()), "{server}");
        }
        assert_eq!((dead.open_uploads().await, lines.text()), (1, String::new()), "{server}");
    }
    dead.s3().abort_multipart(&other, &other_id).await.unwrap();
}

#[tokio::test]
async fn an_upload_is_found_whose_id_never_came_on_seaweedfs() {
    an_upload_is_found_whose_id_never_came(Server::Seaweedfs).await;
}

#[tokio::test]
async fn an_upload_is_found_whose_id_never_came_on_rclone() {
    an_upload_is_found_whose_id_never_came(Server::Rclone).await;
}

#[tokio::test]
async fn an_upload_of_a_living_export_is_left_alone() {
    let dead = Dead::new(Server::Seaweedfs, "living");
    let store = dead.client.store();
    let now = Utc::now().timestamp();
    let alive = dead.open().await;
    dead.s3().put_part(&dead.path(), &alive, 0, "alive".into()).await.unwrap();

    // It has a part: not ours, and ours is not there.
    let reaped = store.reap_journal(&journal(&dead.asked(&store, now).await)).await.unwrap();
    assert_eq!((reaped.removed.len(), reaped.unsure.len(), dead.open_uploads().await), (0, 0, 1));
    // Ours is there too, and is told by that.
    dead.open().await;
    let reaped = store.reap_journal(&journal(&dead.asked(&store, now).await)).await.unwrap();
    assert_eq!((reaped.removed, reaped.unsure.len(), dead.open_uploads().await), (vec![dead.key()], 0, 1));
    // One without a part that was opened long after, or before, may be another's; and so may each of two.
    dead.open().await;
    for at in [now - 400, now + 400] {
        let reaped = store.reap_journal(&journal(&dead.asked(&store, at).await)).await.unwrap();
        assert_eq!((reaped.removed.len(), reaped.unsure, dead.open_uploads().await), (0, vec![dead.key()], 2));
    }
    dead.open().await;
    let lines = dead.asked(&store, now).await;
    let reaped = store.reap_journal(&journal(&lines)).await.unwrap();
    assert_eq!((reaped.removed.len(), reaped.unsure, dead.open_uploads().await), (0, vec![dead.key()], 3));
    assert_eq!(lines.text(), "");
    // An export that goes on says so.
    let lines = dead.asked(&store, now).await;
    let events = deliver(dead.builder(&store).with_journal(journal(&lines)).with_resume()).await.unwrap();
    assert!(events.contains(&Event::UploadLost { key: dead.key() }));
    assert_eq!(dead.open_uploads().await, 3);
    dead.s3().put_part(&dead.path(), &alive, 1, "still".into()).await.unwrap();
    let reaped = store.reap(&dead.folder, Utc::now(), std::time::Duration::ZERO).await.into_result().unwrap();
    assert_eq!((reaped.len(), dead.open_uploads().await), (3, 0));
}

#[tokio::test]
async fn a_store_that_cannot_list_uploads_says_so() {
    let dead = Dead::new(Server::Seaweedfs, "unlisted");
    // The same server, and nobody knows that it is S3.
    let store = Store::multipart(Arc::clone(dead.s3()));
    let now = Utc::now().timestamp();
    dead.open().await;
    let reaped = store.reap_journal(&journal(&dead.asked(&store, now).await)).await.unwrap();
    assert_eq!((reaped.removed.len(), reaped.unsure), (0, vec![dead.key()]));
    let lines = dead.asked(&store, now).await;
    let events = deliver(dead.builder(&store).with_journal(journal(&lines)).with_resume()).await.unwrap();
    assert!(events.contains(&Event::UploadLost { key: dead.key() }));
    assert_eq!(dead.open_uploads().await, 1);
}

#[tokio::test]
async fn a_finished_file_that_vanished_or_changed_is_named() {
    for (name, lists) in [("listed", true), ("not-listed", false)] {
        let dead = Dead::new(Server::Seaweedfs, name);
        let store = if lists { dead.client.store() } else { Store::multipart(Arc::clone(dead.s3())) };
        let lines = Lines::new(dead.die(&store).await);
        let text = format!(
            "`{}` cannot be resumed: the export that died had sent it, but its upload is gone, and what it was \
             completed to is not there or is another file by now: reap the journal, and start afresh",
            dead.key()
        );
        // What stands there as it was delivered is taken for what it is.
        deliver(dead.builder(&store).with_journal(journal(&lines)).with_resume()).await.unwrap();
        for changed in [false, true] {
            let lines = Lines::new(dead.die(&store).await);
            dead.s3().delete(&dead.path()).await.unwrap();
            if changed {
                dead.client.put(&dead.key(), "of another").await;
            }
            let resumed = deliver(dead.builder(&store).with_journal(journal(&lines)).with_resume()).await;
            check_error(&resumed.unwrap_err(), ErrorKind::Resume, &text);
            assert!(lists != lines.text().is_empty(), "{name}: {}", lines.text());
            assert_eq!(dead.client.get(&dead.key()).await.is_some(), changed, "{name}");
        }
    }
}

/// The server puts a file after the export was told nothing for so long that it gave up. By its journal, that file is known
/// for one without a manifest.
#[tokio::test]
async fn a_file_that_comes_late_is_reaped_by_the_journal() {
    let running = Server::Seaweedfs.shared();
    let setup = Setup::new(&running);
    let folder = format!("late/{}", std::process::id());
    let second = format!("{folder}/t_2.csv");
    let silence = Rule { step: Step::Put, key: "/t_2.csv", times: usize::MAX, fault: Fault::Stall };
    let store = setup.client_through(Faults::new(&[silence])).store();
    let lines = Arc::new(Lines::default());
    let journal = journal(&lines);
    let plan = plan(&folder).with_on_exists(OnExists::Fail).with_max_rows(NonZeroU64::MIN);
    let export = Export::builder(&plan.build().unwrap(), &store, context());
    let mut export = export.with_run_id("run").with_journal(journal.clone()).start().unwrap();
    for number in 0..2 {
        export.write_record([row(number)]).await.unwrap();
    }
    let error = export.commit().await.unwrap_err();
    let text = format!("could not complete `{second}`: unknown whether it was written, the store gave no clear answer");
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Unknown, text));
    let client = setup.client();
    assert_eq!(client.keys(&folder).await, [""; 0], "the first file was taken back");

    let text = lines.text();
    let mut entries = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let entry = entries.rfind(|entry| entry["entry"] == "ready" && entry["key"] == *second);
    let token = entry.unwrap_or_else(|| panic!("{text}"))["token"].as_str().unwrap().to_owned();
    let attributes = Attributes::from_iter([(Attribute::Metadata("consigntoken".into()), token)]);
    let options = PutOptions { attributes, ..PutOptions::default() };
    let Client::S3 { s3, .. } = &client else { unreachable!("the server speaks S3") };
    s3.put_opts(&Path::from(&*second), super::text(1..2).into(), options).await.unwrap();

    let reaped = client.store().reap_journal(&journal).await.unwrap();
    assert_eq!((reaped.removed, reaped.unsure), (vec![second], Vec::new()));
    assert_eq!((client.keys(&folder).await, lines.text()), (Vec::new(), String::new()));
}
