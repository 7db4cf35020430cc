//! `skrei devstack`.

use std::path::PathBuf;

use clap::Args;

use super::serve::Certificate;
use crate::{
    cli::Globals,
    config,
    error::Error,
    exit,
    start::{self, Stack},
    terminal::{self, log, style},
};

/// A whole fleet in one process, to try things out.
#[derive(Debug, Args)]
#[command(after_help = "In Compute.AllowListedLocalPaths, `{node}` stands for each node's name: \
    -c 'Compute.AllowListedLocalPaths=/tmp/fleet/{node}/ssl:/etc/nginx/ssl:rw' gives every node a directory of its own.")]
pub(crate) struct Devstack {
    /// Orchestrators; there can be one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=1))]
    orchestrators: u8,
    /// Compute nodes, named node-0, node-1 and so on
    #[arg(long, value_name = "N", default_value_t = 3)]
    computes: u16,
    /// Where their data goes [default: a temporary directory, removed at the end]
    #[arg(long, value_name = "DIR")]
    stack_repo: Option<PathBuf>,
    /// Any free ports, not those of the configuration
    #[arg(long)]
    random_ports: bool,
    #[command(flatten)]
    certificate: Certificate,
}

impl Devstack {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let (mut config, layers) =
            config::load(&globals.arguments, self.certificate.beside(globals.server_flags()?))?;
        if layers.is_default("Logging.Level") {
            "warn".clone_into(&mut config.logging.level);
        }
        if self.random_ports {
            (config.api.port, config.orchestrator.listen.port) = (0, 0);
        }
        log::start(&config.logging);
        start::leave_no_core_dumps();

        let mut temporary = None;
        let root = match self.stack_repo {
            Some(root) => std::path::absolute(&root).unwrap_or(root),
            None => temporary.insert(temporary_directory("skrei-devstack-")?).path().to_owned(),
        };
        let _lock = start::lock(&root)?;
        let stack = Stack::start(&config, layers.to_json(), &root, usize::from(self.computes)).await?;
        say_ready(&stack, &root, self.computes);
        stack.servers.until_stopped().await?;
        Ok(exit::SUCCESS)
    }
}

fn say_ready(stack: &Stack, root: &std::path::Path, computes: u16) {
    let style = style::stderr();
    terminal::note(&format!(
        "{} {computes} nodes, data in {}",
        style.green("Devstack is ready!"),
        root.display()
    ));
    terminal::note("\nFor commands in another terminal:");
    terminal::note(&exports(stack));
    terminal::note("\nCtrl+C stops it.");
}

/// Lines that make a shell's commands talk to this stack.
pub(super) fn exports(stack: &Stack) -> String {
    let (host, port) = (stack.api.ip(), stack.api.port());
    let fingerprint = stack.trust.as_ref().and_then(|trust| trust.fingerprint);
    let believed = fingerprint.map(|it| format!(" SKREI_API_TLS_FINGERPRINT={it}")).unwrap_or_default();
    style::stderr().cyan(&format!("  export SKREI_API_HOST={host} SKREI_API_PORT={port}{believed}"))
}

/// A directory that is removed when it is dropped.
pub(super) fn temporary_directory(prefix: &str) -> Result<tempfile::TempDir, Error> {
    let made = tempfile::Builder::new().prefix(prefix).tempdir();
    made.map_err(|error| Error::unavailable(format!("a temporary directory cannot be made: {error}")))
}
