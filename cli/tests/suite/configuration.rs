//! `skrei config`: looking at settings and changing them.

use crate::skrei::{Desk, Said};

fn config(desk: &Desk, words: &[&str]) -> Said {
    let words: Vec<_> = ["config"].iter().chain(words).copied().collect();
    desk.skrei(&words)
}

#[test]
fn a_key_is_set_looked_at_explained_and_taken_out_again() {
    let desk = Desk::new();
    let said =
        config(&desk, &["set", "Compute.AllowListedLocalPaths=/srv/{a,b}:rw,/etc/ssl", "api.port=4000"]);
    assert_eq!(said.code, 0, "{said:?}");
    let file = desk.path().join(".skrei/config.yaml");
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        written,
        "Compute:\n  AllowListedLocalPaths:\n    - /srv/{a,b}:rw\n    - /etc/ssl\nAPI:\n  Port: 4000\n"
    );
    assert_eq!(config(&desk, &["get", "API.Port"]).transcript(), "4000\n[exit code 0]");
    let said = config(&desk, &["explain", "API.Port"]);
    for part in ["API.Port", "4000  (from ", "config.yaml)", "1234", "SKREI_API_PORT"] {
        assert!(said.stdout.contains(part), "{part}: {said:?}");
    }
    assert_eq!(config(&desk, &["unset", "API.Port"]).code, 0);
    assert_eq!(config(&desk, &["get", "API.Port"]).stdout, "1234\n");
}

#[test]
fn a_file_with_a_token_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    assert_eq!(config(&desk, &["set", "Compute.Auth.Token=s3cret"]).code, 0);
    let mode = std::fs::metadata(desk.path().join(".skrei/config.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for words in [
        &["list"][..],
        &["get", "Compute.Auth.Token"],
        &["explain", "Compute.Auth.Token"],
        &["list", "--output", "json"],
    ] {
        let said = config(&desk, words);
        assert!(!said.transcript().contains("s3cret") && said.stdout.contains("********"), "{said:?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_at_once_and_nothing_is_changed() {
    let desk = Desk::new();
    desk.put("c.yaml", "API:\n  Port: many\n  Prot: 1\n");
    let said = config(&desk, &["validate", "c.yaml"]);
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{said:?}");
    for part in ["c.yaml:2:9", "c.yaml:3:3", "API.Port"] {
        assert!(said.stderr.contains(part), "{part}: {said:?}");
    }
    assert_eq!(config(&desk, &["-c", "c.yaml", "set", "API.Host=a"]).code, 2);
    assert_eq!(
        std::fs::read_to_string(desk.path().join("c.yaml")).unwrap(),
        "API:\n  Port: many\n  Prot: 1\n"
    );
    let said = config(&desk, &["set", "API.Prot=1"]);
    assert!(said.code == 2 && said.stderr.contains("hint: did you mean `API.Port`?"), "{said:?}");
    assert!(!desk.path().join(".skrei").exists());
}

#[test]
fn an_editor_that_leaves_nonsense_behind_changes_nothing() {
    let desk = Desk::new();
    let edit = |script: &str| {
        let editor = desk.put("editor", format!("#!/bin/sh\n{script}\n"));
        std::process::Command::new("chmod").arg("+x").arg(&editor).status().unwrap();
        let output =
            desk.command(&["config", "edit"]).env_remove("VISUAL").env("EDITOR", &editor).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let file = desk.path().join(".skrei/config.yaml");
    assert_eq!(edit("echo 'Labels: {zone: eu}' > $1").0, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Labels: {zone: eu}\n");
    let (code, said) = edit("echo 'Lables: {zone: eu}' > $1");
    assert!(code == 2 && said.contains("`Labels`") && said.contains("left as it was"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Labels: {zone: eu}\n");
    let (code, said) = edit("exit 1");
    assert!(code == 2 && said.contains("nothing was changed"), "{said}");
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = Desk::new().skrei(&["completion", shell]);
        assert!(said.code == 0 && said.stdout.contains("devstack"), "{shell}: {said:?}");
    }
}

#[test]
fn a_list_comes_in_every_form() {
    let desk = Desk::new();
    let head = |words: &[&str]| config(&desk, words).stdout.lines().next().unwrap_or_default().to_owned();
    assert!(head(&["list"]).starts_with("KEY "));
    assert!(head(&["list", "--hide-header"]).starts_with("DataDir "));
    assert_eq!(head(&["list", "--output", "csv"]), "key,value,from");
    assert!(head(&["list", "--output", "json"]).starts_with("{\"API\":{"));
    assert!(head(&["list", "--output", "yaml"]).starts_with("API:"));
}

#[test]
fn a_key_in_a_file_is_for_the_server_of_that_file() {
    let desk = Desk::new();
    desk.put(".skrei/config.yaml", "API: {Host: one.example, Key: hush}\n");
    let key = |words: &[&str]| desk.skrei(&[&["config", "get", "API.Key"], words].concat());
    assert_eq!(key(&[]).stdout, "********\n");
    assert_eq!(key(&["--api-host", "one.example", "--api-port", "9"]).stdout, "********\n");
    let other = key(&["--api-host", "two.example"]);
    assert_eq!(other.stdout, "\n", "{other:?}");
    assert!(other.stderr.contains("is for one.example"), "{other:?}");
    // Where a server listens says nothing of who is called.
    desk.put(".skrei/config.yaml", "API: {Host: 0.0.0.0, Key: hush}\n");
    assert_eq!(key(&["--api-host", "127.0.0.1"]).stdout, "********\n");
}
