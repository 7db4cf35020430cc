//! Who may run now, and who waits.

use std::collections::{BTreeMap, VecDeque};

use skrei_job::{ExecutionId, resources::Resources};

/// How often those who came later may pass one who waits for more room, before they have to wait behind it.
const OVERTAKEN_MAX: u32 = 64;

/// How far down the queue is looked for one that fits: releasing costs the same however many wait.
const LOOKED_AT_MAX: usize = 64;

/// Executions that may run at once, however little they ask for: as many guests as the sandbox has slots for.
pub(crate) const RUNNING_MAX: usize = 1000;

/// What is free, who holds the rest, and who waits, in the order they came.
///
/// One who does not fit is passed by smaller ones, but only so often: then room is kept until it fits.
#[derive(Debug)]
pub(crate) struct Capacity {
    total: Resources,
    held: BTreeMap<ExecutionId, Resources>,
    used: Resources,
    waiting: VecDeque<Waiting>,
    waiting_max: usize,
}

#[derive(Debug)]
struct Waiting {
    execution: ExecutionId,
    wanted: Resources,
    overtaken: u32,
}

/// Whether there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// It holds what it wanted.
    Now,
    /// It waits.
    Later,
    /// Too many wait already.
    None,
}

impl Capacity {
    pub(crate) fn new(total: Resources, waiting_max: usize) -> Self {
        Self {
            total,
            held: BTreeMap::new(),
            used: Resources::default(),
            waiting: VecDeque::new(),
            waiting_max,
        }
    }

    /// Takes what is wanted, or a place in the queue.
    pub(crate) fn request(&mut self, execution: ExecutionId, wanted: Resources) -> Room {
        if self.waiting.is_empty() && self.fits(&wanted) {
            self.hold(execution, wanted);
            return Room::Now;
        }
        if self.waiting.len() >= self.waiting_max {
            return Room::None;
        }
        self.waiting.push_back(Waiting { execution: execution.clone(), wanted, overtaken: 0 });
        // It may fit in front of a larger one.
        if self.start_waiting().contains(&execution) { Room::Now } else { Room::Later }
    }

    /// Gives back what an execution held, or its place in the queue; names those who hold what they wanted now.
    pub(crate) fn release(&mut self, execution: &ExecutionId) -> Vec<ExecutionId> {
        match self.held.remove(execution) {
            Some(held) => self.used = self.used.minus(&held),
            None => self.waiting.retain(|waiting| waiting.execution != *execution),
        }
        self.start_waiting()
    }

    pub(crate) fn available(&self) -> Resources {
        self.total.minus(&self.used)
    }

    pub(crate) fn running(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn fits(&self, wanted: &Resources) -> bool {
        self.held.len() < RUNNING_MAX && self.available().covers(wanted)
    }

    fn hold(&mut self, execution: ExecutionId, wanted: Resources) {
        self.used = self.used.plus(&wanted);
        self.held.insert(execution, wanted);
    }

    fn start_waiting(&mut self) -> Vec<ExecutionId> {
        let mut started = Vec::new();
        let mut at = 0;
        while let Some(waiting) = self.waiting.get(at).filter(|_| at < LOOKED_AT_MAX) {
            if self.fits(&waiting.wanted) {
                let Some(waiting) = self.waiting.remove(at) else { break };
                self.waiting.iter_mut().take(at).for_each(|passed| passed.overtaken += 1);
                self.hold(waiting.execution.clone(), waiting.wanted);
                started.push(waiting.execution);
            } else if waiting.overtaken >= OVERTAKEN_MAX {
                break;
            } else {
                at += 1;
            }
        }
        started
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(cpu_millis: u64) -> Resources {
        Resources { cpu_millis, ..Resources::default() }
    }

    fn id(name: impl ToString) -> ExecutionId {
        ExecutionId::new(name.to_string())
    }

    #[test]
    fn a_small_one_passes_a_large_one_that_waits() {
        let mut capacity = Capacity::new(cpu(1000), 10);
        assert_eq!(capacity.request(id("a"), cpu(600)), Room::Now);
        assert_eq!(capacity.request(id("large"), cpu(900)), Room::Later);
        assert_eq!(capacity.request(id("small"), cpu(300)), Room::Now);
        assert_eq!(capacity.release(&id("a")), []);
        assert_eq!(capacity.release(&id("small")), [id("large")]);
        assert_eq!((capacity.running(), capacity.waiting()), (1, 0));
    }

    #[test]
    fn a_large_one_is_not_passed_for_ever() {
        let mut capacity = Capacity::new(cpu(1000), 10);
        capacity.request(id("base"), cpu(500));
        assert_eq!(capacity.request(id("large"), cpu(1000)), Room::Later);
        for number in 0..OVERTAKEN_MAX {
            assert_eq!(capacity.request(id(number), cpu(100)), Room::Now);
            capacity.release(&id(number));
        }
        assert_eq!(capacity.request(id("late"), cpu(100)), Room::Later);
        assert_eq!(capacity.release(&id("base")), [id("large")]);
        assert_eq!(capacity.release(&id("large")), [id("late")]);
    }

    #[test]
    fn the_queue_is_bounded_and_one_who_leaves_it_makes_room() {
        let mut capacity = Capacity::new(cpu(100), 1);
        capacity.request(id("a"), cpu(100));
        assert_eq!(capacity.request(id("b"), cpu(100)), Room::Later);
        assert_eq!(capacity.request(id("c"), cpu(100)), Room::None);
        capacity.release(&id("b"));
        assert_eq!(capacity.request(id("c"), cpu(100)), Room::Later);
        assert_eq!(capacity.release(&id("a")), [id("c")]);
    }
}
