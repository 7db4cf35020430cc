//! One compute node.

use std::path::Path;

use skrei_job::NodeId;

use super::{Servers, allow_list, capacity};
use crate::{
    config::Config,
    error::{Error, with_causes},
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
        compute.labels = config.labels.clone();
        compute.allow_list = allow_list::parse(&settings.allow_list)?;
        compute.env_allow_list = settings.env_allow_list.clone();
        compute.heartbeat = settings.heartbeat;
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
