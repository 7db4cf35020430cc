//! Arguments and environment variables.

use wasmtime::{Caller, Linker};

use super::memory::View;
use super::{MODULE, Result, call};
use crate::fs::Errno;
use crate::guest::Guest;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "args_sizes_get", |mut caller: Caller<'_, Guest>, count: u32, bytes: u32| {
        call(&mut caller, |guest, view| sizes(&guest.args, view, count, bytes))
    })?;
    linker.func_wrap(MODULE, "args_get", |mut caller: Caller<'_, Guest>, list: u32, bytes: u32| {
        call(&mut caller, |guest, view| strings(&guest.args, view, list, bytes))
    })?;
    linker.func_wrap(
        MODULE,
        "environ_sizes_get",
        |mut caller: Caller<'_, Guest>, count: u32, bytes: u32| {
            call(&mut caller, |guest, view| sizes(&guest.env, view, count, bytes))
        },
    )?;
    linker.func_wrap(MODULE, "environ_get", |mut caller: Caller<'_, Guest>, list: u32, bytes: u32| {
        call(&mut caller, |guest, view| strings(&guest.env, view, list, bytes))
    })?;
    Ok(())
}

/// How many strings there are, and how many bytes with a NUL after each.
fn sizes(strings: &[String], view: &mut View<'_>, count_at: u32, bytes_at: u32) -> Result<()> {
    let bytes: usize = strings.iter().map(|string| string.len() + 1).sum();
    view.write_u32(count_at, u32::try_from(strings.len()).map_err(|_| Errno::Overflow)?)?;
    view.write_u32(bytes_at, u32::try_from(bytes).map_err(|_| Errno::Overflow)?)
}

/// A list of addresses, and at them the strings, each with a NUL after it.
fn strings(strings: &[String], view: &mut View<'_>, mut list_at: u32, mut bytes_at: u32) -> Result<()> {
    for string in strings {
        let len = u32::try_from(string.len()).map_err(|_| Errno::Overflow)?;
        view.write_u32(list_at, bytes_at)?;
        view.write(bytes_at, string.as_bytes())?;
        let end = bytes_at.checked_add(len).ok_or(Errno::Fault)?;
        view.write(end, &[0])?;
        bytes_at = end.checked_add(1).ok_or(Errno::Fault)?;
        list_at = list_at.checked_add(4).ok_or(Errno::Fault)?;
    }
    Ok(())
}
