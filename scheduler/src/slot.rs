//! The places a job fills with executions.

use skrei_job::{NodeId, life::Execution, spec::Kind};

/// One place that a job fills: a partition of a `batch` or `service`, a node of an `ops` job or `daemon`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    Partition(u32),
    Node(NodeId),
}

impl Slot {
    /// The place an execution of such a job fills.
    pub(crate) fn of(kind: Kind, execution: &Execution) -> Self {
        if kind.is_counted() {
            Self::Partition(execution.partition)
        } else {
            Self::Node(execution.node.clone())
        }
    }

    pub(crate) fn partition(&self) -> u32 {
        if let Self::Partition(partition) = self { *partition } else { 0 }
    }
}
