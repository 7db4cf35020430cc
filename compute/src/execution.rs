//! The life of one execution on its node.

use std::sync::{Arc, OnceLock};

use skrei_job::{ExecutionId, life::ExecutionState, outcome::RunOutput};
use skrei_protocol::link::Assignment;
use skrei_runtime::{CancelToken, OutputSink, Stream};
use skrei_vault::Searched;
use tokio::{
    sync::{mpsc::UnboundedSender, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    ending::{self, Stop},
    journal::Held,
    log_store::Log,
    node::Node,
    output::Recording,
    prepare::{self, Prepared},
    publish,
    results::{Results, Tee},
    told::Listener,
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
        let Self { mut assignment, stopper, turn, log, mut departure } = self;
        let prepared = stopper.over(get_ready(&node, &mut assignment, turn)).await;
        // Opened by now, or of no use to anybody.
        assignment.secrets = Vec::new();
        let id = &assignment.execution;
        let (state, results) = match prepared {
            Err(stop) => (ending::before_start(stop, &node.id), None),
            Ok(Err(unready)) => (unready.into(), None),
            Ok(Ok(prepared)) => {
                // Once this is on disk the guest runs, or its execution counts as interrupted.
                match stopper.over(start(&node, id, prepared.secrets.clone())).await {
                    Ok(started) => {
                        started?;
                        run(&node, &assignment, prepared, &stopper, Arc::clone(&log)).await
                    }
                    // It may be on disk all the same; how it ended is written after it.
                    Err(stop) => (ending::before_start(stop, &node.id), None),
                }
            }
        };
        node.told.forget(id);
        let state = match pack(&node, &assignment, state, results).await {
            Ok(held) => {
                departure.room();
                // From here on the results are handed over, whatever stops in between.
                node.journal.hold(&held, log.finish()).await?;
                return Delivery { held, stopper, departure }.finish(&node).await;
            }
            Err(state) => state,
        };
        departure.room();
        node.journal.end(id, state, log.finish()).await?;
        departure.written = true;
        Ok(())
    }
}

/// An execution whose guest is done and whose results are on their way.
pub(crate) struct Delivery {
    pub(crate) held: Held,
    pub(crate) stopper: Stopper,
    pub(crate) departure: Departure,
}

impl Delivery {
    /// Goes on until the results have arrived, or cannot, and the outcome is in the journal. A node that shuts down
    /// leaves them to its next start.
    pub(crate) async fn finish(self, node: &Node) -> Result<(), skrei_ledger::Error> {
        let Self { held: Held { parcel, state }, stopper, mut departure } = self;
        let state = match stopper.over(node.publishing.deliver(&node.fetching, &parcel)).await {
            Ok(Ok(place)) => publish::published(state, place),
            Ok(Err(error)) => {
                tracing::warn!(execution = %parcel.execution, %error, "results are not published");
                publish::unpublished(state, &error)
            }
            Err(stop @ Stop::Cancelled { .. }) => ending::of_stop(stop, RunOutput::default()),
            Err(Stop::Interrupted) => return Ok(()),
        };
        node.journal.end(&parcel.execution, state, Recording::default()).await?;
        node.publishing.outbox.forget(&parcel.execution).await;
        departure.written = true;
        Ok(())
    }
}

/// Packs what the guest left if that is to be published, or gives the outcome back as it then is.
async fn pack(
    node: &Node,
    assignment: &Assignment,
    state: ExecutionState,
    results: Option<Results>,
) -> Result<Held, ExecutionState> {
    let Some(results) = results else { return Err(state) };
    let (Some(to), Some(exit_code)) =
        (publish::destination(&node.id, assignment), publish::exit_code(&state))
    else {
        // Removing what a guest made can take a while.
        let _ = tokio::task::spawn_blocking(move || drop(results)).await;
        return Err(state);
    };
    let of = (&assignment.execution, &assignment.job);
    match node.publishing.pack(of, results, exit_code, to).await {
        Ok(parcel) => Ok(Held { parcel, state }),
        Err(error) => {
            tracing::warn!(execution = %assignment.execution, %error, "results cannot be packed");
            Err(publish::unpublished(state, &error))
        }
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
    assignment: &mut Assignment,
    mut turn: oneshot::Receiver<()>,
) -> Result<Prepared, ending::Unready> {
    let arrived = Instant::now();
    node.probes.ask(&node.id, &assignment.spec).await.map_err(ending::Unready::Refused)?;
    if turn.try_recv().is_err() {
        // By then a secret may be another one, or removed.
        assignment.secrets = Vec::new();
        // Who will be refused need not wait for it.
        prepare::granted(node, assignment.spec.task()).await?;
        // The sender goes away only with the node.
        let _ = turn.await;
    }
    prepare::prepare(node, assignment, arrived).await
}

/// Writes the start down. What its secrets are searched for by is worked out meanwhile, and not when the guest first writes.
async fn start(
    node: &Node,
    id: &ExecutionId,
    secrets: Option<Arc<Searched>>,
) -> Result<(), skrei_ledger::Error> {
    let work_out = async {
        if let Some(secrets) = secrets {
            // It is done by then, or the guest waits for it when it writes.
            drop(tokio::task::spawn_blocking(move || secrets.work_out()));
        }
    };
    // In this order: the disk is the slower of the two.
    let (started, ()) = tokio::join!(node.journal.start(id), work_out);
    started
}

async fn run(
    node: &Node,
    assignment: &Assignment,
    prepared: Prepared,
    stopper: &Stopper,
    log: Arc<Log>,
) -> (ExecutionState, Option<Results>) {
    if let Some(stop) = stopper.reason() {
        return (ending::of_stop(stop, RunOutput::default()), None);
    }
    let Prepared { module, sandbox, mut kept, secrets } = prepared;
    let results = kept.results.take();
    let cancel = CancelToken::new();
    let listener = listener(node, assignment, secrets.clone());
    let sandbox = match listener.listen(sandbox) {
        Ok(sandbox) => sandbox,
        Err(error) => return (ending::of_error(error.to_string()), results),
    };
    let output = results.as_ref().and_then(Results::output);
    let output = Arc::new(Tee { log: Arc::clone(&log) as Arc<dyn OutputSink>, results: output });
    let sandbox = sandbox.output(output).cancel(cancel.clone());
    let Some(mut guest) = node.guests.run(module, sandbox) else {
        return (ending::of_stop(Stop::Interrupted, RunOutput::default()), results);
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
    let state = match ended {
        Ok(Ok(outcome)) => {
            if let dropped @ 1.. = listener.dropped() {
                let note = format!("[{dropped} lines that were told were no messages, or one too many]\n");
                log.write(Stream::Stderr, note.as_bytes());
            }
            ending::of_outcome(&outcome, listener.values(), assignment.spec.task(), stopper.reason())
        }
        Ok(Err(error)) => ending::of_error(format!("the guest cannot be run: {error}")),
        Err(error) => ending::of_error(format!("the guest's thread failed: {error}")),
    };
    let state = match &secrets {
        Some(secrets) => ending::without_secrets(state, secrets),
        None => state,
    };
    (state, results)
}

/// Takes what the guest tells: its progress goes to whoever follows the job.
fn listener(node: &Node, assignment: &Assignment, secrets: Option<Arc<Searched>>) -> Arc<Listener> {
    let (told, execution) = (Arc::clone(&node.told), assignment.execution.clone());
    Listener::hiding(secrets, move |progress| told.put(&execution, progress))
}
