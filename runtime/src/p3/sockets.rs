//! Sockets: wasmtime's own, as in 0.2, and counted like there.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Access, Accessor, Linker, Resource, StreamReader};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::{self, ErrorCode as LookupCode};
use wasmtime_wasi::p3::bindings::sockets::types::{
    self, ErrorCode, HostTcpSocket, HostTcpSocketWithStore as _, HostUdpSocket, IpAddress, IpAddressFamily,
    TcpSocket,
};
use wasmtime_wasi::p3::sockets::SocketResult;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};

use super::{Own, relay};
use crate::guest::Guest;
use crate::network::lookup::{self, LookupError};

/// There to be imported whatever the grant, as in 0.2.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, WasiSockets>(linker, Guest::sockets)?;
    ip_name_lookup::add_to_linker::<_, Own>(linker, |guest| guest)?;
    makers(linker)?;
    senders(linker)
}

/// What makes a socket, in place of wasmtime's own: there must be room for one more.
fn makers(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut sockets = linker.instance("wasi:sockets/types@0.3.0")?;
    sockets.func_wrap("[static]tcp-socket.create", |mut store, (family,): (IpAddressFamily,)| {
        let guest: &mut Guest = store.data_mut();
        if let Err(full) = guest.has_room_for_socket() {
            return Ok((Err(full),));
        }
        Ok((told(HostTcpSocket::create(&mut guest.sockets(), family))?,))
    })?;
    sockets.func_wrap_async("[static]udp-socket.create", |mut store, (family,): (IpAddressFamily,)| {
        Box::new(async move {
            let guest: &mut Guest = store.data_mut();
            if let Err(full) = guest.has_room_for_socket() {
                return Ok((Err(full),));
            }
            let mut sockets = guest.sockets();
            Ok((told(HostUdpSocket::create(&mut sockets, family).await)?,))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What sends a stream, in place of wasmtime's own: it gives way to nobody.
fn senders(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("wasi:sockets/types@0.3.0")?.func_wrap(
        "[method]tcp-socket.send",
        |mut store: StoreContextMut<'_, Guest>, (socket, data): (Resource<TcpSocket>, StreamReader<u8>)| {
            let data = relay::led(&mut store, data)?;
            let sockets = Access::<'_, Guest, WasiSockets>::new(store, Guest::sockets);
            Ok((WasiSockets::send(sockets, socket, data)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Guest {
    fn has_room_for_socket(&mut self) -> Result<(), ErrorCode> {
        // There is no word for it, but one may be given.
        self.holdings
            .room_for_socket()
            .map_err(|_| ErrorCode::Other(Some("too many open sockets".to_owned())))
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
