//! One orchestrator.

use std::{path::Path, sync::Arc};

use serde_json::Value;
use skrei_job::NodeId;
use skrei_requester::Listeners;

use super::{Encryption, Ports, Servers};
use crate::{config::Config, error::Error};

impl Servers {
    /// Starts an orchestrator on ports that are bound already.
    pub(crate) fn orchestrator(
        &mut self,
        config: &Config,
        node: NodeId,
        data_dir: &Path,
        settings: Value,
        ports: Ports,
        encryption: Option<Encryption>,
    ) {
        let config = skrei_requester::Config {
            node,
            data_dir: data_dir.join("orchestrator"),
            disconnect_timeout: config.orchestrator.disconnect_timeout,
            token: config.orchestrator.token.clone(),
            results: skrei_requester::ResultLimits::default(),
            public_url: config.public_url.clone(),
            settings,
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
            served.map_err(|error| Error::unavailable(format!("orchestrator: {error}")))
        });
    }
}
