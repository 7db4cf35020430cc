//! A stream that is led through the host, so that it gives way in between.
//!
//! Where both ends of a stream are the host's and one of them is wasmtime's own, neither keeps our [`Pace`]: two sockets that
//! are connected to each other, and whose other sides are quick, would go on for as long as they like.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, BytesMut};
use wasmtime::component::{Destination, Source, StreamConsumer, StreamProducer, StreamReader, StreamResult};
use wasmtime::{AsContextMut as _, StoreContextMut};

use super::pace::{BYTES_MAX, Pace};
use crate::guest::Guest;
use crate::share::Share;

/// What lies between the two ends.
#[derive(Default)]
struct Between {
    bytes: BytesMut,
    /// No more comes in.
    ended: bool,
    /// Nobody takes any more out.
    closed: bool,
    /// Who waits for room, or for bytes: never both.
    waiting: Option<Waker>,
}

/// The same stream, with a rest at each [`BYTES_MAX`] bytes.
pub(super) fn led(
    store: &mut StoreContextMut<'_, Guest>,
    data: StreamReader<u8>,
) -> wasmtime::Result<StreamReader<u8>> {
    let between = Share::new(Between::default());
    data.pipe(store.as_context_mut(), Intake { between: between.clone(), pace: Pace::default() })?;
    StreamReader::new(store.as_context_mut(), Outlet { between, pace: Pace::default() })
}

impl Between {
    fn wake(&mut self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Waits, unless it was asked to finish.
    fn wait(&mut self, cx: &mut Context<'_>, finish: bool) -> Poll<wasmtime::Result<StreamResult>> {
        if finish {
            return Poll::Ready(Ok(StreamResult::Cancelled));
        }
        self.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Takes what comes in.
struct Intake {
    between: Share<Between>,
    pace: Pace,
}

impl<D> StreamConsumer<D> for Intake {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        src: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        ready!(self.pace.poll(cx, finish));
        let between = self.between.clone();
        let mut between = between.lock();
        if between.closed {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        if !between.bytes.is_empty() {
            return between.wait(cx, finish);
        }
        let mut src = src.as_direct(store);
        let taken = src.remaining().len().min(BYTES_MAX);
        if taken > 0 {
            between.bytes.extend_from_slice(&src.remaining()[..taken]);
            src.mark_read(taken);
            self.pace.moved(taken);
            between.wake();
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let mut between = self.between.lock();
        between.ended = true;
        between.wake();
    }
}

/// Gives what came in.
struct Outlet {
    between: Share<Between>,
    pace: Pace,
}

impl<D> StreamProducer<D> for Outlet {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        dst: Destination<'a, u8, BytesMut>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        ready!(self.pace.poll(cx, finish));
        let between = self.between.clone();
        let mut between = between.lock();
        if between.bytes.is_empty() {
            return if between.ended {
                Poll::Ready(Ok(StreamResult::Dropped))
            } else {
                between.wait(cx, finish)
            };
        }
        // A read of nothing asks whether there is something, and there is.
        if dst.remaining(store.as_context_mut()) != Some(0) {
            let mut dst = dst.as_direct(store, BYTES_MAX);
            let given = dst.remaining().len().min(between.bytes.len());
            dst.remaining()[..given].copy_from_slice(&between.bytes[..given]);
            between.bytes.advance(given);
            dst.mark_written(given);
            self.pace.moved(given);
            if between.bytes.is_empty() {
                between.wake();
            }
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut between = self.between.lock();
        between.closed = true;
        between.wake();
    }
}
