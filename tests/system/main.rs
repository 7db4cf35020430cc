//! What only the assembled system can show: the `skrei` binary as people run it, killed, cut off and misused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod harness;

mod acme;
mod bad_input;
mod crash;
mod demo;
mod deploy;
mod fleet;
mod logs;
mod packaging;
mod python_sdk;
mod results;
mod structure;
mod surface;
mod tls;
