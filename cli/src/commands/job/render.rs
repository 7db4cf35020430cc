//! `skrei job render`.

use clap::Args;

use crate::{error::Error, exit, job_file, terminal};

/// Show a job file with its template variables filled in.
#[derive(Debug, Args)]
pub(crate) struct Render {
    #[command(flatten)]
    file: job_file::Args,
    /// Show private keys too
    #[arg(long)]
    show_secrets: bool,
}

impl Render {
    pub(super) fn run(self) -> Result<u8, Error> {
        let written = self.file.read()?;
        terminal::data(&written.rendered(self.show_secrets))?;
        Ok(exit::SUCCESS)
    }
}
