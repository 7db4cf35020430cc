//! Files as streams.

use bytes::Bytes;
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use crate::component::FileHandle;
use crate::fs::{Errno, Result};

/// Bytes moved in one call; the guest asks again for more.
pub(super) const BYTES_MAX: usize = 64 << 10;

/// A file being read from a place on. A regular file answers at once.
pub(super) struct FileReader {
    file: FileHandle,
    offset: u64,
}

impl FileReader {
    pub(super) fn new(file: FileHandle, offset: u64) -> FileReader {
        FileReader { file, offset }
    }
}

#[async_trait]
impl Pollable for FileReader {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for FileReader {
    fn read(&mut self, bytes: usize) -> StreamResult<Bytes> {
        if bytes == 0 {
            return Ok(Bytes::new());
        }
        let mut buffer = vec![0; bytes.min(BYTES_MAX)];
        let read = self.file.read_at(&mut buffer, self.offset).map_err(failed)?;
        if read == 0 {
            return Err(StreamError::Closed);
        }
        self.offset = self.offset.saturating_add(read as u64);
        buffer.truncate(read);
        Ok(buffer.into())
    }
}

/// A file being written from a place on, or at its end.
pub(super) struct FileWriter {
    file: FileHandle,
    at: At,
}

enum At {
    Offset(u64),
    End,
    /// Nowhere any more: a write failed, and by the rules of streams that was the last.
    Failed,
}

impl FileWriter {
    pub(super) fn at(file: FileHandle, offset: u64) -> FileWriter {
        FileWriter { file, at: At::Offset(offset) }
    }

    pub(super) fn at_end(file: FileHandle) -> FileWriter {
        FileWriter { file, at: At::End }
    }

    fn write_some(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.at {
            At::Offset(offset) => {
                let written = self.file.write_at(bytes, *offset)?;
                *offset = offset.saturating_add(written as u64);
                Ok(written)
            }
            At::End => self.file.append_now(bytes),
            At::Failed => Err(Errno::BadF),
        }
    }
}

#[async_trait]
impl Pollable for FileWriter {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for FileWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let allowed = self.check_write()?;
        permit(bytes.len(), allowed)?;
        let mut left = &bytes[..];
        while !left.is_empty() {
            let written = self.write_some(left).and_then(|written| match written {
                0 => Err(Errno::Io),
                written => Ok(written),
            });
            match written {
                Ok(written) => left = &left[written..],
                Err(errno) => {
                    self.at = At::Failed;
                    return Err(failed(errno));
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check_write().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.at {
            At::Failed => Err(StreamError::Closed),
            _ => Ok(BYTES_MAX),
        }
    }
}

/// Traps a guest that writes more than it was told it may, as `wasi:io` says.
pub(super) fn permit(bytes: usize, allowed: usize) -> StreamResult<()> {
    if bytes > allowed {
        let message = format!("{bytes} bytes are written at once, and `check-write` allows {allowed}");
        return Err(StreamError::Trap(wasmtime::Error::msg(message)));
    }
    Ok(())
}

fn failed(errno: Errno) -> StreamError {
    StreamError::LastOperationFailed(errno.into())
}
