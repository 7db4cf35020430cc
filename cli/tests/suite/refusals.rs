//! What is refused, in the words a person reads.

use skrei_test_guests as guests;

use crate::skrei::Desk;

/// The whole text a job file is answered with.
fn answer(job: &str, words: &[&str]) -> String {
    let desk = Desk::new();
    desk.put("main.wasm", guests::noop());
    desk.put("job.yaml", job);
    let words: Vec<_> = ["job", "validate", "job.yaml"].iter().chain(words).copied().collect();
    let said = desk.skrei(&words);
    assert_eq!((said.code, said.stdout.as_str()), (4, ""), "{said:?}");
    said.stderr
}

#[test]
fn a_missing_variable_is_named_with_the_known_ones() {
    insta::assert_snapshot!(answer("Name: {{nmae}}\n", &["-V", "name=x"]));
}

#[test]
fn a_comma_list_of_variables_is_recognised() {
    insta::assert_snapshot!(answer("Name: {{b}}\n", &["-V", "a=1,b=2"]));
}

#[test]
fn docker_is_answered_with_what_to_do() {
    insta::assert_snapshot!(answer(
        "Type: ops\nTasks:\n  - Name: main\n    Engine:\n      Type: docker\n      Params:\n        Image: nginx\n",
        &[]
    ));
}

#[test]
fn a_tab_is_shown_where_it_is() {
    insta::assert_snapshot!(answer("Type: ops\nTasks:\n\t- Name: main\n", &[]));
}

#[test]
fn a_key_that_comes_twice_is_shown() {
    insta::assert_snapshot!(answer("Type: ops\nName: a\nType: batch\n", &[]));
}

#[test]
fn an_anchor_bomb_and_deep_nesting_are_refused_at_once() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in
        ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        let items = vec![format!("*{of}"); 10].join(", ");
        bomb.push_str(&format!("{name}: &{name} [{items}]\n"));
    }
    let started = std::time::Instant::now();
    assert!(answer(&bomb, &[]).starts_with("error: job.yaml:"));
    let deep = answer(&"[".repeat(100 << 20), &[]);
    assert!(deep.starts_with("error: job.yaml: "), "{}", &deep[..200]);
    assert!(deep.len() < 1000);
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn a_job_file_that_is_not_there_is_named() {
    let said = Desk::new().skrei(&["job", "run", "none.yaml"]);
    assert_eq!(said.transcript(), "error: job file `none.yaml` does not exist\n[exit code 3]");
}

#[test]
fn no_orchestrator_at_the_address_is_said_with_the_way_out() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let said = Desk::new().skrei(&["node", "list", "--api-port", &port]);
    assert_eq!((said.code, said.stdout.as_str()), (5, ""), "{said:?}");
    assert!(
        said.stderr.contains(&format!("no answer from the orchestrator at http://127.0.0.1:{port}")),
        "{said:?}"
    );
    assert!(said.stderr.contains("\n\nhint: ") && said.stderr.contains("--api-port"), "{said:?}");
}

#[test]
fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = Desk::new().skrei(&["serve", "--orchestrator", "--api-port", &port]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(said.stderr.contains(&format!("port {port} of 127.0.0.1, for the API, is in use")), "{said:?}");
    assert!(said.stderr.contains("--api-port PORT"), "{said:?}");
    let setting = format!("Orchestrator.Port={port}");
    let said = Desk::new().skrei(&["serve", "--orchestrator", "--api-port", "0", "-c", &setting]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(said.stderr.contains("-c Orchestrator.Port=PORT"), "{said:?}");
}

#[test]
fn a_data_directory_of_another_process_is_left_alone() {
    let desk = Desk::new();
    let lock = desk.put("data/lock", std::process::id().to_string());
    let lock = std::fs::File::open(lock).unwrap();
    lock.lock().unwrap();
    let said = desk.skrei(&["serve", "--orchestrator", "--data-dir", "data"]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(
        said.stderr.contains(&format!("in use by another process (pid {})", std::process::id())),
        "{said:?}"
    );
    assert!(said.stderr.contains("--data-dir"), "{said:?}");
}

#[test]
fn an_allow_list_that_cannot_be_understood_stops_the_node() {
    let said =
        Desk::new().skrei(&["serve", "--compute", "-c", "Compute.AllowListedLocalPaths=relative/path"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.stderr.contains("Compute.AllowListedLocalPaths") && said.stderr.contains("relative/path"),
        "{said:?}"
    );
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    let said = Desk::new().skrei(&["serve", "-c", "Compute.AllowListedPaths=/x"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("did you mean `Compute.AllowListedLocalPaths`?"), "{said:?}");
}

#[test]
fn commands_of_bacalhau_are_answered_with_the_ones_to_type() {
    for (words, cause, hint) in [
        (&["create", "job.yaml"][..], "`skrei create` has another name", "type `skrei job run FILE`"),
        (&["docker", "run", "ubuntu"], "there is no container engine here", "wasm32-wasip1"),
        (&["id"], "another name", "skrei agent node"),
        (&["jbo", "list"], "there is no command `jbo`", "did you mean `skrei job`?"),
        (&["nonsense"], "there is no command `nonsense`", "skrei help"),
    ] {
        let said = Desk::new().skrei(words);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
        let (error, way_out) = said.stderr.split_once("\n\nhint: ").unwrap_or_else(|| panic!("{said:?}"));
        assert!(error.contains(cause) && way_out.contains(hint), "{said:?}");
    }
}

#[test]
fn flags_of_older_versions_are_understood_and_answered_with_the_new_ones() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = Desk::new().skrei(&["serve", "--node-type=requester", "--host", "127.0.0.1", "--port", &port]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(
        said.stderr.contains("--node-type is a flag of older versions: write --orchestrator"),
        "{said:?}"
    );
    assert!(said.stderr.contains(&format!("write -c API.Port={port}")), "{said:?}");
    assert!(said.stderr.contains(&format!("port {port} of 127.0.0.1, for the API, is in use")), "{said:?}");
}
