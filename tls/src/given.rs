//! Authorities, and servers that are known by a certificate of their own making.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use x509_parser::{
    prelude::{FromDer, X509Certificate},
    time::ASN1Time,
};

use crate::vouched::unknown;

/// Believes whom certain authorities vouch for, and a server that shows a certificate which was given itself. A command like
/// `openssl req -x509` makes such ones: authority and server in one, which no path of certificates leads to
/// (RFC 5280 section 6.1 is about paths alone).
#[derive(Debug)]
pub(crate) struct Given {
    certificates: Vec<CertificateDer<'static>>,
    authorities: Arc<dyn ServerCertVerifier>,
}

impl Given {
    /// What was given, and who looks for a path to it.
    pub(crate) fn new(
        certificates: Vec<CertificateDer<'static>>,
        authorities: Arc<dyn ServerCertVerifier>,
    ) -> Self {
        Self { certificates, authorities }
    }
}

/// Whether a certificate that is believed is for this name and this time.
fn is_for(shown: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    let malformed = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, certificate) = X509Certificate::from_der(shown).map_err(|_| malformed())?;
    let now = i64::try_from(now.as_secs()).ok().and_then(|now| ASN1Time::from_timestamp(now).ok());
    let (now, validity) = (now.ok_or_else(malformed)?, certificate.validity());
    if now < validity.not_before {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if now > validity.not_after {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    verify_server_name(&ParsedCertificate::try_from(shown)?, name)
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.certificates.contains(end_entity) {
            is_for(end_entity, server_name, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        let path =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // Of its own making, and nobody's here.
        path.map_err(|error| if is_of_an_authority(&error) { unknown() } else { error })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

fn is_of_an_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;
    use crate::Trust;

    /// As `openssl req -x509` makes it, for a year.
    fn of_its_own_making(name: &str) -> (CertificateDer<'static>, String) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = SystemTime::now().into();
        params.not_after = (SystemTime::now() + Duration::from_secs(365 * 86_400)).into();
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        (made.der().clone(), made.pem())
    }

    #[test]
    fn a_server_is_known_by_the_certificate_of_its_own_that_was_given_for_its_name_and_its_time() {
        let ((certificate, pem), (other, _)) =
            (of_its_own_making("localhost"), of_its_own_making("localhost"));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("server.cert");
        std::fs::write(&file, pem).unwrap();
        let verifier = Trust { ca_file: Some(file), ..Trust::default() }.verifier().unwrap();
        let looked_at = |certificate: &CertificateDer<'_>, name: &'static str, days: i64| {
            let now = UnixTime::now().as_secs().saturating_add_signed(days * 86_400 + 60);
            let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
            let name = ServerName::try_from(name).unwrap();
            verifier.verify_server_cert(certificate, &[], &name, &[], now).map(drop)
        };
        looked_at(&certificate, "localhost", 0).unwrap();
        let why = |certificate, name, days| looked_at(certificate, name, days).unwrap_err().to_string();
        assert!(why(&certificate, "other.example", 0).contains("not valid for name"));
        assert!(why(&certificate, "localhost", 366).contains("Expired"));
        assert!(why(&certificate, "localhost", -2).contains("NotValidYet"));
        assert_eq!(looked_at(&other, "localhost", 0), Err(unknown()), "another of the same name");
    }
}
