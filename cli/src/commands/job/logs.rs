//! `skrei job logs`.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use skrei_job::Timestamp;
use skrei_protocol::{
    api::{
        execution::{Execution, compute_state},
        job::GetJobResponse,
    },
    client::{Client, Selection},
};

use super::{Version, Which};
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    follow::{
        self,
        logs::{self, Choice, Label, Sink},
    },
    terminal::time,
};

/// What a job's guests wrote to standard output and standard error; of several nodes, each line behind the node's
/// name.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    version: Version,
    /// Of this execution alone
    #[arg(short = 'e', long, value_name = "ID", conflicts_with = "node")]
    execution_id: Option<String>,
    /// Of this node alone: its id, or the beginning of it
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Go on until the job ends, on every node
    #[arg(short, long, conflicts_with = "number")]
    follow: bool,
    /// Begin with what is written from now on; with a number, with so many of the last lines
    #[arg(short, long, value_name = "N", num_args = 0..=1, require_equals = true)]
    tail: Option<Option<usize>>,
    /// Begin with so many of the last lines: `--tail=N`
    #[arg(short = 'n', long, value_name = "N", conflicts_with = "tail")]
    lines: Option<usize>,
    /// Begin with lines written so long ago, `10m` or `1h30m`, or at a time, `2026-01-02T15:04:05Z`, by the node's clock
    #[arg(long, value_name = "TIME", value_parser = time::ago_or_at)]
    since: Option<Timestamp>,
    /// Say before each line when it was begun
    #[arg(long)]
    timestamps: bool,
}

impl Logs {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        tokio::select! {
            read = self.read(&client) => read.map(|()| exit::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(exit::INTERRUPTED),
        }
    }

    async fn read(&self, client: &Client) -> Result<(), Error> {
        if self.tail == Some(None) && self.since.is_some() {
            let hint = "leave `--tail` out, or say how many of the last lines: `--tail=N`";
            return Err(Error::usage("`--tail` alone begins now, and `--since` earlier").hint(hint));
        }
        let job = &self.which.resolve(client).await?;
        let choice = Choice {
            node: self.node.clone(),
            from_now: self.tail == Some(None),
            since: self.since,
            lines_max: self.lines.or_else(|| self.tail.flatten()),
            timestamps: self.timestamps,
        };
        if let Some(execution) = &self.execution_id {
            return logs::copy(client, job, execution, self.follow, &choice, &Sink::Stdout(None)).await;
        }
        if self.follow {
            return follow::logs_until_ended(client, job, choice, Duration::MAX).await;
        }
        let selection = Selection { version: self.version.number, ..Selection::default() };
        let answer = client.selected_job(job, "executions", &selection).await?;
        let executions = newest(&answer, self.node.as_deref());
        if executions.is_empty() {
            return Err(self.nothing(&answer));
        }
        let nodes: Vec<&str> = executions.iter().map(|execution| execution.node_id.as_str()).collect();
        for (number, execution) in executions.iter().enumerate() {
            let label = Label::among(&nodes, number);
            let copied = logs::copy(client, job, &execution.id, false, &choice, &Sink::Stdout(label)).await;
            match copied {
                // One node that cannot be read must not hide what the others wrote.
                Err(error) if executions.len() > 1 && !error.is_silent() => error.show(),
                copied => copied?,
            }
        }
        Ok(())
    }

    fn nothing(&self, answer: &GetJobResponse) -> Error {
        let job = &answer.job;
        let hint = format!("`skrei job describe {}` shows where it ran", job.id);
        match &self.node {
            Some(node) => Error::not_found(format!("job {} has not run on node `{node}`", job.manifest.name)),
            None => Error::not_found(format!("job {} has not run anywhere yet", job.manifest.name)),
        }
        .hint(hint)
    }
}

/// The newest execution of each part on each node that got as far as running, in the order of nodes.
fn newest<'a>(answer: &'a GetJobResponse, node: Option<&str>) -> Vec<&'a Execution> {
    let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
    let mut newest: BTreeMap<(&str, u32), &Execution> = BTreeMap::new();
    for execution in executions {
        let began =
            !matches!(execution.compute_state.state_type, compute_state::ACCEPTED | compute_state::REFUSED);
        if !began || node.is_some_and(|node| !execution.node_id.starts_with(node)) {
            continue;
        }
        let place = (execution.node_id.as_str(), execution.partition_index);
        let known = newest.entry(place).or_insert(execution);
        if execution.create_time >= known.create_time {
            *known = execution;
        }
    }
    newest.into_values().collect()
}
