//! Whom a client believes to be the server it wants.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};

use crate::{
    given::Given,
    vouched::{Shown, unknown},
};

/// Whom a client believes to be the server it wants. The default: whoever the system's authorities vouch for. Where more
/// than one is said, the strictest counts, which is the first that is set here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The one certificate that counts, the server's own or its authority's, instead of any authority.
    pub fingerprint: Option<Fingerprint>,
    /// An authority, or several, in the place of the system's, or certificates of servers themselves: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Anybody. What is sent can be read and changed on the way.
    pub insecure: bool,
}

/// The SHA-256 of a certificate in its binary form, written as hexadecimal digits, with or without colons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// Why a client's rules of trust cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The authorities cannot be read.
    #[error("the file of authorities `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// They are something else.
    #[error("the file of authorities `{}` holds no certificate in PEM form", path.display())]
    NotPem {
        /// Where.
        path: PathBuf,
    },
    /// They cannot be used.
    #[error("the authorities cannot be used: {0}")]
    Unusable(#[from] Error),
}

impl Fingerprint {
    /// Of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = text
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("sha256:"))
            .map_or(text, |_| &text[7..]);
        let digits: Vec<u8> =
            text.chars().filter(|c| *c != ':').map_while(|c| c.to_digit(16)?.try_into().ok()).collect();
        let wrong = || {
            format!("`{text}` is not a fingerprint: 64 hexadecimal digits, in pairs with colons or without")
        };
        if digits.len() != text.chars().filter(|c| *c != ':').count() {
            return Err(wrong());
        }
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect();
        match (digits.len(), bytes.try_into()) {
            (64, Ok(bytes)) => Ok(Self(bytes)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, byte) in self.0.iter().enumerate() {
            let colon = if number == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Trust {
    /// TLS 1.2 and 1.3 with these rules.
    ///
    /// # Errors
    /// The authorities cannot be read or used.
    pub fn client_config(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = self.verifier()?;
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth())
    }

    /// Who looks at what a server shows.
    pub(crate) fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        Ok(match self {
            Self { fingerprint: Some(fingerprint), .. } => {
                Arc::new(Particular { accepted: Some(*fingerprint), provider })
            }
            Self { ca_file: Some(file), .. } => {
                let (given, mut roots) = (read(file)?, RootCertStore::empty());
                for authority in &given {
                    roots.add(authority.clone())?;
                }
                let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
                let verifier = verifier.map_err(|error| Error::General(error.to_string()))?;
                Arc::new(Given::new(given, verifier))
            }
            Self { insecure: true, .. } => Arc::new(Particular { accepted: None, provider }),
            Self { .. } => Arc::new(Given::new(Vec::new(), Arc::new(Verifier::new(provider)?))),
        })
    }
}

/// The first certificate in a PEM file.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, TrustError> {
    let all = read(&path.to_owned())?;
    all.into_iter().next().ok_or_else(|| TrustError::NotPem { path: path.to_owned() })
}

fn read(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let pem = fs::read(path).map_err(|source| TrustError::Unreadable { path: path.clone(), source })?;
    let authorities = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    authorities
        .ok()
        .filter(|authorities| !authorities.is_empty())
        .ok_or_else(|| TrustError::NotPem { path: path.clone() })
}

/// Believes one certificate, or with none given anybody who has the key of the certificate shown.
#[derive(Debug)]
struct Particular {
    accepted: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Particular {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(accepted) = self.accepted else { return Ok(ServerCertVerified::assertion()) };
        if Fingerprint::of(end_entity) == accepted {
            return Ok(ServerCertVerified::assertion());
        }
        let authority = intermediates.iter().find(|certificate| Fingerprint::of(certificate) == accepted);
        let authority = authority.ok_or_else(unknown)?.clone().into_owned();
        let shown = Shown { end_entity, intermediates, ocsp_response };
        shown.is_vouched_for([authority], server_name, now, &self.provider)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_in_every_way_it_is_written() {
        let fingerprint = Fingerprint([0xAB; 32]);
        for text in [fingerprint.to_string(), "ab".repeat(32), format!("SHA256:{}", "AB".repeat(32))] {
            assert_eq!(text.parse(), Ok(fingerprint), "{text}");
        }
        for text in
            ["", "ab", &"ab".repeat(33), &"xy".repeat(32), "sha256:", &format!("{}a", "ab".repeat(31))]
        {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
