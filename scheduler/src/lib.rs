//! Who runs what, where and when: decisions without side effects.
//!
//! An [`Event`] goes in with the time it happened, a [`Decision`] comes out: what to store, then what to send.
//! [`placement`] says which node may run what and why another may not. A job then fills its slots: the
//! partitions of a `batch` job are each done once and those of a `service` kept running (`counted`), an `ops`
//! job runs once on every matching node and a `daemon` is kept running there (`fanout`). `rollout` says whose
//! turn it is, `retry` what follows when an attempt has ended, and [`progress`] what the executions do not tell. The crate reads no clock, draws no random
//! number and depends on no hash order, so the same events always give the same decisions.

pub mod config;
pub mod decision;
pub mod event;
pub mod history;
pub mod job;
pub mod node;
pub mod placement;
pub mod progress;
pub mod scheduler;
pub mod tally;

mod counted;
mod ending;
mod fanout;
mod fleet;
mod governance;
mod live;
mod membership;
mod outcome;
mod queue;
mod restore;
mod retry;
mod rollout;
mod slot;
mod submission;
mod timers;
mod waiting;

pub use config::Config;
pub use decision::{Decision, Grant, JobChange, Record, Send};
pub use event::{Event, Rerun};
pub use job::Job;
pub use node::{Connection, Membership, Node, NodeInfo, NodeOrder, Orders};
pub use placement::Verdict;
pub use progress::{Only, Phase, Progress, Steering};
pub use scheduler::{Scheduler, Snapshot};
pub use tally::Tally;
