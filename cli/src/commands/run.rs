//! `skrei run`: one module, here and now, without any server.

mod ending;
mod grant;
mod import;
mod network;
mod output;
mod program;
mod scratch;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use skrei_runtime::{CancelToken, Limits, Outcome, Sandbox};

use crate::{error::Error, exit};
use grant::Grant;
use import::Import;
use network::Reach;
use output::Passthrough;
use program::Program;
use scratch::Scratch;

/// After the guest should have ended, how long it gets before the process ends without it: it may be waiting for
/// a reader of its output that does not read.
const GRACE: Duration = Duration::from_secs(1);

/// Run one module here, without any server.
#[derive(Debug, Args)]
#[command(
    after_help = "The guest sees the directories, variables, arguments and hosts given here, and nothing else. \
    Its output is passed on as it comes, and its exit code (0 to 125) is the exit code."
)]
pub(crate) struct Run {
    /// The module, WebAssembly in binary or text format
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// Grant a directory or file: read-only unless `:rw`; without GUEST under the same path; repeatable
    #[arg(long, value_name = "HOST[::GUEST][:ro|:rw]")]
    dir: Vec<Grant>,
    /// Give the guest an empty directory of its own, removed afterwards; repeatable
    #[arg(long, value_name = "GUEST")]
    scratch: Vec<String>,
    /// The most the guest may add to the disk
    #[arg(long, value_name = "AMOUNT", default_value = "1Gi", value_parser = skrei_job::resources::parse_bytes)]
    disk: u64,
    /// Set a variable of the guest; without a value it is taken from here; repeatable
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// What the guest reads as standard input; `-`, the default, is ours
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    stdin: PathBuf,
    /// Stop the guest after so many seconds
    #[arg(long, value_name = "SECS")]
    timeout: Option<f64>,
    /// Stop the guest after so many seconds of processor time
    #[arg(long, value_name = "SECS")]
    cpu_time: Option<f64>,
    /// The most memory the guest may have
    #[arg(long, value_name = "AMOUNT", default_value = "512MB", value_parser = skrei_job::resources::parse_bytes)]
    memory: u64,
    #[command(flatten)]
    reach: Reach,
    /// Give a module that the guest imports from under this name, or without one under the file's; repeatable
    #[arg(long, value_name = "[NAME=]FILE")]
    import: Vec<Import>,
    /// The exported function to start at
    #[arg(long, value_name = "NAME", default_value = "_start")]
    entry_point: String,
    /// The guest's arguments
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

impl Run {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let limit = seconds("--timeout", self.timeout)?;
        let cpu_time = seconds("--cpu-time", self.cpu_time)?;
        let wasm = self.read().map_err(|error| error.with_code(exit::NOT_STARTED))?;
        let program = Program {
            shown: self.module.display().to_string(),
            entry_point: self.entry_point.clone(),
            imports: self.import.clone(),
        };
        let cancel = CancelToken::new();
        let scratch = Scratch::make(&self.scratch).map_err(|error| error.with_code(exit::NOT_STARTED))?;
        let sandbox = self
            .sandbox(limit, cpu_time, cancel.clone(), &scratch)
            .await
            .map_err(|error| error.with_code(exit::NOT_STARTED))?;
        let module = program.load(&wasm, &sandbox).map_err(|error| error.with_code(exit::NOT_STARTED))?;
        // On a thread of its own: a guest that computes gives way to nobody.
        let (ended, outcome) = tokio::sync::oneshot::channel();
        let executor = tokio::runtime::Handle::current();
        let running = move || {
            let _entered = executor.enter();
            let _ = ended.send(module.run_blocking(sandbox));
        };
        std::thread::Builder::new()
            .name("guest".to_owned())
            .spawn(running)
            .map_err(|error| Error::internal(format!("start the guest's thread: {error}")))?;
        tokio::select! {
            outcome = outcome => finished(outcome),
            () = long_after(limit) => Ok(ending::time_limit()),
            _ = tokio::signal::ctrl_c() => {
                cancel.cancel();
                Ok(exit::INTERRUPTED)
            }
        }
    }

    fn read(&self) -> Result<Vec<u8>, Error> {
        let shown = self.module.display();
        std::fs::read(&self.module).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!("module `{shown}` does not exist")),
            _ => Error::not_found(format!("module `{shown}` cannot be read: {error}")),
        })
    }

    async fn sandbox(
        self,
        limit: Option<Duration>,
        cpu_time: Option<Duration>,
        cancel: CancelToken,
        scratch: &Scratch,
    ) -> Result<Sandbox, Error> {
        let limits = Limits {
            memory_bytes: self.memory,
            wall_time: limit,
            cpu_time,
            stdout_bytes: 0,
            stderr_bytes: 0,
            disk_bytes: self.disk,
            ..Limits::default()
        };
        let name = self.module.file_name().unwrap_or_default().to_string_lossy();
        let mut sandbox = Sandbox::new()
            .name(name)
            .args(self.args)
            .entry_point(self.entry_point)
            .limits(limits)
            .network(self.reach.grant()?)
            .output(Arc::new(Passthrough))
            .cancel(cancel);
        for variable in &self.env {
            let (name, value) = variable_of(variable)?;
            sandbox = sandbox.env(name, value);
        }
        for grant in &self.dir {
            sandbox =
                sandbox.mount(grant.open()?).map_err(|error| Error::refused(format!("--dir: {error}")))?;
        }
        sandbox = scratch.mount(sandbox)?;
        if self.stdin.as_os_str() == "-" {
            return Ok(sandbox.stdin_reader(tokio::io::stdin()));
        }
        let file = tokio::fs::File::open(&self.stdin).await.map_err(|error| {
            Error::not_found(format!("--stdin: `{}` cannot be read: {error}", self.stdin.display()))
        })?;
        Ok(sandbox.stdin_reader(file))
    }
}

fn seconds(flag: &str, given: Option<f64>) -> Result<Option<Duration>, Error> {
    let wrong = |_| Error::usage(format!("{flag} must be a number of seconds, such as `30` or `0.5`"));
    given.map(Duration::try_from_secs_f64).transpose().map_err(wrong)
}

/// Messages never show the value: it may be a secret.
fn variable_of(text: &str) -> Result<(&str, String), Error> {
    match text.split_once('=') {
        Some(("", _)) => Err(Error::usage("--env: a variable needs a name before the `=`")),
        Some((name, value)) => Ok((name, value.to_owned())),
        None => match std::env::var(text) {
            Ok(value) => Ok((text, value)),
            Err(_) => Err(Error::usage(format!("--env: there is no variable `{text}` here to take"))
                .hint(format!("give it a value: --env {text}=..."))),
        },
    }
}

type Finished = Result<Result<Outcome, skrei_runtime::Error>, tokio::sync::oneshot::error::RecvError>;

fn finished(outcome: Finished) -> Result<u8, Error> {
    match outcome {
        Ok(Ok(outcome)) => {
            network::tell(&outcome.usage.network);
            Ok(ending::code(&outcome))
        }
        Ok(Err(error)) => Err(Error::new(exit::NOT_STARTED, error.to_string())),
        Err(_) => Err(Error::internal("the guest's thread ended without an outcome")),
    }
}

async fn long_after(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit.saturating_add(GRACE)).await,
        None => std::future::pending().await,
    }
}
