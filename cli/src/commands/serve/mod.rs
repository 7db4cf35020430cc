//! `skrei serve`.

mod certificate;
mod older;

use clap::Args;

pub(crate) use certificate::Certificate;

use crate::{
    cli::Globals,
    config::{self, Config, Flags},
    error::Error,
    exit,
    start::{self, Door, Encryption, Ports, Servers},
    terminal::{self, log},
};

/// Be an orchestrator, a compute node, or both.
#[derive(Debug, Args)]
#[command(after_help = "SIGINT or SIGTERM stops it in good order. A compute node alone opens no port.")]
pub(crate) struct Serve {
    /// Take jobs and hand them to nodes [key: Orchestrator.Enabled]
    #[arg(long)]
    orchestrator: bool,
    /// Run what the orchestrator hands out [key: Compute.Enabled]
    #[arg(long)]
    compute: bool,
    /// What this node is called; kept in the data directory from then on [default: n- and a UUID]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    certificate: Certificate,
    #[command(flatten)]
    older: older::Older,
}

impl Serve {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let flags = Flags {
            orchestrator: self.orchestrator,
            compute: self.compute,
            ..self.certificate.clone().beside(globals.server_flags()?)
        };
        // What is set the present way counts more.
        let arguments: Vec<_> = self.older.settings()?.into_iter().chain(globals.arguments.clone()).collect();
        let (mut config, layers) = config::load(&arguments, flags)?;
        if !config.orchestrator.enabled && !config.compute.enabled {
            terminal::warn("neither --orchestrator nor --compute was asked for; serving as orchestrator");
            config.orchestrator.enabled = true;
        }
        log::start(&config.logging);
        start::leave_no_core_dumps();
        let data_dir = config.data_dir.clone();
        let _lock = start::lock(&data_dir)?;
        let node = start::node_name(&data_dir, self.name.as_deref())?;

        let mut servers = Servers::prepare(config.orchestrator.enabled, usize::from(config.compute.enabled));
        tracing::info!("node {node}, data in {}", data_dir.display());
        if config.orchestrator.enabled {
            let encryption = Encryption::prepare(&config, &data_dir)?;
            let ports = Ports::bind(&config).await?;
            announce(&config, &ports, encryption.is_some());
            if config.compute.enabled {
                // The node of the same process needs no telling where to go, nor what to show.
                if layers.is_default("Compute.Orchestrators") {
                    config.compute.orchestrators = vec![ports.nodes.reachable().to_string()];
                }
                config.compute.token = config.compute.token.or_else(|| config.orchestrator.token.clone());
            }
            servers.orchestrator(
                &config,
                node.clone(),
                &data_dir,
                layers.to_json(),
                Door { ports, encryption, own_key: None },
            )?;
        }
        if config.compute.enabled {
            servers.compute(&config, node, &data_dir)?;
            announce_node(&config);
        }
        servers.until_stopped().await?;
        Ok(exit::SUCCESS)
    }
}

fn announce(config: &Config, ports: &Ports, encrypted: bool) {
    let scheme = if encrypted { "https" } else { "http" };
    tracing::info!("API at {scheme}://{}", ports.api.address);
    tracing::info!("compute nodes connect to {}", ports.nodes.address);
    if ports.api.is_open() && !encrypted {
        tracing::warn!(
            "other machines can reach the API by plain HTTP: what they show to it can be read on the way"
        );
    }
    let who = if config.orchestrator.manual_approval { ", and wait for `skrei node approve`" } else { "" };
    tracing::info!("compute nodes of other machines join with a token of `skrei node token create`{who}");
}

fn announce_node(config: &Config) {
    let compute = &config.compute;
    tracing::info!("orchestrator: {}", compute.orchestrators.join(", "));
    if compute.allow_list.is_empty() {
        tracing::info!("jobs may mount nothing of this machine (Compute.AllowListedLocalPaths is empty)");
    }
    for entry in &compute.allow_list {
        tracing::info!("jobs may mount {}", with_mode(entry));
    }
}

/// An entry of the allow-list with its mode, also where that is the default.
fn with_mode(entry: &str) -> String {
    if entry.ends_with(":ro") || entry.ends_with(":rw") { entry.to_owned() } else { format!("{entry}:ro") }
}
