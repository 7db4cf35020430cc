//! The encrypted port of an orchestrator under test, and how nodes join it.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::Listener,
};
use serde_json::{Value, json};
use skrei_protocol::join::{
    Certified, JOIN_PATH, JoinRequest, JoinToken, LOCAL_PATH, Proof, RENEW_PATH, Refusal, RenewRequest,
    Shared,
};
use skrei_tls::{
    Authority, CertificateRequest, Handshakes, NodeIssuer, NodeVerifier, Pair, Port, Served, ServerConfig,
    node_listener,
};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use crate::support::PATIENCE;

/// The word that nodes may join with.
pub(crate) const WORD: &str = "a word of both";

/// Who vouches for an orchestrator and its nodes, and what nodes asked of it.
pub(crate) struct Vouching {
    _directory: TempDir,
    pub(crate) ca_file: std::path::PathBuf,
    issuer: NodeIssuer,
    config: Arc<ServerConfig>,
    pub(crate) terms: Mutex<Terms>,
    /// Everything that was asked, as debug output: what names no secret there.
    pub(crate) asked: Mutex<Vec<JoinRequest>>,
    pub(crate) renewed: Mutex<usize>,
}

/// What nodes get.
pub(crate) struct Terms {
    pub(crate) lifetime: Duration,
    pub(crate) refusal: Option<Refusal>,
    /// Where a node of this machine is sent for a token.
    pub(crate) local: Value,
    /// What the orchestrator takes for the shared word.
    pub(crate) word: &'static str,
}

impl Vouching {
    pub(crate) fn new() -> Arc<Self> {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path().join("authority")).unwrap();
        authority.provide(&Authority::orchestrator_names(), SystemTime::now()).unwrap();
        let served = Served::new(&Pair::read(&authority.server_files(), SystemTime::now()).unwrap());
        Arc::new(Self {
            issuer: authority.node_issuer().unwrap(),
            config: node_listener(NodeVerifier::of([authority.certificate().unwrap()]).unwrap(), &served)
                .unwrap(),
            ca_file: authority.certificate_file(),
            terms: Mutex::new(Terms {
                lifetime: Duration::from_secs(3600),
                refusal: None,
                local: json!({"file": "/nowhere"}),
                word: WORD,
            }),
            asked: Mutex::default(),
            renewed: Mutex::default(),
            _directory: directory,
        })
    }

    /// A token that names this authority.
    pub(crate) fn token(&self) -> String {
        JoinToken::from_random([1; 4], [2; 16], self.issuer.fingerprint()).reveal()
    }

    /// The routes by which nodes join.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        Router::new()
            .route(JOIN_PATH, post(join))
            .route(RENEW_PATH, post(renew))
            .route(
                LOCAL_PATH,
                get(async |State(vouching): State<Arc<Self>>| {
                    Json(vouching.terms.lock().unwrap().local.clone())
                }),
            )
            .with_state(Arc::clone(self))
    }

    pub(crate) fn listener(&self, listener: TcpListener) -> Encrypted {
        Encrypted(Handshakes::start(listener, Arc::clone(&self.config), Port::Nodes).unwrap())
    }

    fn certify(&self, node: &str, request: &str) -> Certified {
        let request = CertificateRequest::from_pem(request).unwrap();
        let lifetime = self.terms.lock().unwrap().lifetime;
        let certificate = self.issuer.issue(node, &request, lifetime, SystemTime::now()).unwrap().pem;
        Certified { certificate, authority: self.issuer.authority().to_owned(), code: None }
    }
}

async fn join(State(vouching): State<Arc<Vouching>>, Json(asked): Json<JoinRequest>) -> Response {
    vouching.asked.lock().unwrap().push(asked.clone());
    if let Some(refusal) = vouching.terms.lock().unwrap().refusal.clone() {
        return (StatusCode::FORBIDDEN, Json(refusal)).into_response();
    }
    let mut certified = vouching.certify(asked.node.as_str(), &asked.request);
    if let Proof::Shared { .. } = &asked.proof {
        let word = vouching.terms.lock().unwrap().word;
        let shared = Shared::new(word, vouching.issuer.fingerprint(), &asked.request);
        certified.code = Some(shared.of_orchestrator(&certified.certificate));
    }
    Json(certified).into_response()
}

async fn renew(State(vouching): State<Arc<Vouching>>, Json(asked): Json<RenewRequest>) -> Json<Certified> {
    *vouching.renewed.lock().unwrap() += 1;
    Json(vouching.certify("n-1", &asked.request))
}

pub(crate) struct Encrypted(Handshakes);

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

/// A place in between that counts who calls, and passes everything on.
pub(crate) struct Relay {
    pub(crate) address: String,
    calls: watch::Receiver<usize>,
}

impl Relay {
    pub(crate) async fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (count, calls) = watch::channel(0);
        let relay = Self { address: listener.local_addr().unwrap().to_string(), calls };
        let address = address.to_owned();
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let mut called = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut caller, &mut called).await });
            }
        });
        relay
    }

    /// Waits until somebody has called, given up, and called again: one attempt is a few calls at most.
    pub(crate) async fn called_again(&self) {
        let mut calls = self.calls.clone();
        let before = *calls.borrow();
        let again = calls.wait_for(|calls| *calls >= before + 4);
        timeout(PATIENCE, again).await.expect("it calls again").unwrap();
    }
}
