//! What happens after a job was read: it is submitted, and watched to its end.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use clap::{ArgAction, Args, ValueEnum};
use skrei_job::{Manifest, life::JobState, secret::Name};
use skrei_protocol::{api::job::GetJobResponse, client::Client};

use crate::{
    error::Error,
    exit,
    follow::{self, Ended, View, outcomes},
    terminal::{self, style},
};

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
    #[arg(short, long)]
    follow: bool,
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
        self.warn(warnings);
    }

    /// Submits a job with its modules and secrets (base64, by name), and watches it as asked.
    ///
    /// # Errors
    /// The orchestrator does not take it, or it did not end well.
    pub(crate) async fn submit(
        &self,
        client: &Client,
        manifest: &Manifest,
        modules: &[Bytes],
        force: bool,
        secrets: &BTreeMap<Name, String>,
    ) -> Result<u8, Error> {
        for module in modules {
            client.ensure_artifact(module.clone()).await?;
        }
        let submitted = match secrets.is_empty() {
            true => client.submit(manifest, force).await?,
            false => client.submit_with(manifest, force, secrets).await?,
        };
        self.warn(&submitted.warnings.unwrap_or_default());
        let id = &submitted.job_id;
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
        let view = match (self.id_only, self.follow) {
            (true, _) => View::Silent,
            (false, true) => View::Logs,
            (false, false) => View::Events,
        };
        if view != View::Silent {
            terminal::note(&format!("Job {} submitted; Ctrl+C leaves it running.", style::stderr().bold(id)));
        }
        let limit = (self.wait_timeout_secs > 0).then(|| Duration::from_secs(self.wait_timeout_secs));
        let ended = follow::until_ended(client, id, view, limit).await.map_err(|error| {
            let hint = format!("the job may go on; once the orchestrator is back:\n{}", come_back(id));
            error.hint(hint)
        })?;
        match ended {
            Ended::Terminal => {
                let answer = client.job(id, "executions").await?;
                if view != View::Silent {
                    self.show(&answer)?;
                }
                self.verdict(&answer)
            }
            Ended::TimedOut => Err(Error::new(
                exit::TIMEOUT,
                format!("job {id} has not ended after {} s; it goes on", self.wait_timeout_secs),
            )
            .hint(format!("--wait-timeout-secs 0 waits for ever; come back with\n{}", come_back(id)))),
            Ended::Interrupted => {
                terminal::note(&format!("\nNot watching any more; the job goes on.\n{}", come_back(id)));
                Ok(exit::INTERRUPTED)
            }
        }
    }

    fn show(&self, answer: &GetJobResponse) -> Result<(), Error> {
        let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
        if executions.is_empty() {
            return Ok(());
        }
        terminal::note("");
        outcomes::table(executions).show()?;
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
fn come_back(id: &str) -> String {
    format!("  skrei job describe {id}\n  skrei job logs -f {id}\n  skrei job stop {id}")
}
