//! HTTP requests (`wasi:http`), as in 0.2.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::http::client;
use wasmtime_wasi_http::p3::bindings::http::types::{self, HostRequest as _, Method};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

use crate::component::WORD_BYTES_MAX;
use crate::guest::Guest;

/// There to be imported whatever the grant, as sockets are.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    client::add_to_linker::<_, WasiHttp>(linker, Guest::http)?;
    types::add_to_linker::<_, WasiHttp>(linker, Guest::http)?;
    bounded(linker)
}

/// In place of wasmtime's own, as in 0.2.
fn bounded(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:http/types@0.3.0")?;
    types.func_wrap(
        "[method]request.set-method",
        |mut store, (request, method): (Resource<Request>, Method)| {
            let guest: &mut Guest = store.data_mut();
            Ok((match &method {
                Method::Other(word) if word.len() > WORD_BYTES_MAX => Err(()),
                _ => guest.http().set_method(request, method)?,
            },))
        },
    )?;
    types.func_wrap(
        "[method]request.set-authority",
        |mut store, (request, authority): (Resource<Request>, Option<String>)| {
            let guest: &mut Guest = store.data_mut();
            Ok((match &authority {
                Some(word) if word.len() > WORD_BYTES_MAX => Err(()),
                _ => guest.http().set_authority(request, authority)?,
            },))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
