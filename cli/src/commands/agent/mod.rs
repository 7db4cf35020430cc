//! `skrei agent`: the server that commands talk to.

use clap::Subcommand;

use super::client;
use crate::{cli::Globals, error::Error, exit, terminal};

/// Look at the server that commands talk to.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Whether it answers
    Alive,
    /// What it was built as
    Version,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let line = match self {
            Self::Alive => format!("Status: {}", client.alive().await?.status),
            Self::Version => {
                let build = client.version().await?;
                format!("{} ({}, {}/{})", build.git_version, build.git_commit, build.os, build.arch)
            }
        };
        terminal::data(&line)?;
        Ok(exit::SUCCESS)
    }
}
