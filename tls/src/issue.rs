//! Further certificates of a local authority.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::ServerName;
use zeroize::Zeroizing;

use crate::{Authority, AuthorityError, authority::CLOCKS_APART};

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A server under these names.
    Server,
    /// A client, called by the first of them.
    Client,
}

/// A certificate that was just made, and its key.
#[derive(Debug)]
pub struct Issued {
    /// With the authority's behind it, PEM.
    pub chain: String,
    /// PEM.
    pub key: Zeroizing<String>,
}

impl Authority {
    /// Makes a certificate for these names, good for a while from `now`. Nothing is kept of it.
    ///
    /// # Errors
    /// The authority cannot be read, or a name cannot stand in a certificate.
    pub fn issue(
        &self,
        names: &BTreeSet<String>,
        purpose: Purpose,
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<Issued, AuthorityError> {
        let is_name = |name: &&String| {
            let concrete = name.strip_prefix("*.").unwrap_or(name);
            ServerName::try_from(concrete).is_ok()
        };
        if let Some(other) = names.iter().find(|name| !is_name(name)) {
            return Err(AuthorityError::Name(other.clone()));
        }
        let path = self.certificate_file();
        let failed = |error: rcgen::Error| AuthorityError::Certificate {
            path: path.clone(),
            message: error.to_string(),
        };
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>()).map_err(failed)?;
        params.not_before = (now - CLOCKS_APART).into();
        params.not_after = (now + lifetime).into();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let called = names.first().map_or("skrei", String::as_str);
        params.distinguished_name.push(DnType::CommonName, called);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        let ca = self.read(&path)?;
        let issuer = self.issuer(&ca)?;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        let chain = format!("{}{}", certificate.pem(), self.chain()?);
        Ok(Issued { chain, key: Zeroizing::new(key.serialize_pem()) })
    }
}
