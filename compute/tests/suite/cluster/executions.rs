//! What a node makes of orders about executions, and what is written in its journal of that.

use std::time::Duration;

use skrei_compute::{
    link::dialogue::Event,
    reception::{self, OnCancel, OnRun},
};
use skrei_job::{ExecutionId, life::ExecutionState, outcome::*, spec::Kind};
use skrei_protocol::link::Assignment;

use super::{
    agenda::Happening,
    given::{failure, refusal},
    journal::Entry,
    node::{Live, Stage},
    world::Cluster,
};

impl Cluster {
    pub(super) fn take_on(&mut self, node: usize, assignment: Assignment) {
        let at = &self.nodes[node];
        let (execution, life) = (assignment.execution.clone(), at.life);
        match reception::on_run(at.known(&execution), assignment.started, at.journal.acknowledged) {
            OnRun::Nothing => {}
            OnRun::Interrupted => {
                let live = Live { kind: assignment.spec.kind(), stage: Stage::Ending, stop: None };
                self.nodes[node].live.insert(execution.clone(), live);
                let state = ExecutionState::Failed(failure(Cause::Interrupted, "lost what it wrote down"));
                self.write(node, Entry::End(execution, Box::new(state)));
            }
            OnRun::ReportAgain => self.write(node, Entry::ReportAgain(execution)),
            OnRun::TakeOn => {
                let (kind, stage) = (assignment.spec.kind(), Stage::Preparing);
                self.nodes[node].live.insert(execution.clone(), Live { kind, stage, stop: None });
                if self.dice.one_in(20) {
                    self.end(node, &execution, ExecutionState::Refused(refusal("on no entry")));
                } else {
                    let wait = self.soon(Duration::from_secs(2));
                    self.agenda.after(wait, Happening::Prepared { node, life, execution });
                }
            }
        }
    }

    pub(super) fn cancel(&mut self, node: usize, execution: ExecutionId, reason: String) {
        let at = &self.nodes[node];
        match reception::on_cancel(at.known(&execution), at.journal.acknowledged) {
            OnCancel::Nothing => {}
            OnCancel::ReportAgain => self.write(node, Entry::ReportAgain(execution)),
            OnCancel::WriteDown => {
                let live = Live { kind: Kind::Ops, stage: Stage::Ending, stop: None };
                self.nodes[node].live.insert(execution.clone(), live);
                self.write(node, Entry::End(execution, Box::new(ExecutionState::Cancelled { reason })));
            }
            OnCancel::Stop => {
                let Some(live) = self.nodes[node].live.get_mut(&execution) else { return };
                live.stop.get_or_insert_with(|| reason.clone());
                let stage = live.stage;
                match stage {
                    Stage::Preparing => self.end(node, &execution, ExecutionState::Cancelled { reason }),
                    // It takes a moment until a guest has stopped, and it may end by itself before.
                    Stage::Running if !self.dice.one_in(4) => {
                        self.end(node, &execution, ExecutionState::Cancelled { reason });
                    }
                    Stage::Starting | Stage::Running | Stage::Ending => {}
                }
            }
        }
    }

    pub(super) fn prepared(&mut self, node: usize, life: u64, execution: &ExecutionId) {
        let preparing = |live: &&mut Live| live.stage == Stage::Preparing;
        if self.is_alive(node, life)
            && let Some(live) = self.nodes[node].live.get_mut(execution).filter(preparing)
        {
            live.stage = Stage::Starting;
            self.write(node, Entry::Start(execution.clone()));
        }
    }

    pub(super) fn done(&mut self, node: usize, life: u64, execution: &ExecutionId) {
        let running = |live: &&Live| live.stage == Stage::Running;
        if self.is_alive(node, life) && self.nodes[node].live.get(execution).filter(running).is_some() {
            let state = match self.dice.below(5) {
                0 => ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")),
                _ => ExecutionState::Completed(RunOutput::default()),
            };
            self.end(node, execution, state);
        }
    }

    fn end(&mut self, node: usize, execution: &ExecutionId, state: ExecutionState) {
        if let Some(live) = self.nodes[node].live.get_mut(execution) {
            live.stage = Stage::Ending;
            self.write(node, Entry::End(execution.clone(), Box::new(state)));
        }
    }

    // The journal.

    fn write(&mut self, node: usize, entry: Entry) {
        self.nodes[node].journal.waiting.push_back(entry);
        let life = self.nodes[node].life;
        let wait = self.soon(Duration::from_millis(30));
        self.agenda.after(wait, Happening::Written { node, life });
    }

    /// What waited first is on disk; what waits for it goes on.
    pub(super) fn written(&mut self, node: usize, life: u64) {
        if !self.is_alive(node, life) {
            return;
        }
        let journal = &mut self.nodes[node].journal;
        let Some(entry) = journal.waiting.pop_front() else { return };
        let acknowledged = journal.acknowledged;
        journal.reports.retain(|number, _| *number > acknowledged);
        match entry {
            Entry::Start(execution) => {
                assert!(journal.started.insert(execution.clone()), "it starts once: {execution}");
                journal.report(&execution, &ExecutionState::Running);
                self.guest_starts(node, life, execution);
            }
            Entry::End(execution, state) => {
                if !journal.ended.contains_key(&execution) {
                    journal.end(&execution, &state);
                }
                self.nodes[node].live.remove(&execution);
            }
            Entry::ReportAgain(execution) => {
                let known = journal.ended.get(&execution).cloned();
                if let Some((_, state)) = known {
                    journal.end(&execution, &state);
                }
            }
        }
        let latest = self.nodes[node].journal.latest;
        self.tell(node, Event::ReportsUpTo(latest));
    }

    fn guest_starts(&mut self, node: usize, life: u64, execution: ExecutionId) {
        let Some(live) = self.nodes[node].live.get_mut(&execution) else { return };
        if let Some(reason) = live.stop.clone() {
            return self.end(node, &execution, ExecutionState::Cancelled { reason });
        }
        live.stage = Stage::Running;
        let most = if live.kind.is_kept_running() { 600 } else { 40 };
        self.check_start(node, &execution);
        let wait = self.soon(Duration::from_secs(most));
        self.agenda.after(wait, Happening::Done { node, life, execution });
    }
}
