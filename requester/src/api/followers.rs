//! How many may follow at once: each holds a connection for as long as it likes.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Streams of events at once.
const EVENTS_MAX: usize = 1024;

/// Logs read at once; each may hold one page of a log in memory, of 64 KiB.
const LOGS_MAX: usize = 512;

/// Places for those who follow.
#[derive(Clone, Debug)]
pub(crate) struct Followers {
    pub(crate) events: Arc<Semaphore>,
    pub(crate) logs: Arc<Semaphore>,
}

impl Default for Followers {
    fn default() -> Self {
        Self { events: Arc::new(Semaphore::new(EVENTS_MAX)), logs: Arc::new(Semaphore::new(LOGS_MAX)) }
    }
}
