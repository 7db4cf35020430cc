//! `skrei secret`: secrets that jobs may have by name.

mod list;
mod node_key;
mod remove;
mod rotate;
mod rotate_key;
mod seal;
mod set;

use clap::{Args, Subcommand};

use crate::{cli::Globals, error::Error};

/// Keep secrets that jobs may have by name.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keep a secret, and say which jobs and nodes may have it
    Set(set::Set),
    /// All secrets of a namespace: who may have them, and when they were set
    List(list::List),
    /// Give a secret another value; who may have it stays
    Rotate(rotate::Rotate),
    /// Remove a secret; no job gets it any more
    Remove(remove::Remove),
    /// Lock everything the orchestrator keeps with a new key, while jobs run
    RotateKey(rotate_key::RotateKey),
    /// Seal the secrets of a job that goes on to nodes that have come since
    Seal(seal::Seal),
    /// Print the key that secrets for the node of this machine are sealed to
    NodeKey(node_key::NodeKey),
}

/// Where a secret's name counts.
#[derive(Debug, Args)]
struct Where {
    /// The namespace of the jobs that may have it
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::Set(set) => set.run(globals).await,
            Self::List(list) => list.run(globals).await,
            Self::Rotate(rotate) => rotate.run(globals).await,
            Self::Remove(remove) => remove.run(globals).await,
            Self::RotateKey(rotate) => rotate.run(globals).await,
            Self::Seal(seal) => seal.run(globals).await,
            Self::NodeKey(key) => key.run(globals),
        }
    }
}
