//! What a reaper finds besides uploads: what a store was tried out with, and journals; and what it leaves.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use consign::Export;
use consign::object_store::ObjectStoreExt;
use consign::object_store::multipart::MultipartStore;
use consign::object_store::path::Path;
use consign::store::OnExists;

use super::client::{Client, Setup};
use super::fixture::Server;
use super::lost::{Lines, journal};
use super::{context, plan, row};
use crate::reap::place;

/// Rows of a file of two parts.
const TWO_PARTS: u64 = 9 * 64;

async fn checks_and_journals_are_reaped(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    let Client::S3 { s3, .. } = &client else { panic!("a server of S3") };
    let folder = format!("reaped/{}", std::process::id());
    let ours = [
        ("in/.consign-00112233445566aa", "a check of consign\n"),
        ("in/deep/.consign-00112233445566bb", ""),
        ("in/deep/.consign-00112233445566cc", "."),
    ];
    let others = [
        ("in/.consign-00112233445566dd", "a check of mine, it\n"),
        ("in/consign-00112233445566aa", "a check of consign\n"),
        ("in/today.journal", "what I did today, and what I have to do tomorrow\n"),
        ("in/newer.journal", "{\"entry\":\"export\",\"version\":2}\n"),
        ("out/.consign-00112233445566aa", "a check of consign\n"),
    ];
    for (name, text) in ours.iter().chain(&others) {
        client.put(&format!("{folder}/{name}"), text).await;
    }
    // A dead export's journal has an upload of a key that is not below the prefix.
    let (key, journal) = (format!("{folder}/out/t.csv"), format!("{folder}/in/manifest-1.json.journal"));
    let id = s3.create_multipart(&Path::from(key.as_str())).await.unwrap();
    let lines = format!(
        "{{\"entry\":\"export\",\"version\":1,\"settings\":{{\"store\":\"{}\"}},\"names\":1}}\n\
        {{\"entry\":\"upload\",\"number\":0,\"key\":\"{key}\",\"at\":{}}}\n\
        {{\"entry\":\"opened\",\"number\":0,\"id\":\"{id}\",\"token\":null}}\n",
        place("/"),
        Utc::now().timestamp()
    );
    client.put_text(&journal, lines).await;
    let another = s3.create_multipart(&Path::from(key.as_str())).await.unwrap();

    let (store, prefix) = (client.store(), format!("{folder}/in"));
    let now = Utc::now() + TimeDelta::minutes(5);
    assert_eq!(
        store.reap(&prefix, now, Duration::from_secs(3600)).await.into_result().unwrap(),
        [],
        "{server}: too young"
    );
    let reaped = store.reap(&prefix, now, Duration::ZERO).await.into_result().unwrap();
    let mut names: Vec<_> = reaped.iter().map(|reaped| reaped.name.clone()).collect();
    names.sort();
    let mut expected: Vec<_> = ours.iter().map(|(name, _)| format!("{folder}/{name}")).collect();
    expected.extend([key.clone(), journal]);
    expected.sort();
    assert_eq!(names, expected, "{server}");
    let mut left: Vec<_> = others.iter().map(|(name, _)| format!("{folder}/{name}")).collect();
    left.sort();
    assert_eq!(client.keys(&folder).await, left, "{server}");
    assert_eq!(client.open_uploads(&folder).await, Some(vec![key.clone()]), "{server}: that of another export");
    s3.abort_multipart(&Path::from(key.as_str()), &another).await.unwrap();
}

/// Which uploads a journal of that head names, by their numbers.
fn uploads(uploads: &[(u64, &str, &str)]) -> String {
    let lines = uploads.iter().map(|(number, key, id)| {
        format!(
            "{{\"entry\":\"upload\",\"number\":{number},\"key\":\"{key}\",\"at\":{}}}\n\
            {{\"entry\":\"opened\",\"number\":{number},\"id\":\"{id}\",\"token\":null}}\n",
            Utc::now().timestamp()
        )
    });
    lines.collect()
}

/// The journal outlives its export, whose manifest the receiver takes away; it is found from above the prefix that it was
/// written below.
#[tokio::test]
async fn what_was_delivered_stays_whose_manifest_was_taken_away() {
    let running = Server::Seaweedfs.shared();
    let client = Setup::new(&running).client();
    let Client::S3 { s3, .. } = &client else { panic!("a server of S3") };
    let folder = format!("reaped/{}/moved", std::process::id());
    let (store, lines) = (client.store().with_prefix(&folder).unwrap(), Lines::lasting());
    let destination =
        plan("out").with_on_exists(OnExists::Fail).with_max_rows(TWO_PARTS.try_into().unwrap()).build().unwrap();
    let builder = Export::builder(&destination, &store, context()).with_run_id("run");
    let mut export = builder.with_journal(journal(&lines)).start().unwrap();
    for number in 0..=TWO_PARTS {
        export.write_record([row(number)]).await.unwrap();
    }
    export.commit().await.unwrap();

    let open = s3.create_multipart(&Path::from(format!("{folder}/out/u.csv"))).await.unwrap();
    let manifest = format!("{folder}/out/manifest-run.json");
    client.put_text(&format!("{manifest}.journal"), lines.text() + &uploads(&[(90, "out/u.csv", &open)])).await;
    s3.delete(&Path::from(manifest.as_str())).await.unwrap();
    let now = Utc::now() + TimeDelta::minutes(5);
    // The uploads are none of this prefix: only the journal names them.
    let reaping = client.store().reap(&manifest, now, Duration::ZERO).await;
    assert!(reaping.errors.is_empty(), "{reaping:?}");
    let files = ["t.csv", "t_2.csv"].map(|name| format!("{folder}/out/{name}"));
    let mut left = reaping.left;
    left.sort();
    assert_eq!(left, files.clone().map(|file| format!("{file} (a file whose manifest is not there)")));
    let removed: Vec<_> = reaping.removed.into_iter().map(|reaped| reaped.name).collect();
    assert_eq!(removed, [format!("{folder}/out/u.csv"), format!("{manifest}.journal")], "t.csv was completed");
    assert_eq!(client.keys(&folder).await, files);
    assert_eq!(client.open_uploads(&folder).await.unwrap(), [""; 0]);
}

/// What an older client has left, or one that knows the place by another name.
#[tokio::test]
async fn a_journal_from_another_place_is_left() {
    let running = Server::Seaweedfs.shared();
    let client = Setup::new(&running).client();
    let Client::S3 { s3, .. } = &client else { panic!("a server of S3") };
    let folder = format!("reaped/{}/places", std::process::id());
    let path = Path::from(format!("{folder}/out/t.csv"));
    let open = s3.create_multipart(&path).await.unwrap();
    let name = format!("{folder}/out/m.json.journal");
    let settings = format!("{{\"store\":\"{}\"}}", place("another/"));
    let head = format!("{{\"entry\":\"export\",\"version\":1,\"settings\":{settings},\"names\":1}}\n");
    client.put_text(&name, head + &uploads(&[(0, "out/t.csv", &open)])).await;
    let now = Utc::now() + TimeDelta::minutes(5);
    let reaping = client.store().reap(&format!("{folder}/out/m"), now, Duration::ZERO).await;
    assert!(reaping.errors.is_empty() && reaping.removed.is_empty(), "{reaping:?}");
    assert_eq!(reaping.left, [format!("{name} (a journal that was written from another place)")]);
    assert_eq!(client.keys(&folder).await, [name]);

    // An upload is named as the store names it, and goes whoever has opened it.
    let below = client.store().with_prefix(&folder).unwrap();
    let reaping = below.reap("out/t", now, Duration::ZERO).await;
    let removed: Vec<_> = reaping.into_result().unwrap().into_iter().map(|reaped| reaped.name).collect();
    assert_eq!(removed, ["out/t.csv"]);
    assert_eq!(client.open_uploads(&folder).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn checks_and_journals_are_reaped_on_seaweedfs() {
    checks_and_journals_are_reaped(Server::Seaweedfs).await;
}

#[tokio::test]
async fn checks_and_journals_are_reaped_on_rclone() {
    checks_and_journals_are_reaped(Server::Rclone).await;
}
