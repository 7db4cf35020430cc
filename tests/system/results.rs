//! What guests leave on three nodes, collected and compared.

use std::{fs, path::Path};

use serde_json::json;

use super::harness::{JobFile, Node, Orchestrator, wait_for_end};

const NODES: [&str; 3] = ["web-1", "web-2", "web-3"];

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Starts nodes, each with logs of its own that jobs may read.
async fn fleet(orchestrator: &Orchestrator) -> Vec<Node> {
    let nodes: Vec<_> = NODES.iter().map(|name| Node::start(orchestrator, name, "ro")).collect();
    for (node, name) in nodes.iter().zip(NODES) {
        fs::write(node.served().join("access.log"), format!("{name} ok\n{name} error 500\n")).unwrap();
        fs::write(node.served().join("app.log"), format!("{name} error in app\nfine\n")).unwrap();
    }
    orchestrator.wait_for_nodes(NODES.len()).await;
    nodes
}

/// A job that collects the lines with `error` in them.
async fn filter(orchestrator: &Orchestrator) -> JobFile {
    let arguments = ["error", "/out", "/outputs/errors.log"];
    let job = JobFile::new(&orchestrator.client(), "ops", skrei_test_guests::filter(), &arguments).await;
    job.mounted(false)
        .with("/Tasks/0/Publisher", json!({"Type": "local"}))
        .with("/Tasks/0/ResultPaths", json!([{"Name": "outputs", "Path": "/outputs"}]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_guests_found_on_three_nodes_is_collected_and_fetched() {
    let mut orchestrator = Orchestrator::start(&[]);
    let _nodes = fleet(&orchestrator).await;
    let client = orchestrator.client();
    let job = filter(&orchestrator).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let ended = wait_for_end(&client, &id).await;
    assert_eq!(ended.job.state.state_type.as_str(), "Completed", "{ended:#?}");

    let into = tempfile::tempdir().unwrap();
    let get = |orchestrator: &Orchestrator, which: &str, more: &[&str]| {
        let mut command = orchestrator.command(&["job", "get", which]);
        let ran = command.args(more).current_dir(into.path()).output().expect("the binary starts");
        super::harness::Ran::from(ran)
    };
    let got = get(&orchestrator, &id, &[]);
    assert_eq!((got.code, got.stdout.trim()), (Some(0), format!("job-{id}").as_str()), "{}", got.said());
    let all = into.path().join(format!("job-{id}"));
    for name in NODES {
        let of_node = all.join(name);
        assert_eq!(
            read(of_node.join("outputs/errors.log")),
            format!("{name} error 500\n{name} error in app\n")
        );
        assert_eq!(
            (read(of_node.join("stdout")), read(of_node.join("exitCode"))),
            ("2 lines\n".into(), "0".into())
        );
        assert_eq!(read(of_node.join("stderr")), "");
    }
    assert_eq!(fs::read_dir(&all).unwrap().count(), NODES.len(), "nothing is left of the downloads");

    let again = get(&orchestrator, &id, &[]);
    assert!(again.expect(4).contains("is there already"), "{}", again.said());

    // One file of all of them, also after the orchestrator was killed.
    orchestrator.kill();
    orchestrator.start_again();
    fs::create_dir(into.path().join("one")).unwrap();
    get(&orchestrator, &format!("{id}/outputs/errors.log"), &["--output-dir", "one"]).expect(0);
    for name in NODES {
        let of_node = into.path().join("one").join(name);
        assert!(read(of_node.join("outputs/errors.log")).starts_with(name));
        assert!(!of_node.join("stdout").exists());
    }
    let missing = get(&orchestrator, &format!("{id}/outputs/nothing"), &["--output-dir", "one"]);
    assert!(missing.expect(3).contains("no `outputs/nothing`"), "{}", missing.said());

    get(&orchestrator, &id, &["--output-dir", "one", "--raw"]).expect(0);
    let raw = fs::read_dir(into.path().join("one/raw")).unwrap();
    let names: Vec<_> = raw.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() == 3 && names.iter().all(|name| name.ends_with(".tar.gz")), "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("127.0.0.1_")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_16_one_result_lies_in_the_directory_itself_and_none_is_said_in_words() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, NODES[0], "ro");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = filter(&orchestrator).await.with("/Name", json!("errors"));
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &id).await;
    let into = tempfile::tempdir().unwrap();
    let got = orchestrator.command(&["job", "get", &id]).current_dir(into.path()).output().unwrap();
    super::harness::Ran::from(got).expect(0);
    let all = into.path().join(format!("job-{id}"));
    assert_eq!((read(all.join("exitCode")), read(all.join("stdout"))), ("0".into(), "0 lines\n".into()));
    assert_eq!(
        (read(all.join("stderr")), read(all.join("outputs/errors.log"))),
        (String::new(), String::new())
    );
    orchestrator.run(&["job", "get", "errors", "--output-dir", into.path().to_str().unwrap()]).expect(0);
    assert_eq!(read(into.path().join("exitCode")), "0", "by its name, where one wants it");

    let silent = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let id = client.submit(&silent.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &id).await;
    let nothing = orchestrator.run(&["job", "get", &id]);
    assert!(nothing.expect(0).contains("publishes none"), "{}", nothing.said());
    assert_eq!(orchestrator.run(&["job", "get", "no-such-job"]).code, Some(3));
}
