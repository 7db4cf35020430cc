//! `skrei node`: the fleet.

mod describe;
mod list;

use clap::Subcommand;

use crate::{cli::Globals, error::Error};

/// Look at the fleet.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All nodes, with what they have to give
    List(list::List),
    /// Everything known of one node
    Describe(describe::Describe),
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::List(list) => list.run(globals).await,
            Self::Describe(describe) => describe.run(globals).await,
        }
    }
}
