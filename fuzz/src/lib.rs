//! What is fuzzed: each function takes any bytes, and panics if something is wrong.
//!
//! `just fuzz` runs them with cargo-fuzz; `compute/tests/suite/fuzzed.rs` runs them over the corpora and some bytes of
//! its own in every test run.

#[path = "targets.rs"]
mod targets;

pub use targets::{allow_list, modules, network};
