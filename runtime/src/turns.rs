//! Whose turn it is to compute.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// How many guests exist, and how many of those compute, at once.
///
/// More guests that compute than cores starve each other and everything beside them, their own clock included: a
/// guest has a turn while it is polled, and gives it back whenever it waits or a tick has passed. Those who ask
/// are served in their order.
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    /// Room in the queue for a place, those who have one included.
    admitted: Arc<Semaphore>,
}

/// A place among the guests that exist. Given back when dropped.
pub(crate) struct Place {
    _admitted: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new(guests_max: u32, guests_queued_max: u32, computing_max: usize) -> Turns {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS)));
        let admitted = u64::from(guests_max) + u64::from(guests_queued_max);
        Turns {
            places: semaphore(guests_max as usize),
            turns: semaphore(computing_max),
            admitted: semaphore(usize::try_from(admitted).unwrap_or(usize::MAX)),
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Error::Busy`] if as many wait as may.
    pub(crate) async fn place(&self) -> Result<Place, Error> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Error::Busy)?;
        // It is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Error::Busy)?;
        Ok(Place { _admitted: admitted, _place: place })
    }

    /// A guest that has no turn yet.
    pub(crate) fn asker(&self) -> Asker {
        Asker { turns: Arc::clone(&self.turns), waiting: None }
    }
}

/// One guest's way to its turns.
pub(crate) struct Asker {
    turns: Arc<Semaphore>,
    waiting: Option<Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>>,
}

impl Asker {
    /// Ready with the turn, which lasts until it is dropped.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        if self.waiting.is_none() {
            if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
                return Poll::Ready(Some(turn));
            }
            let turns = Arc::clone(&self.turns);
            self.waiting = Some(Box::pin(async move { turns.acquire_owned().await.ok() }));
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Pending };
        let turn = ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(turn)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::block_on::block_on;

    #[test]
    fn turns_go_round_in_the_order_they_were_asked_for() {
        let turns = Turns::new(1, 0, 1);
        let mut cx = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (turns.asker(), turns.asker());
        let Poll::Ready(turn) = first.poll(&mut cx) else { panic!("nobody has it") };
        assert!(second.poll(&mut cx).is_pending());
        drop(turn);
        assert!(first.poll(&mut cx).is_pending(), "the other asked before");
        assert!(second.poll(&mut cx).is_ready());
        assert!(first.poll(&mut cx).is_ready());
    }

    #[test]
    fn an_asker_that_goes_away_leaves_its_turn_to_the_next() {
        let turns = Turns::new(1, 0, 1);
        let mut cx = Context::from_waker(Waker::noop());
        let (mut first, mut gone, mut last) = (turns.asker(), turns.asker(), turns.asker());
        let turn = first.poll(&mut cx);
        assert!(gone.poll(&mut cx).is_pending());
        assert!(last.poll(&mut cx).is_pending());
        drop(turn);
        drop(gone);
        assert!(last.poll(&mut cx).is_ready());
    }

    #[test]
    fn so_many_have_a_place_so_many_wait_and_the_next_is_refused() {
        let turns = Turns::new(1, 1, 1);
        let mut cx = Context::from_waker(Waker::noop());
        let first = block_on(turns.place()).unwrap();
        let mut second = Box::pin(turns.place());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        assert!(matches!(block_on(turns.place()), Err(Error::Busy)));
        drop(first);
        assert!(second.as_mut().poll(&mut cx).is_ready());
    }
}
