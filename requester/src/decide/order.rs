//! What somebody in charge of the fleet decides about a node.

use std::{collections::BTreeMap, time::Duration};

use skrei_job::{NodeId, Timestamp};
use skrei_scheduler::{Event, Membership, NodeOrder};

use super::{EventLoop, Refused, Step, about};

/// What is decided about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// It may get work.
    Approve,
    /// It may not.
    Reject,
    /// It is no node of the fleet any more.
    Delete,
    /// It gets nothing new.
    Cordon,
    /// It gets work again.
    Uncordon,
    /// It gets nothing new, and what it has is to be gone within this time.
    Drain(Duration),
    /// These labels count, whatever it says; none lets it say the label again.
    Label(BTreeMap<String, Option<String>>),
}

impl Order {
    /// The word for it in requests and in the record of calls.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Delete => "delete",
            Self::Cordon => "cordon",
            Self::Uncordon => "uncordon",
            Self::Drain(_) => "drain",
            Self::Label(_) => "label",
        }
    }
}

impl EventLoop {
    pub(super) fn order(
        &mut self,
        node: NodeId,
        order: Order,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), Refused> {
        let Some(known) = self.scheduler.node(&node) else {
            // Its link ends as soon as it is turned away, and may have it forgotten before this is decided.
            return if order == Order::Delete { Ok(()) } else { Err(Refused::NoSuchNode(node)) };
        };
        let (membership, orders) = (known.info.membership, &known.orders);
        let is_so = match &order {
            Order::Approve => (membership == Membership::Approved).then_some("approved"),
            Order::Reject => (membership == Membership::Rejected).then_some("rejected"),
            Order::Cordon if orders.drain.is_some() => Some("being drained, and cordoned"),
            Order::Cordon => orders.cordoned.then_some("cordoned"),
            Order::Uncordon => (!orders.cordoned).then_some("not cordoned"),
            Order::Delete | Order::Drain(_) | Order::Label(_) => None,
        };
        if let Some(state) = is_so {
            return Err(Refused::NodeIsSo { node, state });
        }
        let order = match order {
            Order::Approve => NodeOrder::Approve,
            Order::Reject => NodeOrder::Reject,
            Order::Cordon => NodeOrder::Cordon,
            Order::Uncordon => NodeOrder::Uncordon,
            Order::Drain(within) => NodeOrder::Drain { until: now.after(within) },
            Order::Label(labels) => NodeOrder::Label(labels),
            Order::Delete => {
                let event = Event::NodeForgotten { node };
                step.sends.extend(about(&event));
                let decision = self.scheduler.handle(event, now);
                self.take(decision, step);
                return Ok(());
            }
        };
        let decision = self.scheduler.handle(Event::NodeOrdered { node, order }, now);
        self.take(decision, step);
        Ok(())
    }
}
