//! A file that exists for the guest alone: what it writes there is handed to the embedder.

use std::fmt;
use std::io::{IoSlice, SeekFrom};
use std::sync::Arc;

use super::{Errno, Kind, Open, Result, Stat};

/// Takes what a guest writes to a channel; see [`Mount::channel`](crate::Mount::channel).
pub trait ChannelSink: Send + Sync {
    /// Called once per write of the guest, in order, with the bytes of that write unchanged. They are the guest's:
    /// anything may be in them, and any amount up to 16 MiB.
    ///
    /// The call comes on the guest's thread and must not block: while it does, no limit can end the run.
    fn write(&self, bytes: &[u8]);
}

/// An open channel, or one that can be opened. It takes every write whole, holds nothing, and is always empty.
#[derive(Clone)]
pub(crate) struct Channel {
    sink: Arc<dyn ChannelSink>,
    /// Its number in the run.
    inode: u64,
}

impl Channel {
    pub(super) fn new(sink: Arc<dyn ChannelSink>) -> Channel {
        Channel { sink, inode: 0 }
    }

    pub(super) fn numbered(self, inode: u64) -> Channel {
        Channel { inode, ..self }
    }

    /// Opens it again, if only to write to it. `EACCES` for reading, as of a file that gives the right to write only.
    pub(super) fn open(&self, open: &Open) -> Result<Channel> {
        open.permit(Some(Kind::Regular), super::Mode::ReadWrite)?;
        // A descriptor without any right asks for nothing, and is used to look at the file.
        if open.read && !open.write { Err(Errno::Access) } else { Ok(self.clone()) }
    }

    pub(super) fn write(&self, buffers: &[IoSlice<'_>]) -> usize {
        buffers.iter().map(|buffer| self.write_one(buffer)).sum()
    }

    pub(super) fn write_one(&self, buffer: &[u8]) -> usize {
        if !buffer.is_empty() {
            self.sink.write(buffer);
        }
        buffer.len()
    }

    /// There is one place in it, the end.
    pub(super) fn seek(_to: SeekFrom) -> u64 {
        0
    }

    pub(super) fn stat(&self) -> Stat {
        Stat::made_up(Kind::Regular, self.inode)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}
