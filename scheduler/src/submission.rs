//! New jobs, new versions, and their first executions.

use std::sync::Arc;

use skrei_job::{
    ExecutionId, JobId, NodeId, Spec,
    life::{Execution, ExecutionState, JobState},
    rollout::WaitForAbsent,
    spec::Kind,
};

use crate::{
    Job, Only, Progress, Record, Rerun, Scheduler,
    fleet::Occupant,
    history::{Details, Topic},
    live::Live,
    slot::Slot,
    timers::Timer,
};

/// Ended attempts remembered at each slot of a service or daemon: enough to tell how often it fell over of late.
const ATTEMPTS_KEPT: usize = 16;

impl Scheduler {
    pub(crate) fn submit(&mut self, id: JobId, spec: Arc<Spec>) {
        if self.jobs.contains_key(&id) {
            return;
        }
        let now = self.now;
        let job = Job {
            id,
            version: 1,
            revision: 1,
            progress: Progress::default(),
            spec,
            state: JobState::Pending,
            message: String::new(),
            created: now,
            submitted: now,
            modified: now,
            next_history: 1,
        };
        self.accept(Live::new(job), "Job submitted", Details::new());
    }

    /// The old version is cancelled whole; the new one starts with nothing of it but the job's history.
    pub(crate) fn update(&mut self, stored: Job, spec: Arc<Spec>, rerun: Option<Rerun>) {
        let old = self.take(&stored.id);
        let (mut job, attempts) = match old {
            Some(mut live) => {
                if !live.job.state.is_terminal() {
                    self.leave_queues(&mut live);
                    self.cancel_active(&mut live, "replaced by a new version");
                }
                self.clear_timers(&mut live);
                (live.job, live.attempts)
            }
            None => (stored, Default::default()),
        };
        job.version += 1;
        job.revision += 1;
        job.spec = spec;
        let (reason, only) = match rerun {
            Some(Rerun { reason, only }) => (Some(reason), only),
            None => (None, Only::default()),
        };
        job.progress = Progress { only, ..Progress::default() };
        job.state = JobState::Pending;
        job.message = String::new();
        job.submitted = self.now;
        job.modified = self.now;
        let mut live = Live::new(job);
        for (id, attempt) in attempts {
            if attempt.owed {
                live.owed += 1;
                live.attempts.insert(id, attempt);
            } else {
                self.executions.remove(&id);
            }
        }
        match reason {
            None => self.accept(live, "Job updated", Details::new()),
            Some(reason) => {
                let reason = Some(reason).filter(|reason| !reason.is_empty());
                let details = reason.map(|reason| ("Reason".into(), reason)).into_iter().collect();
                self.accept(live, "Job to run again", details);
            }
        }
    }

    fn accept(&mut self, live: Live, message: &str, details: Details) {
        let mut live = Box::new(live);
        let at = self.decision.records.len();
        self.note(&mut live, None, Topic::Submission, message.to_owned(), details);
        // The job comes before its history.
        self.decision.records.insert(
            at,
            Record::JobAccepted(Job { next_history: live.job.next_history - 1, ..live.job.clone() }),
        );
        if !live.job.progress.only.is_everything() {
            self.record_progress(&live);
        }
        self.set_timers(&live);
        match live.job.spec.kind() {
            Kind::Batch { .. } | Kind::Service { .. } => self.begin_counted(&mut live),
            Kind::Ops | Kind::Daemon => self.begin_fanout(&mut live),
        }
        self.put(live);
    }

    pub(crate) fn set_timers(&mut self, live: &Live) {
        let (id, version) = (&live.job.id, live.job.version);
        if let Some(at) = live.queue_deadline() {
            self.timers.set(at, Timer::Queue(id.clone(), version));
        }
        if let Some(at) = live.total_deadline() {
            self.timers.set(at, Timer::Total(id.clone(), version));
        }
        if let WaitForAbsent::For(span) = live.job.spec.rollout().wait_for_absent {
            self.timers.set(live.job.submitted.after(span), Timer::Absent(id.clone(), version));
        }
    }

    pub(crate) fn clear_timers(&mut self, live: &mut Live) {
        let (id, version) = (live.job.id.clone(), live.job.version);
        if let Some(at) = live.queue_deadline() {
            self.timers.clear(at, Timer::Queue(id.clone(), version));
        }
        if let Some(at) = live.total_deadline() {
            self.timers.clear(at, Timer::Total(id.clone(), version));
        }
        for (slot, at) in std::mem::take(&mut live.again) {
            self.timers.clear(at, Timer::Again(id.clone(), version, slot));
        }
        if let WaitForAbsent::For(span) = live.job.spec.rollout().wait_for_absent {
            self.timers.clear(live.job.submitted.after(span), Timer::Absent(id.clone(), version));
        }
        self.clear_pause(live);
        if let Some(at) = live.forget_at.take() {
            self.timers.clear(at, Timer::Forget(id, version));
        }
    }

    /// Creates an execution on a node. It is sent at once if the node has room, and held for it if not.
    pub(crate) fn assign(&mut self, live: &mut Live, node: &NodeId, partition: u32) {
        let job = &live.job;
        let slot =
            if job.spec.kind().is_counted() { Slot::Partition(partition) } else { Slot::Node(node.clone()) };
        let attempt = live.last_at(&slot).map_or(0, |last| last.attempt.saturating_add(1));
        let id = ExecutionId::derive(&job.id, job.version, node, partition, attempt);
        let created = self.fleet.next_created(node, self.now);
        let execution = Execution {
            id: id.clone(),
            job: job.id.clone(),
            version: job.version,
            node: node.clone(),
            partition,
            attempt,
            state: ExecutionState::Assigned,
            created,
            modified: created,
            revision: 1,
        };
        self.decision.records.push(Record::ExecutionChanged(execution.clone()));
        self.executions.insert(id.clone(), job.id.clone());
        let occupant = Occupant { job: job.id.clone(), resources: live.demand.resources };
        live.attempts.insert(
            id.clone(),
            crate::live::Attempt { execution, owed: false, resources: occupant.resources },
        );
        live.active += 1;
        self.cancel_lost(live, &slot);
        live.tried.entry(slot.clone()).or_default().push(id.clone());
        self.forget_old_attempts(live, &slot);
        if self.fleet.get(node).is_some_and(|member| member.has_room(&occupant.resources)) {
            self.fleet.occupy(node, &id, &occupant);
            self.start(live, node, &id);
        } else {
            self.fleet.hold(node, id.clone(), occupant);
            let message = format!("Waiting for room on {}", node.short());
            let details = state_details(node, &ExecutionState::Assigned);
            self.note(live, Some(&id), Topic::Queueing, message, details);
        }
    }

    /// What is kept running for years has no end of attempts: the last few are remembered.
    fn forget_old_attempts(&mut self, live: &mut Live, slot: &Slot) {
        let Some(tried) = live.tried.get_mut(slot).filter(|_| live.job.spec.kind().is_kept_running()) else {
            return;
        };
        while tried.len() > ATTEMPTS_KEPT {
            let oldest = tried.first().and_then(|id| live.attempts.get(id));
            if oldest.is_some_and(|attempt| attempt.owed || !attempt.execution.state.is_terminal()) {
                break;
            }
            let id = tried.remove(0);
            live.attempts.remove(&id);
            self.executions.remove(&id);
        }
    }

    /// Says that a job is going on, if that is new.
    pub(crate) fn is_running(&mut self, live: &mut Live) {
        if live.active > 0 && matches!(live.job.state, JobState::Pending | JobState::Queued) {
            self.change_job(live, JobState::Running, String::new());
        }
    }

    /// Says that a job has to wait before anything of it was placed.
    pub(crate) fn is_queued(&mut self, live: &mut Live, reason: String) {
        self.note(live, None, Topic::Queueing, reason.clone(), Details::new());
        self.change_job(live, JobState::Queued, reason);
    }

    /// Sends an execution to its node.
    pub(crate) fn start(&mut self, live: &mut Live, node: &NodeId, execution: &ExecutionId) {
        let message = format!("Requested execution on {}", node.short());
        let details = state_details(node, &ExecutionState::Assigned);
        self.note(live, Some(execution), Topic::Scheduling, message, details);
        let job = live.job.id.clone();
        self.send_run(node, execution, &job);
    }
}

/// Details that name the node.
pub(crate) fn node_details(node: &NodeId) -> Details {
    Details::from([("NodeID".into(), node.as_str().to_owned())])
}

/// Details that name the node, and the state that the execution has from now on: who follows a fleet need not read
/// messages.
pub(crate) fn state_details(node: &NodeId, state: &ExecutionState) -> Details {
    let mut details = node_details(node);
    details.insert("ExecutionState".into(), state.as_str().to_owned());
    details
}
