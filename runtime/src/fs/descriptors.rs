//! What all guests together may have open.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Errno, Result};

/// What all guests of one runtime have open together: the host's own descriptors are the same, and without them it can
/// neither answer a caller nor write a journal.
#[derive(Clone, Debug)]
pub(crate) struct Descriptors(Arc<Semaphore>);

/// One of them, as long as it is there.
#[derive(Debug)]
pub(crate) struct Slot {
    _one: OwnedSemaphorePermit,
}

impl Descriptors {
    pub(crate) fn new(most: u32) -> Descriptors {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Descriptors(Arc::new(Semaphore::new(most)))
    }

    /// Room for one more. `ENFILE` if there is none.
    pub(crate) fn take(&self) -> Result<Slot> {
        Arc::clone(&self.0).try_acquire_owned().map(Slot::new).map_err(|_| Errno::NFile)
    }

    /// Room for one more, when there is some.
    pub(crate) async fn wait(&self) -> Result<Slot> {
        Arc::clone(&self.0).acquire_owned().await.map(Slot::new).map_err(|_| Errno::NFile)
    }
}

impl Slot {
    fn new(one: OwnedSemaphorePermit) -> Slot {
        Slot { _one: one }
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
