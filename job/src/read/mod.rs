//! From a document to a [`Manifest`]: every field by name, every problem with its place.
//!
//! A file is read strictly: an unknown field is a problem, because a misspelt `Constraints` would otherwise run
//! the job everywhere. A request body is read as Bacalhau's server reads it: any case of keys, unknown keys and
//! `null` ignored (reference: Go's decoder), because real clients rely on all three.

mod fields;
pub(crate) mod shape;

use serde_json::Value;

use crate::{
    document::{Document, Node},
    manifest::{
        Constraint, InputSource, Manifest, Network, Resources, ResultPath, Retry, Rollout, SecretUse, Task,
        Timeouts, Typed,
    },
    path::Path,
    problem::{Problem, Problems, locate},
    validate::{self, Checked},
};
use fields::Reader;

/// A manifest as far as it could be read, and what was wrong on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What could be read; the rest has its default.
    pub manifest: Manifest,
    /// What could not be read, with its place.
    pub problems: Vec<Problem>,
    /// What was ignored.
    pub warnings: Vec<Problem>,
}

/// Reads a job file.
pub fn file(document: &Document) -> Reading {
    read(&document.root, Reader::strict())
}

/// Reads a job in the body of an API request.
pub fn body(value: &Value) -> Reading {
    read(&Node::from(value), Reader::lenient())
}

impl Reading {
    /// The manifest, if nothing was wrong.
    ///
    /// # Errors
    /// What could not be read.
    pub fn manifest(self) -> Result<Manifest, Problems> {
        Problems::check(self.problems)?;
        Ok(self.manifest)
    }

    /// The spec, if there is nothing wrong with what was read nor with what it means.
    ///
    /// # Errors
    /// Everything found while reading and by [`validate::check`] together; give the document if the manifest
    /// came from one, so that all have their place.
    pub fn check(self, document: Option<&Document>) -> Result<Checked, Problems> {
        let mut problems = self.problems;
        let place = |found: Vec<Problem>| match document {
            Some(document) => locate(found, document),
            None => found,
        };
        match validate::check(self.manifest) {
            Ok(mut checked) => {
                Problems::check(problems)?;
                checked.warnings = place([self.warnings, checked.warnings].concat());
                Ok(checked)
            }
            Err(found) => {
                // What could not be read is absent; that it is missing is no second problem.
                let known = |path: &str| problems.iter().any(|problem| is_within(path, &problem.path));
                let new: Vec<Problem> = found.iter().filter(|found| !known(&found.path)).cloned().collect();
                problems.extend(new);
                Err(Problems::new(place(problems)).unwrap_or(found))
            }
        }
    }
}

/// An input source in the place of a module path, as old job files have it.
pub(crate) fn input_source_value(value: &Value) -> InputSource {
    input_source(&mut Reader::lenient(), &Node::from(value), Path::root())
}

fn is_within(path: &str, outer: &str) -> bool {
    outer.is_empty()
        || path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn read(root: &Node, mut reader: Reader) -> Reading {
    let manifest = manifest(&mut reader, root);
    Reading { manifest, problems: reader.problems, warnings: reader.warnings }
}

fn manifest(reader: &mut Reader, root: &Node) -> Manifest {
    let job = reader.fields(root, Path::root(), &shape::JOB);
    Manifest {
        name: reader.text(&job, "Name"),
        namespace: reader.text(&job, "Namespace"),
        kind: reader.text(&job, "Type"),
        priority: reader.integer(&job, "Priority").unwrap_or(0),
        count: reader.integer(&job, "Count"),
        constraints: reader.list(&job, "Constraints", constraint),
        meta: reader.texts_by_name(&job, "Meta"),
        labels: reader.texts_by_name(&job, "Labels"),
        rollout: reader.object(&job, "Rollout", rollout),
        retry: reader.object(&job, "Retry", retry),
        tasks: reader.list(&job, "Tasks", task),
    }
}

fn rollout(reader: &mut Reader, node: &Node, path: Path) -> Rollout {
    let fields = reader.fields(node, path, &shape::ROLLOUT);
    Rollout {
        wait_for_absent: reader.text(&fields, "WaitForAbsent"),
        max_parallel: reader.text(&fields, "MaxParallel"),
        canary: reader.integer(&fields, "Canary").unwrap_or(0),
        pause: reader.text(&fields, "Pause"),
        stop_after_failures: reader.text(&fields, "StopAfterFailures"),
        order: reader.text(&fields, "Order"),
    }
}

fn retry(reader: &mut Reader, node: &Node, path: Path) -> Retry {
    let fields = reader.fields(node, path, &shape::RETRY);
    Retry {
        attempts: reader.integer(&fields, "Attempts"),
        backoff: reader.text(&fields, "Backoff"),
        on: reader.texts(&fields, "On"),
    }
}

fn constraint(reader: &mut Reader, node: &Node, path: Path) -> Constraint {
    let fields = reader.fields(node, path, &shape::CONSTRAINT);
    Constraint {
        key: reader.text(&fields, "Key"),
        operator: reader.text(&fields, "Operator"),
        values: reader.texts(&fields, "Values"),
    }
}

fn task(reader: &mut Reader, node: &Node, path: Path) -> Task {
    let fields = reader.fields(node, path, &shape::TASK);
    Task {
        name: reader.text(&fields, "Name"),
        engine: reader.object(&fields, "Engine", typed),
        publisher: reader.object(&fields, "Publisher", typed),
        env: reader.environment(&fields, "Env"),
        meta: reader.texts_by_name(&fields, "Meta"),
        secrets: reader.list(&fields, "Secrets", secret),
        input_sources: reader.list(&fields, "InputSources", input_source),
        result_paths: reader.list(&fields, "ResultPaths", result_path),
        resources: reader.object(&fields, "Resources", resources),
        network: reader.object(&fields, "Network", network),
        timeouts: reader.object(&fields, "Timeouts", timeouts),
    }
}

fn typed(reader: &mut Reader, node: &Node, path: Path) -> Typed {
    let fields = reader.fields(node, path, &shape::TYPED);
    Typed { kind: reader.text(&fields, "Type"), params: reader.values_by_name(&fields, "Params") }
}

fn input_source(reader: &mut Reader, node: &Node, path: Path) -> InputSource {
    let fields = reader.fields(node, path, &shape::INPUT_SOURCE);
    InputSource {
        source: reader.object(&fields, "Source", typed),
        alias: reader.text(&fields, "Alias"),
        target: reader.text(&fields, "Target"),
    }
}

fn secret(reader: &mut Reader, node: &Node, path: Path) -> SecretUse {
    let fields = reader.fields(node, path, &shape::SECRET);
    SecretUse {
        name: reader.text(&fields, "Name"),
        target: reader.text(&fields, "Target"),
        mode: reader.text(&fields, "Mode"),
        env: reader.text(&fields, "Env"),
    }
}

fn result_path(reader: &mut Reader, node: &Node, path: Path) -> ResultPath {
    let fields = reader.fields(node, path, &shape::RESULT_PATH);
    ResultPath { name: reader.text(&fields, "Name"), path: reader.text(&fields, "Path") }
}

fn resources(reader: &mut Reader, node: &Node, path: Path) -> Resources {
    let fields = reader.fields(node, path, &shape::RESOURCES);
    Resources {
        cpu: reader.text(&fields, "CPU"),
        memory: reader.text(&fields, "Memory"),
        disk: reader.text(&fields, "Disk"),
        gpu: reader.text(&fields, "GPU"),
    }
}

fn network(reader: &mut Reader, node: &Node, path: Path) -> Network {
    let fields = reader.fields(node, path, &shape::NETWORK);
    Network {
        kind: reader.text(&fields, "Type"),
        domains: reader.texts(&fields, "Domains"),
        ports: reader.list(&fields, "Ports", |_, node, _| node.to_value()),
    }
}

fn timeouts(reader: &mut Reader, node: &Node, path: Path) -> Timeouts {
    let fields = reader.fields(node, path, &shape::TIMEOUTS);
    Timeouts {
        execution_timeout: reader.integer(&fields, "ExecutionTimeout").unwrap_or(0),
        queue_timeout: reader.integer(&fields, "QueueTimeout").unwrap_or(0),
        total_timeout: reader.integer(&fields, "TotalTimeout").unwrap_or(0),
        cpu_time: reader.integer(&fields, "CPUTime").unwrap_or(0),
    }
}
