//! `skrei job run`.

use clap::Args;

use super::following::{Following, Sending};
use crate::{
    cli::Globals,
    commands::{client, config},
    error::Error,
    exit,
    given_secret::GivenSecret,
    job_file,
    sealing::NodeKeys,
    terminal,
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
    /// Seal the secrets to the nodes that match, here, so that the orchestrator never sees them. Nodes that come later wait
    /// until `skrei secret seal`
    #[arg(long, requires = "secrets")]
    seal_to_nodes: bool,
    #[command(flatten)]
    keys: NodeKeys,
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
        if self.keys.are_given() && !self.seal_to_nodes {
            return Err(Error::usage("--node-key is of use together with --seal-to-nodes alone"));
        }
        let secrets = GivenSecret::read_all(&self.secrets, self.file.takes_stdin())?;
        let written = self.file.read()?;
        let checked = written.check()?;
        self.following.show_warnings(&checked.warnings);
        if self.dry_run {
            terminal::data(&written.rendered(false))?;
            return Ok(exit::SUCCESS);
        }
        let client = client(globals)?;
        let sending = match self.seal_to_nodes {
            false => Sending::Secrets(secrets),
            true => {
                let sealed = self.keys.seal(&config(globals)?, &client, &checked.spec, &secrets).await?;
                drop(secrets);
                Sending::Sealed(sealed)
            }
        };
        self.following.submit(&client, &checked.manifest, &checked.modules, self.force, sending).await
    }
}
