//! How far a job has come over its fleet, and steering it there. Ours: Bacalhau has nothing of the kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the nodes (`ops`, `daemon`) or partitions (`batch`, `service`) of a job's latest version stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Progress {
    /// Whether anything new may start: `Going`, `Canary`, `Pause`, `Halted` or `Aborted`.
    pub phase: String,
    /// Why nothing new starts; left out while the roll-out goes on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When a pause ends by itself, in nanoseconds since the epoch; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Completed.
    pub done: usize,
    /// Assigned or running.
    pub running: usize,
    /// Failed, lost or cancelled.
    pub failed: usize,
    /// Refused by their node.
    pub refused: usize,
    /// Not started yet.
    pub waiting: usize,
    /// Not started, and not to be.
    pub missed: usize,
    /// Nodes that are neither done nor running, with the reason.
    pub nodes: BTreeMap<String, String>,
}

impl Progress {
    /// Whether there is more to tell than of a single execution.
    pub fn is_of_several(&self) -> bool {
        let counts = [self.done, self.running, self.failed, self.refused, self.waiting, self.missed];
        counts.iter().sum::<usize>() > 1 || !self.reason.is_empty()
    }

    /// The numbers that are not 0 with their words: `3 done, 1 failed`.
    pub fn summary(&self) -> String {
        let numbers = [
            (self.done, "done"),
            (self.running, "running"),
            (self.failed, "failed"),
            (self.refused, "refused"),
            (self.waiting, "waiting"),
            (self.missed, "missed"),
        ];
        let words: Vec<_> = numbers
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        words.join(", ")
    }
}

/// Body of `PUT /orchestrator/jobs/{id}/rollout`; the answer is the [`Progress`] from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SteerRequest {
    /// What is to become of the roll-out.
    pub action: Action,
}

/// What is to become of a roll-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Start nothing new for now.
    Pause,
    /// Go on with what is left; the failures so far are forgiven.
    Resume,
    /// Start nothing new any more; what is under way ends as it does.
    Abort,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_leaves_out_what_there_is_none_of() {
        let progress = Progress { done: 3, missed: 1, ..Progress::default() };
        assert_eq!(progress.summary(), "3 done, 1 missed");
        assert_eq!(Progress::default().summary(), "");
    }
}
