//! What a certificate says, for people.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::{Fingerprint, pair::moment};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Whom it is about, by its own word.
    pub subject: String,
    /// Who vouches for that.
    pub issuer: String,
    /// Names and addresses it is for.
    pub names: Vec<String>,
    /// Whether it vouches for others.
    pub is_authority: bool,
    /// What it is for: `server`, `client`.
    pub purposes: Vec<&'static str>,
    /// Good from then on.
    pub not_before: SystemTime,
    /// Good until then.
    pub not_after: SystemTime,
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
}

/// Why a file tells nothing.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// It cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// There is none in it.
    #[error("`{}` holds no certificate in PEM form", path.display())]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// One of them is none.
    #[error("a certificate in `{}` cannot be understood: {message}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl Description {
    /// Every certificate of a PEM file.
    ///
    /// # Errors
    /// It cannot be read, or holds none.
    pub fn of_file(path: &Path) -> Result<Vec<Self>, DescribeError> {
        let owned = || path.to_owned();
        let pem = fs::read(path).map_err(|source| DescribeError::Unreadable { path: owned(), source })?;
        let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| DescribeError::NoCertificate { path: owned() })?;
        let unusable = |message| DescribeError::Unusable { path: owned(), message };
        chain.iter().map(|certificate| Self::of(certificate).map_err(unusable)).collect()
    }

    fn of(der: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
        let usage = certificate.extended_key_usage().ok().flatten();
        let purposes = usage.map(|usage| {
            let purposes = [(usage.value.server_auth, "server"), (usage.value.client_auth, "client")];
            purposes.into_iter().filter(|(set, _)| *set).map(|(_, word)| word).collect()
        });
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: names.unwrap_or_default(),
            is_authority: certificate.is_ca(),
            purposes: purposes.unwrap_or_default(),
            not_before: moment(certificate.validity().not_before.timestamp()),
            not_after: moment(certificate.validity().not_after.timestamp()),
            fingerprint: Fingerprint::of(der),
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}
