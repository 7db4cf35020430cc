//! YAML 1.2 (and so JSON) as a tree that knows the place of every value.

mod json;
mod node;
mod parse;
mod scalar;
mod size;
mod syntax;
mod write;

pub use node::{Entry, Node, Place, Tree};
pub use parse::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
pub use scalar::{Meaning, Scalar, Style, integer};

use crate::{
    path::{Path, Step},
    problem::{Problem, Problems},
};

/// A parsed document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its outermost value.
    pub root: Node,
}

impl Document {
    /// Parses YAML or JSON as it is; nothing is filled in.
    ///
    /// # Errors
    /// What is wrong with the text: not UTF-8, not YAML, too large, too deep, a key twice, several documents.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Problems> {
        Self::parse_rendered(utf8(text.as_ref())?, &|place| place)
    }

    /// Parses text that was made from a job file; `map` leads from its places to those in the job file.
    pub(crate) fn parse_rendered(text: &str, map: &dyn Fn(Place) -> Place) -> Result<Self, Problems> {
        parse::parse(text, map).or_else(|problems| json::parse(text).ok_or(problems))
    }

    /// The place of a path, or of the nearest value around it, and the value itself if it came from a template
    /// variable. Keys are compared without regard to case.
    pub(crate) fn find(&self, path: &str) -> (Option<Place>, Option<&str>) {
        let mut node = &self.root;
        let mut place = node.at;
        for step in Path::parse(path).steps() {
            let next = match (step, &node.tree) {
                (Step::Key(key), Tree::Map(entries)) => entries
                    .iter()
                    .find(|entry| entry.key.text == *key)
                    .or_else(|| entries.iter().find(|entry| entry.key.text.eq_ignore_ascii_case(key)))
                    .map(|entry| {
                        (&entry.value, if entry.value.is_null() { entry.at } else { entry.value.at })
                    }),
                (Step::Index(index), Tree::List(items)) => items.get(*index).map(|item| (item, item.at)),
                _ => None,
            };
            let Some((found, at)) = next else { return (place, None) };
            node = found;
            place = at.or(place);
        }
        let value = node.scalar().filter(|scalar| scalar.style == Style::Value);
        (place, value.map(|scalar| scalar.text.as_str()))
    }
}

/// The text of a job file.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Problems> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the document has {} bytes, and {MAX_BYTES} is the most", bytes.len());
        return Err(Problem::new("", message).into());
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Problem::new("", "the document is not UTF-8 text from here on")
            .at(Some((line, column)))
            .hint("a compiled module is given to `skrei run`, or named in a job file")
            .into()
    })
}
