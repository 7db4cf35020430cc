//! The known nodes: what is in use on each, what waits for room there, and who is least loaded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use skrei_job::{ExecutionId, JobId, NodeId, Timestamp, resources::Resources};

use crate::{
    node::{Connection, Membership, Node},
    placement::{self, Candidate, Demand},
};

/// What one execution takes from its node.
#[derive(Clone, Debug)]
pub(crate) struct Occupant {
    pub(crate) job: JobId,
    pub(crate) resources: Resources,
}

/// A node and its work.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) node: Node,
    /// What it was told to run and has, as far as is known, not ended there.
    pub(crate) occupants: BTreeMap<ExecutionId, Occupant>,
    /// Assigned to it, but not sent until there is room; first come, first served.
    pub(crate) held: VecDeque<(ExecutionId, Occupant)>,
    /// The waiting work this node is set aside for.
    pub(crate) reserved: Option<std::sync::Arc<Demand>>,
    used: Resources,
    last_created: Timestamp,
    ring: u64,
}

impl Member {
    pub(crate) fn candidate(&self) -> Candidate<'_> {
        Candidate { node: &self.node, free: self.node.info.capacity.minus(&self.used) }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.node.connection == Connection::Connected
    }

    /// Whether it may be given something new.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_member() && !self.node.orders.cordoned && self.node.unwell.is_none()
    }

    fn is_member(&self) -> bool {
        self.is_connected() && self.node.info.membership == Membership::Approved
    }

    /// Whether it was given up for good, so that nothing that comes back to light there is to go on.
    pub(crate) fn is_given_up(&self, now: Timestamp) -> bool {
        self.node.info.membership == Membership::Rejected
            || self.node.orders.drain.is_some_and(|until| until <= now)
    }

    /// Whether this much can be started now without overtaking what is held.
    pub(crate) fn has_room(&self, wanted: &Resources) -> bool {
        self.held.is_empty() && self.candidate().free.covers(wanted)
    }

    /// Thousandths in use of the resource that is used most.
    fn load(&self) -> u64 {
        let (used, all) = (&self.used, &self.node.info.capacity);
        [
            (used.cpu_millis, all.cpu_millis),
            (used.memory_bytes, all.memory_bytes),
            (used.disk_bytes, all.disk_bytes),
            (used.gpus, all.gpus),
        ]
        .into_iter()
        .filter(|(used, _)| *used > 0)
        .map(|(used, all)| {
            u64::try_from(u128::from(used) * 1000 / u128::from(all.max(1))).unwrap_or(u64::MAX)
        })
        .max()
        .unwrap_or(0)
    }
}

/// All known nodes.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    members: BTreeMap<NodeId, Member>,
    /// Nodes that may get work now, least loaded first; among equals by a hash, so that a search can begin
    /// anywhere in the circle.
    by_load: BTreeSet<(u64, u64, NodeId)>,
}

impl Fleet {
    pub(crate) fn get(&self, node: &NodeId) -> Option<&Member> {
        self.members.get(node)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(crate) fn remove(&mut self, node: &NodeId) {
        self.change(node, |_| ());
        if let Some(member) = self.members.remove(node) {
            self.by_load.remove(&(member.load(), member.ring, node.clone()));
        }
    }

    /// Adds a node, or replaces all that is known about it but for its work. True if anything changed.
    pub(crate) fn put(&mut self, node: Node) -> bool {
        let id = node.info.id.clone();
        match self.members.get(&id) {
            Some(member) if member.node == node => false,
            Some(_) => {
                self.change(&id, |member| member.node = node);
                true
            }
            None => {
                let member = Member {
                    node,
                    occupants: BTreeMap::new(),
                    held: VecDeque::new(),
                    reserved: None,
                    used: Resources::default(),
                    last_created: Timestamp::default(),
                    ring: stable_hash(&[id.as_str()], 0),
                };
                self.members.insert(id.clone(), member);
                self.change(&id, |_| ());
                true
            }
        }
    }

    pub(crate) fn connection(&mut self, node: &NodeId, connection: Connection) {
        self.change(node, |member| member.node.connection = connection);
    }

    /// Takes what an execution needs from a node; doing it twice changes nothing.
    pub(crate) fn occupy(&mut self, node: &NodeId, execution: &ExecutionId, occupant: &Occupant) {
        self.change(node, |member| {
            if member.occupants.insert(execution.clone(), occupant.clone()).is_none() {
                member.used = member.used.plus(&occupant.resources);
            }
        });
    }

    pub(crate) fn hold(&mut self, node: &NodeId, execution: ExecutionId, occupant: Occupant) {
        self.change(node, |member| member.held.push_back((execution, occupant)));
    }

    /// Takes the first held execution if there is room for it, and counts it as running.
    pub(crate) fn admit(&mut self, node: &NodeId) -> Option<(ExecutionId, JobId)> {
        let member = self.members.get(node)?;
        let (execution, occupant) = member.held.front().cloned()?;
        if !member.is_member()
            || member.node.orders.drain.is_some()
            || member.node.unwell.is_some()
            || !member.candidate().free.covers(&occupant.resources)
        {
            return None;
        }
        self.change(node, |member| member.held.pop_front());
        self.occupy(node, &execution, &occupant);
        Some((execution, occupant.job))
    }

    /// Whether an execution is still held back; if so, it no longer is.
    pub(crate) fn unhold(&mut self, node: &NodeId, execution: &ExecutionId) -> Option<Occupant> {
        let index = self.members.get(node)?.held.iter().position(|(held, _)| held == execution)?;
        self.change(node, |member| member.held.remove(index)).flatten().map(|(_, occupant)| occupant)
    }

    /// Gives back what an execution had. True if it had anything.
    pub(crate) fn release(&mut self, node: &NodeId, execution: &ExecutionId) -> bool {
        let released = self.change(node, |member| {
            let occupant = member.occupants.remove(execution)?;
            member.used = member.used.minus(&occupant.resources);
            Some(occupant)
        });
        released.flatten().is_some()
    }

    /// Takes everything off a node: what it had running, and what was held for it.
    pub(crate) fn clear(&mut self, node: &NodeId) -> Vec<ExecutionId> {
        let cleared = self.change(node, |member| {
            member.used = Resources::default();
            let occupants = std::mem::take(&mut member.occupants).into_keys();
            occupants.chain(member.held.drain(..).map(|(execution, _)| execution)).collect()
        });
        cleared.unwrap_or_default()
    }

    pub(crate) fn reserve(&mut self, node: &NodeId, demand: Option<std::sync::Arc<Demand>>) {
        if let Some(member) = self.members.get_mut(node) {
            member.reserved = demand;
        }
    }

    /// The creation time for an execution on this node: later than that of any before, so that the order in
    /// which a node was given its work can be told from what is stored, even if the clock jumps back.
    pub(crate) fn next_created(&mut self, node: &NodeId, now: Timestamp) -> Timestamp {
        let Some(member) = self.members.get_mut(node) else { return now };
        let later = Timestamp::from_nanos(member.last_created.as_nanos().saturating_add(1));
        member.last_created = now.max(later);
        member.last_created
    }

    pub(crate) fn saw_created(&mut self, node: &NodeId, created: Timestamp) {
        if let Some(member) = self.members.get_mut(node) {
            member.last_created = member.last_created.max(created);
        }
    }

    /// The least loaded node that `accepts`, among equals the first from `start` on around the circle.
    pub(crate) fn choose(&self, start: u64, accepts: impl Fn(&Member) -> bool) -> Option<NodeId> {
        let nobody = NodeId::new("");
        let mut level = self.by_load.first()?.0;
        loop {
            let from = (level, start, nobody.clone());
            let bottom = (level, 0, nobody.clone());
            let top = (level + 1, 0, nobody.clone());
            let circle = self.by_load.range(&from..&top).chain(self.by_load.range(&bottom..&from));
            for (_, _, id) in circle {
                if self.members.get(id).is_some_and(&accepts) {
                    return Some(id.clone());
                }
            }
            level = self.by_load.range(&top..).next()?.0;
        }
    }

    /// A node that could run this now or after some waiting.
    pub(crate) fn possible(&self, demand: &Demand) -> Option<NodeId> {
        self.members
            .values()
            .find(|member| could_run(demand, member))
            .map(|member| member.node.info.id.clone())
    }

    fn change<T>(&mut self, id: &NodeId, change: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let member = self.members.get_mut(id)?;
        self.by_load.remove(&(member.load(), member.ring, id.clone()));
        let result = change(member);
        if member.is_usable() {
            self.by_load.insert((member.load(), member.ring, id.clone()));
        }
        Some(result)
    }
}

/// Whether only time stands between a demand and a node.
pub(crate) fn could_run(demand: &Demand, member: &Member) -> bool {
    placement::reasons(demand, member.candidate()).all(|reason| reason.passes())
}

/// The same number for the same words on every machine and in every version (FNV-1a, then mixed).
pub(crate) fn stable_hash(words: &[&str], number: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0])).chain(number.to_le_bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 31;
    hash = hash.wrapping_mul(0x7fb5_d329_728e_a185);
    hash ^ (hash >> 27)
}
