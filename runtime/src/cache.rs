//! Compiled modules, kept by the digest of what they were compiled from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::load;

/// Compiled modules by digest, at most a given number, the least recently used going first.
///
/// A digest is compiled by one caller at a time; others asking for the same wait for it. A second, lasting cache
/// belongs behind `compile` in [`get`](Cache::get).
pub(crate) struct Cache<C> {
    modules_max: usize,
    state: Mutex<State<C>>,
}

struct State<C> {
    places: BTreeMap<Arc<str>, Place<C>>,
    uses: u64,
}

struct Place<C> {
    code: Arc<Mutex<Option<Arc<C>>>>,
    last_use: u64,
}

impl<C> Cache<C> {
    pub(crate) fn new(modules_max: usize) -> Cache<C> {
        Cache { modules_max, state: Mutex::new(State { places: BTreeMap::new(), uses: 0 }) }
    }

    /// What is kept under `digest`, or what `compile` gives. A failure is not kept.
    pub(crate) fn get(
        &self,
        digest: &Arc<str>,
        compile: impl FnOnce() -> Result<C, load::Error>,
    ) -> Result<Arc<C>, load::Error> {
        let place = self.place(digest);
        let mut code = lock(&place);
        if let Some(code) = &*code {
            return Ok(Arc::clone(code));
        }
        let compiled = compile().map(Arc::new).inspect_err(|_| self.forget(digest, &place))?;
        Ok(Arc::clone(code.insert(compiled)))
    }

    fn place(&self, digest: &Arc<str>) -> Arc<Mutex<Option<Arc<C>>>> {
        let mut state = lock(&self.state);
        state.uses += 1;
        let last_use = state.uses;
        if let Some(place) = state.places.get_mut(digest) {
            place.last_use = last_use;
            return Arc::clone(&place.code);
        }
        while state.places.len() >= self.modules_max.max(1) {
            let oldest = state.places.iter().min_by_key(|(_, place)| place.last_use);
            let Some(digest) = oldest.map(|(digest, _)| Arc::clone(digest)) else { break };
            state.places.remove(&digest);
        }
        let code = Arc::new(Mutex::new(None));
        state.places.insert(Arc::clone(digest), Place { code: Arc::clone(&code), last_use });
        code
    }

    fn forget(&self, digest: &Arc<str>, place: &Arc<Mutex<Option<Arc<C>>>>) {
        let mut state = lock(&self.state);
        if state.places.get(digest).is_some_and(|kept| Arc::ptr_eq(&kept.code, place)) {
            state.places.remove(digest);
        }
    }
}

/// A panic while compiling leaves an empty place, which is as good as new.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
