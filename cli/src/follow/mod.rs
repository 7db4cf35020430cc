//! Watching a job: its events as they come, never by asking again and again.

mod live;
pub(crate) mod logs;
pub(crate) mod outcomes;
mod plain;
mod printed;
mod view;
mod words;

use std::{collections::BTreeSet, time::Duration};

use skrei_protocol::{
    api::job::GetJobResponse,
    client::{Client, Events, News},
};
use tokio::{signal::unix::Signal, sync::mpsc, task::JoinSet};

use crate::{error::Error, terminal};
use logs::{Choice, Followers};
use plain::Lines;

/// Events that may wait to be taken in: beyond that the orchestrator waits.
const WAITING_MAX: usize = 256;

/// What a person sees meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// What happens.
    Events,
    /// What the guests write.
    Logs,
    /// Nothing.
    Nothing,
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

/// Watches the latest version of a job until it has ended, or somebody interrupts.
///
/// # Errors
/// If the orchestrator stops answering.
pub(crate) async fn until_ended(
    client: &Client,
    job: &str,
    shown: Shown,
    limit: Option<Duration>,
    interrupts: &mut Signal,
) -> Result<Ended, Error> {
    let too_long = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        watched = watch(client, job, shown) => watched.map(|()| Ended::Terminal),
        () = too_long => Ok(Ended::TimedOut),
        _ = interrupts.recv() => Ok(Ended::Interrupted),
    }
}

async fn watch(client: &Client, job: &str, shown: Shown) -> Result<(), Error> {
    match shown {
        Shown::Events if terminal::is_watched() => live::watch(client, job).await,
        Shown::Events => lines(client, job).await,
        Shown::Logs => logs_until_ended(client, job, Choice::default(), logs::LAST_LINES_MAX).await,
        Shown::Nothing => {
            let (mut watched, _) = Watched::open(client, job, "").await?;
            loop {
                match watched.next().await? {
                    News::Entry(event) if words::is_end(&event.entry) => return Ok(()),
                    _ => {}
                }
            }
        }
    }
}

/// Shows a line for each event until the job has ended.
async fn lines(client: &Client, job: &str) -> Result<(), Error> {
    let (mut watched, _) = Watched::open(client, job, "").await?;
    let mut lines = Lines::default();
    let mut failure_shown = false;
    loop {
        let entry = match watched.next().await? {
            News::Entry(event) => event.entry,
            News::Progress(progress) => {
                lines.progress(&progress);
                continue;
            }
        };
        if words::is_news(&entry, failure_shown) {
            lines.show(&entry);
            failure_shown |= entry.event.is_error();
        }
        if words::is_halt(&entry) {
            terminal::note(&words::after_halt(job));
        }
        if words::is_end(&entry) {
            return Ok(());
        }
    }
}

/// Copies the logs of all executions of a job's latest version, those to come too, until the job has ended; the last lines
/// may take so long after that.
///
/// # Errors
/// As for [`until_ended`].
pub(crate) async fn logs_until_ended(
    client: &Client,
    job: &str,
    choice: Choice,
    patience: Duration,
) -> Result<(), Error> {
    let (watched, answer) = Watched::open(client, job, "executions").await?;
    let mut news = watched.forward();
    let mut followers = Followers::new(client.clone(), job, choice, nodes(&answer), None);
    loop {
        let entry = tokio::select! {
            heard = news.next() => match heard? {
                News::Entry(event) => event.entry,
                News::Progress(_) => continue,
            },
            gone = followers.reader_gone() => return Err(gone),
        };
        followers.notice(&entry);
        if words::is_halt(&entry) {
            terminal::note(&words::after_halt(job));
        }
        if words::is_end(&entry) {
            followers.finish(patience).await;
            return Ok(());
        }
    }
}

/// What happens to the latest version of a job.
struct Watched {
    events: Events,
    version: u64,
}

impl Watched {
    /// From the version's beginning on; and the job, with what of it is named in `include`.
    async fn open(client: &Client, job: &str, include: &str) -> Result<(Self, GetJobResponse), Error> {
        let answer = client.job(job, include).await?;
        let events = client.events_and_progress(&answer.job.id).await?;
        Ok((Self { events, version: answer.job.version }, answer))
    }

    /// What happens next. To wait for it may not be broken off and taken up again.
    async fn next(&mut self) -> Result<News, Error> {
        loop {
            match self.events.next_news().await? {
                News::Entry(event) if event.entry.job_version != self.version => {}
                news => return Ok(news),
            }
        }
    }
}

/// The same from a task of its own, whose word can be waited for beside other things.
struct Forwarded {
    receiver: mpsc::Receiver<Result<News, Error>>,
    /// Ends the task when it is dropped.
    _task: JoinSet<()>,
}

impl Watched {
    fn forward(mut self) -> Forwarded {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let next = self.next().await;
                let is_last = next.is_err();
                if sender.send(next).await.is_err() || is_last {
                    return;
                }
            }
        });
        Forwarded { receiver, _task: task }
    }
}

impl Forwarded {
    async fn next(&mut self) -> Result<News, Error> {
        let ended = || Err(Error::internal("the events of a job ended before the job"));
        self.receiver.recv().await.unwrap_or_else(ended)
    }
}

/// Where a job has executions, in order.
fn nodes(answer: &GetJobResponse) -> Vec<String> {
    let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
    let nodes: BTreeSet<_> = executions.iter().map(|execution| execution.node_id.clone()).collect();
    nodes.into_iter().collect()
}
