//! What a person sees on a terminal while a job goes on.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};
use skrei_job::life::JobState;
use tempfile::TempDir;

use super::{
    harness::{Node, Orchestrator, Terminal, wait_for_end},
    told::told_by,
};

/// Titles, cleared screens, and what pastes into the clipboard.
const ATTACK: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}]52;c;b3duZWQ=\u{7}\u{9b}2Jover\rwritten";

/// A job file for this module.
fn job_file(directory: &TempDir, name: &str, module: &[u8], more: &Value) -> PathBuf {
    let module_name = format!("{name}.wasm");
    fs::write(directory.path().join(&module_name), module).unwrap();
    let mut params = json!({"EntryModule": module_name});
    params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let job = json!({"Name": name, "Type": "ops", "Tasks": [{
        "Name": "main",
        "Engine": {"Type": "wasm", "Params": params},
        "Resources": {"CPU": "10m", "Memory": "16MB"},
    }]});
    let file = directory.path().join(format!("{name}.json"));
    fs::write(&file, job.to_string()).unwrap();
    file
}

fn job_run(orchestrator: &Orchestrator, file: &std::path::Path, columns: u16) -> Terminal {
    let mut command = orchestrator.command(&["job", "run"]);
    command.arg(file);
    Terminal::start(&command, columns, 24)
}

fn telling_half(sleep_millis: u64) -> Vec<u8> {
    told_by(&[r#"{"progress":{"fraction":0.5,"message":"half of \u001b[2Jit"}}"#], sleep_millis)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_seen_at_any_width_and_leaves_a_table() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["north", "south", "west"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(3).await;
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for columns in [40, 80, 200] {
            let (orchestrator, directory) = (&orchestrator, &directory);
            scope.spawn(move || {
                let file = job_file(directory, &format!("wide-{columns}"), &telling_half(4_000), &json!({}));
                let terminal = job_run(orchestrator, &file, columns);
                let seen = terminal.wait_for("the view", |screen| {
                    screen.contains("> 3 running") && screen.matches("50% half of").count() == 3
                });
                assert!(seen.contains(">>>") && seen.contains("0 of 3"), "{seen}");
                for line in seen.lines().skip_while(|line| !line.starts_with("wide-")) {
                    assert!(line.chars().count() < usize::from(columns), "{columns}: {line}");
                }
                let (code, left) = terminal.end();
                assert_eq!(code, 0, "{left}");
                assert!(["north", "south", "west"].iter().all(|node| left.contains(node)), "{left}");
                assert!(!left.contains("of 3"), "what stood there for the moment is gone: {left}");
            });
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_follows_the_size_of_the_terminal() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["north", "south"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let directory = tempfile::tempdir().unwrap();
    let file = job_file(&directory, "resized", &telling_half(6_000), &json!({}));
    let terminal = job_run(&orchestrator, &file, 40);
    let bar = |screen: &str| screen.lines().find(|line| line.contains("of 2")).map_or(0, str::len);
    terminal.wait_for("a short bar", |screen| (1..40).contains(&bar(screen)));
    terminal.resize(120, 24);
    let seen = terminal.wait_for("a long bar", |screen| bar(screen) > 60);
    assert_eq!(seen.matches("of 2").count(), 1, "the short one is gone: {seen}");
    let (code, left) = terminal.end();
    assert_eq!(code, 0, "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_writes_does_not_steer_the_terminal() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let arguments = json!({"Parameters": [ATTACK]});
    let file = job_file(&directory, "attack", skrei_test_guests::env(), &arguments);
    let watched = job_run(&orchestrator, &file, 80);
    watched.wait_for("its output", |screen| screen.contains("^[]0;owned^G"));
    let mut seen = watched.bytes();
    assert_eq!(watched.end().0, 0);
    for command in
        [&["job", "logs", "attack"][..], &["job", "describe", "attack"], &["job", "executions", "attack"]]
    {
        let terminal = Terminal::start(&orchestrator.command(command), 80, 50);
        terminal.wait_for("its end", |screen| screen.contains("owned") || screen.contains("Completed"));
        seen += &terminal.bytes();
        let (code, left) = terminal.end();
        assert_eq!(code, 0, "{command:?}: {left}");
    }
    for steering in ["\u{1b}[2J", "\u{1b}]", "\u{9b}", "\u{7}"] {
        assert!(!seen.contains(steering), "{steering:?} reached the terminal: {seen:?}");
    }
    // A program gets every byte.
    let piped = orchestrator.run(&["job", "logs", "attack"]);
    assert!(piped.stdout.contains(ATTACK), "{}", piped.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_job_running_and_a_second_one_offers_to_stop_it() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let file = job_file(&directory, "long", skrei_test_guests::sleep(), &json!({"Parameters": ["600000"]}));
    let client = orchestrator.client();
    let state = async || client.job("long", "").await.unwrap().job.state.state_type;

    let mut terminal = job_run(&orchestrator, &file, 80);
    terminal.wait_for("the view", |screen| screen.contains("running on worker"));
    terminal.press("\u{3}");
    let (code, left) = terminal.end();
    assert_eq!(code, 130, "{left}");
    for word in ["the job goes on", "skrei job logs -f", "skrei job stop", "Ctrl+C again"] {
        assert!(left.contains(word), "{word}: {left}");
    }
    assert_eq!(state().await, JobState::Running);

    let rerun = orchestrator.command(&["job", "rerun", "long"]);
    // On a machine that is busy, two seconds may pass before the second key is pressed.
    for _ in 0..3 {
        let mut terminal = Terminal::start(&rerun, 80, 24);
        terminal.wait_for("the view", |screen| screen.contains("running on worker"));
        terminal.press("\u{3}");
        terminal.wait_for("the offer", |screen| screen.contains("Ctrl+C again"));
        terminal.press("\u{3}");
        std::thread::sleep(std::time::Duration::from_millis(300));
        if terminal.screen().contains("[y/N]") {
            terminal.press("y\n");
        }
        terminal.end();
        if state().await != JobState::Running {
            break;
        }
    }
    assert_eq!(wait_for_end(&client, "long").await.job.state.state_type, JobState::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_gets_plain_lines_with_times() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let file = job_file(&directory, "piped", &telling_half(0), &json!({}));
    let ran = orchestrator.run(&["job", "run", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.said());
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{}", ran.said());
    let is_timed = |line: &&str| line.starts_with("20") && line.contains("T") && line.contains("Z e-");
    assert!(ran.stderr.lines().filter(is_timed).count() >= 2, "{}", ran.said());
    assert!(ran.stdout.starts_with("NODE"), "data is the table: {}", ran.said());
}

#[test]
fn ctrl_c_at_a_hidden_question_leaves_a_terminal_that_shows_what_is_typed() {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_skrei");
    command.args(["-c", &format!("trap : INT; '{program}' auth hash-password; echo ended $?; stty -a")]);
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/nonexistent");
    let mut terminal = Terminal::start(&command, 80, 24);
    terminal.wait_for("the question", |screen| screen.contains("assword"));
    terminal.press("hush\u{3}");
    terminal.wait_for("the end", |screen| screen.contains("ended 130"));
    let (_, left) = terminal.end();
    assert!(left.contains(" echo ") && !left.contains("hush"), "{left}");
}
