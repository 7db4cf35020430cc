//! Ops jobs: once on every node that matches when the job is placed.

use skrei_job::{
    NodeId,
    life::{ExecutionState, JobState},
};

use crate::{
    Scheduler,
    history::Topic,
    live::Live,
    placement::{self, Reason},
};

impl Scheduler {
    pub(crate) fn begin_ops(&mut self, live: &mut Live) {
        if self.place_ops(live) {
            return;
        }
        let reason = self.why_no_node(live, None);
        if live.may_wait_for_nodes(self.now) {
            self.waiting_ops.insert(live.job.id.clone());
            self.is_queued(live, reason);
        } else {
            self.finish(live, JobState::Failed, reason, Some(Topic::Scheduling));
        }
    }

    /// Gives an execution to every node that matches. A node that matches but has no room now gets one that
    /// is held until it has. False if no node matches.
    fn place_ops(&mut self, live: &mut Live) -> bool {
        let demand = live.demand.clone();
        let matching: Vec<NodeId> = self
            .fleet
            .iter()
            .filter(|member| placement::reasons(&demand, member.candidate()).all(|reason| reason.is_busy()))
            .map(|member| member.node.info.id.clone())
            .collect();
        for node in &matching {
            self.assign(live, node, 0);
        }
        self.is_running(live);
        !matching.is_empty()
    }

    /// Looks again at the ops jobs that wait for a first node, because this one changed.
    pub(crate) fn retry_waiting_ops(&mut self, node: &NodeId) {
        let Some(member) = self.fleet.get(node) else { return };
        let matched: Vec<_> = self
            .waiting_ops
            .iter()
            .filter(|job| {
                self.jobs.get(*job).is_some_and(|live| {
                    placement::reasons(&live.demand, member.candidate())
                        .all(|reason: Reason| reason.is_busy())
                })
            })
            .cloned()
            .collect();
        for job in matched {
            self.waiting_ops.remove(&job);
            if let Some(mut live) = self.take(&job) {
                self.place_ops(&mut live);
                self.put(live);
            }
        }
    }

    /// Ends an ops job once all its executions have ended: `Completed` only if every one is.
    pub(crate) fn conclude_ops(&mut self, live: &mut Live) {
        if live.active > 0 {
            return;
        }
        let failures: Vec<_> = live
            .current()
            .filter_map(|execution| Some((&execution.node, not_completed(&execution.state)?)))
            .collect();
        if failures.is_empty() {
            self.finish(live, JobState::Completed, String::new(), None);
            return;
        }
        let all = live.current().count();
        let message = format!(
            "{} of {} failed: {}",
            failures.len(),
            placement::nodes(all),
            placement::grouped(failures)
        );
        self.finish(live, JobState::Failed, message, Some(Topic::Execution));
    }
}

/// Why a node did not complete its execution; none if it did.
pub(crate) fn not_completed(state: &ExecutionState) -> Option<String> {
    match state {
        ExecutionState::Completed(_) => None,
        ExecutionState::Failed(failure) => Some(failure.message.clone()),
        ExecutionState::Refused(refusal) => {
            Some(format!("refused ({}): {}", refusal.rule.as_str(), refusal.message))
        }
        ExecutionState::Cancelled { reason } => Some(format!("cancelled: {reason}")),
        ExecutionState::Lost => Some("lost: the node was not heard from for too long".to_owned()),
        ExecutionState::Assigned | ExecutionState::Running => Some("not done".to_owned()),
    }
}
