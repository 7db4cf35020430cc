//! A file of the embedder's memory: the guest reads it, and it is on no disk.

use std::fmt;
use std::io::SeekFrom;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Errno, Kind, Mode, Open, Result, Stat};

/// A file that the guest can read, open or yet to be opened. Its content is overwritten when the last one goes.
#[derive(Clone)]
pub(crate) struct MemoryFile {
    content: Arc<Zeroizing<Vec<u8>>>,
    /// Its number in the run.
    inode: u64,
    readable: bool,
    position: u64,
}

impl MemoryFile {
    pub(super) fn new(content: Zeroizing<Vec<u8>>) -> MemoryFile {
        MemoryFile { content: Arc::new(content), inode: 0, readable: false, position: 0 }
    }

    pub(super) fn numbered(self, inode: u64) -> MemoryFile {
        MemoryFile { inode, ..self }
    }

    /// Opens it again, at its beginning.
    pub(super) fn open(&self, open: &Open) -> Result<MemoryFile> {
        open.permit(Some(Kind::Regular), Mode::ReadOnly)?;
        Ok(MemoryFile { readable: open.read, position: 0, ..self.clone() })
    }

    pub(super) fn readable(&self) -> bool {
        self.readable
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }

    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        if !self.readable {
            return Err(Errno::BadF);
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.content.len());
        let rest = &self.content[start..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    pub(super) fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(by) => (self.position, by),
            SeekFrom::End(by) => (self.content.len() as u64, by),
        };
        let position = from.checked_add_signed(by).filter(|position| i64::try_from(*position).is_ok());
        self.position = position.ok_or(Errno::Inval)?;
        Ok(self.position)
    }

    pub(super) fn stat(&self) -> Stat {
        Stat { size_bytes: self.content.len() as u64, ..Stat::made_up(Kind::Regular, self.inode) }
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryFile({} bytes)", self.content.len())
    }
}
