//! `skrei job`: submit, watch and stop.

mod describe;
mod diff;
mod executions;
pub(crate) mod following;
mod get;
mod history;
mod leaving;
mod list;
mod logs;
mod plan;
mod render;
mod rerun;
mod rollout;
mod run;
mod stop;
mod validate;
mod versions;

use clap::{Args, Subcommand};
use skrei_protocol::client::Client;

use crate::{cli::Globals, error::Error};

/// Submit, watch and stop jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Submit a job and watch it to its end
    Run(run::Run),
    /// Show a job file with its template variables filled in
    Render(render::Render),
    /// Check a job file and its module without submitting it
    Validate(validate::Validate),
    /// Show which nodes would run a job file now, with which host paths, and why each other would not
    Plan(plan::Plan),
    /// All jobs, the newest first
    List(list::List),
    /// What a job is, where it stands, and what each node did
    Describe(describe::Describe),
    /// A job's executions: one line per attempt on a node
    Executions(executions::Executions),
    /// Every version of a job, the first one first
    Versions(versions::Versions),
    /// Show what submitting a job file would change of the stored job of its name
    Diff(diff::Diff),
    /// Run a job again as it is stored, as a new version
    Rerun(rerun::Rerun),
    /// Everything that happened to a job, in order
    History(history::History),
    /// What a job's guest wrote to standard output and standard error
    Logs(logs::Logs),
    /// Fetch what a job's guests left: their output and their result paths
    Get(get::Get),
    /// See how far a job has come over its fleet; pause it, go on, or give the rest up
    #[command(subcommand)]
    Rollout(rollout::Command),
    /// Stop a job
    Stop(stop::Stop),
}

/// Which job is meant.
#[derive(Debug, Args)]
struct Which {
    /// Its name, its id, or the beginning of its id
    #[arg(value_name = "JOB")]
    job: String,
    /// Where the job's name counts [default: default]
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    namespace: String,
}

impl Which {
    /// What the orchestrator knows it by, whatever the namespace.
    ///
    /// # Errors
    /// There is no such job in this namespace.
    async fn resolve(&self, client: &Client) -> Result<String, Error> {
        match self.namespace.as_str() {
            "" => Ok(self.job.clone()),
            namespace => Ok(client.job_in(namespace, &self.job).await?.job.id),
        }
    }
}

/// Which version of a job.
#[derive(Debug, Args)]
struct Version {
    /// The version [default: the latest]
    #[arg(short = 'v', long = "version", value_name = "N", default_value_t = 0, hide_default_value = true)]
    number: u64,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::Run(run) => run.run(globals).await,
            Self::Render(render) => render.run(),
            Self::Validate(validate) => validate.run(),
            Self::Plan(plan) => plan.run(globals).await,
            Self::List(list) => list.run(globals).await,
            Self::Describe(describe) => describe.run(globals).await,
            Self::Executions(executions) => executions.run(globals).await,
            Self::Versions(versions) => versions.run(globals).await,
            Self::Diff(diff) => diff.run(globals).await,
            Self::Rerun(rerun) => rerun.run(globals).await,
            Self::History(history) => history.run(globals).await,
            Self::Logs(logs) => logs.run(globals).await,
            Self::Get(get) => get.run(globals).await,
            Self::Rollout(command) => command.run(globals).await,
            Self::Stop(stop) => stop.run(globals).await,
        }
    }
}
