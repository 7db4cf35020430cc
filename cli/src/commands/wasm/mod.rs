//! `skrei wasm`: a job of flags, for those who know Bacalhau's command.

mod constraints;
mod input;
mod run;
mod validate;

use clap::Subcommand;

use crate::{cli::Globals, error::Error};

/// Run one module on the fleet, without a job file.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Submit a module as a job, and watch it to its end
    Run(Box<run::Run>),
    /// Check that a module can run
    Validate(validate::Validate),
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::Run(run) => run.run(globals).await,
            Self::Validate(validate) => validate.run(),
        }
    }
}
