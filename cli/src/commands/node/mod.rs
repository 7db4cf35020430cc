//! `skrei node`: the fleet.

mod authority;
mod describe;
mod list;
mod order;
mod token;

use clap::Subcommand;

use crate::{cli::Globals, error::Error};

/// Look at the fleet, and say who belongs to it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All nodes, with what they have to give
    List(list::List),
    /// Everything known of one node
    Describe(describe::Describe),
    /// Give a node work that waits for approval or was rejected
    Approve(order::Order),
    /// Cut a node off at once and give its work to others; it may be approved again
    Reject(order::Order),
    /// Remove a node for good: its certificate is worth nothing, its name is free
    Delete(order::Order),
    /// Give a node nothing new; what it has goes on
    Cordon(order::Order),
    /// Give a node work again that was cordoned or drained
    Uncordon(order::Order),
    /// Empty a node: services go to others at once, jobs that end may do so until the deadline
    Drain(order::Drain),
    /// Set labels of a node, whatever it says of itself
    Label(order::Label),
    /// Who vouches for the orchestrator to its nodes, and for them
    #[command(subcommand)]
    Authority(authority::Command),
    /// What lets nodes join
    #[command(subcommand)]
    Token(token::Command),
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::List(list) => list.run(globals).await,
            Self::Describe(describe) => describe.run(globals).await,
            Self::Approve(order) => order.run("approve", globals).await,
            Self::Reject(order) => order.run("reject", globals).await,
            Self::Delete(order) => order.run("delete", globals).await,
            Self::Cordon(order) => order.run("cordon", globals).await,
            Self::Uncordon(order) => order.run("uncordon", globals).await,
            Self::Drain(drain) => drain.run(globals).await,
            Self::Label(label) => label.run(globals).await,
            Self::Authority(authority) => authority.run(globals).await,
            Self::Token(token) => token.run(globals).await,
        }
    }
}
