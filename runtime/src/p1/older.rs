//! `wasi_unstable`, which came before preview 1: the same functions under another name, four of which use other
//! records. Ready-made programs still import it.

use wasmtime::{Caller, Linker};

use super::memory::View;
use super::poll::{self, Layout};
use super::{MODULE, Result, call, fd, path};
use crate::fs::{Errno, Stat};
use crate::guest::Guest;

/// The module name those programs import from.
pub(crate) const OLDER: &str = "wasi_unstable";

const FILESTAT_BYTES: usize = 56;

/// Defines the functions; those of preview 1 are there already.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.alias_module(MODULE, OLDER)?;
    linker.allow_shadowing(true);
    linker.func_wrap(
        OLDER,
        "fd_seek",
        |mut caller: Caller<'_, Guest>, fd: u32, offset: i64, whence: u32, result: u32| {
            call(&mut caller, |guest, view| {
                let position = fd::seek(guest, fd, offset, newer_whence(whence)?)?;
                view.write_u64(result, position)
            })
        },
    )?;
    linker.func_wrap(OLDER, "fd_filestat_get", |mut caller: Caller<'_, Guest>, fd: u32, result: u32| {
        call(&mut caller, |guest, view| write_stat(&fd::stat_of(guest, fd)?, view, result))
    })?;
    linker.func_wrap(
        OLDER,
        "path_filestat_get",
        |mut caller: Caller<'_, Guest>, fd: u32, lookup: u32, at: u32, len: u32, result: u32| {
            call(&mut caller, |guest, view| {
                let stat = path::stat_at(guest, view, fd, lookup, (at, len))?;
                write_stat(&stat, view, result)
            })
        },
    )?;
    poll::define(linker, OLDER, Layout::Older)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Where a seek counts from: the numbers were handed round.
fn newer_whence(whence: u32) -> Result<u32> {
    match whence {
        0 => Ok(1),
        1 => Ok(2),
        2 => Ok(0),
        _ => Err(Errno::Inval),
    }
}

/// A `filestat`, in which the number of links had 32 bits.
fn write_stat(stat: &Stat, view: &mut View<'_>, at: u32) -> Result<()> {
    let mut record = [0; FILESTAT_BYTES];
    record[0..8].copy_from_slice(&stat.device.to_le_bytes());
    record[8..16].copy_from_slice(&stat.inode.to_le_bytes());
    record[16] = super::stat::file_type(stat.kind);
    let links = u32::try_from(stat.links).unwrap_or(u32::MAX);
    record[20..24].copy_from_slice(&links.to_le_bytes());
    record[24..32].copy_from_slice(&stat.size_bytes.to_le_bytes());
    record[32..40].copy_from_slice(&stat.accessed.as_nanos().to_le_bytes());
    record[40..48].copy_from_slice(&stat.modified.as_nanos().to_le_bytes());
    record[48..56].copy_from_slice(&stat.changed.as_nanos().to_le_bytes());
    view.write(at, &record)
}
