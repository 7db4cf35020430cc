//! The API against its own description: `schemathesis` makes requests from the OpenAPI document, good and bad, and
//! checks each answer against it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use super::harness::{JobFile, Node, Orchestrator, root, wait_for_end};

/// The newest of November 2026.
const PACKAGE: &str = "schemathesis==4.32.5";

/// Requests for each operation in a run of the tests; `SKREI_FUZZ_EXAMPLES` says otherwise.
const EXAMPLES: &str = "15";

/// The program, kept in the target directory; or why there is none.
fn schemathesis() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let program = home.join("bin/schemathesis");
    if run(Command::new(&program).arg("--version")).is_err() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(Command::new(home.join("bin/python")).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    }
    Ok(program)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(said) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_what_the_document_says() {
    let program = match schemathesis() {
        Ok(program) => program,
        Err(why) => return eprintln!("SKIPPED: schemathesis cannot be had here: {why}"),
    };
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    // Something to read: a job that is done and one that cannot be.
    let job = JobFile::new(&client, "ops", skrei_test_guests::echo(), &["a"]).await;
    let named = job.clone().with("/Name", json!("0")).with("/Labels", json!({"a": "b"}));
    let done = client.submit(&named.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &done).await;
    client
        .submit(&job.with("/Constraints", json!([{"Key": "a", "Operator": "exists"}])).manifest(), false)
        .await
        .unwrap();

    let examples = std::env::var("SKREI_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let directory = tempfile::tempdir().unwrap();
    let found = run(Command::new(program)
        .arg("--config-file")
        .arg(root().join("tests/system/schemathesis.toml"))
        .args([
            "run",
            "--checks",
            "all",
            "--max-examples",
            &examples,
            "--no-shrink",
            "--request-timeout",
            "60",
        ])
        .args(["--seed", "1", "--warnings", "off"])
        .arg(format!("http://127.0.0.1:{}/api/v1/openapi.json", orchestrator.api_port()))
        .env("NO_COLOR", "1")
        .current_dir(directory.path()));
    if let Err(found) = found {
        panic!("{found}\n--- the orchestrator said\n{}", orchestrator.log());
    }
}
