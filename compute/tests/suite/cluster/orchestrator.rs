//! An orchestrator: the real scheduler, a disk, and what waits for the disk.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use skrei_job::{JobId, NodeId, Timestamp, life::ExecutionState, spec::Kind};
use skrei_protocol::link::{Assignment, FromNode, Hello, ToNode, Welcome};
use skrei_scheduler::{Config, Decision, Event, Membership, NodeInfo, Record, Scheduler, Send};

use super::{
    agenda::{Arrival, Connection, Happening},
    node::event_of,
    store::Store,
    world::Cluster,
};

/// When the story begins, by the orchestrator's clock.
const EPOCH: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

/// A link is taken for broken after so long a silence; a node is given up after as long again.
const SILENCE_MAX: Duration = Duration::from_secs(30);

pub(super) struct Orchestrator {
    /// How often it has started.
    pub(super) era: u64,
    pub(super) is_up: bool,
    pub(super) scheduler: Scheduler,
    /// What is on disk.
    pub(super) store: Store,
    /// What was decided and is not done, oldest first.
    undone: VecDeque<Effects>,
    /// How many of those are on disk.
    stored: usize,
    sessions: BTreeMap<Connection, Session>,
    /// The last to come counts.
    current: BTreeMap<NodeId, Connection>,
    ticks: BTreeSet<Duration>,
    /// Jobs whose submitter was told that they are stored.
    pub(super) accepted: BTreeSet<JobId>,
}

struct Session {
    node: NodeId,
    heard: Duration,
}

#[derive(Default)]
struct Effects {
    records: Vec<Record>,
    steps: VecDeque<Step>,
}

/// What follows from what is stored, one by one.
enum Step {
    Say(NodeId, Box<ToNode>),
    Acknowledge(Connection, u64),
    Answer(JobId),
}

fn config() -> Config {
    Config {
        disconnect_timeout: SILENCE_MAX,
        // So that everything that is said late still counts.
        late_outcome_window: Duration::from_secs(30 * 86_400),
    }
}

impl Orchestrator {
    pub(super) fn new() -> Self {
        Self {
            era: 0,
            is_up: true,
            scheduler: Scheduler::new(config()),
            store: Store::default(),
            undone: VecDeque::new(),
            stored: 0,
            sessions: BTreeMap::new(),
            current: BTreeMap::new(),
            ticks: BTreeSet::new(),
            accepted: BTreeSet::new(),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.undone.is_empty()
    }
}

impl Cluster {
    fn clock(&self) -> Timestamp {
        EPOCH.after(self.agenda.now)
    }

    fn now(&self, era: u64) -> bool {
        self.orchestrator.is_up && self.orchestrator.era == era
    }

    /// The process is gone, with what was not flushed.
    pub(super) fn kill_orchestrator(&mut self) {
        let at = &mut self.orchestrator;
        if !std::mem::take(&mut at.is_up) {
            return;
        }
        at.era += 1;
        at.undone.clear();
        at.stored = 0;
        at.current.clear();
        at.ticks.clear();
        let connections: Vec<_> = std::mem::take(&mut at.sessions).into_keys().collect();
        for connection in connections {
            self.hang_up_orchestrator(connection);
        }
        let (era, wait) = (self.orchestrator.era, self.soon(Duration::from_secs(20)));
        self.agenda.after(wait, Happening::Restart { era });
    }

    pub(super) fn restart(&mut self, era: u64) {
        if self.orchestrator.is_up || self.orchestrator.era != era {
            return;
        }
        self.check_accepted();
        let now = self.clock();
        let at = &mut self.orchestrator;
        at.scheduler = Scheduler::restore(config(), at.store.snapshot(), now);
        at.is_up = true;
        self.wake_in_time();
    }

    // Links.

    /// A node has called: it is heard from now on.
    pub(super) fn answer(&mut self, connection: Connection) {
        let (node, era) = (NodeId::new(""), self.orchestrator.era);
        self.orchestrator.sessions.insert(connection, Session { node, heard: self.agenda.now });
        self.agenda.after(SILENCE_MAX, Happening::Silence { era, connection });
        self.agenda.after(SILENCE_MAX / 3, Happening::Ping { era, connection });
    }

    pub(super) fn heard_from_node(&mut self, connection: Connection, arrival: Arrival<FromNode>) {
        let now = self.agenda.now;
        let Some(session) = self.orchestrator.sessions.get_mut(&connection) else { return };
        session.heard = now;
        let node = session.node.clone();
        match arrival {
            Arrival::Life => {}
            Arrival::End => self.end_session(connection),
            Arrival::Message(message) => match *message {
                FromNode::Hello(hello) => self.welcome(connection, hello),
                message => {
                    if let Some((number, event)) = event_of(&node, message) {
                        self.decide(event, [Step::Acknowledge(connection, number)]);
                    }
                }
            },
        }
    }

    fn welcome(&mut self, connection: Connection, hello: Hello) {
        if let Some(session) = self.orchestrator.sessions.get_mut(&connection) {
            session.node = hello.node.clone();
        }
        if let Some(before) = self.orchestrator.current.insert(hello.node.clone(), connection)
            && before != connection
        {
            self.orchestrator.sessions.remove(&before);
            self.hang_up_orchestrator(before);
        }
        let node = NodeInfo {
            id: hello.node,
            labels: hello.info.labels,
            engines: hello.info.engines.into_iter().collect(),
            capacity: hello.info.capacity,
            membership: Membership::Approved,
        };
        self.decide(Event::NodeConnected { node, holds: hello.holds }, []);
        let silence_max_millis = SILENCE_MAX.as_millis() as u64;
        let welcome = Welcome { orchestrator: NodeId::new("o"), silence_max_millis };
        self.say_down(connection, Arrival::Message(Box::new(ToNode::Welcome(welcome))));
    }

    fn end_session(&mut self, connection: Connection) {
        let Some(session) = self.orchestrator.sessions.remove(&connection) else { return };
        self.hang_up_orchestrator(connection);
        if self.orchestrator.current.get(&session.node) == Some(&connection) {
            self.orchestrator.current.remove(&session.node);
            self.decide(Event::NodeDisconnected { node: session.node }, []);
        }
    }

    pub(super) fn ping(&mut self, era: u64, connection: Connection) {
        if self.now(era) && self.orchestrator.sessions.contains_key(&connection) {
            self.say_down(connection, Arrival::Life);
            self.agenda.after(SILENCE_MAX / 3, Happening::Ping { era, connection });
        }
    }

    pub(super) fn silence(&mut self, era: u64, connection: Connection) {
        let Some(session) = self.orchestrator.sessions.get(&connection).filter(|_| self.now(era)) else {
            return;
        };
        let due = session.heard + SILENCE_MAX;
        if due <= self.agenda.now {
            self.end_session(connection);
        } else {
            self.agenda.at(due, Happening::Silence { era, connection });
        }
    }

    // Decisions.

    pub(super) fn decide_for_somebody(&mut self, event: Event) {
        let accepted = match &event {
            Event::JobSubmitted { job, .. } => Some(Step::Answer(job.clone())),
            _ => None,
        };
        if self.orchestrator.is_up {
            self.decide(event, accepted);
        }
    }

    pub(super) fn tick(&mut self, era: u64) {
        if self.now(era) {
            self.orchestrator.ticks.remove(&self.agenda.now);
            self.decide(Event::Tick, []);
        }
    }

    /// Decides, and lets what follows wait for the disk.
    fn decide(&mut self, event: Event, after: impl IntoIterator<Item = Step>) {
        let now = self.clock();
        let Decision { records, sends } = self.orchestrator.scheduler.handle(event, now);
        let mut steps: VecDeque<Step> = sends.into_iter().filter_map(|send| self.made_out(send)).collect();
        steps.extend(after);
        self.orchestrator.undone.push_back(Effects { records, steps });
        let (era, wait) = (self.orchestrator.era, self.soon(Duration::from_millis(30)));
        self.agenda.after(wait, Happening::Stored { era });
        self.wake_in_time();
    }

    fn made_out(&self, send: Send) -> Option<Step> {
        let scheduler = &self.orchestrator.scheduler;
        match send {
            Send::Cancel { node, execution, reason } => {
                Some(Step::Say(node, Box::new(ToNode::Cancel { execution, reason })))
            }
            Send::Run { node, execution, job } => {
                let (job, execution) = scheduler.job(&job).zip(scheduler.execution(&execution))?;
                let partitions = match job.spec.kind() {
                    Kind::Batch { count } | Kind::Service { count } => count,
                    Kind::Ops | Kind::Daemon => 1,
                };
                let assignment = Assignment {
                    execution: execution.id.clone(),
                    job: job.id.clone(),
                    version: execution.version,
                    partition: execution.partition,
                    partitions,
                    spec: Arc::clone(&job.spec),
                    started: execution.state == ExecutionState::Running,
                    secrets: Vec::new(),
                };
                Some(Step::Say(node, Box::new(ToNode::Run(Box::new(assignment)))))
            }
        }
    }

    fn wake_in_time(&mut self) {
        let Some((at, _)) = self.orchestrator.scheduler.next_wakeup() else { return };
        let due = at.since(EPOCH).max(self.agenda.now);
        if self.orchestrator.ticks.insert(due) {
            self.agenda.at(due, Happening::Tick { era: self.orchestrator.era });
        }
    }

    /// The oldest decision that was not on disk is.
    pub(super) fn stored(&mut self, era: u64) {
        if !self.now(era) || self.orchestrator.stored >= self.orchestrator.undone.len() {
            return;
        }
        let at = self.orchestrator.stored;
        for record in std::mem::take(&mut self.orchestrator.undone[at].records) {
            self.orchestrator.store.apply(&record);
            self.note(&record);
        }
        self.orchestrator.stored += 1;
        self.check_store();
        let wait = self.soon(Duration::from_millis(2));
        self.agenda.after(wait, Happening::Perform { era });
    }

    /// One step of what follows.
    pub(super) fn perform(&mut self, era: u64) {
        if !self.now(era) || self.orchestrator.stored == 0 {
            return;
        }
        let Some(effects) = self.orchestrator.undone.front_mut() else { return };
        match effects.steps.pop_front() {
            None => {
                self.orchestrator.undone.pop_front();
                self.orchestrator.stored -= 1;
            }
            Some(Step::Say(node, message)) => {
                if let ToNode::Run(assignment) = &*message {
                    let stored = self.orchestrator.store.executions.get(&assignment.execution);
                    assert!(stored.is_some(), "nothing is sent that is not on disk: {assignment:?}");
                }
                if let Some(connection) = self.orchestrator.current.get(&node).copied() {
                    // Repeating a message does no harm.
                    if self.dice.one_in(20) {
                        self.say_down(connection, Arrival::Message(message.clone()));
                    }
                    self.say_down(connection, Arrival::Message(message));
                }
            }
            Some(Step::Acknowledge(connection, number)) => {
                if self.orchestrator.sessions.contains_key(&connection) {
                    let acknowledge = ToNode::Acknowledge { number };
                    self.say_down(connection, Arrival::Message(Box::new(acknowledge)));
                }
            }
            Some(Step::Answer(job)) => {
                self.orchestrator.accepted.insert(job);
            }
        }
        let wait = self.soon(Duration::from_millis(1));
        self.agenda.after(wait, Happening::Perform { era });
    }

    /// Whether the store knows how a report's execution ended, if that is what it says.
    pub(super) fn knows(&self, execution: &skrei_job::ExecutionId, state: &ExecutionState) -> bool {
        let stored = self.orchestrator.store.executions.get(execution);
        !state.is_terminal() || stored.is_none_or(|stored| stored.state.is_terminal())
    }
}
