//! Looking names up for sockets.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::vec;

use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::Network;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{Pollable, subscribe};

use crate::guest::Guest;
use crate::network::lookup::{self, LookupError};

/// The addresses of a name (`resolve-address-stream`), once they are there.
enum Addresses {
    Awaited(AbortOnDropHandle<Result<Vec<IpAddr>, LookupError>>),
    Known(vec::IntoIter<IpAddr>),
    Failed(ErrorCode),
}

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut names = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    names.resource("resolve-address-stream", ResourceType::host::<Addresses>(), |mut store, rep| {
        store.data_mut().holdings.resources.delete(Resource::<Addresses>::new_own(rep))?;
        Ok(())
    })?;
    names.func_wrap("resolve-addresses", |mut store, (network, name): (Resource<Network>, String)| {
        let guest: &mut Guest = store.data_mut();
        // Whoever has it may ask; what it is given for is the gate's to say.
        guest.holdings.resources.get(&network)?;
        let addresses = guest.resolve(name);
        let stream: Result<_, ErrorCode> = Ok(guest.holdings.resources.push(addresses)?);
        Ok((stream,))
    })?;
    names.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store, (addresses,): (Resource<Addresses>,)| {
            let addresses = store.data_mut().holdings.resources.get_mut(&addresses)?;
            Ok((addresses.next(),))
        },
    )?;
    names.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store, (addresses,): (Resource<Addresses>,)| {
            Ok((subscribe(&mut store.data_mut().holdings.resources, addresses)?,))
        },
    )
}

impl Guest {
    fn resolve(&self, name: String) -> Addresses {
        let (gate, outbound) = (self.gate.clone(), Arc::clone(&self.outbound));
        if gate.grants_sockets()
            && let Ok(executor) = self.outbound.executor()
        {
            let asking = async move { lookup::resolve(&gate, &outbound, &name).await };
            return Addresses::Awaited(AbortOnDropHandle::new(executor.spawn(asking)));
        }
        // No thread is started for a guest that will get nowhere.
        let mut asking = Box::pin(async move { lookup::resolve(&gate, &outbound, &name).await });
        match asking.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => Addresses::from(Ok(found)),
            Poll::Pending => Addresses::Failed(ErrorCode::TemporaryResolverFailure),
        }
    }
}

impl Addresses {
    fn from(found: Result<Result<Vec<IpAddr>, LookupError>, JoinError>) -> Addresses {
        match found {
            Ok(Ok(addresses)) => Addresses::Known(addresses.into_iter()),
            Ok(Err(LookupError::Invalid)) => Addresses::Failed(ErrorCode::InvalidArgument),
            Ok(Err(LookupError::Denied)) => Addresses::Failed(ErrorCode::AccessDenied),
            Ok(Err(LookupError::Unresolvable)) => Addresses::Failed(ErrorCode::NameUnresolvable),
            Err(_) => Addresses::Failed(ErrorCode::TemporaryResolverFailure),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Addresses::Awaited(asking) = self {
            *self = Addresses::from(std::task::ready!(Pin::new(asking).poll(cx)));
        }
        Poll::Ready(())
    }

    fn next(&mut self) -> Result<Option<IpAddress>, ErrorCode> {
        if self.poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Err(ErrorCode::WouldBlock);
        }
        match self {
            Addresses::Known(addresses) => Ok(addresses.next().map(IpAddress::from)),
            Addresses::Failed(error) => Err(*error),
            Addresses::Awaited(_) => Err(ErrorCode::WouldBlock),
        }
    }
}

#[async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }
}
