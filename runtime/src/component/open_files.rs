//! How much a component has open.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fs::{Descriptors, Errno, Result, Slot};

/// How many files, directories, sockets and connections a guest may have open.
#[derive(Clone)]
pub(crate) struct OpenFiles {
    of_guest: Arc<Semaphore>,
    /// What all guests have open; files and directories see to that themselves.
    of_all: Descriptors,
}

/// One open file, directory, socket or connection, as long as it is there.
pub(crate) struct Permit {
    _one: OwnedSemaphorePermit,
    _slot: Option<Slot>,
}

impl OpenFiles {
    pub(super) fn new(most: u32, of_all: Descriptors) -> OpenFiles {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        OpenFiles { of_guest: Arc::new(Semaphore::new(most)), of_all }
    }

    /// Room for one more file or directory. `EMFILE` if there is none.
    pub(crate) fn take(&self) -> Result<Permit> {
        let one = Arc::clone(&self.of_guest).try_acquire_owned().map_err(|_| Errno::MFile)?;
        Ok(Permit { _one: one, _slot: None })
    }

    /// Room for one more socket or connection. `EMFILE` if there is none, `ENFILE` if the guests have too many together.
    pub(crate) fn take_connection(&self) -> Result<Permit> {
        let permit = self.take()?;
        Ok(Permit { _slot: Some(self.of_all.take()?), ..permit })
    }

    /// The same, when there is room.
    pub(super) async fn wait_for_connection(&self) -> Result<Permit> {
        let one = Arc::clone(&self.of_guest).acquire_owned().await.map_err(|_| Errno::MFile)?;
        Ok(Permit { _one: one, _slot: Some(self.of_all.wait().await?) })
    }
}
