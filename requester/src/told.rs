//! How far the guests of each job say they are: the latest word only, in memory only.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use skrei_job::{ExecutionId, JobId, NodeId, told::Progress};
use tokio::sync::watch;

/// The latest word of each execution of a job.
pub(crate) type Words = BTreeMap<ExecutionId, Word>;

/// One execution's latest word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) node: NodeId,
    pub(crate) progress: Progress,
}

/// The latest words by job. What has ended has none, so there are never more than executions that run.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<BTreeMap<JobId, watch::Sender<Words>>>);

impl Board {
    /// Puts an execution's word up, in the place of the one before.
    pub(crate) fn put(&self, job: &JobId, execution: &ExecutionId, word: Word) {
        let mut jobs = self.jobs();
        let words = jobs.entry(job.clone()).or_default();
        words.send_modify(|words| drop(words.insert(execution.clone(), word)));
    }

    /// Takes an execution's word down: it has ended.
    pub(crate) fn forget(&self, job: &JobId, execution: &ExecutionId) {
        let mut jobs = self.jobs();
        let Some(words) = jobs.get(job) else { return };
        words.send_if_modified(|words| words.remove(execution).is_some());
        if words.borrow().is_empty() && words.receiver_count() == 0 {
            jobs.remove(job);
        }
    }

    /// Takes down what a node's guests said: it is gone.
    pub(crate) fn forget_node(&self, node: &NodeId) {
        self.keep(|word| word.node != *node);
    }

    /// Takes every word down.
    pub(crate) fn clear(&self) {
        self.keep(|_| false);
    }

    fn keep(&self, stays: impl Fn(&Word) -> bool) {
        self.jobs().retain(|_, words| {
            words.send_if_modified(|words| {
                let before = words.len();
                words.retain(|_, word| stays(word));
                words.len() != before
            });
            words.receiver_count() > 0 || !words.borrow().is_empty()
        });
    }

    /// The words of a job now.
    pub(crate) fn of(&self, job: &JobId) -> Words {
        self.jobs().get(job).map(|words| words.borrow().clone()).unwrap_or_default()
    }

    /// The words of a job as they change.
    pub(crate) fn follow(&self, job: &JobId) -> watch::Receiver<Words> {
        let mut jobs = self.jobs();
        // Followers of jobs that say nothing leave nothing behind.
        jobs.retain(|_, words| words.receiver_count() > 0 || !words.borrow().is_empty());
        jobs.entry(job.clone()).or_default().subscribe()
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<JobId, watch::Sender<Words>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(fraction: f64) -> Word {
        Word { node: NodeId::new("n"), progress: Progress { fraction, message: String::new() } }
    }

    #[test]
    fn the_latest_word_is_there_until_its_execution_ends() {
        let (board, job) = (Board::default(), JobId::new("j"));
        let (one, two) = (ExecutionId::new("1"), ExecutionId::new("2"));
        board.put(&job, &one, word(0.1));
        board.put(&job, &one, word(0.2));
        board.put(&job, &two, word(0.3));
        assert_eq!(
            board.of(&job).values().map(|word| word.progress.fraction).collect::<Vec<_>>(),
            [0.2, 0.3]
        );
        board.forget(&job, &one);
        board.forget(&job, &two);
        assert!(board.jobs().is_empty(), "nothing is left of a job that nobody follows");
        let followed = board.follow(&job);
        board.put(&job, &one, word(0.5));
        assert!(followed.has_changed().unwrap());
        drop(followed);
        board.clear();
        assert!(board.jobs().is_empty());
    }
}
