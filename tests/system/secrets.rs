//! A secret is typed once and visible nowhere: every file, log, answer, event, argument and variable is searched for it.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use skrei_protocol::{api::execution::compute_state, client::Client};

use super::{
    canary::{Canary, assert_leaves_no_image, get, pages, processes, seen_by_everybody},
    harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, root, skrei, wait_for_end},
};

/// Everything is written down that ever is.
const VERBOSE: &str = "Logging.Level=trace";

async fn until_running(client: &Client, job: &str) {
    let start = Instant::now();
    loop {
        let executions = client.executions(job).await.unwrap().items;
        if executions.iter().any(|execution| execution.compute_state.state_type == compute_state::RUNNING) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{executions:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_in_the_deployed_file_and_nowhere_else() {
    let mut orchestrator = Orchestrator::start(&[VERBOSE]);
    let mut node = Node::start_with(&orchestrator, "web-1", "rw", &[VERBOSE]);
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let canary = Canary::new();
    let mut jobs = Vec::new();

    // The story, well and ill: deployed, and told by a guest that fails.
    let variable = |name: &str| format!("{name}=@{}", canary.path(&format!("{name}.pem")).display());
    let mut command = orchestrator.command(&["job", "run", "--force"]);
    command.arg(root().join("examples/deploy-certs/job.yaml"));
    command.args(["-V", &variable("fullchain"), "--secret", &variable("privkey")]);
    let ran = Ran::to_end(&mut command);
    canary.assert_not_in("what the command says", ran.expect(0).as_bytes());
    // And once more with nobody but the node to open it.
    command.args(["--seal-to-nodes", "--data-dir"]).arg(canary.path("home"));
    let ran = Ran::to_end(&mut command);
    canary.assert_not_in("what the command says that seals", ran.expect(0).as_bytes());
    assert_eq!(canary.files_with_it(&canary.path("home")), Vec::<PathBuf>::new());
    jobs.push("deploy-certs".to_owned());
    let uses = json!([{"Name": "key", "Target": "/secrets/key"}, {"Name": "key", "Env": "KEY"}]);
    let telling =
        JobFile::new(&client, "ops", skrei_test_guests::leak(), &["3", "/secrets/key", "$KEY"]).await;
    let telling = telling.with("/Tasks/0/Secrets", uses.clone()).manifest();
    let id = client.submit_with(&telling, false, &canary.secrets()).await.unwrap().job_id;
    let ended = wait_for_end(&client, &id).await;
    assert!(format!("{ended:?}").contains("[secret key]"), "{ended:#?}");
    jobs.push(id.clone());
    for arguments in [
        vec!["logs", &id],
        vec!["describe", &id],
        vec!["history", &id],
        vec!["describe", "--output", "json", &id],
    ] {
        let ran = orchestrator.run(&[&["job"], arguments.as_slice()].concat());
        canary.assert_not_in(&arguments.join(" "), ran.said().as_bytes());
    }

    // A crash of each process while a guest has it.
    let sleeping = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &["2000"]).await;
    let sleeping = sleeping.with("/Tasks/0/Secrets", uses);
    let id = client.submit_with(&sleeping.manifest(), false, &canary.secrets()).await.unwrap().job_id;
    until_running(&client, &id).await;
    for pid in [node.pid(), orchestrator.pid()] {
        assert!(processes().contains(&pid));
        assert_leaves_no_image(pid);
    }
    for pid in processes() {
        canary.assert_not_in("arguments and variables of a process", &seen_by_everybody(pid));
    }
    node.kill();
    node.start_again();
    wait_for_end(&client, &id).await;
    jobs.push(id);
    let id = client.submit_with(&sleeping.manifest(), false, &canary.secrets()).await.unwrap().job_id;
    until_running(&client, &id).await;
    orchestrator.kill();
    orchestrator.start_again();
    let client = orchestrator.client();
    orchestrator.wait_for_nodes(1).await;
    wait_for_end(&client, &id).await;
    jobs.push(id);
    let file = canary.path("job.json");
    std::fs::write(&file, serde_json::to_vec(&sleeping.manifest()).unwrap()).unwrap();
    let mut command = orchestrator.command(&["job", "run"]);
    command.arg(&file).args(["--secret", &format!("key=@{}", canary.path("privkey.pem").display())]);
    let mut child =
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    canary.assert_not_in("the command's arguments and variables", &seen_by_everybody(child.id()));
    child.kill().unwrap();
    child.wait().unwrap();

    // Kept under a name, too, and in the job that names it.
    orchestrator
        .run(&["secret", "set", &format!("kept=@{}", canary.path("privkey.pem").display()), "--job", "*"])
        .expect(0);
    canary.assert_not_in("the list", orchestrator.run(&["secret", "list"]).expect(0).as_bytes());

    // Every answer there is, and what a job is told that is not submitted.
    for page in pages(orchestrator.api_port(), &jobs, "web-1") {
        canary.assert_not_in(&page, &get(orchestrator.api_port(), &page));
    }
    let telling = orchestrator.command(&["job", "plan"]).arg(&file).output().unwrap();
    canary.assert_not_in("a plan", &[telling.stdout, telling.stderr].concat());
    let differing = orchestrator.command(&["job", "diff"]).arg(&file).output().unwrap();
    canary.assert_not_in("a difference", &[differing.stdout, differing.stderr].concat());
    canary.assert_not_in("the audit", orchestrator.run(&["audit", "list"]).expect(0).as_bytes());

    // Every file of both, logs included. First the search itself: what is planted is found, in every form.
    for (form, needle) in &canary.needles {
        assert!(
            canary.found_in(&[b"before ", needle.as_slice(), b" after"].concat()).contains(form),
            "{form}"
        );
    }
    let control = orchestrator.directory().join("data/control");
    std::fs::write(&control, [b"before ", canary.needles[1].1.as_slice()].concat()).unwrap();
    assert_eq!(canary.files_with_it(orchestrator.directory()), std::slice::from_ref(&control));
    std::fs::remove_file(control).unwrap();
    assert!(
        orchestrator.log().contains("a secret was set"),
        "there is a log to look at:\n{}",
        orchestrator.log()
    );
    assert_eq!(canary.files_with_it(orchestrator.directory()), Vec::<PathBuf>::new());
    assert_eq!(
        canary.files_with_it(node.directory()),
        [node.served().join("privkey.pem")],
        "where it was deployed to"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_given_kept_shown_by_its_name_and_refused_by_the_rule() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "web-1", "rw");
    orchestrator.wait_for_nodes(1).await;
    let canary = Canary::new();
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::leak(), &["0", "/secrets/key"]).await;
    let job = job
        .with("/Name", json!("tell"))
        .with("/Tasks/0/Secrets", json!([{"Name": "key", "Target": "/secrets/key"}]));
    let file = canary.path("job.json");
    std::fs::write(&file, serde_json::to_vec(&job.manifest()).unwrap()).unwrap();
    let file = file.display().to_string();
    let source = format!("key=@{}", canary.path("privkey.pem").display());

    let missing = orchestrator.run(&["job", "run", &file]).expect(4);
    assert!(missing.contains("`key`") && missing.contains("--secret key=@FILE"), "{missing}");
    let literal = orchestrator.run(&["job", "run", &file, "--secret", "key=hunter22"]).expect(2);
    assert!(
        literal.contains("history") && literal.contains("@FILE") && !literal.contains("hunter"),
        "{literal}"
    );
    orchestrator.run(&["job", "run", &file, "--secret", &source]).expect(0);
    let shown = orchestrator.run(&["job", "describe", "tell"]).expect(0);
    assert!(
        shown.contains("secret:key (fingerprint ") && shown.contains("removed when the version had ended"),
        "{shown}"
    );

    let nobody = orchestrator.run(&["secret", "set", &source]).expect(4);
    assert!(nobody.contains("--job"), "{nobody}");
    orchestrator.run(&["secret", "set", &source, "--job", "other"]).expect(0);
    let outside = orchestrator.run(&["job", "run", "--force", &file]).expect(4);
    assert!(outside.contains("does not cover job `tell`"), "{outside}");
    orchestrator.run(&["secret", "set", &source, "--job", "tell", "--nodes", "zone=eu"]).expect(0);
    let elsewhere = orchestrator.run(&["job", "run", "--force", &file]).expect(1);
    assert!(elsewhere.contains("zone = eu") && elsewhere.contains("web-1"), "{elsewhere}");
    let set = orchestrator.run(&["secret", "set", &source, "--nodes", ""]).expect(0);
    assert!(set.contains("the value it had before"), "{set}");
    orchestrator.run(&["job", "run", "--force", &file]).expect(0);
    let shown = orchestrator.run(&["job", "describe", "tell"]).expect(0);
    assert!(shown.contains("secret:key (fingerprint ") && shown.contains("set "), "{shown}");
    orchestrator.run(&["secret", "rotate-key"]).expect(0);
    orchestrator.run(&["job", "run", "--force", &file]).expect(0);
    orchestrator.run(&["secret", "remove", "key"]).expect(0);
    let gone = orchestrator.run(&["job", "run", "--force", &file]).expect(4);
    assert!(gone.contains("`key`"), "{gone}");

    // A key in a template variable gets a warning with the way out.
    let template = canary.path("template.yaml");
    std::fs::write(&template, "Name: \"{{key}}\"\n").unwrap();
    let warned =
        orchestrator.run(&["job", "render", &template.display().to_string(), "-V", &source]).expect(0);
    assert!(
        warned.contains(&format!("--secret {source}")) && canary.found_in(warned.as_bytes()).is_empty(),
        "{warned}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_by_label_opens_and_closes_with_what_people_say_of_a_node() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start_with(&orchestrator, "web-1", "rw", &["Labels=zone=eu"]);
    orchestrator.wait_for_nodes(1).await;
    let canary = Canary::new();
    let file = telling(&orchestrator, &canary, "ops").await.display().to_string();
    let source = format!("key=@{}", canary.path("privkey.pem").display());
    orchestrator.run(&["secret", "set", &source, "--job", "tell", "--nodes", "zone=eu"]).expect(0);
    let run = || orchestrator.run(&["job", "run", "--force", &file]);
    let plan = || orchestrator.run(&["job", "plan", &file]).expect(0);

    // It says of itself that it is there, and opens nothing by that.
    let own_word = run().expect(1);
    assert!(own_word.contains("own word") && own_word.contains("node label web-1 zone=eu"), "{own_word}");
    assert!(plan().contains("own word"), "{}", plan());

    orchestrator.run(&["node", "label", "web-1", "zone=eu"]).expect(0);
    run().expect(0);
    assert!(
        orchestrator.run(&["job", "logs", "tell"]).expect(0).contains("[secret key]"),
        "its guest had it"
    );
    assert!(plan().contains("1 of 1 nodes"), "{}", plan());

    // Taken back, or said otherwise, it is closed again, for the next execution of a job that was accepted before as well.
    orchestrator.run(&["node", "label", "web-1", "zone-"]).expect(0);
    assert!(run().expect(1).contains("own word"));
    orchestrator.run(&["node", "label", "web-1", "zone=us"]).expect(0);
    let otherwise = run().expect(1);
    assert!(otherwise.contains("`zone = eu` does not hold"), "{otherwise}");
}

/// The job file of a guest that tells all it has, which is to be its secret `key`, on disk beside the key.
async fn telling(orchestrator: &Orchestrator, canary: &Canary, kind: &str) -> PathBuf {
    let client = orchestrator.client();
    let job = JobFile::new(&client, kind, skrei_test_guests::leak(), &["0", "/secrets/key"]).await;
    let job = job
        .with("/Name", json!("tell"))
        .with("/Meta", json!({"control": CONTROL}))
        .with("/Tasks/0/Secrets", json!([{"Name": "key", "Target": "/secrets/key"}]));
    let file = canary.path("job.json");
    std::fs::write(&file, serde_json::to_vec(&job.manifest()).unwrap()).unwrap();
    file
}

/// No secret: where this is found in memory, a key would be found.
const CONTROL: &str = "control-8d1f6c0b7e2a4935";

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

#[test]
fn a_secret_is_given_to_a_guest_that_runs_here() {
    let canary = Canary::new();
    std::fs::write(canary.path("leak.wasm"), skrei_test_guests::leak()).unwrap();
    let job = json!({
        "Name": "here",
        "Type": "batch",
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "leak.wasm", "Parameters": ["3", "/secrets/key", "$KEY"]}},
            "Secrets": [{"Name": "key", "Target": "/secrets/key"}],
            "Env": {"KEY": "secret:key"},
        }],
    });
    let file = canary.path("job.json");
    std::fs::write(&file, job.to_string()).unwrap();
    let run = |secrets: &[&str]| Ran::to_end(skrei(["run"]).arg(&file).args(secrets));
    let source = format!("key=@{}", canary.path("privkey.pem").display());
    let said = run(&["--secret", &source]).expect(3);
    assert!(said.contains("[secret key]") && said.contains("told everything"), "{said}");
    assert!(canary.found_in(said.as_bytes()).is_empty(), "{said}");

    let missing = run(&[]);
    assert!(missing.said().contains("--secret key=@FILE") && missing.code == Some(126), "{}", missing.said());
    let literal = run(&["--secret", "key=hunter22"]);
    let said = literal.said();
    assert!(
        literal.code != Some(0) && said.contains("list of processes") && !said.contains("hunter"),
        "{said}"
    );
}
