//! From connections to encrypted connections.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::task::AbortOnDropHandle;

use crate::{Places, acme::ACME_TLS};

/// How long a client may take to shake hands.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Handshakes under way: a fourth of them of one client, and whoever comes after the last waits in the system's queue.
const UNDER_WAY_MAX: usize = 16_384;

/// Connections that are ready and not taken yet.
const READY_MAX: usize = 64;

/// After the system refused a connection for want of something, how long it gets to recover.
const PAUSE: Duration = Duration::from_millis(200);

/// The first byte of every TLS connection: a handshake record (RFC 8446 section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What a port is for, told to those who come to it without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The API.
    Api,
    /// Compute nodes.
    Nodes,
}

/// Accepts connections and shakes hands, many at a time, so that a slow client holds up nobody.
#[derive(Debug)]
pub struct Handshakes {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    _accepting: AbortOnDropHandle<()>,
}

impl Handshakes {
    /// Begins to accept.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn start(listener: TcpListener, config: Arc<ServerConfig>, port: Port) -> io::Result<Self> {
        Self::start_in(Places::new(UNDER_WAY_MAX), listener, config, port)
    }

    /// Begins to accept, with so many handshakes under way at most.
    fn start_in(
        places: Places,
        listener: TcpListener,
        config: Arc<ServerConfig>,
        port: Port,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        let accepting = tokio::spawn(accept(listener, places, config.into(), port, sender));
        let accepting = AbortOnDropHandle::new(accepting);
        Ok(Self { ready, address, _accepting: accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection that is ready.
    pub async fn next(&mut self) -> (TlsStream<TcpStream>, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // Accepting never ends by itself.
            None => std::future::pending().await,
        }
    }
}

async fn accept(
    listener: TcpListener,
    places: Places,
    acceptor: TlsAcceptor,
    port: Port,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let Some(room) = places.room().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.place(room, address.ip()) else {
            tracing::debug!(%address, "closed: this client has as many handshakes under way as it may");
            continue;
        };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(TIME_MAX, shake_hands(stream, &acceptor, port)).await {
                Ok(Ok(Some(stream))) => {
                    // Gone only if the server is.
                    let _ = ready.send((stream, address)).await;
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => tracing::debug!(%address, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%address, "a handshake took too long"),
            }
            drop(place);
        });
    }
}

/// None if there is nothing to serve: the client did not even begin one, or only looked at the certificate.
async fn shake_hands(
    mut stream: TcpStream,
    acceptor: &TlsAcceptor,
    port: Port,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    // Small messages are not held back for larger ones.
    stream.set_nodelay(true)?;
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => return Ok(None),
        _ if first[0] == HANDSHAKE_RECORD => {}
        _ => {
            stream.write_all(&answer_to_plain_http(port)).await?;
            stream.shutdown().await?;
            return Ok(None);
        }
    }
    let mut stream = acceptor.accept(stream).await?;
    // An authority has seen what it wanted; nothing is served by this protocol (RFC 8737 section 3).
    if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS) {
        stream.shutdown().await?;
        return Ok(None);
    }
    Ok(Some(stream))
}

/// In the error envelope of the API, so that clients show it.
fn answer_to_plain_http(port: Port) -> Vec<u8> {
    let body = match port {
        Port::Api => concat!(
            r#"{"Status":400,"Message":"this port speaks HTTPS, and was called with plain HTTP","#,
            r#""Hint":"use https:// (for skrei: --tls)","Code":"BadRequest","Component":"API"}"#
        ),
        Port::Nodes => concat!(
            r#"{"Status":400,"Message":"this port is for compute nodes, and speaks TLS alone","#,
            r#""Hint":"the API has another port, 1234 unless set otherwise","Code":"BadRequest","Component":"Nodes"}"#
        ),
    };
    format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{io::AsyncReadExt as _, net::TcpSocket};

    use super::*;
    use crate::{Authority, Pair, Served};

    async fn connected(from: u8, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into()).unwrap();
        socket.connect(to).await.unwrap()
    }

    #[tokio::test]
    async fn a_client_that_begins_very_many_handshakes_leaves_room_for_others() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path().to_owned()).unwrap();
        let now = std::time::SystemTime::now();
        authority.provide(&["localhost".to_owned()].into(), now).unwrap();
        let served = Served::new(&Pair::read(&authority.server_files(), now).unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let config = served.server_config().unwrap();
        let handshakes = Handshakes::start_in(Places::new(8), listener, config, Port::Api).unwrap();

        // Two of eight are its own; the others are closed before a word.
        let mut greedy = Vec::new();
        for _ in 0..10 {
            greedy.push(connected(2, handshakes.address()).await);
        }
        for refused in &mut greedy[2..] {
            assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0);
        }
        let mut other = connected(3, handshakes.address()).await;
        other.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        other.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("this port speaks HTTPS"), "{answer}");
        // What it did not finish is still its own.
        assert!(greedy[0].try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
    }
}
