//! Sockets, of which preview 1 guests have none.

use wasmtime::{Caller, Linker};

use super::{MODULE, number};
use crate::fs::Errno;
use crate::guest::Guest;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "sock_accept", |caller: Caller<'_, Guest>, fd: u32, _: u32, _: u32| {
        refuse(caller, fd)
    })?;
    linker.func_wrap(
        MODULE,
        "sock_recv",
        |caller: Caller<'_, Guest>, fd: u32, _: u32, _: u32, _: u32, _: u32, _: u32| refuse(caller, fd),
    )?;
    linker.func_wrap(
        MODULE,
        "sock_send",
        |caller: Caller<'_, Guest>, fd: u32, _: u32, _: u32, _: u32, _: u32| refuse(caller, fd),
    )?;
    linker.func_wrap(MODULE, "sock_shutdown", |caller: Caller<'_, Guest>, fd: u32, _: u32| {
        refuse(caller, fd)
    })?;
    Ok(())
}

/// Preview 1 cannot open a socket, so no descriptor is one.
fn refuse(mut caller: Caller<'_, Guest>, fd: u32) -> i32 {
    number(caller.data_mut().table.get(fd).and(Err(Errno::NotSock)))
}
