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

    /// Reads something and opens it with the keys in force. If it fails, and others have taken their place meanwhile, it is done
    /// anew: what was read may have been locked again in between.
    pub(crate) fn in_force<T, E>(&self, open: impl Fn(&KeyRing) -> Result<T, E>) -> Result<T, E> {
        loop {
            let ring = self.ring();
            match open(&ring) {
                Err(_) if !Arc::ptr_eq(&ring, &self.ring()) => {}
                opened => return opened,
            }
        }
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

#[cfg(test)]
mod tests {
    use skrei_vault::Context;

    use super::*;

    #[test]
    fn what_is_locked_again_while_it_is_opened_opens_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let keys = Keys::open(&KeySource::File(directory.path().join("keys")), false).unwrap();
        let context = Context::new("test");
        let stored = keys.ring().lock(&Secret::from(b"value".as_slice()), &context).unwrap();
        let stored = std::cell::RefCell::new(stored);
        let tries = std::cell::Cell::new(0);
        let opened = keys.in_force(|ring| {
            let read = stored.borrow().clone();
            tries.set(tries.get() + 1);
            if tries.get() == 1 {
                // A whole rotation comes between what was read and its key.
                keys.replace(keys.ring().with_new_key().unwrap()).unwrap();
                let again = keys.ring().lock_again(&read, &context).unwrap().unwrap();
                stored.replace(again);
                keys.replace(keys.ring().without_older_keys()).unwrap();
                return keys.ring().unlock(&read, &context);
            }
            ring.unlock(&read, &context)
        });
        assert_eq!((opened.unwrap().expose().as_slice(), tries.get()), (b"value".as_slice(), 2));

        // What no key opens is not tried for ever.
        let other = KeyRing::generate().unwrap().lock(&Secret::from(b"value".as_slice()), &context).unwrap();
        assert!(keys.in_force(|ring| ring.unlock(&other, &context)).is_err());
    }
}
