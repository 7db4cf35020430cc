//! A node as its owner and its orchestrator see it, in one binary so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod admission;
mod allow_list;
mod buckets;
mod cluster;
mod executions;
mod files;
mod fuzzed;
mod grants;
mod inputs;
mod joining;
mod journal;
mod link;
mod listener;
mod network;
mod probes;
mod results;
mod secrets;
mod support;
