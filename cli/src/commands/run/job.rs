//! A job file in the place of a module: its guest gets what the job asks for, from this machine.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use skrei_compute::here;
use skrei_job::{
    Digest, Spec,
    archive::Archive,
    secret::Use,
    spec::{self, Input, Source},
};
use skrei_runtime::{Network, Sandbox};
use tempfile::TempDir;

use crate::{error::Error, given_secret::GivenSecret, guest::project::JOB_FILE, job_file, terminal};

/// A job to be run here.
pub(super) struct Job {
    /// What is meant.
    pub(super) spec: Spec,
    /// The module's bytes.
    pub(super) module: Vec<u8>,
    /// Files beside the job file that it names.
    files: Vec<Bytes>,
    /// Values of the secrets that it names.
    secrets: Vec<GivenSecret>,
    /// Holds what is carried in the job, and what the guest makes for itself.
    folder: TempDir,
}

/// The job file that a path stands for, if it is none of a module.
pub(super) fn file(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.join(JOB_FILE));
    }
    let ending = path.extension()?.to_str()?;
    ["yaml", "yml", "json"].contains(&ending).then(|| path.to_owned())
}

fn supplied(files: &[Bytes], digest: &Digest) -> Option<Vec<u8>> {
    files.iter().find(|file| Digest::of(file) == *digest).map(|file| file.to_vec())
}

impl Job {
    /// Reads a job file, checks all of it, and finds its module.
    pub(super) fn read(file: &Path, template_vars: Vec<String>, secrets: &[String]) -> Result<Self, Error> {
        let arguments = job_file::Args::new(file, template_vars);
        let mut stdin_taken_by = arguments.takes_stdin();
        let read = |written: &String| GivenSecret::read(written, &mut stdin_taken_by);
        let secrets = secrets.iter().map(read).collect::<Result<_, _>>()?;
        let checked = arguments.read()?.check()?;
        checked.warnings.iter().for_each(|warning| terminal::warn(warning));
        let spec = checked.spec;
        let module = match &spec.task().program.module {
            Source::Artifact { digest, .. } => supplied(&checked.modules, digest).ok_or_else(|| {
                Error::refused("the job's module is held by an orchestrator, and is not here")
                    .hint("name a file with `EntryModule`, or run the job with `skrei job run`")
            })?,
            Source::Inline(module) => module.clone(),
            Source::Archive(archive) => Archive::unpack(archive)
                .and_then(Archive::module)
                .map_err(|error| Error::refused(format!("the module's archive: {error}")))?,
            Source::HostPath(path) => std::fs::read(&path.path).map_err(|error| {
                Error::not_found(format!("the module `{}` cannot be read: {error}", path.path))
            })?,
            _ => {
                return Err(
                    Error::refused("the job's module is not here").hint("run it with `skrei job run`")
                );
            }
        };
        let folder = TempDir::new().map_err(|error| Error::internal(format!("make a directory: {error}")))?;
        Ok(Self { spec, module, files: checked.modules, secrets, folder })
    }

    /// What the guest finds as argument 0: the file name the job knows its module by, as on a node.
    pub(super) fn module_name(&self) -> String {
        let engine = self.spec.manifest().tasks.first().map(|task| &task.engine);
        let written = engine.and_then(|engine| engine.params.get("EntryModule")?.as_str());
        let name = written.and_then(|path| Path::new(path).file_name()?.to_str());
        name.unwrap_or("main.wasm").to_owned()
    }

    /// What the job asks for of the network.
    pub(super) fn network(&self) -> Result<Network, Error> {
        match &self.spec.task().network {
            spec::Network::None => Ok(Network::Denied),
            spec::Network::Http { domains } => {
                terminal::note(&format!("granted: HTTP to {}", domains.join(", ")));
                Network::http(domains).map_err(|error| Error::refused(error.to_string()))
            }
            spec::Network::Full => {
                terminal::note("granted: any connection");
                Ok(Network::Full)
            }
        }
    }

    /// Lets the guest listen where the job says.
    pub(super) fn listen(&self, sandbox: Sandbox) -> Sandbox {
        let ports = &self.spec.task().ports;
        for address in ports {
            terminal::note(&format!("granted: listening on {address}"));
        }
        sandbox.listen(ports.iter().copied())
    }

    /// Gives a sandbox all that the job asks for, and says which of it is this machine's.
    pub(super) fn furnish(&self, mut sandbox: Sandbox) -> Result<Sandbox, Error> {
        let task = self.spec.task();
        for (name, value) in &task.env {
            sandbox = match value.strip_prefix("env:") {
                None => sandbox.env(name, value),
                Some(of_host) => {
                    let value = std::env::var(of_host).map_err(|_| {
                        Error::refused(format!(
                            "the job takes the variable `{of_host}`, which is not set here"
                        ))
                    })?;
                    sandbox.env(name, value)
                }
            };
        }
        let refused = |error: here::NotHere| {
            let refused = Error::refused(error.message);
            match error.hint {
                Some(hint) => refused.hint(hint),
                None => refused,
            }
        };
        for (number, input) in task.inputs.iter().enumerate() {
            if let Source::HostPath(path) = &input.source {
                terminal::note(&format!(
                    "granted: {} as {} ({})",
                    path.path,
                    input.target,
                    path.mode.as_str()
                ));
            }
            // A file beside the job file goes by its digest on the way to an orchestrator.
            let beside = match &input.source {
                Source::Artifact { digest, .. } => supplied(&self.files, digest),
                _ => None,
            };
            let beside =
                beside.map(|content| Input { source: Source::Inline(content), target: input.target.clone() });
            let input = beside.as_ref().unwrap_or(input);
            let mount = here::input(input, self.folder.path(), number).map_err(refused)?;
            sandbox = sandbox.mount(mount).map_err(|error| Error::refused(error.to_string()))?;
        }
        for (number, result) in task.results.iter().enumerate() {
            let place = self.folder.path().join(format!("result-{number}"));
            let mount = here::directory(&place, &result.path).map_err(refused)?;
            sandbox = sandbox.mount(mount).map_err(|error| Error::refused(error.to_string()))?;
        }
        self.give_secrets(sandbox)
    }

    fn give_secrets(&self, sandbox: Sandbox) -> Result<Sandbox, Error> {
        let uses = &self.spec.task().secrets;
        if uses.is_empty() {
            return Ok(sandbox);
        }
        let value = |of_task: &Use| {
            let name = &of_task.name;
            let given = self.secrets.iter().rfind(|given| given.name == *name).ok_or_else(|| {
                Error::refused(format!("the job names the secret `{name}`, which was not given"))
                    .hint(format!("--secret {name}=@FILE"))
            })?;
            Ok((of_task.clone(), given.value().clone()))
        };
        let given = uses.iter().map(value).collect::<Result<_, Error>>()?;
        here::secrets(sandbox, given).map_err(|error| Error::refused(error.to_string()))
    }
}
