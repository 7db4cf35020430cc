//! Sockets: wasmtime's own, as in 0.2, and counted like there.

use std::sync::Arc;

use wasmtime::component::{Access, Accessor, Linker, Resource, ResourceType, StreamReader};
use wasmtime::{AsContextMut as _, StoreContextMut};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::{self, ErrorCode as LookupCode};
use wasmtime_wasi::p3::bindings::sockets::types::{
    self, ErrorCode, HostTcpSocket, HostTcpSocketWithStore as _, HostUdpSocket, IpAddress, IpAddressFamily,
    TcpSocket, UdpSocket,
};
use wasmtime_wasi::p3::sockets::SocketResult;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView, WasiSocketsView as _};

use super::{Own, connection, relay};
use crate::component::Room;
use crate::guest::Guest;
use crate::network::lookup::{self, LookupError};

/// Where they are defined.
const TYPES: &str = "wasi:sockets/types@0.3.0";

/// There to be imported whatever the grant, as in 0.2.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    ip_name_lookup::add_to_linker::<_, Own>(linker, |guest| guest)?;
    makers(linker)?;
    streams(linker)
}

/// What makes a socket and drops it, in place of wasmtime's own: there must be room for one more.
fn makers(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut sockets = linker.instance(TYPES)?;
    sockets.func_wrap("[static]tcp-socket.create", |mut store, (family,): (IpAddressFamily,)| {
        let guest: &mut Guest = store.data_mut();
        let Ok(room) = guest.holdings.room_for_socket() else { return Ok((Err(full()),)) };
        let (mut ctx, table) = guest.holdings.one_socket(&guest.gate, &room);
        let made = told(HostTcpSocket::create(&mut WasiSocketsCtxView { ctx: &mut ctx, table }, family))?;
        Ok((made.inspect(|socket| guest.holdings.has_socket(socket, room)),))
    })?;
    sockets.func_wrap_async("[static]udp-socket.create", |mut store, (family,): (IpAddressFamily,)| {
        Box::new(async move {
            let guest: &mut Guest = store.data_mut();
            let Ok(room) = guest.holdings.room_for_socket() else { return Ok((Err(full()),)) };
            let made = told(HostUdpSocket::create(&mut guest.sockets(), family).await)?;
            Ok((made.inspect(|socket| guest.holdings.has_socket(socket, room)),))
        })
    })?;
    sockets.resource("tcp-socket", ResourceType::host::<TcpSocket>(), |mut store, handle| {
        let guest: &mut Guest = store.data_mut();
        // One that came in takes room with it, whether or not the guest did anything with it.
        guest.tcp_room(&Resource::new_borrow(handle))?;
        guest.holdings.drop_socket::<TcpSocket>(handle)
    })?;
    sockets.resource("udp-socket", ResourceType::host::<UdpSocket>(), |mut store, handle| {
        store.data_mut().holdings.drop_socket::<UdpSocket>(handle)
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What gives a stream of callers or of bytes, in place of wasmtime's own, which counts none of the descriptors that the
/// stream keeps open, and gives way to nobody.
fn streams(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut sockets = linker.instance(TYPES)?;
    sockets.func_wrap_async(
        "[method]tcp-socket.listen",
        |mut store: StoreContextMut<'_, Guest>, (socket,): (Resource<TcpSocket>,)| {
            Box::new(async move {
                if store.data_mut().holdings.room_for_callers(&socket).is_err() {
                    return Ok((Err(full()),));
                }
                Ok((told(WasiSockets::listen(access(store), socket).await)?,))
            })
        },
    )?;
    sockets.func_wrap(
        "[method]tcp-socket.send",
        |mut store: StoreContextMut<'_, Guest>, (socket, data): (Resource<TcpSocket>, StreamReader<u8>)| {
            let room = store.data_mut().tcp_room(&socket)?;
            let data = relay::led(&mut store, data)?;
            let ended = WasiSockets::send(access(store.as_context_mut()), socket, data)?;
            Ok((connection::kept(&mut store, room, ended)?,))
        },
    )?;
    sockets.func_wrap(
        "[method]tcp-socket.receive",
        |mut store: StoreContextMut<'_, Guest>, (socket,): (Resource<TcpSocket>,)| {
            let room = store.data_mut().tcp_room(&socket)?;
            let (data, ended) = WasiSockets::receive(access(store.as_context_mut()), socket)?;
            Ok(((data, connection::kept(&mut store, room, ended)?),))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn access(store: StoreContextMut<'_, Guest>) -> Access<'_, Guest, WasiSockets> {
    Access::<Guest, WasiSockets>::new(store, Guest::sockets)
}

/// There is no word for it, but one may be given.
fn full() -> ErrorCode {
    ErrorCode::Other(Some("too many open sockets".to_owned()))
}

impl Guest {
    /// The room that a socket takes. One whose connection failed before it came in has no descriptor, and takes none.
    fn tcp_room(&mut self, socket: &Resource<TcpSocket>) -> wasmtime::Result<Option<Room>> {
        if let Some(room) = self.holdings.room_of(socket) {
            return Ok(Some(room));
        }
        let asked = Resource::new_borrow(socket.rep());
        let has_descriptor = told(self.sockets().get_keep_alive_enabled(asked))?.is_ok();
        Ok(has_descriptor.then(|| self.holdings.room_of_caller(socket)).flatten())
    }
}

/// What the guest is told, apart from what ends it.
fn told<T>(result: SocketResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(made) => Ok(Ok(made)),
        Err(error) => error.downcast().map(Err),
    }
}

impl ip_name_lookup::Host for Guest {}

impl<U> ip_name_lookup::HostWithStore<U> for Own {
    async fn resolve_addresses(
        store: &Accessor<U, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<IpAddress>, LookupCode>> {
        let (gate, outbound) = store.with(|mut store| {
            let guest = store.get();
            (guest.gate.clone(), Arc::clone(&guest.outbound))
        });
        let found = lookup::resolve(&gate, &outbound, &name).await;
        Ok(found.map(|addresses| addresses.into_iter().map(IpAddress::from).collect()).map_err(|error| {
            match error {
                LookupError::Invalid => LookupCode::InvalidArgument,
                LookupError::Denied => LookupCode::AccessDenied,
                LookupError::Unresolvable => LookupCode::NameUnresolvable,
            }
        }))
    }
}
