//! The latest word of every execution, for whoever passes it on.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use skrei_job::{ExecutionId, told::Progress};
use skrei_protocol::link::Told;
use tokio::{sync::Notify, time::Instant};

/// The least time between two messages about progress: several a second are as live as a person can tell.
const PAUSE: Duration = Duration::from_millis(200);

/// Executions in one message at most; the others come with the next.
const AT_ONCE_MAX: usize = 256;

/// The latest word of every execution that has said something since it was last passed on.
#[derive(Debug, Default)]
pub(crate) struct Board {
    news: Mutex<BTreeMap<ExecutionId, Progress>>,
    come: Notify,
}

impl Board {
    /// Puts an execution's word up, in the place of the one before.
    pub(crate) fn put(&self, execution: &ExecutionId, progress: Progress) {
        self.news().insert(execution.clone(), progress);
        self.come.notify_one();
    }

    /// Takes an execution's word down: it has ended.
    pub(crate) fn forget(&self, execution: &ExecutionId) {
        self.news().remove(execution);
    }

    /// The news, once there are any and the last were passed on long enough ago (`last`). Cancelled, it loses none.
    pub(crate) async fn news_after(&self, last: Option<Instant>) -> Vec<Told> {
        if let Some(last) = last {
            tokio::time::sleep_until(last + PAUSE).await;
        }
        loop {
            let news = self.take();
            if !news.is_empty() {
                return news;
            }
            self.come.notified().await;
        }
    }

    fn take(&self) -> Vec<Told> {
        let mut news = self.news();
        let mut taken = Vec::new();
        while let Some((execution, progress)) = news.pop_first() {
            taken.push(Told { execution, progress });
            if taken.len() == AT_ONCE_MAX {
                break;
            }
        }
        taken
    }

    fn news(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, Progress>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(fraction: f64) -> Progress {
        Progress { fraction, message: String::new() }
    }

    #[tokio::test]
    async fn only_the_latest_word_is_passed_on_and_no_more_often_than_the_pause_allows() {
        let (board, execution) = (Board::default(), ExecutionId::new("e"));
        board.put(&execution, at(0.1));
        board.put(&execution, at(0.2));
        let news = board.news_after(None).await;
        assert_eq!(news.iter().map(|told| told.progress.fraction).collect::<Vec<_>>(), [0.2]);
        let last = Instant::now();
        board.put(&execution, at(0.3));
        board.news_after(Some(last)).await;
        assert!(last.elapsed() >= PAUSE);
        board.put(&execution, at(0.4));
        board.forget(&execution);
        let none = tokio::time::timeout(PAUSE, board.news_after(None)).await;
        assert!(none.is_err(), "what has ended says nothing more");
    }
}
