//! `skrei job validate`.

use clap::Args;

use crate::{error::Error, exit, job_file, terminal};

/// Check a job file and its module without submitting it.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    file: job_file::Args,
}

impl Validate {
    pub(super) fn run(self) -> Result<u8, Error> {
        let checked = self.file.read()?.check()?;
        for warning in &checked.warnings {
            terminal::warn(warning);
        }
        terminal::data("OK")?;
        Ok(exit::SUCCESS)
    }
}
