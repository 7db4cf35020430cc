//! What really happened on the machines, and what must be true of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use skrei_job::{
    ExecutionId, JobId, NodeId, Spec,
    life::{Execution, ExecutionState},
    spec::Kind,
};
use skrei_scheduler::Record;

use super::world::Cluster;

/// How often somebody looks after the cluster once it is calm.
const LOOKS: Duration = Duration::from_secs(120);

/// Guests that really started.
#[derive(Default)]
pub(super) struct Truth {
    started: BTreeSet<ExecutionId>,
    /// How often what is to be done once was started, by version and place.
    of_ops: BTreeMap<(JobId, u64, NodeId), u32>,
    looked: Duration,
    /// What each version was: the next may be of another type.
    specs: BTreeMap<(JobId, u64), Arc<Spec>>,
}

impl Cluster {
    /// A guest starts: its execution is on the orchestrator's disk, and starts for the first time.
    pub(super) fn check_start(&mut self, node: usize, execution: &ExecutionId) {
        let store = &self.orchestrator.store;
        let stored = store.executions.get(execution).expect("what runs is on the orchestrator's disk");
        assert_eq!(stored.node, self.nodes[node].name, "it runs where it was placed");
        assert!(self.truth.started.insert(execution.clone()), "an execution runs once at most: {stored:?}");
        let spec = &self.truth.specs[&(stored.job.clone(), stored.version)];
        if spec.kind() == Kind::Ops {
            let place = (stored.job.clone(), stored.version, stored.node.clone());
            let runs = self.truth.of_ops.entry(place).or_default();
            *runs += 1;
            let most = spec.retry().attempts + 1;
            assert!(*runs <= most, "an ops job runs {most} times at most on a node: {stored:?}");
        }
    }

    /// What is acknowledged is on the orchestrator's disk: the node may forget it.
    pub(super) fn check_acknowledged(&self, node: usize, number: u64) {
        if let Some((execution, state)) = self.nodes[node].journal.said(number) {
            assert!(self.knows(execution, state), "acknowledged is stored: {execution} {state:?}");
        }
    }

    /// A version of a job is on disk.
    pub(super) fn note(&mut self, record: &Record) {
        if let Record::JobAccepted(job) = record {
            self.truth.specs.insert((job.id.clone(), job.version), Arc::clone(&job.spec));
        }
    }

    /// A job whose submitter was told so is stored.
    pub(super) fn check_accepted(&self) {
        let store = &self.orchestrator.store;
        for job in &self.orchestrator.accepted {
            assert!(store.jobs.contains_key(job), "what was accepted is there after a crash: {job}");
        }
    }

    /// Transitions, revisions and numbers are checked by the store as it takes records in.
    pub(super) fn check_store(&self) {
        let store = &self.orchestrator.store;
        let mut filled = BTreeSet::new();
        for execution in store.executions.values().filter(|execution| !execution.state.is_terminal()) {
            let job = &store.jobs[&execution.job];
            let node = (!job.spec.kind().is_counted()).then_some(&execution.node);
            let place = (&execution.job, execution.version, execution.partition, node);
            assert!(filled.insert(place), "one live execution per partition and version: {execution:?}");
            assert_eq!(execution.version, job.version, "only the latest version is live: {execution:?}");
        }
    }

    /// Whether nothing is open any more.
    pub(super) fn has_settled(&mut self) -> bool {
        if self.agenda.now > self.truth.looked + LOOKS {
            self.truth.looked = self.agenda.now;
            self.look_after();
        }
        self.orchestrator.is_up && self.orchestrator.is_idle() && self.open().is_empty()
    }

    /// What is open, in words.
    fn open(&self) -> Vec<String> {
        let store = &self.orchestrator.store;
        let jobs = store.jobs.values().filter(|job| !job.state.is_terminal()).map(|job| format!("{job:?}"));
        let executions = store.executions.values().filter(|execution| !execution.state.is_terminal());
        let nodes = self
            .nodes
            .iter()
            .filter(|node| !node.is_up || !node.live.is_empty() || !node.journal.is_all_acknowledged());
        let executions = executions.map(|execution| format!("{execution:?}"));
        let nodes = nodes.map(|node| {
            format!("{}: up {}, live {:?}", node.name, node.is_up, node.live.keys().collect::<Vec<_>>())
        });
        jobs.chain(executions).chain(nodes).collect()
    }

    pub(super) fn say_what_is_open(&self) {
        panic!("not settled after so long: {:#?}", self.open());
    }

    /// Every execution is accounted for: the store and the nodes' journals tell the same story of each.
    pub(super) fn check_the_end(&self) {
        let store = &self.orchestrator.store;
        for execution in store.executions.values() {
            let node = self.nodes.iter().find(|node| node.name == execution.node).expect("a node");
            let forgotten = node.forgotten.get(&execution.id);
            let ended = forgotten.or_else(|| node.journal.ended.get(&execution.id)).map(|(_, state)| state);
            let (said, is_true) =
                (self.said_of(execution), |state: &ExecutionState| same(state, &execution.state));
            let accounted = match (&execution.state, ended) {
                // Where something ran, or is said to have run, both say the same.
                (
                    ExecutionState::Completed(_) | ExecutionState::Failed(_) | ExecutionState::Refused(_),
                    ended,
                ) => ended.is_some_and(is_true),
                // What ended is taken for lost only where another attempt had taken its place by then.
                (ExecutionState::Lost, Some(ExecutionState::Completed(_) | ExecutionState::Failed(_))) => {
                    self.is_replaced(execution) && said.contains("reported after it was replaced")
                }
                (ExecutionState::Cancelled { .. } | ExecutionState::Lost, _) => true,
                (ExecutionState::Assigned | ExecutionState::Running, _) => false,
            };
            assert!(accounted, "accounted for: {execution:?}, and its node says {ended:?}; history: {said}");
        }
        for execution in &self.truth.started {
            assert!(store.executions.contains_key(execution), "what ran is known: {execution}");
        }
    }

    fn is_replaced(&self, execution: &Execution) -> bool {
        let store = &self.orchestrator.store;
        let is_counted = self.truth.specs[&(execution.job.clone(), execution.version)].kind().is_counted();
        store.executions.values().any(|other| {
            let same_place = match is_counted {
                true => other.partition == execution.partition,
                false => other.node == execution.node,
            };
            same_place
                && (&other.job, other.version) == (&execution.job, execution.version)
                && other.attempt > execution.attempt
        })
    }

    /// What the history says of an execution.
    fn said_of(&self, execution: &Execution) -> String {
        let entries = self.orchestrator.store.history[&execution.job].iter();
        let about = entries.filter(|entry| entry.execution.as_ref() == Some(&execution.id));
        about.map(|entry| entry.message.as_str()).collect::<Vec<_>>().join("; ")
    }
}

fn same(one: &ExecutionState, other: &ExecutionState) -> bool {
    one.as_str() == other.as_str()
}
