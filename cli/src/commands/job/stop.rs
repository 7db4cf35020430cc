//! `skrei job stop`.

use clap::Args;

use super::Which;
use crate::{cli::Globals, commands::client, error::Error, exit, terminal};

/// Stop a job.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    which: Which,
    /// Say nothing
    #[arg(long)]
    quiet: bool,
    /// Shown as the job's message
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Stop {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let job = &self.which.job;
        let client = client(globals)?;
        let stopped = client.stop(&self.which.resolve(&client).await?, self.reason).await?;
        if !self.quiet {
            terminal::note(&match stopped.evaluation_id.as_str() {
                "" => format!("Job {job} had stopped already."),
                _ => format!("Job {job} is being stopped.\n  skrei job describe {job}    what each node did"),
            });
        }
        Ok(exit::SUCCESS)
    }
}
