//! Standard input, output and error as streams.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{stderr, stdin, stdout};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

use super::file_stream::{BYTES_MAX, permit};
use crate::Stream;
use crate::fs::Errno;
use crate::guest::Guest;
use crate::output::Output;
use crate::share::Share;
use crate::stdin::Stdin;

impl stdin::Host for Guest {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(Input { stdin: self.stdin.clone(), failed: None });
        Ok(self.holdings.resources.push(stream)?)
    }
}

impl stdout::Host for Guest {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.output_stream(Stream::Stdout)
    }
}

impl stderr::Host for Guest {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.output_stream(Stream::Stderr)
    }
}

impl Guest {
    fn output_stream(&mut self, stream: Stream) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(Writer { output: self.output.clone(), stream });
        Ok(self.holdings.resources.push(stream)?)
    }
}

/// Standard input, as far as one stream of the guest knows it.
struct Input {
    stdin: Share<Stdin>,
    /// What went wrong while the guest waited; it hears of it when it reads.
    failed: Option<io::Error>,
}

impl Input {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.failed.is_some() {
            return Poll::Ready(());
        }
        self.stdin.lock().poll_ready(cx).map(|ready| self.failed = ready.err())
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll_ready(cx)).await;
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, bytes: usize) -> StreamResult<Bytes> {
        // There may be something by now, whether the guest waited for it or not.
        let waits = self.poll_ready(&mut Context::from_waker(Waker::noop())).is_pending();
        if let Some(error) = self.failed.take() {
            return Err(StreamError::LastOperationFailed(Errno::from(error).into()));
        }
        let mut stdin = self.stdin.lock();
        match stdin.peek() {
            _ if waits => Ok(Bytes::new()),
            Some(0) => Err(StreamError::Closed),
            ready => {
                let mut taken = vec![0; bytes.min(BYTES_MAX).min(ready.unwrap_or(0))];
                stdin.take(&mut taken);
                Ok(taken.into())
            }
        }
    }
}

/// Standard output or standard error.
struct Writer {
    output: Share<Output>,
    stream: Stream,
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        permit(bytes.len(), BYTES_MAX)?;
        if !bytes.is_empty() {
            self.output.lock().write(self.stream, &bytes);
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(BYTES_MAX)
    }
}
