//! A connection is open as long as its socket or a stream of it is there, whichever is dropped first.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use wasmtime::component::{FutureConsumer, FutureReader, Resource, Source};
use wasmtime::{AsContextMut as _, StoreContextMut};
use wasmtime_wasi::p3::bindings::sockets::types::ErrorCode;

use crate::component::Room;
use crate::guest::Guest;

type Ended = Result<(), ErrorCode>;

/// The same future, and room for the connection until it is resolved: wasmtime does that when it lets go of the stream.
///
/// The guest may drop its end, the stream or both before; the host waits by itself.
pub(super) fn kept(
    store: &mut StoreContextMut<'_, Guest>,
    room: Option<Room>,
    ended: FutureReader<Ended>,
) -> wasmtime::Result<FutureReader<Ended>> {
    let Some(room) = room else { return Ok(ended) };
    // Among the resources, of which a guest has so many and no more.
    let room = store.data_mut().holdings.resources.push(room)?;
    let (tell, told) = oneshot::channel();
    ended.pipe(store.as_context_mut(), End(Some((room, tell))))?;
    FutureReader::new(store.as_context_mut(), told)
}

/// Waits for the end of a stream.
struct End(Option<(Resource<Room>, oneshot::Sender<Ended>)>);

impl FutureConsumer<Guest> for End {
    type Item = Ended;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<'_, Guest>,
        mut source: Source<'_, Ended>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut ended = None;
        source.read(store.as_context_mut(), &mut ended)?;
        if let (Some(ended), Some((room, tell))) = (ended, self.0.take()) {
            drop(store.data_mut().holdings.resources.delete(room)?);
            // It may have dropped its end.
            let _ = tell.send(ended);
        }
        Poll::Ready(Ok(()))
    }
}
