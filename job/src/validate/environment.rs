//! Names and values of the guest's environment. Values never appear in a message.

use std::collections::BTreeMap;

use crate::{
    path::Path,
    problem::{Problem, quoted},
};

/// Names that start so are set by the node.
const RESERVED: &str = "BACALHAU_";

pub(super) fn check(env: &BTreeMap<String, String>, path: &Path, problems: &mut Vec<Problem>) {
    for (name, value) in env {
        let path = path.key(name);
        if let Some((message, hint)) = wrong_name(name) {
            problems.push(Problem::new(&path, message).hint(hint));
        }
        if value.is_empty() {
            problems.push(
                Problem::new(&path, "a variable needs a value").hint("remove the line, or give it a value"),
            );
        } else if value.contains('\0') {
            problems.push(Problem::new(&path, "there is a NUL character in the value"));
        } else if value == "env:" {
            problems.push(
                Problem::new(&path, "`env:` names no variable of the node")
                    .hint("write `env:NAME` to take the variable `NAME` of the node"),
            );
        }
    }
}

/// What is wrong with a variable's name, and the way out.
pub(super) fn wrong_name(name: &str) -> Option<(String, String)> {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if name.starts_with(RESERVED) {
        let message = format!("names that start with `{RESERVED}` are set by the node");
        return Some((message, "choose another name".to_owned()));
    }
    if name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(fits) {
        return None;
    }
    let message = format!("{} is not a name of an environment variable here", quoted(name));
    let upper: String = name.to_uppercase().chars().map(|c| if fits(c) { c } else { '_' }).collect();
    let hint = if upper.starts_with(|c: char| c.is_ascii_uppercase()) && upper.len() <= 60 {
        format!("upper-case letters, digits and `_`, a letter first: `{upper}`")
    } else {
        "upper-case letters, digits and `_`, a letter first".to_owned()
    };
    Some((message, hint))
}
