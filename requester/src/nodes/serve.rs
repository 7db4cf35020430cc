//! Connections to the node listener: how many there may be, and for how long.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use skrei_tls::{CertificateDer, Fingerprint, Handshakes};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::server::TlsStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::caller::Peer;
use crate::{held::Held, nodes::Identities};

/// Connections of callers that are no nodes, or not yet. More are closed: a node that joins tries again.
const STRANGERS_MAX: usize = 256;

/// How long such a connection may last: one request, with the pause after a wrong token.
const STRANGER_TIME_MAX: Duration = Duration::from_secs(10);

/// How long a caller may take to send the head of a request, or between two.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// Serves until `shutdown` is cancelled, and then until open requests have ended. Links end by themselves.
pub(crate) async fn serve(
    mut connections: Handshakes,
    router: Router,
    identities: Arc<Identities>,
    shutdown: CancellationToken,
) {
    let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
    let open = TaskTracker::new();
    loop {
        let (stream, address) = tokio::select! {
            connection = connections.next() => connection,
            () = shutdown.cancelled() => break,
        };
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[CertificateDer<'_>]>::first);
        let peer = Peer { address, certificate: certificate.map(Fingerprint::of) };
        let (places, time_max, revoked) = match identities.caller(peer.certificate) {
            Ok(caller) => (caller.connections, None, caller.revoked),
            Err(_) => (Arc::clone(&strangers), Some(STRANGER_TIME_MAX), CancellationToken::new()),
        };
        let Ok(place) = places.try_acquire_owned() else {
            tracing::debug!(%address, "closed: too many connections of its kind");
            continue;
        };
        let router = router.clone().layer(Extension(peer));
        let shutdown = shutdown.clone();
        // A link takes its place with it when it leaves this server.
        let stream = Held::new(stream, place);
        open.spawn(async move {
            let requests = answer(stream, router, revoked, shutdown);
            match time_max {
                // Whoever is slower has no business here.
                Some(time_max) => drop(timeout(time_max, requests).await),
                None => requests.await,
            }
        });
    }
    open.close();
    open.wait().await;
}

async fn answer(
    stream: Held<TlsStream<TcpStream>, OwnedSemaphorePermit>,
    router: Router,
    revoked: CancellationToken,
    shutdown: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let requests =
        http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).with_upgrades();
    tokio::pin!(requests);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = &mut requests => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection of a node ended");
                }
                return;
            }
            // What is being sent is broken off.
            () = revoked.cancelled() => return,
            () = shutdown.cancelled(), if !is_stopping => {
                is_stopping = true;
                requests.as_mut().graceful_shutdown();
            }
        }
    }
}
