//! The cluster: its processes, and the network between them.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use skrei_protocol::link::{FromNode, ToNode};
use tokio::time::Instant;

use super::{
    agenda::{Agenda, Arrival, Connection, Happening},
    dice::Dice,
    node::Node,
    orchestrator::Orchestrator,
    truth::Truth,
};

/// How many nodes there are.
const NODES: usize = 4;

/// How long things go wrong.
const TROUBLE: Duration = Duration::from_secs(15 * 60);

/// By then everything has settled, or something is wrong.
const SETTLED_BY: Duration = Duration::from_secs(6 * 60 * 60);

pub(super) struct Cluster {
    pub(super) dice: Dice,
    /// Decides what the kept seed knows nothing of.
    pub(super) fate: Dice,
    pub(super) agenda: Agenda,
    pub(super) nodes: Vec<Node>,
    pub(super) orchestrator: Orchestrator,
    pub(super) truth: Truth,
    connections: Vec<Wire>,
    /// Ways that are cut.
    cuts: BTreeMap<(usize, Way), ()>,
    /// How long a message takes to each node, at most.
    slowness: [Duration; NODES],
    pub(super) jobs: Vec<skrei_job::JobId>,
    pub(super) is_calm: bool,
    pub(super) happened: Vec<String>,
    /// What the nodes' clocks show when the story begins. Only differences count.
    epoch: Instant,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Up,
    Down,
}

/// One connection.
struct Wire {
    node: usize,
    /// Whether each side still has it. One that has closed it hears nothing more, and what it said before arrives.
    at_node: bool,
    at_orchestrator: bool,
    /// When the last message arrives, each way: none overtakes another.
    last: BTreeMap<Way, Duration>,
    stuck: VecDeque<(Way, Happening)>,
}

impl Cluster {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut agenda = Agenda::default();
        for node in 0..NODES {
            agenda.after(Duration::from_millis(dice.below(5000) as u64), Happening::Start { node });
        }
        agenda.after(Duration::ZERO, Happening::Chaos);
        Self {
            dice,
            fate: Dice::new(!seed),
            agenda,
            nodes: (0..NODES).map(Node::new).collect(),
            orchestrator: Orchestrator::new(),
            truth: Truth::default(),
            connections: Vec::new(),
            cuts: BTreeMap::new(),
            slowness: [Duration::from_millis(20); NODES],
            jobs: Vec::new(),
            is_calm: false,
            happened: Vec::new(),
            epoch: Instant::now(),
        }
    }

    /// Plays until everything has settled.
    pub(super) fn play(&mut self) {
        while let Some(happening) = self.agenda.next() {
            if !matches!(
                happening,
                Happening::Wake { .. } | Happening::Tick { .. } | Happening::Silence { .. }
            ) {
                self.happened.push(format!("{:?} {happening:?}", self.agenda.now));
            }
            self.happens(happening);
            if self.agenda.now > TROUBLE && !self.is_calm {
                self.calm_down();
            }
            if self.is_calm && self.has_settled() {
                self.check_the_end();
                return;
            }
            if self.agenda.now > SETTLED_BY {
                self.say_what_is_open();
            }
        }
        panic!("nothing more happens, and not everything has settled");
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Up(connection, arrival) => {
                if self.connections[connection].at_orchestrator {
                    self.heard_from_node(connection, arrival);
                }
            }
            Happening::Down(connection, arrival) => {
                if self.connections[connection].at_node {
                    self.heard_from_orchestrator(self.connections[connection].node, connection, arrival);
                }
            }
            Happening::Dial { node, life } => self.dial(node, life),
            Happening::Wake { node, connection } => self.wake(node, connection),
            Happening::Fetched { node, connection, after } => self.fetched(node, connection, after),
            Happening::Written { node, life } => self.written(node, life),
            Happening::Prepared { node, life, execution } => self.prepared(node, life, &execution),
            Happening::Done { node, life, execution } => self.done(node, life, &execution),
            Happening::Start { node } => self.start(node),
            Happening::Forget { node } => self.lose_journal(node),
            Happening::Stored { era } => self.stored(era),
            Happening::Perform { era } => self.perform(era),
            Happening::Tick { era } => self.tick(era),
            Happening::Ping { era, connection } => self.ping(era, connection),
            Happening::Silence { era, connection } => self.silence(era, connection),
            Happening::Restart { era } => self.restart(era),
            Happening::Chaos => self.chaos(),
        }
    }

    /// A moment of the story as a clock of a process.
    pub(super) fn instant(&self, moment: Duration) -> Instant {
        self.epoch + moment
    }

    pub(super) fn moment(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.epoch)
    }

    pub(super) fn soon(&mut self, most: Duration) -> Duration {
        let micros = usize::try_from(most.as_micros()).expect("a short time");
        Duration::from_micros(self.dice.below(micros.max(1)) as u64)
    }

    // The network.

    /// Whether a node and the orchestrator can make a new connection now.
    pub(super) fn can_connect(&self, node: usize) -> bool {
        self.orchestrator.is_up && !self.is_cut(node, Way::Up) && !self.is_cut(node, Way::Down)
    }

    fn is_cut(&self, node: usize, way: Way) -> bool {
        self.cuts.contains_key(&(node, way))
    }

    pub(super) fn connect(&mut self, node: usize) -> Connection {
        self.connections.push(Wire {
            node,
            at_node: true,
            at_orchestrator: true,
            last: BTreeMap::new(),
            stuck: VecDeque::new(),
        });
        self.connections.len() - 1
    }

    pub(super) fn say_up(&mut self, connection: Connection, arrival: Arrival<FromNode>) {
        self.carry(connection, Way::Up, Happening::Up(connection, arrival));
    }

    pub(super) fn say_down(&mut self, connection: Connection, arrival: Arrival<ToNode>) {
        self.carry(connection, Way::Down, Happening::Down(connection, arrival));
    }

    fn carry(&mut self, connection: Connection, way: Way, happening: Happening) {
        let node = self.connections[connection].node;
        if self.is_cut(node, way) {
            self.connections[connection].stuck.push_back((way, happening));
            return;
        }
        let arrives = self.agenda.now + self.soon(self.slowness[node]);
        let last = self.connections[connection].last.entry(way).or_default();
        *last = arrives.max(*last);
        let arrives = *last;
        self.agenda.at(arrives, happening);
    }

    /// A node closes its side, or its process dies. With power gone, nobody says so.
    pub(super) fn hang_up_node(&mut self, connection: Connection, is_said: bool) {
        if std::mem::take(&mut self.connections[connection].at_node) && is_said {
            self.say_up(connection, Arrival::End);
        }
    }

    pub(super) fn hang_up_orchestrator(&mut self, connection: Connection) {
        if std::mem::take(&mut self.connections[connection].at_orchestrator) {
            self.say_down(connection, Arrival::End);
        }
    }

    /// Nothing passes this way any more. What is on its way arrives, or not, as if it had been sent later.
    pub(super) fn cut(&mut self, node: usize, way: Way) {
        self.cuts.insert((node, way), ());
    }

    /// It passes again; what was stuck arrives where both sides still have the connection.
    pub(super) fn mend(&mut self, node: usize, way: Way) {
        if self.cuts.remove(&(node, way)).is_none() {
            return;
        }
        for connection in 0..self.connections.len() {
            if self.connections[connection].node != node {
                continue;
            }
            let stuck = std::mem::take(&mut self.connections[connection].stuck);
            for (of, happening) in stuck {
                if of == way {
                    self.carry(connection, way, happening);
                } else {
                    self.connections[connection].stuck.push_back((of, happening));
                }
            }
        }
    }

    pub(super) fn slow_down(&mut self, node: usize, most: Duration) {
        self.slowness[node] = most;
    }
}
