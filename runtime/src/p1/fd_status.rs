//! A descriptor's type, flags and rights (`fdstat`).

use wasmtime::{Caller, Linker};

use super::memory::View;
use super::{MODULE, Result, call, number, rights, stat};
use crate::fs::{Descriptor, Errno, File, Kind};
use crate::guest::Guest;

/// `fdflags`: writes append.
pub(super) const APPEND: u32 = 1 << 0;
/// `fdflags`: writes reach the disk before they return.
pub(super) const DSYNC: u32 = 1 << 1;
/// `fdflags`: reads and writes fail rather than wait, which on regular files they never do.
pub(super) const NONBLOCK: u32 = 1 << 2;
/// `fdflags`: reads too wait for the disk.
pub(super) const RSYNC: u32 = 1 << 3;
/// `fdflags`: as [`DSYNC`], metadata too.
pub(super) const SYNC: u32 = 1 << 4;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "fd_fdstat_get", |mut caller: Caller<'_, Guest>, fd: u32, result: u32| {
        call(&mut caller, |guest, view| get(guest, view, fd, result))
    })?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_set_flags",
        |mut caller: Caller<'_, Guest>, fd: u32, flags: u32| number(set_flags(caller.data_mut(), fd, flags)),
    )?;
    // Deprecated, and without effect on what a descriptor can do.
    linker.func_wrap(
        MODULE,
        "fd_fdstat_set_rights",
        |mut caller: Caller<'_, Guest>, fd: u32, _: u64, _: u64| {
            number(caller.data_mut().table.get(fd).and(Err(Errno::NotSup)))
        },
    )?;
    Ok(())
}

fn get(guest: &mut Guest, view: &mut View<'_>, fd: u32, result: u32) -> Result<()> {
    let descriptor = guest.table.get(fd)?;
    let (kind, flags) = match descriptor {
        Descriptor::File(file) => (Kind::Regular, flags_of(file)),
        Descriptor::Dir(_) | Descriptor::Preopen(_) => (Kind::Directory, 0),
        Descriptor::Stdin => (stat::stream_kind(guest.terminals.stdin), 0),
        Descriptor::Stdout => (stat::stream_kind(guest.terminals.stdout), APPEND),
        Descriptor::Stderr => (stat::stream_kind(guest.terminals.stderr), APPEND),
    };
    let (base, inheriting) = rights::of(descriptor);
    let mut record = [0; 24];
    record[0] = stat::file_type(kind);
    record[2..4].copy_from_slice(&flags.to_le_bytes()[..2]);
    record[8..16].copy_from_slice(&base.to_le_bytes());
    record[16..24].copy_from_slice(&inheriting.to_le_bytes());
    view.write(result, &record)
}

fn flags_of(file: &File) -> u32 {
    let append = if file.append() { APPEND } else { 0 };
    append
        | match file.syncs() {
            (true, _) => SYNC,
            (false, true) => DSYNC,
            (false, false) => 0,
        }
}

/// Appending can be switched on and off, waiting is as it is, and syncing is decided when a file is opened: what it is
/// already can be asked for.
fn set_flags(guest: &mut Guest, fd: u32, flags: u32) -> Result<()> {
    if flags & !(APPEND | DSYNC | NONBLOCK | RSYNC | SYNC) != 0 {
        return Err(Errno::Inval);
    }
    match guest.table.get(fd)? {
        Descriptor::File(file) if flags & (DSYNC | RSYNC | SYNC) & !flags_of(file) != 0 => Err(Errno::Inval),
        Descriptor::File(file) => file.set_append(flags & APPEND != 0),
        _ => Err(Errno::BadF),
    }
}
