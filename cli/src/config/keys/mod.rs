//! Every key there is. docs/reference/configuration.md is made from these tables.

mod api;
mod compute;
mod job_defaults;
mod orchestrator;
mod server;
mod storage;
mod tls;

use super::key::Key;

/// All keys, section by section.
pub(crate) fn keys() -> impl Iterator<Item = &'static Key> {
    [server::KEYS, api::KEYS, tls::KEYS, orchestrator::KEYS, compute::KEYS, storage::KEYS]
        .into_iter()
        .chain(job_defaults::KEYS)
        .flatten()
}
