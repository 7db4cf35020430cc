//! Identities of nodes: certificates that an orchestrator's own authority gives, and trust in that orchestrator.
//!
//! A node makes its key ([`NodeKey`]) and never gives it away; the orchestrator signs it ([`NodeIssuer`]); from then on
//! the node's [`Identity`] speaks for it, and both sides know each other ([`node_listener`], [`known_orchestrator`]).
//! Before that, a node knows its orchestrator by what its token says ([`Orchestrator`]).
//!
//! The authority signs one server, so its certificate bears one fixed name ([`ORCHESTRATOR_NAME`]) and nodes may dial
//! it under any address.

mod identity;
mod issuer;
mod listener;
mod orchestrator;

pub use identity::{Credentials, Identity, IdentityError, NodeKey};
pub use issuer::{CertificateRequest, IssueError, NodeCertificate, NodeIssuer};
pub use listener::{NodeVerifier, node_listener};
pub use orchestrator::{Introduction, Orchestrator, known_orchestrator, own_orchestrator};

/// The name in the certificate of every orchestrator's node listener.
pub const ORCHESTRATOR_NAME: &str = "orchestrator.skrei.internal";
