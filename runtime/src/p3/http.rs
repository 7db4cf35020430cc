//! HTTP requests (`wasi:http`), as in 0.2.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::http::client;
use wasmtime_wasi_http::p3::bindings::http::types::{self, HostRequest as _, Method};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

use crate::component::{WORD_BYTES_MAX, request_words};
use crate::guest::Guest;

/// There to be imported whatever the grant, as sockets are.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    client::add_to_linker::<_, WasiHttp>(linker, Guest::http)?;
    types::add_to_linker::<_, WasiHttp>(linker, Guest::http)?;
    bounded(linker)?;
    super::send::add_to_linker(linker)
}

request_words!(instance: "wasi:http/types@0.3.0", resource: "request", request: Request);
