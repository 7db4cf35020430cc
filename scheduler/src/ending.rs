//! How jobs end: done, failed, stopped, out of time.

use skrei_job::{
    ExecutionId, JobId,
    life::{ExecutionState, JobState},
    spec::Kind,
};

use crate::{
    Scheduler,
    history::{Details, Topic},
    live::Live,
    slot::Slot,
    submission::state_details,
    timers::Timer,
};

impl Scheduler {
    pub(crate) fn stop(&mut self, job: &JobId, reason: &str) {
        let Some(mut live) = self.take(job) else { return };
        if !live.job.state.is_terminal() {
            let details = Details::from([("Reason".into(), reason.to_owned())]);
            self.note(&mut live, None, Topic::Scheduling, "Job stop requested".to_owned(), details);
            self.finish(&mut live, JobState::Stopped, reason.to_owned(), None);
        }
        self.put(live);
    }

    /// Puts a job into a terminal state; whatever of it still goes on is cancelled. `trouble` is the topic
    /// under which the message stands in the history, if something went wrong.
    pub(crate) fn finish(
        &mut self,
        live: &mut Live,
        state: JobState,
        message: String,
        trouble: Option<Topic>,
    ) {
        self.leave_queues(live);
        self.clear_timers(live);
        if let Some(topic) = trouble {
            self.note(live, None, topic, message.clone(), error_details());
        }
        let reason = match state {
            JobState::Stopped => message.clone(),
            _ => "the job is over".to_owned(),
        };
        self.cancel_active(live, &reason);
        self.change_job(live, state, message);
        if live.owed > 0 {
            let at = self.now.after(self.config.late_outcome_window);
            live.forget_at = Some(at);
            self.timers.set(at, Timer::Forget(live.job.id.clone(), live.job.version));
        }
    }

    /// Cancels what is assigned or running. An execution that its node was told about keeps its room until
    /// the node says that it has ended.
    pub(crate) fn cancel_active(&mut self, live: &mut Live, reason: &str) {
        let active: Vec<ExecutionId> = live
            .attempts
            .values()
            .filter(|attempt| !attempt.execution.state.is_terminal())
            .map(|attempt| attempt.execution.id.clone())
            .collect();
        for id in active {
            self.cancel_one(live, &id, reason);
        }
    }

    pub(crate) fn cancel_one(&mut self, live: &mut Live, id: &ExecutionId, reason: &str) {
        let Some(node) = live.execution(id).map(|execution| execution.node.clone()) else { return };
        self.change_execution(live, id, ExecutionState::Cancelled { reason: reason.to_owned() });
        let mut details = state_details(&node, &ExecutionState::Cancelled { reason: String::new() });
        details.insert("Reason".into(), reason.to_owned());
        self.note(live, Some(id), Topic::Scheduling, "Cancelled".to_owned(), details);
        if self.fleet.unhold(&node, id).is_some() {
            self.roomy.insert(node);
        } else {
            owe(live, id);
            self.send_cancel(&node, id, reason);
        }
    }

    /// A new attempt takes the place of lost ones, which may still run if their node is back.
    pub(crate) fn cancel_lost(&mut self, live: &Live, slot: &Slot) {
        for lost in live.attempts_at(slot).filter(|execution| execution.state == ExecutionState::Lost) {
            self.send_cancel(&lost.node, &lost.id, "replaced by another attempt");
        }
    }

    pub(crate) fn queue_time_is_over(&mut self, job: &JobId, version: u64) {
        let Some(mut live) = self.take(job) else { return };
        // What is kept running and was placed once is wanted as long as it lives.
        let runs_on = live.job.spec.kind().is_kept_running() && !live.tried.is_empty();
        if live.job.version == version && !live.job.state.is_terminal() && !runs_on {
            let waited = live.job.spec.task().timeouts.queue.unwrap_or_default().as_secs();
            let never_placed =
                live.waiting.keys().find(|partition| !live.tried.contains_key(&Slot::Partition(**partition)));
            let hopeless = live
                .waiting
                .values()
                .find(|demand| self.queue.get(demand).is_none_or(|line| line.possible.is_none()));
            let is_ops = live.job.spec.kind() == Kind::Ops;
            let why = if is_ops && live.tried.is_empty() && !live.may_wait_for_first(self.now) {
                Some(self.why_no_node(&live, None))
            } else if let Some(demand) = hopeless {
                Some(self.why_no_node(&live, Some(demand)))
            } else {
                never_placed
                    .and_then(|partition| live.waiting.get(partition))
                    .map(|demand| self.why_wait(demand))
            };
            if let Some(why) = why {
                let message = format!("not placed within its queue timeout of {waited} s; {why}");
                self.finish(&mut live, JobState::Failed, message, Some(Topic::Queueing));
            }
        }
        self.put(live);
    }

    pub(crate) fn total_time_is_over(&mut self, job: &JobId, version: u64) {
        let Some(mut live) = self.take(job) else { return };
        if live.job.version == version && !live.job.state.is_terminal() {
            let limit = live.job.spec.task().timeouts.total.unwrap_or_default().as_secs();
            let message = format!("not done within its total timeout of {limit} s");
            self.finish(&mut live, JobState::Failed, message, Some(Topic::JobTimeout));
        }
        self.put(live);
    }
}

/// From now on the node owes a word about how this execution really ended.
pub(crate) fn owe(live: &mut Live, id: &ExecutionId) {
    if let Some(attempt) = live.attempts.get_mut(id)
        && !attempt.owed
    {
        attempt.owed = true;
        live.owed += 1;
    }
}

/// Details of an entry about something that went wrong.
pub(crate) fn error_details() -> Details {
    Details::from([("IsError".into(), "true".to_owned())])
}
