//! What all guests together may have open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Errno, Result};

/// What all guests of one runtime have open together: the host's own descriptors are the same, and without them it can
/// neither answer a caller nor write a journal.
#[derive(Clone, Debug)]
pub(crate) struct Descriptors {
    open: Arc<AtomicU32>,
    most: u32,
}

/// One of them, as long as it is there.
#[derive(Debug)]
pub(crate) struct Slot(Arc<AtomicU32>);

impl Descriptors {
    pub(crate) fn new(most: u32) -> Descriptors {
        Descriptors { open: Arc::default(), most }
    }

    /// Room for one more. `ENFILE` if there is none.
    pub(crate) fn take(&self) -> Result<Slot> {
        let one_more = |open: u32| (open < self.most).then(|| open + 1);
        match self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Slot(Arc::clone(&self.open))),
            Err(_) => Err(Errno::NFile),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_at_once_and_for_another_when_one_is_gone() {
        let descriptors = Descriptors::new(2);
        let of_another_guest = descriptors.clone();
        let (first, _second) = (descriptors.take().unwrap(), of_another_guest.take().unwrap());
        assert_eq!(descriptors.take().err(), Some(Errno::NFile));
        drop(first);
        assert!(descriptors.take().is_ok());
    }
}
