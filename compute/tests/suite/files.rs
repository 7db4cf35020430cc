//! What guests leave on the node's disk: how much, for how long, and whose it is.

use std::{fs, os::unix::fs::MetadataExt as _};

use serde_json::{Value, json};
use skrei_job::{
    life::ExecutionState,
    outcome::{Refusal, Rule},
};
use skrei_test_guests as guests;

use crate::support::{Orchestrator, TestNode, job, job_with};

fn refusal(state: ExecutionState) -> Refusal {
    if let ExecutionState::Refused(refusal) = state { refusal } else { panic!("{state:?} is no refusal") }
}

fn output(state: &ExecutionState) -> &str {
    &state.output().unwrap_or_else(|| panic!("{state:?} has no output")).stdout
}

fn scratch(target: &str) -> Value {
    json!({"Target": target, "Source": {"Type": "scratch"}})
}

#[tokio::test]
async fn a_scratch_directory_is_empty_bounded_and_gone_with_its_execution() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let inputs = [orchestrator.holds(guests::probe(), "/main.wasm"), scratch("/tmp")];
    let steps = ["list /tmp:.", "fill /tmp:a 0 3000000", "mkdir /tmp:d"];
    let small = job_with(&inputs, &steps, json!({"Resources": {"Memory": "64MB", "Disk": "2MB"}}));
    for execution in ["e-1", "e-2"] {
        assert_eq!(
            output(&session.run(execution, &small).await),
            "list /tmp:.: ok . ..\nfill /tmp:a 0 3000000: ok 2000000 DQUOT\nmkdir /tmp:d: ok\n"
        );
    }
    let much = job_with(&inputs, &steps, json!({"Resources": {"Memory": "64MB", "Disk": "2TB"}}));
    assert_eq!(refusal(session.run("e-3", &much).await).rule, Rule::Capacity);
    let data = node.stop().await;
    let made = data.path().join("compute/scratch");
    assert_eq!(fs::read_dir(&made).unwrap().count(), 0);

    // What a node that was killed left is removed.
    fs::create_dir_all(made.join("left/over")).unwrap();
    fs::create_dir_all(data.path().join("compute/results/left")).unwrap();
    let node = TestNode::start_in(data, &orchestrator, |_| {});
    orchestrator.session().await;
    let data = node.stop().await;
    assert_eq!(fs::read_dir(&made).unwrap().count(), 0);
    assert_eq!(fs::read_dir(data.path().join("compute/results")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_job_does_not_ask_for_on_the_disk_is_the_nodes_to_give() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| {
        config.limits.disk_bytes = 1000;
        config.limits.disk_files = 2;
    });
    let mut session = orchestrator.session().await;
    let inputs = [orchestrator.holds(guests::probe(), "/main.wasm"), scratch("/a"), scratch("/b")];
    let steps = ["fill /a:f 0 600", "fill /b:f 0 600", "mkdir /a:d"];
    assert_eq!(
        output(&session.run("e-1", &job(&inputs, &steps)).await),
        "fill /a:f 0 600: ok 600\nfill /b:f 0 600: ok 400 DQUOT\nmkdir /a:d: DQUOT\n"
    );
    node.stop().await;
}

#[tokio::test]
async fn a_result_path_is_an_empty_directory_at_its_path_and_at_its_name() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let inputs = [orchestrator.holds(guests::probe(), "/main.wasm")];
    let steps = ["preopens", "write /out:a text", "read report:a", "read /outputs:a"];
    let results = json!([{"Name": "report", "Path": "/out"}, {"Name": "outputs", "Path": "/outputs"}]);
    let job = job_with(&inputs, &steps, json!({"Publisher": {"Type": "noop"}, "ResultPaths": results}));
    assert_eq!(
        output(&session.run("e-1", &job).await),
        "preopens: ok /out /outputs report /.skrei\nwrite /out:a text: ok\nread report:a: ok text\n\
         read /outputs:a: NOENT\n"
    );
    let data = node.stop().await;
    assert_eq!(fs::read_dir(data.path().join("compute/results")).unwrap().count(), 0, "noop keeps nothing");
}

#[tokio::test]
async fn files_land_with_the_mode_the_job_asks_for_and_an_owner_the_node_allows() {
    let mut orchestrator = Orchestrator::start().await;
    let directory = tempfile::tempdir().unwrap();
    let ssl = directory.path().canonicalize().unwrap();
    let own = fs::metadata(&ssl).unwrap();
    let node = TestNode::start(&orchestrator, |config| {
        config.allow_list = skrei_compute::AllowList::parse([format!("{}:rw", ssl.display())]).unwrap();
    });
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::probe(), "/main.wasm");
    let mount = |owner: String| {
        json!({"Target": "/ssl", "Source": {"Type": "local", "Params": {"SourcePath": ssl, "ReadWrite": true,
            "FileMode": "0600", "FileModes": {"cert.pem": "0644"}, "DirMode": "0750", "Owner": owner}}})
    };
    let steps =
        ["write /ssl:.tmp c", "rename /ssl:.tmp /ssl:cert.pem", "write /ssl:key.pem k", "mkdir /ssl:d"];
    let mine = job(&[module.clone(), mount(format!("{}:{}", own.uid(), own.gid()))], &steps);
    let state = session.run("e-1", &mine).await;
    assert!(output(&state).lines().all(|line| line.ends_with(": ok")), "{state:?}");
    let mode = |name: &str| fs::metadata(ssl.join(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("cert.pem"), mode("key.pem"), mode("d")), (0o644, 0o600, 0o750));

    let theirs = job(&[module, mount("54321:54321".to_owned())], &steps);
    let refused = refusal(session.run("e-2", &theirs).await);
    assert_eq!(refused.rule, Rule::Owner);
    assert!(refused.hint.unwrap().contains("Compute.AllowedOwners=54321:54321"));
    node.stop().await;
}

#[tokio::test]
async fn guests_of_a_node_have_so_many_files_open_as_it_was_given_for_them() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.open_files_max = Some(7));
    let mut session = orchestrator.session().await;
    let inputs = [orchestrator.holds(guests::probe(), "/main.wasm"), scratch("/tmp")];
    let small = json!({"Resources": {"Memory": "64MB", "Disk": "2MB"}});
    let many = job_with(&inputs, &["write /tmp:a text", "open-many /tmp:a"], small);
    let state = session.run("e-1", &many).await;
    assert!(output(&state).contains("open-many /tmp:a: ok 7 "), "{}", output(&state));
    node.stop().await;
}
