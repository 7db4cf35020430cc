//! The scheduler: all jobs that are going on, all known nodes, and one way in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use skrei_job::{
    ExecutionId, JobId, NodeId, Spec, Timestamp,
    life::{Execution, ExecutionState, JobState},
};

use crate::{
    Config, Decision, Event, Job, JobChange, Node, Record, Send, Verdict,
    fleet::Fleet,
    history::{Details, Entry, Topic},
    live::Live,
    placement::{self, Demand},
    queue::Queue,
    timers::{Timer, Timers},
};

/// Decides what runs where and when.
#[derive(Debug)]
pub struct Scheduler {
    pub(crate) config: Config,
    pub(crate) jobs: BTreeMap<JobId, Box<Live>>,
    /// Which job an execution belongs to.
    pub(crate) executions: BTreeMap<ExecutionId, JobId>,
    pub(crate) fleet: Fleet,
    /// Batch partitions that wait for room.
    pub(crate) queue: Queue,
    /// Ops jobs and daemons that a node that comes, goes or changes may concern.
    pub(crate) watching: BTreeSet<JobId>,
    pub(crate) timers: Timers,
    /// Nodes that may have room for something that waits.
    pub(crate) roomy: BTreeSet<NodeId>,
    /// Lines that may have lost the last node that could ever run them.
    pub(crate) doubtful: BTreeSet<Arc<Demand>>,
    pub(crate) now: Timestamp,
    pub(crate) decision: Decision,
}

/// What a scheduler needs to know to go on after a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Every job that has not ended. Ended ones that have an execution in state `Lost` may be given too: then
    /// what really happened is still recorded when the node comes back.
    pub jobs: Vec<Job>,
    /// All executions of those jobs, at least those of the latest versions.
    pub executions: Vec<Execution>,
    /// Every known node.
    pub nodes: Vec<Node>,
}

impl Scheduler {
    /// A scheduler that knows no job and no node.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            jobs: BTreeMap::new(),
            executions: BTreeMap::new(),
            fleet: Fleet::default(),
            queue: Queue::default(),
            watching: BTreeSet::new(),
            timers: Timers::default(),
            roomy: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            now: Timestamp::default(),
            decision: Decision::default(),
        }
    }

    /// Takes in what happened and decides what follows.
    ///
    /// A time earlier than that of the event before counts as the same time: a clock that jumps back delays
    /// timeouts, and does nothing else.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Decision {
        self.now = self.now.max(now);
        match event {
            Event::JobSubmitted { job, spec } => self.submit(job, spec),
            Event::JobUpdated { stored, spec, rerun } => self.update(*stored, spec, rerun),
            Event::JobStopped { job, reason } => self.stop(&job, &reason),
            Event::RolloutSteered { job, steering } => self.steer(&job, steering),
            Event::NodeConnected { node, holds } => self.node_connected(node, &holds),
            Event::NodeChanged { node } => self.node_changed(node),
            Event::NodeHealth { node, unwell } => self.node_health(&node, unwell),
            Event::NodeOrdered { node, order } => self.node_ordered(&node, &order),
            Event::NodeDisconnected { node } => self.node_disconnected(&node),
            Event::NodeForgotten { node } => self.node_forgotten(&node),
            Event::ExecutionStarted { execution, node } => self.execution_started(&execution, &node),
            Event::ExecutionEnded { execution, node, state } => {
                self.execution_ended(&execution, &node, state)
            }
            Event::Tick => {}
        }
        while let Some(timer) = self.timers.pop_due(self.now) {
            self.fire(timer);
        }
        self.serve_waiting();
        std::mem::take(&mut self.decision)
    }

    /// When the next [`Event::Tick`] is due, and why.
    pub fn next_wakeup(&self) -> Option<(Timestamp, &'static str)> {
        self.timers.next()
    }

    /// A job that is going on, or has ended while nodes still owe outcomes.
    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.jobs.get(id).map(|live| &live.job)
    }

    /// An execution of a job that [`Scheduler::job`] still knows.
    pub fn execution(&self, id: &ExecutionId) -> Option<&Execution> {
        self.jobs.get(self.executions.get(id)?)?.execution(id)
    }

    /// A known node.
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.fleet.get(id).map(|member| &member.node)
    }

    /// How many jobs are remembered.
    pub fn job_count(&self) -> usize {
        self.jobs.len()
    }

    /// Which of the known nodes would run this now, and why each other would not.
    pub fn plan(&self, spec: &Spec) -> Vec<(NodeId, Verdict)> {
        let demand = Demand::of(spec);
        self.fleet
            .iter()
            .map(|member| (member.node.info.id.clone(), placement::judge(&demand, member.candidate())))
            .collect()
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Queue(job, version) => self.queue_time_is_over(&job, version),
            Timer::Total(job, version) => self.total_time_is_over(&job, version),
            Timer::Again(job, version, slot) => self.try_again(&job, version, &slot),
            Timer::Absent(job, version) => self.miss_the_absent(&job, version),
            Timer::Pause(job, version) => self.end_pause(&job, version),
            Timer::Silence(node) => self.lose_node(&node),
            Timer::Drain(node) => self.empty(&node),
            Timer::Conclude(job, version) => self.look_for_the_end(&job, version),
            Timer::Forget(job, version) => self.forget(&job, version),
        }
    }

    // A job is taken out of the map while it is worked on, and put back after; put back, it is forgotten if
    // nothing can happen to it any more.

    pub(crate) fn take(&mut self, job: &JobId) -> Option<Box<Live>> {
        self.jobs.remove(job)
    }

    pub(crate) fn put(&mut self, live: Box<Live>) {
        if live.job.state.is_terminal() && live.owed == 0 {
            self.drop_job(&live);
        } else {
            self.jobs.insert(live.job.id.clone(), live);
        }
    }

    pub(crate) fn drop_job(&mut self, live: &Live) {
        if let Some(at) = live.forget_at {
            self.timers.clear(at, Timer::Forget(live.job.id.clone(), live.job.version));
        }
        for attempt in live.attempts.values() {
            self.executions.remove(&attempt.execution.id);
            self.release(&attempt.execution.node, &attempt.execution.id);
        }
    }

    fn forget(&mut self, job: &JobId, version: u64) {
        if self.jobs.get(job).is_some_and(|live| live.job.version == version && live.job.state.is_terminal())
            && let Some(live) = self.take(job)
        {
            self.drop_job(&live);
        }
    }

    /// Gives back the room of an execution on its node, which may then serve others.
    pub(crate) fn release(&mut self, node: &NodeId, execution: &ExecutionId) {
        if self.fleet.release(node, execution) || self.fleet.unhold(node, execution).is_some() {
            self.roomy.insert(node.clone());
        }
    }

    // Every change of state goes through the following three, so that no change is without its record.

    pub(crate) fn change_job(&mut self, live: &mut Live, state: JobState, message: String) {
        let job = &mut live.job;
        job.state = state;
        job.message = message;
        job.revision += 1;
        job.modified = self.now;
        self.decision.records.push(Record::JobChanged(JobChange {
            job: job.id.clone(),
            version: job.version,
            revision: job.revision,
            state,
            message: job.message.clone(),
            modified: job.modified,
        }));
        let details = Details::from([("NewState".into(), state.as_str().to_owned())]);
        self.note(live, None, Topic::StateUpdate, state.as_str().to_owned(), details);
    }

    pub(crate) fn change_execution(&mut self, live: &mut Live, id: &ExecutionId, state: ExecutionState) {
        let version = live.job.version;
        let Some(attempt) = live.attempts.get_mut(id) else { return };
        let execution = &mut attempt.execution;
        if execution.version == version {
            match (execution.state.is_terminal(), state.is_terminal()) {
                (false, true) => live.active -= 1,
                (true, false) => live.active += 1,
                _ => {}
            }
        }
        execution.state = state;
        execution.revision += 1;
        execution.modified = self.now;
        self.decision.records.push(Record::ExecutionChanged(execution.clone()));
    }

    pub(crate) fn record_progress(&mut self, live: &Live) {
        let (job, progress) = (live.job.id.clone(), live.job.progress.clone());
        self.decision.records.push(Record::ProgressChanged { job, progress });
    }

    pub(crate) fn note(
        &mut self,
        live: &mut Live,
        execution: Option<&ExecutionId>,
        topic: Topic,
        message: String,
        mut details: Details,
    ) {
        let about = execution.and_then(|id| live.execution(id));
        if let Some(about) = about {
            details.entry("NodeID".into()).or_insert_with(|| about.node.as_str().to_owned());
            if live.job.spec.kind().is_counted() {
                details.entry("Partition".into()).or_insert_with(|| about.partition.to_string());
            }
        }
        let entry = Entry {
            job: live.job.id.clone(),
            version: about.map_or(live.job.version, |execution| execution.version),
            number: live.job.next_history,
            execution: execution.cloned(),
            at: self.now,
            topic,
            message,
            details,
        };
        live.job.next_history += 1;
        self.decision.records.push(Record::History(entry));
    }

    pub(crate) fn send_run(&mut self, node: &NodeId, execution: &ExecutionId, job: &JobId) {
        let (node, execution, job) = (node.clone(), execution.clone(), job.clone());
        self.decision.sends.push(Send::Run { node, execution, job });
    }

    /// Tells a node to cancel, if it can be told now; a node that is away is told when it is back.
    pub(crate) fn send_cancel(&mut self, node: &NodeId, execution: &ExecutionId, reason: &str) {
        if self.fleet.get(node).is_some_and(|member| member.is_connected()) {
            let (node, execution, reason) = (node.clone(), execution.clone(), reason.to_owned());
            self.decision.sends.push(Send::Cancel { node, execution, reason });
        }
    }
}
