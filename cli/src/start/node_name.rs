//! What a node is called, for good.

use std::{fs, io, path::Path};

use skrei_job::NodeId;

use crate::{error::Error, terminal};

const FILE_NAME: &str = "node-name";

/// A longer name would not fit into tables, paths and logs.
const NAME_CHARS_MAX: usize = 128;

/// The name kept in the data directory; on first use the one given, or a new one.
///
/// # Errors
/// The name cannot be used, or not be kept.
pub(crate) fn node_name(data_dir: &Path, given: Option<&str>) -> Result<NodeId, Error> {
    if let Some(name) = given {
        check(name)?;
    }
    let path = data_dir.join(FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(kept) if !kept.trim().is_empty() => {
            let kept = kept.trim();
            if let Some(name) = given.filter(|name| *name != kept) {
                terminal::warn(&format!("this node is already called `{kept}`; --name {name} is ignored"));
                terminal::note(&format!(
                    "To rename it, which makes it another node, remove `{}` first.",
                    path.display()
                ));
            }
            return Ok(NodeId::new(kept));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Error::unavailable(format!("`{}` cannot be read: {error}", path.display())));
        }
    }
    let name = given.map_or_else(|| NodeId::from_random(uuid::Uuid::new_v4().into_bytes()), NodeId::new);
    fs::write(&path, format!("{name}\n"))
        .map_err(|error| Error::unavailable(format!("`{}` cannot be written: {error}", path.display())))?;
    Ok(name)
}

fn check(name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(fits) {
        return Err(Error::usage(format!("--name: `{name}` is not a name for a node"))
            .hint("letters, digits, `-`, `_` and `.`, such as `web-1`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_once_given_stays() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(node_name(directory.path(), Some("web-1")).unwrap().as_str(), "web-1");
        assert_eq!(node_name(directory.path(), None).unwrap().as_str(), "web-1");
        assert_eq!(node_name(directory.path(), Some("web-2")).unwrap().as_str(), "web-1");
    }

    #[test]
    fn a_node_without_a_name_gets_one() {
        let directory = tempfile::tempdir().unwrap();
        let name = node_name(directory.path(), None).unwrap();
        assert!(name.as_str().starts_with("n-") && name.as_str().len() == 38, "{name}");
        assert_eq!(node_name(directory.path(), None).unwrap(), name);
        assert!(node_name(directory.path(), Some("a b")).is_err());
    }
}
