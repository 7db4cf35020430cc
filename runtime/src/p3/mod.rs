//! WASI 0.3, as interfaces on the linker of components.
//!
//! The same things as 0.2's, said in its own words: what can wait is a future of the host's, and bytes go through
//! streams, each with a future that says how it ended.

mod bindings;
mod cli;
mod clocks;
mod connection;
mod convert;
mod descriptor;
mod file_stream;
mod http;
mod listing;
mod pace;
mod random;
mod relay;
mod send;
mod sockets;
mod stdio;

use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::p3::bindings as wasi;

use crate::guest::Guest;

/// Says that the host's side of these interfaces is a [`Guest`].
struct Own;

impl HasData for Own {
    type Data<'a> = &'a mut Guest;
}

/// Defines every interface of `wasi:cli/command`. Only for an engine that knows of concurrency.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
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
    wasi::clocks::types::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::clocks::system_clock::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::clocks::monotonic_clock::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::random::random::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::random::insecure::add_to_linker::<_, Own>(linker, |guest| guest)?;
    wasi::random::insecure_seed::add_to_linker::<_, Own>(linker, |guest| guest)?;
    sockets::add_to_linker(linker)?;
    http::add_to_linker(linker)
}
