//! `skrei run`: one module or job, here and now, without any server.

mod ending;
mod grant;
mod import;
mod job;
mod network;
mod output;
mod program;
mod scratch;
mod told;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use skrei_job::resources::Resources;
use skrei_runtime::{CancelToken, Limits, Network, Outcome, Sandbox, Terminals};

use crate::{error::Error, exit};
use grant::Grant;
use import::Import;
use job::Job;
use network::Reach;
use output::Passthrough;
use program::Program;
use scratch::Scratch;

/// After the guest should have ended, how long it gets before the process ends without it: it may be waiting for
/// a reader of its output that does not read.
const GRACE: Duration = Duration::from_secs(1);

/// The most memory a guest may have, in bytes, and the most it may add to the disk, if nobody says otherwise.
const MEMORY_BYTES: u64 = 512_000_000;
const DISK_BYTES: u64 = 1 << 30;

/// Run one module or job here, without any server.
#[derive(Debug, Args)]
#[command(
    after_help = "The guest of a module sees the directories, variables, arguments and hosts given here, and nothing else. \
    The guest of a job file sees what that asks for, as on a node whose owner allows it, and what is given here besides. \
    Its output is passed on as it comes, and its exit code (0 to 125) is the exit code."
)]
pub(crate) struct Run {
    /// A module, WebAssembly in binary or text format; or a job file (.yaml, .yml, .json), or a directory with a job.yaml
    #[arg(value_name = "MODULE|JOB", default_value = ".", hide_default_value = true)]
    module: PathBuf,
    /// A template variable of the job file; repeatable
    #[arg(short = 'V', long, value_name = "NAME=VALUE")]
    template_vars: Vec<String>,
    /// A secret that the job file names, and where its value is: `@FILE`, `env:VARIABLE` or `@-`; repeatable
    #[arg(long = "secret", value_name = "NAME=SOURCE")]
    secrets: Vec<String>,
    /// Grant a directory or file: read-only unless `:rw`; without GUEST under the same path; repeatable
    #[arg(long, value_name = "HOST[::GUEST][:ro|:rw]")]
    dir: Vec<Grant>,
    /// Give the guest an empty directory of its own, removed afterwards; repeatable
    #[arg(long, value_name = "GUEST")]
    scratch: Vec<String>,
    /// The most the guest may add to the disk [default: 1Gi, or as the job says]
    #[arg(long, value_name = "AMOUNT", value_parser = skrei_job::resources::parse_bytes)]
    disk: Option<u64>,
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
    /// The most memory the guest may have [default: 512MB, or as the job says]
    #[arg(long, value_name = "AMOUNT", value_parser = skrei_job::resources::parse_bytes)]
    memory: Option<u64>,
    #[command(flatten)]
    reach: Reach,
    /// Give a module that the guest imports from under this name, or without one under the file's; repeatable
    #[arg(long, value_name = "[NAME=]FILE")]
    import: Vec<Import>,
    /// The exported function to start at [default: _start, or as the job says]
    #[arg(long, value_name = "NAME")]
    entry_point: Option<String>,
    /// The guest's arguments
    #[arg(value_name = "ARGS")]
    first_args: Vec<String>,
    /// Behind `--`: those that begin with `-`, and whatever else
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

impl Run {
    pub(super) async fn run(self) -> Result<u8, Error> {
        let not_started = |error: Error| error.with_code(exit::NOT_STARTED);
        let job = self.job().map_err(not_started)?;
        let limits = self.limits(job.as_ref())?;
        let limit = limits.wall_time;
        let wasm = match &job {
            Some(job) => job.module.clone(),
            None => self.read().map_err(not_started)?,
        };
        let program = Program {
            shown: self.module.display().to_string(),
            entry_point: self.entry_point(job.as_ref()).to_owned(),
            imports: self.import.clone(),
            of_job: job.as_ref().map(|job| job.spec.task().program.imports.clone()).unwrap_or_default(),
        };
        let cancel = CancelToken::new();
        let scratch = Scratch::make(&self.scratch).map_err(not_started)?;
        let sandbox = self.sandbox(job.as_ref(), &scratch).await.map_err(not_started)?;
        let module = program.load(&wasm, &sandbox).map_err(not_started)?;
        let listener = told::listener();
        let sandbox = sandbox.limits(limits).cancel(cancel.clone());
        let sandbox = told::listen(&listener, job.is_some(), sandbox)?;
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
            outcome = outcome => {
                told::show(&listener);
                finished(outcome)
            }
            () = long_after(limit) => Ok(ending::time_limit()),
            _ = tokio::signal::ctrl_c() => {
                cancel.cancel();
                Ok(exit::INTERRUPTED)
            }
        }
    }

    /// The job, if one is named and no module.
    fn job(&self) -> Result<Option<Job>, Error> {
        let file = job::file(&self.module);
        file.map(|file| Job::read(&file, self.template_vars.clone(), &self.secrets)).transpose()
    }

    /// What is given here counts, and otherwise what the job asks for.
    fn network(&self, job: Option<&Job>) -> Result<Network, Error> {
        match job {
            Some(job) if !self.reach.is_given() => job.network(),
            _ => self.reach.grant(),
        }
    }

    fn entry_point<'a>(&'a self, job: Option<&'a Job>) -> &'a str {
        let of_job = job.map_or("_start", |job| &job.spec.task().program.entry_point);
        self.entry_point.as_deref().unwrap_or(of_job)
    }

    fn read(&self) -> Result<Vec<u8>, Error> {
        let shown = self.module.display();
        std::fs::read(&self.module).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!("module `{shown}` does not exist")),
            _ => Error::not_found(format!("module `{shown}` cannot be read: {error}")),
        })
    }

    /// What is given here counts, and otherwise what the job says.
    fn limits(&self, job: Option<&Job>) -> Result<Limits, Error> {
        let task = job.map(|job| job.spec.task());
        let of_job = |amount: fn(&Resources) -> u64| {
            task.map(|task| amount(&task.resources)).filter(|amount| *amount > 0)
        };
        let memory = self.memory.or_else(|| of_job(|resources| resources.memory_bytes));
        let disk = self.disk.or_else(|| of_job(|resources| resources.disk_bytes));
        let wall_time = seconds("--timeout", self.timeout)?;
        Ok(Limits {
            memory_bytes: memory.unwrap_or(MEMORY_BYTES),
            disk_bytes: disk.unwrap_or(DISK_BYTES),
            wall_time: wall_time.or_else(|| task.and_then(|task| task.timeouts.execution)),
            cpu_time: seconds("--cpu-time", self.cpu_time)?,
            stdout_bytes: 0,
            stderr_bytes: 0,
            ..Limits::default()
        })
    }

    async fn sandbox(&self, job: Option<&Job>, scratch: &Scratch) -> Result<Sandbox, Error> {
        let program = job.map(|job| &job.spec.task().program);
        let own_name = || self.module.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = job.map_or_else(own_name, Job::module_name);
        let mut sandbox = Sandbox::new()
            .name(name)
            .args(program.map_or(&[][..], |program| &program.arguments))
            .args(self.first_args.iter().chain(&self.args))
            .entry_point(self.entry_point(job))
            .network(self.network(job)?)
            .output(Arc::new(Passthrough));
        if let Some(job) = job {
            sandbox = job.listen(job.furnish(sandbox)?);
        }
        sandbox = sandbox.listen(self.reach.listen.iter().copied());
        for variable in &self.env {
            let (name, value) = variable_of(variable)?;
            sandbox = sandbox.env(name, value);
        }
        for grant in &self.dir {
            sandbox =
                sandbox.mount(grant.open()?).map_err(|error| Error::refused(format!("--dir: {error}")))?;
        }
        sandbox = scratch.mount(sandbox)?;
        let terminals = Terminals::of_process();
        if self.stdin.as_os_str() == "-" {
            return Ok(sandbox.terminals(terminals).stdin_reader(tokio::io::stdin()));
        }
        let sandbox = sandbox.terminals(Terminals { stdin: false, ..terminals });
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
