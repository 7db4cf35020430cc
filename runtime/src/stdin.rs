//! What a guest reads from standard input.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes asked of a reader at a time.
const CHUNK_BYTES: usize = 8 << 10;

/// Streams that are remembered as waiting: more than a guest has that does not begin to wait over and over.
const WAITING_MAX: usize = 64;

/// What a guest reads from standard input.
pub(crate) struct Stdin {
    reader: Option<Reader>,
    buffer: Vec<u8>,
    consumed: usize,
}

struct Reader {
    from: Box<dyn AsyncRead + Send + Unpin>,
    /// Whom it wakes: it knows one waker alone.
    waiting: Arc<Waiting>,
}

/// Those of a guest's streams that wait for the same standard input.
#[derive(Default)]
struct Waiting(Mutex<Vec<Waker>>);

impl Stdin {
    /// Exactly these bytes, then the end.
    pub(crate) fn bytes(bytes: Vec<u8>) -> Stdin {
        Stdin { reader: None, buffer: bytes, consumed: 0 }
    }

    /// What the reader gives, as it gives it.
    pub(crate) fn reader(reader: Box<dyn AsyncRead + Send + Unpin>) -> Stdin {
        let reader = Reader { from: reader, waiting: Arc::default() };
        Stdin { reader: Some(reader), buffer: Vec::new(), consumed: 0 }
    }

    /// Waits until there is something to read, and says how many bytes can be had without waiting again. 0 is
    /// the end.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let left = self.buffer.len() - self.consumed;
        if left > 0 {
            return Poll::Ready(Ok(left));
        }
        let Some(Reader { from, waiting }) = &mut self.reader else { return Poll::Ready(Ok(0)) };
        waiting.add(cx.waker());
        let waker = Waker::from(Arc::clone(waiting));
        self.buffer.resize(CHUNK_BYTES, 0);
        self.consumed = CHUNK_BYTES;
        let mut chunk = ReadBuf::new(&mut self.buffer);
        let read = ready!(Pin::new(from).poll_read(&mut Context::from_waker(&waker), &mut chunk));
        // Whoever else waits looks for itself.
        waiting.wake_all_but(Some(cx.waker()));
        read?;
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

impl Waiting {
    fn add(&self, waker: &Waker) {
        let mut wakers = self.lock();
        if wakers.iter().any(|known| known.will_wake(waker)) {
            return;
        }
        let is_full = wakers.len() >= WAITING_MAX;
        wakers.push(waker.clone());
        drop(wakers);
        if is_full {
            // Those that are still there come back.
            self.wake_all_but(None);
        }
    }

    fn wake_all_but(&self, this: Option<&Waker>) {
        let wakers = std::mem::take(&mut *self.lock());
        let others = wakers.into_iter().filter(|waker| !this.is_some_and(|this| this.will_wake(waker)));
        others.for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_all_but(None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn all_who_wait_are_woken_and_not_the_last_alone() {
        let (mut writer, reader) = tokio::io::duplex(64);
        let mut stdin = Stdin::reader(Box::new(reader));
        let counts = [(); 3].map(|()| Arc::new(Count::default()));
        for count in &counts {
            let waker = Waker::from(Arc::clone(count));
            assert!(stdin.poll_ready(&mut Context::from_waker(&waker)).is_pending());
        }
        crate::block_on::block_on(writer.write_all(b"x")).unwrap();
        for count in &counts {
            assert!(count.0.load(Ordering::Relaxed) > 0);
        }
        assert!(matches!(stdin.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(1))));
    }
}
