//! The servers of this process, from start to stop.

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::files::Files;
use crate::error::Error;

/// Servers that run until one of them fails or somebody stops them.
#[derive(Debug)]
pub(crate) struct Servers {
    /// What each of them may have open.
    pub(super) files: Files,
    pub(super) nodes: Group,
    pub(super) orchestrators: Group,
}

/// Servers that stop together.
#[derive(Debug, Default)]
pub(super) struct Group {
    shutdown: CancellationToken,
    running: JoinSet<Result<(), Error>>,
}

impl Group {
    /// What tells a server of this group to stop.
    pub(super) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    pub(super) fn spawn(&mut self, server: impl Future<Output = Result<(), Error>> + Send + 'static) {
        self.running.spawn(server);
    }

    async fn stop(&mut self) {
        self.shutdown.cancel();
        while self.running.join_next().await.is_some() {}
    }

    /// Why the first server ended that did.
    async fn failure(&mut self) -> Error {
        match self.running.join_next().await {
            None => std::future::pending().await,
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => Error::internal("a server ended without being told to"),
            Some(Err(error)) => Error::internal(format!("a server broke: {error}")),
        }
    }
}

impl Servers {
    /// None yet, of one process that starts so many; before any of them, it may have as many files open as the system allows.
    pub(crate) fn prepare(orchestrator: bool, nodes: usize) -> Self {
        let files = Files::share_out(orchestrator, nodes);
        Self { files, nodes: Group::default(), orchestrators: Group::default() }
    }

    /// The work's own end, unless a server fails before.
    ///
    /// # Errors
    /// The work's, or the server's.
    pub(crate) async fn during<T>(
        &mut self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => done,
            failed = self.failure() => Err(failed),
        }
    }

    /// Waits for SIGINT or SIGTERM, then stops in good order. A second signal ends the process at once.
    ///
    /// # Errors
    /// Why a server ended before it was told to.
    pub(crate) async fn until_stopped(mut self) -> Result<(), Error> {
        let unavailable = |error| Error::internal(format!("listen for signals: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(unavailable)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(unavailable)?;
        let ended = tokio::select! {
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
            failed = self.failure() => Err(failed),
        };
        tracing::info!("stopping; once more stops at once");
        tokio::select! {
            () = self.stop() => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ended
    }

    /// Stops every server and waits for that. Nodes go first, so that they can take their leave.
    pub(crate) async fn stop(&mut self) {
        self.nodes.stop().await;
        self.orchestrators.stop().await;
    }

    /// Why the first server ended that did.
    async fn failure(&mut self) -> Error {
        tokio::select! {
            failed = self.nodes.failure() => failed,
            failed = self.orchestrators.failure() => failed,
        }
    }
}
