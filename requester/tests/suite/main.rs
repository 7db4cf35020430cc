//! The orchestrator from outside: its API through the real client, its node listener through a node made of words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod api;
mod authorities;
mod bad_archives;
mod connections;
mod conventions;
mod guard;
mod harness;
mod http;
mod identity;
mod jobs;
mod link;
mod lists;
mod openapi;
mod orders;
mod plan;
mod restart;
mod results;
mod sealed;
mod sealing;
mod secret_keys;
mod secrets;
mod standing;
mod story;
mod timeouts;
mod traps;
mod vectors;
