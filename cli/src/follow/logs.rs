//! What guests write, copied to our own standard output and standard error.

use std::{collections::BTreeSet, io::Write, time::Duration};

use skrei_protocol::{
    api::{
        history::{HistoryEntry, Level},
        log::{LogLine, STDERR},
    },
    client::{Client, LogQuery},
};
use tokio::task::JoinSet;

use crate::{error::Error, terminal};

/// How long the last lines of a log may take after the job has ended.
const LAST_LINES_MAX: Duration = Duration::from_secs(5);

/// Copies one log to its end, each line with this prefix.
///
/// # Errors
/// The connection breaks, there is no such log, or the output cannot be written.
pub(crate) async fn copy(
    client: &Client,
    job: &str,
    query: &LogQuery,
    prefix: Option<&str>,
) -> Result<(), Error> {
    let mut log = client.logs(job, query).await?;
    while let Some(piece) = log.next().await? {
        write(&piece, prefix)?;
    }
    Ok(())
}

fn write(piece: &LogLine, prefix: Option<&str>) -> std::io::Result<()> {
    let mut text = match prefix {
        Some(prefix) => format!("{prefix} | {}", piece.line),
        None => piece.line.clone(),
    };
    if prefix.is_some() && !text.ends_with('\n') {
        text.push('\n');
    }
    if piece.kind == STDERR {
        std::io::stderr().lock().write_all(text.as_bytes())
    } else {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

/// Follows the log of every execution of a job as it starts.
pub(super) struct Followers {
    client: Client,
    job: String,
    /// Several nodes write: each line says which.
    prefixed: bool,
    known: BTreeSet<String>,
    copying: JoinSet<()>,
}

impl Followers {
    pub(super) fn new(client: Client, job: &str, prefixed: bool) -> Self {
        Self { client, job: job.to_owned(), prefixed, known: BTreeSet::new(), copying: JoinSet::new() }
    }

    /// Starts following an execution when it is first said to run or to have run.
    pub(super) fn notice(&mut self, entry: &HistoryEntry) {
        if entry.kind == Level::Job {
            if entry.event.is_error() {
                terminal::note(&entry.event.message);
            }
            return;
        }
        if !entry.event.topic.starts_with("Exec") || !self.known.insert(entry.execution_id.clone()) {
            return;
        }
        let (client, job) = (self.client.clone(), self.job.clone());
        let query = LogQuery { execution: entry.execution_id.clone(), follow: true, tail: false };
        let prefix = entry.event.detail("NodeID").filter(|_| self.prefixed).map(str::to_owned);
        self.copying.spawn(async move {
            if let Err(error) = copy(&client, &job, &query, prefix.as_deref()).await {
                error.show();
            }
        });
    }

    /// Lets the last lines arrive.
    pub(super) async fn finish(&mut self) {
        let all = async { while self.copying.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_LINES_MAX, all).await;
        self.copying.abort_all();
    }
}
