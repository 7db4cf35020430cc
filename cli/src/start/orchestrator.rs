//! One orchestrator.

use std::{path::Path, sync::Arc};

use serde_json::Value;
use skrei_access::ApiKey;
use skrei_job::NodeId;
use skrei_requester::{Keep, Listeners};

use super::{Encryption, Ports, Servers, callers::callers, secret_keys};
use crate::{config::Config, error::Error};

/// Where an orchestrator is reached.
pub(crate) struct Door<'a> {
    /// Bound already.
    pub(crate) ports: Ports,
    /// Of the API.
    pub(crate) encryption: Option<Encryption>,
    /// Who shows it may do everything.
    pub(crate) own_key: Option<&'a ApiKey>,
}

impl Servers {
    /// Starts an orchestrator on ports that are bound already.
    ///
    /// # Errors
    /// The keys of its secrets are somewhere where they cannot be read, or it cannot be known who may call it.
    pub(crate) fn orchestrator(
        &mut self,
        config: &Config,
        node: NodeId,
        data_dir: &Path,
        settings: Value,
        door: Door<'_>,
    ) -> Result<(), Error> {
        let Door { ports, encryption, own_key } = door;
        let served = encryption.as_ref().map(Encryption::served);
        let callers = callers(config, data_dir, &ports.api, served, own_key)?;
        let configured = config.orchestrator.secret_keys.as_deref();
        let secret_keys = secret_keys::source(configured, data_dir, |name| std::env::var_os(name))?;
        let keeping = &config.orchestrator.keeping;
        let config = skrei_requester::Config {
            disconnect_timeout: config.orchestrator.disconnect_timeout,
            token: config.orchestrator.token.clone(),
            results: skrei_requester::ResultLimits {
                bytes: keeping.results_bytes,
                keep: keeping.results_for,
                ..skrei_requester::ResultLimits::default()
            },
            artifacts: skrei_requester::ArtifactLimits {
                bytes: keeping.artifacts_bytes,
                keep: keeping.artifacts_for,
            },
            public_url: config.public_url.clone(),
            buckets: config.buckets.clone(),
            signed_for: config.signed_for,
            allowed_origins: config.callers.origins.clone(),
            keep: Keep { jobs: config.orchestrator.keep_jobs, age: config.orchestrator.keep_for },
            job_defaults: config.orchestrator.job_defaults.clone(),
            manual_approval: config.orchestrator.manual_approval,
            secret_keys,
            settings,
            callers,
            connections: skrei_requester::CONNECTIONS.min(self.files.connections),
            ..skrei_requester::Config::new(node, data_dir.join("orchestrator"))
        };
        let listeners = Listeners {
            api: ports.api.listener,
            api_tls: encryption.as_ref().map(|encryption| Arc::clone(&encryption.config)),
            nodes: ports.nodes.listener,
        };
        let shutdown = self.orchestrators.shutdown();
        self.orchestrators.spawn(async move {
            // Keeps the certificate up to date meanwhile.
            let mut encryption = encryption;
            if let Some(encryption) = &mut encryption {
                encryption.begin();
            }
            let served = skrei_requester::serve(config, listeners, shutdown).await;
            served.map_err(|error| {
                let unavailable = Error::unavailable(format!("orchestrator: {error}"));
                match error.hint() {
                    Some(hint) => unavailable.hint(hint),
                    None => unavailable,
                }
            })
        });
        Ok(())
    }
}
