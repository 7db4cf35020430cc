//! Listing a directory.

use wasmtime::{Caller, Linker};

use super::memory::{Span, View};
use super::{MODULE, Result, call, stat};
use crate::fs::{Entry, Errno};
use crate::guest::Guest;

const HEADER_BYTES: usize = 24;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_readdir",
        |mut caller: Caller<'_, Guest>, fd: u32, at: u32, len: u32, cookie: u64, result: u32| {
            call(&mut caller, |guest, view| {
                let used = readdir(guest, view, fd, Span { at, len }, cookie)?;
                view.write_u32(result, used)
            })
        },
    )?;
    Ok(())
}

/// Fills the buffer with entries from `cookie` on. The last may be cut off, and a buffer that is not full means
/// the end; a guest asks again for what was cut off, with the cookie of the entry before.
fn readdir(guest: &mut Guest, view: &mut View<'_>, fd: u32, span: Span, cookie: u64) -> Result<u32> {
    let mut left = view.bytes_mut(span)?;
    guest
        .table
        .dir(fd)?
        .list(cookie, |entry| copy(&header(entry), &mut left) && copy(entry.name.as_bytes(), &mut left))?;
    let left = u32::try_from(left.len()).map_err(|_| Errno::Overflow)?;
    Ok(span.len - left)
}

fn header(entry: &Entry<'_>) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[0..8].copy_from_slice(&entry.next.to_le_bytes());
    header[8..16].copy_from_slice(&entry.inode.to_le_bytes());
    let name_bytes = u32::try_from(entry.name.len()).unwrap_or(u32::MAX);
    header[16..20].copy_from_slice(&name_bytes.to_le_bytes());
    header[20] = stat::file_type(entry.kind);
    header
}

/// Copies what fits, and says whether that was all of it.
fn copy(bytes: &[u8], left: &mut &mut [u8]) -> bool {
    let fitting = bytes.len().min(left.len());
    let (into, rest) = std::mem::take(left).split_at_mut(fitting);
    into.copy_from_slice(&bytes[..fitting]);
    *left = rest;
    fitting == bytes.len()
}
