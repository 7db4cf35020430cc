//! Who runs what, where and when: decisions without side effects.
//!
//! An [`Event`] goes in with the time it happened, a [`Decision`] comes out: what to store, then what to send.
//! [`placement`] says which node may run what and why another may not; a batch job then has each of its
//! partitions done once, an ops job runs once on every matching node. The crate reads no clock, draws no random
//! number and depends on no hash order, so the same events always give the same decisions.

pub mod config;
pub mod decision;
pub mod event;
pub mod history;
pub mod job;
pub mod node;
pub mod placement;
pub mod scheduler;

mod batch;
mod ending;
mod fleet;
mod live;
mod membership;
mod ops;
mod outcome;
mod queue;
mod restore;
mod submission;
mod timers;
mod waiting;

pub use config::Config;
pub use decision::{Decision, JobChange, Record, Send};
pub use event::Event;
pub use job::Job;
pub use node::{Connection, Membership, Node, NodeInfo};
pub use placement::Verdict;
pub use scheduler::{Scheduler, Snapshot};
