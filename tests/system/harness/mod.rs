//! Starts orchestrators, nodes and commands, each a process of its own with a directory of its own.

mod devstack;
mod job;
mod moto;
mod pebble;
mod process;
mod server;
mod terminal;
pub(crate) mod toolchains;

pub(crate) use devstack::Devstack;
pub(crate) use job::{JobFile, wait_for_end};
pub(crate) use moto::Moto;
pub(crate) use pebble::{EXTERNAL_ACCOUNT, Pebble, Rules};
pub(crate) use process::{Ran, skrei};
pub(crate) use server::{Node, Orchestrator, free_port, wait_for_port};
pub(crate) use terminal::Terminal;

use std::{path::PathBuf, time::Duration};

/// How long anything may take before a test gives up: generous, since a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}
