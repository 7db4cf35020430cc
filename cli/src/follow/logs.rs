//! What guests write, copied to our own standard output and standard error.

use std::{collections::BTreeSet, time::Duration};

use skrei_job::Timestamp;
use skrei_protocol::{
    api::{
        history::{HistoryEntry, Level},
        log::LogLine,
    },
    client::{self, Client, LogQuery},
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

pub(crate) use super::printed::Label;
use super::printed::Printed;
use crate::{error::Error, terminal};

/// How long the last lines of a log may take after the job has ended, for somebody who watches the job.
pub(super) const LAST_LINES_MAX: Duration = Duration::from_secs(5);

/// Which logs of a job, and how much of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Only of this node.
    pub(crate) node: Option<String>,
    /// Begin with what is written from now on.
    pub(crate) from_now: bool,
    /// Begin with what was written at this time.
    pub(crate) since: Option<Timestamp>,
    /// At most so many lines of what is there already.
    pub(crate) lines_max: Option<usize>,
    /// Each line behind the time when it was begun.
    pub(crate) timestamps: bool,
}

impl Choice {
    fn query(&self, execution: &str, follow: bool) -> LogQuery {
        LogQuery {
            execution: execution.to_owned(),
            follow,
            tail: self.from_now,
            since: self.since,
            timestamps: self.timestamps,
        }
    }
}

/// Where what guests write goes.
#[derive(Clone, Debug)]
pub(crate) enum Sink {
    /// To our own standard output and standard error, each line behind a label if there is one.
    Stdout(Option<Label>),
    /// To whoever shows it.
    Channel(mpsc::Sender<Output>),
}

/// A piece of what a guest wrote.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// As it came.
    pub(crate) text: String,
}

/// Copies what was chosen of one execution's log; with `follow` until that has ended.
///
/// # Errors
/// The connection breaks, there is no such log, or the output cannot be written.
pub(crate) async fn copy(
    client: &Client,
    job: &str,
    execution: &str,
    follow: bool,
    choice: &Choice,
    sink: &Sink,
) -> Result<(), Error> {
    let query = choice.query(execution, follow);
    // A log only grows, so what is counted now can be passed over in the copy.
    let mut passed_over = match choice.lines_max {
        Some(lines_max) => count_lines(client, job, &query).await?.saturating_sub(lines_max),
        None => 0,
    };
    let mut log = client.logs(job, &query).await?;
    let mut printed = Printed::new(sink.label());
    let copied = async {
        while let Some(mut piece) = next(&mut log, follow, &mut printed).await? {
            piece.line = after_lines(&piece.line, &mut passed_over).to_owned();
            // The time may have been asked for only to choose by it.
            piece.time = piece.time.filter(|_| choice.timestamps);
            if !piece.line.is_empty() {
                sink.take(piece, &mut printed).await?;
            }
        }
        Ok(())
    };
    let copied = copied.await;
    printed.finish()?;
    copied
}

/// The next piece of a log. Who follows it sees meanwhile what is due of a line that does not end.
async fn next(
    log: &mut client::Logs,
    follow: bool,
    printed: &mut Printed<'_>,
) -> Result<Option<LogLine>, Error> {
    while let Some(due) = printed.due().filter(|_| follow) {
        let now = Instant::now();
        if due <= now {
            // Also if pieces come without a pause.
            printed.write_due(now)?;
        } else if let Ok(piece) = tokio::time::timeout_at(due, log.next()).await {
            return Ok(piece?);
        }
    }
    Ok(log.next().await?)
}

async fn count_lines(client: &Client, job: &str, query: &LogQuery) -> Result<usize, Error> {
    let mut log = client.logs(job, &LogQuery { follow: false, tail: false, ..query.clone() }).await?;
    let mut lines = 0;
    while let Some(piece) = log.next().await? {
        lines += piece.line.matches('\n').count();
    }
    Ok(lines)
}

/// What of a text comes after so many lines; those in it are counted off.
fn after_lines<'text>(text: &'text str, lines: &mut usize) -> &'text str {
    let mut rest = text;
    while *lines > 0 {
        match rest.split_once('\n') {
            Some((_, after)) => (rest, *lines) = (after, *lines - 1),
            None => return "",
        }
    }
    rest
}

impl Sink {
    fn label(&self) -> Option<&Label> {
        match self {
            Self::Stdout(label) => label.as_ref(),
            Self::Channel(_) => None,
        }
    }

    async fn take(&self, piece: LogLine, printed: &mut Printed<'_>) -> std::io::Result<()> {
        match self {
            Self::Stdout(_) => printed.add(&piece),
            // Whoever showed it has gone: nobody misses it.
            Self::Channel(sender) => {
                let _ = sender.send(Output { text: piece.line }).await;
                Ok(())
            }
        }
    }
}

/// Follows the log of every execution of a job as it starts.
pub(super) struct Followers {
    client: Client,
    job: String,
    choice: Choice,
    /// Nodes that write; more than one, and each line says which.
    nodes: Vec<String>,
    /// Where it goes to, if not behind labels.
    sender: Option<mpsc::Sender<Output>>,
    known: BTreeSet<String>,
    copying: JoinSet<Result<(), Error>>,
}

impl Followers {
    /// Follows a job whose executions are on these nodes so far, and gives to this sender what they write, or else writes it
    /// to standard output.
    pub(super) fn new(
        client: Client,
        job: &str,
        choice: Choice,
        nodes: Vec<String>,
        sender: Option<mpsc::Sender<Output>>,
    ) -> Self {
        let (known, copying) = (BTreeSet::new(), JoinSet::new());
        Self { client, job: job.to_owned(), choice, nodes, sender, known, copying }
    }

    /// Starts following an execution when it is first said to run or to have run.
    pub(super) fn notice(&mut self, entry: &HistoryEntry) {
        if entry.kind == Level::Job {
            if entry.event.is_error() && self.sender.is_none() {
                terminal::note(&entry.event.message);
            }
            return;
        }
        if !entry.event.topic.starts_with("Exec") || !self.known.insert(entry.execution_id.clone()) {
            return;
        }
        let node = entry.event.detail("NodeID").unwrap_or_default().to_owned();
        if self.choice.node.as_ref().is_some_and(|chosen| !node.starts_with(chosen)) {
            return;
        }
        let sink = match &self.sender {
            Some(sender) => Sink::Channel(sender.clone()),
            None => Sink::Stdout(self.label(&node)),
        };
        let (client, job, choice) = (self.client.clone(), self.job.clone(), self.choice.clone());
        let execution = entry.execution_id.clone();
        self.copying.spawn(async move { copy(&client, &job, &execution, true, &choice, &sink).await });
    }

    fn label(&mut self, node: &str) -> Option<Label> {
        let number = self.nodes.iter().position(|known| known == node).unwrap_or_else(|| {
            self.nodes.push(node.to_owned());
            self.nodes.len() - 1
        });
        let width = self.nodes.iter().map(String::len).max().unwrap_or_default();
        (self.nodes.len() > 1).then(|| Label::new(node, number, width))
    }

    /// Waits until nobody reads any more what is written: then there is no use in going on. A log that cannot be read is
    /// said to be so, and hides no other.
    pub(super) async fn reader_gone(&mut self) -> Error {
        loop {
            match self.copying.join_next().await {
                Some(Ok(Err(error))) if error.is_silent() => return error,
                Some(ended) => self.say(ended),
                None => std::future::pending().await,
            }
        }
    }

    /// Lets the last lines arrive, for so long at most.
    pub(super) async fn finish(mut self, patience: Duration) {
        let all = async {
            while let Some(ended) = self.copying.join_next().await {
                self.say(ended);
            }
        };
        let _ = tokio::time::timeout(patience, all).await;
        self.copying.abort_all();
    }

    /// Of what is shown in a view, its table tells in the end; else there is nothing but this.
    fn say(&self, ended: Result<Result<(), Error>, tokio::task::JoinError>) {
        if let (Ok(Err(error)), None) = (ended, &self.sender) {
            error.show();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_passed_over_wherever_pieces_break() {
        let mut lines = 3;
        let kept: Vec<_> = ["one\ntw", "o\nthree\nfo", "ur\n"]
            .into_iter()
            .map(|piece| after_lines(piece, &mut lines).to_owned())
            .collect();
        assert_eq!(kept.concat(), "four\n");
    }
}
