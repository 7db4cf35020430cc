//! `skrei profile`.

mod list;
mod save;

use clap::Subcommand;

use crate::{
    cli::Globals,
    config::{self, Flags, profile::Chosen},
    error::Error,
};

/// Servers under names: where they are, whom to trust there, and what to show them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a profile, or change it
    Save(save::Save),
    /// All profiles
    List(list::List),
    /// One profile, secrets masked
    Show(list::Show),
    /// Make a profile the usual one
    Select(list::Select),
    /// Remove a profile
    Delete(list::Delete),
}

impl Command {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::Save(save) => save.run(globals),
            Self::List(list) => list.run(globals),
            Self::Show(show) => show.run(globals),
            Self::Select(select) => select.run(globals),
            Self::Delete(delete) => delete.run(globals),
        }
    }
}

/// The profiles there are, without any of them counting: a broken one must not keep anybody from mending it.
fn profiles(globals: &Globals) -> Result<config::profile::Profiles, Error> {
    let flags = Flags { profile: Chosen::None, ..globals.flags() };
    let (config, _) = config::load(&globals.arguments, flags)?;
    Ok(config::profile::Profiles::new(&config.data_dir))
}
