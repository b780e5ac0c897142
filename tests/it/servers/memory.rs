//! How far a process grows that exports to a server.

use crate::memory::growth;

use super::fixture::Server;

#[test]
fn a_process_grows_no_more_than_the_docs_say() {
    let running = Server::Rclone.shared();
    let environment = [
        ("AWS_ENDPOINT", running.url()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "testkey"),
        ("AWS_SECRET_ACCESS_KEY", "testsecret12345"),
    ];
    // With 200, each file waits for its first part longer than memory lasts.
    for (number, options) in [&["--exports", "1"] as &[_], &["--exports", "200"], &["--batches"]].iter().enumerate() {
        let to = format!("s3://test/memory/{}/{number}", std::process::id());
        let grown = growth(&[&["--to", &to, "--megabytes", "150"], *options].concat(), &environment);
        assert!(grown <= 64, "{options:?}: {grown} MiB");
    }
}
