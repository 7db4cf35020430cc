//! What nodes report about executions.

use skrei_job::{ExecutionId, NodeId, life::ExecutionState, outcome::Cause, spec::Kind};

use crate::{
    Scheduler,
    ending::{error_details, owe},
    history::{Details, Topic},
    live::Live,
    submission::node_details,
};

impl Scheduler {
    pub(crate) fn execution_started(&mut self, id: &ExecutionId, node: &NodeId) {
        let Some(mut live) = self.live_with(id, node) else { return };
        if live.execution(id).is_some_and(|execution| execution.state == ExecutionState::Assigned) {
            self.runs_after_all(node, id);
            self.change_execution(&mut live, id, ExecutionState::Running);
            self.note(&mut live, Some(id), Topic::Execution, "Running".to_owned(), node_details(node));
        }
        self.put(live);
    }

    pub(crate) fn execution_ended(&mut self, id: &ExecutionId, node: &NodeId, state: ExecutionState) {
        let is_an_end = matches!(
            state,
            ExecutionState::Completed(_)
                | ExecutionState::Failed(_)
                | ExecutionState::Refused(_)
                | ExecutionState::Cancelled { .. }
        );
        if !is_an_end {
            return;
        }
        let Some(mut live) = self.live_with(id, node) else { return };
        let Some(attempt) = live.attempts.get(id) else { return self.put(live) };
        match &attempt.execution.state {
            ExecutionState::Assigned | ExecutionState::Running => {
                self.ended_as_told(&mut live, id, node, state)
            }
            ExecutionState::Lost if attempt.owed => self.ended_after_loss(&mut live, id, node, state),
            ExecutionState::Cancelled { .. } if attempt.owed => {
                self.ended_after_cancel(&mut live, id, node, &state)
            }
            // Said before.
            _ => {}
        }
        self.put(live);
    }

    fn ended_as_told(&mut self, live: &mut Live, id: &ExecutionId, node: &NodeId, state: ExecutionState) {
        self.release(node, id);
        self.note_end(live, id, node, &state, "");
        self.change_execution(live, id, state);
        self.go_on(live, id);
    }

    /// The truth about a lost execution: it replaces the guess, unless another attempt took its place.
    fn ended_after_loss(&mut self, live: &mut Live, id: &ExecutionId, node: &NodeId, state: ExecutionState) {
        self.settle(live, id, node);
        let Some(execution) = live.execution(id).cloned() else { return };
        let replaced = live.is_replaced(&execution);
        let corrects = matches!(state, ExecutionState::Completed(_) | ExecutionState::Failed(_)) && !replaced;
        let remark =
            if replaced { " (reported after it was replaced)" } else { " (reported after it was lost)" };
        self.note_end(live, id, node, &state, remark);
        if !corrects {
            return;
        }
        self.change_execution(live, id, state);
        if !live.is_current(&execution) || live.job.state.is_terminal() {
            return;
        }
        self.stop_waiting(live, execution.partition);
        self.go_on(live, id);
    }

    fn ended_after_cancel(
        &mut self,
        live: &mut Live,
        id: &ExecutionId,
        node: &NodeId,
        state: &ExecutionState,
    ) {
        self.settle(live, id, node);
        if matches!(state, ExecutionState::Completed(_) | ExecutionState::Failed(_)) {
            self.note_end(live, id, node, state, " (reported after it was cancelled)");
        }
    }

    /// Goes on with the job after one of its executions has ended.
    pub(crate) fn go_on(&mut self, live: &mut Live, id: &ExecutionId) {
        let current = live.execution(id).is_some_and(|execution| live.is_current(execution));
        if !current || live.job.state.is_terminal() {
            return;
        }
        match live.job.spec.kind() {
            Kind::Ops => self.conclude_ops(live),
            Kind::Batch { .. } => self.continue_batch(live, id),
            Kind::Service { .. } | Kind::Daemon => {}
        }
    }

    /// Ends an execution whose node was not heard from for too long.
    pub(crate) fn lose(&mut self, id: &ExecutionId, was_sent: bool) {
        let Some(mut live) = self.executions.get(id).cloned().and_then(|job| self.take(&job)) else { return };
        let node =
            live.execution(id).filter(|execution| !execution.state.is_terminal()).map(|e| e.node.clone());
        if let Some(node) = node {
            if was_sent {
                owe(&mut live, id);
            }
            let mut details = error_details();
            details.extend(node_details(&node));
            let message = format!("Lost: {} was not heard from for too long", node.short());
            self.note(&mut live, Some(id), Topic::Scheduling, message, details);
            self.change_execution(&mut live, id, ExecutionState::Lost);
            self.go_on(&mut live, id);
        }
        self.put(live);
    }

    /// The node has said how it ended: it owes nothing more, and what the execution had is free.
    pub(crate) fn settle(&mut self, live: &mut Live, id: &ExecutionId, node: &NodeId) {
        if let Some(attempt) = live.attempts.get_mut(id)
            && attempt.owed
        {
            attempt.owed = false;
            live.owed -= 1;
        }
        self.release(node, id);
    }

    /// An execution that was held back is on its node already: it was sent before a restart.
    pub(crate) fn runs_after_all(&mut self, node: &NodeId, id: &ExecutionId) {
        if let Some(occupant) = self.fleet.unhold(node, id) {
            self.fleet.occupy(node, id, &occupant);
        }
    }

    /// The job of an execution, if it is one of this node.
    fn live_with(&mut self, id: &ExecutionId, node: &NodeId) -> Option<Box<Live>> {
        let job = self.executions.get(id)?;
        let of_node = self.jobs.get(job)?.execution(id).is_some_and(|execution| execution.node == *node);
        if of_node { self.take(&job.clone()) } else { None }
    }

    fn note_end(
        &mut self,
        live: &mut Live,
        id: &ExecutionId,
        node: &NodeId,
        state: &ExecutionState,
        remark: &str,
    ) {
        let mut details = node_details(node);
        let (topic, message, hint) = match state {
            ExecutionState::Failed(failure) => {
                let topic =
                    if failure.cause == Cause::Timeout { Topic::ExecutionTimeout } else { Topic::Execution };
                (topic, failure.message.clone(), failure.hint.as_ref())
            }
            ExecutionState::Refused(refusal) => {
                details.insert("Rule".into(), refusal.rule.as_str().to_owned());
                let message = format!("Refused by {}: {}", node.short(), refusal.message);
                (Topic::Scheduling, message, refusal.hint.as_ref())
            }
            ExecutionState::Cancelled { reason } => {
                details.insert("Reason".into(), reason.clone());
                (Topic::Execution, "Cancelled by its node".to_owned(), None)
            }
            _ => (Topic::Execution, "Completed successfully".to_owned(), None),
        };
        if !matches!(state, ExecutionState::Completed(_)) {
            details.extend(error_details());
        }
        if let Some(hint) = hint {
            details.insert("Hint".into(), hint.clone());
        }
        let details: Details = details;
        self.note(live, Some(id), topic, format!("{message}{remark}"), details);
    }
}
