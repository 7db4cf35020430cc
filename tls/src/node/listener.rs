//! The TLS configuration of the port that nodes dial.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier},
    version::TLS13,
};

use crate::Served;

/// TLS 1.3 alone, with this certificate. Callers may show a certificate of the authority, and show no other; one who
/// shows none is a stranger, for whom the listener decides what it may ask.
///
/// Sessions are not resumed: nodes stay connected, and a tenth of a millisecond is not worth what a kept session costs.
///
/// # Errors
/// The authority's certificate cannot be used.
pub fn node_listener(
    authority: CertificateDer<'static>,
    served: &Arc<Served>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::clone(served) as Arc<dyn ResolvesServerCert>);
    // A websocket's handshake is HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
