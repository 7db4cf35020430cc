//! What waits for room, in lines of equal demand.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use skrei_job::{JobId, NodeId, Timestamp};

use crate::placement::Demand;

/// A place in line: priority first, then who came first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(crate) priority: Reverse<i64>,
    pub(crate) submitted: Timestamp,
    pub(crate) job: JobId,
    pub(crate) partition: u32,
}

/// Everything that waits with the same demand.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) tickets: BTreeSet<Ticket>,
    /// A node that could run this after some waiting. While it could, no other needs to be looked for.
    pub(crate) possible: Option<NodeId>,
    /// The node set aside for the first in line, so that smaller work cannot keep it from ever being served.
    pub(crate) reserved: Option<NodeId>,
    /// Why it waits, for people; as it was when the line opened.
    pub(crate) why: String,
}

/// All lines. None is empty.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: BTreeMap<Arc<Demand>, Line>,
}

impl Queue {
    pub(crate) fn get(&self, demand: &Demand) -> Option<&Line> {
        self.lines.get(demand)
    }

    pub(crate) fn get_mut(&mut self, demand: &Demand) -> Option<&mut Line> {
        self.lines.get_mut(demand)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Demand>, &Line)> {
        self.lines.iter()
    }

    /// Adds a ticket; true if that opened the line.
    pub(crate) fn join(&mut self, demand: &Arc<Demand>, ticket: Ticket) -> bool {
        let line = self.lines.entry(demand.clone()).or_default();
        line.tickets.insert(ticket);
        line.tickets.len() == 1
    }

    /// Takes a ticket out; true if that closed the line.
    pub(crate) fn leave(&mut self, demand: &Demand, ticket: &Ticket) -> bool {
        let Some(line) = self.lines.get_mut(demand) else { return false };
        line.tickets.remove(ticket);
        let closed = line.tickets.is_empty();
        if closed {
            self.lines.remove(demand);
        }
        closed
    }

    /// The first ticket of a line.
    pub(crate) fn first(&self, demand: &Demand) -> Option<&Ticket> {
        self.lines.get(demand)?.tickets.first()
    }
}
