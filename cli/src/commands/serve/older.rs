//! Flags that `serve` had in older versions of Bacalhau (reference cli-config-behaviour 1.8): understood, and each
//! answered with what to write now.

use clap::Args;

use crate::{config::Argument, error::Error, terminal};

/// Flags of older versions.
#[derive(Debug, Default, Args)]
pub(super) struct Older {
    #[arg(long, hide = true, value_name = "ROLES")]
    node_type: Option<String>,
    #[arg(long, hide = true)]
    requester: bool,
    #[arg(long, hide = true)]
    host: Option<String>,
    #[arg(long, hide = true)]
    port: Option<String>,
    #[arg(long, hide = true)]
    orchestrators: Option<String>,
    #[arg(long, hide = true)]
    network_host: Option<String>,
    #[arg(long, hide = true)]
    network_port: Option<String>,
    #[arg(long, hide = true)]
    allow_listed_local_paths: Option<String>,
    #[arg(long, hide = true)]
    labels: Option<String>,
    #[arg(long, hide = true)]
    limit_total_cpu: Option<String>,
    #[arg(long, hide = true)]
    limit_total_memory: Option<String>,
    #[arg(long, hide = true)]
    limit_total_gpu: Option<String>,
    #[arg(long, hide = true)]
    log_mode: Option<String>,
}

impl Older {
    /// These flags as settings, the lowest first. A person is told how to write each of them now.
    ///
    /// # Errors
    /// A value that its key does not take.
    pub(super) fn settings(&self) -> Result<Vec<Argument>, Error> {
        let keyed = [
            ("--host", "API.Host", &self.host),
            ("--port", "API.Port", &self.port),
            ("--orchestrators", "Compute.Orchestrators", &self.orchestrators),
            ("--network-host", "Orchestrator.Host", &self.network_host),
            ("--network-port", "Orchestrator.Port", &self.network_port),
            ("--allow-listed-local-paths", "Compute.AllowListedLocalPaths", &self.allow_listed_local_paths),
            ("--labels", "Labels", &self.labels),
            ("--limit-total-cpu", "Compute.AllocatedCapacity.CPU", &self.limit_total_cpu),
            ("--limit-total-memory", "Compute.AllocatedCapacity.Memory", &self.limit_total_memory),
            ("--limit-total-gpu", "Compute.AllocatedCapacity.GPU", &self.limit_total_gpu),
            ("--log-mode", "Logging.Mode", &self.log_mode),
        ];
        let mut settings = self.roles()?;
        for (flag, key, value) in keyed {
            let Some(value) = value else { continue };
            terminal::warn(&format!("{flag} is a flag of older versions: write -c {key}={value}"));
            let setting = format!("{key}={value}").parse();
            settings.push(setting.map_err(|wrong: String| Error::usage(format!("{flag}: {wrong}")))?);
        }
        Ok(settings)
    }

    fn roles(&self) -> Result<Vec<Argument>, Error> {
        let given = self.node_type.as_deref().map(|roles| ("--node-type", roles));
        let requester = self.requester.then_some(("--requester", "requester"));
        let mut settings = Vec::new();
        for (flag, roles) in given.into_iter().chain(requester) {
            for key in crate::config::older::roles(roles)
                .map_err(|wrong| Error::usage(format!("{flag}: {wrong}")))?
            {
                let now = if key.name.starts_with("Orchestrator") { "--orchestrator" } else { "--compute" };
                terminal::warn(&format!("{flag} is a flag of older versions: write {now}"));
                settings.push(key.name.parse().map_err(Error::internal)?);
            }
        }
        Ok(settings)
    }
}
