//! What is kept of a run: the publisher and the paths it collects.

use std::collections::BTreeSet;

use super::{inputs::Sources, params::Params};
use crate::{
    guest_path,
    manifest::{self, Typed},
    path::Path,
    problem::{Problem, listed, nearest, quoted},
    spec::{Publisher, ResultPath},
};

const SUPPORTED: &[&str] = &["local", "noop"];
const NOT_YET: &[&str] = &["s3", "s3managed", "ipfs"];

pub(super) fn publisher(written: &mut Typed, path: &Path, problems: &mut Vec<Problem>) -> Publisher {
    let word = written.kind.trim().to_lowercase();
    let types = || listed(SUPPORTED.iter().copied());
    if word.is_empty() || SUPPORTED.contains(&word.as_str()) {
        if !word.is_empty() {
            Params::read(
                &written.params,
                path.key("Params"),
                &format!("the `{word}` publisher"),
                &[],
                problems,
            );
        }
        written.kind = word;
        return match written.kind.as_str() {
            "noop" => Publisher::Noop,
            "local" => Publisher::Local,
            _ => Publisher::None,
        };
    }
    let (message, hint) = if NOT_YET.contains(&word.as_str()) {
        (
            format!("publishers of type {} are not supported yet", quoted(&written.kind)),
            format!("supported now are {}", types()),
        )
    } else {
        (
            format!("{} is not a type of publisher", quoted(&written.kind)),
            match nearest(&word, SUPPORTED.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", types()),
            },
        )
    };
    problems.push(Problem::new(path.key("Type"), message).hint(hint));
    Publisher::None
}

pub(super) fn paths(
    task: &manifest::Task,
    sources: &Sources,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<ResultPath> {
    let path = path.key("ResultPaths");
    if !task.result_paths.is_empty() && task.publisher.kind.trim().is_empty() {
        problems.push(
            Problem::new(&path, "result paths need a publisher")
                .hint("add `Publisher: {Type: local}` to the task"),
        );
    }
    let mut names = BTreeSet::new();
    let mut taken: BTreeSet<String> = sources.iter().flatten().map(|input| input.target.clone()).collect();
    let mut results = Vec::with_capacity(task.result_paths.len());
    for (index, written) in task.result_paths.iter().enumerate() {
        let path = path.index(index);
        if written.name.trim().is_empty() {
            problems.push(Problem::new(path.key("Name"), "a result path needs a name"));
        } else if !names.insert(&written.name) {
            let message = format!("{} is the name of another result path, too", quoted(&written.name));
            problems.push(Problem::new(path.key("Name"), message));
        }
        let at = path.key("Path");
        if written.path.trim().is_empty() {
            problems.push(Problem::new(at, "a result path needs a path"));
            continue;
        }
        if !written.path.starts_with('/') {
            let message = format!("{} is not an absolute path", quoted(&written.path));
            problems.push(Problem::new(at, message));
            continue;
        }
        match guest_path::normalise(&written.path) {
            Err(reason) => problems.push(Problem::new(at, format!("{} {reason}", quoted(&written.path)))),
            Ok(normal) if !taken.insert(normal.clone()) => {
                let message = format!("{} is the path of something else, too", quoted(&written.path));
                problems.push(Problem::new(at, message));
            }
            Ok(normal) => results.push(ResultPath { name: written.name.clone(), path: normal }),
        }
    }
    results
}
