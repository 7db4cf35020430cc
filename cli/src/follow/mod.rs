//! Watching a job: its events as they come, never by asking again and again.

pub(crate) mod logs;
pub(crate) mod outcomes;
mod progress;
mod rows;

use std::{collections::BTreeSet, time::Duration};

use skrei_job::life::JobState;
use skrei_protocol::{
    api::{
        history::{HistoryEntry, Level},
        job::GetJobResponse,
    },
    client::{Client, News},
};

use crate::{error::Error, terminal};
use logs::{Choice, Followers};
use rows::Rows;

/// What a person sees meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// What happens.
    Events,
    /// What the guests write.
    Logs,
    /// Nothing.
    Silent,
}

/// Why the watching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The job has ended.
    Terminal,
    /// It took too long.
    TimedOut,
    /// Ctrl+C.
    Interrupted,
}

/// Watches the latest version of a job until it has ended.
///
/// # Errors
/// If the orchestrator stops answering.
pub(crate) async fn until_ended(
    client: &Client,
    job: &str,
    view: View,
    limit: Option<Duration>,
) -> Result<Ended, Error> {
    let too_long = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        watched = watch(client, job, view) => watched.map(|()| Ended::Terminal),
        () = too_long => Ok(Ended::TimedOut),
        _ = tokio::signal::ctrl_c() => Ok(Ended::Interrupted),
    }
}

/// Copies the logs of all executions of a job's latest version, those to come too, until the job has ended.
///
/// # Errors
/// As for [`until_ended`].
pub(crate) async fn logs_until_ended(client: &Client, job: &str, choice: Choice) -> Result<(), Error> {
    let answer = client.job(job, "executions").await?;
    let mut followers = Followers::new(client.clone(), job, choice, nodes(&answer));
    let mut events = client.events(Some(&answer.job.id), 0).await?;
    loop {
        let entry = events.next().await?.entry;
        if entry.job_version != answer.job.version {
            continue;
        }
        followers.notice(&entry);
        if is_end(&entry) {
            followers.finish_all().await;
            return Ok(());
        }
    }
}

/// Where a job has executions, in order.
fn nodes(answer: &GetJobResponse) -> Vec<String> {
    let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
    let nodes: BTreeSet<_> = executions.iter().map(|execution| execution.node_id.clone()).collect();
    nodes.into_iter().collect()
}

async fn watch(client: &Client, job: &str, view: View) -> Result<(), Error> {
    let answer = client.job(job, "executions").await?;
    let version = answer.job.version;
    let mut rows = Rows::new(terminal::is_watched());
    let mut followers = Followers::new(client.clone(), job, Choice::default(), nodes(&answer));
    let mut failure_shown = false;
    let mut events = client.events_and_progress(job).await?;
    loop {
        let entry = match events.next_news().await? {
            News::Entry(event) => event.entry,
            News::Progress(progress) => {
                if view == View::Events {
                    rows.progress(&progress);
                }
                continue;
            }
        };
        if entry.job_version != version {
            continue;
        }
        match view {
            View::Events if is_news(&entry, failure_shown) => {
                rows.show(&entry);
                failure_shown |= entry.event.is_error();
            }
            View::Logs => followers.notice(&entry),
            View::Events | View::Silent => {}
        }
        if is_halt(&entry) {
            terminal::note(&format!(
                "  skrei job rollout status {job}   where it stands\n  skrei job rollout resume {job}   go on with what \
                 is left (or abort)"
            ));
        }
        if is_end(&entry) {
            rows.finish();
            followers.finish().await;
            return Ok(());
        }
    }
}

/// The changes of the job's own state follow from what else is shown, and so does that it failed once an
/// execution has.
fn is_news(entry: &HistoryEntry, failure_shown: bool) -> bool {
    let sums_up = entry.event.topic == "State Update" || (entry.event.is_error() && failure_shown);
    entry.kind == Level::Execution || !sums_up || is_halt(entry)
}

/// Nothing more happens before somebody says so.
fn is_halt(entry: &HistoryEntry) -> bool {
    entry.event.detail("Rollout") == Some("Halted")
}

fn is_end(entry: &HistoryEntry) -> bool {
    let state = entry.event.detail("NewState");
    entry.kind == Level::Job
        && JobState::ALL.iter().any(|known| known.is_terminal() && state == Some(known.as_str()))
}
