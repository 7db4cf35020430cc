//! Seeing to it that a run computes in its turn and ends in time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::CancelToken;
use crate::clock::{Clock, Sleep};
use crate::cpu::Cpu;
use crate::guest::Guest;
use crate::run::Stop;
use crate::turns::Asker;

/// Gives a run its turns, counts its processor time, and stops it while it waits, for a turn or for anything else.
/// A guest that computes is stopped by [`Guest::on_tick`].
pub(crate) struct Watch {
    asker: Asker,
    cpu: Cpu,
    cpu_max: Option<Duration>,
    clock: Clock,
    deadline: Option<Instant>,
    cancel: Option<CancelToken>,
    /// Where a guest's own sockets live.
    executor: Option<Handle>,
    /// Made when the run first has to wait: most never do.
    waiting: Option<Waiting>,
}

struct Waiting {
    deadline: Option<Sleep>,
    cancelled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Watch {
    pub(crate) fn new(guest: &Guest, asker: Asker) -> Watch {
        Watch {
            asker,
            cpu: guest.cpu.clone(),
            cpu_max: guest.cpu_max,
            clock: guest.clock.clone(),
            deadline: guest.deadline,
            cancel: guest.cancel.clone(),
            executor: guest.executor(),
            waiting: None,
        }
    }

    /// The run's own end, or why it was stopped; it is dropped then, which ends the guest.
    pub(crate) async fn over<T>(mut self, run: impl Future<Output = T>) -> Result<T, Stop> {
        let mut run = pin!(run);
        poll_fn(|cx| {
            if let Poll::Ready(turn) = self.asker.poll(cx) {
                self.cpu.begin();
                let _entered = self.executor.as_ref().map(Handle::enter);
                let polled = run.as_mut().poll(cx);
                self.cpu.end();
                drop(turn);
                if let Poll::Ready(ended) = polled {
                    return Poll::Ready(Ok(ended));
                }
                // One that never computes for a whole tick is never looked at in between.
                if self.cpu_max.is_some_and(|most| self.cpu.used() >= most) {
                    return Poll::Ready(Err(Stop::CpuTime));
                }
            }
            self.poll_stop(cx).map(Err)
        })
        .await
    }

    fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        let Watch { clock, deadline, cancel, waiting, .. } = self;
        let waiting = waiting.get_or_insert_with(|| Waiting {
            deadline: deadline.map(|deadline| clock.sleep_until(deadline)),
            cancelled: cancel.as_ref().map(|token| Box::pin(token.cancelled()) as _),
        });
        if let Some(deadline) = &mut waiting.deadline
            && Pin::new(deadline).poll(cx).is_ready()
        {
            return Poll::Ready(Stop::Deadline);
        }
        if let Some(cancelled) = &mut waiting.cancelled
            && cancelled.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Stop::Cancelled);
        }
        Poll::Pending
    }
}
