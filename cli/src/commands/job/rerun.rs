//! `skrei job rerun`.

use clap::Args;
use skrei_protocol::api::job::RerunJobRequest;

use super::Which;
use crate::{cli::Globals, commands::client, error::Error, exit, terminal};

/// Run a job again as it is stored, as a new version.
#[derive(Debug, Args)]
pub(crate) struct Rerun {
    #[command(flatten)]
    which: Which,
    /// The version to run again [default: the latest]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    version: u64,
    /// Only what failed, was refused or given up in the latest version
    #[arg(long)]
    failed: bool,
    /// Only what the latest version never started: nodes that were away
    #[arg(long)]
    missed: bool,
}

impl Rerun {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let job = &self.which.job;
        let request = RerunJobRequest { job_version: self.version, failed: self.failed, missed: self.missed };
        let rerun = client(globals)?.rerun(job, &request).await?;
        terminal::note(&format!(
            "Job {job} runs again, as version {}.\n  skrei job logs -f {job}    what its guests write\n  \
             skrei job describe {job}   what each node did",
            rerun.job_version
        ));
        Ok(exit::SUCCESS)
    }
}
