//! `skrei job run`.

use std::collections::BTreeMap;

use clap::Args;
use skrei_job::secret::Name;

use super::following::Following;
use crate::{
    cli::Globals, commands::client, error::Error, exit, given_secret::GivenSecret, job_file, terminal,
};

/// Submit a job and watch it to its end.
#[derive(Debug, Args)]
#[command(after_help = "Ctrl+C stops the watching, not the job.")]
pub(crate) struct Run {
    #[command(flatten)]
    file: job_file::Args,
    /// A secret that the job names, and where its value is: `@FILE`, `env:VARIABLE` or `@-`; repeatable
    #[arg(long = "secret", value_name = "NAME=SOURCE")]
    secrets: Vec<String>,
    /// Show the job as it would be submitted, and stop
    #[arg(long)]
    dry_run: bool,
    /// Submit even if the stored job of this name is the same
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    following: Following,
}

impl Run {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let secrets = self.secrets()?;
        let written = self.file.read()?;
        let checked = written.check()?;
        self.following.show_warnings(&checked.warnings);
        if self.dry_run {
            terminal::data(&written.rendered(false))?;
            return Ok(exit::SUCCESS);
        }
        let client = client(globals)?;
        let job = &checked.manifest;
        self.following.submit(&client, job, &checked.modules, self.force, &secrets).await
    }

    /// Values in base64, by name.
    fn secrets(&self) -> Result<BTreeMap<Name, String>, Error> {
        let mut stdin_taken_by = self.file.takes_stdin();
        let read = |written: &String| {
            let given = GivenSecret::read(written, &mut stdin_taken_by)?;
            Ok((given.name.clone(), given.base64()))
        };
        self.secrets.iter().map(read).collect()
    }
}
