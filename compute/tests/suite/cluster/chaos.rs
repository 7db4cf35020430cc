//! What people do, and what fails.

use std::time::Duration;

use skrei_job::{JobId, NodeId, Timestamp};
use skrei_scheduler::{Event, Job, NodeOrder, Phase, Steering};

use super::{
    agenda::Happening,
    given::{JobFile, batch, daemon, ops, service},
    world::{Cluster, Way},
};

const JOBS_MAX: usize = 14;

/// Between two of these, at most.
const PACE: Duration = Duration::from_secs(12);

impl Cluster {
    pub(super) fn chaos(&mut self) {
        if self.is_calm {
            return;
        }
        let node = self.dice.below(self.nodes.len());
        let way = if self.dice.one_in(2) { Way::Up } else { Way::Down };
        match self.dice.below(20) {
            0..6 => self.submit(),
            6 => self.update(),
            7 => {
                if let Some(job) = self.dice.pick(&self.jobs.clone()) {
                    self.decide_for_somebody(Event::JobStopped { job, reason: "enough".to_owned() });
                }
            }
            8..10 => {
                self.cut(node, Way::Up);
                self.cut(node, Way::Down);
            }
            10 => self.cut(node, way),
            11..14 => {
                self.mend(node, Way::Up);
                self.mend(node, Way::Down);
            }
            14 => {
                let most = self.dice.pick(&[5, 20, 500, 5000, 20_000]).expect("there is something to pick");
                self.slow_down(node, Duration::from_millis(most));
            }
            15..17 => {
                let with_power = self.dice.one_in(3);
                self.kill(node, with_power);
                let wait = self.soon(Duration::from_secs(100));
                self.agenda.after(wait, Happening::Start { node });
                if self.fate.one_in(3) {
                    self.agenda.after(wait / 2, Happening::Forget { node });
                }
            }
            17..19 => self.kill_orchestrator(),
            _ => self.govern(node),
        }
        let wait = self.soon(PACE);
        self.agenda.after(wait, Happening::Chaos);
    }

    fn submit(&mut self) {
        if self.jobs.len() >= JOBS_MAX {
            return;
        }
        let job = JobId::from_random([u8::try_from(self.jobs.len()).expect("few jobs"); 16]);
        let spec = self.file().spec();
        if self.orchestrator.is_up {
            self.jobs.push(job.clone());
            self.decide_for_somebody(Event::JobSubmitted { job, spec });
        }
    }

    fn update(&mut self) {
        let Some(job) = self.dice.pick(&self.jobs.clone()) else { return };
        let spec = self.file().spec();
        // Whoever updates has read the job: from the scheduler, or from the disk if it is forgotten there.
        let store = &self.orchestrator.store;
        let stored = self.orchestrator.scheduler.job(&job).cloned().or_else(|| {
            let next_history = store.history.get(&job)?.len() as u64 + 1;
            Some(Job { next_history, ..store.jobs.get(&job)?.clone() })
        });
        // What is decided and not on disk is not read from there.
        if let Some(stored) = stored.filter(|_| self.orchestrator.is_idle()) {
            self.decide_for_somebody(Event::JobUpdated { stored: Box::new(stored), spec, rerun: None });
        }
    }

    fn govern(&mut self, node: usize) {
        let node = NodeId::new(format!("n-{node}"));
        let until = Timestamp::from_nanos(1_800_000_000_000_000_000).after(self.agenda.now + PACE * 3);
        let orders = [NodeOrder::Cordon, NodeOrder::Uncordon, NodeOrder::Drain { until }];
        let order = self.dice.pick(&orders).expect("there is something to pick");
        self.decide_for_somebody(Event::NodeOrdered { node, order });
    }

    fn file(&mut self) -> JobFile {
        let retry = self.dice.below(3);
        let (mut file, is_kept) = match self.dice.below(8) {
            0..4 => (ops(), false),
            4..6 => (batch(1 + self.dice.below(4) as i64), false),
            6 => (service(1 + self.dice.below(2) as i64), true),
            _ => (daemon(), true),
        };
        if !is_kept && retry > 0 {
            file = file.retry(retry as i64, "2s", &["node-lost", "exit"]);
        }
        file = match !is_kept && self.dice.one_in(6) {
            true => file.queue_timeout(30).total_timeout(60 + self.dice.below(600) as i64),
            false => file.queue_timeout(20_000),
        };
        file.cpu(self.dice.pick(&[250, 500, 1000]).expect("there is something to pick"))
    }

    /// Nothing fails any more, and what goes on for ever is stopped.
    pub(super) fn calm_down(&mut self) {
        self.is_calm = true;
        for node in 0..self.nodes.len() {
            self.slow_down(node, Duration::from_millis(20));
            self.mend(node, Way::Up);
            self.mend(node, Way::Down);
            self.agenda.after(Duration::from_secs(1), Happening::Start { node });
        }
    }

    /// Somebody looks after what would wait for somebody for ever.
    pub(super) fn look_after(&mut self) {
        let jobs: Vec<_> = self.orchestrator.store.jobs.values().cloned().collect();
        for job in jobs.into_iter().filter(|job| !job.state.is_terminal()) {
            if job.spec.kind().is_kept_running() {
                let reason = "the story is over".to_owned();
                self.decide_for_somebody(Event::JobStopped { job: job.id, reason });
            } else if matches!(job.progress.phase, Phase::Halted { .. }) {
                let steering = Steering::Resume;
                self.decide_for_somebody(Event::RolloutSteered { job: job.id, steering });
            }
        }
        for node in self.nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>() {
            self.decide_for_somebody(Event::NodeOrdered { node, order: NodeOrder::Uncordon });
        }
    }
}
