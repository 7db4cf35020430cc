//! Who this node is to its orchestrator: joining once, and a certificate that is renewed from then on.
//!
//! The node's key never leaves it. `identity.pem` in its data directory holds key, certificate, and the authority that
//! gave it; that authority is the only one believed from then on, and who it is changes with a certificate alone.

mod error;
mod join;
mod local;
mod renew;
mod request;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

pub use error::JoinError;
pub(crate) use request::causes;
use skrei_tls::{ClientConfig, Credentials, Identity, own_orchestrator};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use crate::{Config, Error, link::Address};

const IDENTITY_FILE: &str = "identity.pem";

/// A key that is on its way to a certificate.
const KEY_FILE: &str = "identity-key.pem";

/// The node's identity, in use.
#[derive(Debug)]
pub(crate) struct Identified {
    node: String,
    orchestrators: Vec<Address>,
    directory: PathBuf,
    identity: Identity,
    credentials: Arc<Credentials>,
}

/// The identity of before, or the one it gets by joining: then this takes until an orchestrator answers.
///
/// # Errors
/// The node is not let in, or cannot keep what it is given.
pub(crate) async fn provide(config: &Config, orchestrators: &[Address]) -> Result<Identified, Error> {
    let file = config.data_dir.join(IDENTITY_FILE);
    let kept = Identity::read(&file).map_err(JoinError::from)?;
    let identity = match kept {
        Some(identity) if !identity.is_expired(SystemTime::now()) => identity,
        kept => {
            if kept.is_some() {
                tracing::warn!("this node's certificate has expired while it was off: it joins again");
            }
            join::join(config, orchestrators, kept.as_ref()).await?
        }
    };
    tracing::debug!(certificate = %identity.fingerprint(), "this node's identity");
    Ok(Identified {
        node: config.node.to_string(),
        orchestrators: orchestrators.to_vec(),
        directory: config.data_dir.clone(),
        credentials: Credentials::new(&identity),
        identity,
    })
}

impl Identified {
    /// For connections to the orchestrator, always as who the node is then.
    pub(crate) fn client(&self) -> Result<ClientConfig, Error> {
        let config = own_orchestrator(Arc::clone(&self.credentials));
        config.map_err(|error| JoinError::Tls(error.to_string()).into())
    }

    /// Renews the certificate when it is time, or when the orchestrator asks for it, until dropped.
    pub(crate) fn renew(self, asked: Arc<Notify>) -> AbortOnDropHandle<()> {
        AbortOnDropHandle::new(tokio::spawn(renew::run(self, asked)))
    }
}

fn key_file(directory: &Path) -> PathBuf {
    directory.join(KEY_FILE)
}
