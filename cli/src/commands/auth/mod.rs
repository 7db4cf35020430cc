//! `skrei auth`.

mod add;
mod hash;
mod info;
mod list;
mod sso;

use clap::Subcommand;

use crate::{cli::Globals, error::Error};

/// Say who may call an orchestrator, and who you are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let somebody in: makes a key, or takes a password
    Add(add::Add),
    /// Everybody who was let in, and what they may do
    List(list::List),
    /// Let somebody in no longer
    Revoke(list::Revoke),
    /// The hash of a password, for a configuration file
    HashPassword(hash::HashPassword),
    /// How the server asks who is calling, and what would be shown to it
    Info(info::Info),
    /// Who the server takes you for, and what you may do
    Whoami(info::WhoAmI),
    /// Log in at the server's identity provider
    #[command(subcommand)]
    Sso(sso::Command),
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::Add(add) => add.run(globals),
            Self::List(list) => list.run(globals),
            Self::Revoke(revoke) => revoke.run(globals),
            Self::HashPassword(hash) => hash.run(),
            Self::Info(info) => info.run(globals).await,
            Self::Whoami(who) => who.run(globals).await,
            Self::Sso(command) => command.run(globals).await,
        }
    }
}
