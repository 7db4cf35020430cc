//! What became true, pushed to whoever follows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use skrei_job::JobId;
use tokio::sync::broadcast;

use crate::store::{Error, Placed, Position, Store};

/// Entries a follower may lag behind before it reads them from the store instead.
const LAG_MAX: usize = 1024;

/// Entries read from the store at once.
const PAGE: usize = 512;

/// Hands entries to followers, of one job or of all.
#[derive(Debug)]
pub(crate) struct Feed {
    all: broadcast::Sender<Arc<Placed>>,
    by_job: Mutex<BTreeMap<JobId, broadcast::Sender<Arc<Placed>>>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { all: broadcast::Sender::new(LAG_MAX), by_job: Mutex::default() }
    }
}

impl Feed {
    /// Hands out entries that are on disk.
    pub(crate) fn publish(&self, entries: Vec<Arc<Placed>>) {
        if entries.is_empty() {
            return;
        }
        let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in &entries {
            if let Some(followers) = by_job.get(&entry.entry.job) {
                // Nobody left to follow this job.
                if followers.send(Arc::clone(entry)).is_err() {
                    by_job.remove(&entry.entry.job);
                }
            }
        }
        drop(by_job);
        if self.all.receiver_count() > 0 {
            for entry in entries {
                // Whoever listened may have gone meanwhile.
                let _ = self.all.send(entry);
            }
        }
    }

    /// Ends the streams of those who follow jobs that are not there any more.
    pub(crate) fn removed(&self, jobs: &[JobId]) {
        let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            by_job.remove(job);
        }
    }

    fn subscribe(&self, job: Option<&JobId>) -> broadcast::Receiver<Arc<Placed>> {
        let Some(job) = job else { return self.all.subscribe() };
        let mut by_job = self.by_job.lock().unwrap_or_else(PoisonError::into_inner);
        by_job.retain(|_, followers| followers.receiver_count() > 0);
        by_job.entry(job.clone()).or_insert_with(|| broadcast::Sender::new(LAG_MAX)).subscribe()
    }
}

/// One follower: every entry after a position, in order, each once, however slow it is.
#[derive(Debug)]
pub(crate) struct Follower {
    feed: Arc<Feed>,
    store: Store,
    job: Option<JobId>,
    position: Position,
    live: broadcast::Receiver<Arc<Placed>>,
    /// Read from the store, oldest last.
    page: Vec<Placed>,
    behind: bool,
}

impl Follower {
    /// Follows from after `position` on.
    pub(crate) fn new(feed: Arc<Feed>, store: Store, job: Option<JobId>, position: Position) -> Self {
        let live = feed.subscribe(job.as_ref());
        Self { feed, store, job, position, live, page: Vec::new(), behind: true }
    }

    /// The next entry; waits for it. None when the orchestrator stops, or the job is removed.
    pub(crate) async fn next(&mut self) -> Result<Option<Arc<Placed>>, Error> {
        loop {
            if let Some(placed) = self.page.pop() {
                self.position = placed.position;
                return Ok(Some(Arc::new(placed)));
            }
            if self.behind {
                self.page = self.store.entries_after(self.position, self.job.clone(), PAGE).await?;
                self.page.reverse();
                self.behind = !self.page.is_empty();
                continue;
            }
            match self.live.recv().await {
                Ok(placed) if placed.position > self.position => {
                    self.position = placed.position;
                    return Ok(Some(placed));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.live = self.feed.subscribe(self.job.as_ref());
                    self.behind = true;
                }
                Err(broadcast::error::RecvError::Closed) => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_does_not_outlive_its_job() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let feed = Arc::new(Feed::default());
        let follow = |job: &str| Follower::new(Arc::clone(&feed), store.clone(), Some(JobId::new(job)), 0);
        let (mut gone, mut stays) = (follow("j-1"), follow("j-2"));
        feed.removed(&[JobId::new("j-1")]);
        assert!(gone.next().await.unwrap().is_none());
        let waits = tokio::time::timeout(std::time::Duration::from_millis(50), stays.next()).await;
        assert!(waits.is_err(), "the other job is still there");
    }
}
