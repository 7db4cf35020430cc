//! What is kept of a run: the publisher and the paths it collects.

use std::collections::BTreeSet;

use super::{
    inputs::Sources,
    params::{self, Params},
    remote,
};
use crate::{
    guest_path,
    manifest::{self, Typed},
    path::Path,
    problem::{Problem, listed, nearest, quoted},
    publication::{self, Encoding, Publication},
    spec::{Publisher, ResultPath},
};

pub(crate) const SUPPORTED: &[&str] = &["local", "s3", "noop"];
const NOT_YET: &[&str] = &["s3managed", "ipfs"];

pub(crate) const BUCKET: &[&str] = &["Bucket", "Key", "Region", "Endpoint", "Encoding"];

pub(crate) const ENCODINGS: &[&str] = &["gzip", "plain"];

/// Files of every result, beside the result paths.
const RUN_FILES: &[&str] = &["stdout", "stderr", "exitCode"];

/// What file systems take.
const NAME_BYTES_MAX: usize = 255;

/// Each is a directory and two mounts.
const RESULT_PATHS_MAX: usize = 100;

const NAME_HINT: &str = "results are unpacked into a directory of this name, such as `outputs`";

pub(super) fn publisher(written: &mut Typed, path: &Path, problems: &mut Vec<Problem>) -> Publisher {
    let word = written.kind.trim().to_lowercase();
    let types = || listed(SUPPORTED.iter().copied());
    if word == "s3" {
        written.kind = word;
        params::canonical(&mut written.params, BUCKET);
        return publication(written, path.key("Params"), problems).map_or(Publisher::None, Publisher::Bucket);
    }
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

fn publication(written: &Typed, path: Path, problems: &mut Vec<Problem>) -> Option<Publication> {
    let params = Params::read(&written.params, path, "the `s3` publisher", BUCKET, problems);
    let bucket = remote::bucket(&params, problems);
    let key =
        params.required("Key", "where in the bucket, such as `results/{jobID}/{executionID}`", problems);
    if let Some(unknown) = key.as_deref().and_then(publication::unknown_placeholder) {
        problems.push(
            Problem::new(params.path("Key"), format!("{} stands for nothing", quoted(unknown)))
                .hint("known are `{jobID}`, `{executionID}`, `{nodeID}`, `{date}` and `{time}`"),
        );
        return None;
    }
    let encoding =
        match remote::text(&params, "Encoding", problems).map(|word| word.trim().to_lowercase()).as_deref() {
            None | Some("gzip") => Encoding::Gzip,
            Some("plain") => Encoding::Plain,
            Some(other) => {
                let hint = format!("the encodings are {}", listed(ENCODINGS.iter().copied()));
                let message = format!("{} is not an encoding", quoted(other));
                problems.push(Problem::new(params.path("Encoding"), message).hint(hint));
                return None;
            }
        };
    Some(Publication { bucket: bucket?, key: key?, encoding })
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
    if task.result_paths.len() > RESULT_PATHS_MAX {
        problems.push(Problem::new(&path, format!("there are more than {RESULT_PATHS_MAX} result paths")));
    }
    let mut taken: BTreeSet<String> = sources.iter().flatten().map(|input| input.target.clone()).collect();
    let mut results = Vec::with_capacity(task.result_paths.len());
    for (index, written) in task.result_paths.iter().enumerate() {
        let path = path.index(index);
        if written.name.trim().is_empty() {
            problems.push(Problem::new(path.key("Name"), "a result path needs a name"));
        } else if let Err(reason) = directory_name(&written.name) {
            let message = format!("{} {reason}", quoted(&written.name));
            problems.push(Problem::new(path.key("Name"), message).hint(NAME_HINT));
        } else if !names.insert(written.name.to_lowercase()) {
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

/// The name of a result path becomes a directory wherever results are unpacked.
fn directory_name(name: &str) -> Result<(), &'static str> {
    if matches!(name, "." | "..") || name.contains(['/', '\\', ':']) || name.chars().any(char::is_control) {
        return Err("is no plain name of a directory");
    }
    if name.len() > NAME_BYTES_MAX {
        return Err("is too long for the name of a directory");
    }
    if RUN_FILES.iter().any(|file| file.eq_ignore_ascii_case(name)) {
        return Err("is the name of a file that all results have");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_plain_directory_beside_the_files_that_all_results_have() {
        for name in ["outputs", "a b", "ä", ".hidden", "stdout.d"] {
            assert_eq!(directory_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for name in ["..", ".", "../x", "a/b", "/a", "a\\b", "c:", "a\0", "a\nb", "stdout", "ExitCode", &long]
        {
            assert!(directory_name(name).is_err(), "{name}");
        }
    }
}
