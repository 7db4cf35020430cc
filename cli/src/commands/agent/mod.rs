//! `skrei agent`: the server that commands talk to.

use clap::{Args, Subcommand};
use serde::Serialize;
use skrei_protocol::version::BuildInfo;

use super::client;
use crate::{
    cli::Globals,
    error::Error,
    exit,
    terminal::{self, format::ItemFormat},
};

/// Look at the server that commands talk to.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Whether it answers
    Alive(Shown),
    /// How it is configured, secrets masked
    Config(Shown),
    /// What it says of itself: id, labels, version
    Node(Shown),
    /// What it was built as
    Version(Shown),
}

/// How the answer is shown.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    #[command(flatten)]
    format: ItemFormat,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        match self {
            Self::Alive(shown) => shown.show(&client.alive().await?)?,
            Self::Config(shown) => shown.show(&client.agent_config().await?)?,
            Self::Node(shown) => shown.show(&client.agent_node().await?)?,
            Self::Version(shown) => shown.show_version(&client.version().await?)?,
        }
        Ok(exit::SUCCESS)
    }
}

impl Shown {
    fn show(&self, answer: &impl Serialize) -> Result<(), Error> {
        Ok(terminal::data(&self.format.document_or_yaml(answer)?)?)
    }

    fn show_version(&self, build: &BuildInfo) -> Result<(), Error> {
        let line = || format!("{} ({}, {}/{})", build.git_version, build.git_commit, build.os, build.arch);
        Ok(terminal::data(&self.format.document(build)?.unwrap_or_else(line))?)
    }
}
