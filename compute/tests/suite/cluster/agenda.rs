//! What is going to happen, and when.

use std::{collections::BTreeMap, time::Duration};

use skrei_job::ExecutionId;
use skrei_protocol::link::{FromNode, ToNode};

/// The number of a connection; each is made once.
pub(super) type Connection = usize;

/// Something that happens at a moment. What is about a process names which life of it: the next one knows nothing of it.
#[derive(Debug)]
pub(super) enum Happening {
    /// Something arrives at the orchestrator.
    Up(Connection, Arrival<FromNode>),
    /// Something arrives at the node.
    Down(Connection, Arrival<ToNode>),
    /// A node calls.
    Dial { node: usize, life: u64 },
    /// A dialogue asked to be woken.
    Wake { node: usize, connection: Connection },
    /// A node's journal has been read.
    Fetched { node: usize, connection: Connection, after: u64 },
    /// A node's disk has taken in part of what waits.
    Written { node: usize, life: u64 },
    /// What an execution needs is there.
    Prepared { node: usize, life: u64, execution: ExecutionId },
    /// A guest is done.
    Done { node: usize, life: u64, execution: ExecutionId },
    /// A node starts, or starts again.
    Start { node: usize },
    /// Somebody removes the journal of a node that does not run.
    Forget { node: usize },
    /// The orchestrator's disk has taken in what was decided first of what waits.
    Stored { era: u64 },
    /// The next step of what follows from what is stored.
    Perform { era: u64 },
    /// The scheduler asked to be woken.
    Tick { era: u64 },
    /// The orchestrator asks a node whether it lives.
    Ping { era: u64, connection: Connection },
    /// The orchestrator looks whether a link was silent for too long.
    Silence { era: u64, connection: Connection },
    /// The orchestrator starts again.
    Restart { era: u64 },
    /// Somebody does something, or something fails.
    Chaos,
}

/// What comes over a connection.
#[derive(Debug)]
pub(super) enum Arrival<T> {
    Message(Box<T>),
    /// A ping, or the answer to one.
    Life,
    /// The other side closed it.
    End,
}

/// What is going to happen, in order.
#[derive(Default)]
pub(super) struct Agenda {
    /// Since the story began.
    pub(super) now: Duration,
    queue: BTreeMap<(Duration, u64), Happening>,
    next: u64,
}

impl Agenda {
    pub(super) fn after(&mut self, wait: Duration, happening: Happening) {
        self.at(self.now + wait, happening);
    }

    pub(super) fn at(&mut self, moment: Duration, happening: Happening) {
        self.next += 1;
        self.queue.insert((moment.max(self.now), self.next), happening);
    }

    pub(super) fn next(&mut self) -> Option<Happening> {
        let ((moment, _), happening) = self.queue.pop_first()?;
        self.now = moment;
        Some(happening)
    }
}
