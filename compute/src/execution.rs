//! The life of one execution on its node.

use std::sync::{Arc, OnceLock};

use skrei_job::{ExecutionId, life::ExecutionState, outcome::RunOutput};
use skrei_protocol::link::Assignment;
use skrei_runtime::CancelToken;
use tokio::sync::{mpsc::UnboundedSender, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    ending::{self, Stop},
    log_store::Log,
    node::Node,
    output::Recording,
    prepare::{self, Prepared},
};

/// Stops one execution, wherever it is in its life. The first reason counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopper {
    token: CancellationToken,
    reason: Arc<OnceLock<Stop>>,
}

impl Stopper {
    pub(crate) fn stop(&self, stop: Stop) {
        // A second reason changes nothing.
        let _ = self.reason.set(stop);
        self.token.cancel();
    }

    fn reason(&self) -> Option<Stop> {
        self.reason.get().cloned()
    }

    /// What `work` comes to, or why it was stopped before.
    async fn over<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => Err(self.reason().unwrap_or(Stop::Interrupted)),
            done = work => Ok(done),
        }
    }
}

/// What an execution leaves behind on its way out.
#[derive(Debug)]
pub(crate) enum Left {
    /// It needs its room no longer, though its outcome is not on disk yet.
    Room(ExecutionId),
    /// Its end is in the journal.
    Written(ExecutionId),
    /// It broke off, and nobody has written down how it ended.
    Broken(ExecutionId),
}

/// Makes sure that an execution's leaving is noticed, whichever way it goes.
#[derive(Debug)]
pub(crate) struct Departure {
    execution: ExecutionId,
    left: UnboundedSender<Left>,
    written: bool,
}

impl Departure {
    pub(crate) fn new(execution: ExecutionId, left: UnboundedSender<Left>) -> Self {
        Self { execution, left, written: false }
    }

    fn room(&self) {
        // Whoever is not there any more needs no room.
        let _ = self.left.send(Left::Room(self.execution.clone()));
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        let execution = self.execution.clone();
        let _ = self.left.send(if self.written { Left::Written(execution) } else { Left::Broken(execution) });
    }
}

/// One execution that a node has taken on.
pub(crate) struct Execution {
    pub(crate) assignment: Box<Assignment>,
    pub(crate) stopper: Stopper,
    /// Ready when there is room for it.
    pub(crate) turn: oneshot::Receiver<()>,
    pub(crate) log: Arc<Log>,
    pub(crate) departure: Departure,
}

impl Execution {
    /// Lives until the outcome is in the journal.
    pub(crate) async fn live(self, node: Arc<Node>) -> Result<(), skrei_ledger::Error> {
        let Self { assignment, stopper, turn, log, mut departure } = self;
        let id = &assignment.execution;
        let state = match stopper.over(get_ready(&node, &assignment, turn)).await {
            Err(stop) => ending::before_start(stop, &node.id),
            Ok(Err(unready)) => unready.into(),
            Ok(Ok(prepared)) => {
                // Once this is on disk the guest runs, or its execution counts as interrupted.
                node.journal.start(id).await?;
                run(&node, &assignment, prepared, &stopper, Arc::clone(&log)).await
            }
        };
        departure.room();
        node.journal.end(id, state, log.finish()).await?;
        departure.written = true;
        Ok(())
    }
}

/// Writes down an execution that never got so far as to live.
pub(crate) async fn never_ran(
    node: Arc<Node>,
    execution: ExecutionId,
    state: ExecutionState,
    mut departure: Departure,
) -> Result<(), skrei_ledger::Error> {
    node.journal.end(&execution, state, Recording::default()).await?;
    departure.written = true;
    Ok(())
}

async fn get_ready(
    node: &Arc<Node>,
    assignment: &Assignment,
    mut turn: oneshot::Receiver<()>,
) -> Result<Prepared, ending::Unready> {
    if turn.try_recv().is_err() {
        // Who will be refused need not wait for it.
        prepare::check_grants(node, assignment.spec.task()).await?;
        // The sender goes away only with the node.
        let _ = turn.await;
    }
    prepare::prepare(node, assignment).await
}

async fn run(
    node: &Node,
    assignment: &Assignment,
    prepared: Prepared,
    stopper: &Stopper,
    log: Arc<Log>,
) -> ExecutionState {
    if let Some(stop) = stopper.reason() {
        return ending::of_stop(stop, RunOutput::default());
    }
    let Prepared { module, sandbox, kept } = prepared;
    let cancel = CancelToken::new();
    let sandbox = sandbox.output(log).cancel(cancel.clone());
    let Some(mut guest) = node.guests.run(module, sandbox) else {
        return ending::of_stop(Stop::Interrupted, RunOutput::default());
    };
    let ended = match stopper.over(&mut guest).await {
        Ok(ended) => ended,
        Err(_) => {
            cancel.cancel();
            guest.await
        }
    };
    // Removing what a guest made can take a while.
    let _ = tokio::task::spawn_blocking(move || drop(kept)).await;
    match ended {
        Ok(Ok(outcome)) => ending::of_outcome(&outcome, assignment.spec.task(), stopper.reason()),
        Ok(Err(error)) => ending::of_error(format!("the guest cannot be run: {error}")),
        Err(error) => ending::of_error(format!("the guest's thread failed: {error}")),
    }
}
