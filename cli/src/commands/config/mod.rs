//! `skrei config`.

mod list;

use clap::Subcommand;

use crate::{cli::Globals, error::Error};

/// Look at the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every key, its value and where that came from
    List(list::List),
}

impl Command {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::List(list) => list.run(globals),
        }
    }
}
