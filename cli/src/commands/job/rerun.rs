//! `skrei job rerun`.

use clap::Args;
use skrei_protocol::api::job::RerunJobRequest;

use super::{Version, Which, following::Following};
use crate::{cli::Globals, commands::client, error::Error, terminal};

/// Run a job again as it is stored, as a new version, and watch it to its end.
#[derive(Debug, Args)]
pub(crate) struct Rerun {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    version: Version,
    /// Only what failed, was refused or given up in the latest version
    #[arg(long)]
    failed: bool,
    /// Only what the latest version never started: nodes that were away
    #[arg(long)]
    missed: bool,
    #[command(flatten)]
    following: Following,
}

impl Rerun {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let job = self.which.resolve(&client).await?;
        let (failed, missed) = (self.failed, self.missed);
        let request = RerunJobRequest { job_version: self.version.number, failed, missed };
        let rerun = client.rerun(&job, &request).await?;
        terminal::note(&format!("Job {job} runs again, as version {}.", rerun.job_version));
        let id = client.job(&job, "").await?.job.id;
        self.following.follow(&client, &id).await
    }
}
