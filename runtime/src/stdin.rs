//! What a guest reads from standard input.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes asked of a reader at a time.
const CHUNK_BYTES: usize = 8 << 10;

/// What a guest reads from standard input.
pub(crate) struct Stdin {
    reader: Option<Box<dyn AsyncRead + Send + Unpin>>,
    buffer: Vec<u8>,
    consumed: usize,
}

impl Stdin {
    /// Exactly these bytes, then the end.
    pub(crate) fn bytes(bytes: Vec<u8>) -> Stdin {
        Stdin { reader: None, buffer: bytes, consumed: 0 }
    }

    /// What the reader gives, as it gives it.
    pub(crate) fn reader(reader: Box<dyn AsyncRead + Send + Unpin>) -> Stdin {
        Stdin { reader: Some(reader), buffer: Vec::new(), consumed: 0 }
    }

    /// Waits until there is something to read, and says how many bytes can be had without waiting again. 0 is
    /// the end.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let left = self.buffer.len() - self.consumed;
        if left > 0 {
            return Poll::Ready(Ok(left));
        }
        let Some(reader) = &mut self.reader else { return Poll::Ready(Ok(0)) };
        self.buffer.resize(CHUNK_BYTES, 0);
        self.consumed = CHUNK_BYTES;
        let mut chunk = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(reader).poll_read(cx, &mut chunk))?;
        let filled = chunk.filled().len();
        self.buffer.truncate(filled);
        self.consumed = 0;
        if filled == 0 {
            self.reader = None;
        }
        Poll::Ready(Ok(filled))
    }

    /// How many bytes can be had without waiting; `None` if that is not known without waiting. 0 is the end.
    pub(crate) fn peek(&self) -> Option<usize> {
        let left = self.buffer.len() - self.consumed;
        (left > 0 || self.reader.is_none()).then_some(left)
    }

    /// Takes bytes that are ready, as many as fit.
    pub(crate) fn take(&mut self, into: &mut [u8]) -> usize {
        let ready = &self.buffer[self.consumed..];
        let taken = ready.len().min(into.len());
        into[..taken].copy_from_slice(&ready[..taken]);
        self.consumed += taken;
        taken
    }
}
