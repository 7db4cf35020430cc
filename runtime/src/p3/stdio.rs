//! Standard input, output and error as streams.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Destination, FutureReader, Source, StreamConsumer, StreamProducer, StreamReader, StreamResult,
};
use wasmtime::{AsContextMut as _, StoreContextMut};
use wasmtime_wasi::p3::bindings::cli::types::ErrorCode;
use wasmtime_wasi::p3::bindings::cli::{stderr, stdin, stdout, types};

use super::Own;
use super::pace::{BYTES_MAX, Pace};
use crate::Stream;
use crate::guest::Guest;
use crate::output::Output;
use crate::share::Share;
use crate::stdin::Stdin;

type Ended = FutureReader<Result<(), ErrorCode>>;

impl types::Host for Guest {}
impl stdin::Host for Guest {}
impl stdout::Host for Guest {}
impl stderr::Host for Guest {}

impl<U> stdin::HostWithStore<U> for Own {
    fn read_via_stream(mut store: Access<'_, U, Self>) -> wasmtime::Result<(StreamReader<u8>, Ended)> {
        let stdin = store.get().stdin.clone();
        let (failed, failure) = oneshot::channel();
        let stream =
            StreamReader::new(&mut store, Reader { stdin, failed: Some(failed), pace: Pace::default() })?;
        let ended = FutureReader::new(&mut store, async {
            // Whoever goes away without a word had nothing to say.
            wasmtime::error::Ok(failure.await.map_or(Ok(()), Err))
        })?;
        Ok((stream, ended))
    }
}

impl<U> stdout::HostWithStore<U> for Own {
    fn write_via_stream(store: Access<'_, U, Self>, data: StreamReader<u8>) -> wasmtime::Result<Ended> {
        write(store, data, Stream::Stdout)
    }
}

impl<U> stderr::HostWithStore<U> for Own {
    fn write_via_stream(store: Access<'_, U, Self>, data: StreamReader<u8>) -> wasmtime::Result<Ended> {
        write(store, data, Stream::Stderr)
    }
}

fn write<U>(
    mut store: Access<'_, U, Own>,
    data: StreamReader<u8>,
    stream: Stream,
) -> wasmtime::Result<Ended> {
    let output = store.get().output.clone();
    let (over, ended) = oneshot::channel::<()>();
    data.pipe(&mut store, Writer { output, stream, pace: Pace::default(), _over: over })?;
    FutureReader::new(&mut store, async {
        // Output takes any number of bytes; this is over when the guest ends its stream.
        let _ = ended.await;
        wasmtime::error::Ok(Ok(()))
    })
}

/// Gives standard input to the guest.
struct Reader {
    stdin: Share<Stdin>,
    failed: Option<oneshot::Sender<ErrorCode>>,
    pace: Pace,
}

impl<D> StreamProducer<D> for Reader {
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
        let stdin = self.stdin.clone();
        let mut stdin = stdin.lock();
        match stdin.poll_ready(cx) {
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(0)) => return Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(_)) => {
                if let Some(failed) = self.failed.take() {
                    // Nobody may be listening.
                    let _ = failed.send(ErrorCode::Io);
                }
                return Poll::Ready(Ok(StreamResult::Dropped));
            }
        }
        // A read of nothing asks whether there is something, and there is.
        if dst.remaining(store.as_context_mut()) != Some(0) {
            let mut dst = dst.as_direct(store, BYTES_MAX);
            let room = dst.remaining();
            let most = room.len().min(BYTES_MAX);
            let taken = stdin.take(&mut room[..most]);
            self.pace.moved(taken);
            dst.mark_written(taken);
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Takes standard output or standard error from the guest.
struct Writer {
    output: Share<Output>,
    stream: Stream,
    pace: Pace,
    /// Says that it is over by going away.
    _over: oneshot::Sender<()>,
}

impl<D> StreamConsumer<D> for Writer {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        src: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        ready!(self.pace.poll(cx, finish));
        let mut src = src.as_direct(store);
        let bytes = src.remaining();
        let written = bytes.len().min(BYTES_MAX);
        if written > 0 {
            self.output.lock().write(self.stream, &bytes[..written]);
            src.mark_read(written);
            self.pace.moved(written);
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
