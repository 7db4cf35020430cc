//! A listener whose connections are encrypted.

use std::{io, net::SocketAddr};

use axum::serve::Listener;
use skrei_tls::Handshakes;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A listener whose connections are encrypted.
pub(crate) struct Encrypted(pub(crate) Handshakes);

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        self.0.next().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.address())
    }
}
