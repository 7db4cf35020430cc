//! `skrei job run`.

use std::{collections::BTreeMap, time::Duration};

use clap::{ArgAction, Args};
use skrei_job::{life::JobState, secret::Name};
use skrei_protocol::{api::job::GetJobResponse, client::Client};

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    follow::{self, Ended, View, outcomes},
    given_secret::GivenSecret,
    job_file,
    terminal::{self, style},
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
    /// Submit even if the stored job of this name is the same
    #[arg(long)]
    force: bool,
    /// Do not show warnings
    #[arg(long)]
    hide_warnings: bool,
}

impl Run {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let secrets = self.secrets()?;
        let written = self.file.read()?;
        let checked = written.check()?;
        self.warn(&checked.warnings);
        if self.dry_run {
            terminal::data(&written.rendered(false))?;
            return Ok(exit::SUCCESS);
        }
        let client = client(globals)?;
        for module in &checked.modules {
            client.ensure_artifact(module.clone()).await?;
        }
        let submitted = match secrets.is_empty() {
            true => client.submit(&checked.manifest, self.force).await?,
            false => client.submit_with(&checked.manifest, self.force, &secrets).await?,
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
        self.watch(&client, id).await
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

    fn warn(&self, warnings: &[String]) {
        if !self.hide_warnings {
            warnings.iter().for_each(|warning| terminal::warn(warning));
        }
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
                verdict(&answer)
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
}

/// 0 only if the job completed on every node.
fn verdict(answer: &GetJobResponse) -> Result<u8, Error> {
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
    Err(Error::new(exit::JOB_FAILED, format!("job {} {state}{why}", job.manifest.name))
        .hint(hints.join("\n")))
}

/// Commands to come back to a job with.
fn come_back(id: &str) -> String {
    format!("  skrei job describe {id}\n  skrei job logs -f {id}\n  skrei job stop {id}")
}
