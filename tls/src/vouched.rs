//! Whether certain authorities, and no others, vouch for a server.

use std::sync::Arc;

use rustls::{
    Error, RootCertStore,
    client::{
        WebPkiServerVerifier,
        danger::{ServerCertVerified, ServerCertVerifier as _},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// What a server shows.
pub(crate) struct Shown<'a> {
    /// Its own certificate.
    pub(crate) end_entity: &'a CertificateDer<'a>,
    /// What it shows beside that.
    pub(crate) intermediates: &'a [CertificateDer<'a>],
    /// Stapled, or empty.
    pub(crate) ocsp_response: &'a [u8],
}

impl Shown<'_> {
    /// Whether these authorities vouch for whoever shows this, under this name and at this time.
    pub(crate) fn is_vouched_for(
        &self,
        authorities: impl IntoIterator<Item = CertificateDer<'static>>,
        name: &ServerName<'_>,
        now: UnixTime,
        provider: &Arc<CryptoProvider>,
    ) -> Result<ServerCertVerified, Error> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority)?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        verifier.verify_server_cert(self.end_entity, self.intermediates, name, self.ocsp_response, now)
    }
}

/// Nobody we know vouches for it.
pub(crate) fn unknown() -> Error {
    Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)
}
