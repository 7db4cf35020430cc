//! Secrets of executions: there with the assignment, or asked for when the guest is about to run; opened in memory, given to
//! it, and wiped.
//!
//! Nothing here touches a disk but the node's own [`SealingKey`], which opens what was sealed to this node.

mod coming;
mod desk;
mod opened;
mod redacting;

use std::path::Path;

use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
};
use skrei_vault::{KeyError, Opener, SealingKey};

use desk::Desk;
pub(crate) use opened::Opened;

/// What a node has to do with secrets.
#[derive(Debug)]
pub(crate) struct Secrets {
    node: NodeId,
    key: SealingKey,
    opener: Opener,
    pub(crate) desk: Desk,
}

impl Secrets {
    /// Reads the node's sealing key, or makes one.
    pub(crate) fn open(node: NodeId, path: &Path) -> Result<Self, KeyError> {
        let key = SealingKey::open(path)?;
        Ok(Self { node, key, opener: Opener::default(), desk: Desk::default() })
    }

    /// What others seal to.
    pub(crate) fn sealing_key(&self) -> String {
        self.key.recipient().to_string()
    }
}

fn refusal(message: String, hint: Option<&str>) -> Refusal {
    Refusal { rule: Rule::Secret, message, hint: hint.map(str::to_owned) }
}
