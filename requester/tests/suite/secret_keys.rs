//! What secrets are locked with: nothing without it, nothing left of what was removed, and another one while everything goes on.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use skrei_job::NodeId;
use skrei_ledger::rusqlite::Connection;
use skrei_protocol::api::{job::RerunJobRequest, secret::PutSecretRequest};

use super::{
    harness::{Orchestrator, PATIENCE, completed},
    sealing::{Sealed, VALUE, given, name, put, with_secret},
    secrets::small,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_its_key_file_gives_nothing_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    orchestrator.client.set_secret("", &name("key"), &put(VALUE, &["*"], None)).await.unwrap();
    orchestrator.stop().await;

    // Whoever has the database starts an orchestrator with it, and a node of his own.
    let stolen = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap) {
        let file = entry.file_name();
        if entry.path().is_file() && file != "secret-keys" {
            std::fs::copy(entry.path(), stolen.path().join(file)).unwrap();
        }
    }
    let config = skrei_requester::Config::new(NodeId::new("orchestrator"), stolen.path());
    let listeners = || async { tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let listeners =
        skrei_requester::Listeners { api: listeners().await, api_tls: None, nodes: listeners().await };
    let refused = skrei_requester::serve(config, listeners, tokio_util::sync::CancellationToken::new()).await;
    let refused = refused.unwrap_err();
    assert!(refused.to_string().contains("secret-keys` is not there"), "{refused}");
    assert!(refused.hint().unwrap().contains("put the file back"));
    assert!(!stolen.path().join("secret-keys").exists(), "and nothing was put in its place");
    // He makes keys of his own.
    let file = std::fs::File::create(stolen.path().join("secret-keys")).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    let thief = Orchestrator::start(&stolen).await;
    let listed = thief.client.secrets("").await.unwrap();
    assert_eq!(listed[0].name, name("key"), "the name is there");
    let mut node = Sealed::connect(&thief, "mine", &[]).await;
    thief.client.submit(&with_secret("batch", "mine"), false).await.unwrap();
    let assignment = node.assignment().await;
    let refused = node.get(&assignment.job, &assignment.execution).await.unwrap_err();
    assert!(refused.contains("the key file does not have"), "{refused}");
    thief.stop().await;
}

/// Everything that is locked in a database that nobody uses any more. Its log is folded into it.
fn locked_in(database: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    let is_busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0)).unwrap();
    assert!(!is_busy, "somebody uses it");
    let sql = "SELECT locked FROM secret UNION ALL SELECT locked FROM secret_grant WHERE locked IS NOT NULL";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_is_not_in_the_file_any_more_not_even_locked() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("orchestrator.db");
    let orchestrator = Orchestrator::start(&directory).await;
    // Of several pages of the file.
    let large = VALUE.repeat(400);
    orchestrator.client.set_secret("", &name("kept"), &put(&large, &["*"], None)).await.unwrap();
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;
    orchestrator
        .client
        .submit_with(&with_secret("batch", "deploy"), false, &given(&format!("{large} too")))
        .await
        .unwrap();
    let assignment = node.assignment().await;
    orchestrator.stop().await;
    let locked = locked_in(&database);
    assert_eq!(locked.len(), 2);
    let is_left = || {
        let file = std::fs::read(&database).unwrap();
        // Wherever a page begins.
        let parts = locked.iter().flat_map(|locked| locked.chunks_exact(64));
        parts.filter(|part| file.windows(part.len()).any(|window| window == *part)).count()
    };
    assert!(is_left() > 200, "the search finds what is there: {}", is_left());

    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = Sealed::connect_with(&orchestrator, "a", node.key, &[]).await;
    orchestrator.client.remove_secret("", &name("kept")).await.unwrap();
    assert_eq!(node.assignment().await.execution, assignment.execution);
    node.link.report(&assignment.execution, completed("")).await;
    orchestrator.wait_for_state(assignment.job.as_str(), "Completed").await;
    orchestrator.stop().await;
    assert_eq!(locked_in(&database), Vec::<Vec<u8>>::new());
    assert_eq!(is_left(), 0, "whoever has the key as well finds nothing to open");
}

#[tokio::test(flavor = "multi_thread")]
async fn key_and_secrets_are_rotated_while_jobs_come_and_nodes_ask_and_nothing_is_lost() {
    const JOBS: usize = 40;
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let key_file = directory.path().join("secret-keys");
    let api = orchestrator.client.clone();
    api.set_secret("", &name("kept"), &put("kept value", &["*"], None)).await.unwrap();
    let before = std::fs::read_to_string(&key_file).unwrap();
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;

    let submitting = tokio::spawn({
        let api = api.clone();
        async move {
            let mut ids = Vec::new();
            for number in 0..JOBS {
                let mut job = small(with_secret("batch", &format!("job-{number}")));
                // Every other one has one that is kept.
                let mut secrets = given(&format!("value {number}"));
                if number % 2 == 1 {
                    "kept".clone_into(&mut job.tasks[0].secrets[0].name);
                    secrets.clear();
                }
                ids.push(api.submit_with(&job, false, &secrets).await.unwrap().job_id);
            }
            ids
        }
    });
    // Both, again and again, for as long as jobs run.
    let (all_ended, mut is_over) = tokio::sync::watch::channel(false);
    let rotating = tokio::spawn({
        let api = api.clone();
        async move {
            let mut rounds = 0;
            while rounds < 5 || !*is_over.borrow_and_update() {
                api.rotate_secret_key().await.unwrap();
                let value =
                    PutSecretRequest { rotate: true, ..put(&format!("kept value {rounds}"), &[], None) };
                api.set_secret("", &name("kept"), &value).await.unwrap();
                rounds += 1;
            }
            rounds
        }
    });
    for _ in 0..JOBS {
        let assignment = node.assignment().await;
        let number: usize = assignment.spec.name().trim_start_matches("job-").parse().unwrap();
        let asked = node.get(&assignment.job, &assignment.execution).await.unwrap();
        let ahead =
            (!assignment.secrets.is_empty()).then(|| node.opened(&assignment.execution, &assignment.secrets));
        for got in ahead.into_iter().chain([asked]) {
            match number % 2 {
                0 => assert_eq!(got, format!("value {number}")),
                _ => assert!(got.starts_with("kept value"), "{got}"),
            }
        }
        node.link.report(&assignment.execution, completed("")).await;
    }
    for id in submitting.await.unwrap() {
        orchestrator.wait_for_state(&id, "Completed").await;
    }
    all_ended.send_replace(true);
    let rounds = rotating.await.unwrap();

    let after = std::fs::read_to_string(&key_file).unwrap();
    let keys = |text: &str| {
        text.lines().filter(|line| line.starts_with("key ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(keys(&after).len(), 1, "one key is left: {}", keys(&after).len());
    assert_ne!(keys(&before), keys(&after));
    // What was kept from before opens with the new key, also after a start.
    orchestrator.stop().await;
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;
    let mut job = with_secret("batch", "last");
    "kept".clone_into(&mut job.tasks[0].secrets[0].name);
    orchestrator.client.submit(&job, false).await.unwrap();
    let assignment = node.assignment().await;
    let last = format!("kept value {}", rounds - 1);
    assert_eq!(node.get(&assignment.job, &assignment.execution).await.unwrap(), last);
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_run_again_needs_no_key_that_is_about_to_go() {
    let directory = tempfile::tempdir().unwrap();
    let key_file = directory.path().join("secret-keys");
    let orchestrator = Orchestrator::start(&directory).await;
    let node = Sealed::connect(&orchestrator, "a", &[]).await;
    let job = orchestrator.client.submit_with(&with_secret("batch", "deploy"), false, &given(VALUE)).await;
    let job = job.unwrap().job_id;
    drop(node);
    orchestrator.stop().await;
    // As in the middle of a rotation: the new key counts, the old one still opens.
    let before = std::fs::read_to_string(&key_file).unwrap();
    let new = format!("key 00000000000000aa {}\n", BASE64_STANDARD.encode([7; 32]));
    std::fs::write(&key_file, format!("{new}{before}")).unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    orchestrator.client.rerun(&job, &RerunJobRequest::default()).await.unwrap();
    orchestrator.stop().await;
    // At its end.
    let is_old = |line: &&str| line.starts_with("key ");
    let without: Vec<&str> = before.lines().filter(|line| !is_old(line)).collect();
    std::fs::write(&key_file, format!("{new}{}\n", without.join("\n"))).unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;
    let assignment = node.assignment().await;
    assert_eq!(assignment.version, 2);
    assert_eq!(node.get(&assignment.job, &assignment.execution).await.unwrap(), VALUE);
    orchestrator.stop().await;
}
