//! The orchestrator's side: certificates for nodes.

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

use crate::{Fingerprint, authority::CLOCKS_APART};

/// Bytes of a serial number: what the CA/Browser Forum asks of randomness, twice.
const SERIAL_BYTES: usize = 16;

/// Signs certificates of nodes.
#[derive(Debug)]
pub struct NodeIssuer {
    issuer: Issuer<'static, KeyPair>,
    authority: String,
    fingerprint: Fingerprint,
}

/// A node's request for a certificate, signed with the key that it is for.
#[derive(Debug)]
pub struct CertificateRequest {
    request: CertificateSigningRequestParams,
}

/// A certificate that was issued to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCertificate {
    /// As the node keeps it.
    pub pem: String,
    /// What the node is known by.
    pub fingerprint: Fingerprint,
    /// When it expires.
    pub not_after: SystemTime,
}

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The request is none, or not signed with the key in it.
    #[error("the request for a certificate cannot be used: {0}")]
    Request(String),
    /// It cannot be made.
    #[error("the certificate cannot be made: {0}")]
    Certificate(String),
}

impl CertificateRequest {
    /// Reads a request and checks that whoever made it has the key.
    ///
    /// # Errors
    /// It is none, or of somebody who does not have the key.
    pub fn from_pem(pem: &str) -> Result<Self, IssueError> {
        let request = CertificateSigningRequestParams::from_pem(pem);
        request.map(|request| Self { request }).map_err(|error| IssueError::Request(error.to_string()))
    }

    /// The SHA-256 of the public key.
    pub fn public_key(&self) -> [u8; 32] {
        Sha256::digest(self.request.public_key.subject_public_key_info()).into()
    }
}

impl NodeIssuer {
    pub(crate) fn new(issuer: Issuer<'static, KeyPair>, authority: String, fingerprint: Fingerprint) -> Self {
        Self { issuer, authority, fingerprint }
    }

    /// The authority's certificate, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The fingerprint of the authority's certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// A certificate for the node of this id. Of the request, the key alone counts: what a node may call itself, and
    /// what for, is decided here.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn issue(
        &self,
        node: &str,
        request: &CertificateRequest,
        lifetime: Duration,
        now: SystemTime,
    ) -> Result<NodeCertificate, IssueError> {
        let failed = |error: &dyn std::fmt::Display| IssueError::Certificate(error.to_string());
        let mut serial = [0; SERIAL_BYTES];
        getrandom::fill(&mut serial).map_err(|error| failed(&error))?;
        // Positive, as serial numbers are.
        serial[0] &= 0x7f;
        let not_after = now + lifetime;
        let mut params = CertificateParams::default();
        // Not much of a short lifetime: what is left of it says when to renew.
        params.not_before = (now - CLOCKS_APART.min(lifetime / 10)).into();
        params.not_after = not_after.into();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, node);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate =
            params.signed_by(&request.request.public_key, &self.issuer).map_err(|error| failed(&error))?;
        let fingerprint = Fingerprint::of(&CertificateDer::from(certificate.der().to_vec()));
        Ok(NodeCertificate { pem: certificate.pem(), fingerprint, not_after })
    }
}
