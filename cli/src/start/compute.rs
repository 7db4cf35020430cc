//! One compute node.

use std::path::Path;

use skrei_job::{NodeId, labels::Labels};
use skrei_protocol::version::{arch, os};

use super::{Servers, allow_list, capacity};
use crate::{
    config::Config,
    error::{Error, with_causes},
    sandbox,
};

impl Servers {
    /// Starts a compute node. It opens no port.
    ///
    /// # Errors
    /// What is wrong with its configuration.
    pub(crate) fn compute(&mut self, config: &Config, node: NodeId, data_dir: &Path) -> Result<(), Error> {
        let settings = &config.compute;
        let mut compute = skrei_compute::Config::new(
            node,
            data_dir.join("compute"),
            capacity::amounts(&settings.capacity, data_dir),
        );
        compute.orchestrators = settings.orchestrators.clone();
        compute.token = settings.token.clone();
        compute.reject_stateless = settings.reject_stateless;
        compute.probe_exec = settings.probe_exec.clone();
        compute.probe_http = settings.probe_http.clone();
        compute.ca_file = settings.ca_file.clone();
        compute.labels = labels(&compute.node, &config.labels);
        compute.allow_list = allow_list::parse(&settings.allow_list)?;
        compute.env_allow_list = settings.env_allow_list.clone();
        compute.allowed_owners = settings.allowed_owners.clone();
        compute.fetch_hosts = settings.fetch_hosts.clone();
        compute.disabled_sources = settings.disabled_sources.clone();
        compute.limits.fetch = settings.fetch_timeout;
        compute.limits.fetch_bytes = settings.fetch_bytes;
        compute.buckets = config.buckets.clone();
        compute.network_allowed = settings.network_allowed;
        compute.network_domains = settings.network_domains.clone();
        compute.network_ports = settings.network_ports.clone();
        compute.heartbeat = settings.heartbeat;
        compute.limits.log_bytes = usize::try_from(settings.logs.per_execution).unwrap_or(usize::MAX);
        compute.limits.logs_bytes = settings.logs.total;
        compute.limits.logs_age = settings.logs.keep_for;
        compute.compiler = Some(sandbox::compiler());
        compute.open_files_max = Some(self.files.of_guests);
        let shutdown = self.nodes.shutdown();
        self.nodes.spawn(async move {
            let served = skrei_compute::serve(compute, shutdown).await;
            served.map_err(|error| {
                let unavailable = Error::unavailable(format!("compute node: {}", with_causes(&error)));
                match error.hint() {
                    Some(hint) => unavailable.hint(hint),
                    None => unavailable,
                }
            })
        });
        Ok(())
    }
}

/// What every node is labelled with, and what its owner adds or puts in the place of that.
fn labels(node: &NodeId, configured: &Labels) -> Labels {
    let automatic = [("name", node.as_str()), ("os_type", os()), ("os_arch", arch())];
    let mut labels: Labels =
        automatic.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    labels.extend(configured.clone());
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_labelled_by_itself_and_its_owner_has_the_last_word() {
        let configured =
            Labels::from([("zone".to_owned(), "a".to_owned()), ("name".to_owned(), "web".to_owned())]);
        let labels = labels(&NodeId::new("n-1"), &configured);
        assert_eq!((labels["name"].as_str(), labels["zone"].as_str()), ("web", "a"));
        assert!(labels.contains_key("os_type") && labels.contains_key("os_arch"));
    }
}
