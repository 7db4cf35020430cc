//! New jobs, new versions, and their first executions.

use std::sync::Arc;

use skrei_job::{
    ExecutionId, JobId, NodeId, Spec,
    life::{Execution, ExecutionState, JobState},
    spec::Kind,
};

use crate::{
    Job, Record, Scheduler,
    fleet::Occupant,
    history::{Details, Topic},
    live::Live,
    timers::Timer,
};

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
            spec,
            state: JobState::Pending,
            message: String::new(),
            created: now,
            submitted: now,
            modified: now,
            next_history: 1,
        };
        self.accept(Live::new(job), "Job submitted");
    }

    /// The old version is cancelled whole; the new one starts with nothing of it but the job's history.
    pub(crate) fn update(&mut self, stored: Job, spec: Arc<Spec>) {
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
        self.accept(live, "Job updated");
    }

    fn accept(&mut self, live: Live, message: &str) {
        let mut live = Box::new(live);
        let at = self.decision.records.len();
        self.note(&mut live, None, Topic::Submission, message.to_owned(), Details::new());
        // The job comes before its history.
        self.decision.records.insert(
            at,
            Record::JobAccepted(Job { next_history: live.job.next_history - 1, ..live.job.clone() }),
        );
        self.set_timers(&live);
        match live.job.spec.kind() {
            Kind::Batch { .. } => self.begin_batch(&mut live),
            Kind::Ops => self.begin_ops(&mut live),
            kind @ (Kind::Service { .. } | Kind::Daemon) => {
                let message =
                    format!("jobs of type `{}` cannot be scheduled yet; use `batch` or `ops`", kind.as_str());
                self.finish(&mut live, JobState::Failed, message, Some(Topic::Scheduling));
            }
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
    }

    pub(crate) fn clear_timers(&mut self, live: &mut Live) {
        let (id, version) = (live.job.id.clone(), live.job.version);
        if let Some(at) = live.queue_deadline() {
            self.timers.clear(at, Timer::Queue(id.clone(), version));
        }
        if let Some(at) = live.total_deadline() {
            self.timers.clear(at, Timer::Total(id.clone(), version));
        }
        if let Some(at) = live.forget_at.take() {
            self.timers.clear(at, Timer::Forget(id, version));
        }
    }

    /// Creates an execution on a node. It is sent at once if the node has room, and held for it if not.
    pub(crate) fn assign(&mut self, live: &mut Live, node: &NodeId, partition: u32) {
        let job = &live.job;
        let attempt = live.attempts_at(partition).filter(|execution| execution.node == *node).count();
        let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
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
        if live.partitions() > 0 {
            self.cancel_lost(live, partition);
            live.tried.entry(partition).or_default().push(id.clone());
        }
        if self.fleet.get(node).is_some_and(|member| member.has_room(&occupant.resources)) {
            self.fleet.occupy(node, &id, &occupant);
            self.start(live, node, &id);
        } else {
            self.fleet.hold(node, id.clone(), occupant);
            let message = format!("Waiting for room on {}", node.short());
            self.note(live, Some(&id), Topic::Queueing, message, node_details(node));
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
        self.note(live, Some(execution), Topic::Scheduling, message, node_details(node));
        let job = live.job.id.clone();
        self.send_run(node, execution, &job);
    }
}

/// Details that name the node.
pub(crate) fn node_details(node: &NodeId) -> Details {
    Details::from([("NodeID".into(), node.as_str().to_owned())])
}
