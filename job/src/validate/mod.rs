//! From what was written to what is meant: every check of a manifest, all problems at once.
//!
//! The rules are those of the Bacalhau API at submission and in its store (reference requester-api 1.9), less
//! what skrei cannot do yet: that is refused here with the way out, not on the node.

mod bounds;
pub(crate) mod engine;
mod environment;
mod inline;
pub(crate) mod inputs;
pub(crate) mod job;
mod limits;
pub(crate) mod network;
mod ownership;
mod params;
mod ports;
pub(crate) mod remote;
pub(crate) mod results;
mod retry;
mod rollout;
mod secrets;

pub use crate::problem::{Problem, Problems};

use crate::{
    manifest::{self, Manifest},
    path::Path,
    spec::{Spec, Task},
};

/// A job that passed every check, and what was ignored on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The job as meant.
    pub spec: Spec,
    /// What was dropped or ignored.
    pub warnings: Vec<Problem>,
}

/// Checks a job as it is submitted: takes out what a client may not set, holds the rest to its bounds, and [`validate`]s.
///
/// # Errors
/// All problems: what is too much first, then in the order of the job model.
pub fn check(mut manifest: Manifest) -> Result<Checked, Problems> {
    let warnings = sanitise(&mut manifest);
    // Here alone: what was taken once stays a job.
    let mut problems = Vec::new();
    bounds::check(&manifest, &mut problems);
    let spec = validate(manifest);
    if let Err(more) = &spec {
        problems.extend(more.iter().cloned());
    }
    Problems::check(problems)?;
    Ok(Checked { spec: spec?, warnings })
}

/// Meta keys that start so belong to the orchestrator.
pub const RESERVED_META_PREFIX: &str = "bacalhau.org/";

/// Takes out what a client may not set, and says what.
pub fn sanitise(manifest: &mut Manifest) -> Vec<Problem> {
    let mut warnings = Vec::new();
    manifest.meta.retain(|key, _| {
        let reserved = key.starts_with(RESERVED_META_PREFIX);
        if reserved {
            let path = Path::root().key("Meta").key(key);
            warnings.push(Problem::new(path, "ignored: the orchestrator sets this key"));
        }
        !reserved
    });
    let kept_running = ["service", "daemon"].iter().find(|word| manifest.kind.eq_ignore_ascii_case(word));
    if let (Some(kind), Some(task)) = (kept_running, manifest.tasks.first())
        && !matches!(task.publisher.kind.trim().to_ascii_lowercase().as_str(), "" | "noop")
    {
        let path = Path::root().key("Tasks").index(0).key("Publisher");
        warnings
            .push(Problem::new(path, format!("ignored: a {kind} is never done, so there are no results")));
    }
    if let (Some(kind), Some(task)) = (kept_running, manifest.tasks.first())
        && task.timeouts.total_timeout > 0
    {
        let path = Path::root().key("Tasks").index(0).key("Timeouts").key("TotalTimeout");
        warnings.push(
            Problem::new(path, format!("ignored: a {kind} runs until somebody stops it"))
                .hint("`ExecutionTimeout` bounds each of its executions"),
        );
    }
    if let Some(task) = manifest.tasks.first() {
        let path = Path::root().key("Tasks").index(0).key("Network");
        warnings.extend(network::warning(&task.network, &path));
    }
    if manifest.tasks.len() > 1 {
        warnings.push(
            Problem::new(Path::root().key("Tasks").index(1), "ignored: a job runs its first task only")
                .hint("submit one job per task"),
        );
        manifest.tasks.truncate(1);
    }
    warnings
}

/// Checks everything and makes the spec. The manifest inside is normalised: defaults filled in, amounts and
/// types in lower case, old forms rewritten. Validating that manifest again gives the same spec.
///
/// # Errors
/// All problems, in the order of the job model.
pub fn validate(mut manifest: Manifest) -> Result<Spec, Problems> {
    manifest.tasks.truncate(1);
    let mut problems = Vec::new();
    let kind = job::kind(&mut manifest, &mut problems);
    job::names(&mut manifest, &mut problems);
    let constraints = job::constraints(&mut manifest, &mut problems);
    let rollout = rollout::read(&manifest.rollout, kind, &Path::root().key("Rollout"), &mut problems);
    let retry = retry::read(&manifest.retry, kind, &Path::root().key("Retry"), &mut problems);
    let path = Path::root().key("Tasks");
    let task = match manifest.tasks.first_mut() {
        Some(written) => task(written, &path.index(0), &mut problems),
        None => {
            problems.push(
                Problem::new(path, "a job needs a task")
                    .hint("Tasks:\n  - Name: main\n    Engine:\n      Type: wasm\n      Params: {EntryModule: main.wasm}"),
            );
            None
        }
    };
    Problems::check(problems)?;
    match (kind, task) {
        (Some(kind), Some(mut task)) => {
            if kind.is_kept_running() {
                task.timeouts = limits::of_service(manifest.tasks.first(), task.timeouts);
            }
            Ok(Spec { manifest, kind, constraints, rollout, retry, task })
        }
        // Whatever gives nothing has said why.
        _ => Err(Problem::new("", "the job could not be understood").into()),
    }
}

fn task(written: &mut manifest::Task, path: &Path, problems: &mut Vec<Problem>) -> Option<Task> {
    job::task_name(&written.name, path, problems);
    engine::normalise(written);
    inputs::normalise(&mut written.input_sources);
    let sources = inputs::read(&written.input_sources, path, problems);
    let program = engine::read(written, &sources, path, problems);
    let publisher = results::publisher(&mut written.publisher, &path.key("Publisher"), problems);
    environment::check(&written.env, &path.key("Env"), problems);
    let secrets = secrets::read(written, &sources, path, problems);
    let results = results::paths(written, &sources, path, problems);
    let resources = limits::resources(&mut written.resources, &path.key("Resources"), problems);
    let network = network::read(&written.network, &path.key("Network"), problems);
    let ports = ports::read(&written.network.ports, &path.key("Network").key("Ports"), problems);
    let timeouts = limits::timeouts(written.timeouts, &path.key("Timeouts"), problems);
    let (program, module_at) = program?;
    let inputs = sources
        .into_iter()
        .enumerate()
        .filter(|(index, _)| *index != module_at)
        .filter_map(|(_, source)| source)
        .collect();
    Some(Task {
        name: written.name.clone(),
        program,
        env: secrets::plain(&written.env),
        secrets,
        inputs,
        results,
        publisher,
        resources,
        network,
        ports,
        timeouts,
    })
}
