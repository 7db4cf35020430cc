//! What a run has, and streams and timers of its guest with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A thing with more than one owner, all of them of one run: a guest is polled on one thread at a time, so that nobody
/// waits for the lock.
pub(crate) struct Share<T>(Arc<Mutex<T>>);

impl<T> Share<T> {
    pub(crate) fn new(thing: T) -> Share<T> {
        Share(Arc::new(Mutex::new(thing)))
    }

    /// The thing itself, not to be kept over an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Share<T> {
    fn default() -> Share<T> {
        Share::new(T::default())
    }
}

impl<T> Clone for Share<T> {
    fn clone(&self) -> Share<T> {
        Share(Arc::clone(&self.0))
    }
}
