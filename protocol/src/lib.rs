//! Every message between the programs of skrei.
//!
//! [`api`] holds the bodies of the HTTP API, in the shapes Bacalhau's clients know (reference requester-api);
//! [`link`] the messages between a compute node and its orchestrator, [`results`] what a node hands over beside them;
//! [`client`] speaks the API for the command line and for tests. Domain types are mapped to wire shapes here and nowhere
//! else.

pub mod api;
pub mod client;
pub mod join;
pub mod link;
pub mod results;
pub mod version;
