//! The journal of a node: what is on its disk, and what a crash loses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use skrei_job::{ExecutionId, life::ExecutionState, outcome::Cause};
use skrei_protocol::link::Report;

use super::given::failure;

/// Reports read from the journal at once.
const REPORTS_AT_ONCE: usize = 64;

/// What is on a node's disk, and what is on its way there.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) started: BTreeSet<ExecutionId>,
    pub(super) ended: BTreeMap<ExecutionId, (u64, ExecutionState)>,
    pub(super) reports: BTreeMap<u64, (ExecutionId, ExecutionState)>,
    pub(super) latest: u64,
    pub(super) waiting: VecDeque<Entry>,
    /// Not on disk: the highest number that the orchestrator has.
    pub(super) acknowledged: u64,
}

pub(super) enum Entry {
    Start(ExecutionId),
    End(ExecutionId, Box<ExecutionState>),
    ReportAgain(ExecutionId),
}

impl Journal {
    pub(super) fn report(&mut self, execution: &ExecutionId, state: &ExecutionState) -> u64 {
        self.latest += 1;
        self.reports.insert(self.latest, (execution.clone(), state.clone()));
        self.latest
    }

    pub(super) fn end(&mut self, execution: &ExecutionId, state: &ExecutionState) {
        let number = self.report(execution, state);
        self.ended.insert(execution.clone(), (number, state.clone()));
    }

    /// What a process finds that starts: what was not on disk is gone, and what had started was interrupted.
    pub(super) fn open(&mut self) {
        self.waiting.clear();
        self.acknowledged = self.reports.first_key_value().map_or(self.latest, |(number, _)| number - 1);
        let interrupted = ExecutionState::Failed(failure(Cause::Interrupted, "the node stopped"));
        for execution in self.started.clone() {
            if !self.ended.contains_key(&execution) {
                self.end(&execution, &interrupted);
            }
        }
    }

    pub(super) fn after(&self, number: u64) -> Vec<Report> {
        let after = number.max(self.acknowledged);
        let reports = self.reports.range(after + 1..).take(REPORTS_AT_ONCE);
        let report = |(number, (execution, state)): (&u64, &(ExecutionId, ExecutionState))| Report {
            number: *number,
            execution: execution.clone(),
            state: state.clone(),
        };
        reports.map(report).collect()
    }

    /// What a report said.
    pub(super) fn said(&self, number: u64) -> Option<&(ExecutionId, ExecutionState)> {
        self.reports.get(&number)
    }

    pub(super) fn is_all_acknowledged(&self) -> bool {
        self.acknowledged == self.latest && self.waiting.is_empty()
    }
}
