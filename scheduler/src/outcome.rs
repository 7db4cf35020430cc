//! What nodes report about executions.

use skrei_job::{ExecutionId, NodeId, life::ExecutionState, outcome::Cause};

use crate::{
    Scheduler,
    ending::{error_details, owe},
    history::{Details, Topic},
    live::Live,
    submission::{node_details, state_details},
};

impl Scheduler {
    pub(crate) fn execution_started(&mut self, id: &ExecutionId, node: &NodeId) {
        let Some(mut live) = self.live_with(id, node) else { return };
        if live.execution(id).is_some_and(|execution| execution.state == ExecutionState::Assigned) {
            self.runs_after_all(node, id);
            self.change_execution(&mut live, id, ExecutionState::Running);
            let details = state_details(node, &ExecutionState::Running);
            self.note(&mut live, Some(id), Topic::Execution, "Running".to_owned(), details);
            let slot = live.execution(id).filter(|e| live.is_current(e)).map(|e| live.slot_of(e));
            if let Some(slot) = slot.filter(|_| live.job.spec.kind().is_kept_running()) {
                self.settle_slot(&mut live, &slot, true);
                self.advance(&mut live);
            }
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
        self.note_end(live, id, (node, true), &state, "");
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
        self.note_end(live, id, (node, corrects), &state, remark);
        if !corrects {
            let may_go_on = live.is_current(&execution) && !live.job.state.is_terminal();
            if may_go_on && live.absent.contains(node) {
                self.concerns(live, node);
            }
            return;
        }
        self.change_execution(live, id, state);
        if !live.is_current(&execution) || live.job.state.is_terminal() {
            return;
        }
        self.stop_trying(live, &execution);
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
            self.note_end(live, id, (node, false), state, " (reported after it was cancelled)");
        }
    }

    /// Goes on with the job after one of its executions has ended.
    pub(crate) fn go_on(&mut self, live: &mut Live, id: &ExecutionId) {
        let Some(execution) = live.execution(id).cloned().filter(|execution| live.is_current(execution))
        else {
            return;
        };
        if live.job.state.is_terminal() || !execution.state.is_terminal() {
            return;
        }
        let slot = live.slot_of(&execution);
        let next = live.next(&slot, &execution);
        if live.job.spec.kind().is_counted() {
            self.continue_counted(live, &slot, next);
        } else {
            self.continue_fanout(live, &slot, next);
        }
    }

    /// An attempt that was given up turns out to go on, or to have ended: no other is needed for now.
    pub(crate) fn stop_trying(&mut self, live: &mut Live, execution: &skrei_job::life::Execution) {
        let slot = live.slot_of(execution);
        if live.job.spec.kind().is_counted() {
            self.stop_waiting(live, execution.partition);
        }
        live.absent.remove(&execution.node);
        live.due.retain(|turn| turn.slot != slot);
        if let Some(at) = live.again.remove(&slot) {
            let (job, version) = (live.job.id.clone(), live.job.version);
            self.timers.clear(at, crate::timers::Timer::Again(job, version, slot));
        }
    }

    /// Ends an execution whose node can no longer be counted on; `why` goes on from the node's name.
    pub(crate) fn lose(&mut self, id: &ExecutionId, was_sent: bool, why: &str) {
        let Some(mut live) = self.executions.get(id).cloned().and_then(|job| self.take(&job)) else { return };
        let node =
            live.execution(id).filter(|execution| !execution.state.is_terminal()).map(|e| e.node.clone());
        if let Some(node) = node {
            if was_sent {
                owe(&mut live, id);
            }
            let mut details = error_details();
            details.extend(state_details(&node, &ExecutionState::Lost));
            let message = format!("Lost: {} {why}", node.short());
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

    /// Says how an execution ended on its node, and whether that is its state from now on.
    fn note_end(
        &mut self,
        live: &mut Live,
        id: &ExecutionId,
        (node, counts): (&NodeId, bool),
        state: &ExecutionState,
        remark: &str,
    ) {
        for denial in state.output().into_iter().flat_map(|output| &output.denials) {
            let mut details = node_details(node);
            details.insert("Rule".into(), denial.rule.clone());
            let message = format!("Network: {}", denial.message);
            self.note(live, Some(id), Topic::Execution, message, details);
        }
        let mut details = if counts { state_details(node, state) } else { node_details(node) };
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
