//! A regular file of the host's that the guest has open.

use std::fs;
use std::io::{IoSlice, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, FileType, OFlags};
use rustix::io::ReadWriteFlags;

use super::quota::Inode;
use super::terms::Terms;
use super::{Errno, Open, Result, Slot, Stat, Times};

/// A regular file of the host's, and what the guest may do with it.
///
/// Every descriptor has an open file description of its own on the host, so position and append mode are the
/// host's. A regular file answers at once, so these calls run on the guest's own thread.
pub(crate) struct HostFile {
    file: fs::File,
    readable: bool,
    writable: bool,
    append: bool,
    /// Whether each write reaches the disk before it returns: with all metadata, and with what it takes to read it.
    syncs: (bool, bool),
    /// Where the host's position is, as far as that is known without asking: not after an append.
    position: Option<u64>,
    inode: Inode,
    terms: Arc<Terms>,
    _slot: Slot,
}

impl HostFile {
    /// Takes a freshly opened `file`; refuses anything but a regular one (`EACCES`).
    pub(super) fn new(file: fs::File, open: &Open, terms: Arc<Terms>, slot: Slot) -> Result<HostFile> {
        let stat = rustix::fs::fstat(&file)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind != FileType::RegularFile {
            return Err(if kind == FileType::Directory { Errno::IsDir } else { Errno::Access });
        }
        let inode = (stat.st_dev, stat.st_ino);
        terms.handles.opened(inode);
        terms.quota.opened(inode);
        if open.truncate {
            terms.quota.cut(inode, 0);
        }
        let Open { read, write, append, .. } = *open;
        let (readable, writable, position) = (read, write, Some(0));
        let syncs = (open.sync, open.data_sync);
        Ok(HostFile { file, readable, writable, append, syncs, position, inode, terms, _slot: slot })
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
        let read = self.file.read(buffer)?;
        self.advance(read);
        Ok(self.terms.count_read(read))
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        self.check_readable()?;
        Ok(self.terms.count_read(self.file.read_at(buffer, offset)?))
    }

    pub(crate) fn write(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        self.check_writable()?;
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        let allowed = self.charge(|| self.position(), wanted)?;
        let written = if allowed == wanted {
            self.file.write_vectored(buffers)
        } else {
            let (whole, part) = prefix(buffers, allowed);
            let slices = whole.iter().map(|buffer| IoSlice::new(buffer)).chain(part.map(IoSlice::new));
            self.file.write_vectored(&slices.collect::<Vec<_>>())
        };
        self.carried_out(allowed, *written.as_ref().unwrap_or(&0));
        let written = written?;
        if self.append {
            self.position = None;
        } else {
            self.advance(written);
        }
        Ok(self.terms.count_written(written))
    }

    /// Writes at `offset`; as on Linux, a descriptor that appends does so whatever the offset.
    pub(crate) fn write_at(&self, buffer: &[u8], offset: u64) -> Result<usize> {
        self.check_writable()?;
        let allowed = self.charge(|| Ok(offset), buffer.len())?;
        let written = self.file.write_at(&buffer[..allowed], offset);
        self.carried_out(allowed, *written.as_ref().unwrap_or(&0));
        Ok(self.terms.count_written(written?))
    }

    /// Writes at the end, wherever that is when it happens, through a descriptor that does not append by itself.
    pub(crate) fn append_now(&self, buffer: &[u8]) -> Result<usize> {
        self.check_writable()?;
        let allowed = usize::try_from(self.terms.quota.append(self.inode, buffer.len() as u64)?)
            .map_err(|_| Errno::Overflow)?;
        let slices = [IoSlice::new(&buffer[..allowed])];
        let written = rustix::io::pwritev2(&self.file, &slices, 0, ReadWriteFlags::APPEND);
        let missing = allowed - *written.as_ref().unwrap_or(&0);
        if missing > 0 {
            self.terms.quota.unappend(self.inode, missing as u64);
        }
        Ok(self.terms.count_written(written?))
    }

    pub(crate) fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = self.file.seek(to)?;
        self.position = Some(position);
        Ok(position)
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
        if i64::try_from(bytes).is_err() {
            return Err(Errno::FBig);
        }
        let before = self.size()?;
        if bytes > before {
            self.terms.quota.extend(self.inode, before..bytes)?;
        }
        self.file.set_len(bytes)?;
        if bytes < before {
            self.terms.quota.cut(self.inode, bytes);
        }
        Ok(())
    }

    /// Reserves space so that later writes within it cannot run out, extending the file if need be.
    pub(crate) fn allocate(&self, offset: u64, bytes: u64) -> Result<()> {
        self.check_writable()?;
        let end = offset.checked_add(bytes).filter(|end| i64::try_from(*end).is_ok()).ok_or(Errno::FBig)?;
        self.terms.quota.extend(self.inode, self.size()?.min(offset)..end)?;
        Ok(rustix::fs::fallocate(&self.file, FallocateFlags::empty(), offset, bytes)?)
    }

    /// Whether each write reaches the disk before it returns: with all metadata, and with what it takes to read it.
    pub(crate) fn syncs(&self) -> (bool, bool) {
        self.syncs
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
        self.terms.writable()?;
        Ok(rustix::fs::futimens(&self.file, &times.to_timestamps())?)
    }

    /// How much of a write the quota has room for; it counts from now on.
    fn charge(&self, start: impl FnOnce() -> Result<u64>, wanted: usize) -> Result<usize> {
        let quota = &self.terms.quota;
        let allowed = if self.append {
            quota.append(self.inode, wanted as u64)
        } else {
            quota.write(self.inode, start()?, wanted as u64, || self.size())
        }?;
        usize::try_from(allowed).map_err(|_| Errno::Overflow)
    }

    /// Bytes that were appended count as many as they are. What falls short elsewhere stays counted: it is the
    /// disk's failure, and trying again at the same place is free.
    fn carried_out(&self, allowed: usize, written: usize) {
        if self.append && written < allowed {
            self.terms.quota.unappend(self.inode, (allowed - written) as u64);
        }
    }

    fn position(&self) -> Result<u64> {
        match self.position {
            Some(position) => Ok(position),
            None => Ok(rustix::fs::tell(&self.file)?),
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.position = self.position.map(|position| position + bytes as u64);
    }

    fn size(&self) -> Result<u64> {
        Ok(rustix::fs::fstat(&self.file)?.st_size.cast_unsigned())
    }

    fn check_readable(&self) -> Result<()> {
        if self.readable { Ok(()) } else { Err(Errno::BadF) }
    }

    fn check_writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Err(Errno::BadF) }
    }
}

impl Drop for HostFile {
    fn drop(&mut self) {
        let Terms { quota, handles, .. } = &*self.terms;
        if handles.closed(self.inode) {
            quota.closed(self.inode);
        }
    }
}

/// The buffers that lie in the first `bytes` bytes, and the part of the next that does.
fn prefix<'b, 's>(buffers: &'b [IoSlice<'s>], bytes: usize) -> (&'b [IoSlice<'s>], Option<&'b [u8]>) {
    let mut left = bytes;
    for (number, buffer) in buffers.iter().enumerate() {
        if buffer.len() > left {
            return (&buffers[..number], Some(&buffer[..left]));
        }
        left -= buffer.len();
    }
    (buffers, None)
}
