//! Which files guests have open.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use super::Descriptors;
use super::quota::Inode;

/// Which files the guests of one runtime have open. A file without a name stays on the disk as long as anybody
/// has it open, so that a quota may not give it back before: two guests that work together could otherwise keep
/// any number of them.
#[derive(Debug)]
pub(crate) struct Handles {
    descriptors: Descriptors,
    /// Held for reading while a file is opened and not yet counted.
    opening: RwLock<()>,
    open: Mutex<BTreeMap<Inode, u32>>,
}

impl Handles {
    pub(crate) fn new(descriptors: Descriptors) -> Handles {
        Handles { descriptors, opening: RwLock::default(), open: Mutex::default() }
    }

    /// What the guests have open together.
    pub(crate) fn descriptors(&self) -> &Descriptors {
        &self.descriptors
    }

    /// To be held from before a file is opened until it is counted.
    pub(super) fn opening(&self) -> RwLockReadGuard<'_, ()> {
        self.opening.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opened(&self, inode: Inode) {
        *self.lock().entry(inode).or_default() += 1;
    }

    /// Says whether that was the last.
    pub(super) fn closed(&self, inode: Inode) -> bool {
        let mut open = self.lock();
        match open.get_mut(&inode) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => {
                open.remove(&inode);
                true
            }
        }
    }

    /// Whether nobody has it open. Nobody can open it any more if it has no name.
    pub(super) fn none(&self, inode: Inode) -> bool {
        let _none_in_between = self.opening.write().unwrap_or_else(PoisonError::into_inner);
        !self.lock().contains_key(&inode)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Inode, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
