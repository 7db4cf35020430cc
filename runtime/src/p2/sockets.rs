//! Sockets: wasmtime's own, each address of which the run's gate is asked for. They count as open files.
//!
//! They are there to be imported whatever the grant; without one every use of them fails with `access-denied`
//! (docs/decisions/0007-network-denied.md).

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp::HostTcpSocket as _;
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{SocketResult, TcpSocket};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView, WasiSocketsView};

use super::names;
use crate::guest::Guest;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(linker, &options, Guest::sockets)?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    names::add_to_linker(linker)?;
    makers(linker)
}

/// What makes a socket, in place of wasmtime's own: there must be room for one more.
fn makers(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap(
        "create-tcp-socket",
        |mut store, (family,): (IpAddressFamily,)| {
            let guest: &mut Guest = store.data_mut();
            Ok((guest.make_socket(|sockets| sockets.create_tcp_socket(family))?,))
        },
    )?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap_async(
        "create-udp-socket",
        |mut store, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                let guest: &mut Guest = store.data_mut();
                if guest.holdings.room_for_socket().is_err() {
                    return Ok((Err(ErrorCode::NewSocketLimit),));
                }
                Ok((told(guest.sockets().create_udp_socket(family).await)?,))
            })
        },
    )?;
    linker.allow_shadowing(true);
    linker.instance("wasi:sockets/tcp@0.2.12")?.func_wrap(
        "[method]tcp-socket.accept",
        |mut store, (listener,): (Resource<TcpSocket>,)| {
            let guest: &mut Guest = store.data_mut();
            Ok((guest.make_socket(|sockets| sockets.accept(listener))?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Guest {
    fn make_socket<T>(
        &mut self,
        make: impl FnOnce(&mut WasiSocketsCtxView<'_>) -> SocketResult<T>,
    ) -> wasmtime::Result<Result<T, ErrorCode>> {
        if self.holdings.room_for_socket().is_err() {
            return Ok(Err(ErrorCode::NewSocketLimit));
        }
        told(make(&mut self.sockets()))
    }
}

/// What the guest is told, apart from what ends it.
fn told<T>(result: SocketResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(made) => Ok(Ok(made)),
        Err(error) => error.downcast().map(Err),
    }
}

impl WasiSocketsView for Guest {
    fn sockets(&mut self) -> WasiSocketsCtxView<'_> {
        let (ctx, table) = self.holdings.sockets(&self.gate);
        WasiSocketsCtxView { ctx: ctx.sockets(), table }
    }
}
