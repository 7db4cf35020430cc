//! Logs: live while a guest runs, whole afterwards.

use std::time::{Duration, Instant};

use skrei_protocol::client::LogQuery;

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, wait_for_end};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_can_be_followed_live_and_read_again_afterwards() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::chatter(), &["5000", "stderr"]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &id).await;

    let read = orchestrator.run(&["job", "logs", &id]);
    assert_eq!(read.code, Some(0), "{}", read.said());
    assert_eq!(read.stdout.len() + read.stderr.len(), 5000, "all of it, not the first 2 kB");

    let job = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &["1000"]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let start = Instant::now();
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let line = loop {
        // The execution may not be there yet.
        if let Ok(Some(line)) = client.logs(&id, &query).await.unwrap().next().await {
            break line;
        }
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((line.kind, line.line.as_str()), (1, "awake\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_of_several_nodes_are_read_and_followed_together() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["north", "south"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::env(), &["one", "two"]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;

    let followed = orchestrator.run(&["job", "logs", "-f", &id]);
    assert_eq!(followed.code, Some(0), "{}", followed.said());
    let read = orchestrator.run(&["job", "logs", &id]);
    for node in ["north", "south"] {
        for line in ["arg: one", "arg: two"] {
            let expected = format!("{node} | {line}");
            assert!(read.stdout.lines().any(|line| line == expected), "{}", read.said());
            assert!(followed.stdout.lines().any(|line| line == expected), "{}", followed.said());
        }
    }
    let last = orchestrator.run(&["job", "logs", "--node", "sou", "--tail=1", &id]);
    assert_eq!(last.stdout.lines().count(), 1, "{}", last.said());
    assert!(!last.stdout.contains(" | "), "one node needs no names: {}", last.said());
    for (since, lines) in [("1h", 4), ("2000-01-02T03:04:05Z", 4), ("2199-01-02T03:04:05Z", 0)] {
        let read = orchestrator.run(&["job", "logs", "-f", "--since", since, &id]);
        let is_given = |line: &&str| line.ends_with("| arg: one") || line.ends_with("| arg: two");
        let args = read.stdout.lines().filter(is_given).count();
        assert_eq!((read.code, args), (Some(0), lines), "since {since}: {}", read.said());
    }
    let last =
        orchestrator.run(&["job", "logs", "--node", "sou", "--since", "1h", "--tail=1", "--timestamps", &id]);
    let (time, _) = last.stdout.split_once(' ').unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok() && last.stdout.lines().count() == 1, "{}", last.said());
    let both = orchestrator.run(&["job", "logs", "--since", "1h", "--tail", &id]);
    assert!(both.expect(2).contains("`--tail` alone begins now"));
    let nowhere = orchestrator.run(&["job", "logs", "--node", "east", &id]);
    assert!(nowhere.expect(3).contains("has not run on node `east`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_several_nodes_are_whole_wherever_pieces_of_their_logs_end() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["north", "south"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let client = orchestrator.client();
    // More than a node gives of a log at a time.
    let long = "x".repeat(15_000);
    let job = JobFile::new(&client, "ops", skrei_test_guests::env(), &[long.as_str(); 9]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let followed = orchestrator.run(&["job", "logs", "-f", &id]);
    let read = orchestrator.run(&["job", "logs", "--timestamps", &id]);
    for ran in [&followed, &read] {
        let is_whole = |line: &&str| line.ends_with(&format!("arg: {long}"));
        assert_eq!(ran.code, Some(0));
        assert_eq!(ran.stdout.lines().filter(is_whole).count(), 18, "each node tells of nine");
        let of_nodes =
            ran.stdout.lines().filter(|line| line.starts_with("north |") || line.starts_with("south |"));
        assert_eq!(of_nodes.count(), ran.stdout.lines().count());
    }

    // One that ends without the end of its line.
    let job = JobFile::new(&client, "ops", skrei_test_guests::chatter(), &["3000"]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &id).await;
    let read = orchestrator.run(&["job", "logs", &id]);
    let dots = ".".repeat(3000);
    let expected = ["north", "south"].map(|node| format!("{node} | {dots}\n")).concat();
    assert_eq!(read.stdout, expected, "each ends in a line of its own");
}

/// Writes `name? ` and waits for ten minutes.
const PROMPT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "name? ")
    (data (i32.const 16) "\00\00\00\00\06\00\00\00")
    (func (export "_start")
        (if (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)) (then unreachable))
        ;; a subscription to a clock: monotonic, relative, in nanoseconds
        (i32.store (i32.const 208) (i32.const 1))
        (i64.store (i32.const 216) (i64.const 600000000000))
        (drop (call $poll (i32.const 192) (i32.const 256) (i32.const 1) (i32.const 320)))))"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_does_not_end_is_shown_to_who_follows_several_nodes() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["north", "south"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", PROMPT.as_bytes(), &[]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let seen = tempfile::NamedTempFile::new().unwrap();
    let mut following =
        orchestrator.command(&["job", "logs", "-f", &id]).stdout(seen.reopen().unwrap()).spawn().unwrap();
    let start = Instant::now();
    loop {
        let lines = std::fs::read_to_string(seen.path()).unwrap();
        if ["north", "south"].iter().all(|node| lines.contains(&format!("{node} | name? \n"))) {
            break;
        }
        assert!(
            start.elapsed() < Duration::from_secs(45),
            "the guests still wait, and this is seen: {lines:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.stop(&id, None).await.unwrap();
    assert_eq!(following.wait().unwrap().code(), Some(0));
    let lines = std::fs::read_to_string(seen.path()).unwrap();
    assert_eq!(lines.lines().count(), 2, "and it is shown once: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_an_unknown_job_is_an_error_frame_not_a_failed_handshake() {
    let orchestrator = Orchestrator::start(&[]);
    let mut log =
        orchestrator.client().logs("nothing", &LogQuery::default()).await.expect("the socket opens");
    let error = log.next().await.unwrap_err().to_string();
    assert_eq!(error, "there is no job `nothing`");
}
