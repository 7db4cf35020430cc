//! WASI preview 1, as functions on the linker.
//!
//! A thin layer: each function takes numbers, finds strings and buffers in the guest's memory, calls what does
//! the work (`fs` for everything about files), and gives back an `errno`. A pointer outside the guest's memory
//! is `EFAULT`; nothing a guest passes can make the host fail.

mod clock;
mod environment;
mod fd;
mod fd_status;
mod io;
mod memory;
mod older;
mod path;
mod poll;
mod process;
mod readdir;
mod rights;
mod sock;
mod stat;

use wasmtime::{Caller, Linker, Memory};

use crate::fs::Errno;
use crate::guest::Guest;
use crate::module::Code;
pub(crate) use memory::{Span, View};
pub(crate) use older::OLDER;

/// The module name guests import these functions from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// Defines every function of preview 1.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    environment::add_to_linker(linker)?;
    clock::add_to_linker(linker)?;
    fd::add_to_linker(linker)?;
    io::add_to_linker(linker)?;
    path::add_to_linker(linker)?;
    poll::add_to_linker(linker)?;
    process::add_to_linker(linker)?;
    sock::add_to_linker(linker)?;
    older::add_to_linker(linker)
}

/// What a host function comes to: nothing, or the reason the guest is told.
type Result<T> = std::result::Result<T, Errno>;

/// Carries out a function that needs the guest's state and its memory.
fn call(
    caller: &mut Caller<'_, Guest>,
    function: impl FnOnce(&mut Guest, &mut View<'_>) -> Result<()>,
) -> wasmtime::Result<i32> {
    let (guest, mut view) = parts(caller)?;
    Ok(number(function(guest, &mut view)))
}

/// The guest's state and its memory, both to be changed.
pub(crate) fn parts<'c>(caller: &'c mut Caller<'_, Guest>) -> wasmtime::Result<(&'c mut Guest, View<'c>)> {
    let memory = memory_of(caller)?;
    let (bytes, guest) = memory.data_and_store_mut(caller);
    Ok((guest, View::new(bytes)))
}

/// The memory that host functions read and write.
pub(crate) fn memory_of(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<Memory> {
    if let Some(memory) = caller.data().memory {
        return Ok(memory);
    }
    let code = std::sync::Arc::clone(&caller.data().code);
    let export = match &*code {
        // Each of several modules has its own.
        Code::Assembly(_) => caller.get_export("memory"),
        code => code.memory().and_then(|export| caller.get_module_export(export)),
    };
    let memory = export.and_then(wasmtime::Extern::into_memory);
    let memory = memory.ok_or_else(|| wasmtime::Error::msg("the module exports no memory named `memory`"))?;
    if !matches!(&*code, Code::Assembly(_)) {
        caller.data_mut().memory = Some(memory);
    }
    Ok(memory)
}

/// The `errno` a guest sees: 0 for success.
fn number(result: Result<()>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(errno) => i32::from(errno as u16),
    }
}
