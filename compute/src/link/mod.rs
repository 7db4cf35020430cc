//! The link: one connection to one orchestrator, kept up for as long as the node lives.
//!
//! The node dials, so it needs no open port. When the connection breaks, executions go on; the next one that is
//! made starts with what the orchestrator has not acknowledged. [`dialogue`] decides what is said, `session`
//! carries it.

mod address;
pub mod dialogue;
mod pause;
mod session;

use std::{sync::Arc, time::Duration};

pub(crate) use address::Address;
pub(crate) use pause::{Pause, spread};
use session::End;
use skrei_protocol::link::{Hello, Load};
use tokio::sync::{Notify, mpsc, watch};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use crate::{Error, node::Node, supervisor::Order};

/// The pause after a rejection: nothing changes until somebody changes a configuration.
const REJECTED_PAUSE: Duration = Duration::from_secs(30);

/// What the link works with.
pub(crate) struct Link {
    pub(crate) node: Arc<Node>,
    /// The greeting, but for what the node holds when it calls.
    pub(crate) hello: Hello,
    pub(crate) heartbeat: Duration,
    pub(crate) orchestrators: Vec<Address>,
    /// Connects to them as who this node is.
    pub(crate) connector: TlsConnector,
    /// Says which orchestrator answers.
    pub(crate) current: watch::Sender<Option<Address>>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) load: watch::Receiver<Load>,
    pub(crate) latest: watch::Receiver<u64>,
    /// The node is shutting down and says so.
    pub(crate) leaving: CancellationToken,
    /// Told when the orchestrator asks for the next certificate to be got.
    pub(crate) renewal: Arc<Notify>,
}

impl Link {
    /// Calls the orchestrators in turn, talks to the one that answers, and calls again. Ends only with an error;
    /// it is dropped when the node is done.
    pub(crate) async fn run(mut self) -> Error {
        let mut pause = Pause::default();
        let orchestrators = self.orchestrators.clone();
        for address in orchestrators.iter().cycle() {
            let (welcomed, end) = match session::connect(address, &self.connector).await {
                Ok(socket) => session::talk(&mut self, address, socket).await,
                Err(end) => (false, end),
            };
            self.current.send_replace(None);
            if welcomed {
                pause.reset();
            }
            let wait = match &end {
                End::Journal(error) if !error.may_pass() => return Error::Journal(error.clone()),
                End::Rejected { message, hint } => {
                    tracing::error!(%address, %message, %hint, "the orchestrator rejects this node");
                    REJECTED_PAUSE.mul_f64(0.5 + spread() / 2.0)
                }
                other => {
                    let wait = pause.next(spread());
                    tracing::warn!(%address, reason = %other, retry_in = ?wait, "not linked to the orchestrator");
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
        Error::NoOrchestrator
    }
}
