//! How far a job has come over its fleet, as far as its executions do not tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use skrei_job::{NodeId, Timestamp};

/// Who waits, who was missed, and whether anything new may start. Stored with the job's latest version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Progress {
    /// Whether anything new may start.
    pub phase: Phase,
    /// Nodes that were to have an execution and had none when this was written. Those that have one by now tell
    /// for themselves.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub waiting: BTreeSet<NodeId>,
    /// Nodes that match and got no execution, with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub missed: BTreeMap<NodeId, String>,
    /// What this version is about, if it is not about everything.
    #[serde(skip_serializing_if = "Only::is_everything")]
    pub only: Only,
    /// How many failures were looked at when somebody said to go on.
    #[serde(skip_serializing_if = "is_zero")]
    pub forgiven: usize,
}

/// Part of a job: what is left of an earlier version. Empty sets are everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Only {
    /// Nodes of an `ops` job or `daemon`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub nodes: BTreeSet<NodeId>,
    /// Partitions of a `batch` job or `service`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub partitions: BTreeSet<u32>,
}

impl Only {
    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn has_node(&self, node: &NodeId) -> bool {
        self.nodes.is_empty() || self.nodes.contains(node)
    }

    pub(crate) fn has_partition(&self, partition: u32) -> bool {
        self.partitions.is_empty() || self.partitions.contains(&partition)
    }
}

/// Whether anything new may start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// As the roll-out's rules say.
    #[default]
    Going,
    /// Only the canaries.
    Canary,
    /// Nothing before this time.
    Pause {
        /// When it goes on by itself.
        until: Timestamp,
    },
    /// Nothing until somebody says so.
    Halted {
        /// Why.
        why: String,
        /// Whether the canaries were still under way.
        canary: bool,
    },
    /// Nothing any more.
    Aborted,
}

/// What somebody says to a roll-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steering {
    /// Start nothing new for now.
    Pause,
    /// Go on with what is left; the failures so far are forgiven.
    Resume,
    /// Start nothing new any more; what is under way ends as it does.
    Abort,
}

impl Phase {
    /// One word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Going => "Going",
            Self::Canary => "Canary",
            Self::Pause { .. } => "Pause",
            Self::Halted { .. } => "Halted",
            Self::Aborted => "Aborted",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
