//! The node's side: whom it believes to be its orchestrator.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::TLS13,
};

use super::{Credentials, ORCHESTRATOR_NAME};
use crate::{
    Fingerprint,
    vouched::{Shown, unknown},
};

/// Whom a node believes to be its orchestrator before it has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Orchestrator {
    /// Whom this authority vouches for.
    Of(CertificateDer<'static>),
    /// Whom the authority with this fingerprint vouches for.
    Fingerprint(Fingerprint),
    /// Whoever answers: it has to be told apart by other means before it is told anything.
    Anybody,
}

/// Connections of a node that has not joined, and the authority that vouched for who answered.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// For connections to the orchestrator.
    pub config: ClientConfig,
    verifier: Arc<Verifier>,
}

impl Introduction {
    /// Connections to whom the node believes.
    ///
    /// # Errors
    /// Never with the cryptography this is built with.
    pub fn to(orchestrator: Orchestrator) -> Result<Self, Error> {
        let verifier = Arc::new(Verifier::new(Believed::As(orchestrator)));
        let config = config(&verifier)?.with_no_client_auth();
        Ok(Self { config: complete(config), verifier })
    }

    /// The authority that vouched for who answered first, once somebody has.
    pub fn authority(&self) -> Option<&CertificateDer<'static>> {
        self.verifier.seen.get()
    }
}

/// Connections of a node that has joined: to whom its authority vouches for, as who its certificate says.
///
/// # Errors
/// Never with the cryptography this is built with.
pub fn known_orchestrator(
    authority: CertificateDer<'static>,
    credentials: Arc<Credentials>,
) -> Result<ClientConfig, Error> {
    let verifier = Arc::new(Verifier::new(Believed::As(Orchestrator::Of(authority))));
    Ok(complete(config(&verifier)?.with_client_cert_resolver(credentials)))
}

/// Connections of a node that has joined: to whom the authority of its credentials vouches for, as who they say, whatever
/// both are by then.
///
/// # Errors
/// Never with the cryptography this is built with.
pub fn own_orchestrator(credentials: Arc<Credentials>) -> Result<ClientConfig, Error> {
    let verifier = Arc::new(Verifier::new(Believed::By(Arc::clone(&credentials))));
    Ok(complete(config(&verifier)?.with_client_cert_resolver(credentials)))
}

fn config(
    verifier: &Arc<Verifier>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, Error> {
    Ok(ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(verifier) as Arc<dyn ServerCertVerifier>))
}

fn complete(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session would go on with the certificate of before.
    config.resumption = Resumption::disabled();
    // There is one name, whatever address is dialled.
    config.enable_sni = false;
    config
}

/// Who is believed.
#[derive(Debug)]
enum Believed {
    /// As was said once.
    As(Orchestrator),
    /// Whom the authority of these vouches for, as long as they have it.
    By(Arc<Credentials>),
}

#[derive(Debug)]
struct Verifier {
    believed: Believed,
    provider: Arc<CryptoProvider>,
    seen: OnceLock<CertificateDer<'static>>,
}

impl Verifier {
    fn new(believed: Believed) -> Self {
        Self { believed, provider: Arc::new(aws_lc_rs::default_provider()), seen: OnceLock::new() }
    }

    fn authority(&self, shown: &[CertificateDer<'_>]) -> Option<CertificateDer<'static>> {
        let owned = |certificate: &CertificateDer<'_>| certificate.clone().into_owned();
        match &self.believed {
            Believed::By(credentials) => Some(credentials.authority()),
            Believed::As(Orchestrator::Of(authority)) => Some(authority.clone()),
            Believed::As(Orchestrator::Fingerprint(wanted)) => {
                shown.iter().find(|certificate| Fingerprint::of(certificate) == *wanted).map(owned)
            }
            // Once somebody has answered, nobody else will do.
            Believed::As(Orchestrator::Anybody) => {
                self.seen.get().cloned().or_else(|| shown.first().map(owned))
            }
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = self.authority(intermediates).ok_or_else(unknown)?;
        let name =
            ServerName::try_from(ORCHESTRATOR_NAME).map_err(|error| Error::General(error.to_string()))?;
        let shown = Shown { end_entity, intermediates, ocsp_response };
        let verified = shown.is_vouched_for([authority.clone()], &name, now, &self.provider)?;
        // The first counts: two handshakes at once would have had to agree anyway.
        let _ = self.seen.set(authority);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("the node link speaks TLS 1.3".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
