//! A local authority, for servers that no public one vouches for.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, Permissions},
    io,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_util::task::AbortOnDropHandle;
use zeroize::Zeroizing;

use crate::{Fingerprint, NodeIssuer, ORCHESTRATOR_NAME, Pair, PairFiles, Purpose, replace::replace};

const DAY: Duration = Duration::from_secs(86_400);
const CA_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);
const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// A certificate is renewed when this share of its lifetime is left.
const SHARE_LEFT: f64 = 1.0 / 3.0;

/// A clock may be behind by so much and the certificate still be valid.
pub(crate) const CLOCKS_APART: Duration = Duration::from_secs(3600);

/// Where the authority and the server's pair lie, in a directory of this user's alone.
#[derive(Clone, Debug)]
pub struct Authority {
    directory: PathBuf,
}

/// Why the authority cannot do what it should.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Its certificate is there, and its key is not.
    #[error("the key `{}` of the authority `{}` is missing: restore it, or move the certificate away to begin with another \
        authority, which those who believed this one must be told of", key.display(), certificate.display())]
    KeyLost {
        /// What others believe.
        certificate: PathBuf,
        /// What is missing.
        key: PathBuf,
    },
    /// It was replaced, and the one before is still believed.
    #[error("the authority was replaced before, and the one before that is still believed: drop that first")]
    Rotating,
    /// It cannot stand in a certificate.
    #[error("`{0}` is neither a DNS name nor an address")]
    Name(String),
    /// A certificate cannot be made, or the authority's own cannot be used.
    #[error("{}: {message}", path.display())]
    Certificate {
        /// Of which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl Authority {
    /// The authority in this directory; made if there is none. Its key is readable by this user alone.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(directory: PathBuf) -> Result<Self, AuthorityError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|source| AuthorityError::Io { path: directory.clone(), source })?;
        let authority = Self { directory };
        authority.finish_rotation()?;
        let (certificate, key) = (authority.certificate_file(), authority.key_file());
        match (is_there(&certificate)?, is_there(&key)?) {
            (true, true) => keep_to_owner(&key)?,
            // Made anew, it would be another, whom nobody believes who believed this one.
            (true, false) => return Err(AuthorityError::KeyLost { certificate, key }),
            // The key alone is what is left when it was interrupted before anybody could see it.
            (false, _) => authority.make()?,
        }
        Ok(authority)
    }

    /// What clients are given to trust (`--cacert`).
    pub fn certificate_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The server's pair.
    pub fn server_files(&self) -> PairFiles {
        PairFiles {
            certificate: self.directory.join("server.pem"),
            key: self.directory.join("server-key.pem"),
        }
    }

    /// The fingerprint of the authority's certificate.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint, AuthorityError> {
        Ok(Fingerprint::of(&self.certificate()?))
    }

    /// The authority's certificate.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn certificate(&self) -> Result<CertificateDer<'static>, AuthorityError> {
        certificate_in(&self.certificate_file())
    }

    /// What signs the certificates of nodes.
    ///
    /// # Errors
    /// The authority cannot be read.
    pub fn node_issuer(&self) -> Result<NodeIssuer, AuthorityError> {
        let certificate = self.read(&self.certificate_file())?;
        Ok(NodeIssuer::new(self.issuer(&certificate)?, certificate, self.fingerprint()?))
    }

    /// The names of the one server that nodes dial.
    pub fn orchestrator_names() -> BTreeSet<String> {
        BTreeSet::from([ORCHESTRATOR_NAME.to_owned()])
    }

    /// Sees to it that there is a server's pair for these names, valid for a while from `now`. Says whether it had to
    /// be made.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn provide(&self, names: &BTreeSet<String>, now: SystemTime) -> Result<bool, AuthorityError> {
        let files = self.server_files();
        let chain = self.chain()?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).filter_map(Result::ok).collect();
        let is_good = |pair: &Pair| {
            pair.share_left(now) > SHARE_LEFT
                && names.iter().all(|name| pair.is_for(name))
                && pair.certified().cert.get(1..) == Some(chain.as_slice())
        };
        if Pair::read(&files, now).is_ok_and(|pair| is_good(&pair)) {
            return Ok(false);
        }
        let issued = self.issue(names, Purpose::Server, now, LIFETIME)?;
        // The key first: whoever reads in between finds a pair that does not belong together, and looks again.
        write(&files.key, issued.key.as_bytes(), 0o600)?;
        // With the authority's own, so that a client can be told to trust just that by its fingerprint.
        write(&files.certificate, issued.chain.as_bytes(), 0o644)?;
        Ok(true)
    }

    /// Renews the server's pair when it is time, until dropped.
    pub fn renew(self: Arc<Self>, names: BTreeSet<String>) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                tokio::time::sleep(DAY / 2).await;
                let (authority, names) = (Arc::clone(&self), names.clone());
                let provided =
                    tokio::task::spawn_blocking(move || authority.provide(&names, SystemTime::now())).await;
                match provided {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        tracing::error!("the self-signed certificate cannot be renewed: {error}")
                    }
                    Err(error) => tracing::error!(%error, "the self-signed certificate cannot be renewed"),
                }
            }
        }))
    }

    pub(crate) fn issuer(&self, certificate: &str) -> Result<Issuer<'static, KeyPair>, AuthorityError> {
        let path = self.key_file();
        let failed = |error: rcgen::Error| AuthorityError::Certificate {
            path: path.clone(),
            message: error.to_string(),
        };
        let key = Zeroizing::new(self.read(&path)?);
        let key = KeyPair::from_pem(&key).map_err(failed)?;
        Issuer::from_ca_cert_pem(certificate, key).map_err(failed)
    }

    fn make(&self) -> Result<(), AuthorityError> {
        let path = self.certificate_file();
        let failed = |error: rcgen::Error| AuthorityError::Certificate {
            path: path.clone(),
            message: error.to_string(),
        };
        let params = params("skrei local authority", SystemTime::now());
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        write(&self.key_file(), key.serialize_pem().as_bytes(), 0o600)?;
        write(&path, certificate.pem().as_bytes(), 0o644)
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.directory.join("ca-key.pem")
    }

    pub(crate) fn read(&self, path: &Path) -> Result<String, AuthorityError> {
        fs::read_to_string(path).map_err(|source| AuthorityError::Io { path: path.to_owned(), source })
    }
}

/// Names and addresses under which this machine may be called, and `further` ones.
pub fn names_of_this_machine(further: impl IntoIterator<Item = IpAddr>) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()]);
    // A machine that does not tell its addresses is still called by its names.
    let own = if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
    names.extend(
        own.chain(further).filter(|address| is_callable(*address)).map(|address| address.to_string()),
    );
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    if !host.is_empty() {
        names.insert(host.to_owned());
    }
    names
}

/// Link-local addresses of IPv6 mean something on one link alone, and no certificate can say on which.
fn is_callable(address: IpAddr) -> bool {
    let is_link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    !address.is_unspecified() && !is_link_local
}

/// What an authority's own certificate says.
pub(crate) fn params(called: &str, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = (now - CLOCKS_APART).into();
    params.not_after = (now + CA_LIFETIME).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, called);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The first certificate of a file.
pub(crate) fn certificate_in(path: &Path) -> Result<CertificateDer<'static>, AuthorityError> {
    CertificateDer::from_pem_file(path)
        .map_err(|error| AuthorityError::Certificate { path: path.to_owned(), message: error.to_string() })
}

pub(crate) fn is_there(path: &Path) -> Result<bool, AuthorityError> {
    path.try_exists().map_err(|source| AuthorityError::Io { path: path.to_owned(), source })
}

/// Whoever can read the key can make certificates that are believed.
fn keep_to_owner(key: &Path) -> Result<(), AuthorityError> {
    let io = |source| AuthorityError::Io { path: key.to_owned(), source };
    let mode = fs::metadata(key).map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(
            "others could read or write the authority's key `{}` (mode {:o}): it is its owner's alone now; if they did, \
             make another authority",
            key.display(),
            mode & 0o777
        );
        fs::set_permissions(key, Permissions::from_mode(0o600)).map_err(io)?;
    }
    Ok(())
}

pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), AuthorityError> {
    replace(path, content, mode).map_err(|source| AuthorityError::Io { path: path.to_owned(), source })
}
