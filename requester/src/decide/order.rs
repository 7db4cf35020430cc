//! What somebody in charge of the fleet decides about a node.

use skrei_job::{NodeId, Timestamp};
use skrei_scheduler::{Event, Membership, NodeOrder};

use super::{EventLoop, Refused, Step};

/// What is decided about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// It may get work.
    Approve,
    /// It may not.
    Reject,
    /// It is no node of the fleet any more.
    Delete,
}

impl EventLoop {
    pub(super) fn order(
        &mut self,
        node: NodeId,
        order: Order,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), Refused> {
        let Some(known) = self.scheduler.node(&node) else { return Err(Refused::NoSuchNode(node)) };
        let membership = known.info.membership;
        let event = match order {
            Order::Approve if membership == Membership::Approved => {
                return Err(Refused::NodeIsSo { node, state: "approved" });
            }
            Order::Reject if membership == Membership::Rejected => {
                return Err(Refused::NodeIsSo { node, state: "rejected" });
            }
            Order::Approve => Event::NodeOrdered { node, order: NodeOrder::Approve },
            Order::Reject => Event::NodeOrdered { node, order: NodeOrder::Reject },
            Order::Delete => Event::NodeForgotten { node },
        };
        let decision = self.scheduler.handle(event, now);
        self.take(decision, step);
        Ok(())
    }
}
