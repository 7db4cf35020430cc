//! Where a connection to the API comes from.

use std::net::{IpAddr, SocketAddr};

use axum::{extract::connect_info::Connected, serve::IncomingStream};

use crate::{encrypted::Encrypted, plain::Plain};

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether nobody on the way can read along.
    pub(crate) is_encrypted: bool,
}

impl Peer {
    fn new(address: SocketAddr, is_encrypted: bool) -> Self {
        Self { address: address.ip().to_canonical(), is_encrypted }
    }
}

impl Connected<IncomingStream<'_, Encrypted>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Encrypted>) -> Self {
        Self::new(*stream.remote_addr(), true)
    }
}

impl Connected<IncomingStream<'_, Plain>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Plain>) -> Self {
        Self::new(*stream.remote_addr(), false)
    }
}
