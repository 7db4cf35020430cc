//! From a spec to a module and a sandbox: everything that is opened, fetched and compiled before a guest starts.

mod entry;
mod given;
mod inputs;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use entry::{Entry, entry};
pub(crate) use given::{file_mount, given_dir, own_dir, unpack};
use inputs::mounts;
use skrei_job::{
    outcome::{Refusal, Rule},
    spec::{HostPath, Mode, Source, Task},
};
use skrei_protocol::link::{Assignment, Granted};
use skrei_runtime::{Limits, Module, Ownership, Sandbox};
use skrei_vault::Searched;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    accounts::Accounts,
    admission,
    artifacts::{self, Artifact},
    ending::{CAPTURED_BYTES, Unready},
    environment, fetch,
    grant::{self, Grant},
    node::Node,
    publish,
    results::{Directory, Results},
};

/// A guest that is ready to start, and what has to stay as long as it runs.
pub(crate) struct Prepared {
    pub(crate) module: Module,
    pub(crate) sandbox: Sandbox,
    /// Artifacts and files that are mounted.
    pub(crate) kept: Kept,
    /// What is taken out of everything that the guest tells.
    pub(crate) secrets: Option<Arc<Searched>>,
}

/// What has to stay on disk as long as the guest runs.
#[derive(Default)]
pub(crate) struct Kept {
    artifacts: Vec<Artifact>,
    inline: Option<TempDir>,
    scratch: Vec<TempDir>,
    pub(crate) results: Option<Results>,
}

/// A host path that is open, and what becomes of files made there.
type Opening = (Grant, Ownership);

/// The host paths that the task's guest would have, unless one of them, or a network that it asks for, would be refused now.
/// Nothing is made.
pub(crate) async fn granted(node: &Arc<Node>, task: &Task) -> Result<Vec<Granted>, Unready> {
    node.network.grant(&node.id, &task.network).map_err(Unready::Refused)?;
    node.ports.check(&node.id, &task.ports).map_err(Unready::Refused)?;
    node.fetching.check(&node.id, task).map_err(Unready::Refused)?;
    let wanted = host_paths(task);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let node = Arc::clone(node);
    let targets: Vec<Option<String>> = match task.program.module {
        // The guest does not find its module there unless it is an input, too.
        Source::HostPath(_) => std::iter::once(None).chain(targets(task)).collect(),
        _ => targets(task).collect(),
    };
    let check = move || -> Result<Vec<Granted>, Box<Refusal>> {
        let mut granted = Vec::new();
        for (wanted, target) in wanted.iter().zip(targets) {
            let (path, _) = check_path(&node, wanted)?;
            let path = path.to_string_lossy().into_owned();
            granted.extend(target.map(|target| Granted { path, target, mode: wanted.mode }));
        }
        Ok(granted)
    };
    blocking(check).await?.map_err(|refusal| Unready::Refused(*refusal))
}

/// Where the guest finds each host path among its inputs.
fn targets(task: &Task) -> impl Iterator<Item = Option<String>> + '_ {
    let of_host = task.inputs.iter().filter(|input| matches!(input.source, Source::HostPath(_)));
    of_host.map(|input| Some(input.target.clone()))
}

/// Opens, fetches and compiles whatever the task needs. `arrived` is when the assignment did.
pub(crate) async fn prepare(
    node: &Arc<Node>,
    assignment: &Assignment,
    arrived: Instant,
) -> Result<Prepared, Unready> {
    let task = assignment.spec.task();
    let network = node.network.grant(&node.id, &task.network).map_err(Unready::Refused)?;
    node.ports.check(&node.id, &task.ports).map_err(Unready::Refused)?;
    node.fetching.check(&node.id, task).map_err(Unready::Refused)?;
    let variables = node
        .host_variables
        .fill(&node.id, &task.env, |name| std::env::var(name).ok())
        .map_err(Unready::Refused)?;
    // Asked for now and needed last: the answer comes while the rest is made ready.
    let coming = (!task.secrets.is_empty()).then(|| node.secrets.expect(assignment, arrived));
    let grants = open_paths(node, task).await?;
    let mut grants = grants.into_iter();
    let entry = entry(node, assignment, &mut grants).await?;
    if let Entry::Loaded(module) = &entry {
        check_entry_point(module, task)?;
    }

    let mut sandbox = Sandbox::new()
        .name(module_name(assignment))
        .args(&task.program.arguments)
        .entry_point(&task.program.entry_point)
        .network(network)
        .listen(task.ports.iter().copied())
        .limits(limits(node, task));
    let (mounts, mut kept) = mounts(node, assignment, grants).await?;
    for mount in mounts {
        sandbox = sandbox.mount(mount).map_err(|error| Unready::failed(error.to_string()))?;
    }
    let output = publish::destination(&node.id, assignment).map(|_| disk_bytes(node, task));
    if !task.results.is_empty() || output.is_some() {
        let (parent, paths) = (node.results_dir.clone(), task.results.clone());
        let results = blocking(move || Results::make(&parent, &paths, output))
            .await?
            .map_err(|cause| unwritten("ResultPaths", &cause))?;
        sandbox = mount_results(sandbox, &results)?;
        kept.results = Some(results);
    }
    let module = match entry {
        Entry::Loaded(module) => module,
        Entry::Several(read) => {
            let imports = task.program.imports.clone();
            let linked = node.modules.link(read, imports, sandbox).await.map_err(Unready::failed)?;
            check_entry_point(&linked.0, task)?;
            sandbox = linked.1;
            linked.0
        }
    };
    let mut secrets = None;
    if let Some(coming) = coming {
        let opened = node.secrets.opened(assignment, coming).await;
        let given = opened.map_err(Unready::Refused)?.give(sandbox);
        let (with_secrets, searched) = given.map_err(|error| Unready::failed(error.to_string()))?;
        (sandbox, secrets) = (with_secrets, Some(searched));
    }
    // After the secrets: what the node says of itself no variable of the job replaces.
    for (name, value) in environment::of_guest(variables, &node.id, assignment) {
        sandbox = sandbox.env(name, value);
    }
    Ok(Prepared { module, sandbox, kept, secrets })
}

/// The host paths a task asks for: the module's first, then those of its inputs in order.
fn host_paths(task: &Task) -> Vec<HostPath> {
    std::iter::once(&task.program.module)
        .chain(task.inputs.iter().map(|input| &input.source))
        .filter_map(|source| if let Source::HostPath(path) = source { Some(path.clone()) } else { None })
        .collect()
}

/// Everything is checked before the first path is made: a refusal leaves nothing behind.
async fn open_paths(node: &Arc<Node>, task: &Task) -> Result<Vec<Opening>, Unready> {
    let wanted = host_paths(task);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let node = Arc::clone(node);
    let open = move || {
        let check = |wanted| check_path(&node, wanted).map(|(_, ownership)| ownership);
        let ownerships = wanted.iter().map(check).collect::<Result<Vec<_>, Box<Refusal>>>()?;
        let open = |(wanted, ownership)| Ok((grant::open(&node.allow_list, &node.id, wanted)?, ownership));
        wanted.iter().zip(ownerships).map(open).collect::<Result<Vec<_>, Box<Refusal>>>()
    };
    blocking(open).await?.map_err(|refusal| Unready::Refused(*refusal))
}

fn check_path(node: &Node, wanted: &HostPath) -> Result<(PathBuf, Ownership), Box<Refusal>> {
    let path = grant::check(&node.allow_list, &node.id, wanted)?;
    Ok((path, node.owners.permit(&node.id, &wanted.ownership, Accounts::of_host)?))
}

fn check_entry_point(module: &Module, task: &Task) -> Result<(), Unready> {
    let checked = module.check_entry_point(&task.program.entry_point);
    checked.map_err(|error| Unready::failed(error.to_string()))
}

/// Each at its path, and at its name, where Bacalhau has it, unless something else is there.
fn mount_results(mut sandbox: Sandbox, results: &Results) -> Result<Sandbox, Unready> {
    for Directory { of, path } in results.directories() {
        let mount = own_dir(path, &of.path)?;
        sandbox = sandbox.mount(mount).map_err(|error| Unready::failed(error.to_string()))?;
    }
    for Directory { of, path } in results.directories() {
        let mount = own_dir(path, &of.name)?;
        if sandbox.has_room_for(&mount) {
            sandbox = sandbox.mount(mount).map_err(|error| Unready::failed(error.to_string()))?;
        }
    }
    Ok(sandbox)
}

fn limits(node: &Node, task: &Task) -> Limits {
    Limits {
        disk_bytes: disk_bytes(node, task),
        disk_files: node.limits.disk_files,
        memory_bytes: admission::counted(&task.resources).memory_bytes,
        wall_time: task.timeouts.execution,
        cpu_time: task.timeouts.cpu,
        stdout_bytes: CAPTURED_BYTES,
        stderr_bytes: CAPTURED_BYTES,
        ..Limits::default()
    }
}

/// What the run may add to the disk.
fn disk_bytes(node: &Node, task: &Task) -> u64 {
    match task.resources.disk_bytes {
        0 => node.limits.disk_bytes,
        asked => asked,
    }
}

/// What the guest finds as argument 0: the file name the job knows its module by.
fn module_name(assignment: &Assignment) -> String {
    let task = assignment.spec.manifest().tasks.first();
    let written =
        task.and_then(|task| task.engine.params.get("EntryModule")).and_then(|module| module.as_str());
    let name = written.and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str());
    name.unwrap_or("main.wasm").to_owned()
}

pub(crate) fn mode(mode: Mode) -> skrei_runtime::Mode {
    match mode {
        Mode::ReadOnly => skrei_runtime::Mode::ReadOnly,
        Mode::ReadWrite => skrei_runtime::Mode::ReadWrite,
    }
}

fn unwritten(target: &str, cause: &io::Error) -> Unready {
    Unready::failed(format!("`{target}` cannot be put on the node's disk: {cause}"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unready> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Unready::failed(error.to_string()))
}

impl Unready {
    fn failed(message: String) -> Self {
        Self::Failed { message, hint: None }
    }
}

impl From<fetch::Error> for Unready {
    fn from(error: fetch::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        match error {
            // A rule of the node's owner said no, only later: when a name had been looked up.
            fetch::Error::Denied(message) => Self::Refused(Refusal { rule: Rule::Network, message, hint }),
            error => Self::Failed { message: error.to_string(), hint },
        }
    }
}

impl From<artifacts::Error> for Unready {
    fn from(error: artifacts::Error) -> Self {
        Self::Failed { message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}
