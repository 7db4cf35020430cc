//! Compute nodes: the listener they dial, one session each, and the hub that knows who is there.

mod hub;
mod listener;
mod results;
mod session;

pub(crate) use hub::{Hub, Peer, ReadError};
pub(crate) use listener::router;
