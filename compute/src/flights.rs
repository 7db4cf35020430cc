//! One flight per key: callers who want the same thing at the same time share the work.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};

/// Work in progress, by what it is for. It goes on as long as one caller waits for it.
pub(crate) struct Flights<K, T: Clone> {
    running: Mutex<BTreeMap<K, WeakShared<BoxFuture<'static, T>>>>,
}

impl<K: Ord, T: Clone + Send + Sync + 'static> Flights<K, T> {
    pub(crate) fn new() -> Self {
        Self { running: Mutex::default() }
    }

    /// What the work for `key` comes to: work that runs already, or `work` if none does.
    pub(crate) fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> Shared<BoxFuture<'static, T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = running.get(&key).and_then(WeakShared::upgrade)
            && flight.peek().is_none()
        {
            return flight;
        }
        running.retain(|_, flight| flight.upgrade().is_some());
        let flight = work().boxed().shared();
        if let Some(weak) = flight.downgrade() {
            running.insert(key, weak);
        }
        flight
    }
}

impl<K, T: Clone> std::fmt::Debug for Flights<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}
