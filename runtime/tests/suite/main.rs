//! What a guest can and cannot do, seen from inside a guest and checked on the host.
#![expect(clippy::unwrap_used, reason = "in a test, a failed step fails the test")]

mod channel;
mod component_limits;
mod component_network;
mod component_requests;
mod components;
mod deterministic;
mod engine_limits;
mod entry_point;
mod escape;
mod examples;
mod file_mount;
mod grounds;
mod host_functions;
mod input;
mod interfaces_of_modules;
mod kept_code;
mod limits;
mod linking;
mod listing;
mod load_errors;
mod manners;
mod memory_file;
mod mounts;
mod mounts_ro;
mod mounts_rw;
mod network;
mod network_model;
mod older_wasi;
mod outcome;
mod output;
mod ownership;
mod quota;
mod quota_model;
mod requests;
mod web;
