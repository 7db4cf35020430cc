//! What an authority is answered when it looks whether a name is ours.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use super::AcmeError;

/// The protocol by which TLS-ALPN-01 is told apart (RFC 8737).
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Answers to the challenges of the order under way, none otherwise.
#[derive(Debug, Default)]
pub struct Answers {
    by_token: RwLock<BTreeMap<String, String>>,
    by_name: RwLock<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Answers {
    /// For HTTP-01 (RFC 8555 section 8.3).
    pub(crate) fn to_token(&self, token: &str) -> Option<String> {
        self.by_token.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    /// For TLS-ALPN-01 (RFC 8737).
    pub(crate) fn to_name(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let answers = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(&name.to_ascii_lowercase()).cloned()
    }

    pub(crate) fn put_token(&self, token: &str, key_authorization: &str) {
        let mut answers = self.by_token.write().unwrap_or_else(PoisonError::into_inner);
        answers.insert(token.to_owned(), key_authorization.to_owned());
    }

    pub(crate) fn put_name(&self, name: &str, digest: &[u8]) -> Result<(), AcmeError> {
        let failed = |error: rcgen::Error| AcmeError::Order(error.to_string());
        let mut params = CertificateParams::new([name.to_owned()]).map_err(failed)?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key =
            aws_lc_rs::sign::any_supported_type(&key).map_err(|error| AcmeError::Order(error.to_string()))?;
        let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
        let mut answers = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        answers.insert(name.to_ascii_lowercase(), Arc::new(certified));
        Ok(())
    }

    pub(crate) fn clear(&self) {
        self.by_token.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
