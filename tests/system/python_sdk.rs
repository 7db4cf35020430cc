//! Bacalhau's own Python packages, unchanged: the SDK, and the generated client below it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::harness::{Node, Orchestrator, root};

/// What is tested against; the newest of November 2026.
const PACKAGES: [&str; 2] = ["bacalhau-sdk==1.4.2", "bacalhau-apiclient==1.4.1"];

/// A Python that has the SDK, kept in the target directory; or why there is none.
fn python() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-sdk");
    let python = home.join("bin/python");
    if run(Command::new(&python).args(["-c", "import bacalhau_sdk"])).is_err() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_submits_a_job_and_reads_its_story() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED: the Python SDK of Bacalhau cannot be had here: {why}"),
    };
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let module = directory.path().join("main.wasm");
    std::fs::write(&module, skrei_test_guests::noop()).unwrap();
    let said = run(Command::new(python)
        .arg(root().join("tests/system/python_sdk.py"))
        .arg(&module)
        .env("BACALHAU_DIR", directory.path())
        .env("BACALHAU_API_HOST", "127.0.0.1")
        .env("BACALHAU_API_PORT", orchestrator.api_port().to_string()));
    let saw: Value = serde_json::from_str(&said.unwrap()).unwrap();
    assert_eq!(saw["name"], "from-python");
    assert_eq!(saw["state"], "Completed", "{saw}");
    assert_eq!(saw["listed"], json!(["from-python"]));
    assert_eq!(saw["stdout"], json!(["hello\n"]));
    assert!(saw["history"].as_u64().is_some_and(|entries| entries > 3), "{saw}");
    assert_eq!(saw["results"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generated_python_client_makes_every_call_it_has() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED: the Python client of Bacalhau cannot be had here: {why}"),
    };
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let [module, sleeper] =
        [("echo", skrei_test_guests::env()), ("sleep", skrei_test_guests::sleep())].map(|(name, module)| {
            let path = directory.path().join(name);
            std::fs::write(&path, module).unwrap();
            path
        });
    let said = run(Command::new(python)
        .arg(root().join("tests/system/python_apiclient.py"))
        .arg(format!("http://127.0.0.1:{}", orchestrator.api_port()))
        .args([module, sleeper]))
    .unwrap();
    let saw: Value = serde_json::from_str(&said).unwrap();
    let id = saw["ids"][0].as_str().unwrap();
    assert!(id.starts_with("j-") && saw["ids"][1].as_str().map(str::len) == Some(36), "{saw}");
    assert_eq!(saw["state"], "Completed", "{saw}");
    let described = &saw["described"];
    assert_eq!(
        (&described["name"], &described["type"], &described["count"]),
        (&json!("done"), &json!("batch"), &json!(1))
    );
    assert_eq!((&described["engine"], &described["labels"]), (&json!("wasm"), &json!({"by": "python"})));
    assert_eq!(described["executions"], 1);
    assert_eq!(described["history"][0], "Submission");
    let execution = &saw["executions"][0];
    assert_eq!(
        (&execution["job"], &execution["node"], &execution["state"]),
        (&json!(id), &json!("worker"), &json!(9))
    );
    assert!(execution["stdout"].as_str().unwrap().contains("hello"), "{execution}");
    assert_eq!((&execution["stderr"], &execution["exit"]), (&json!(""), &json!(0)));
    let history = saw["history"].as_array().unwrap();
    assert_eq!((history.first(), history.last()), (Some(&json!("Job submitted")), Some(&json!("Completed"))));
    assert_eq!(saw["results"], json!([]));
    assert_eq!((&saw["again"]["status"], &saw["nothing"]["status"]), (&json!(409), &json!(404)));
    assert_eq!((&saw["wrong"]["status"], &saw["logs"]["status"]), (&json!(400), &json!(426)));
    assert!(saw["wrong"]["message"].as_str().unwrap().contains("cron"), "{saw}");
    assert_eq!(saw["stopped"].as_str().map(str::len), Some(36));
    assert_eq!(saw["stop"], json!(["Stopped", "enough of it"]));
    assert_eq!(saw["listed"], json!(["asleep", "done"]));
    assert_eq!(
        (&saw["nodes"], &saw["node"], &saw["rejected"]),
        (&json!(["worker"]), &json!("CONNECTED"), &json!([]))
    );
    assert!(saw["alive"].as_str().unwrap().contains("OK"), "{saw}");
    assert!(saw["version"].as_str().unwrap().starts_with('v'));
    assert_eq!(saw["agent"], json!(["Requester", "orchestrator"]));
    assert_eq!(saw["debug"], json!({}));
}
