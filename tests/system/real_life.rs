//! The story with everything around it real: certbot, an ACME authority, web servers and their watchers.

use std::process::Command;

use super::harness::{
    Ran, root,
    toolchains::{has, skipped},
};

#[test]
fn a_wildcard_certificate_reaches_five_web_servers_and_no_request_is_lost() {
    // Each ends at once and well when asked so.
    let needed = [("certbot", "--version"), ("nginx", "-v"), ("curl", "--version"), ("openssl", "version")];
    let there = |program: &str| Command::new(program).arg("-h").output().is_ok();
    if !needed.iter().all(|(program, argument)| has(program, argument))
        || !["pebble", "pebble-challtestsrv", "inotifywait"].iter().all(|program| there(program))
    {
        return skipped("a wildcard certificate", "certbot, pebble, nginx or inotifywait is not to be had");
    }
    let mut script = Command::new(root().join("examples/wildcard-certificate/run.sh"));
    let said = Ran::to_end(script.env("SKREI", env!("CARGO_BIN_EXE_skrei"))).expect(0);
    for name in ["web-1", "web-2", "web-3", "web-4", "web-5"] {
        assert!(said.contains(&format!("hello from {name}")), "{said}");
    }
    assert!(said.contains("requests during the change, 0 lost"), "{said}");
}
