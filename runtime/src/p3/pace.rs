//! Giving way in between, so that a stream keeps nobody from looking at the time.

use std::task::{Context, Poll};

/// Bytes moved at a time; the stream goes on.
pub(super) const BYTES_MAX: usize = 64 << 10;

/// Bytes that a stream moves before it gives way: a fraction of a millisecond's work.
const BYTES_AT_ONCE: usize = 256 << 10;

/// Has one end of a stream give way now and then.
///
/// Where both ends are the host's, a stream goes on without the guest for as long as each has something for the other:
/// without this to its end, and no limit would be looked at before.
#[derive(Debug, Default)]
pub(super) struct Pace {
    moved: usize,
}

impl Pace {
    /// Waits for nothing but a turn, if there has been enough. One that is asked to finish does.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, finish: bool) -> Poll<()> {
        if self.moved < BYTES_AT_ONCE || finish {
            return Poll::Ready(());
        }
        self.moved = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// So many bytes went through.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(bytes);
    }
}
