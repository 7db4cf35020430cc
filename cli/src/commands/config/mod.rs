//! `skrei config`.

mod check;
mod explain;
mod list;
mod set;

use clap::Subcommand;

use crate::{cli::Globals, error::Error};

/// Look at the configuration, and change it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every key, its value and where that came from
    List(list::List),
    /// The value of one key
    Get(explain::Get),
    /// What a key is for, what it is set to and by whom
    Explain(explain::Explain),
    /// Write a key's value into the configuration file
    Set(set::Set),
    /// Take a key out of the configuration file
    Unset(set::Unset),
    /// Open the configuration file in an editor
    Edit(check::Edit),
    /// Check a configuration file
    Validate(check::Validate),
}

impl Command {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::List(list) => list.run(globals),
            Self::Get(get) => get.run(globals),
            Self::Explain(explain) => explain.run(globals),
            Self::Set(set) => set.run(globals),
            Self::Unset(unset) => unset.run(globals),
            Self::Edit(edit) => edit.run(globals),
            Self::Validate(validate) => validate.run(globals),
        }
    }
}
