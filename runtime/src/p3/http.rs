//! HTTP requests (`wasi:http`), as in 0.2.

use wasmtime::component::Linker;
use wasmtime_wasi_http::p3::bindings::http::{client, types};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

use crate::guest::Guest;

/// There to be imported whatever the grant, as sockets are.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    client::add_to_linker::<_, WasiHttp>(linker, Guest::http)?;
    types::add_to_linker::<_, WasiHttp>(linker, Guest::http)
}
