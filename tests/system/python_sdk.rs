//! Bacalhau's own Python SDK, unchanged.

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
