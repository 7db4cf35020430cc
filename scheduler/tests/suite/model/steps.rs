//! What may happen, at random.

use std::time::Duration;

use skrei_job::{ExecutionId, JobId, NodeId, life::ExecutionState};
use skrei_scheduler::*;

use super::machine::{Machine, Machinery};
use crate::given::{JobFile, batch, daemon, labelled, ops, service};

const NODES_MAX: usize = 6;
const JOBS_MAX: usize = 12;

impl Machine {
    pub(super) fn random_step(&mut self) {
        self.now = self.now.after(Duration::from_millis(self.dice.below(2000) as u64));
        if self.health.as_mut().is_some_and(|health| health.one_in(10)) {
            self.somebody_does_well_or_not();
        }
        match self.dice.below(26) {
            0 => self.new_node(),
            1 => self.cut_link(),
            2..4 => self.mend_link(),
            4..8 => self.new_job(),
            8 => self.new_version(),
            9 => self.stop_job(),
            10 => self.forget_or_change_node(),
            11 => self.restart_orchestrator(),
            12 => self.let_time_pass(),
            24 => self.steer_something(),
            25 => self.govern_something(),
            13..16 => self.start_something(),
            16..20 => self.end_something(),
            _ => self.report_something(),
        }
    }

    /// Every node is there for good, and everything that runs completes: then every job must end.
    pub(super) fn bring_to_an_end(&mut self) {
        self.join(labelled("n-large", "zone", "x"));
        self.join(labelled("n-other", "zone", "y"));
        let unlinked: Vec<_> =
            self.nodes.iter().filter(|(_, n)| !n.linked).map(|(id, _)| id.clone()).collect();
        for node in unlinked {
            self.link(&node);
        }
        for node in self.store.nodes.keys().cloned().collect::<Vec<_>>() {
            self.handle(Event::NodeOrdered { node: node.clone(), order: NodeOrder::Uncordon });
            self.handle(Event::NodeHealth { node, unwell: None });
        }
        let kept: Vec<_> = self
            .store
            .jobs
            .values()
            .filter(|job| job.spec.kind().is_kept_running() && !job.state.is_terminal())
            .map(|job| job.id.clone())
            .collect();
        for job in kept {
            self.handle(Event::JobStopped { job, reason: "the story is over".into() });
        }
        for _ in 0..2000 {
            let work: Vec<_> = self
                .nodes
                .iter()
                .flat_map(|(n, m)| m.holds.iter().map(|(e, dying)| (n.clone(), e.clone(), *dying)))
                .collect();
            for (node, execution, dying) in &work {
                let state = match dying {
                    true => ExecutionState::Cancelled { reason: "told so".into() },
                    false => self.some_end(9),
                };
                self.nodes.get_mut(node).expect("the node exists").end(execution, state);
            }
            let ends = self.unreported();
            if ends.is_empty() && work.is_empty() && !self.go_on() {
                break;
            }
            for (node, execution) in ends {
                self.report(&node, &execution, false);
            }
        }
        for job in self.store.jobs.values() {
            let history: Vec<_> = self.store.history[&job.id].iter().map(|entry| &entry.message).collect();
            let (id, progress) = (&job.id, &job.progress);
            assert!(
                job.state.is_terminal(),
                "every job ends when everything it runs does: {id} {progress:?} {history:?}"
            );
        }
        assert_eq!(self.scheduler.next_wakeup(), None, "ended jobs leave no timers");
        assert_eq!(self.scheduler.job_count(), 0, "ended jobs are forgotten");
    }

    /// Somebody lets halted roll-outs go on, or time passes. False if nothing is left to happen.
    fn go_on(&mut self) -> bool {
        let halted: Vec<_> = self
            .store
            .jobs
            .values()
            .filter(|job| !job.state.is_terminal() && matches!(job.progress.phase, Phase::Halted { .. }))
            .map(|job| job.id.clone())
            .collect();
        if !halted.is_empty() {
            for job in halted {
                self.handle(Event::RolloutSteered { job, steering: Steering::Resume });
            }
            return true;
        }
        let Some((at, _)) = self.scheduler.next_wakeup() else { return false };
        self.now = self.now.max(at);
        self.handle(Event::Tick);
        true
    }

    fn steer_something(&mut self) {
        let steering = [Steering::Pause, Steering::Resume, Steering::Resume, Steering::Abort];
        if let (Some(job), Some(steering)) = (self.dice.pick(&self.jobs.clone()), self.dice.pick(&steering)) {
            self.handle(Event::RolloutSteered { job, steering });
        }
    }

    /// Somebody decides about a node, whether it is there or not.
    fn govern_something(&mut self) {
        let until = self.now.after(Duration::from_secs(self.dice.below(90) as u64));
        let zone = self.dice.pick(&[Some("x"), Some("y"), None]).expect("there is something to pick");
        let orders = [
            NodeOrder::Cordon,
            NodeOrder::Uncordon,
            NodeOrder::Uncordon,
            NodeOrder::Drain { until },
            NodeOrder::Label([("zone".to_owned(), zone.map(str::to_owned))].into()),
            NodeOrder::Reject,
            NodeOrder::Approve,
        ];
        let nodes: Vec<_> = self.store.nodes.keys().cloned().collect();
        if let (Some(node), Some(order)) = (self.dice.pick(&nodes), self.dice.pick(&orders)) {
            self.handle(Event::NodeOrdered { node, order });
        }
    }

    /// A node says how it does; whether it is linked the scheduler has to see to.
    fn somebody_does_well_or_not(&mut self) {
        let nodes: Vec<_> = self.store.nodes.keys().cloned().collect();
        let Some(health) = &mut self.health else { return };
        let unwell = health.one_in(2).then(|| "its disk is full".to_owned());
        if let Some(node) = health.pick(&nodes) {
            self.handle(Event::NodeHealth { node, unwell });
        }
    }

    pub(super) fn new_node(&mut self) {
        if self.nodes.len() >= NODES_MAX {
            return;
        }
        let zone = self.dice.pick(&["x", "y"]).expect("there is something to pick");
        let mut info = labelled(&format!("n-{}", self.named), "zone", zone);
        self.named += 1;
        info.capacity.cpu_millis = self.dice.pick(&[1000, 2000]).expect("there is something to pick");
        if self.dice.one_in(8) {
            info.membership = Membership::Pending;
        }
        self.join(info);
    }

    fn join(&mut self, info: NodeInfo) {
        let id = info.id.clone();
        let machinery = Machinery {
            info,
            linked: false,
            holds: Default::default(),
            orphans: Default::default(),
            ended: Default::default(),
            unreported: Default::default(),
        };
        self.nodes.insert(id.clone(), machinery);
        self.link(&id);
    }

    fn link(&mut self, node: &NodeId) {
        let machinery = self.nodes.get_mut(node).expect("the node exists");
        machinery.linked = true;
        let event = Event::NodeConnected {
            node: machinery.info.clone(),
            holds: machinery.holds.keys().cloned().collect(),
        };
        self.handle(event);
    }

    fn cut_link(&mut self) {
        if let Some(node) = self.some_node(true) {
            self.nodes.get_mut(&node).expect("the node exists").linked = false;
            self.handle(Event::NodeDisconnected { node });
        }
    }

    fn mend_link(&mut self) {
        // Also of a node whose link nobody saw break.
        let linked = self.dice.one_in(6);
        if let Some(node) = self.some_node(linked) {
            if self.dice.one_in(6) {
                // It started again, and what ran was interrupted.
                let state = self.some_end(2);
                let machinery = self.nodes.get_mut(&node).expect("the node exists");
                for execution in machinery.holds.clone().into_keys() {
                    machinery.end(&execution, state.clone());
                }
            }
            self.link(&node);
        }
    }

    fn forget_or_change_node(&mut self) {
        let linked = self.dice.one_in(2);
        let Some(node) = self.some_node(linked) else { return };
        let machinery = self.nodes.get_mut(&node).expect("the node exists");
        if linked {
            let zone = self.dice.pick(&["x", "y"]).expect("there is something to pick");
            machinery.info.labels.insert("zone".into(), zone.into());
            machinery.info.membership = Membership::Approved;
            let node = machinery.info.clone();
            self.handle(Event::NodeChanged { node });
        } else {
            machinery.orphans = machinery.holds.keys().cloned().collect();
            self.handle(Event::NodeForgotten { node: node.clone() });
            if self.fate.one_in(2) {
                // For good; and often the next thing is a restart.
                self.nodes.remove(&node);
                if self.fate.one_in(2) {
                    self.restart_orchestrator();
                }
            }
        }
    }

    fn file(&mut self) -> JobFile {
        let mut file = match self.dice.below(8) {
            0..3 => ops(),
            3..6 => batch(self.dice.below(5) as i64),
            6 => service(self.dice.below(4) as i64),
            _ => daemon(),
        };
        file = self.steps_of(file);
        file = file
            .cpu(self.dice.pick(&[250, 500, 1000, 1500]).expect("there is something to pick"))
            .priority(self.dice.below(3) as i64);
        if self.dice.one_in(3) {
            let zone = self.dice.pick(&["x", "y"]).expect("there is something to pick");
            file = file.only("zone", "=", &[zone]);
        }
        if self.dice.one_in(3) {
            file = file.queue_timeout(1 + self.dice.below(90) as i64);
        }
        if self.dice.one_in(6) {
            file = file.total_timeout(100 + self.dice.below(200) as i64);
        }
        file
    }

    /// Perhaps a roll-out and a retry rule, where they are allowed.
    fn steps_of(&mut self, file: JobFile) -> JobFile {
        let kind = file.clone().spec().kind();
        let mut file = file;
        if !kind.is_kept_running() && self.dice.one_in(3) {
            let on = self.dice.pick(&["node-lost", "timeout", "exit"]).expect("there is something to pick");
            let backoff = self.dice.pick(&["0s", "5s"]).expect("there is something to pick");
            file = file.retry(self.dice.below(3) as i64, backoff, &[on, "node-lost"]);
        }
        if kind == skrei_job::spec::Kind::Ops && self.dice.one_in(3) {
            file = file
                .wait_for_absent(self.dice.pick(&["60s", "forever"]).expect("there is something to pick"));
        }
        if !matches!(kind, skrei_job::spec::Kind::Batch { .. }) && self.dice.one_in(3) {
            let (parallel, canary) = (1 + self.dice.below(2), self.dice.below(2));
            let pause = self.dice.pick(&["", "20s"]).expect("there is something to pick");
            let stop = self.dice.pick(&["", "1", "50%"]).expect("there is something to pick");
            file = file.rollout(|rollout| {
                rollout.max_parallel = parallel.to_string();
                rollout.canary = canary as i64;
                rollout.pause = pause.into();
                rollout.stop_after_failures = stop.into();
                rollout.order = "random".into();
            });
        }
        file
    }

    fn new_job(&mut self) {
        if self.jobs.len() < JOBS_MAX {
            let job = JobId::from_random([self.jobs.len() as u8; 16]);
            self.jobs.push(job.clone());
            let spec = self.file().spec();
            self.handle(Event::JobSubmitted { job, spec });
        }
    }

    fn new_version(&mut self) {
        if let Some(job) = self.dice.pick(&self.jobs.clone()) {
            let next_history = self.store.history[&job].len() as u64 + 1;
            let stored = Box::new(Job { next_history, ..self.store.jobs[&job].clone() });
            let spec = self.file().spec();
            self.handle(Event::JobUpdated { stored, spec, rerun: None });
        }
    }

    fn stop_job(&mut self) {
        if let Some(job) = self.dice.pick(&self.jobs.clone()) {
            self.handle(Event::JobStopped { job, reason: "enough".into() });
        }
    }

    fn restart_orchestrator(&mut self) {
        self.scheduler = Scheduler::restore(Config::default(), self.store.snapshot(), self.now);
        for node in self.nodes.values_mut() {
            node.linked = false;
            node.orphans = node.holds.keys().cloned().collect();
        }
        for node in self.store.nodes.values_mut() {
            node.connection = Connection::Away { since: self.now };
        }
    }

    fn let_time_pass(&mut self) {
        let jump = Duration::from_secs(self.dice.below(100) as u64);
        let end = self.now.after(jump);
        // Woken on time, or late, after everything.
        while self.dice.below(4) > 0
            && let Some((at, _)) = self.scheduler.next_wakeup().filter(|(at, _)| *at <= end)
        {
            self.now = self.now.max(at);
            self.handle(Event::Tick);
        }
        self.now = self.now.max(end);
        self.handle(Event::Tick);
        if self.dice.one_in(4) {
            // The clock jumps back.
            self.now = skrei_job::Timestamp::from_nanos(self.now.as_nanos() - 30_000_000_000);
        }
    }

    fn start_something(&mut self) {
        let Some(node) = self.some_node(true) else { return };
        let running: Vec<_> = self.nodes[&node].holds.keys().cloned().collect();
        if let Some(execution) = self.dice.pick(&running) {
            self.handle(Event::ExecutionStarted { execution, node });
        }
    }

    fn end_something(&mut self) {
        let linked = !self.dice.one_in(3);
        let Some(node) = self.some_node(linked) else { return };
        let running: Vec<_> =
            self.nodes[&node].holds.iter().map(|(id, dying)| (id.clone(), *dying)).collect();
        let Some((execution, dying)) = self.dice.pick(&running) else { return };
        let kind = self.dice.below(14);
        let state = match dying && kind > 4 {
            true => ExecutionState::Cancelled { reason: "told so".into() },
            false => self.some_end(kind),
        };
        self.nodes.get_mut(&node).expect("the node exists").end(&execution, state);
        if linked {
            self.report(&node, &execution, false);
        }
    }

    /// An end that was held up, or one that was said before.
    fn report_something(&mut self) {
        if self.dice.one_in(4) {
            if let Some(node) = self.some_node(true) {
                let ended: Vec<_> = self.nodes[&node].ended.keys().cloned().collect();
                if let Some(execution) = self.dice.pick(&ended) {
                    self.report(&node, &execution, true);
                }
            }
        } else {
            let all = self.unreported();
            if let Some((node, execution)) = self.dice.pick(&all) {
                self.report(&node, &execution, false);
            }
        }
    }

    fn unreported(&self) -> Vec<(NodeId, ExecutionId)> {
        let linked = self.nodes.iter().filter(|(_, machinery)| machinery.linked);
        linked.flat_map(|(node, m)| m.unreported.iter().map(|e| (node.clone(), e.clone()))).collect()
    }

    fn some_node(&mut self, linked: bool) -> Option<NodeId> {
        let nodes: Vec<_> =
            self.nodes.iter().filter(|(_, m)| m.linked == linked).map(|(id, _)| id.clone()).collect();
        self.dice.pick(&nodes)
    }
}
