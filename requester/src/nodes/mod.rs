//! Compute nodes: the listener they dial, who they are and how they join, one session each, and the hub that knows who is
//! there.

mod authority;
mod caller;
mod greeting;
mod hub;
mod identities;
mod join;
mod listener;
mod outbox;
mod questions;
mod results;
pub(crate) mod rotation;
mod serve;
mod session;
pub(crate) mod tokens;

pub(crate) use authority::{Error as AuthorityError, NodeAuthority};
pub(crate) use greeting::is_name;
#[cfg(test)]
pub(crate) use hub::Seat;
pub(crate) use hub::{Hub, Peer, ReadError};
pub(crate) use identities::Identities;
pub(crate) use listener::router;
pub(crate) use outbox::Outbox;
pub(crate) use serve::serve;
