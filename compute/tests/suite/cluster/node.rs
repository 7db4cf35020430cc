//! A node: the real dialogue and reception, over a journal that keeps what was flushed.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use skrei_compute::{
    link::dialogue::{Action, Dialogue, Event},
    reception::Known,
};
use skrei_job::{ExecutionId, NodeId, life::ExecutionState, resources::Resources, spec::Kind};
use skrei_protocol::{
    link::{FromNode, Hello, Load, NodeInfo, PROTOCOL, Report, ToNode},
    version::VERSION,
};

use super::{
    agenda::{Arrival, Connection, Happening},
    journal::Journal,
    world::Cluster,
};

const HEARTBEAT: Duration = Duration::from_secs(5);

/// What a node shares out.
pub(super) const CAPACITY: Resources =
    Resources { cpu_millis: 2000, memory_bytes: 8 << 30, disk_bytes: 8 << 30, gpus: 0 };

pub(super) struct Node {
    pub(super) name: NodeId,
    /// How often it has started.
    pub(super) life: u64,
    pub(super) is_up: bool,
    pub(super) journal: Journal,
    /// How everything ended that was in a journal which is gone.
    pub(super) forgotten: BTreeMap<ExecutionId, (u64, ExecutionState)>,
    /// What was taken on and has no end in the journal.
    pub(super) live: BTreeMap<ExecutionId, Live>,
    session: Option<Session>,
    tries: u32,
}

struct Session {
    connection: Connection,
    dialogue: Dialogue,
}

pub(super) struct Live {
    pub(super) kind: Kind,
    pub(super) stage: Stage,
    /// Why it is to stop.
    pub(super) stop: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Preparing,
    Starting,
    Running,
    Ending,
}

impl Node {
    pub(super) fn new(number: usize) -> Self {
        Self {
            name: NodeId::new(format!("n-{number}")),
            life: 0,
            is_up: false,
            journal: Journal::default(),
            forgotten: BTreeMap::new(),
            live: BTreeMap::new(),
            session: None,
            tries: 0,
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: PROTOCOL.to_owned(),
            version: VERSION.to_owned(),
            node: self.name.clone(),
            info: NodeInfo { engines: vec!["wasm".to_owned()], capacity: CAPACITY, ..NodeInfo::default() },
            holds: self.live.keys().cloned().collect(),
        }
    }

    pub(super) fn known(&self, execution: &ExecutionId) -> Known {
        match self.journal.ended.get(execution) {
            _ if self.live.contains_key(execution) => Known::Live,
            Some((report, _)) => Known::Ended { report: *report },
            None => Known::No,
        }
    }
}

impl Cluster {
    pub(super) fn start(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        if at.is_up {
            return;
        }
        at.life += 1;
        at.is_up = true;
        at.tries = 0;
        at.journal.open();
        let life = at.life;
        self.agenda.after(Duration::from_millis(50), Happening::Dial { node, life });
    }

    /// The process is gone, and what it had not flushed; with its power, its connections just fall silent.
    pub(super) fn kill(&mut self, node: usize, with_power: bool) {
        let at = &mut self.nodes[node];
        if !std::mem::take(&mut at.is_up) {
            return;
        }
        at.live.clear();
        if let Some(session) = at.session.take() {
            self.hang_up_node(session.connection, !with_power);
        }
    }

    /// The journal is gone. Only one is, of which the orchestrator knows everything: nobody could say what else ran.
    pub(super) fn lose_journal(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        if at.is_up || !at.journal.is_all_acknowledged() {
            return;
        }
        let lost = std::mem::take(&mut at.journal);
        // The numbers of a new one begin beyond those of any before.
        at.journal.latest = lost.latest + 1000;
        at.journal.acknowledged = at.journal.latest;
        at.forgotten.extend(lost.ended);
    }

    pub(super) fn is_alive(&self, node: usize, life: u64) -> bool {
        self.nodes[node].is_up && self.nodes[node].life == life
    }

    // The link.

    pub(super) fn dial(&mut self, node: usize, life: u64) {
        if !self.is_alive(node, life) || self.nodes[node].session.is_some() {
            return;
        }
        if !self.can_connect(node) {
            return self.dial_again(node, Duration::from_secs(if self.orchestrator.is_up { 5 } else { 0 }));
        }
        let connection = self.connect(node);
        self.answer(connection);
        let hello = self.nodes[node].hello();
        let now = self.instant(self.agenda.now);
        let dialogue = Dialogue::new(hello, Load::default(), HEARTBEAT, now);
        self.nodes[node].session = Some(Session { connection, dialogue });
        let latest = self.nodes[node].journal.latest;
        self.tell(node, Event::ReportsUpTo(latest));
    }

    fn dial_again(&mut self, node: usize, waited: Duration) {
        let at = &mut self.nodes[node];
        let whole = Duration::from_millis(200) * 2_u32.pow(at.tries.min(6));
        at.tries += 1;
        let life = at.life;
        let pause = whole / 2 + self.soon(whole / 2);
        self.agenda.after(waited + pause, Happening::Dial { node, life });
    }

    /// The dialogue hears of something, and what follows is done.
    pub(super) fn tell(&mut self, node: usize, event: Event) {
        let now = self.instant(self.agenda.now);
        let Some(session) = &mut self.nodes[node].session else { return };
        let connection = session.connection;
        let mut actions = VecDeque::from(session.dialogue.handle(event, now));
        loop {
            while let Some(action) = actions.pop_front() {
                self.act(node, connection, action);
            }
            // It may have been given up.
            let Some(session) = self.nodes[node].session.as_mut().filter(|it| it.connection == connection)
            else {
                return;
            };
            let Some(message) = session.dialogue.next_message() else { break };
            actions.extend(session.dialogue.sent());
            self.say_up(connection, Arrival::Message(Box::new(message)));
        }
        if let Some(session) = &self.nodes[node].session {
            let due = self.moment(session.dialogue.next_wakeup().0);
            self.agenda.at(due, Happening::Wake { node, connection });
        }
    }

    fn act(&mut self, node: usize, connection: Connection, action: Action) {
        match action {
            Action::Welcomed(_) => self.nodes[node].tries = 0,
            Action::Run(assignment) => self.take_on(node, *assignment),
            Action::Cancel { execution, reason } => self.cancel(node, execution, reason),
            Action::Acknowledge(number) => {
                self.check_acknowledged(node, number);
                let journal = &mut self.nodes[node].journal;
                journal.acknowledged = journal.acknowledged.max(number.min(journal.latest));
            }
            Action::Fetch { after } => {
                let wait = self.soon(Duration::from_millis(5));
                self.agenda.after(wait, Happening::Fetched { node, connection, after });
            }
            Action::Close(_) => {
                self.nodes[node].session = None;
                self.hang_up_node(connection, true);
                self.dial_again(node, Duration::ZERO);
            }
            Action::Read(_) | Action::Judge(_) | Action::Secrets(_) | Action::Renew => {}
        }
    }

    pub(super) fn heard_from_orchestrator(
        &mut self,
        node: usize,
        connection: Connection,
        arrival: Arrival<ToNode>,
    ) {
        if self.nodes[node].session.as_ref().is_none_or(|session| session.connection != connection) {
            return;
        }
        match arrival {
            Arrival::Message(message) => self.tell(node, Event::Received(*message)),
            Arrival::Life => {
                self.say_up(connection, Arrival::Life);
                self.tell(node, Event::Life);
            }
            Arrival::End => {
                self.nodes[node].session = None;
                self.hang_up_node(connection, true);
                self.dial_again(node, Duration::ZERO);
            }
        }
    }

    pub(super) fn wake(&mut self, node: usize, connection: Connection) {
        let now = self.instant(self.agenda.now);
        let session = self.nodes[node].session.as_ref().filter(|session| session.connection == connection);
        if session.is_some_and(|session| session.dialogue.next_wakeup().0 <= now) {
            self.tell(node, Event::Woken);
        }
    }

    pub(super) fn fetched(&mut self, node: usize, connection: Connection, after: u64) {
        if self.nodes[node].session.as_ref().is_some_and(|session| session.connection == connection) {
            let reports = self.nodes[node].journal.after(after);
            self.tell(node, Event::Reports(reports));
        }
    }
}

/// What a node says of an execution, to the scheduler.
pub(super) fn event_of(node: &NodeId, message: FromNode) -> Option<(u64, skrei_scheduler::Event)> {
    let FromNode::Report(Report { number, execution, state }) = message else { return None };
    let node = node.clone();
    let event = match state {
        ExecutionState::Assigned | ExecutionState::Running => {
            skrei_scheduler::Event::ExecutionStarted { execution, node }
        }
        state => skrei_scheduler::Event::ExecutionEnded { execution, node, state },
    };
    Some((number, event))
}
