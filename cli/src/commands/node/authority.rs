//! `skrei node authority`: who vouches for the orchestrator to its nodes, and for them.

use clap::{Args, Subcommand};

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{self, format::ItemFormat},
};

/// Who vouches for the orchestrator to its nodes, and for them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Its fingerprint; while another is believed beside it, also which nodes still need that
    Show(Show),
    /// Put another in its place; nodes get a certificate of it by themselves, and both are believed meanwhile
    Rotate(Change),
    /// Believe the one before no longer, whoever still needs it
    Drop(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    format: ItemFormat,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The one before is dropped by itself when every node has a certificate of the new one, after a day at the \
    earliest: tokens made before name it. Nodes that are away get theirs when they come."
)]
pub(crate) struct Change {
    #[command(flatten)]
    format: ItemFormat,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let (authority, format) = match self {
            Self::Show(Show { format }) => (client.node_authority().await?, format),
            Self::Rotate(Change { format }) => (client.change_node_authority("rotate").await?, format),
            Self::Drop(Change { format }) => (client.change_node_authority("drop").await?, format),
        };
        terminal::data(&format.document_or_yaml(&authority)?)?;
        Ok(exit::SUCCESS)
    }
}
