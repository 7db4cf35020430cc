//! The program as a person meets it: what it prints where, and what it ends with. No server takes part here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod configuration;
mod help;
mod job_files;
mod refusals;
mod run;
mod skrei;
