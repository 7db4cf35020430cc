//! What follows from a decision, once it is on disk: nodes are told, followers see it, callers are answered.

use std::sync::Arc;

use skrei_job::{ExecutionId, NodeId};
use skrei_ledger::Committed;
use skrei_protocol::link::ToNode;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    decide::{Accepted, Command, Refused, Stopped},
    feed::Feed,
    nodes::{Hub, Outbox},
    secrets::{Ahead, Waiting},
    store::{Error, Placed, Position},
};

/// Everything that waits behind one batch of records.
#[derive(Debug)]
pub(crate) struct Effects {
    /// Which beginning of the event loop they were decided after.
    pub(crate) era: u64,
    /// None if nothing had to be stored.
    pub(crate) committed: Option<Committed<()>>,
    /// Where the log ends then.
    pub(crate) position: Position,
    pub(crate) sends: Vec<Outgoing>,
    /// Goes with what is sent.
    pub(crate) ahead: Ahead,
    pub(crate) followed: Followed,
    pub(crate) replies: Vec<Reply>,
}

/// What is to be done about a node.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) node: NodeId,
    pub(crate) errand: Errand,
}

/// What is to be done about a node. In the order of decisions, so that nothing is noted of an execution after its end.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Tell it something.
    Say(ToNode),
    /// It is back and holds these alone; what else it is to run it is told anew.
    Holds(Vec<ExecutionId>),
    /// This execution needs nothing more.
    Ended(ExecutionId),
    /// Somebody removed it.
    Forget,
}

/// History entries for followers.
#[derive(Debug)]
pub(crate) struct Followed(Vec<Arc<Placed>>);

impl Followed {
    pub(crate) fn new(entries: Vec<Placed>) -> Self {
        Self(entries.into_iter().map(Arc::new).collect())
    }
}

/// An answer that waits.
#[derive(Debug)]
pub(crate) enum Reply {
    Submit(oneshot::Sender<Result<Accepted, Refused>>, Result<Accepted, Refused>),
    Stop(oneshot::Sender<Result<Stopped, Refused>>, Result<Stopped, Refused>),
    Steer(oneshot::Sender<Result<(), Refused>>, Result<(), Refused>),
    Order(oneshot::Sender<Result<(), Refused>>, Result<(), Refused>),
    Settle(oneshot::Sender<Result<(), Refused>>),
    Acknowledge(Arc<Outbox>, u64),
}

/// Performs effects in the order they were decided.
pub(crate) struct Performer {
    pub(crate) hub: Arc<Hub>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) waiting: Arc<Waiting>,
    /// Where to say that the store failed.
    pub(crate) commands: mpsc::WeakSender<Command>,
    /// The last position known to be on disk.
    pub(crate) stored: watch::Sender<Position>,
}

impl Performer {
    /// Runs until the event loop is gone.
    pub(crate) async fn run(self, mut queue: mpsc::Receiver<Effects>) {
        // After a failure everything decided in the same era fails too; the loop is told once for all of it.
        let mut failed_era = None;
        while let Some(effects) = queue.recv().await {
            let outcome = match effects.committed {
                Some(committed) => Some(committed.wait().await),
                None => None,
            };
            match outcome {
                Some(Err(error)) => {
                    refuse(effects.replies, &error);
                    if failed_era != Some(effects.era) {
                        failed_era = Some(effects.era);
                        tracing::error!(%error, "a decision could not be stored");
                        self.reload().await;
                    }
                    continue;
                }
                Some(Ok(())) => {
                    self.stored.send_replace(effects.position);
                }
                None => {}
            }
            let mut sealed = effects.ahead.sealed().await;
            for Outgoing { node, errand } in effects.sends {
                match errand {
                    Errand::Say(ToNode::Run(mut assignment)) => {
                        assignment.secrets = sealed.remove(&assignment.execution).unwrap_or_default();
                        self.hub.send(&node, ToNode::Run(assignment));
                    }
                    Errand::Say(message) => self.hub.send(&node, message),
                    Errand::Holds(executions) => self.hub.holds(&node, &executions),
                    Errand::Ended(execution) => {
                        self.hub.ended(&node, &execution);
                        self.waiting.ended(&node, &execution);
                    }
                    Errand::Forget => self.hub.forget(&node),
                }
            }
            self.feed.publish(effects.followed.0);
            answer(effects.replies);
        }
    }

    async fn reload(&self) {
        if let Some(commands) = self.commands.upgrade() {
            // The loop may be waiting for room in our queue: never wait for it here.
            tokio::spawn(async move { commands.send(Command::Reload).await });
        }
    }
}

fn answer(replies: Vec<Reply>) {
    for reply in replies {
        // A caller that has gone away does not want its answer.
        match reply {
            Reply::Submit(to, answer) => drop(to.send(answer)),
            Reply::Stop(to, answer) => drop(to.send(answer)),
            Reply::Steer(to, answer) | Reply::Order(to, answer) => drop(to.send(answer)),
            Reply::Settle(to) => drop(to.send(Ok(()))),
            Reply::Acknowledge(to, number) => to.acknowledge(number),
        }
    }
}

fn refuse(replies: Vec<Reply>, error: &Error) {
    for reply in replies {
        match reply {
            Reply::Submit(to, _) => drop(to.send(Err(Refused::Store(error.clone())))),
            Reply::Stop(to, _) => drop(to.send(Err(Refused::Store(error.clone())))),
            Reply::Steer(to, _) | Reply::Order(to, _) | Reply::Settle(to) => {
                drop(to.send(Err(Refused::Store(error.clone()))));
            }
            // Not acknowledged: the node says it again.
            Reply::Acknowledge(..) => {}
        }
    }
}
