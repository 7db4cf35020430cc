//! How far guests say they are, on executions and in the event stream.

use std::collections::VecDeque;

use skrei_job::{ExecutionId, JobId};
use skrei_protocol::api::{
    execution::Execution,
    told::{Progress, ProgressEvent},
};
use tokio::sync::watch;

use super::Api;
use crate::told::{Word, Words};

/// Adds to each execution of a job what its guest says.
pub(super) fn add(api: &Api, job: &JobId, executions: &mut [Execution]) {
    let words = api.orchestrator.hub.told.of(job);
    if words.is_empty() {
        return;
    }
    for execution in executions {
        execution.progress = words.get(&ExecutionId::new(execution.id.as_str())).map(shown);
    }
}

/// Follows what the guests of one job say, or of none.
pub(super) struct Follower {
    words: Option<watch::Receiver<Words>>,
    /// What was passed on.
    passed: Words,
    /// What is to be.
    news: VecDeque<ProgressEvent>,
}

impl Follower {
    /// Of the job, if there is one.
    pub(super) fn new(api: &Api, job: Option<&JobId>) -> Self {
        let mut words = job.map(|job| api.orchestrator.hub.told.follow(job));
        // What was said before is news to whoever comes now.
        words.iter_mut().for_each(watch::Receiver::mark_changed);
        Self { words, passed: Words::default(), news: VecDeque::new() }
    }

    /// The next news; waits for it, for ever if there will be none. Cancelled, it loses nothing.
    pub(super) async fn next(&mut self) -> ProgressEvent {
        loop {
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            // The board lives as long as the orchestrator.
            let Some(words) = &mut self.words else { return std::future::pending().await };
            if words.changed().await.is_err() {
                self.words = None;
                continue;
            }
            let now = words.borrow_and_update().clone();
            let is_news = |(id, word): &(&ExecutionId, &Word)| self.passed.get(*id) != Some(*word);
            self.news = now.iter().filter(is_news).map(event).collect();
            self.passed = now;
        }
    }
}

fn event((execution, word): (&ExecutionId, &Word)) -> ProgressEvent {
    ProgressEvent {
        execution_id: execution.to_string(),
        node_id: word.node.to_string(),
        progress: shown(word),
    }
}

fn shown(word: &Word) -> Progress {
    Progress { fraction: word.progress.fraction, message: word.progress.message.clone() }
}
