//! The keys of nodes that were seen before.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use crate::{error::Error, logins::write_private};

/// What the file says of itself.
const HEAD: &str = "# Keys of nodes that secrets were sealed to: ORCHESTRATOR NODE KEY\n";

/// Keys of the nodes of one orchestrator, as they were when they were first seen.
#[derive(Debug)]
pub(super) struct Known {
    path: PathBuf,
    endpoint: String,
    /// By orchestrator and node.
    keys: BTreeMap<(String, String), String>,
    is_changed: bool,
}

impl Known {
    /// Those that are kept below a data directory.
    pub(super) fn open(data_dir: &Path, endpoint: &str) -> Result<Self, Error> {
        let path = data_dir.join("known-nodes");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Error::unavailable(format!("`{}` cannot be read: {error}", path.display())));
            }
        };
        let mut keys = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [endpoint, node, key] => {
                    keys.insert(((*endpoint).to_owned(), (*node).to_owned()), (*key).to_owned());
                }
                // A line that is skipped would let any key in.
                _ => {
                    let message =
                        format!("line {number} of `{}` is not ORCHESTRATOR NODE KEY", path.display());
                    return Err(Error::usage(message).hint("correct or remove the line"));
                }
            }
        }
        Ok(Self { path, endpoint: endpoint.to_owned(), keys, is_changed: false })
    }

    /// Where they are kept.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The key of a node.
    pub(super) fn key(&self, node: &str) -> Option<&str> {
        self.keys.get(&(self.endpoint.clone(), node.to_owned())).map(String::as_str)
    }

    /// Adds one that is seen for the first time.
    pub(super) fn add(&mut self, node: &str, key: &str) {
        self.keys.insert((self.endpoint.clone(), node.to_owned()), key.to_owned());
        self.is_changed = true;
    }

    /// Keeps what was added.
    pub(super) fn save(&self) -> Result<(), Error> {
        if !self.is_changed {
            return Ok(());
        }
        let line =
            |((endpoint, node), key): (&(String, String), &String)| format!("{endpoint} {node} {key}\n");
        let lines: String = self.keys.iter().map(line).collect();
        write_private(&self.path, format!("{HEAD}{lines}").as_bytes())
    }
}
