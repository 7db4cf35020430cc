//! Places for those who follow: each holds a connection for as long as it likes.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::config::FollowLimits;

/// Places for those who follow.
#[derive(Clone, Debug)]
pub(crate) struct Followers {
    pub(crate) events: Arc<Semaphore>,
    pub(crate) logs: Arc<Semaphore>,
}

impl Followers {
    pub(crate) fn new(limits: &FollowLimits) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self { events: places(limits.events), logs: places(limits.logs) }
    }
}
