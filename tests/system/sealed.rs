//! Secrets that only their nodes can open: sealed by whoever submits the job, or on the link.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    canary::Canary,
    harness::{Node, Orchestrator, PATIENCE, wait_for_end},
    secrets::{CONTROL, VERBOSE, telling},
};

/// Whether something is in the memory of a process.
fn is_in_memory(pid: u32, is_there: impl Fn(&[u8]) -> bool) -> bool {
    use std::os::unix::fs::FileExt as _;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let [mut start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut found = false;
        while start < end && !found {
            // With some of the part before, so that nothing is missed at the edge.
            let mut part = vec![0; usize::try_from((end - start).min(4 << 20)).unwrap()];
            let Ok(length) = memory.read_at(&mut part, start) else { break };
            found = is_there(&part[..length]);
            start += (length as u64).max(4097) - 4096;
            if length < 4097 {
                break;
            }
        }
        found
    })
}

fn describe(orchestrator: &Orchestrator, job: &str) -> String {
    orchestrator.run(&["job", "describe", job]).expect(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_to_nodes_the_orchestrator_never_sees_and_who_comes_later_waits() {
    let orchestrator = Orchestrator::start(&[VERBOSE]);
    let first = Node::start(&orchestrator, "web-1", "rw");
    let _second = Node::start(&orchestrator, "web-2", "rw");
    orchestrator.wait_for_nodes(2).await;
    let (client, canary) = (orchestrator.client(), Canary::new());
    let file = telling(&orchestrator, &canary, "ops").await.display().to_string();
    let source = format!("key=@{}", canary.path("privkey.pem").display());
    let home = canary.path("home").display().to_string();
    let of_first = first.directory().join("data").display().to_string();
    let key = orchestrator.run(&["secret", "node-key", "--data-dir", &of_first]).expect(0);
    let pin = format!("web-1={}", key.trim());

    // Sealed to one of them, by the key that was read on it. The other one waits, and that is said.
    let sealing = ["job", "run", &file, "--secret", &source, "--data-dir", &home];
    let alone = orchestrator.run(&[&sealing[..], &["--node-key", &pin]].concat()).expect(2);
    assert!(alone.contains("--seal-to-nodes"), "{alone}");
    let said = orchestrator
        .run(&[&sealing[..], &["--seal-to-nodes", "--node-key", &pin, "--wait=false"]].concat())
        .expect(0);
    assert!(said.contains("Sealed to web-1."), "{said}");
    let start = Instant::now();
    while !describe(&orchestrator, "tell").contains("web-2: waiting until key is sealed to it") {
        assert!(start.elapsed() < PATIENCE, "{}", describe(&orchestrator, "tell"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shown = describe(&orchestrator, "tell");
    assert!(shown.contains("secret:key (sealed to web-1 when the job was given"), "{shown}");
    let is_control = |part: &[u8]| part.windows(CONTROL.len()).any(|window| window == CONTROL.as_bytes());
    assert!(is_in_memory(orchestrator.pid(), is_control), "the search finds what the orchestrator knows");
    // One line of a key is enough; all forms would take long.
    let line = canary.needles[0].1.clone();
    let is_key = |part: &[u8]| part.windows(line.len()).any(|window| window == line.as_slice());
    assert!(!is_in_memory(orchestrator.pid(), is_key), "and the key is nothing that it knows");

    // Sealed to whoever there is, it goes on. Whoever gives another file seals for another job, and is told.
    let other = canary.path("other.json");
    std::fs::write(&other, std::fs::read_to_string(&file).unwrap().replace(CONTROL, "another")).unwrap();
    let later = ["secret", "seal", "--secret", &source, "--data-dir", &home];
    let refused = orchestrator.run(&[&later[..], &[&other.display().to_string()]].concat()).expect(4);
    assert!(refused.contains("submitted otherwise"), "{refused}");
    let said = orchestrator.run(&[&later[..], &[&file]].concat()).expect(0);
    assert!(said.contains("web-2 is met for the first time"), "{said}");
    let ended = wait_for_end(&client, "tell").await;
    assert_eq!(ended.job.state.state_type.as_str(), "Completed", "{ended:#?}");
    let shown = describe(&orchestrator, "tell");
    assert!(shown.contains("removed when the version had ended") && !shown.contains("waiting"), "{shown}");
    let logs = orchestrator.run(&["job", "logs", "tell"]).expect(0);
    assert!(logs.contains("[secret key]") && canary.found_in(logs.as_bytes()).is_empty(), "{logs}");
    assert_eq!(canary.files_with_it(orchestrator.directory()), Vec::<PathBuf>::new());

    // A key that is not the one of before: nothing is sealed to it.
    let known = canary.path("home/known-nodes");
    let text = std::fs::read_to_string(&known).unwrap();
    std::fs::write(&known, text.replace(key.trim(), &BASE64_STANDARD.encode([9; 32]))).unwrap();
    let refused = orchestrator.run(&[&sealing[..], &["--force", "--seal-to-nodes"]].concat()).expect(4);
    assert!(refused.contains("`web-1`") && refused.contains("skrei secret node-key"), "{refused}");
}

/// Passes bytes on between nodes and their orchestrator, and keeps all of them.
fn recorder(to: u16) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let of_all = Arc::clone(&recorded);
    std::thread::spawn(move || {
        for node in listener.incoming() {
            let (Ok(node), Ok(orchestrator)) = (node, TcpStream::connect(("127.0.0.1", to))) else { return };
            for (mut from, mut to) in [
                (node.try_clone().unwrap(), orchestrator.try_clone().unwrap()),
                (orchestrator.try_clone().unwrap(), node.try_clone().unwrap()),
            ] {
                let recorded = Arc::clone(&of_all);
                std::thread::spawn(move || {
                    let mut part = vec![0; 64 << 10];
                    while let Ok(length @ 1..) = from.read(&mut part) {
                        recorded.lock().unwrap().extend_from_slice(&part[..length]);
                        if to.write_all(&part[..length]).is_err() {
                            return;
                        }
                    }
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (port, recorded)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_link_and_a_stolen_directory_of_a_node_give_nothing() {
    let orchestrator = Orchestrator::start(&[]);
    let (port, recorded) = recorder(orchestrator.node_port());
    let relayed = format!("Compute.Orchestrators=127.0.0.1:{port}");
    let mut node = Node::start_with(&orchestrator, "web-1", "rw", &[&relayed]);
    orchestrator.wait_for_nodes(1).await;
    let canary = Canary::new();
    let file = telling(&orchestrator, &canary, "ops").await.display().to_string();
    let source = format!("key=@{}", canary.path("privkey.pem").display());
    orchestrator.run(&["job", "run", &file, "--secret", &source]).expect(0);
    node.kill();

    let mut recorded = std::mem::take(&mut *recorded.lock().unwrap());
    assert!(recorded.len() > 10_000, "the link went by here: {} bytes", recorded.len());
    canary.assert_not_in("what went over the link", &recorded);
    let plain = |text: &str| recorded.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!plain("WantSecrets") && !plain(CONTROL), "nor is anything else to be read");
    recorded.extend_from_slice(&canary.needles[0].1);
    assert!(!canary.found_in(&recorded).is_empty(), "the search finds what is there");

    assert!(node.directory().join("data/compute/sealing-key").exists(), "whoever steals it has its keys");
    assert_eq!(canary.files_with_it(node.directory()), Vec::<PathBuf>::new());
}
