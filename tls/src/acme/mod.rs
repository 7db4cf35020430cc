//! Certificates of an authority that speaks ACME (RFC 8555), such as Let's Encrypt, ordered and renewed without anybody.
//!
//! [`schedule`] says when, [`order`] does it, [`answers`] hold what the authority looks for meanwhile: on the encrypted
//! port (TLS-ALPN-01), or on a port of its own that else redirects ([`http01`]).

mod answers;
mod directory;
mod http01;
mod order;
mod schedule;

use std::{
    fmt, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, NewAccount};
use rustls::pki_types::DnsName;
use sha2::{Digest as _, Sha256};
use tokio_util::task::AbortOnDropHandle;
use zeroize::Zeroizing;

pub use answers::Answers;
pub use http01::redirect;

pub(crate) use answers::ACME_TLS;

use self::directory::Directory;
use crate::{Pair, PairFiles, Served, Trust, TrustError, replace::replace};

/// A sleep is no longer than this, so that a clock that was set or a machine that slept is noticed.
const LOOK: Duration = Duration::from_secs(6 * 3600);

/// What is ordered, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The DNS names of the certificate, at least one.
    pub names: Vec<String>,
    /// The URL of the authority's directory.
    pub directory: String,
    /// A further authority to believe the directory by: a PEM file.
    pub directory_ca: Option<PathBuf>,
    /// Where the authority may write to.
    pub email: Option<String>,
    /// The kind of certificate, by the authority's word for it.
    pub profile: Option<String>,
    /// An account with the authority that this one is bound to.
    pub external_account: Option<ExternalAccount>,
    /// How it is shown that the names are ours.
    pub challenge: Challenge,
    /// Where account and certificates are kept; made for this user alone.
    pub cache: PathBuf,
}

/// How it is shown that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By an answer on port 80.
    Http01,
    /// By a certificate on port 443.
    TlsAlpn01,
}

/// An account with the authority that was opened by other means (RFC 8555 section 7.3.4). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalAccount {
    id: String,
    key: Zeroizing<Vec<u8>>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The cache cannot be used.
    #[error("`{}`: {source}", path.display())]
    Cache {
        /// Which file or directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Not a name a certificate is issued for.
    #[error("`{0}` is not a name that a certificate can be ordered for")]
    Name(String),
    /// The rules by which the directory is believed cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The authority, or the way to it, in its words.
    #[error("{0}")]
    Order(String),
}

impl From<instant_acme::Error> for AcmeError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Order(error.to_string())
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        })
    }
}

impl std::str::FromStr for ExternalAccount {
    type Err = &'static str;

    /// `KID:KEY`, the key as authorities give it, base64url. No message shows anything of it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, key) = text.split_once(':').ok_or("it is not of the form `KID:KEY`")?;
        let key = BASE64_URL_SAFE_NO_PAD.decode(key.trim_end_matches('='));
        let key = key.map_err(|_| "its key is not base64url")?;
        if id.is_empty() || key.is_empty() {
            return Err("it is not of the form `KID:KEY`");
        }
        Ok(Self { id: id.to_owned(), key: Zeroizing::new(key) })
    }
}

impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalAccount")
    }
}

/// Orders a certificate, and the next one when it is time.
#[derive(Debug)]
pub struct Acme {
    settings: AcmeSettings,
    directory: Directory,
    kept: Option<Pair>,
}

impl Acme {
    /// Looks into the cache; asks nobody.
    ///
    /// # Errors
    /// A name, the cache or the directory's authority cannot be used.
    pub fn open(settings: AcmeSettings, now: SystemTime) -> Result<Self, AcmeError> {
        let is_public = |name: &str| DnsName::try_from(name).is_ok() && name.contains('.');
        let is_address = |name: &str| name.parse::<std::net::IpAddr>().is_ok();
        if let Some(name) = settings.names.iter().find(|name| !is_public(name) || is_address(name)) {
            return Err(AcmeError::Name(name.clone()));
        }
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&settings.cache);
        made.map_err(|source| AcmeError::Cache { path: settings.cache.clone(), source })?;
        let trust = Trust { ca_file: settings.directory_ca.clone(), ..Trust::default() };
        let directory = Directory::trusting(&trust)?;
        let mut acme = Self { settings, directory, kept: None };
        acme.kept = Pair::read(&acme.files(), now).ok();
        Ok(acme)
    }

    /// The certificate that was kept from before, if it is still valid.
    pub fn kept(&self) -> Option<&Pair> {
        self.kept.as_ref()
    }

    /// Keeps `served` supplied, until dropped. While an order fails, the certificate before is served on.
    pub fn supply(self, served: Arc<Served>) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(tokio::spawn(async move { self.run(&served).await }))
    }

    async fn run(self, served: &Served) {
        let names = self.settings.names.join(", ");
        let mut kept = self.kept.clone();
        let (mut failures, mut jitter) = (0, jitter());
        if kept.is_none() {
            tracing::info!(
                "waiting for a certificate for {names} from {} ({})",
                self.settings.directory,
                self.settings.challenge
            );
        }
        loop {
            let now = SystemTime::now();
            let due =
                kept.as_ref().map_or(now, |kept| schedule::due(kept.not_before(), kept.not_after(), jitter));
            if let Ok(early) = due.duration_since(now).map(|early| early.min(LOOK))
                && !early.is_zero()
            {
                tokio::time::sleep(early).await;
                continue;
            }
            match self.renewed(served.answers()).await {
                Ok(pair) => {
                    served.replace(&pair);
                    tracing::info!("a new certificate for {names} is served, until {}", pair.expiry());
                    kept = Some(pair);
                    (failures, jitter) = (0, self::jitter());
                }
                Err(error) => {
                    failures += 1;
                    let pause = schedule::pause(failures, kept.as_ref().map(Pair::lifetime));
                    let meanwhile = kept.as_ref().map_or_else(
                        || "there is none to serve".to_owned(),
                        |kept| format!("the one before is served, until {}", kept.expiry()),
                    );
                    tracing::error!(
                        "no certificate for {names} from {}: {error}; {meanwhile}; next attempt in {pause:?}",
                        self.settings.directory
                    );
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    async fn renewed(&self, answers: &Arc<Answers>) -> Result<Pair, AcmeError> {
        let pem = order::obtain(self, answers).await?;
        let files = self.files();
        keep(files.certificate.clone(), pem).await?;
        let read = move || Pair::read(&files, SystemTime::now());
        let read =
            tokio::task::spawn_blocking(read).await.map_err(|error| AcmeError::Order(error.to_string()))?;
        read.map_err(|error| AcmeError::Order(error.to_string()))
    }

    /// The account of before, or a new one.
    async fn account(&self) -> Result<Account, AcmeError> {
        let path = self.account_file();
        let builder = Account::builder_with_http(Box::new(self.directory.clone()));
        match tokio::fs::read(&path).await.map(Zeroizing::new) {
            Ok(kept) => {
                let credentials: AccountCredentials = serde_json::from_slice(&kept).map_err(|error| {
                    AcmeError::Cache { path, source: io::Error::new(io::ErrorKind::InvalidData, error) }
                })?;
                return Ok(builder.from_credentials(credentials).await?);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(AcmeError::Cache { path, source }),
        }
        let contact = self.settings.email.as_ref().map(|email| format!("mailto:{email}"));
        let contact: Vec<&str> = contact.as_deref().into_iter().collect();
        let external = self.settings.external_account.as_ref();
        let external = external.map(|account| ExternalAccountKey::new(account.id.clone(), &account.key));
        let new =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) =
            builder.create(&new, self.settings.directory.clone(), external.as_ref()).await?;
        let credentials = serde_json::to_string(&credentials).map(Zeroizing::new);
        keep(path, credentials.map_err(|error| AcmeError::Order(error.to_string()))?).await?;
        Ok(account)
    }

    /// The next attempt makes a new account: an authority may forget accounts, and staging ones do.
    async fn forget_account(&self) {
        let path = self.account_file();
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::error!("`{}` cannot be removed: {error}", path.display());
        }
    }

    /// One file for both, so that they are replaced together.
    fn files(&self) -> PairFiles {
        let AcmeSettings { names, directory, profile, .. } = &self.settings;
        let mut names: Vec<_> = names.iter().map(String::as_str).collect();
        let first = names[0].to_owned();
        names.sort_unstable();
        let digest = digest(&[directory, profile.as_deref().unwrap_or_default(), &names.join(",")]);
        let file = self.settings.cache.join(format!("{first}-{digest}.pem"));
        PairFiles { certificate: file.clone(), key: file }
    }

    fn account_file(&self) -> PathBuf {
        let AcmeSettings { directory, email, external_account, .. } = &self.settings;
        let external = external_account.as_ref().map_or("", |account| &account.id);
        let digest = digest(&[directory, email.as_deref().unwrap_or_default(), external]);
        self.settings.cache.join(format!("account-{digest}.json"))
    }
}

/// Writes a secret file of the cache.
async fn keep(path: PathBuf, content: Zeroizing<String>) -> Result<(), AcmeError> {
    let write =
        move || replace(&path, content.as_bytes(), 0o600).map_err(|source| AcmeError::Cache { path, source });
    tokio::task::spawn_blocking(write).await.map_err(|error| AcmeError::Order(error.to_string()))?
}

/// Tells one set of settings from another in names of files.
fn digest(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// From 0 to 1; in the middle if there is no randomness to be had.
fn jitter() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
