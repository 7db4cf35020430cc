//! Files as streams.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::sync::oneshot;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, Source, StreamConsumer, StreamProducer, StreamResult};

use super::bindings::filesystem::types::ErrorCode;
use super::pace::{BYTES_MAX, Pace};
use crate::component::FileHandle;
use crate::fs::{Errno, Result};

/// Says how a stream ended: well, unless it said otherwise before it went away.
pub(super) struct Ending(Option<oneshot::Sender<std::result::Result<(), ErrorCode>>>);

impl Ending {
    pub(super) fn new(sender: oneshot::Sender<std::result::Result<(), ErrorCode>>) -> Ending {
        Ending(Some(sender))
    }

    pub(super) fn say(&mut self, ended: Result<()>) {
        if let Some(sender) = self.0.take() {
            // Nobody may be listening.
            let _ = sender.send(ended.map_err(ErrorCode::from));
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.say(Ok(()));
    }
}

/// A file being read from a place on. A regular file answers at once.
pub(super) struct FileReader {
    pub(super) file: FileHandle,
    pub(super) offset: u64,
    pub(super) ending: Ending,
    pub(super) pace: Pace,
}

impl<D> StreamProducer<D> for FileReader {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        dst: Destination<'a, u8, BytesMut>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        ready!(self.pace.poll(cx, finish));
        let mut dst = dst.as_direct(store, BYTES_MAX);
        let buffer = dst.remaining();
        if buffer.is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let most = buffer.len().min(BYTES_MAX);
        Poll::Ready(Ok(match self.file.read_at(&mut buffer[..most], self.offset) {
            Ok(0) => StreamResult::Dropped,
            Ok(read) => {
                self.offset = self.offset.saturating_add(read as u64);
                self.pace.moved(read);
                dst.mark_written(read);
                StreamResult::Completed
            }
            Err(errno) => {
                self.ending.say(Err(errno));
                StreamResult::Dropped
            }
        }))
    }
}

/// A file being written from a place on, or at its end.
pub(super) struct FileWriter {
    pub(super) file: FileHandle,
    /// None for the end, wherever that is.
    pub(super) offset: Option<u64>,
    pub(super) ending: Ending,
    pub(super) pace: Pace,
}

impl FileWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let written = match &mut self.offset {
            Some(offset) => {
                let written = self.file.write_at(bytes, *offset)?;
                *offset = offset.saturating_add(written as u64);
                written
            }
            None => self.file.append_now(bytes)?,
        };
        if written == 0 { Err(Errno::Io) } else { Ok(written) }
    }
}

impl<D> StreamConsumer<D> for FileWriter {
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
        if bytes.is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let most = bytes.len().min(BYTES_MAX);
        Poll::Ready(Ok(match self.write(&bytes[..most]) {
            Ok(written) => {
                src.mark_read(written);
                self.pace.moved(written);
                StreamResult::Completed
            }
            Err(errno) => {
                self.ending.say(Err(errno));
                StreamResult::Dropped
            }
        }))
    }
}
