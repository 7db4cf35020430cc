//! The handle through which requests and links reach the event loop and the stores.

use std::sync::Arc;

use skrei_job::{JobId, NodeId, Spec};
use skrei_protocol::link::Told;
use skrei_scheduler::{Event, Rerun, Steering};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{
    artifacts::Artifacts,
    config::Config,
    decide::{Accepted, Command, Order, Planned, Refused, Stopped},
    feed::Feed,
    nodes::{Hub, Identities, NodeAuthority, Outbox, tokens::TokenFile},
    results::Results,
    secrets::{Answers, Given, Keys, Waiting},
    store::{Standing, Store, StoredJob},
};

/// Everything a request may use. Shared by all of them.
#[derive(Debug)]
pub(crate) struct Orchestrator {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) artifacts: Artifacts,
    pub(crate) results: Arc<Results>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) identities: Arc<Identities>,
    /// Signs the certificates of nodes.
    pub(crate) authority: Arc<NodeAuthority>,
    /// Where a node of this machine and user finds a token.
    pub(crate) token_file: TokenFile,
    pub(crate) feed: Arc<Feed>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) keys: Arc<Keys>,
    /// Answers nodes that ask for secrets.
    pub(crate) answers: Answers,
    /// Nodes to whom a secret is to be sealed by somebody else.
    pub(crate) waiting: Arc<Waiting>,
    /// One permit: stored secrets are set, and their key is rotated, by one at a time.
    pub(crate) keeper: Semaphore,
}

impl Orchestrator {
    /// Its id.
    pub(crate) fn node(&self) -> &NodeId {
        &self.config.node
    }

    /// Accepts a job; answers when it is on disk. A submission with a token that was answered before gets the same
    /// answer.
    pub(crate) async fn submit(
        &self,
        spec: Spec,
        force: bool,
        token: Option<String>,
        secrets: Given,
    ) -> Result<Accepted, Refused> {
        self.ask(|reply| Command::Submit { spec: Box::new(spec), force, token, secrets, reply }).await
    }

    /// Answers when everything the event loop was told before is on disk.
    pub(crate) async fn settle(&self) -> Result<(), Refused> {
        self.ask(|reply| Command::Settle { reply }).await
    }

    /// Stops a job; answers when that is on disk.
    pub(crate) async fn stop(&self, job: JobId, reason: String) -> Result<Stopped, Refused> {
        self.ask(|reply| Command::Stop { job, reason, reply }).await
    }

    /// Makes a new version of a job, or of part of it, from the manifest it comes with; answers when that is on disk.
    pub(crate) async fn rerun(&self, job: StoredJob, rerun: Rerun) -> Result<Accepted, Refused> {
        let id = job.id.clone();
        let outdated = |problems: String| Refused::Outdated { job: id.clone(), problems };
        let spec = Spec::try_from(job.manifest.clone()).map_err(|problems| outdated(problems.to_string()))?;
        self.ask(|reply| Command::Rerun { job: id.clone(), spec: Box::new(spec), rerun, reply }).await
    }

    /// Says who would run a job now. Nothing is stored.
    pub(crate) async fn plan(&self, spec: Spec) -> Result<Planned, Refused> {
        self.ask(|reply| Command::Plan { spec: Box::new(spec), reply }).await
    }

    /// Pauses, resumes or aborts a roll-out; answers when that is on disk.
    pub(crate) async fn steer(&self, job: JobId, steering: Steering) -> Result<(), Refused> {
        self.ask(|reply| Command::Steer { job, steering, reply }).await
    }

    /// Carries out what somebody decided about a node; answers when that is on disk. A node that is rejected or deleted
    /// is let in no more from then on, and whatever is open for it ends.
    pub(crate) async fn order(&self, node: NodeId, order: Order) -> Result<(), Refused> {
        let ask = |order| self.ask(|reply| Command::Order { node: node.clone(), order, reply });
        match order {
            Order::Approve => {
                self.identities.set_standing(node.clone(), Standing::Admitted).await?;
                ask(order).await
            }
            // Decided first: the node is still told what to stop.
            Order::Reject => {
                let rejected = ask(order).await;
                if matches!(rejected, Ok(()) | Err(Refused::NodeIsSo { .. })) {
                    self.identities.set_standing(node.clone(), Standing::Rejected).await?;
                    self.authority.noted();
                }
                rejected
            }
            // Turned away first, so that it is not met again while it is forgotten.
            Order::Delete => {
                self.identities.set_standing(node.clone(), Standing::Removed).await?;
                self.authority.noted();
                ask(order).await
            }
            Order::Cordon | Order::Uncordon | Order::Drain(_) | Order::Label(_) => ask(order).await,
        }
    }

    /// Tells the event loop what happened; the number in `acknowledge` is acknowledged there once that is on disk.
    pub(crate) async fn happened(&self, event: Event, acknowledge: Option<(Arc<Outbox>, u64)>) {
        // A loop that is gone is shutting down; the node will say it again.
        let _ = self.commands.send(Command::Happened { event, acknowledge }).await;
    }

    /// Tells the event loop how far a node's guests say they are.
    pub(crate) async fn told(&self, node: &NodeId, news: Vec<Told>) {
        // As for what happened.
        let _ = self.commands.send(Command::Told { node: node.clone(), news }).await;
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Refused>>) -> Command,
    ) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Refused::ShuttingDown)?;
        answer.await.unwrap_or(Err(Refused::ShuttingDown))
    }
}
