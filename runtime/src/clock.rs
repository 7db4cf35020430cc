//! The thread that keeps time: ticks for guests that compute, wake-ups for guests that wait.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use std::{io, thread};

/// One thread per runtime, so that a guest's time is kept whatever executor runs it, or none.
///
/// It ticks while guests run and sleeps until the next wake-up otherwise.
pub(crate) struct Clock {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Guests running or waiting.
    guests: usize,
    /// Whether the thread stopped ticking for want of guests.
    idle: bool,
    closed: bool,
    /// Who wants to be woken when. The number tells apart two of the same moment.
    alarms: BTreeMap<(Instant, u64), Waker>,
    alarms_set: u64,
}

impl Clock {
    /// Starts the thread, which calls `on_tick` every `tick` while there are guests.
    pub(crate) fn start(tick: Duration, on_tick: impl Fn() + Send + 'static) -> io::Result<Clock> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let clock = Clock { shared: Arc::clone(&shared) };
        thread::Builder::new()
            .name("skrei-clock".to_owned())
            .spawn(move || shared.keep_time(tick, on_tick))?;
        Ok(clock)
    }

    /// Ticks until the returned guard is dropped.
    pub(crate) fn tick(&self) -> Ticking {
        let mut state = self.shared.lock();
        state.guests += 1;
        if std::mem::take(&mut state.idle) {
            self.shared.changed.notify_one();
        }
        Ticking(Arc::clone(&self.shared))
    }

    /// Completes at `when`.
    pub(crate) fn sleep_until(&self, when: Instant) -> Sleep {
        Sleep { shared: Arc::clone(&self.shared), when, alarm: None }
    }
}

impl Clone for Clock {
    fn clone(&self) -> Clock {
        Clock { shared: Arc::clone(&self.shared) }
    }
}

/// Closes the clock: its thread ends. Held once, by the runtime, while clones of the clock are held by guests.
pub(crate) struct Closer(pub(crate) Clock);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.shared.lock().closed = true;
        self.0.shared.changed.notify_one();
    }
}

/// A guest for whom the clock ticks.
pub(crate) struct Ticking(Arc<Shared>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.lock().guests -= 1;
    }
}

/// Completes at a moment.
pub(crate) struct Sleep {
    shared: Arc<Shared>,
    when: Instant,
    alarm: Option<(Instant, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.when {
            return Poll::Ready(());
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let alarm = match self.alarm {
            Some(alarm) => alarm,
            None => {
                state.alarms_set += 1;
                (self.when, state.alarms_set)
            }
        };
        let first = state.alarms.first_key_value().is_none_or(|(first, _)| alarm < *first);
        state.alarms.insert(alarm, cx.waker().clone());
        self.alarm = Some(alarm);
        if first {
            shared.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm {
            self.shared.lock().alarms.remove(&alarm);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding the lock, so what is there is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_time(&self, tick: Duration, on_tick: impl Fn()) {
        let mut next_tick = Instant::now() + tick;
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let due = state.take_due(now);
            if !due.is_empty() {
                drop(state);
                due.into_iter().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            if state.idle {
                next_tick = now + tick;
            } else if now >= next_tick {
                on_tick();
                next_tick = now + tick;
                // Idle only after a whole tick without a guest: one run after another must not pay for waking
                // this thread each time.
                state.idle = state.guests == 0;
            }
            let alarm = state.alarms.first_key_value().map(|((when, _), _)| *when);
            let tick = (!state.idle).then_some(next_tick);
            state = match alarm.into_iter().chain(tick).min() {
                Some(when) => {
                    let wait = when.saturating_duration_since(Instant::now());
                    self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let later = self.alarms.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.alarms, later).into_values().collect()
    }
}

/// A time as guests have it.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::block_on::block_on;

    #[test]
    fn a_sleep_ends_at_its_moment_and_not_before() {
        let clock = Clock::start(Duration::from_millis(10), || {}).unwrap();
        let when = Instant::now() + Duration::from_millis(25);
        block_on(clock.sleep_until(when));
        assert!(Instant::now() >= when);
        assert!(clock.shared.lock().alarms.is_empty());
    }

    #[test]
    fn nothing_ticks_while_there_is_no_guest() {
        let ticks = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&ticks);
        let on_tick = move || {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let clock = Clock::start(Duration::from_millis(1), on_tick).unwrap();
        let ticking = clock.tick();
        thread::sleep(Duration::from_millis(30));
        assert!(ticks.load(Ordering::Relaxed) > 2);
        drop(ticking);
        thread::sleep(Duration::from_millis(20));
        let seen = ticks.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(ticks.load(Ordering::Relaxed), seen);
    }
}
