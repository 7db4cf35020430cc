//! Secrets of a task: names, and where the guest finds them.

use std::collections::{BTreeMap, BTreeSet};

use super::{environment, inputs::Sources};
use crate::{
    guest_path,
    manifest::{self, SecretUse},
    ownership::FileMode,
    path::Path,
    problem::{Problem, quoted},
    secret::{Name, Place, SECRETS_MAX, Use, referenced},
};

/// What a secret's file is given if its job says nothing.
const MODE: &str = "0400";

/// Bits that let somebody write or execute.
const MORE_THAN_READING: u32 = 0o333;

/// The variables whose values are no secrets.
pub(super) fn plain(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let plain = env.iter().filter(|(_, value)| referenced(value).is_none());
    plain.map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(super) fn read(
    task: &manifest::Task,
    sources: &Sources,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut targets = Targets::of(sources);
    let mut variables: BTreeSet<&str> = task.env.keys().map(String::as_str).collect();
    let list = path.key("Secrets");
    for (index, written) in task.secrets.iter().enumerate() {
        let path = list.index(index);
        let name = name(&written.name, &path.key("Name"), problems);
        let place = match (written.target.is_empty(), written.env.is_empty()) {
            (false, true) => file(written, &mut targets, &path, problems),
            (true, false) => variable(written, &mut variables, &path, problems),
            (true, true) => {
                let hint = "`Target: /secrets/NAME` puts it in a file, `Env: NAME` in a variable";
                problems
                    .push(Problem::new(&path, "a secret needs a place where the guest finds it").hint(hint));
                None
            }
            (false, false) => {
                problems.push(
                    Problem::new(path.key("Env"), "a secret is in a file or in a variable, not in both")
                        .hint("name it twice if the guest wants both"),
                );
                None
            }
        };
        uses.extend(name.zip(place).map(|(name, place)| Use { name, place }));
    }
    for (variable, value) in &task.env {
        if let Some(written) = referenced(value) {
            let name = name(written, &path.key("Env").key(variable), problems);
            uses.extend(name.map(|name| Use { name, place: Place::Env { name: variable.clone() } }));
        }
    }
    let names: BTreeSet<&Name> = uses.iter().map(|of_task| &of_task.name).collect();
    if names.len() > SECRETS_MAX {
        problems
            .push(Problem::new(list, format!("a task can have {SECRETS_MAX} secrets, not {}", names.len())));
    }
    uses
}

fn name(written: &str, path: &Path, problems: &mut Vec<Problem>) -> Option<Name> {
    written
        .parse()
        .map_err(|error: crate::secret::NotAName| problems.push(Problem::new(path, error.to_string())))
        .ok()
}

fn file(
    written: &SecretUse,
    targets: &mut Targets,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<Place> {
    let at = path.key("Target");
    let target = match guest_path::normalise(&written.target) {
        Ok(target) => Some(target),
        Err(reason) => {
            problems.push(Problem::new(&at, format!("{} {reason}", quoted(&written.target))));
            None
        }
    };
    let target = target.filter(|target| match targets.take(target) {
        Ok(()) => true,
        Err(message) => {
            let hint = "a directory of its own suits secrets: `/secrets/NAME`";
            problems.push(Problem::new(&at, format!("{} {message}", quoted(&written.target))).hint(hint));
            false
        }
    });
    let mode = if written.mode.is_empty() { MODE } else { written.mode.as_str() };
    let mode = match mode.parse::<FileMode>() {
        Ok(mode) if mode.bits() & MORE_THAN_READING == 0 => Some(mode),
        Ok(_) => {
            let message = format!("{} gives more than reading, and a secret can only be read", quoted(mode));
            problems.push(Problem::new(path.key("Mode"), message).hint("write `0400`, or leave it out"));
            None
        }
        Err(reason) => {
            problems.push(
                Problem::new(path.key("Mode"), format!("{} {}", quoted(mode), reason.0))
                    .hint("octal digits as `chmod` takes them, such as `0400`"),
            );
            None
        }
    };
    target.zip(mode).map(|(target, mode)| Place::File { target, mode })
}

fn variable<'task>(
    written: &'task SecretUse,
    variables: &mut BTreeSet<&'task str>,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<Place> {
    if !written.mode.is_empty() {
        let message = "a variable has no mode";
        problems.push(Problem::new(path.key("Mode"), message).hint("remove the line"));
    }
    if let Some((message, hint)) = environment::wrong_name(&written.env) {
        problems.push(Problem::new(path.key("Env"), message).hint(hint));
        return None;
    }
    if !variables.insert(&written.env) {
        let message = format!("the variable {} has a value already", quoted(&written.env));
        problems.push(Problem::new(path.key("Env"), message));
        return None;
    }
    Some(Place::Env { name: written.env.clone() })
}

/// Guest paths that are taken: what an input has, nothing else can be in.
struct Targets {
    inputs: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Targets {
    fn of(sources: &Sources) -> Self {
        let inputs = sources.iter().flatten().map(|input| input.target.clone()).collect();
        Self { inputs, files: BTreeSet::new() }
    }

    fn take(&mut self, target: &str) -> Result<(), String> {
        if target == "/" {
            return Err("is a directory: a secret is a file".to_owned());
        }
        let parent =
            target.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        // A source may be one file, and others beside it are fine; one that is a directory has all that is in it.
        if self.inputs.contains(target) || self.inputs.contains(parent) {
            return Err("is where an input source is".to_owned());
        }
        if !self.files.insert(target.to_owned()) {
            return Err("is where another secret is".to_owned());
        }
        Ok(())
    }
}
