//! Help, versions and mistakes on the command line.

use crate::skrei::Desk;

#[test]
fn without_a_command_the_nouns_are_listed() {
    let said = Desk::new().skrei(&[]);
    assert_eq!(said.code, 2);
    for noun in ["demo", "job", "node", "run", "serve", "devstack"] {
        assert!(said.stderr.contains(noun), "{said:?}");
    }
}

#[test]
fn help_is_data_and_success() {
    for words in [&["--help"][..], &["job", "run", "--help"], &["serve", "-h"]] {
        let said = Desk::new().skrei(words);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{words:?}");
        assert!(said.stdout.contains("Usage:"), "{words:?}");
    }
}

#[test]
fn a_slip_is_answered_with_the_nearest_word() {
    let said = Desk::new().skrei(&["job", "runn", "x"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("'run'"), "{said:?}");
}

#[test]
fn the_version_of_the_client_needs_no_server() {
    let said = Desk::new().skrei(&["version", "--client"]);
    assert_eq!((said.code, said.stdout.as_str()), (0, concat!("client  v", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn every_key_is_listed_with_its_origin() {
    let desk = Desk::new();
    desk.put(".skrei/config.yaml", "API: {Port: 99}\n");
    let said = desk.skrei(&["config", "list", "-c", "Orchestrator.Auth.Token=hush", "-c", "Compute.Enabled"]);
    assert_eq!(said.code, 0, "{said:?}");
    let line = |key: &str| {
        said.stdout.lines().find(|line| line.starts_with(key)).unwrap().split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(line("API.Port")[1], "99");
    assert!(line("API.Port")[2].ends_with(".skrei/config.yaml"));
    assert_eq!(line("Compute.Enabled")[1..], ["true", "-c"]);
    assert_eq!(line("Orchestrator.Auth.Token")[1], "********");
    assert!(!said.stdout.contains("hush"));
}
