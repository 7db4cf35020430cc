//! Everything done by path.

use wasmtime::{Caller, Linker};

use super::memory::View;
use super::{MODULE, Result, call, fd_status, rights, stat};
use crate::fs::{Errno, Open, Stat};
use crate::guest::Guest;

/// `lookupflags`: follow a symbolic link at the end of the path.
const SYMLINK_FOLLOW: u32 = 1;

/// A path in the guest's memory.
type Text = (u32, u32);

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "path_open",
        |mut caller: Caller<'_, Guest>,
         fd: u32,
         lookup: u32,
         at: u32,
         len: u32,
         oflags: u32,
         base: u64,
         _inheriting: u64,
         fdflags: u32,
         result: u32| {
            call(&mut caller, |guest, view| {
                let request = open_request(lookup, oflags, base, fdflags)?;
                view.write_u32(result, open(guest, view, fd, (at, len), &request)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_get",
        |mut caller: Caller<'_, Guest>, fd: u32, lookup: u32, at: u32, len: u32, result: u32| {
            call(&mut caller, |guest, view| stat_at(guest, view, fd, lookup, (at, len))?.write(view, result))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_set_times",
        |mut caller: Caller<'_, Guest>,
         fd: u32,
         lookup: u32,
         at: u32,
         len: u32,
         accessed: u64,
         modified: u64,
         flags: u32| {
            call(&mut caller, |guest, view| {
                let times = stat::times(accessed, modified, flags)?;
                let path = view.path(at, len)?;
                guest.table.dir(fd)?.set_times_at(path, lookup & SYMLINK_FOLLOW != 0, times)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_create_directory",
        |mut caller: Caller<'_, Guest>, fd: u32, at: u32, len: u32| {
            call(&mut caller, |guest, view| guest.table.dir(fd)?.create_dir(view.path(at, len)?))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_remove_directory",
        |mut caller: Caller<'_, Guest>, fd: u32, at: u32, len: u32| {
            call(&mut caller, |guest, view| guest.table.dir(fd)?.remove_dir(view.path(at, len)?))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_unlink_file",
        |mut caller: Caller<'_, Guest>, fd: u32, at: u32, len: u32| {
            call(&mut caller, |guest, view| guest.table.dir(fd)?.remove_file(view.path(at, len)?))
        },
    )?;
    add_links_to_linker(linker)
}

/// The functions that take two paths, or give one.
fn add_links_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "path_rename",
        |mut caller: Caller<'_, Guest>, fd: u32, at: u32, len: u32, to: u32, to_at: u32, to_len: u32| {
            call(&mut caller, |guest, view| {
                let (dir, to) = guest.table.dirs(fd, to)?;
                dir.rename(view.path(at, len)?, to, view.path(to_at, to_len)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_link",
        |mut caller: Caller<'_, Guest>,
         fd: u32,
         lookup: u32,
         at: u32,
         len: u32,
         to: u32,
         to_at: u32,
         to_len: u32| {
            call(&mut caller, |guest, view| {
                // Following is optional in POSIX, and no C library asks for it.
                if lookup & SYMLINK_FOLLOW != 0 {
                    return Err(Errno::Inval);
                }
                let (dir, to) = guest.table.dirs(fd, to)?;
                dir.link(view.path(at, len)?, to, view.path(to_at, to_len)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_symlink",
        |mut caller: Caller<'_, Guest>, target: u32, target_len: u32, fd: u32, at: u32, len: u32| {
            call(&mut caller, |guest, view| {
                guest.table.dir(fd)?.symlink(view.path(target, target_len)?, view.path(at, len)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_readlink",
        |mut caller: Caller<'_, Guest>, fd: u32, at: u32, len: u32, to: u32, to_len: u32, result: u32| {
            call(&mut caller, |guest, view| {
                let target = guest.table.dir(fd)?.read_link(view.path(at, len)?)?;
                // Cut off to what fits, as `readlink` does.
                let fitting = target.len().min(to_len as usize);
                view.write(to, &target.as_bytes()[..fitting])?;
                view.write_u32(result, u32::try_from(fitting).map_err(|_| Errno::Overflow)?)
            })
        },
    )?;
    Ok(())
}

/// What is at a path.
pub(super) fn stat_at(
    guest: &mut Guest,
    view: &View<'_>,
    fd: u32,
    lookup: u32,
    (at, len): Text,
) -> Result<Stat> {
    guest.table.dir(fd)?.stat_at(view.path(at, len)?, lookup & SYMLINK_FOLLOW != 0)
}

fn open(guest: &mut Guest, view: &View<'_>, fd: u32, (at, len): Text, request: &Open) -> Result<u32> {
    let path = view.path(at, len)?;
    guest.table.dir(fd)?;
    guest.table.check_room()?;
    let opened = guest.table.dir(fd)?.open(path, request)?;
    guest.table.insert(opened)
}

/// What the numbers of `path_open` ask for. Access is asked for as rights: those to read bytes, and those to
/// change them.
fn open_request(lookup: u32, oflags: u32, base: u64, fdflags: u32) -> Result<Open> {
    let (create, directory) = (oflags & 1 != 0, oflags & 2 != 0);
    let (exclusive, truncate) = (oflags & 4 != 0, oflags & 8 != 0);
    if oflags >= 1 << 4 || fdflags >= 1 << 5 {
        return Err(Errno::Inval);
    }
    Ok(Open {
        read: base & rights::FD_READ != 0,
        // Not for the right to set a size: Go asks for that whatever it opens.
        write: base & (rights::FD_WRITE | rights::FD_ALLOCATE) != 0,
        append: fdflags & fd_status::APPEND != 0,
        create,
        exclusive,
        truncate,
        directory,
        follow: lookup & SYMLINK_FOLLOW != 0,
        sync: fdflags & (fd_status::SYNC | fd_status::RSYNC) != 0,
        data_sync: fdflags & fd_status::DSYNC != 0,
    })
}
