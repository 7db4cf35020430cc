//! The certificate that is served now.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::Pair;

/// Protocols offered, the best first (RFC 7301).
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate that new connections get. Those that are open keep theirs.
#[derive(Debug)]
pub struct Served(RwLock<Arc<CertifiedKey>>);

impl Served {
    /// Begins with this one.
    pub fn new(pair: &Pair) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::clone(pair.certified()))))
    }

    /// From now on this one; says whether it is another.
    pub fn replace(&self, pair: &Pair) -> bool {
        let mut served = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = served.cert != pair.certified().cert;
        *served = Arc::clone(pair.certified());
        is_other
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
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
