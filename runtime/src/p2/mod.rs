//! WASI 0.2, as interfaces on the linker of components.
//!
//! As thin as preview 1's layer, and over the same things: `fs` for files, the run's own streams, clocks and
//! randomness. The types of streams and of what can be waited for (`wasi:io`), and sockets, are wasmtime's own.

mod bindings;
mod cli;
mod clocks;
mod convert;
mod descriptor;
mod file_stream;
mod http;
mod names;
mod random;
mod sockets;
mod stdio;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi_io::IoView;

use crate::guest::Guest;

/// Defines every interface of `wasi:cli/command`.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    type Own = HasSelf<Guest>;
    wasmtime_wasi_io::add_to_linker_async(linker)?;
    bindings::filesystem::types::add_to_linker::<_, Own>(linker, |guest| guest)?;
    bindings::filesystem::preopens::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::environment::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::exit::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::stdin::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::stdout::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::stderr::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::terminal_input::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::terminal_output::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::terminal_stdin::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::terminal_stdout::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::cli::terminal_stderr::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::clocks::wall_clock::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::clocks::monotonic_clock::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::random::random::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::random::insecure::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::random::insecure_seed::add_to_linker::<_, Own>(linker, |guest| guest)?;
    sockets::add_to_linker(linker)?;
    http::add_to_linker(linker)
}

impl IoView for Guest {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.holdings.resources
    }
}
