//! What is kept no longer than it is needed: results and artifacts, by rules of age and size, and never those of a job that
//! has not ended; and what of them came in only in part.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{artifacts::Artifacts, clock, results::Results, store::Store};

/// Time between two looks: the rules speak of days.
const EVERY: Duration = Duration::from_secs(600);

/// What is looked after.
pub(crate) struct Expiry {
    pub(crate) store: Store,
    pub(crate) results: Arc<Results>,
    pub(crate) artifacts: Artifacts,
}

impl Expiry {
    /// Looks now and then, until the orchestrator shuts down.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut clock = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                _ = clock.tick() => self.look().await,
                () = shutdown.cancelled() => return,
            }
        }
    }

    async fn look(&self) {
        if let Err(error) = self.results.expire(clock::now()).await {
            tracing::warn!(%error, "old results cannot be removed");
        }
        self.results.expire_unfinished().await;
        self.artifacts.expire_unfinished().await;
        match self.store.live_artifacts().await {
            Ok(live) => match self.artifacts.expire(live).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "artifacts of jobs that ended long ago are removed"),
                Err(error) => tracing::warn!(%error, "old artifacts cannot be removed"),
            },
            // Without knowing what is needed nothing is removed.
            Err(error) => tracing::warn!(%error, "artifacts are not looked after"),
        }
    }
}
