//! Every way to an orchestrator: loopback, HTTPS with an authority of one's own, a profile, the environment, an API key. Any
//! command takes any of them.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::harness::{Node, Orchestrator, Ran, free_port, root, skrei};

/// Commands of every noun that asks a server.
const COMMANDS: &[&[&str]] = &[
    &["agent", "node"],
    &["agent", "alive"],
    &["agent", "version"],
    &["agent", "config"],
    &["job", "list"],
    &["node", "list"],
    &["secret", "list"],
    &["node", "token", "list"],
    &["auth", "whoami"],
    &["audit", "list"],
    &["version"],
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs all commands as `prepare` has them.
fn all(orchestrator: &str, home: &Path, prepare: impl Fn(&mut Command)) {
    for words in COMMANDS {
        let mut command = skrei(*words);
        command.env("HOME", home);
        prepare(&mut command);
        let ran = Ran::to_end(&mut command);
        assert_eq!(ran.code, Some(0), "{orchestrator}: {words:?}: {}", ran.said());
        assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty());
    }
}

/// A port that is taken answers before the key is made.
fn administrator_key(data_dir: &Path) -> String {
    let start = Instant::now();
    loop {
        match fs::read_to_string(data_dir.join("auth/admin.key")) {
            Ok(key) => return key.trim().to_owned(),
            Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn any_command_takes_any_way() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let plain = Orchestrator::start(&[]);
    let port = plain.api_port().to_string();
    all("loopback", home, |command| {
        command.args(["--api-port", &port]);
    });
    all("setting", home, |command| {
        command.args(["-c", &format!("API.Port={port}")]);
    });
    all("environment", home, |command| {
        command.env("SKREI_API_PORT", &port);
    });
    all("older environment", home, |command| {
        command.env("BACALHAU_API_PORT", &port);
    });

    let locked = Orchestrator::start_with(&["API.Auth.Mode=required"], &["--self-signed"]);
    let (data_dir, port) = (locked.data_dir(), locked.api_port().to_string());
    let ca = data_dir.join("tls/ca.pem");
    let key = administrator_key(&data_dir);
    all("private authority and key", home, |command| {
        command.args(["--api-port", &port, "--cacert", text(&ca)]).env("SKREI_API_KEY", &key);
    });
    all("key of this machine", home, |command| {
        command.args(["--api-port", &port, "--cacert", text(&ca), "--data-dir", text(&data_dir)]);
    });
    all("environment alone", home, |command| {
        command.env("SKREI_API_PORT", &port).env("SKREI_API_KEY", &key).env("SKREI_API_TLS_CAFILE", &ca);
    });

    let endpoint = format!("https://127.0.0.1:{port}");
    let mut save =
        skrei(["profile", "save", "fleet", "--endpoint", &endpoint, "--with-key", "--cacert", text(&ca)]);
    let typed = home.join("typed");
    fs::write(&typed, format!("{key}\n")).unwrap();
    Ran::to_end(save.env("HOME", home).stdin(fs::File::open(&typed).unwrap())).expect(0);
    all("profile by name", home, |command| {
        command.args(["--profile", "fleet"]);
    });
    all("profile of the environment", home, |command| {
        command.env("SKREI_PROFILE", "fleet");
    });
    Ran::to_end(skrei(["profile", "select", "fleet"]).env("HOME", home)).expect(0);
    all("selected profile", home, |_| ());
    let listed = Ran::to_end(skrei(["profile", "list"]).env("HOME", home));
    assert!(listed.stdout.contains(&endpoint) && listed.stdout.contains("key"), "{}", listed.said());

    // What it holds is nobody else's business, and never for another server.
    let profile = home.join(".skrei/profiles/fleet.yaml");
    assert_eq!(fs::metadata(&profile).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = Ran::to_end(skrei(["profile", "show", "fleet"]).env("HOME", home));
    assert!(!shown.expect(0).contains(&key), "{}", shown.said());
    let other = Ran::to_end(
        skrei(["job", "list", "--profile", "fleet", "--api-host", "localhost"]).env("HOME", home),
    );
    assert!(other.expect(2).contains("both say where the server is"), "{}", other.said());
    Ran::to_end(skrei(["profile", "delete", "fleet", "--force"]).env("HOME", home)).expect(0);
    assert!(!profile.exists());
}

#[test]
fn what_shows_who_is_calling_does_not_follow_to_another_server() {
    let (first, second) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (port, other) = (first.local_addr().unwrap().port(), second.local_addr().unwrap().port());
    let redirecting = std::thread::spawn(move || {
        let (mut connection, _) = first.accept().unwrap();
        let mut asked = [0; 4096];
        let _ = connection.read(&mut asked).unwrap();
        let answer = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost:{other}/steal\r\nContent-Length: 0\r\n\r\n"
        );
        connection.write_all(answer.as_bytes()).unwrap();
    });
    second.set_nonblocking(true).unwrap();
    let mut command = skrei(["job", "list", "--api-port", &port.to_string()]);
    let ran = Ran::to_end(command.env("SKREI_API_KEY", "hush"));
    redirecting.join().unwrap();
    let said = ran.expect(5);
    assert!(said.contains("sends callers on to") && said.contains(&other.to_string()), "{said}");
    assert!(second.accept().is_err(), "nobody called the other one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_runs_on_the_fleet_without_a_job_file() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["north", "south"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let directory = tempfile::tempdir().unwrap();
    let module = directory.path().join("env.wasm");
    fs::write(&module, skrei_test_guests::env()).unwrap();
    let module = text(&module);
    // What stands behind `--` is the guest's, also a port.
    let port = orchestrator.api_port().to_string();
    let run = |arguments: &[&str]| {
        let mut command = skrei([&["wasm", "run"], arguments].concat());
        Ran::to_end(command.env("SKREI_API_PORT", &port))
    };

    let ran = run(&[
        module,
        "--name",
        "plain",
        "--target",
        "all",
        "--env",
        "COLOUR=blue",
        "--memory",
        "16MB",
        "--cpu",
        "10m",
        "-l",
        "team=web",
        "--node-details",
        "--",
        "one",
        "--two",
    ]);
    let said = ran.expect(0);
    for expected in ["north", "south", "arg: one", "arg: --two"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(orchestrator.run(&["job", "list", "--labels", "team=web"]).expect(0).contains("plain"));
    let client = orchestrator.client();
    let job = client.job("plain", "").await.unwrap().job.manifest;
    assert_eq!((job.kind.as_str(), job.tasks[0].env["COLOUR"].as_str()), ("ops", "blue"));

    let picky = run(&[module, "--constraints", "name=north", "--id-only", "--count", "1"]);
    let id = picky.expect(0).trim().to_owned();
    let executions = client.executions(&id).await.unwrap().items;
    assert_eq!(executions.iter().map(|one| one.node_id.as_str()).collect::<Vec<_>>(), ["north"]);

    // What it prints is a job file, which does the same.
    let written = run(&[module, "--name", "written", "--dry-run"]);
    assert_eq!(written.code, Some(0), "{}", written.said());
    assert!(written.stdout.contains("Name: written"), "{}", written.said());

    for (arguments, code, words) in [
        (&["nothing.wasm"][..], 4, "nothing.wasm"),
        (&[module, "--env", "no value"], 2, "NAME=VALUE"),
        (&[module, "--constraints", "name=west"], 1, "name"),
        (&[module, "--network", "carrier-pigeon"], 4, "is not a type of network"),
    ] {
        let refused = run(arguments);
        assert_eq!(refused.code, Some(code), "{arguments:?}: {}", refused.said());
        assert!(refused.stderr.contains(words), "{arguments:?}: {}", refused.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_exit_code_is_met() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, module: &[u8], arguments: &str| {
        fs::write(directory.path().join(format!("{name}.wasm")), module).unwrap();
        let job = format!(
            "Name: {name}\nType: ops\nTasks: [{{Name: main, Engine: {{Type: wasm, Params: {{EntryModule: {name}.wasm, \
             Parameters: {arguments}}}}}}}]\n"
        );
        let path = directory.path().join(format!("{name}.yaml"));
        fs::write(&path, job).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let exits = file("exits", skrei_test_guests::exit(), "['5']");
    let traps = file("traps", skrei_test_guests::trap(), "[unreachable]");
    let sleeps = file("sleeps", skrei_test_guests::sleep(), "['600000']");
    let wrong = directory.path().join("wrong.yaml");
    fs::write(&wrong, "Typ: ops\n").unwrap();
    let nowhere = free_port().to_string();
    let taken = orchestrator.api_port().to_string();
    let cases: &[(i32, &[&str])] = &[
        (0, &["job", "list"]),
        (1, &["job", "run", &exits]),
        (5, &["job", "run", "--force", "--exit-code-from", "guest", &exits]),
        (1, &["job", "run", "--exit-code-from", "guest", &traps]),
        (2, &["job", "run", "--no-such-flag"]),
        (3, &["job", "describe", "nothing"]),
        (3, &["job", "run", "nothing.yaml"]),
        (4, &["job", "run", wrong.to_str().unwrap()]),
        (6, &["job", "run", "--wait-timeout-secs", "1", &sleeps]),
    ];
    for (code, words) in cases {
        let ran = orchestrator.run(words);
        assert_eq!(ran.code, Some(*code), "{words:?}: {}", ran.said());
    }
    let unreachable = Ran::to_end(&mut skrei(["job", "list", "--api-port", &nowhere]));
    assert_eq!(unreachable.code, Some(5), "{}", unreachable.said());
    let mut second = skrei(["serve", "--orchestrator", "--api-port", &taken, "-c", "Orchestrator.Port=0"]);
    let second = Ran::to_end(second.arg("--data-dir").arg(directory.path().join("data")));
    assert_eq!(second.code, Some(7), "{}", second.said());
    // All of them are in the reference, with no other.
    let page = fs::read_to_string(root().join("docs/reference/exit-codes.md")).unwrap();
    for (code, _) in cases {
        assert!(page.contains(&format!("| {code} |")), "{code}: {page}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let orchestrator = Orchestrator::start(&[]);
    let port = orchestrator.api_port();
    for command in ["config list", "job list", "node list", "schema job", "help", "completion bash"] {
        let line = format!(
            "set -o pipefail; '{}' {command} --api-port {port} | head -1 >/dev/null",
            skrei([""; 0]).get_program().to_str().unwrap()
        );
        let line = if command == "help" { line.replace(&format!(" --api-port {port}"), "") } else { line };
        let ran: Ran = Command::new("bash").args(["-c", &line]).output().unwrap().into();
        assert!(
            !ran.stderr.contains("panicked") && !ran.stderr.contains("error"),
            "{command}: {}",
            ran.said()
        );
        assert!(matches!(ran.code, Some(0)), "{command}: {}", ran.said());
    }
}
