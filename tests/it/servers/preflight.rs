//! The check of a store, on real servers whose operations are refused one after the other.

use consign::store::{Finding, OnExists, Operation};
use consign::{ErrorKind, Export};

use super::client::Setup;
use super::fault::{Fault, Faults, Rule, Step};
use super::fixture::Server;
use super::{context, plan};

fn folder(name: &str) -> String {
    format!("preflight/{}/{name}", std::process::id())
}

async fn nothing_is_found_and_nothing_left(server: Server) {
    let running = server.shared();
    let client = Setup::new(&running).client();
    let folder = folder("good");
    for rule in [OnExists::Overwrite, OnExists::Fail, OnExists::Skip] {
        let destination = plan(&folder).with_on_exists(rule).build().unwrap();
        let preflight = Export::builder(&destination, &client.store(), context()).check().await.unwrap();
        let ignores = server == Server::Rclone && rule == OnExists::Fail;
        let found: Vec<_> = preflight.findings().iter().map(Finding::operation).collect();
        assert_eq!(found, if ignores { vec![Operation::Create] } else { vec![] }, "{server}: {preflight}");
        assert_eq!(preflight.left(), [""; 0], "{server}");
        assert_eq!(client.keys(&folder).await, [""; 0], "{server}");
        assert_eq!(client.open_uploads(&folder).await.unwrap_or_default(), [""; 0], "{server}");
    }
}

async fn each_refusal_is_found(server: Server) {
    let running = server.shared();
    let setup = Setup::new(&running);
    let client = setup.client();
    for (step, operation) in [
        (Step::Put, Operation::Put),
        (Step::Look, Operation::Look),
        (Step::Create, Operation::CreateUpload),
        (Step::Part(1), Operation::PutPart),
        (Step::Complete, Operation::CompleteUpload),
        (Step::Abort, Operation::AbortUpload),
        (Step::Delete, Operation::Delete),
    ] {
        if server == Server::Azurite && matches!(step, Step::Create | Step::Abort) {
            // It has no such requests.
            continue;
        }
        let folder = folder(&format!("{step:?}"));
        let rule = Rule { step, key: "", times: usize::MAX, fault: Fault::Answer(403, "AccessDenied") };
        let store = setup.client_through(Faults::new(&[rule])).store().with_bucket("test");
        let preflight = store.check(&folder, OnExists::Overwrite).await;

        let mut found: Vec<_> = preflight.findings().iter().map(|f| (f.operation(), f.error().kind())).collect();
        if operation == Operation::Look {
            // To look and to read is the same request but for the key.
            assert_eq!(found.pop(), Some((Operation::Get, ErrorKind::Denied)), "{server}: {preflight}");
        }
        assert_eq!(found, [(operation, ErrorKind::Denied)], "{server}: {preflight}");
        let resource = match (server, operation) {
            (Server::Azurite, _) => None,
            (_, Operation::Look) => Some("arn:aws:s3:::test".to_owned()),
            _ => Some(format!("arn:aws:s3:::test/{folder}/*")),
        };
        assert_eq!(preflight.findings()[0].resource(), resource.as_deref(), "{server}");
        if let Some(resource) = resource {
            let text = format!("; expected a policy that allows `{}` on `{resource}`", operation.action());
            assert!(preflight.findings()[0].to_string().ends_with(&text), "{server}: {preflight}");
        }

        // What could not be removed is named, and there is nothing else.
        let keys = client.keys(&folder).await;
        let open = client.open_uploads(&folder).await.unwrap_or_default();
        match operation {
            Operation::Delete => assert_eq!((preflight.left(), open.len()), (&*keys, 0), "{server}"),
            Operation::AbortUpload => {
                assert_eq!((keys.len(), open.len()), (0, 1), "{server}");
                assert_eq!(preflight.left(), [format!("{} (an open upload)", open[0])], "{server}");
                let text = format!("`{} (an open upload)` was left, it could not be removed", open[0]);
                assert!(preflight.to_string().ends_with(&text), "{server}: {preflight}");
            }
            _ => assert_eq!((preflight.left().len(), keys.len(), open.len()), (0, 0, 0), "{server}: {preflight}"),
        }
    }
}

/// What a server does with a condition is found out beside other findings.
async fn a_condition_is_tried_whatever_else_is_refused(server: Server) {
    let running = server.shared();
    let rule = Rule { step: Step::Delete, key: "", times: usize::MAX, fault: Fault::Answer(403, "AccessDenied") };
    let store = Setup::new(&running).client_through(Faults::new(&[rule])).store();
    let preflight = store.check(&folder("condition"), OnExists::Fail).await;
    let found: Vec<_> = preflight.findings().iter().map(|f| (f.operation(), f.error().kind())).collect();
    let ignores = (Operation::Create, ErrorKind::Store);
    let refused = (Operation::Delete, ErrorKind::Denied);
    let expected = if server == Server::Rclone { vec![ignores, refused] } else { vec![refused] };
    assert_eq!(found, expected, "{server}: {preflight}");
    assert_eq!(preflight.left().len(), 1, "{server}: {preflight}");
}

async fn plain_mistakes_are_told_apart(server: Server) {
    let running = server.shared();
    let right = Setup::new(&running);
    let missing = right.clone().with_bucket("missing").client().store();
    let missing = missing.check(&folder("mistakes"), OnExists::Fail).await;
    let kinds: Vec<_> = missing.findings().iter().map(|f| (f.operation(), f.error().kind())).collect();
    assert_eq!(kinds, [(Operation::Put, ErrorKind::NotFound)], "{server}: {missing}");

    let denied = right.with_wrong_secret().client().store().check(&folder("mistakes"), OnExists::Fail).await;
    assert!(denied.findings().iter().all(|f| f.error().kind() == ErrorKind::Denied), "{server}: {denied}");
    assert_eq!(denied.findings()[0].operation(), Operation::Put, "{server}: {denied}");
    // What only a reaper does is tried only where there is one.
    for operation in [Operation::ListUploads, Operation::List] {
        let lists = denied.findings().iter().any(|f| f.operation() == operation);
        assert_eq!(lists, server != Server::Azurite, "{server}: {denied}");
    }
}

macro_rules! on_every_server {
    ($($case:ident)*) => {
        mod seaweedfs {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::Seaweedfs).await })*
        }
        mod rclone {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::Rclone).await })*
        }
        mod azurite {
            $(#[tokio::test] async fn $case() { super::$case(super::Server::Azurite).await })*
        }
    };
}

on_every_server! {
    nothing_is_found_and_nothing_left
    each_refusal_is_found
    a_condition_is_tried_whatever_else_is_refused
    plain_mistakes_are_told_apart
}
