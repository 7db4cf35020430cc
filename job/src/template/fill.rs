//! Putting the values where their tokens are.

use std::collections::BTreeSet;

use super::render::{Rendered, Value};
use crate::{
    document::{Document, Node, Scalar, Style, Tree},
    problem::{Problem, Problems},
};

/// Replaces every token by its value.
///
/// # Errors
/// Two keys of a map became the same.
pub(super) fn fill(document: &mut Document, rendered: &Rendered) -> Result<(), Problems> {
    let mut problems = Vec::new();
    node(&mut document.root, rendered, &mut problems);
    Problems::check(problems)
}

/// Recursion is as deep as a document may be.
fn node(target: &mut Node, rendered: &Rendered, problems: &mut Vec<Problem>) {
    match &mut target.tree {
        Tree::Scalar(text) => {
            if scalar(text, rendered) == Filled::InPart {
                problems.push(
                    Problem::new("", "a secret is all of a value or none of it")
                        .at(target.at)
                        .hint("give the guest the secret in a variable or file of its own, and let it put the rest together"),
                );
            }
        }
        Tree::List(items) => items.iter_mut().for_each(|item| node(item, rendered, problems)),
        Tree::Map(entries) => {
            let mut is_new = false;
            for entry in entries.iter_mut() {
                match scalar(&mut entry.key, rendered) {
                    Filled::Not => {}
                    Filled::Values => is_new = true,
                    Filled::Secret | Filled::InPart => problems.push(
                        Problem::new("", "a secret is a value, and this is the name of one").at(entry.at),
                    ),
                }
                node(&mut entry.value, rendered, problems);
            }
            if is_new {
                let mut seen = BTreeSet::new();
                let twice = entries.iter().filter(|entry| !seen.insert(&entry.key.text));
                problems.extend(twice.map(|entry| {
                    Problem::new("", "the template variables make this key the same as another")
                        .at(entry.at)
                        .hint("give the variables different values")
                }));
            }
        }
    }
}

/// What was put into a scalar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filled {
    Not,
    Values,
    /// A reference to a secret, and nothing else.
    Secret,
    /// A reference to a secret among other text.
    InPart,
}

fn scalar(target: &mut Scalar, rendered: &Rendered) -> Filled {
    if !target.text.contains(&rendered.token) {
        return Filled::Not;
    }
    let (mut style, mut result) = (Style::Value, Filled::Values);
    let mut parts = target.text.split(&rendered.token);
    let mut filled = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (index, rest) = part.split_once(Rendered::TOKEN_END).unwrap_or(("", part));
        let value = index.parse::<usize>().ok().and_then(|index| rendered.values.get(index));
        match value {
            Some(Value::Text(text)) => filled.push_str(text),
            Some(Value::Secret(name)) if filled.is_empty() && rest.is_empty() => {
                // No value is in it, so that it may be shown.
                (style, result) = (Style::Quoted, Filled::Secret);
                filled.push_str(&name.reference());
            }
            Some(Value::Secret(_)) => result = Filled::InPart,
            None => {}
        }
        filled.push_str(rest);
    }
    if result == Filled::Secret && rendered.is_more_than_one(&target.text) {
        (style, result) = (Style::Value, Filled::InPart);
    }
    *target = Scalar { text: filled, style };
    result
}
