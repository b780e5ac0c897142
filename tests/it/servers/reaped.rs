//! What a reaper finds besides uploads: what a store was tried out with, and journals; and what it leaves.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use consign::object_store::multipart::MultipartStore;
use consign::object_store::path::Path;

use super::client::{Client, Setup};
use super::fixture::Server;

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
        "{{\"entry\":\"export\",\"version\":1,\"settings\":{{}},\"names\":1}}\n\
        {{\"entry\":\"upload\",\"number\":0,\"key\":\"{key}\",\"at\":{}}}\n\
        {{\"entry\":\"opened\",\"number\":0,\"id\":\"{id}\",\"token\":null}}\n",
        Utc::now().timestamp()
    );
    client.put_text(&journal, lines).await;
    let another = s3.create_multipart(&Path::from(key.as_str())).await.unwrap();

    let (store, prefix) = (client.store(), format!("{folder}/in"));
    let now = Utc::now() + TimeDelta::minutes(5);
    assert_eq!(store.reap(&prefix, now, Duration::from_secs(3600)).await.unwrap(), [], "{server}: too young");
    let reaped = store.reap(&prefix, now, Duration::ZERO).await.unwrap();
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

#[tokio::test]
async fn checks_and_journals_are_reaped_on_seaweedfs() {
    checks_and_journals_are_reaped(Server::Seaweedfs).await;
}

#[tokio::test]
async fn checks_and_journals_are_reaped_on_rclone() {
    checks_and_journals_are_reaped(Server::Rclone).await;
}
