//! The supervisor: takes assignments on, gives them their turn, and stops them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use skrei_job::{
    ExecutionId,
    life::ExecutionState,
    outcome::{Refusal, Rule, RunOutput},
};
use skrei_protocol::link::{Assignment, Load};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{
    Error,
    admission::{self, Facts},
    capacity::{Capacity, Room},
    ending::{self, Stop},
    execution::{self, Delivery, Departure, Execution, Left, Stopper},
    journal::{Held, Waiting},
    node::Node,
    reception::{self, Known, OnCancel, OnRun},
};

/// Orders that may wait for the supervisor; it never waits for anybody, so few do.
pub(crate) const ORDERS_MAX: usize = 256;

/// How long guests that were told to stop have until the node leaves without their outcome.
const STOPPING_MAX: Duration = Duration::from_secs(5);

/// What the supervisor is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Take this on, unless it is known.
    Run(Box<Assignment>),
    /// Stop this.
    Cancel { execution: ExecutionId, reason: String },
    /// Say what was taken on and has not ended.
    Holds { answer: oneshot::Sender<Vec<ExecutionId>> },
    /// Answer once everything that was ordered before is obeyed.
    Settle { answer: oneshot::Sender<()> },
    /// Take nothing on any more; what runs may go on until then.
    Drain { until: Instant },
}

/// Takes assignments on, gives them their turn, and stops them. Dropped, it stops everything at once.
pub(crate) struct Supervisor {
    node: Arc<Node>,
    capacity: Capacity,
    /// Every execution whose end is not in the journal.
    live: BTreeMap<ExecutionId, Live>,
    tasks: JoinSet<Result<(), skrei_ledger::Error>>,
    /// What executions leave behind: at most two messages for each that is live.
    left: (mpsc::UnboundedSender<Left>, mpsc::UnboundedReceiver<Left>),
    load: watch::Sender<Load>,
    /// What waits for the disk.
    unwell: watch::Receiver<Waiting>,
    drain: Option<Drain>,
}

struct Live {
    stopper: Stopper,
    /// Present as long as it waits.
    turn: Option<oneshot::Sender<()>>,
}

/// How far shutting down has come.
#[derive(Clone, Copy)]
enum Drain {
    /// What runs may go on.
    Waiting { until: Instant },
    /// What runs was told to stop.
    Stopping { until: Instant },
}

impl Supervisor {
    /// Also goes on with what is `held`: results of executions whose guests were done when the node stopped.
    pub(crate) fn new(node: Arc<Node>, waiting_max: usize, held: Vec<Held>) -> Self {
        let capacity = Capacity::new(node.capacity, waiting_max);
        let unwell = node.journal.unwell();
        let load = watch::channel(load_of(&capacity, &unwell.borrow())).0;
        let mut supervisor = Self {
            node,
            capacity,
            live: BTreeMap::new(),
            tasks: JoinSet::new(),
            left: mpsc::unbounded_channel(),
            load,
            unwell,
            drain: None,
        };
        held.into_iter().for_each(|held| supervisor.hand_over(held));
        supervisor
    }

    /// Follows how busy the node is.
    pub(crate) fn load(&self) -> watch::Receiver<Load> {
        self.load.subscribe()
    }

    /// Works until it is told to drain and everything is over.
    pub(crate) async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Result<(), Error> {
        while self.drain.is_none() || !self.tasks.is_empty() {
            let deadline = self.drain.map(|(Drain::Waiting { until } | Drain::Stopping { until })| until);
            tokio::select! {
                Some(order) = orders.recv() => self.obey(order),
                Some(left) = self.left.1.recv() => self.make_way(left),
                // The load is told below.
                Ok(()) = self.unwell.changed() => {}
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok(written) => written?,
                    Err(error) if error.is_cancelled() => {}
                    Err(error) => tracing::error!(%error, "an execution broke off"),
                },
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.give_up_waiting();
                }
                else => return Err(Error::Stopped("link")),
            }
            self.load.send_if_modified(|load| {
                let now = load_of(&self.capacity, &self.unwell.borrow());
                let changes = *load != now;
                *load = now;
                changes
            });
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Run(assignment) => self.take_on(assignment),
            Order::Cancel { execution, reason } => self.cancel(execution, reason),
            Order::Holds { answer } => {
                // Whoever asked may have given the connection up.
                let _ = answer.send(self.live.keys().cloned().collect());
            }
            Order::Settle { answer } => {
                let _ = answer.send(());
            }
            Order::Drain { until } => {
                self.drain = Some(Drain::Waiting { until });
                let waiting = self.live.values().filter(|live| live.turn.is_some());
                waiting.for_each(|live| live.stopper.stop(Stop::Interrupted));
            }
        }
    }

    fn take_on(&mut self, assignment: Box<Assignment>) {
        let id = assignment.execution.clone();
        match reception::on_run(self.known(&id), assignment.started, self.node.journal.acknowledged()) {
            OnRun::TakeOn => {}
            OnRun::Nothing => return,
            OnRun::ReportAgain => return self.report_again(id),
            OnRun::Interrupted => return self.write(id, ending::of_forgotten(&self.node.id)),
        }
        let task = assignment.spec.task();
        let facts = Facts {
            node: &self.node.id,
            capacity: self.node.capacity,
            draining: self.drain.is_some(),
            reject_stateless: self.node.reject_stateless,
        };
        if let Err(refusal) = admission::decide(task, &facts) {
            return self.write(id, ExecutionState::Refused(refusal));
        }
        let (sender, turn) = oneshot::channel();
        let waits = match self.capacity.request(id.clone(), admission::counted(&task.resources)) {
            Room::None => return self.write(id, ExecutionState::Refused(self.full())),
            Room::Later => Some(sender),
            Room::Now => {
                // The receiver is right here.
                let _ = sender.send(());
                None
            }
        };
        let departure = self.live(&id, waits);
        let log = self.node.logs.begin(&id);
        let execution =
            Execution { assignment, stopper: self.live[&id].stopper.clone(), turn, log, departure };
        self.tasks.spawn(execution.live(Arc::clone(&self.node)));
    }

    fn cancel(&mut self, execution: ExecutionId, reason: String) {
        match reception::on_cancel(self.known(&execution), self.node.journal.acknowledged()) {
            OnCancel::Stop => {
                if let Some(live) = self.live.get(&execution) {
                    live.stopper.stop(Stop::Cancelled { reason });
                }
            }
            OnCancel::Nothing => {}
            OnCancel::ReportAgain => self.report_again(execution),
            OnCancel::WriteDown => {
                self.write(execution, ending::of_stop(Stop::Cancelled { reason }, RunOutput::default()));
            }
        }
    }

    fn report_again(&mut self, execution: ExecutionId) {
        let node = Arc::clone(&self.node);
        self.tasks.spawn(async move { node.journal.report_again(&execution).await });
    }

    fn known(&self, execution: &ExecutionId) -> Known {
        match self.node.journal.ended(execution) {
            _ if self.live.contains_key(execution) => Known::Live,
            Some(report) => Known::Ended { report },
            None => Known::No,
        }
    }

    /// Gives what an execution left to those who wait for it.
    fn make_way(&mut self, left: Left) {
        let execution = match left {
            Left::Room(execution) => execution,
            // Its room was given back before.
            Left::Written(execution) => return self.forget(&execution),
            // What breaks off at the very end is written down by the next start.
            Left::Broken(execution) if self.is_stopping() => {
                self.forget(&execution);
                execution
            }
            Left::Broken(execution) => {
                self.forget(&execution);
                self.write(
                    execution.clone(),
                    ending::of_error("the node failed while it ran the guest".to_owned()),
                );
                execution
            }
        };
        for next in self.capacity.release(&execution) {
            if let Some(turn) = self.live.get_mut(&next).and_then(|live| live.turn.take()) {
                // One that is being stopped gives its room back by itself.
                let _ = turn.send(());
            }
        }
    }

    fn give_up_waiting(&mut self) {
        match self.drain {
            None => {}
            Some(Drain::Waiting { .. }) => {
                self.live.values().for_each(|live| live.stopper.stop(Stop::Interrupted));
                self.drain = Some(Drain::Stopping { until: Instant::now() + STOPPING_MAX });
            }
            // What is still there is started and not ended in the journal: interrupted, says the next start.
            Some(Drain::Stopping { .. }) => self.tasks.abort_all(),
        }
    }

    fn forget(&mut self, execution: &ExecutionId) {
        self.live.remove(execution);
        self.node.logs.forget(execution);
    }

    fn is_stopping(&self) -> bool {
        matches!(self.drain, Some(Drain::Stopping { .. }))
    }

    fn hand_over(&mut self, held: Held) {
        let id = held.parcel.execution.clone();
        let departure = self.live(&id, None);
        let delivery = Delivery { held, stopper: self.live[&id].stopper.clone(), departure };
        let node = Arc::clone(&self.node);
        self.tasks.spawn(async move { delivery.finish(&node).await });
    }

    /// Writes down the end of an execution that never ran here.
    fn write(&mut self, execution: ExecutionId, state: ExecutionState) {
        let departure = self.live(&execution, None);
        self.tasks.spawn(execution::never_ran(Arc::clone(&self.node), execution, state, departure));
    }

    fn live(&mut self, execution: &ExecutionId, turn: Option<oneshot::Sender<()>>) -> Departure {
        self.live.insert(execution.clone(), Live { stopper: Stopper::default(), turn });
        Departure::new(execution.clone(), self.left.0.clone())
    }

    fn full(&self) -> Refusal {
        Refusal {
            rule: Rule::Capacity,
            message: format!(
                "node `{}` is full: {} executions wait for room already",
                self.node.id,
                self.capacity.waiting()
            ),
            hint: Some("another node, or this one later, can take it".to_owned()),
        }
    }
}

fn load_of(capacity: &Capacity, waiting: &Waiting) -> Load {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Load {
        running: count(capacity.running()),
        waiting: count(capacity.waiting()),
        available: capacity.available(),
        unwell: waiting.why().map(str::to_owned),
    }
}
