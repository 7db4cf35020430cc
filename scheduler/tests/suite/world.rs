//! A scheduler, its store and a clock moved by hand.

use std::{sync::Arc, time::Duration};

use skrei_job::{ExecutionId, JobId, NodeId, Spec, Timestamp, life::*, outcome::*};
use skrei_scheduler::*;

use crate::{given::JobFile, store::Store};

/// What the clock moves on with every event.
pub(crate) const TICK: Duration = Duration::from_millis(1);

pub(crate) struct World {
    pub(crate) scheduler: Scheduler,
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
    /// Everything sent so far, oldest first.
    pub(crate) sent: Vec<Send>,
    jobs: u8,
}

impl World {
    /// An orchestrator with these nodes connected.
    pub(crate) fn with(nodes: impl IntoIterator<Item = NodeInfo>) -> Self {
        let mut world = Self {
            scheduler: Scheduler::new(Config::default()),
            store: Store::default(),
            now: Timestamp::from_nanos(1_800_000_000_000_000_000),
            sent: Vec::new(),
            jobs: 0,
        };
        for node in nodes {
            world.join(node);
        }
        world
    }

    pub(crate) fn handle(&mut self, event: Event) -> Decision {
        self.now = self.now.after(TICK);
        let decision = self.scheduler.handle(event, self.now);
        for record in &decision.records {
            self.store.apply(record);
        }
        self.sent.extend(decision.sends.iter().cloned());
        decision
    }

    pub(crate) fn join(&mut self, node: NodeInfo) -> Decision {
        self.join_with(node, &[])
    }

    pub(crate) fn join_with(&mut self, node: NodeInfo, holds: &[ExecutionId]) -> Decision {
        self.handle(Event::NodeConnected { node, holds: holds.to_vec() })
    }

    pub(crate) fn leave(&mut self, node: &str) {
        self.handle(Event::NodeDisconnected { node: NodeId::new(node) });
    }

    /// The node falls silent, and the grace passes.
    pub(crate) fn lose(&mut self, node: &str) {
        self.leave(node);
        self.pass(61);
    }

    /// Lets seconds pass, waking the scheduler whenever it asked to be.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = self.now.after(Duration::from_secs(seconds));
        while let Some((at, _)) = self.scheduler.next_wakeup().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.handle(Event::Tick);
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn submit(&mut self, job: JobFile) -> JobId {
        self.jobs += 1;
        let id = JobId::from_random([self.jobs; 16]);
        self.handle(Event::JobSubmitted { job: id.clone(), spec: job.spec() });
        id
    }

    pub(crate) fn update(&mut self, job: &JobId, file: JobFile) -> Decision {
        self.run_again(job, file, Only::default())
    }

    /// A new version that is about part of the job.
    pub(crate) fn run_again(&mut self, job: &JobId, file: JobFile, only: Only) -> Decision {
        let spec: Arc<Spec> = file.spec();
        let next_history = self.store.history[job].len() as u64 + 1;
        let stored = Box::new(Job { next_history, ..self.store.jobs[job].clone() });
        let rerun = (!only.is_everything()).then(|| Rerun { only, ..Rerun::default() });
        self.handle(Event::JobUpdated { stored, spec, rerun })
    }

    pub(crate) fn stop(&mut self, job: &JobId) -> Decision {
        self.handle(Event::JobStopped { job: job.clone(), reason: "enough".into() })
    }

    /// The orchestrator ends and starts again from what it stored; every node has to connect again.
    pub(crate) fn restart(&mut self) {
        self.scheduler = Scheduler::restore(Config::default(), self.store.snapshot(), self.now);
    }

    pub(crate) fn execution(&self, job: &JobId, node: &str) -> Execution {
        let current = self.store.current(job);
        (*current.last_on(node)).clone()
    }

    pub(crate) fn starts(&mut self, job: &JobId, node: &str) {
        let Execution { id, node, .. } = self.execution(job, node);
        self.handle(Event::ExecutionStarted { execution: id, node });
    }

    pub(crate) fn ends(&mut self, job: &JobId, node: &str, state: ExecutionState) -> Decision {
        let Execution { id, node, .. } = self.execution(job, node);
        self.handle(Event::ExecutionEnded { execution: id, node, state })
    }

    pub(crate) fn completes(&mut self, job: &JobId, node: &str) -> Decision {
        self.ends(job, node, ExecutionState::Completed(RunOutput::default()))
    }

    /// The job's state and message: `Failed: no node …`, or only the state.
    pub(crate) fn state(&self, job: &JobId) -> String {
        let job = &self.store.jobs[job];
        match job.message.as_str() {
            "" => job.state.as_str().to_owned(),
            message => format!("{}: {message}", job.state.as_str()),
        }
    }

    /// The executions of the latest version: `a:Completed b:Lost`.
    pub(crate) fn executions(&self, job: &JobId) -> String {
        let current = self.store.current(job);
        current.iter().map(|e| format!("{}:{}", e.node, e.state.as_str())).collect::<Vec<_>>().join(" ")
    }

    /// The history: `Submission/Job submitted` and so on, joined by `; `.
    pub(crate) fn history(&self, job: &JobId) -> String {
        let line = |entry: &history::Entry| format!("{}/{}", entry.topic.as_str(), entry.message);
        self.store.history[job].iter().map(line).collect::<Vec<_>>().join("; ")
    }

    /// Takes what was sent since the last call: `run a`, `cancel b`.
    pub(crate) fn sent(&mut self) -> String {
        let line = |send: Send| match send {
            Send::Run { node, .. } => format!("run {node}"),
            Send::Cancel { node, .. } => format!("cancel {node}"),
        };
        self.sent.drain(..).map(line).collect::<Vec<_>>().join(", ")
    }
}

trait LastOn {
    fn last_on(&self, node: &str) -> &Execution;
}

impl LastOn for Vec<&Execution> {
    fn last_on(&self, node: &str) -> &Execution {
        self.iter()
            .rev()
            .find(|execution| execution.node.as_str() == node)
            .expect("an execution on this node")
    }
}
