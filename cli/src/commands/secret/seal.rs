//! `skrei secret seal`.

use clap::Args;
use skrei_protocol::api::job::HELD_BY;

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

/// Seal the secrets of a job that goes on to nodes that were not there when it was submitted with --seal-to-nodes.
#[derive(Debug, Args)]
#[command(
    after_help = "The job file and its variables are those that the job was submitted with: secrets are sealed for this job \
    and no other."
)]
pub(crate) struct Seal {
    #[command(flatten)]
    file: job_file::Args,
    /// A secret that the job names, and where its value is: `@FILE`, `env:VARIABLE` or `@-`; repeatable
    #[arg(long = "secret", value_name = "NAME=SOURCE", required = true)]
    secrets: Vec<String>,
    #[command(flatten)]
    keys: NodeKeys,
}

impl Seal {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let secrets = GivenSecret::read_all(&self.secrets, self.file.takes_stdin())?;
        let checked = self.file.read()?.check()?;
        let (config, client) = (config(globals)?, client(globals)?);
        let name = checked.spec.name();
        let mut stored = client.job_in(&checked.manifest.namespace, name).await?.job;
        // Answers say in it besides who holds the job.
        for key in HELD_BY {
            match checked.manifest.meta.get(key) {
                Some(own) => stored.manifest.meta.insert(key.to_owned(), own.clone()),
                None => stored.manifest.meta.remove(key),
            };
        }
        // And a number for those that are one on every node.
        if checked.manifest.count.is_none() {
            stored.manifest.count = stored.manifest.count.filter(|count| *count != 0);
        }
        if stored.manifest != checked.manifest {
            return Err(Error::refused(format!("job `{name}` was submitted otherwise than this file says"))
                .hint("`skrei job diff` shows what differs; give the file and variables that it was submitted with"));
        }
        let sealed = self.keys.seal(&config, &client, &checked.spec, &secrets).await?;
        let answer = client.seal(&stored.id, &sealed).await?;
        terminal::note(&format!(
            "Version {} of job {name} has them; nodes that waited go on.",
            answer.job_version
        ));
        Ok(exit::SUCCESS)
    }
}
