//! The truth about a job over its fleet, in numbers and by name.

use std::{collections::BTreeMap, fmt};

use skrei_job::{
    NodeId,
    life::{Execution, ExecutionState},
    spec::Kind,
};

use crate::{Only, Progress, fanout::not_completed, slot::Slot};

/// How many slots of a job stand where, and why those stand there that are not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Completed.
    pub done: usize,
    /// Assigned or running.
    pub going_on: usize,
    /// Failed, lost or cancelled.
    pub failed: usize,
    /// Refused by their node.
    pub refused: usize,
    /// Not started yet.
    pub waiting: usize,
    /// Not started, and not to be.
    pub missed: usize,
    /// Nodes of an `ops` job or `daemon` that are neither done nor going on, with the reason.
    pub reasons: BTreeMap<NodeId, String>,
}

impl Tally {
    /// Counts the slots of one version of a job by their last execution.
    pub fn of(kind: Kind, executions: &[Execution], progress: &Progress) -> Self {
        let last = last(kind, executions);
        let mut tally = Self::default();
        for (slot, execution) in &last {
            *match &execution.state {
                ExecutionState::Completed(_) => &mut tally.done,
                ExecutionState::Assigned | ExecutionState::Running => &mut tally.going_on,
                ExecutionState::Refused(_) => &mut tally.refused,
                ExecutionState::Failed(_) | ExecutionState::Lost | ExecutionState::Cancelled { .. } => {
                    &mut tally.failed
                }
            } += 1;
            if let (Slot::Node(node), true, Some(why)) =
                (slot, execution.state.is_terminal(), not_completed(&execution.state))
            {
                tally.reasons.insert(node.clone(), why);
            }
        }
        if let Kind::Batch { count } | Kind::Service { count } = kind {
            let wanted = (0..count).filter(|partition| progress.only.has_partition(*partition)).count();
            tally.waiting = wanted.saturating_sub(last.len());
        }
        let untried = |node: &&NodeId| !last.contains_key(&Slot::Node((*node).clone()));
        for (node, why) in progress.missed.iter().filter(|(node, _)| untried(node)) {
            tally.missed += 1;
            tally.reasons.insert(node.clone(), format!("missed: {why}"));
        }
        for node in progress.waiting.iter().filter(untried) {
            if !progress.missed.contains_key(node) {
                tally.waiting += 1;
                tally.reasons.insert(node.clone(), "waiting for its turn, or for the node".to_owned());
            }
        }
        tally
    }

    /// What of an ended version was not done: that which failed, was refused or given up, and the nodes it missed. Empty
    /// sets if there is nothing of the kind.
    pub fn left(
        kind: Kind,
        executions: &[Execution],
        progress: &Progress,
        failed: bool,
        missed: bool,
    ) -> Only {
        let last = last(kind, executions);
        let mut left = Only::default();
        let undone =
            last.iter().filter(|(_, execution)| !matches!(execution.state, ExecutionState::Completed(_)));
        for (slot, _) in undone.filter(|_| failed) {
            match slot {
                Slot::Node(node) => left.nodes.insert(node.clone()),
                Slot::Partition(partition) => left.partitions.insert(*partition),
            };
        }
        let untried = |node: &&NodeId| !last.contains_key(&Slot::Node((*node).clone()));
        let never = progress.missed.keys().chain(&progress.waiting);
        left.nodes.extend(never.filter(untried).filter(|_| missed).cloned());
        if let Kind::Batch { count } | Kind::Service { count } = kind {
            let untried = |partition: &u32| !last.contains_key(&Slot::Partition(*partition));
            let wanted = (0..count).filter(|partition| progress.only.has_partition(*partition));
            left.partitions.extend(wanted.filter(untried).filter(|_| missed));
        }
        left
    }

    /// The numbers with their words, those that are not 0.
    pub fn numbers(&self) -> Vec<(&'static str, usize)> {
        [
            ("done", self.done),
            ("going on", self.going_on),
            ("failed", self.failed),
            ("refused", self.refused),
            ("waiting", self.waiting),
            ("missed", self.missed),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
    }
}

/// The last execution of each slot.
fn last(kind: Kind, executions: &[Execution]) -> BTreeMap<Slot, &Execution> {
    let mut last = BTreeMap::<Slot, &Execution>::new();
    for execution in executions {
        let held = last.entry(Slot::of(kind, execution)).or_insert(execution);
        if (execution.attempt, execution.created) > (held.attempt, held.created) {
            *held = execution;
        }
    }
    last
}

impl fmt::Display for Tally {
    /// `3 done, 1 failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> =
            self.numbers().into_iter().map(|(word, count)| format!("{count} {word}")).collect();
        f.write_str(&numbers.join(", "))
    }
}
