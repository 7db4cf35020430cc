//! Putting the values where their tokens are.

use std::collections::BTreeSet;

use super::render::Rendered;
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
            scalar(text, rendered);
        }
        Tree::List(items) => items.iter_mut().for_each(|item| node(item, rendered, problems)),
        Tree::Map(entries) => {
            let mut is_new = false;
            for entry in entries.iter_mut() {
                is_new |= scalar(&mut entry.key, rendered);
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

/// Whether there was a token in it.
fn scalar(target: &mut Scalar, rendered: &Rendered) -> bool {
    if !target.text.contains(&rendered.token) {
        return false;
    }
    let mut parts = target.text.split(&rendered.token);
    let mut filled = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (index, rest) = part.split_once(Rendered::TOKEN_END).unwrap_or(("", part));
        let value = index.parse::<usize>().ok().and_then(|index| rendered.values.get(index));
        filled.push_str(value.map_or("", String::as_str));
        filled.push_str(rest);
    }
    *target = Scalar { text: filled, style: Style::Value };
    true
}
