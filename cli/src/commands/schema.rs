//! `skrei schema`.

use clap::{Args, ValueEnum};

use crate::{config, error::Error, exit, terminal};

/// The JSON Schema of a file, for editors and other programs that complete and check.
#[derive(Debug, Args)]
#[command(
    after_help = "For an editor with the YAML language server: write it into a file (`skrei schema job > job.schema.json`) and \
        begin a job file with `# yaml-language-server: $schema=job.schema.json`."
)]
pub(crate) struct Schema {
    /// Of which file
    #[arg(value_name = "FILE", value_enum)]
    file: File,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum File {
    /// A job file.
    Job,
    /// A configuration file.
    Config,
}

impl Schema {
    pub(super) fn run(&self) -> Result<u8, Error> {
        let schema = match self.file {
            File::Job => skrei_job::schema(),
            File::Config => config::schema(),
        };
        terminal::data(&format!("{schema:#}"))?;
        Ok(exit::SUCCESS)
    }
}
