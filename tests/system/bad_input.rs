//! Bad input: one clear message that names the thing and the way out, a code that says so, nothing half done.

use std::{net::TcpListener, process::Stdio, time::Duration};

use super::harness::{JobFile, Node, Orchestrator, Ran, skrei};

/// Runs a job file of this text against an orchestrator that is not there: what is wrong must be found before.
fn job_run(text: &str) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("job.yaml");
    std::fs::write(&file, text).unwrap();
    Ran::to_end(skrei(["job", "run"]).arg(&file).args(["--api-port", "1"]))
}

const TASK: &str = "Type: ops\nTasks:\n  - Name: main\n    Engine:\n      Type: wasm\n      Params:\n";

#[test]
fn a_job_file_that_is_wrong_says_what_where_and_how_to_mend_it() {
    let nesting = "[".repeat(1_000_000);
    let bomb: String = (0..30)
        .map(|level| match level {
            0 => "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(),
            n => format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", ")),
        })
        .collect();
    let cases: &[(&str, String, &[&str])] = &[
        ("missing variable", "Name: '{{host}}'\nType: ops\n".to_owned(), &["host", "--template-vars"]),
        ("tab", "Name: x\n\tType: ops\n".to_owned(), &["2:1", "tab"]),
        ("duplicate key", "Name: x\nName: y\n".to_owned(), &["Name", "2:1"]),
        ("anchor bomb", bomb, &["a"]),
        ("nesting", nesting, &["levels"]),
        (
            "unknown field",
            format!("{TASK}        EntryModule: x.wasm\nConstraint: []\n"),
            &["Constraint", "Constraints"],
        ),
        ("missing module", format!("{TASK}        EntryModule: nowhere.wasm\n"), &["nowhere.wasm"]),
        (
            "docker",
            "Type: ops\nTasks:\n  - Name: main\n    Engine:\n      Type: docker\n".to_owned(),
            &["docker", "wasm"],
        ),
    ];
    for (what, text, words) in cases {
        let ran = job_run(text);
        assert!(!matches!(ran.code, Some(0 | 101) | None), "{what}: {}", ran.said());
        assert!(ran.stdout.is_empty(), "{what}: messages go to stderr: {}", ran.said());
        for word in *words {
            assert!(ran.stderr.contains(word), "{what} names `{word}`: {}", ran.said());
        }
        assert!(ran.stderr.len() < 8000, "{what}: one clear message, not {} bytes", ran.stderr.len());
    }
}

#[test]
fn a_module_that_cannot_run_is_refused_before_it_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let unknown_import = r#"(module (import "env" "surprise" (func)) (func (export "_start")))"#;
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("empty.wasm", b"", &["empty.wasm"]),
        ("elf.wasm", b"\x7fELF and more", &["elf.wasm"]),
        ("import.wasm", unknown_import.as_bytes(), &["import.wasm", "env", "surprise"]),
    ];
    for (name, content, words) in cases {
        std::fs::write(directory.path().join(name), content).unwrap();
        let file = directory.path().join("job.yaml");
        std::fs::write(&file, format!("{TASK}        EntryModule: {name}\n")).unwrap();
        let ran = Ran::to_end(skrei(["job", "run"]).arg(&file).args(["--api-port", "1"]));
        assert!(!matches!(ran.code, Some(0 | 101) | None), "{name}: {}", ran.said());
        for word in *words {
            assert!(ran.stderr.contains(word), "{name} names `{word}`: {}", ran.said());
        }
    }
}

#[test]
fn a_port_in_use_is_named_with_the_flag_to_choose_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = tempfile::tempdir().unwrap();
    let ran = Ran::to_end(
        skrei(["serve", "--orchestrator", "--api-port", &port, "--data-dir"])
            .arg(directory.path().join("data")),
    );
    assert!(!matches!(ran.code, Some(0 | 101) | None), "{}", ran.said());
    assert!(ran.said().contains(&port) && ran.said().contains("--api-port"), "{}", ran.said());
}

#[test]
fn a_data_directory_of_another_process_is_named_with_that_process() {
    let orchestrator = Orchestrator::start(&[]);
    let ran = Ran::to_end(
        skrei(["serve", "--orchestrator", "--api-port", "0", "-c", "Orchestrator.Port=0", "--data-dir"])
            .arg(orchestrator.data_dir()),
    );
    assert!(!matches!(ran.code, Some(0 | 101) | None), "{}", ran.said());
    let said = ran.said();
    assert!(said.contains("--data-dir") && said.contains("pid"), "{said}");
    assert!(said.contains(&orchestrator.data_dir().display().to_string()), "{said}");
}

#[test]
fn no_orchestrator_at_the_address_is_said_with_the_address() {
    let ran = Ran::to_end(&mut skrei(["job", "list", "--api-port", "1"]));
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert!(ran.stderr.contains("127.0.0.1:1") && ran.stderr.contains("skrei serve"), "{}", ran.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_disappears_while_somebody_waits_is_told_to_them() {
    let orchestrator = Orchestrator::start(&["Orchestrator.NodeManager.DisconnectTimeout=2s"]);
    let mut node = Node::start(&orchestrator, "fickle", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &["60000"]).await;
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(file.path(), serde_json::to_vec(&job.manifest()).unwrap()).unwrap();
    let mut command = orchestrator.command(&["job", "run"]);
    let waiting = command.arg(file.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;

    node.kill();
    let ran: Ran = tokio::task::spawn_blocking(|| waiting.wait_with_output().unwrap()).await.unwrap().into();
    let said = ran.expect(1);
    assert!(said.contains("fickle"), "{said}");
}
