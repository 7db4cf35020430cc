//! Anything the guest has open that has content: a host file, a channel, or a file of memory.

use std::io::{IoSlice, SeekFrom};

use rustix::fs::Advice;

use super::channel::Channel;
use super::file::HostFile;
use super::memory::MemoryFile;
use super::{Errno, Result, Stat, Times};

/// Anything the guest has open that has content. To the guest all are regular files.
pub(crate) enum File {
    /// A regular file of the host's.
    Host(HostFile),
    /// A file that exists for the guest alone, and takes what is written.
    Channel(Channel),
    /// A file that exists for the guest alone, and is read.
    Memory(MemoryFile),
}

impl File {
    pub(crate) fn readable(&self) -> bool {
        match self {
            File::Host(file) => file.readable(),
            File::Channel(_) => false,
            File::Memory(file) => file.readable(),
        }
    }

    pub(crate) fn writable(&self) -> bool {
        match self {
            File::Host(file) => file.writable(),
            File::Channel(_) => true,
            File::Memory(_) => false,
        }
    }

    pub(crate) fn append(&self) -> bool {
        match self {
            File::Host(file) => file.append(),
            File::Channel(_) => true,
            File::Memory(_) => false,
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            File::Host(file) => file.read(buffer),
            File::Channel(_) => Err(Errno::BadF),
            File::Memory(file) => file.read(buffer),
        }
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        match self {
            File::Host(file) => file.read_at(buffer, offset),
            File::Channel(_) => Err(Errno::BadF),
            File::Memory(file) => file.read_at(buffer, offset),
        }
    }

    pub(crate) fn write(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        match self {
            File::Host(file) => file.write(buffers),
            File::Channel(channel) => Ok(channel.write(buffers)),
            File::Memory(_) => Err(Errno::BadF),
        }
    }

    /// Writes at `offset`; as on Linux, a descriptor that appends does so whatever the offset.
    pub(crate) fn write_at(&self, buffer: &[u8], offset: u64) -> Result<usize> {
        match self {
            File::Host(file) => file.write_at(buffer, offset),
            File::Channel(channel) => Ok(channel.write_one(buffer)),
            File::Memory(_) => Err(Errno::BadF),
        }
    }

    /// Writes at the end, wherever that is when it happens, through a descriptor that does not append by itself.
    pub(crate) fn append_now(&self, buffer: &[u8]) -> Result<usize> {
        match self {
            File::Host(file) => file.append_now(buffer),
            File::Channel(channel) => Ok(channel.write_one(buffer)),
            File::Memory(_) => Err(Errno::BadF),
        }
    }

    /// Whether each write reaches the disk before it returns: with all metadata, and with what it takes to read it.
    pub(crate) fn syncs(&self) -> (bool, bool) {
        match self {
            File::Host(file) => file.syncs(),
            File::Channel(_) | File::Memory(_) => (false, false),
        }
    }

    pub(crate) fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match self {
            File::Host(file) => file.seek(to),
            File::Channel(_) => Ok(Channel::seek(to)),
            File::Memory(file) => file.seek(to),
        }
    }

    /// Makes writes append, or stop appending; to a channel they always do.
    pub(crate) fn set_append(&mut self, append: bool) -> Result<()> {
        match self {
            File::Host(file) => file.set_append(append),
            File::Channel(_) | File::Memory(_) => Ok(()),
        }
    }

    /// Cuts the file or extends it with zeros. `EBADF` on a descriptor not open for writing.
    pub(crate) fn set_size(&self, bytes: u64) -> Result<()> {
        match self {
            File::Host(file) => file.set_size(bytes),
            // It is empty as it is.
            File::Channel(_) if bytes == 0 => Ok(()),
            File::Channel(_) => Err(Errno::Inval),
            File::Memory(_) => Err(Errno::BadF),
        }
    }

    /// Reserves space so that later writes within it cannot run out, extending the file if need be.
    pub(crate) fn allocate(&self, offset: u64, bytes: u64) -> Result<()> {
        match self {
            File::Host(file) => file.allocate(offset, bytes),
            File::Channel(_) => Err(Errno::Inval),
            File::Memory(_) => Err(Errno::BadF),
        }
    }

    /// Hints how the file will be read.
    pub(crate) fn advise(&self, offset: u64, bytes: u64, advice: Advice) -> Result<()> {
        match self {
            File::Host(file) => file.advise(offset, bytes, advice),
            File::Channel(_) | File::Memory(_) => Ok(()),
        }
    }

    /// Waits until contents and metadata are on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        match self {
            File::Host(file) => file.sync(),
            File::Channel(_) | File::Memory(_) => Ok(()),
        }
    }

    /// Waits until the contents are on the disk, and what metadata it takes to read them.
    pub(crate) fn sync_data(&self) -> Result<()> {
        match self {
            File::Host(file) => file.sync_data(),
            File::Channel(_) | File::Memory(_) => Ok(()),
        }
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        match self {
            File::Host(file) => file.stat(),
            File::Channel(channel) => Ok(channel.stat()),
            File::Memory(file) => Ok(file.stat()),
        }
    }

    /// POSIX asks for ownership rather than a writable descriptor, so only the mount's mode decides.
    pub(crate) fn set_times(&self, times: Times) -> Result<()> {
        match self {
            File::Host(file) => file.set_times(times),
            File::Channel(_) => Err(Errno::Access),
            File::Memory(_) => Err(Errno::Rofs),
        }
    }
}
