//! What waits in memory for a disk that does not take it.

use std::time::Duration;

use skrei_ledger::Error;
use tokio::sync::watch;

/// Between two tries: nobody says when a disk has room again.
const PAUSE: Duration = Duration::from_secs(1);

/// Writers that wait for the disk. As long as there are any the node is unwell.
#[derive(Debug, Default)]
pub(super) struct Patience(watch::Sender<Waiting>);

/// What waits for the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    writers: usize,
    why: String,
}

impl Waiting {
    /// Why anything waits; none if nothing does.
    pub fn why(&self) -> Option<&str> {
        (self.writers > 0).then_some(&self.why)
    }
}

impl Patience {
    pub(super) fn follow(&self) -> watch::Receiver<Waiting> {
        self.0.subscribe()
    }

    /// Tries again until the disk takes it; `error` is why it did not.
    pub(super) async fn insist<T, F>(&self, error: Error, again: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let _waits = Place::take(&self.0, &error);
        loop {
            tokio::time::sleep(PAUSE).await;
            match again().await {
                Err(error) if error.may_pass() => {}
                settled => return settled,
            }
        }
    }
}

/// A writer's place among those that wait, given back whatever becomes of it.
struct Place<'a>(&'a watch::Sender<Waiting>);

impl<'a> Place<'a> {
    fn take(waiting: &'a watch::Sender<Waiting>, error: &Error) -> Self {
        waiting.send_if_modified(|waiting| {
            waiting.writers += 1;
            if waiting.writers == 1 {
                waiting.why = format!(
                    "its journal cannot be written: {error}; make room, and do not restart it before: what is done waits in memory"
                );
                tracing::error!(%error, "the journal cannot be written: what is done waits in memory until it can");
            }
            waiting.writers == 1
        });
        Self(waiting)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.send_if_modified(|waiting| {
            waiting.writers -= 1;
            if waiting.writers == 0 {
                tracing::info!("nothing waits for the journal any more");
            }
            waiting.writers == 0
        });
    }
}
