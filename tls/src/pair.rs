//! A certificate with its key, as two PEM files.

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Fingerprint;

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairFiles {
    /// The chain, PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its key, PEM: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
}

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The chain.
    Certificate,
    /// The key.
    Key,
}

/// Why a pair cannot be used. No message shows anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// There is no such file.
    #[error("the {part} file `{}` does not exist", path.display())]
    Missing {
        /// Which.
        part: Part,
        /// Where.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("the {part} file `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        part: Part,
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is something else.
    #[error("the {part} file `{}` holds no {part} in PEM form", path.display())]
    NotPem {
        /// Which.
        part: Part,
        /// Where.
        path: PathBuf,
    },
    /// A certificate that cannot be understood, or a key of a kind that is not supported.
    #[error("the {part} in `{}` cannot be used: {message}", path.display())]
    Unusable {
        /// Which.
        part: Part,
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The two do not belong together.
    #[error("the key in `{}` belongs to another certificate than the one in `{}`", files.key.display(), files.certificate.display())]
    KeyOfAnother {
        /// Both.
        files: PairFiles,
    },
    /// Its time is over.
    #[error("the certificate in `{}` expired on {}", path.display(), date(*not_after))]
    Expired {
        /// Where.
        path: PathBuf,
        /// When.
        not_after: SystemTime,
    },
    /// Its time has not come.
    #[error("the certificate in `{}` is not valid before {}", path.display(), date(*not_before))]
    NotYetValid {
        /// Where.
        path: PathBuf,
        /// When it will be.
        not_before: SystemTime,
    },
}

/// A certificate and its key that belong together, read at one moment.
#[derive(Clone, Debug)]
pub struct Pair {
    certified: Arc<CertifiedKey>,
    not_before: SystemTime,
    not_after: SystemTime,
    key_is_readable_by_all: bool,
    files: PairFiles,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}

impl PairError {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "correct the path: --tlscert and --tlskey, or API.TLS.CertFile and API.TLS.KeyFile"
            }
            Self::Unreadable { .. } => "let the user that skrei runs as read it",
            Self::NotPem { part: Part::Certificate, .. } => "it must begin with -----BEGIN CERTIFICATE-----",
            Self::NotPem { part: Part::Key, .. } => {
                "it must begin with -----BEGIN PRIVATE KEY----- (or EC, or RSA PRIVATE KEY), and not be encrypted"
            }
            Self::Unusable { .. } => "make a new pair; ECDSA P-256, Ed25519 and RSA keys are understood",
            Self::KeyOfAnother { .. } => {
                "give the key the certificate was made with; one of the two may be an older one"
            }
            Self::Expired { .. } => "renew it",
            Self::NotYetValid { .. } => "check the clock of this machine",
        }
    }
}

impl Pair {
    /// Reads and checks a pair, as of `now`.
    ///
    /// # Errors
    /// Whatever would keep a client from accepting it, as far as it can be known here.
    pub fn read(files: &PairFiles, now: SystemTime) -> Result<Self, PairError> {
        let part = Part::Certificate;
        let path = || files.certificate.clone();
        let pem = read(&files.certificate, part)?;
        let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| PairError::NotPem { part, path: path() })?;
        let unusable = |message: String| PairError::Unusable { part, path: path(), message };
        let (_, leaf) = X509Certificate::from_der(&chain[0]).map_err(|error| unusable(error.to_string()))?;
        let validity = leaf.validity();
        let (not_before, not_after) =
            (moment(validity.not_before.timestamp()), moment(validity.not_after.timestamp()));
        let certified = certified(files, chain.clone())?;
        if now > not_after {
            return Err(PairError::Expired { path: path(), not_after });
        }
        if now < not_before {
            return Err(PairError::NotYetValid { path: path(), not_before });
        }
        let mode = fs::metadata(&files.key).map(|metadata| metadata.permissions().mode());
        let key_is_readable_by_all = mode.is_ok_and(|mode| mode & 0o004 != 0);
        Ok(Self {
            certified: Arc::new(certified),
            not_before,
            not_after,
            key_is_readable_by_all,
            files: files.clone(),
        })
    }

    /// The fingerprint of the server's own certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certified.cert[0])
    }

    /// When it expires.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// When it begins to be valid.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// How long it is valid from beginning to end.
    pub fn lifetime(&self) -> Duration {
        self.not_after.duration_since(self.not_before).unwrap_or_default()
    }

    /// When it expires, for people, UTC.
    pub fn expiry(&self) -> String {
        date(self.not_after)
    }

    /// How much of its lifetime is left at `now`, from 1 to 0.
    pub fn share_left(&self, now: SystemTime) -> f64 {
        let left = self.not_after.duration_since(now).unwrap_or_default();
        left.as_secs_f64() / self.lifetime().as_secs_f64().max(1.0)
    }

    /// Whether clients that call this host would accept it: a DNS name or an IP address.
    pub fn is_for(&self, host: &str) -> bool {
        is_for(&self.certified, host)
    }

    /// What works, and should be looked at all the same. `hosts` are those it is served for, as far as known.
    pub fn warnings(&self, hosts: &[String]) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.key_is_readable_by_all {
            let key = self.files.key.display();
            warnings
                .push(format!("every user of this machine can read the key file `{key}`: chmod 600 {key}"));
        }
        for host in hosts.iter().filter(|host| !self.is_for(host)) {
            let certificate = self.files.certificate.display();
            warnings.push(format!(
                "the certificate in `{certificate}` is not for `{host}`: clients will refuse it there"
            ));
        }
        warnings
    }

    pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }
}

/// Whether clients that call this host would accept the certificate there.
pub(crate) fn is_for(certified: &CertifiedKey, host: &str) -> bool {
    let Ok(name) = ServerName::try_from(host) else { return false };
    let Some(leaf) = certified.cert.first() else { return false };
    rustls::server::ParsedCertificate::try_from(leaf)
        .is_ok_and(|leaf| rustls::client::verify_server_name(&leaf, &name).is_ok())
}

fn certified(files: &PairFiles, chain: Vec<CertificateDer<'static>>) -> Result<CertifiedKey, PairError> {
    let part = Part::Key;
    let path = || files.key.clone();
    let pem = zeroize::Zeroizing::new(read(&files.key, part)?);
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| PairError::NotPem { part, path: path() })?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| PairError::Unusable {
        part,
        path: path(),
        message: error.to_string(),
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(PairError::KeyOfAnother { files: files.clone() }),
        Err(error) => Err(PairError::Unusable {
            part: Part::Certificate,
            path: files.certificate.clone(),
            message: error.to_string(),
        }),
    }
}

fn read(path: &Path, part: Part) -> Result<Vec<u8>, PairError> {
    fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => PairError::Missing { part, path: path.to_owned() },
        _ => PairError::Unreadable { part, path: path.to_owned(), source },
    })
}

/// A moment as certificates have it.
pub(crate) fn moment(timestamp: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(timestamp.max(0).unsigned_abs())
}

/// A day for people, UTC.
fn date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let time = x509_parser::time::ASN1Time::from_timestamp(seconds.try_into().unwrap_or(i64::MAX));
    time.map_or_else(|_| "a day beyond the calendar".to_owned(), |time| time.to_string())
}
