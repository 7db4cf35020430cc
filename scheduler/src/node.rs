//! Compute nodes as the scheduler sees them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use skrei_job::{NodeId, Timestamp, labels::Labels, resources::Resources};

/// What a node says about itself, and whether it may take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its id.
    pub id: NodeId,
    /// Configured and automatic labels; constraints are about these.
    pub labels: Labels,
    /// Engines it can run, in lower case: `wasm`.
    pub engines: BTreeSet<String>,
    /// All it shares out, in use or not.
    pub capacity: Resources,
    /// Whether it may get work.
    pub membership: Membership,
}

/// Whether a node may get work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    /// Waits for somebody to approve it.
    Pending,
    /// It may.
    #[default]
    Approved,
    /// Somebody turned it away.
    Rejected,
}

impl Membership {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// What somebody in charge of the fleet decides about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeOrder {
    /// It may get work.
    Approve,
    /// It may not, and what it has is given to others.
    Reject,
}

/// Whether a node can be reached.
///
/// `Connected` → `Away` → `Connected` | `Lost`; `Lost` → `Connected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// Its link is up.
    Connected,
    /// Its link is down, for less than the grace so far; it keeps its executions and gets no new ones.
    Away {
        /// When the link broke, or when the orchestrator started without it.
        since: Timestamp,
    },
    /// Its link was down for longer than the grace; its executions were given up.
    Lost {
        /// When the link broke.
        since: Timestamp,
    },
}

/// A known node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it said last.
    pub info: NodeInfo,
    /// Whether it can be reached.
    pub connection: Connection,
}
