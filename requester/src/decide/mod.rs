//! The event loop: the one owner of the scheduler.
//!
//! Commands come in, the scheduler decides, the records go to the store in order, and what follows from them
//! waits behind the flush in [`perform`](crate::perform). The loop itself never waits for the disk.

mod command;
mod granting;
mod order;
mod pending;
mod submission;
mod told;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use skrei_job::{
    JobId, Timestamp,
    life::{ExecutionState, JobState},
};
use skrei_protocol::link::{Assignment, ToNode};
use skrei_scheduler::{Decision, Event, Record, Scheduler, Send, Steering, history::Entry};
use tokio::sync::{mpsc, watch};

use pending::Pending;

use crate::{
    clock,
    nodes::Hub,
    perform::{Effects, Errand, Followed, Outgoing, Reply},
    secrets::{AHEAD_MAX, Ahead, Keys, Placed as PlacedExecution},
    store::{Error as StoreError, Placed, Position, Store},
};

/// Commands taken in at once; bounds how long the first waits for the last.
const COMMANDS_MAX: usize = 256;

pub(crate) use command::{Accepted, Command, Planned, Refused, Stopped};
pub(crate) use order::Order;

/// The event loop's state.
pub(crate) struct EventLoop {
    scheduler: Scheduler,
    store: Store,
    position: Position,
    config: skrei_scheduler::Config,
    effects: mpsc::Sender<Effects>,
    hub: Arc<Hub>,
    keys: Arc<Keys>,
    /// How often this loop has begun anew from what is stored: decisions of an earlier era count for nothing.
    era: u64,
    /// What was decided about jobs and perhaps is not stored yet.
    pending: Pending,
    /// Answers to submissions with a token that perhaps are not stored yet.
    tokens: BTreeMap<String, (Position, Accepted)>,
    stored: watch::Receiver<Position>,
}

/// What came of a batch of commands, before it is stored.
#[derive(Default)]
struct Step {
    records: Vec<Record>,
    sends: Vec<Outgoing>,
    /// Executions whose secrets are sealed meanwhile.
    ahead: Vec<PlacedExecution>,
    replies: Vec<Reply>,
}

impl EventLoop {
    /// Takes up what the store says is going on.
    pub(crate) fn restore(
        store: Store,
        config: skrei_scheduler::Config,
        effects: mpsc::Sender<Effects>,
        hub: Arc<Hub>,
        keys: Arc<Keys>,
        stored: watch::Receiver<Position>,
    ) -> Result<Self, StoreError> {
        let (position, snapshot) = store.snapshot()?;
        let scheduler = Scheduler::restore(config.clone(), snapshot, clock::now());
        Ok(Self {
            scheduler,
            store,
            position,
            config,
            effects,
            hub,
            keys,
            era: 0,
            pending: Pending::default(),
            tokens: BTreeMap::new(),
            stored,
        })
    }

    /// Runs until every sender of commands is gone.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut commands = Vec::with_capacity(COMMANDS_MAX);
        loop {
            let due = self.scheduler.next_wakeup().map(|(at, _)| at.since(clock::now()));
            tokio::select! {
                received = inbox.recv_many(&mut commands, COMMANDS_MAX) => if received == 0 { return },
                () = sleep(due) => commands.push(Command::Happened { event: Event::Tick, acknowledge: None }),
            }
            self.pending.settle(*self.stored.borrow());
            let now = clock::now();
            let mut step = Step::default();
            for command in commands.drain(..) {
                self.decide(command, now, &mut step);
            }
            if !self.hand_over(step).await {
                return;
            }
        }
    }

    fn decide(&mut self, command: Command, now: Timestamp, step: &mut Step) {
        match command {
            Command::Submit { spec, force, token, secrets, reply } => {
                let answer = match token {
                    None => self.submit(*spec, force, secrets, now, step),
                    Some(token) => self.submit_once(token, *spec, force, secrets, now, step),
                };
                step.replies.push(Reply::Submit(reply, answer));
            }
            Command::Stop { job, reason, reply } => {
                let answer = self.stop(job, reason, now, step);
                step.replies.push(Reply::Stop(reply, answer));
            }
            Command::Rerun { job, spec, rerun, reply } => {
                let answer = self.rerun(&job, *spec, rerun, now, step);
                step.replies.push(Reply::Submit(reply, answer));
            }
            Command::Steer { job, steering, reply } => {
                let answer = self.steer(job, steering, now, step);
                step.replies.push(Reply::Steer(reply, answer));
            }
            Command::Order { node, order, reply } => {
                let answer = self.order(node, order, now, step);
                step.replies.push(Reply::Order(reply, answer));
            }
            Command::Settle { reply } => step.replies.push(Reply::Settle(reply)),
            // Nothing to store: the answer need not wait for the disk.
            Command::Plan { spec, reply } => drop(reply.send(Ok(self.scheduler.plan(&spec)))),
            Command::Forgotten { mut jobs, reply } => {
                jobs.retain(|job| self.scheduler.job(&job.id).is_none());
                drop(reply.send(jobs));
            }
            Command::Told { node, news } => self.told(&node, news),
            Command::Happened { event, acknowledge } => {
                self.forget_told(&event);
                step.sends.extend(about(&event));
                let decision = self.scheduler.handle(event, now);
                self.take(decision, step);
                step.replies.extend(acknowledge.map(|(to, number)| Reply::Acknowledge(to, number)));
            }
            Command::Reload => self.reload(),
        }
    }

    fn accept(&mut self, event: Event, job: JobId, now: Timestamp, step: &mut Step) -> Accepted {
        let decision = self.scheduler.handle(event, now);
        // Not asked of the scheduler: a job that has ended at once is forgotten there.
        let accepted = decision.records.iter().find_map(|record| match record {
            Record::JobAccepted(accepted) if accepted.id == job => Some(accepted.version),
            _ => None,
        });
        let version = accepted.unwrap_or(1);
        self.take(decision, step);
        Accepted { job, version }
    }

    fn stop(
        &mut self,
        job: JobId,
        reason: String,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<Stopped, Refused> {
        match self.scheduler.job(&job).map(|job| job.state) {
            Some(state) if !state.is_terminal() => {
                let decision = self.scheduler.handle(Event::JobStopped { job, reason }, now);
                self.take(decision, step);
                Ok(Stopped::Now)
            }
            Some(JobState::Stopped) => Ok(Stopped::Already),
            Some(state) => Err(Refused::Ended { job, state }),
            // The caller found it in the store; what the scheduler has forgotten has ended.
            None => Err(Refused::NoSuchJob(job)),
        }
    }

    fn steer(
        &mut self,
        job: JobId,
        steering: Steering,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), Refused> {
        match self.scheduler.job(&job).map(|job| job.state) {
            Some(state) if state.is_terminal() => Err(Refused::Ended { job, state }),
            Some(_) => {
                let decision = self.scheduler.handle(Event::RolloutSteered { job, steering }, now);
                self.take(decision, step);
                Ok(())
            }
            None => Err(Refused::NoSuchJob(job)),
        }
    }

    /// Adds a record to the step, and notes what of it others may ask for before it is stored.
    fn record(&mut self, record: Record, step: &mut Step) {
        let position = self.position + step.records.len() as u64 + 1;
        self.pending.note(position, &record);
        step.records.push(record);
    }

    /// Adds a decision to the step; assignments are made out now, while the scheduler knows the job.
    fn take(&mut self, decision: Decision, step: &mut Step) {
        let mut new = Vec::new();
        for record in decision.records {
            if let Record::ExecutionChanged(execution) = &record
                && execution.revision == 1
                && new.len() < AHEAD_MAX
            {
                new.push(execution.id.clone());
            }
            self.record(record, step);
        }
        for send in decision.sends {
            match send {
                Send::Run { node, execution, job } => {
                    let Some((job, execution)) =
                        self.scheduler.job(&job).zip(self.scheduler.execution(&execution))
                    else {
                        continue;
                    };
                    let partitions = match job.spec.kind() {
                        skrei_job::spec::Kind::Batch { count } | skrei_job::spec::Kind::Service { count } => {
                            count
                        }
                        _ => 1,
                    };
                    let assignment = Assignment {
                        execution: execution.id.clone(),
                        job: job.id.clone(),
                        version: execution.version,
                        partition: execution.partition,
                        partitions,
                        spec: Arc::clone(&job.spec),
                        started: execution.state == ExecutionState::Running,
                        // Those that are sealed ahead come to it when it is sent.
                        secrets: Vec::new(),
                    };
                    // One that is told again has them, or asks.
                    if new.contains(&execution.id) && step.ahead.len() < AHEAD_MAX {
                        step.ahead.extend(self.placed(job, execution));
                    }
                    let errand = Errand::Say(ToNode::Run(Box::new(assignment)));
                    step.sends.push(Outgoing { node, errand });
                }
                Send::Cancel { node, execution, reason } => {
                    let errand = Errand::Say(ToNode::Cancel { execution, reason });
                    step.sends.push(Outgoing { node, errand });
                }
            }
        }
    }

    /// Gives records to the store and what follows to the performer. False if the performer is gone.
    async fn hand_over(&mut self, step: Step) -> bool {
        let Step { records, sends, ahead, replies } = step;
        let expected = self.position;
        self.position += records.len() as u64;
        let positions = self.tokens.values_mut().map(|(position, _)| position);
        for position in positions.filter(|position| **position == Position::MAX) {
            *position = self.position;
        }
        let followed = Followed::new((expected + 1..).zip(&records).filter_map(placed).collect());
        let committed = match records.is_empty() {
            true => None,
            false => Some(self.store.append(expected, records).await),
        };
        let ahead = Ahead::begin(&self.store, &self.hub, &self.keys, ahead);
        let (era, position) = (self.era, self.position);
        let effects = Effects { era, committed, position, sends, ahead, followed, replies };
        self.effects.send(effects).await.is_ok()
    }

    /// Begins anew from what is stored. Every node is cut off: it says again what it holds, and is told again
    /// what to run.
    fn reload(&mut self) {
        self.era += 1;
        self.hub.told.clear();
        match self.store.snapshot() {
            Ok((position, snapshot)) => {
                tracing::warn!(position, "going on from what is stored");
                self.scheduler = Scheduler::restore(self.config.clone(), snapshot, clock::now());
                self.position = position;
                self.pending.clear();
                self.tokens.clear();
            }
            Err(error) => tracing::error!(%error, "the store cannot be read"),
        }
        self.hub.cut_all();
    }
}

/// What an event means for what a node is known to have, whatever is decided.
fn about(event: &Event) -> Option<Outgoing> {
    let (node, errand) = match event {
        Event::NodeConnected { node, holds } => (&node.id, Errand::Holds(holds.clone())),
        Event::ExecutionEnded { execution, node, .. } => (node, Errand::Ended(execution.clone())),
        Event::NodeForgotten { node } => (node, Errand::Forget),
        _ => return None,
    };
    Some(Outgoing { node: node.clone(), errand })
}

fn placed((position, record): (Position, &Record)) -> Option<Placed> {
    let entry: &Entry = match record {
        Record::History(entry) => entry,
        _ => return None,
    };
    Some(Placed { position, entry: entry.clone() })
}

async fn sleep(due: Option<Duration>) {
    match due {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
