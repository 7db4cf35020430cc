//! Sockets: wasmtime's own, each address of which the run's gate is asked for.
//!
//! They are there to be imported whatever the grant; without one every use of them fails with `access-denied`
//! (docs/decisions/0007-network-denied.md).

use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::sockets;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView, WasiSocketsView};

use crate::guest::Guest;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(linker, &options, Guest::sockets)?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)
}

impl WasiSocketsView for Guest {
    fn sockets(&mut self) -> WasiSocketsCtxView<'_> {
        let (ctx, table) = self.holdings.sockets(&self.gate);
        WasiSocketsCtxView { ctx: ctx.sockets(), table }
    }
}
