//! Changes for which nobody waits: they go to the disk along with the next one for which somebody does.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::writer::Change;

/// How long one waits for a change to go along with. A flush takes about as long: by itself it would only be in the way.
pub(crate) const WAIT: Duration = Duration::from_millis(5);

/// More than so many do not wait.
const CHANGES_MAX: usize = 256;

/// What waits to go along, in the order it came.
#[derive(Debug, Default)]
pub(crate) struct Along(Mutex<Vec<Change>>);

/// What becomes of a change that was to go along.
#[derive(Debug)]
pub(crate) enum Joined {
    /// It is the first that waits: somebody has to see to it that it does not wait for ever.
    First,
    /// It waits with others.
    Later,
    /// Too many wait; it is to join again after they were flushed.
    Full(Change),
}

impl Along {
    pub(crate) fn join(&self, change: Change) -> Joined {
        let mut waiting = self.waiting();
        if waiting.len() == CHANGES_MAX {
            return Joined::Full(change);
        }
        waiting.push(change);
        if waiting.len() == 1 { Joined::First } else { Joined::Later }
    }

    /// Puts what waits before the changes of this batch: whoever queued one of these may have let one of those go along
    /// before it.
    pub(crate) fn go_before(&self, batch: &mut Vec<Change>) {
        batch.splice(0..0, self.waiting().drain(..));
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Change>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
