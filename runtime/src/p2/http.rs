//! HTTP requests (`wasi:http`). Requests that come in have no place to go to: a component is run, and serves nobody.

use url::Url;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{
    self, ErrorCode, FutureIncomingResponse, HostOutgoingRequest as _, Method, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtxView, WasiHttpView};

use crate::component::{WORD_BYTES_MAX, request_words};
use crate::guest::Guest;
use crate::network::fetch;

/// There to be imported whatever the grant, as sockets are.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let options = LinkOptions::default();
    types::add_to_linker::<_, WasiHttp>(linker, &options.into(), Guest::http)?;
    bounded(linker)?;
    linker.instance("wasi:http/outgoing-handler@0.2.12")?.func_wrap(
        "handle",
        |mut store, (request, options): (Resource<OutgoingRequest>, Option<Resource<RequestOptions>>)| {
            let guest: &mut Guest = store.data_mut();
            Ok((guest.handle(request, options)?,))
        },
    )
}

request_words!(instance: "wasi:http/types@0.2.12", resource: "outgoing-request", request: OutgoingRequest);

impl Guest {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureIncomingResponse>, ErrorCode>> {
        if self.gate.is_closed() {
            // Nothing is started for a guest that will get nowhere; what it wanted is remembered.
            let request = self.holdings.resources.delete(request)?;
            if let Some(url) = url(&request) {
                let _ = fetch::admit(&self.gate, &url);
            }
            return Ok(Err(ErrorCode::HttpRequestDenied));
        }
        match self.http().handle(request, options) {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) => error.downcast().map(Err),
        }
    }
}

/// Where a request would go to.
fn url(request: &OutgoingRequest) -> Option<Url> {
    let scheme = match &request.scheme {
        Some(Scheme::Http) => "http",
        Some(Scheme::Https) | None => "https",
        Some(Scheme::Other(scheme)) => scheme,
    };
    Url::parse(&format!("{scheme}://{}", request.authority.as_deref()?)).ok()
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.holdings.http(&self.gate, &self.outbound)
    }
}
