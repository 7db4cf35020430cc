//! Descriptors: what they are, and everything done to them but reading and writing.

use std::io::SeekFrom;

use rustix::fs::Advice;
use wasmtime::{Caller, Linker};

use super::memory::View;
use super::{MODULE, Result, call, fd_status, number, readdir, stat};
use crate::fs::{Descriptor, Errno, Preopen, Stat};
use crate::guest::Guest;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    fd_status::add_to_linker(linker)?;
    readdir::add_to_linker(linker)?;
    linker.func_wrap(MODULE, "fd_close", |mut caller: Caller<'_, Guest>, fd: u32| {
        number(caller.data_mut().table.close(fd))
    })?;
    linker.func_wrap(MODULE, "fd_renumber", |mut caller: Caller<'_, Guest>, from: u32, to: u32| {
        number(caller.data_mut().table.renumber(from, to))
    })?;
    linker.func_wrap(MODULE, "fd_prestat_get", |mut caller: Caller<'_, Guest>, fd: u32, result: u32| {
        call(&mut caller, |guest, view| prestat(guest, view, fd, result))
    })?;
    linker.func_wrap(
        MODULE,
        "fd_prestat_dir_name",
        |mut caller: Caller<'_, Guest>, fd: u32, path: u32, path_len: u32| {
            call(&mut caller, |guest, view| prestat_name(guest, view, fd, path, path_len))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |mut caller: Caller<'_, Guest>, fd: u32, offset: i64, whence: u32, result: u32| {
            call(&mut caller, |guest, view| view.write_u64(result, seek(guest, fd, offset, whence)?))
        },
    )?;
    linker.func_wrap(MODULE, "fd_tell", |mut caller: Caller<'_, Guest>, fd: u32, result: u32| {
        call(&mut caller, |guest, view| view.write_u64(result, seek(guest, fd, 0, 1)?))
    })?;
    linker.func_wrap(MODULE, "fd_sync", |mut caller: Caller<'_, Guest>, fd: u32| {
        number(sync(caller.data_mut(), fd, false))
    })?;
    linker.func_wrap(MODULE, "fd_datasync", |mut caller: Caller<'_, Guest>, fd: u32| {
        number(sync(caller.data_mut(), fd, true))
    })?;
    linker.func_wrap(
        MODULE,
        "fd_advise",
        |mut caller: Caller<'_, Guest>, fd: u32, offset: u64, len: u64, advice: u32| {
            number(advise(caller.data_mut(), fd, offset, len, advice))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_allocate",
        |mut caller: Caller<'_, Guest>, fd: u32, offset: u64, len: u64| {
            number(changeable(caller.data_mut(), fd).and_then(|file| file.allocate(offset, len)))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_set_size",
        |mut caller: Caller<'_, Guest>, fd: u32, size: u64| {
            number(changeable(caller.data_mut(), fd).and_then(|file| file.set_size(size)))
        },
    )?;
    linker.func_wrap(MODULE, "fd_filestat_get", |mut caller: Caller<'_, Guest>, fd: u32, result: u32| {
        call(&mut caller, |guest, view| stat_of(guest, fd)?.write(view, result))
    })?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_set_times",
        |mut caller: Caller<'_, Guest>, fd: u32, accessed: u64, modified: u64, flags: u32| {
            number(set_times(caller.data_mut(), fd, accessed, modified, flags))
        },
    )?;
    Ok(())
}

/// Which descriptors are preopens is how a guest finds its mounts: it asks from 3 on until `EBADF`.
fn preopen(guest: &mut Guest, fd: u32) -> Result<&Preopen> {
    match guest.table.get(fd)? {
        Descriptor::Preopen(preopen) => Ok(preopen),
        _ => Err(Errno::BadF),
    }
}

fn prestat(guest: &mut Guest, view: &mut View<'_>, fd: u32, result: u32) -> Result<()> {
    let len = u32::try_from(preopen(guest, fd)?.guest_path.len()).map_err(|_| Errno::Overflow)?;
    // The tag 0, for a directory, and the length of its name.
    view.write_u64(result, u64::from(len) << 32)
}

fn prestat_name(guest: &mut Guest, view: &mut View<'_>, fd: u32, path: u32, path_len: u32) -> Result<()> {
    let guest_path = preopen(guest, fd)?.guest_path.as_bytes();
    if guest_path.len() > path_len as usize {
        return Err(Errno::NameTooLong);
    }
    view.write(path, guest_path)
}

pub(super) fn seek(guest: &mut Guest, fd: u32, offset: i64, whence: u32) -> Result<u64> {
    let to = match whence {
        0 => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Inval)?),
        1 => SeekFrom::Current(offset),
        2 => SeekFrom::End(offset),
        _ => return Err(Errno::Inval),
    };
    match guest.table.get(fd)? {
        Descriptor::File(file) => file.seek(to),
        Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::SPipe),
        Descriptor::Preopen(_) | Descriptor::Dir(_) => Err(Errno::BadF),
    }
}

fn sync(guest: &mut Guest, fd: u32, data_only: bool) -> Result<()> {
    match guest.table.get(fd)? {
        Descriptor::File(file) if data_only => file.sync_data(),
        Descriptor::File(file) => file.sync(),
        Descriptor::Dir(dir) | Descriptor::Preopen(Preopen { dir, .. }) => dir.sync(),
        Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::Inval),
    }
}

fn advise(guest: &mut Guest, fd: u32, offset: u64, len: u64, advice: u32) -> Result<()> {
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        5 => Advice::NoReuse,
        _ => return Err(Errno::Inval),
    };
    match guest.table.get(fd)? {
        Descriptor::File(file) => file.advise(offset, len, advice),
        Descriptor::Preopen(_) | Descriptor::Dir(_) => Err(Errno::BadF),
        Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::SPipe),
    }
}

/// A file whose size may be asked to change; anything else is not open for writing.
fn changeable(guest: &mut Guest, fd: u32) -> Result<&mut crate::fs::File> {
    guest.table.file(fd).map_err(|_| Errno::BadF)
}

pub(super) fn stat_of(guest: &mut Guest, fd: u32) -> Result<Stat> {
    match guest.table.get(fd)? {
        Descriptor::File(file) => file.stat(),
        Descriptor::Dir(dir) | Descriptor::Preopen(Preopen { dir, .. }) => dir.stat(),
        Descriptor::Stdin => Ok(Stat::made_up(stat::stream_kind(guest.terminals.stdin), 0)),
        Descriptor::Stdout => Ok(Stat::made_up(stat::stream_kind(guest.terminals.stdout), 0)),
        Descriptor::Stderr => Ok(Stat::made_up(stat::stream_kind(guest.terminals.stderr), 0)),
    }
}

fn set_times(guest: &mut Guest, fd: u32, accessed: u64, modified: u64, flags: u32) -> Result<()> {
    let times = stat::times(accessed, modified, flags)?;
    match guest.table.get(fd)? {
        Descriptor::File(file) => file.set_times(times),
        Descriptor::Dir(dir) | Descriptor::Preopen(Preopen { dir, .. }) => dir.set_times(times),
        Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::BadF),
    }
}
