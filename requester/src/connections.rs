//! Connections to the API: accepted as there is room, and for as long as they are of use.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use skrei_tls::{Handshakes, Place, Places};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time::Instant,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::{held::Held, peer::Peer};

/// How long a new connection may take to its first request.
const FIRST_MAX: Duration = Duration::from_secs(20);

/// How long a connection may lie idle. Longer than usual clients keep one, so that none is closed just as it is used.
const IDLE_MAX: Duration = Duration::from_secs(100);

/// HTTP/2: how often a silent client is asked whether it is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PONG_MAX: Duration = Duration::from_secs(20);

/// HTTP/2: requests of one connection at a time.
const STREAMS_MAX: u32 = 128;

/// After the system refused a connection for want of something, how long it gets to recover.
const PAUSE: Duration = Duration::from_millis(200);

/// Where connections come from.
pub(crate) enum Source {
    /// Anybody on the way can read along.
    Plain(TcpListener),
    /// Nobody can.
    Encrypted(Handshakes),
}

/// A connection that was accepted.
enum Accepted {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Source {
    async fn next(&mut self) -> (Accepted, SocketAddr) {
        match self {
            Self::Encrypted(handshakes) => {
                let (stream, address) = handshakes.next().await;
                (Accepted::Encrypted(Box::new(stream)), address)
            }
            Self::Plain(listener) => loop {
                match listener.accept().await {
                    Ok((stream, address)) => {
                        // Small messages are not held back for larger ones: two in a row would wait some 40 ms for each other.
                        if let Err(error) = stream.set_nodelay(true) {
                            tracing::debug!(%error, "a connection stays slow");
                        }
                        return (Accepted::Plain(stream), address);
                    }
                    Err(error) if is_of_one(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            },
        }
    }
}

/// The connection broke before it was accepted; nothing is wrong with the next.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}

/// Serves until `shutdown` is cancelled, and then until open requests have ended; what is open when this is dropped is
/// broken off.
pub(crate) async fn serve(mut source: Source, router: Router, places: Places, shutdown: CancellationToken) {
    let router = TowerToHyperService::new(router);
    let mut open = JoinSet::new();
    loop {
        // Whoever finds no room waits in the system's queue: connections that are of no use end soon.
        let room = tokio::select! {
            room = places.room() => room,
            () = shutdown.cancelled() => break,
        };
        let (accepted, address) = tokio::select! {
            accepted = source.next() => accepted,
            () = shutdown.cancelled() => break,
        };
        // Those that have ended are forgotten.
        while open.try_join_next().is_some() {}
        let Some(place) = room.and_then(|room| places.place(room, address.ip())) else {
            tracing::debug!(%address, "closed: this client has as many connections as it may");
            continue;
        };
        open.spawn(answer(accepted, place, address, router.clone(), shutdown.clone()));
    }
    drop(source);
    while open.join_next().await.is_some() {}
}

async fn answer(
    accepted: Accepted,
    place: Place,
    address: SocketAddr,
    router: TowerToHyperService<Router>,
    shutdown: CancellationToken,
) {
    let asked = Arc::new(Notify::new());
    let is_encrypted = matches!(accepted, Accepted::Encrypted(_));
    let peer = ConnectInfo(Peer::new(address, is_encrypted));
    let service = {
        let asked = Arc::clone(&asked);
        service_fn(move |mut request: Request<Incoming>| {
            asked.notify_one();
            request.extensions_mut().insert(peer);
            router.call(request)
        })
    };
    match accepted {
        Accepted::Plain(stream) => one_by_one(Held::new(stream, place), service, &asked, shutdown).await,
        Accepted::Encrypted(stream) => {
            let is_many = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = Held::new(stream, place);
            match is_many {
                true => many_at_once(stream, service, &asked, shutdown).await,
                false => one_by_one(stream, service, &asked, shutdown).await,
            }
        }
    }
}

/// HTTP/1.1.
async fn one_by_one<I, S, B, E>(stream: I, service: S, asked: &Notify, shutdown: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = E>,
    B: hyper::body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE_MAX);
    let requests = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(requests);
    let first_by = Instant::now() + FIRST_MAX;
    let (mut is_awaited, mut is_stopping) = (true, false);
    loop {
        tokio::select! {
            ended = &mut requests => return noted(ended),
            () = asked.notified(), if is_awaited => is_awaited = false,
            () = tokio::time::sleep_until(first_by), if is_awaited => return,
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                requests.as_mut().graceful_shutdown();
            }
        }
    }
}

/// HTTP/2.
async fn many_at_once<I, S, B, E>(stream: I, service: S, asked: &Notify, shutdown: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = E>,
    S::Future: Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_MAX)
        .max_concurrent_streams(STREAMS_MAX);
    let requests = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(requests);
    let mut idle_at = Instant::now() + FIRST_MAX;
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = &mut requests => return noted(ended),
            () = asked.notified() => idle_at = Instant::now() + IDLE_MAX,
            // What is still being answered may end; the next request takes another connection.
            () = tokio::time::sleep_until(idle_at), if !is_stopping => {
                is_stopping = true;
                requests.as_mut().graceful_shutdown();
            }
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                requests.as_mut().graceful_shutdown();
            }
        }
    }
}

/// How a connection ended is its client's affair.
fn noted(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the API ended");
    }
}
