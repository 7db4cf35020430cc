//! A directory as a stream of its entries.

use std::pin::Pin;
use std::task::{Context, Poll};

use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

use super::bindings::filesystem::types::DirectoryEntry;
use super::file_stream::Ending;
use crate::component::EntryStream;

/// Entries given at a time.
const ENTRIES_MAX: usize = 64;

/// A directory being listed.
pub(super) struct Lister {
    pub(super) entries: EntryStream,
    pub(super) ending: Ending,
}

impl<D> StreamProducer<D> for Lister {
    type Item = DirectoryEntry;
    type Buffer = VecBuffer<DirectoryEntry>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut dst: Destination<'a, DirectoryEntry, VecBuffer<DirectoryEntry>>,
        _finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let most = dst.remaining(&mut store).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX);
        let mut given = Vec::new();
        let mut result = StreamResult::Completed;
        while given.len() < most {
            match self.entries.next() {
                Ok(Some((name, kind))) => given.push(DirectoryEntry { type_: kind.into(), name }),
                Ok(None) => {
                    result = StreamResult::Dropped;
                    break;
                }
                Err(errno) => {
                    self.ending.say(Err(errno));
                    result = StreamResult::Dropped;
                    break;
                }
            }
        }
        dst.set_buffer(given.into());
        Poll::Ready(Ok(result))
    }
}
