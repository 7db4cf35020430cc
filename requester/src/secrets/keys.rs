//! The keys that secrets are locked with, for as long as the orchestrator runs.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use skrei_vault::{KeyError, KeyRing, Secret};

/// Where the keys of secrets come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file for its owner alone, made if it does not exist. Keys can be rotated while the orchestrator runs.
    File(PathBuf),
    /// The content of such a file, which somebody else keeps.
    Given(Secret),
}

/// The keys in force.
#[derive(Debug)]
pub(crate) struct Keys {
    ring: RwLock<Arc<KeyRing>>,
    file: Option<PathBuf>,
}

impl Keys {
    /// Reads the keys. A file that something was locked with is not made anew where it is missing.
    pub(crate) fn open(source: &KeySource, is_something_locked: bool) -> Result<Self, KeyError> {
        let (ring, file) = match source {
            KeySource::File(path) => (KeyRing::open(path, is_something_locked)?, Some(path.clone())),
            KeySource::Given(content) => (KeyRing::parse(content)?, None),
        };
        Ok(Self { ring: RwLock::new(Arc::new(ring)), file })
    }

    /// The keys as they are now.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether keys can be written back to where they came from.
    pub(crate) fn is_writable(&self) -> bool {
        self.file.is_some()
    }

    /// Puts other keys in force, once they are on the disk.
    pub(crate) fn replace(&self, ring: KeyRing) -> Result<(), KeyError> {
        if let Some(file) = &self.file {
            ring.save(file)?;
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }
}
