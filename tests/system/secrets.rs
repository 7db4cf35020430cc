//! A secret is typed once and visible nowhere: every file, log, answer, event, argument and variable is searched for it.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::json;
use skrei_protocol::{api::execution::compute_state, client::Client};

use super::{
    canary::{Canary, assert_leaves_no_image, get, pages, processes, seen_by_everybody},
    harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, root, skrei, wait_for_end},
};

/// Everything is written down that ever is.
pub(crate) const VERBOSE: &str = "Logging.Level=trace";

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
pub(crate) async fn telling(orchestrator: &Orchestrator, canary: &Canary, kind: &str) -> PathBuf {
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
pub(crate) const CONTROL: &str = "control-8d1f6c0b7e2a4935";

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
