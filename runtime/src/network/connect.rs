//! A connection to a host: its name looked up, every address judged, and only one that was judged connected.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::lookup::look_up;
use super::{Attempt, Denial, Gate, Host, Outbound};

/// How long one of several addresses has to answer before the next is tried.
const ADDRESS_TIME_MAX: Duration = Duration::from_secs(8);

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Denied(#[from] Denial),
    #[error("{host} cannot be looked up: {source}")]
    Lookup { host: Host, source: io::Error },
    #[error("{host}:{port} cannot be reached: {source}")]
    Unreachable { host: Host, port: u16, source: io::Error },
    #[error("{host}:{port} is not who it should be: {source}")]
    Tls { host: Host, port: u16, source: io::Error },
}

/// Connects to a host that the gate has let through for a request. To be called where connections live.
pub(crate) async fn connect(
    gate: &Gate,
    outbound: &Outbound,
    host: &Host,
    port: u16,
) -> Result<TcpStream, ConnectError> {
    let mut denied = None;
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for ip in addresses(gate, outbound, host).await?.into_iter().take(ADDRESSES_MAX) {
        let address = SocketAddr::new(ip, port);
        if let Err(denial) = gate.admit(Attempt::Connection { host: host.clone(), address }) {
            denied.get_or_insert(denial);
            continue;
        }
        match timeout(ADDRESS_TIME_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A request goes out as a whole; waiting to fill packets only delays it.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(_) => failed = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(match denied {
        Some(denial) => denial.into(),
        None => ConnectError::Unreachable { host: host.clone(), port, source: failed },
    })
}

async fn addresses(gate: &Gate, outbound: &Outbound, host: &Host) -> Result<Vec<IpAddr>, ConnectError> {
    match host {
        Host::Address(address) => Ok(vec![*address]),
        Host::Name(name) => {
            let found = look_up(gate, outbound, name).await;
            found.map_err(|source| ConnectError::Lookup { host: host.clone(), source })
        }
    }
}

/// Makes sure that the other side is the host it should be, and that nobody reads along.
pub(crate) async fn secure(
    outbound: &Outbound,
    host: &Host,
    port: u16,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let failed = |source| ConnectError::Tls { host: host.clone(), port, source };
    let name = match host {
        Host::Address(address) => ServerName::IpAddress((*address).into()),
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|error| failed(io::Error::other(error)))?
        }
    };
    let tls = outbound.tls().map_err(|message| failed(io::Error::other(message.to_string())))?;
    TlsConnector::from(Arc::clone(&tls)).connect(name, stream).await.map_err(failed)
}
