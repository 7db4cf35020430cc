//! Sockets: wasmtime's own, each address of which the run's gate is asked for. They count as open files.
//!
//! They are there to be imported whatever the grant; without one every use of them fails with `access-denied`
//! (docs/decisions/0007-network-denied.md).

use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::sockets;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp::HostTcpSocket as _;
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView, WasiSocketsView};

use super::names;
use crate::guest::Guest;

/// What the guest is told that has no room for another socket.
const FULL: ErrorCode = ErrorCode::NewSocketLimit;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(linker, &options, Guest::sockets)?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    names::add_to_linker(linker)?;
    makers(linker)
}

/// What makes a socket, in place of wasmtime's own: there must be room for one more, until its handle is dropped, which
/// those of its streams are before.
fn makers(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance("wasi:sockets/tcp-create-socket@0.2.12")?.func_wrap(
        "create-tcp-socket",
        |mut store, (family,): (IpAddressFamily,)| {
            let guest: &mut Guest = store.data_mut();
            let Ok(room) = guest.holdings.room_for_socket() else { return Ok((Err(FULL),)) };
            let made = told(guest.sockets().create_tcp_socket(family))?;
            Ok((made.inspect(|socket| guest.holdings.has_socket(socket, room)),))
        },
    )?;
    linker.instance("wasi:sockets/udp-create-socket@0.2.12")?.func_wrap_async(
        "create-udp-socket",
        |mut store, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                let guest: &mut Guest = store.data_mut();
                let Ok(room) = guest.holdings.room_for_socket() else { return Ok((Err(FULL),)) };
                let made = told(guest.sockets().create_udp_socket(family).await)?;
                Ok((made.inspect(|socket| guest.holdings.has_socket(socket, room)),))
            })
        },
    )?;
    linker.allow_shadowing(true);
    let mut tcp = linker.instance("wasi:sockets/tcp@0.2.12")?;
    tcp.func_wrap_async(
        "[method]tcp-socket.start-listen",
        |mut store, (socket,): (Resource<TcpSocket>,)| {
            Box::new(async move {
                let guest: &mut Guest = store.data_mut();
                if guest.holdings.room_for_callers(&socket).is_err() {
                    return Ok((Err(FULL),));
                }
                Ok((told(guest.sockets().start_listen(socket).await)?,))
            })
        },
    )?;
    tcp.func_wrap("[method]tcp-socket.accept", |mut store, (listener,): (Resource<TcpSocket>,)| {
        let guest: &mut Guest = store.data_mut();
        let Ok(room) = guest.holdings.room_for_socket() else { return Ok((Err(FULL),)) };
        let made = told(guest.sockets().accept(listener))?;
        Ok((made.inspect(|(socket, ..)| guest.holdings.has_socket(socket, room)),))
    })?;
    tcp.resource("tcp-socket", ResourceType::host::<TcpSocket>(), |mut store, handle| {
        store.data_mut().holdings.drop_socket::<TcpSocket>(handle)
    })?;
    let mut udp = linker.instance("wasi:sockets/udp@0.2.12")?;
    udp.resource("udp-socket", ResourceType::host::<UdpSocket>(), |mut store, handle| {
        store.data_mut().holdings.drop_socket::<UdpSocket>(handle)
    })?;
    linker.allow_shadowing(false);
    Ok(())
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
        WasiSocketsCtxView { ctx, table }
    }
}
