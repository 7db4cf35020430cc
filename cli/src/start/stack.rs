//! A whole fleet in one process.

use std::{net::SocketAddr, path::Path, time::Duration};

use serde_json::Value;
use skrei_access::{ApiKey, Credential};
use skrei_job::NodeId;
use skrei_protocol::client::Client;
use skrei_tls::Trust;

use super::{Door, Encryption, Ports, Servers};
use crate::{config::Config, error::Error};

/// In an allow-list entry, stands for the node's name.
pub(crate) const NODE_PLACEHOLDER: &str = "{node}";

/// How long the nodes get to connect.
const CONNECT_MAX: Duration = Duration::from_secs(30);

/// How often to look whether they have. Only at start.
const CONNECT_LOOK: Duration = Duration::from_millis(20);

/// An orchestrator and some nodes, all connected.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The servers.
    pub(crate) servers: Servers,
    /// Where commands reach the orchestrator.
    pub(crate) api: SocketAddr,
    /// Whom they have to believe, if it speaks HTTPS.
    pub(crate) trust: Option<Trust>,
}

impl Stack {
    /// The name of a node of the stack.
    pub(crate) fn node_name(index: usize) -> String {
        format!("node-{index}")
    }

    /// Starts an orchestrator and `computes` nodes, each with a directory of its own below `root`, and waits
    /// until all have connected.
    ///
    /// # Errors
    /// A port or directory cannot be had, or an entry of the allow-list not be understood.
    pub(crate) async fn start(
        config: &Config,
        settings: Value,
        root: &Path,
        computes: usize,
    ) -> Result<Self, Error> {
        let mut servers = Servers::prepare(true, computes);
        let own_key =
            ApiKey::generate().map_err(|error| Error::unavailable(format!("make a key: {error}")))?;
        let encryption = Encryption::prepare(config, root)?;
        let served = encryption.as_ref().map(Encryption::served);
        let ports = Ports::bind(config).await?;
        let (api, nodes) = (ports.api.reachable(), ports.nodes.reachable());
        servers.orchestrator(
            config,
            NodeId::new("orchestrator"),
            &root.join("orchestrator"),
            settings,
            Door { ports, encryption, own_key: Some(&own_key) },
        )?;
        for index in 0..computes {
            let name = Self::node_name(index);
            let config = of_node(config, &name, index, nodes);
            let data_dir = root.join(&name);
            std::fs::create_dir_all(&data_dir).map_err(|error| {
                Error::unavailable(format!("`{}` cannot be made: {error}", data_dir.display()))
            })?;
            servers.compute(&config, NodeId::new(name), &data_dir)?;
        }
        let trust = match served {
            None => None,
            Some(served) => {
                // Ordered from an authority, it may take a while.
                let fingerprint = servers.during(async { Ok(served.fingerprint().await) }).await?;
                Some(Trust { fingerprint: Some(fingerprint), ..Trust::default() })
            }
        };
        let scheme = if trust.is_some() { "https" } else { "http" };
        let client = Client::trusting(&format!("{scheme}://{api}"), &trust.clone().unwrap_or_default())?;
        let client = client.showing(Credential::Key(own_key.secret().clone()).header().expose())?;
        servers.during(all_connected(&client, computes)).await?;
        Ok(Self { servers, api, trust })
    }
}

/// The configuration of one node of the stack.
fn of_node(config: &Config, name: &str, index: usize, orchestrator: SocketAddr) -> Config {
    let mut config = config.clone();
    config.compute.orchestrators = vec![orchestrator.to_string()];
    config.compute.token = config.orchestrator.token.clone();
    for entry in &mut config.compute.allow_list {
        *entry = entry.replace(NODE_PLACEHOLDER, name);
    }
    let labels = [("id", index.to_string()), ("name", name.to_owned()), ("env", "devstack".to_owned())];
    config.labels.extend(labels.map(|(label, value)| (label.to_owned(), value)));
    config
}

async fn all_connected(client: &Client, computes: usize) -> Result<(), Error> {
    let connected = async {
        loop {
            let nodes = client.nodes("").await?;
            if nodes.iter().filter(|node| node.connection == "CONNECTED").count() >= computes {
                return Ok(());
            }
            tokio::time::sleep(CONNECT_LOOK).await;
        }
    };
    let too_long =
        |_| Error::unavailable(format!("the nodes did not connect within {} s", CONNECT_MAX.as_secs()));
    tokio::time::timeout(CONNECT_MAX, connected).await.map_err(too_long)?
}
