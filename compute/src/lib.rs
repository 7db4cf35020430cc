//! The node: runs assigned jobs in sandboxes, within what its owner allows.
//!
//! A node joins its orchestrator once and has a certificate from then on (`identity`). An assignment comes over the
//! [`link`], is received by what is known of it ([`reception`]), is admitted by the rules of the node's owner ([`admission`],
//! [`allow_list`], `environment`, `network`), waits until there is room (`capacity`), gets what it needs opened, fetched
//! and compiled ([`grant`], `artifacts`, `fetch`, `modules`, `prepare`), is written down ([`journal`]), runs (`guests`), and
//! its results are handed over (`publish`), its outcome is written down and reported until it is acknowledged. `supervisor` keeps all of them in order.
//!
//! Nothing of the host is within a guest's reach unless an entry of the [`AllowList`] says so.

mod config;
mod error;
mod serve;

pub mod admission;
pub mod allow_list;
pub mod grant;

mod accounts;
mod environment;
mod fetch;
mod glob;
mod judge;
mod network;
mod owners;
mod ports;

mod capacity;
pub mod reception;
mod supervisor;

mod ending;
mod execution;
mod folder;
mod guests;
mod node;
mod prepare;
mod probes;
pub mod publish;
mod results;
mod secrets;
pub mod told;

pub mod here;

mod artifacts;
mod flights;
mod modules;

pub mod journal;
mod log_store;
pub mod output;

mod identity;
pub mod link;

pub use allow_list::AllowList;
pub use config::{Config, Limits};
pub use error::Error;
pub use guests::Sandboxes;
pub use identity::JoinError;
pub use network::NetworkAllowed;
pub use serve::serve;
