//! Certificates from an authority that speaks ACME (RFC 8555), by the TLS-ALPN-01 challenge (RFC 8737).

use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt as _, path::PathBuf, sync::Arc};

use futures_util::StreamExt as _;
use rustls::ServerConfig;
use rustls_acme::{AcmeConfig, EventError, EventOk, UseChallenge, caches::DirCache};
use tokio_util::task::AbortOnDropHandle;

use crate::{Trust, TrustError, served};

/// Let's Encrypt.
pub const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// What the challenge is asked by (RFC 8737 section 6.2).
const ALPN: &[u8] = b"acme-tls/1";

/// Certificates to be had from an authority that speaks ACME.
#[derive(Clone, Debug)]
pub struct Acme {
    /// The names, all in one certificate. Each must lead to this server's port 443.
    pub names: Vec<String>,
    /// Where the authority is; [`DIRECTORY`] unless said otherwise.
    pub directory: String,
    /// Whom to believe to be that authority.
    pub trust: Trust,
    /// Where it may write to about the certificates.
    pub email: Option<String>,
    /// Where account and certificates are kept from one start to the next, for this user alone.
    pub cache: PathBuf,
}

/// Why certificates cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// What the client was told to trust cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Certificates cannot be kept.
    #[error("`{}` cannot be made: {source}", path.display())]
    Cache {
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Acme {
    /// Takes the certificate from the cache or orders one, and renews it when a third of its lifetime is left, until the
    /// task is dropped. New connections fail until there is one; while renewal fails, which the log says, the old one is
    /// served.
    ///
    /// # Errors
    /// Nothing was asked for: the cache or the rules of trust cannot be used.
    pub fn serve(self) -> Result<(Arc<ServerConfig>, AbortOnDropHandle<()>), AcmeError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.cache);
        made.map_err(|source| AcmeError::Cache { path: self.cache.clone(), source })?;
        let client = Arc::new(self.trust.client_config()?);
        let mut state = AcmeConfig::new_with_client_config(&self.names, client)
            .directory(&self.directory)
            .contact(self.email.iter().map(|email| format!("mailto:{email}")))
            .challenge_type(UseChallenge::TlsAlpn01)
            .cache(DirCache::new(self.cache))
            .state();
        let mut config = served::server_config(state.resolver())?;
        config.alpn_protocols.push(ALPN.to_vec());
        let names = self.names.join(", ");
        let asking = tokio::spawn(async move {
            while let Some(event) = state.next().await {
                tell(&names, &self.directory, event);
            }
        });
        Ok((Arc::new(config), AbortOnDropHandle::new(asking)))
    }
}

fn tell(names: &str, directory: &str, event: Result<EventOk, EventError<io::Error, io::Error>>) {
    match event {
        Ok(EventOk::DeployedCachedCert) => {
            tracing::info!("the certificate for {names} is served from the cache")
        }
        Ok(EventOk::DeployedNewCert) => tracing::info!("a new certificate for {names} is served"),
        Ok(EventOk::CertCacheStore | EventOk::AccountCacheStore) => {}
        Err(EventError::Order(error)) => tracing::error!(
            "no certificate for {names} from {directory}: {error}; it is tried again. The names must lead to port 443 \
             of this server"
        ),
        Err(error) => tracing::error!("the certificate for {names}: {error}"),
    }
}
