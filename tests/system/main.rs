//! What only the assembled system can show: the `skrei` binary as people run it, killed, cut off and misused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod harness;

mod access;
mod acme;
mod api_fuzz;
mod bacalhau;
mod bad_input;
mod canary;
mod command_lines;
mod crash;
mod crash_rounds;
mod cut_links;
mod demo;
mod deploy;
mod disk;
mod examples;
mod fleet;
mod flood;
mod https_guide;
mod live;
mod login;
mod logs;
mod nodes;
mod packaging;
mod programs;
mod python_runner;
mod python_sdk;
mod real_life;
mod results;
mod schemas;
mod sdk;
mod sealed;
mod secrets;
mod soak;
mod sslyze;
mod structure;
mod surface;
mod templates;
mod timeouts;
mod tls;
mod told;
mod transcripts;
mod ways;
