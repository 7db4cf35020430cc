//! Compute nodes as the scheduler sees them.

use std::collections::{BTreeMap, BTreeSet};

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
    /// It gets nothing new; what it has goes on.
    Cordon,
    /// It may get work again, and is not emptied any more.
    Uncordon,
    /// It gets nothing new, and what it has goes away: services are given to others at once, what ends by itself may do so
    /// until then, and the rest is given to others then.
    Drain {
        /// When.
        until: Timestamp,
    },
    /// These labels count, whatever the node says; none in the place of a value lets the node say it again.
    Label(BTreeMap<String, Option<String>>),
}

/// What was decided about a node, beside whether it may take part at all. It holds over restarts and broken links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Orders {
    /// It gets nothing new.
    pub cordoned: bool,
    /// What it has is to be gone by then.
    pub drain: Option<Timestamp>,
    /// Labels that count whatever the node says.
    pub labels: Labels,
    /// What the node says in their place.
    pub covered: Labels,
}

impl Orders {
    /// The labels that count for a node that says these.
    pub(crate) fn dress(&mut self, mut said: Labels) -> Labels {
        let is_set = |name: &String| self.labels.contains_key(name);
        self.covered =
            said.iter().filter(|(name, _)| is_set(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
        said.extend(self.labels.clone());
        said
    }

    /// What the node said whose labels these are.
    pub(crate) fn undress(&self, mut labels: Labels) -> Labels {
        labels.retain(|name, _| !self.labels.contains_key(name));
        labels.extend(self.covered.clone());
        labels
    }
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
    /// What was decided about it. The labels in `info` are those that follow from it.
    #[serde(default)]
    pub orders: Orders,
    /// Why it can do nothing new for now, in its words; none if it does well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwell: Option<String>,
}
