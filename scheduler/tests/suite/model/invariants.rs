//! What must hold after every step. The store checks more while it applies records: numbers without gaps, no
//! terminal state left, only legal transitions.

use std::collections::{BTreeMap, BTreeSet};

use skrei_job::{
    JobId, NodeId,
    life::{Execution, ExecutionState, JobState},
    resources::Resources,
    retry::Mishap,
    rollout::Rollout,
    spec::Kind,
};
use skrei_scheduler::{Connection, Job, Membership, Node};

use super::machine::Machine;

/// A job with its waiting partitions and, for each, the nodes out of question.
type Waiting<'a> = (&'a Job, Vec<(u32, BTreeSet<NodeId>)>);

impl Machine {
    pub(super) fn check(&mut self) {
        self.orphan_what_was_given_up();
        self.at_most_one_live_execution_per_slot_and_version();
        self.what_is_to_be_done_once_is_never_done_twice();
        self.attempts_are_as_many_as_the_rule_allows();
        self.only_the_latest_version_is_live();
        self.ended_jobs_have_nothing_live_and_tell_the_truth();
        self.capacity_is_never_over_committed();
        let waiting = self.waiting();
        self.nothing_waits_without_a_reason(&waiting);
        self.nobody_waits_for_room_that_is_there(&waiting);
    }

    fn live(&self) -> impl Iterator<Item = &Execution> {
        self.store.executions.values().filter(|execution| !execution.state.is_terminal())
    }

    fn orphan_what_was_given_up(&mut self) {
        for (id, machinery) in &mut self.nodes {
            let lost = self
                .store
                .nodes
                .get(id)
                .is_none_or(|node| matches!(node.connection, Connection::Lost { .. }));
            if lost {
                machinery.orphans = machinery.holds.keys().cloned().collect();
            }
        }
    }

    fn at_most_one_live_execution_per_slot_and_version(&self) {
        let mut seen = BTreeSet::new();
        for execution in self.live() {
            let slot = self.slot(execution);
            let fresh = seen.insert((&execution.job, execution.version, slot));
            assert!(fresh, "at most one live execution per slot and version: {execution:?}");
        }
    }

    fn what_is_to_be_done_once_is_never_done_twice(&self) {
        let mut done = BTreeSet::new();
        for e in self.store.executions.values() {
            let job = &self.store.jobs[&e.job];
            if e.version == job.version
                && !job.spec.kind().is_kept_running()
                && matches!(e.state, ExecutionState::Completed(_))
            {
                assert!(done.insert((&e.job, self.slot(e))), "done once per slot and version: {e:?}");
            }
        }
    }

    fn attempts_are_as_many_as_the_rule_allows(&self) {
        for job in self.store.jobs.values().filter(|job| !job.spec.kind().is_kept_running()) {
            let mut mishaps = BTreeMap::<_, u32>::new();
            for e in self.store.current(&job.id) {
                if Mishap::of(&e.state).is_some() {
                    *mishaps.entry(self.slot(e)).or_default() += 1;
                }
            }
            let most = job.spec.retry().attempts + 1;
            assert!(mishaps.values().all(|made| *made <= most), "attempts as the rule allows: {job:?}");
        }
    }

    fn slot<'a>(&self, execution: &'a Execution) -> (u32, Option<&'a NodeId>) {
        if self.store.jobs[&execution.job].spec.kind().is_counted() {
            (execution.partition, None)
        } else {
            (0, Some(&execution.node))
        }
    }

    fn only_the_latest_version_is_live(&self) {
        for execution in self.live() {
            assert_eq!(
                execution.version, self.store.jobs[&execution.job].version,
                "only the latest version is live"
            );
        }
    }

    fn ended_jobs_have_nothing_live_and_tell_the_truth(&self) {
        for job in self.store.jobs.values().filter(|job| job.state.is_terminal()) {
            let current = self.store.current(&job.id);
            assert!(
                current.iter().all(|e| e.state.is_terminal()),
                "an ended job has nothing live: {}",
                job.id
            );
            let completed = |e: &&&Execution| matches!(e.state, ExecutionState::Completed(_));
            match (job.state, job.spec.kind()) {
                (JobState::Completed, Kind::Ops) => {
                    let done: BTreeSet<_> = current.iter().filter(completed).map(|e| &e.node).collect();
                    let nodes: BTreeSet<_> = current.iter().map(|e| &e.node).collect();
                    assert!(
                        !nodes.is_empty() && done == nodes,
                        "completed means that every node did: {job:?}"
                    );
                }
                (JobState::Completed, Kind::Batch { count }) => {
                    let done: BTreeSet<_> = current.iter().filter(completed).map(|e| e.partition).collect();
                    assert_eq!(done.len(), count as usize, "completed means that every partition is");
                }
                (JobState::Failed | JobState::Stopped, _) => {
                    assert!(!job.message.is_empty(), "an end has a reason")
                }
                _ => {}
            }
        }
    }

    fn capacity_is_never_over_committed(&self) {
        for machinery in self.nodes.values() {
            let promised = machinery.holds.keys().filter(|id| !machinery.orphans.contains(*id));
            let used = self.sum(promised);
            let all = machinery.info.capacity;
            assert!(
                all.covers(&used),
                "capacity is never over-committed: {} has {used:?}",
                machinery.info.id
            );
        }
    }

    fn nothing_waits_without_a_reason(&self, waiting: &[Waiting<'_>]) {
        for (job, partitions) in waiting {
            let in_time = job.spec.task().timeouts.queue.is_some_and(|t| self.now < job.submitted.after(t));
            if job.state == JobState::Queued {
                assert!(!job.message.is_empty(), "whoever waits is told why");
            }
            for (partition, tried) in partitions {
                let possible = self.store.nodes.values().any(|node| could_ever(job, node, tried));
                assert!(
                    in_time || possible,
                    "nothing waits without a reason: partition {partition} of {job:?}, tried {tried:?}"
                );
            }
        }
        for job in self.store.jobs.values().filter(|job| !job.state.is_terminal()) {
            let idle = self.store.current(&job.id).iter().all(|e| e.state.is_terminal());
            let waits = waiting.iter().any(|(other, _)| other.id == job.id);
            let in_line = !job.spec.kind().is_counted() && job.state == JobState::Queued;
            let may_pause = job.spec.kind().is_kept_running()
                || *job.spec.rollout() != Rollout::default()
                || !job.spec.retry().backoff.is_zero()
                || (job.spec.kind() == Kind::Ops && job.spec.retry().attempts > 0);
            assert!(!idle || waits || in_line || may_pause, "an open job runs or waits: {job:?}");
        }
    }

    /// While everything that waits asks for the same, no node may be left idle for somebody else.
    fn nobody_waits_for_room_that_is_there(&self, waiting: &[Waiting<'_>]) {
        let demands: Vec<_> =
            waiting.iter().flat_map(|(job, ps)| ps.iter().map(move |(_, tried)| (*job, tried))).collect();
        let Some((first, tried)) = demands.first() else { return };
        // What a service waits for is not counted here.
        let is_open_service =
            |job: &Job| !job.state.is_terminal() && matches!(job.spec.kind(), Kind::Service { .. });
        if self.store.jobs.values().any(is_open_service) {
            return;
        }
        let same = |(job, t): &(&Job, &BTreeSet<NodeId>)| {
            job.spec.task().resources == first.spec.task().resources
                && job.spec.constraints() == first.spec.constraints()
                && t == tried
        };
        if !demands.iter().all(same) {
            return;
        }
        let is_usable = |node: &&Node| {
            node.connection == Connection::Connected && !node.orders.cordoned && node.unwell.is_none()
        };
        for node in self.store.nodes.values().filter(is_usable) {
            let id = &node.info.id;
            // After a restart, what an execution of an earlier version asked for is not known any more.
            let is_old = |e: &skrei_job::ExecutionId| {
                let of = self.store.executions.get(e);
                of.is_some_and(|e| e.version != self.store.jobs[&e.job].version)
            };
            if self.nodes[id].holds.keys().any(is_old) {
                continue;
            }
            let promised: Vec<_> = self.live().filter(|e| e.node == *id).map(|e| e.id.clone()).collect();
            let held = promised.iter().any(|execution| !self.told.contains(execution));
            let here: BTreeSet<_> =
                promised.into_iter().chain(self.nodes[id].holds.keys().cloned()).collect();
            // A cancelled one that ended, with the end not reported yet, still counts.
            let unreported = self.nodes[id].unreported.iter().cloned();
            let used = self.sum(here.into_iter().chain(unreported).collect::<BTreeSet<_>>().iter());
            let room = node.info.capacity.minus(&used).covers(&first.spec.task().resources);
            assert!(
                held || !room || !could_ever(first, node, tried),
                "nobody waits for room that is there: {} on {id}: {:?}",
                first.id,
                self.store.history[&first.id].iter().map(|entry| &entry.message).collect::<Vec<_>>()
            );
        }
    }

    pub(super) fn an_ops_job_goes_to_exactly_the_matching_nodes(
        &self,
        nodes: &BTreeMap<NodeId, Node>,
        job: &JobId,
    ) {
        let job = &self.store.jobs[job];
        if job.spec.kind() != Kind::Ops || job.spec.rollout().is_gradual() {
            return;
        }
        let nothing = BTreeSet::new();
        let matching: BTreeSet<_> = nodes
            .values()
            .filter(|node| node.connection == Connection::Connected && !node.orders.cordoned)
            .filter(|node| node.unwell.is_none())
            .filter(|node| could_ever(job, node, &nothing))
            .map(|node| node.info.id.clone())
            .collect();
        let chosen: BTreeSet<_> = self.store.current(&job.id).iter().map(|e| e.node.clone()).collect();
        // A tick that was due together with the submission may have taken nodes away.
        if *nodes == self.store.nodes {
            assert_eq!(chosen, matching, "an ops job goes to exactly the matching nodes");
        }
    }

    /// Batch partitions that have neither a live nor a completed execution, with the nodes out of question.
    fn waiting(&self) -> Vec<Waiting<'_>> {
        let mut all = Vec::new();
        for job in self.store.jobs.values().filter(|job| !job.state.is_terminal()) {
            let Kind::Batch { count } = job.spec.kind() else { continue };
            let current = self.store.current(&job.id);
            let refused: BTreeSet<_> = current
                .iter()
                .filter(|e| matches!(e.state, ExecutionState::Refused(_)))
                .map(|e| e.node.clone())
                .collect();
            let mut tried = (0..count).map(|p| (p, refused.clone())).collect::<BTreeMap<_, _>>();
            let mut mishaps = BTreeMap::<u32, u32>::new();
            for execution in current {
                let over =
                    !matches!(execution.state, ExecutionState::Completed(_)) && execution.state.is_terminal();
                if !over {
                    tried.remove(&execution.partition);
                } else if Mishap::of(&execution.state).is_some() {
                    let made = mishaps.entry(execution.partition).or_default();
                    *made += 1;
                    // It waits for its time, not for room.
                    let wait = job.spec.retry().wait(*made);
                    if !wait.is_zero() && self.now < execution.modified.after(wait) {
                        tried.remove(&execution.partition);
                    }
                }
            }
            if !tried.is_empty() {
                all.push((job, tried.into_iter().collect()));
            }
        }
        all
    }

    fn sum<'a>(&self, executions: impl Iterator<Item = &'a skrei_job::ExecutionId>) -> Resources {
        let asked = executions.filter_map(|id| self.store.asked.get(id));
        asked.fold(Resources::default(), |sum, resources| sum.plus(resources))
    }
}

/// The rules of placement, said once more and as simply as possible; room is left out.
fn could_ever(job: &Job, node: &Node, tried: &BTreeSet<NodeId>) -> bool {
    node.info.membership == Membership::Approved
        && !matches!(node.connection, Connection::Lost { .. })
        && node.info.engines.contains("wasm")
        && job.spec.constraints().iter().all(|wanted| wanted.matches(&node.info.labels))
        && node.info.capacity.covers(&job.spec.task().resources)
        && !tried.contains(&node.info.id)
}
