//! The world of the model: a scheduler, its store, and nodes that do as they are told, sooner or later.

use std::collections::{BTreeMap, BTreeSet};

use skrei_job::{ExecutionId, JobId, NodeId, Timestamp, life::ExecutionState, outcome::*};
use skrei_scheduler::*;

use super::{KEPT, dice::Dice};
use crate::{given::failure, store::Store};

/// A compute node as it really is, whatever the orchestrator believes.
#[derive(Clone)]
pub(super) struct Machinery {
    pub(super) info: NodeInfo,
    pub(super) linked: bool,
    /// What runs there. True: it was told to cancel and has not ended yet.
    pub(super) holds: BTreeMap<ExecutionId, bool>,
    /// What it held when the orchestrator gave up on it or started again: only told to end afterwards.
    pub(super) orphans: BTreeSet<ExecutionId>,
    /// How everything ended that ended there.
    pub(super) ended: BTreeMap<ExecutionId, ExecutionState>,
    /// Ends that are not reported yet.
    pub(super) unreported: BTreeSet<ExecutionId>,
}

pub(super) struct Machine {
    pub(super) dice: Dice,
    /// Decides what kept seeds know nothing of, so that what they were kept for still happens.
    pub(super) fate: Dice,
    /// Decides who does well, but in seeds that were kept before anybody could do otherwise.
    pub(super) health: Option<Dice>,
    /// How many nodes there ever were.
    pub(super) named: usize,
    pub(super) scheduler: Scheduler,
    pub(super) store: Store,
    pub(super) now: Timestamp,
    pub(super) nodes: BTreeMap<NodeId, Machinery>,
    pub(super) jobs: Vec<JobId>,
    pub(super) told: BTreeSet<ExecutionId>,
    /// Every event and decision, as text, if somebody wants to read it.
    pub(super) transcript: Option<Vec<String>>,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        let mut machine = Self {
            dice: Dice::new(seed),
            fate: Dice::new(!seed),
            health: (!KEPT.contains(&seed)).then(|| Dice::new(seed.rotate_left(32))),
            named: 0,
            scheduler: Scheduler::new(Config::default()),
            store: Store::default(),
            now: Timestamp::from_nanos(1_800_000_000_000_000_000),
            nodes: BTreeMap::new(),
            jobs: Vec::new(),
            told: BTreeSet::new(),
            transcript: None,
        };
        for _ in 0..machine.dice.below(4) {
            machine.new_node();
        }
        machine
    }

    pub(super) fn with_transcript(mut self) -> Self {
        self.transcript = Some(Vec::new());
        self
    }

    pub(super) fn handle(&mut self, event: Event) {
        let nodes_before = matches!(event, Event::JobSubmitted { .. }).then(|| self.store.nodes.clone());
        let decision = self.scheduler.handle(event.clone(), self.now);
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{:?} {event:?} {decision:?}", self.now));
        }
        for record in &decision.records {
            self.store.apply(record);
        }
        for send in decision.sends {
            self.deliver(send);
        }
        self.check();
        if let (Some(nodes), Event::JobSubmitted { job, .. }) = (nodes_before, event) {
            self.an_ops_job_goes_to_exactly_the_matching_nodes(&nodes, &job);
        }
    }

    fn deliver(&mut self, send: Send) {
        let (Send::Run { node, .. } | Send::Cancel { node, .. }) = &send;
        let machine = self.nodes.get_mut(node).expect("sends go to nodes that exist");
        assert!(machine.linked, "sends go to connected nodes: {send:?}");
        match send {
            Send::Run { execution, .. } => {
                self.told.insert(execution.clone());
                if machine.ended.contains_key(&execution) {
                    machine.unreported.insert(execution);
                } else {
                    machine.orphans.remove(&execution);
                    machine.holds.entry(execution).or_insert(false);
                }
            }
            Send::Cancel { execution, .. } => {
                let at_once = self.dice.one_in(2);
                if let Some(dying) = machine.holds.get_mut(&execution) {
                    *dying = true;
                    if at_once {
                        machine.end(&execution, ExecutionState::Cancelled { reason: "told so".into() });
                    }
                } else {
                    // Never heard of: nothing runs, and nothing will.
                    let state = ExecutionState::Cancelled { reason: "told so".into() };
                    machine.ended.entry(execution.clone()).or_insert(state);
                    machine.unreported.insert(execution);
                }
            }
        }
    }

    /// A random end for something that runs.
    pub(super) fn some_end(&mut self, kind: usize) -> ExecutionState {
        match kind {
            0 => ExecutionState::Refused(Refusal {
                rule: Rule::AllowList,
                message: "on no entry".into(),
                hint: None,
            }),
            1 => ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")),
            2 => ExecutionState::Failed(failure(Cause::Interrupted, "the node stopped")),
            3 => ExecutionState::Failed(failure(Cause::NotPrepared, "not wasm")),
            10 => ExecutionState::Failed(failure(Cause::Timeout, "too slow")),
            11 => ExecutionState::Refused(Refusal {
                rule: Rule::Draining,
                message: "leaving".into(),
                hint: None,
            }),
            _ => ExecutionState::Completed(RunOutput::default()),
        }
    }

    pub(super) fn report(&mut self, node: &NodeId, execution: &ExecutionId, keep: bool) {
        let Some(machine) = self.nodes.get_mut(node) else { return };
        let Some(state) = machine.ended.get(execution).cloned() else { return };
        if !keep {
            machine.unreported.remove(execution);
        }
        self.handle(Event::ExecutionEnded { execution: execution.clone(), node: node.clone(), state });
    }
}

impl Machinery {
    pub(super) fn end(&mut self, execution: &ExecutionId, state: ExecutionState) {
        self.holds.remove(execution);
        self.orphans.remove(execution);
        self.ended.insert(execution.clone(), state);
        self.unreported.insert(execution.clone());
    }
}
