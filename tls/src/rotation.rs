//! Another authority in the place of one, while both are believed.
//!
//! The next one is certified twice: by itself, and by the one before. A server that shows both is believed by whoever
//! knows either of them; so nobody has to hear of it at a given time. The key of the one before is gone at once.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rcgen::{KeyPair, PublicKeyData as _};
use rustls::pki_types::CertificateDer;

use crate::{
    Authority, AuthorityError, Fingerprint,
    authority::{certificate_in, is_there, params, write},
};

/// What is believed beside the present one, and by which certificate whoever believes it comes to believe the present one.
const FORMER: &str = "former-ca.pem";
const CROSS: &str = "cross.pem";

/// Fingerprints of what the one before had certified, one a line.
const ISSUED: &str = "former-certificates";

/// The next one, as long as it is not in its place. The certificate is written last: from then on it is decided.
const NEXT_KEY: &str = "next-ca-key.pem";
const NEXT_CROSS: &str = "next-cross.pem";
const NEXT: &str = "next-ca.pem";

/// The authority before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// What it had certified when it was replaced.
    pub issued: BTreeSet<Fingerprint>,
    /// When that was.
    pub since: SystemTime,
}

impl Authority {
    /// The authority before, as long as it is believed, too.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn former(&self) -> Result<Option<Former>, AuthorityError> {
        let path = self.file(FORMER);
        if !is_there(&path)? {
            return Ok(None);
        }
        let modified = fs::metadata(&path).and_then(|status| status.modified());
        let since = modified.map_err(|source| AuthorityError::Io { path: path.clone(), source })?;
        let issued = self.read(&self.file(ISSUED))?;
        Ok(Some(Former {
            certificate: certificate_in(&path)?,
            issued: issued.lines().filter_map(|line| line.parse().ok()).collect(),
            since,
        }))
    }

    /// Puts another authority in the place of this one, which has certified these until now. Both are believed until
    /// [`Authority::drop_former`].
    ///
    /// # Errors
    /// The one before is still believed, or the files cannot be written. Then everything is as it was, or will be as it
    /// should be when the authority is opened again.
    pub fn rotate(&self, issued: &BTreeSet<Fingerprint>, now: SystemTime) -> Result<(), AuthorityError> {
        if is_there(&self.file(FORMER))? {
            return Err(AuthorityError::Rotating);
        }
        let path = self.certificate_file();
        let failed = |error: rcgen::Error| AuthorityError::Certificate {
            path: path.clone(),
            message: error.to_string(),
        };
        let key = KeyPair::generate().map_err(failed)?;
        // By another name than the one before, for people and for those who look for a way from one to the other.
        let number: String =
            Fingerprint::of(&CertificateDer::from(key.subject_public_key_info())).to_string();
        let params = params(&format!("skrei local authority {}", &number[..11]), now);
        let next = params.self_signed(&key).map_err(failed)?;
        let before = self.issuer(&self.read(&path)?)?;
        let cross = params.signed_by(&key, &before).map_err(failed)?;
        let issued: String = issued.iter().map(|fingerprint| format!("{fingerprint}\n")).collect();
        write(&self.file(NEXT_KEY), key.serialize_pem().as_bytes(), 0o600)?;
        write(&self.file(NEXT_CROSS), cross.pem().as_bytes(), 0o644)?;
        write(&self.file(ISSUED), issued.as_bytes(), 0o644)?;
        write(&self.file(NEXT), next.pem().as_bytes(), 0o644)?;
        self.finish_rotation()
    }

    /// Believes the authority before no longer.
    ///
    /// # Errors
    /// The files cannot be removed.
    pub fn drop_former(&self) -> Result<(), AuthorityError> {
        // The one that says that there is one goes first.
        [FORMER, CROSS, ISSUED].into_iter().try_for_each(|name| remove(&self.file(name)))
    }

    /// Takes the steps of a rotation that was decided and interrupted; each may have been taken before.
    pub(crate) fn finish_rotation(&self) -> Result<(), AuthorityError> {
        let next = self.file(NEXT);
        if !is_there(&next)? {
            return [NEXT_KEY, NEXT_CROSS].into_iter().try_for_each(|name| remove(&self.file(name)));
        }
        let former = self.file(FORMER);
        if !is_there(&former)? {
            write(&former, self.read(&self.certificate_file())?.as_bytes(), 0o644)?;
        }
        for (from, to) in [
            (self.file(NEXT_CROSS), self.file(CROSS)),
            (self.file(NEXT_KEY), self.key_file()),
            (next, self.certificate_file()),
        ] {
            match fs::rename(&from, to) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(AuthorityError::Io { path: from, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a server shows behind its own certificate, PEM: the authority, and the way to it from the one before.
    pub(crate) fn chain(&self) -> Result<String, AuthorityError> {
        let mut chain = self.read(&self.certificate_file())?;
        if is_there(&self.file(FORMER))? {
            chain.push_str(&self.read(&self.file(CROSS))?);
            chain.push_str(&self.read(&self.file(FORMER))?);
        }
        Ok(chain)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.certificate_file().with_file_name(name)
    }
}

fn remove(path: &Path) -> Result<(), AuthorityError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(AuthorityError::Io { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
