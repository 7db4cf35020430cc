//! A guest has no network.

use skrei_runtime::{Ending, Sandbox};

use crate::grounds::run;

/// What a guest says comes of a connection, or of waiting for one.
fn said(arguments: &[&str]) -> String {
    let outcome = run(skrei_test_guests::p2::connect(), Sandbox::new().args(arguments.iter().copied()));
    assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.stderr);
    outcome.stdout.to_string()
}

#[test]
fn a_component_that_may_use_sockets_by_its_imports_may_not_by_its_sandbox() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    assert_eq!(said(&[&address]), "PermissionDenied\n");
    assert_eq!(said(&["listen", "127.0.0.1:0"]), "PermissionDenied\n");
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_name_is_not_looked_up_either() {
    let said = said(&["localhost:80"]);
    assert!(!said.contains("ok"), "{said}");
}
