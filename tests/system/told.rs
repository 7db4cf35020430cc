//! What guests tell, from the guest to whoever follows.

use serde_json::json;
use skrei_protocol::client::News;

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, skrei, wait_for_end};

/// A module that tells these lines, then sleeps.
pub(crate) fn told_by(lines: &[&str], sleep_millis: u64) -> Vec<u8> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let data: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    // Descriptor 3 is the one directory it has: the one with the channel.
    let module = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "channel")
            (data (i32.const 16) "\00\04\00\00")
            (data (i32.const 1024) "{data}")
            (func (export "_start")
                (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 0)
                        (i64.const 64) (i64.const 0) (i32.const 1) (i32.const 32)) (then unreachable))
                (i32.store (i32.const 20) (i32.const {len}))
                (if (call $write (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 36)) (then unreachable))
                ;; a subscription to a clock: monotonic, relative, in nanoseconds
                (i32.store (i32.const 208) (i32.const 1))
                (i64.store (i32.const 216) (i64.const {nanos}))
                (drop (call $poll (i32.const 192) (i32.const 256) (i32.const 1) (i32.const 320)))))"#,
        len = text.len(),
        nanos = sleep_millis * 1_000_000,
    );
    module.into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_seen_while_a_guest_runs_and_values_once_it_has_ended() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let module = told_by(
        &[
            r#"{"progress":{"fraction":0.25,"message":"a quarter"}}"#,
            r#"{"value":{"key":"files","value":{"a":[1,2]}}}"#,
            "nonsense",
        ],
        3_000,
    );
    let job = JobFile::new(&client, "ops", module.leak(), &[]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;

    let mut news = client.events_and_progress(&id).await.unwrap();
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            if let News::Progress(event) = news.next_news().await.unwrap() {
                return event;
            }
        }
    });
    let event = seen.await.unwrap();
    assert_eq!((event.node_id.as_str(), event.progress.in_words().as_str()), ("worker", "25% a quarter"));
    let running = client.executions(&id).await.unwrap().items.remove(0);
    assert_eq!(running.progress.map(|progress| progress.message).as_deref(), Some("a quarter"));
    let described = orchestrator.run(&["job", "describe", &id]).expect(0);
    assert!(described.contains("25% a quarter"), "{described}");

    let ended = wait_for_end(&client, &id).await.executions.unwrap().items.remove(0);
    assert_eq!(ended.progress, None, "what it said last is no news any more");
    let output = ended.run_output.unwrap();
    assert_eq!(output.values["files"], json!({"a": [1, 2]}));
    let described = orchestrator.run(&["job", "describe", &id]).expect(0);
    assert!(described.contains("files") && described.contains(r#"{"a":[1,2]}"#), "{described}");
    let logs = orchestrator.run(&["job", "logs", &id]).expect(0);
    assert!(logs.contains("1 lines that were told were no messages"), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_watches_shows_progress() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let module = told_by(&[r#"{"progress":{"fraction":0.5,"message":"half"}}"#], 1_500);
    std::fs::write(directory.path().join("told.wat"), module).unwrap();
    let file = directory.path().join("job.yaml");
    let job = "Name: told\nType: ops\nTasks: [{Name: main, Engine: {Type: wasm, Params: {EntryModule: told.wat}}}]\n";
    std::fs::write(&file, job).unwrap();
    let ran = orchestrator.run(&["job", "run", file.to_str().unwrap()]);
    let said = ran.expect(0);
    let line = said
        .lines()
        .find(|line| line.contains("Progress: worker: 50% half"))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("20"), "each line begins with a time: {line}");

    let here = Ran::to_end(&mut skrei(["run", directory.path().to_str().unwrap()]));
    assert!(here.expect(0).contains("progress 50% half"), "{}", here.said());
}
