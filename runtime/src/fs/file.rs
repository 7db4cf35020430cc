//! A regular file the guest has open.

use std::fs;
use std::io::{IoSlice, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{Advice, FallocateFlags, FileType, OFlags};

use super::{Errno, Mode, Open, Result, Stat, Times};

/// A regular file the guest has open, and what it may do with it.
///
/// Every descriptor has an open file description of its own on the host, so position and append mode are the
/// host's. A regular file answers at once, so these calls run on the guest's own thread.
pub(crate) struct File {
    file: fs::File,
    readable: bool,
    writable: bool,
    append: bool,
    mode: Mode,
}

impl File {
    /// Takes a freshly opened `file`; refuses anything but a regular one (`EACCES`).
    pub(crate) fn new(file: fs::File, open: &Open, mode: Mode) -> Result<File> {
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
        if kind != FileType::RegularFile {
            return Err(if kind == FileType::Directory { Errno::IsDir } else { Errno::Access });
        }
        Ok(File { file, readable: open.read, writable: open.write, append: open.append, mode })
    }

    pub(crate) fn readable(&self) -> bool {
        self.readable
    }

    pub(crate) fn writable(&self) -> bool {
        self.writable
    }

    pub(crate) fn append(&self) -> bool {
        self.append
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.check_readable()?;
        Ok(self.file.read(buffer)?)
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        self.check_readable()?;
        Ok(self.file.read_at(buffer, offset)?)
    }

    pub(crate) fn write(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        self.check_writable()?;
        Ok(self.file.write_vectored(buffers)?)
    }

    /// Writes at `offset`; as on Linux, a descriptor that appends does so whatever the offset.
    pub(crate) fn write_at(&self, buffer: &[u8], offset: u64) -> Result<usize> {
        self.check_writable()?;
        Ok(self.file.write_at(buffer, offset)?)
    }

    pub(crate) fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        Ok(self.file.seek(to)?)
    }

    /// Makes writes append, or stop appending.
    pub(crate) fn set_append(&mut self, append: bool) -> Result<()> {
        let mut flags = rustix::fs::fcntl_getfl(&self.file)?;
        flags.set(OFlags::APPEND, append);
        rustix::fs::fcntl_setfl(&self.file, flags)?;
        self.append = append;
        Ok(())
    }

    /// Cuts the file or extends it with zeros. `EBADF` on a descriptor not open for writing.
    pub(crate) fn set_size(&self, bytes: u64) -> Result<()> {
        self.check_writable()?;
        Ok(self.file.set_len(bytes)?)
    }

    /// Reserves space so that later writes within it cannot run out, extending the file if need be.
    pub(crate) fn allocate(&self, offset: u64, bytes: u64) -> Result<()> {
        self.check_writable()?;
        Ok(rustix::fs::fallocate(&self.file, FallocateFlags::empty(), offset, bytes)?)
    }

    /// Hints how the file will be read.
    pub(crate) fn advise(&self, offset: u64, bytes: u64, advice: Advice) -> Result<()> {
        Ok(rustix::fs::fadvise(&self.file, offset, std::num::NonZeroU64::new(bytes), advice)?)
    }

    /// Waits until contents and metadata are on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        Ok(self.file.sync_all()?)
    }

    /// Waits until the contents are on the disk, and what metadata it takes to read them.
    pub(crate) fn sync_data(&self) -> Result<()> {
        Ok(self.file.sync_data()?)
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        Ok((&cap_std::fs::Metadata::from_file(&self.file)?).into())
    }

    /// POSIX asks for ownership rather than a writable descriptor, so only the mount's mode decides.
    pub(crate) fn set_times(&self, times: Times) -> Result<()> {
        if self.mode == Mode::ReadOnly {
            return Err(Errno::Rofs);
        }
        Ok(rustix::fs::futimens(&self.file, &times.to_timestamps()?)?)
    }

    fn check_readable(&self) -> Result<()> {
        if self.readable { Ok(()) } else { Err(Errno::BadF) }
    }

    fn check_writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Err(Errno::BadF) }
    }
}
