//! Where a connection to the API comes from.

use std::net::{IpAddr, SocketAddr};

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether nobody on the way can read along.
    pub(crate) is_encrypted: bool,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr, is_encrypted: bool) -> Self {
        Self { address: address.ip().to_canonical(), is_encrypted }
    }
}
