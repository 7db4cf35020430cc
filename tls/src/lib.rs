//! Certificates, keys and the TLS configurations made of them.
//!
//! A server has a [`Pair`] from [`PairFiles`], its own or made by a local [`Authority`]; what is [`Served`] is replaced
//! when the files change ([`watch()`]) or an authority sends the next one ([`Acme`]), and [`Handshakes`]
//! turn connections into encrypted ones, of no [`Client`] more than its [`Places`] allow. A client has rules of [`Trust`]. Nodes have an [`Identity`] of their own.

mod acme;
mod authority;
mod client;
mod describe;
mod given;
mod handshakes;
mod issue;
mod node;
mod pair;
mod places;
mod replace;
mod rotation;
mod served;
mod trust;
mod vouched;
mod watch;

pub use acme::{Acme, AcmeError, AcmeSettings, Answers, Challenge, ExternalAccount, redirect};
pub use authority::{Authority, AuthorityError, names_of_this_machine};
pub use client::Client;
pub use describe::{DescribeError, Description};
pub use handshakes::{Handshakes, Port};
pub use issue::{Issued, Purpose};
pub use node::{
    CertificateRequest, Credentials, Identity, IdentityError, Introduction, IssueError, NodeCertificate,
    NodeIssuer, NodeKey, NodeVerifier, ORCHESTRATOR_NAME, Orchestrator, known_orchestrator, node_listener,
    own_orchestrator,
};
pub use pair::{Pair, PairError, PairFiles, Part};
pub use places::{Place, Places, Room};
pub use replace::replace;
pub use rotation::Former;
pub use served::Served;
pub use trust::{Fingerprint, Trust, TrustError, read_certificate};
pub use watch::watch;

/// What clients and servers are configured with.
pub use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error as TlsError, ServerConfig,
    pki_types::CertificateDer,
};
