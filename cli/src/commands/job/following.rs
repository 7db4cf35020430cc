//! What happens after a job was read: it is submitted, and watched to its end.

use std::{collections::BTreeMap, io::IsTerminal as _, time::Duration};

use bytes::Bytes;
use clap::{ArgAction, Args, ValueEnum};
use skrei_job::{
    Manifest,
    life::JobState,
    secret::{Name, SealedByClient},
};
use skrei_protocol::{
    api::{
        execution::compute_state,
        job::{GetJobResponse, PutJobResponse},
    },
    client::{self, Client},
};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroize;

use super::leaving;
use crate::{
    error::Error,
    exit,
    follow::{self, Ended, Shown, outcomes},
    given_secret::GivenSecret,
    terminal::{self, style},
};

/// The closing table on a terminal has no more rows, unless as many went wrong.
const ROWS_MAX: usize = 40;

/// How a job is watched.
#[derive(Debug, Args)]
pub(crate) struct Following {
    /// Stay until the job has ended; with `--wait=false` print its id and return
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = true,
          default_missing_value = "true", action = ArgAction::Set)]
    wait: bool,
    /// Give up waiting after so long; 0 waits for ever
    #[arg(long, value_name = "SECS", default_value_t = 600)]
    wait_timeout_secs: u64,
    /// Print nothing but the job's id
    #[arg(long)]
    id_only: bool,
    /// Show what the guests write, not what happens
    #[arg(short = 'f', long = "follow")]
    guests: bool,
    /// After the table, show what each node's guest wrote
    #[arg(long)]
    node_details: bool,
    /// Do not show warnings
    #[arg(long)]
    hide_warnings: bool,
    /// End with 0 or 1 as the job did well or not, or with the guest's own exit code
    #[arg(long, value_name = "WHO", value_enum, default_value_t = ExitCodeFrom::Job)]
    exit_code_from: ExitCodeFrom,
    /// Older spelling of nothing: warnings are shown
    #[arg(long, hide = true)]
    show_warnings: bool,
    /// Older way to fetch results, which `job get` does
    #[arg(long, hide = true)]
    download: bool,
    /// Older: how long that may take
    #[arg(short = 'g', long, hide = true, value_name = "SECS")]
    gettimeout: Option<u64>,
}

/// Secrets that go with a job.
#[derive(Debug)]
pub(crate) enum Sending {
    /// As they were read.
    Secrets(Vec<GivenSecret>),
    /// Sealed to nodes.
    Sealed(BTreeMap<Name, SealedByClient>),
}

/// Submits a job with the values of its secrets, and lets go of them: the command may go on for as long as the job does.
async fn submit_with(
    client: &Client,
    manifest: &Manifest,
    force: bool,
    secrets: Vec<GivenSecret>,
) -> Result<PutJobResponse, client::Error> {
    let values = secrets.iter().map(|given| (given.name.clone(), given.base64()));
    let mut values: BTreeMap<Name, String> = values.collect();
    let submitted = client.submit_with(manifest, force, &values).await;
    values.values_mut().for_each(Zeroize::zeroize);
    submitted
}

/// Whose exit code the command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExitCodeFrom {
    /// 0 if the job completed on every node, else 1.
    Job,
    /// The largest of the guests', up to 125; 1 where one failed without.
    Guest,
}

impl Following {
    /// Shows warnings, if they are wanted.
    pub(super) fn warn(&self, warnings: &[String]) {
        if !self.hide_warnings {
            warnings.iter().for_each(|warning| terminal::warn(warning));
        }
    }

    /// Shows warnings, if they are wanted.
    pub(crate) fn show_warnings(&self, warnings: &[String]) {
        if self.show_warnings {
            terminal::warn("warnings are shown without --show-warnings; --hide-warnings hides them");
        }
        if self.download || self.gettimeout.is_some() {
            terminal::warn(
                "--download and --gettimeout are flags of older versions: once the job has ended, `skrei job get JOB` fetches \
                 what it left",
            );
        }
        self.warn(warnings);
    }

    /// Submits a job with its modules and secrets, and watches it as asked.
    ///
    /// # Errors
    /// The orchestrator does not take it, or it did not end well.
    pub(crate) async fn submit(
        &self,
        client: &Client,
        manifest: &Manifest,
        modules: &[Bytes],
        force: bool,
        sending: Sending,
    ) -> Result<u8, Error> {
        for module in modules {
            client.ensure_artifact(module.clone()).await?;
        }
        let submitted = match sending {
            Sending::Secrets(secrets) if secrets.is_empty() => client.submit(manifest, force).await?,
            Sending::Secrets(secrets) => submit_with(client, manifest, force, secrets).await?,
            Sending::Sealed(sealed) => client.submit_sealed(manifest, force, &sealed).await?,
        };
        self.warn(&submitted.warnings.unwrap_or_default());
        self.follow(client, &submitted.job_id).await
    }

    /// Watches a job that was submitted, as asked.
    ///
    /// # Errors
    /// It did not end well.
    pub(super) async fn follow(&self, client: &Client, id: &str) -> Result<u8, Error> {
        if self.id_only || !self.wait {
            terminal::data(id)?;
        }
        if !self.wait {
            if !self.id_only {
                terminal::note(&format!("Submitted.\n{}", come_back(id)));
            }
            return Ok(exit::SUCCESS);
        }
        self.watch(client, id).await
    }

    async fn watch(&self, client: &Client, id: &str) -> Result<u8, Error> {
        let shown = match (self.id_only, self.guests) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Logs,
            (false, false) => Shown::Events,
        };
        if shown != Shown::Nothing {
            terminal::note(&format!("Job {} submitted; Ctrl+C leaves it running.", style::stderr().bold(id)));
        }
        let limit = (self.wait_timeout_secs > 0).then(|| Duration::from_secs(self.wait_timeout_secs));
        let mut interrupts = signal(SignalKind::interrupt())
            .map_err(|error| Error::unavailable(format!("listen to Ctrl+C: {error}")))?;
        let ended = follow::until_ended(client, id, shown, limit, &mut interrupts);
        let ended = ended.await.map_err(|error| {
            let hint = format!("the job may go on; once the orchestrator is back:\n{}", come_back(id));
            error.hint(hint)
        })?;
        match ended {
            Ended::Terminal => {
                let answer = client.job(id, "executions").await?;
                if shown != Shown::Nothing {
                    self.show(&answer)?;
                }
                self.verdict(&answer)
            }
            Ended::TimedOut => Err(Error::new(
                exit::TIMEOUT,
                format!("job {id} has not ended after {} s; it goes on", self.wait_timeout_secs),
            )
            .hint(format!("--wait-timeout-secs 0 waits for ever; come back with\n{}", come_back(id)))),
            Ended::Interrupted => leaving::leave(client, id, &mut interrupts).await,
        }
    }

    fn show(&self, answer: &GetJobResponse) -> Result<(), Error> {
        let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
        if executions.is_empty() {
            return Ok(());
        }
        terminal::note("");
        let unlike = |state: u8| state != compute_state::COMPLETED;
        let is_long = executions.len() > ROWS_MAX && std::io::stdout().is_terminal();
        match is_long {
            // A person wants to see what went wrong, and not to scroll for it.
            true => {
                let (wrong, well): (Vec<_>, Vec<_>) = executions
                    .iter()
                    .cloned()
                    .partition(|execution| unlike(execution.compute_state.state_type));
                if !wrong.is_empty() {
                    outcomes::table(&wrong).show()?;
                }
                let id = &answer.job.id;
                terminal::note(&format!("{} completed: skrei job executions {id}", well.len()));
            }
            false => outcomes::table(executions).show()?,
        }
        if self.node_details {
            for (node, output) in outcomes::outputs(executions) {
                terminal::data(&format!("\n{}\n{}", style::stdout().bold(&node), output.trim_end()))?;
            }
        }
        Ok(())
    }

    /// 0 only if the job completed on every node.
    fn verdict(&self, answer: &GetJobResponse) -> Result<u8, Error> {
        let job = &answer.job;
        let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
        if job.state.state_type == JobState::Completed && outcomes::not_completed(executions) == 0 {
            if executions.iter().any(|execution| !execution.published_result.kind.is_empty()) {
                terminal::note(&format!("\n  skrei job get {}   fetches the results", job.id));
            }
            return Ok(exit::SUCCESS);
        }
        terminal::note("");
        let state = job.state.state_type.as_str().to_lowercase();
        let why = match outcomes::not_completed(executions) {
            // The table has said what each node has to say.
            0 if job.state.message.is_empty() => String::new(),
            0 => format!(": {}", job.state.message),
            1 => ": 1 node did not complete it".to_owned(),
            several => format!(": {several} nodes did not complete it"),
        };
        let mut hints = outcomes::hints(executions);
        hints.push(format!("`skrei job describe {}` shows what each node did and wrote", job.id));
        let code = match self.exit_code_from {
            ExitCodeFrom::Job => exit::JOB_FAILED,
            ExitCodeFrom::Guest => outcomes::guests_exit_code(executions),
        };
        Err(Error::new(code, format!("job {} {state}{why}", job.manifest.name)).hint(hints.join("\n")))
    }
}

/// Commands to come back to a job with.
pub(super) fn come_back(id: &str) -> String {
    format!("  skrei job describe {id}\n  skrei job logs -f {id}\n  skrei job stop {id}")
}
