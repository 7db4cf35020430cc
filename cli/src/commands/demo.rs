//! `skrei demo`: the first thing to try.

use std::{io::IsTerminal, path::PathBuf};

use clap::{Args, Parser};

use super::devstack::{exports, temporary_directory};
use crate::{
    cli::{Cli, Globals},
    config::{self, AuthMode},
    demo::{
        arrived,
        certificate::{self, NAME},
        files::{Files, JOB_PATH, NODE_PATH},
    },
    error::Error,
    exit,
    start::{self, NODE_PLACEHOLDER, Stack},
    terminal::{self, log, style},
};

/// As many machines as the story has.
const NODES: usize = 3;

/// See it work: a certificate deployed to three nodes on this machine.
#[derive(Debug, Args)]
#[command(
    after_help = "On a terminal the nodes stay until Ctrl+C, to be looked at. Otherwise, and with --exit, \
    they stop once everything was shown."
)]
pub(crate) struct Demo {
    /// Stop once everything was shown
    #[arg(long)]
    exit: bool,
    /// Where everything goes, to be kept [default: a temporary directory, removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let (mut config, layers) = config::load(&globals.arguments, globals.server_flags()?)?;
        if layers.is_default("Logging.Level") {
            "warn".clone_into(&mut config.logging.level);
        }
        log::start(&config.logging);
        let mut temporary = None;
        let root = match &self.dir {
            Some(root) => std::path::absolute(root).unwrap_or_else(|_| root.clone()),
            None => temporary.insert(temporary_directory("skrei-demo-")?).path().to_owned(),
        };
        let _lock = start::lock(&root)?;

        let certificate = certificate::issue()?;
        let nodes: Vec<String> = (0..NODES).map(Stack::node_name).collect();
        let files = Files::write(&root, &certificate, &nodes)?;
        (config.api.host, config.api.port) = ("127.0.0.1".to_owned(), 0);
        // The story is told on this machine alone, whomever its configuration lets in.
        (config.callers.mode, config.callers.users, config.callers.provider) =
            (AuthMode::Auto, Vec::new(), None);
        (config.orchestrator.listen.host, config.orchestrator.listen.port) = ("127.0.0.1".to_owned(), 0);
        config.compute.allow_list =
            vec![format!("{}/{NODE_PLACEHOLDER}/{NODE_PATH}:{JOB_PATH}:rw", root.display())];
        let mut stack = Stack::start(&config, layers.to_json(), &root, NODES).await?;
        introduce(&root);

        let code = stack.servers.during(submit(&files, stack.api)).await?;
        if code == exit::INTERRUPTED {
            stack.servers.stop().await;
            return Ok(code);
        }

        heading("What each node holds now");
        let (table, all_there) = arrived::table(&files, &certificate, &nodes);
        terminal::note("");
        table.show()?;
        terminal::note(&format!(
            "\nSHA-256 of the certificate: {}",
            arrived::fingerprint(&certificate.fullchain)
        ));
        let ended = if all_there { code } else { exit::JOB_FAILED };

        if self.exit || !is_interactive() {
            stack.servers.stop().await;
            let fate = match temporary.take().map(tempfile::TempDir::close) {
                Some(Ok(())) => "are removed",
                Some(Err(_)) | None => "are kept",
            };
            terminal::note(&format!(
                "\nDone: the nodes have stopped; the files in {} {fate}.",
                root.display()
            ));
        } else {
            invite(&stack, temporary.is_none());
            stack.servers.until_stopped().await?;
        }
        Ok(ended)
    }
}

/// Submits the job as anybody would: this is the command line that is shown, parsed and carried out.
async fn submit(files: &Files, api: std::net::SocketAddr) -> Result<u8, Error> {
    let variable = |name: &str, path: PathBuf| format!("{name}=@{}", path.display());
    let job = files.job().display().to_string();
    let fullchain = variable("fullchain", files.fullchain());
    let privkey = variable("privkey", files.privkey());
    let (host, port) = (api.ip().to_string(), api.port().to_string());
    let words = [
        "skrei",
        "--api-host",
        &host,
        "--api-port",
        &port,
        "job",
        "run",
        &job,
        "-V",
        &fullchain,
        "--secret",
        &privkey,
    ];
    let cli = Cli::try_parse_from(words).map_err(|error| Error::internal(error.to_string()))?;
    Box::pin(super::run(cli)).await
}

fn introduce(root: &std::path::Path) {
    let style = style::stderr();
    terminal::note(&format!(
        "{} An orchestrator and {NODES} nodes run here.\n\
         Each node lets jobs write one directory, {JOB_PATH}, and nothing else.\n\
         A certificate for {NAME} was made up just now. Everything is in\n{}",
        style.bold("One certificate, three machines."),
        style.cyan(&root.display().to_string())
    ));
    heading("One command puts it everywhere");
    terminal::note(
        &style.cyan("  skrei job run job.yaml -V fullchain=@fullchain.pem --secret privkey=@privkey.pem\n"),
    );
}

fn heading(text: &str) {
    terminal::note(&format!("\n{}", style::stderr().bold(text)));
}

fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && terminal::is_watched()
}

fn invite(stack: &Stack, kept: bool) {
    heading("Your turn, in another terminal");
    terminal::note("");
    terminal::note(&exports(stack));
    let commands = [
        "skrei node list",
        "skrei job describe deploy-certs",
        "skrei job history deploy-certs",
        "skrei job logs deploy-certs",
    ];
    for command in commands {
        terminal::note(&style::stderr().cyan(&format!("  {command}")));
    }
    let what = if kept { "stops the nodes; the files stay" } else { "stops the nodes and removes all files" };
    terminal::note(&format!("\nCtrl+C {what}."));
}
