//! The node's side: its key and its certificate, on disk and in use.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use tokio::sync::watch;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::{Fingerprint, pair::moment, replace::replace};

/// For this user alone.
const MODE: u32 = 0o600;

/// A key that is made for a certificate and not certified yet. It is on disk before anybody is asked, so that an answer
/// that was lost can be asked for again.
#[derive(Debug)]
pub struct NodeKey {
    key: KeyPair,
    path: PathBuf,
}

/// Who a node is: its key, the certificate of it, and the authority that gave that. All three are one file, replaced at
/// once.
#[derive(Clone, Debug)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    authority: CertificateDer<'static>,
    not_before: SystemTime,
    not_after: SystemTime,
}

/// The identity that new connections speak for.
#[derive(Debug)]
pub struct Credentials {
    current: watch::Sender<Identity>,
}

/// Why an identity cannot be used. No message shows anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It holds something else, or parts that do not belong together.
    #[error("`{}` holds no identity: {message}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl NodeKey {
    /// The key in this file; if there is none, that of the identity in the other; if there is none either, a new one.
    ///
    /// # Errors
    /// The file cannot be used, or no key be made.
    pub fn provide(path: &Path, identity: Option<&Path>) -> Result<Self, IdentityError> {
        let unusable = |message: String| IdentityError::Unusable { path: path.to_owned(), message };
        let kept = |path: &Path| match fs::read_to_string(path).map(Zeroizing::new) {
            // What is wrong with a key that cannot be used does not matter: there will be another.
            Ok(pem) => Ok(KeyPair::from_pem(&pem).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(IdentityError::Io { path: path.to_owned(), source }),
        };
        let key = match (kept(path)?, identity) {
            (None, Some(identity)) => kept(identity)?,
            (key, _) => key,
        };
        let key = match key {
            Some(key) => key,
            None => {
                let key = KeyPair::generate().map_err(|error| unusable(error.to_string()))?;
                write(path, Zeroizing::new(key.serialize_pem()).as_bytes())?;
                key
            }
        };
        Ok(Self { key, path: path.to_owned() })
    }

    /// The request to certify it for the node of this id, PEM.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn request(&self, node: &str) -> Result<String, IdentityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, node);
        let request = params.serialize_request(&self.key).and_then(|request| request.pem());
        request
            .map_err(|error| IdentityError::Unusable { path: self.path.clone(), message: error.to_string() })
    }

    /// Keeps the key with what it was certified by in one file, and forgets the key's own.
    ///
    /// # Errors
    /// The certificate is of another key, or of another authority than the one that is expected, if one is; or the file
    /// cannot be written.
    pub fn certified(
        self,
        certificate: &str,
        authority: &str,
        expected: Option<Fingerprint>,
        file: &Path,
    ) -> Result<Identity, IdentityError> {
        let key = Zeroizing::new(self.key.serialize_pem());
        let all = Zeroizing::new(format!("{}{certificate}{authority}", *key));
        let identity = Identity::parse(all.as_bytes(), file)?;
        if expected.is_some_and(|expected| Fingerprint::of(&identity.authority) != expected) {
            let message = "the certificate is of another authority than the one that was asked".to_owned();
            return Err(IdentityError::Unusable { path: file.to_owned(), message });
        }
        write(file, all.as_bytes())?;
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(IdentityError::Io { path: self.path, source })
            }
            _ => Ok(identity),
        }
    }
}

impl Identity {
    /// The identity in this file, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn read(file: &Path) -> Result<Option<Self>, IdentityError> {
        match fs::read(file).map(Zeroizing::new) {
            Ok(content) => Self::parse(&content, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(IdentityError::Io { path: file.to_owned(), source }),
        }
    }

    fn parse(pem: &[u8], file: &Path) -> Result<Self, IdentityError> {
        let unusable = |message: String| IdentityError::Unusable { path: file.to_owned(), message };
        let key =
            PrivateKeyDer::from_pem_slice(pem).map_err(|_| unusable("no key in PEM form".to_owned()))?;
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default();
        let [certificate, authority] = certificates.as_slice() else {
            return Err(unusable("not a certificate and that of its authority in PEM form".to_owned()));
        };
        let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| unusable(error.to_string()))?;
        let certified = CertifiedKey::new(vec![certificate.clone()], key);
        certified.keys_match().map_err(|_| unusable("the certificate is of another key".to_owned()))?;
        let (_, leaf) =
            X509Certificate::from_der(certificate).map_err(|error| unusable(error.to_string()))?;
        let (_, issuer) =
            X509Certificate::from_der(authority).map_err(|error| unusable(error.to_string()))?;
        leaf.verify_signature(Some(issuer.public_key()))
            .map_err(|_| unusable("the certificate is of another authority".to_owned()))?;
        let validity = leaf.validity();
        Ok(Self {
            not_before: moment(validity.not_before.timestamp()),
            not_after: moment(validity.not_after.timestamp()),
            certified: Arc::new(certified),
            authority: authority.clone(),
        })
    }

    /// The authority that gave it.
    pub fn authority(&self) -> &CertificateDer<'static> {
        &self.authority
    }

    /// What the node is known by.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certified.cert[0])
    }

    /// How long until so much of its lifetime is left at `now`, from 1 to 0; nothing if it is past.
    pub fn until_left(&self, share: f64, now: SystemTime) -> Duration {
        let lifetime = self.not_after.duration_since(self.not_before).unwrap_or_default();
        let then = self.not_after - lifetime.mul_f64(share.clamp(0.0, 1.0));
        then.duration_since(now).unwrap_or_default()
    }

    /// Whether its time is over at `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        now > self.not_after
    }
}

impl Credentials {
    /// Those of this identity.
    pub fn new(identity: &Identity) -> Arc<Self> {
        Arc::new(Self { current: watch::Sender::new(identity.clone()) })
    }

    /// From now on those of another.
    pub fn replace(&self, identity: &Identity) {
        self.current.send_replace(identity.clone());
    }

    /// The authority that gave them.
    pub(super) fn authority(&self) -> CertificateDer<'static> {
        self.current.borrow().authority.clone()
    }
}

impl ResolvesClientCert for Credentials {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let current = Arc::clone(&self.current.borrow().certified);
        current.key.choose_scheme(schemes).is_some().then_some(current)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), IdentityError> {
    replace(path, content, MODE).map_err(|source| IdentityError::Io { path: path.to_owned(), source })
}
