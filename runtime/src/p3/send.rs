//! Sending a request (`wasi:http/client`) by wasmtime's own means, with two things put right that it lacks as of version
//! 48: a guest hears that a request was not transmitted, and a request without a path is one for `/`.

use std::sync::Arc;

use hyper::http::uri::PathAndQuery;
use tokio::sync::oneshot;
use wasmtime::component::{Accessor, Linker, Resource};
use wasmtime_wasi_http::p3::bindings::http::client::HostWithStore as _;
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p3::{Request, Response};
use wasmtime_wasi_http::{Error, WasiHttp, WasiHttpView as _};

use crate::guest::Guest;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut client = linker.instance("wasi:http/client@0.3.0")?;
    client.func_wrap_concurrent("send", |store: &Accessor<Guest>, (request,): (Resource<Request>,)| {
        Box::pin(async move { Ok((send(store, request).await?,)) })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn send(
    store: &Accessor<Guest>,
    request: Resource<Request>,
) -> wasmtime::Result<Result<Resource<Response>, ErrorCode>> {
    // What the guest is told of the transmission: nothing well unless it was said so, whatever becomes of this call.
    let (tell, told) = oneshot::channel::<Result<(), Error>>();
    let transmitted = async { told.await.unwrap_or(Err(Error::ConnectionTerminated)) };
    let request = store.with(|mut store| {
        let mut request = store.get().http().table.delete(request)?;
        request.path_with_query.get_or_insert(PathAndQuery::from_static("/"));
        let (scheme, authority, path) =
            (request.scheme.clone(), request.authority.clone(), request.path_with_query.clone());
        let (method, headers, options) =
            (request.method.clone(), request.headers.clone(), request.options.as_ref().map(Arc::clone));
        let body = match request.into_http_with_getter(&mut store, transmitted, Guest::http) {
            Ok((request, _)) => request.into_body(),
            Err(error) => return error.downcast().map(Err),
        };
        let (request, _) = Request::new(method, scheme, authority, path, headers, options, body);
        Ok(Ok(store.get().http().table.push(request)?))
    })?;
    let sent = match request {
        Ok(request) => WasiHttp::send(&store.with_getter::<WasiHttp>(Guest::http), request).await,
        Err(code) => Err(ErrorCode::into(code)),
    };
    let answer = match sent {
        Ok(answer) => Ok(answer),
        Err(error) => Err(error.downcast()?),
    };
    // Nobody may be listening.
    let _ = tell.send(answer.as_ref().map(|_| ()).map_err(|code: &ErrorCode| code.clone().into()));
    Ok(answer)
}
