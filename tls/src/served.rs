//! The certificate that is served now.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::sync::watch;

use crate::{
    Fingerprint, Pair,
    acme::{ACME_TLS, Answers},
    pair::is_for,
};

/// Protocols offered, the best first (RFC 7301).
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Domains that mean something else in every network (RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`).
const PRIVATE: [&str; 8] =
    [".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".corp", ".private"];

/// The certificate that new connections get. Those that are open keep theirs.
#[derive(Debug)]
pub struct Served {
    certificate: watch::Sender<Option<Arc<CertifiedKey>>>,
    answers: Arc<Answers>,
    is_ordered: bool,
}

impl Served {
    /// Begins with this one.
    pub fn new(pair: &Pair) -> Arc<Self> {
        Self::beginning(Some(pair), false)
    }

    /// One that is ordered by ACME; until it is there, handshakes are refused with the alert `access_denied`.
    pub fn ordered(kept: Option<&Pair>) -> Arc<Self> {
        Self::beginning(kept, true)
    }

    fn beginning(pair: Option<&Pair>, is_ordered: bool) -> Arc<Self> {
        let certificate = watch::Sender::new(pair.map(|pair| Arc::clone(pair.certified())));
        Arc::new(Self { certificate, answers: Arc::default(), is_ordered })
    }

    /// From now on this one; says whether it is another.
    pub fn replace(&self, pair: &Pair) -> bool {
        let before = self.certificate.send_replace(Some(Arc::clone(pair.certified())));
        before.is_none_or(|before| before.cert != pair.certified().cert)
    }

    /// The fingerprint of the certificate, once there is one.
    pub async fn fingerprint(&self) -> Fingerprint {
        let mut changes = self.certificate.subscribe();
        loop {
            if let Some(certificate) = changes.borrow_and_update().as_ref() {
                return Fingerprint::of(&certificate.cert[0]);
            }
            // Cannot fail: the sender is ours.
            let _ = changes.changed().await;
        }
    }

    /// Whether the certificate is for a host that anybody may know by this name: one with a dot that is no address, and in
    /// no domain that is kept for private use. Browsers may be told to call it by HTTPS alone.
    pub fn is_for_public(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_private = |host: &str| PRIVATE.iter().any(|domain| host.ends_with(domain));
        if !host.contains('.') || is_private(&host) || host.parse::<std::net::IpAddr>().is_ok() {
            return false;
        }
        self.certificate.borrow().as_ref().is_some_and(|certificate| is_for(certificate, &host))
    }

    /// What an authority is answered.
    pub fn answers(&self) -> &Arc<Answers> {
        &self.answers
    }

    /// TLS 1.2 and 1.3 with this certificate, HTTP/2 and HTTP/1.1, and sessions that can be resumed.
    ///
    /// # Errors
    /// Never with the cryptography this is built with.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
        if self.is_ordered {
            config.alpn_protocols.push(ACME_TLS.to_vec());
        }
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // An authority offers this protocol and no other (RFC 8737 section 3).
        if self.is_ordered && hello.alpn().is_some_and(|mut offered| offered.any(|name| name == ACME_TLS)) {
            return self.answers.to_name(hello.server_name()?);
        }
        self.certificate.borrow().clone()
    }
}
