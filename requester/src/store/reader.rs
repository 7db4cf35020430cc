//! The store to read in, for work that does more than ask it one thing.

use skrei_ledger::rusqlite::Connection;
use tokio::task::JoinHandle;

use super::{Error, Store};

/// One of the store's readers; as many work at once as the ledger has turns for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(super) &'a Connection);

impl Store {
    /// How many there are.
    pub(crate) fn readers(&self) -> usize {
        self.ledger.readers()
    }

    /// Does `work` on the thread of a reader, when it is its turn.
    pub(crate) async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(Reader<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.ledger.read(move |connection| Ok(work(Reader(connection)))).await
    }

    /// Has `work` begun on the thread of a reader; none if that would have to wait for its turn.
    pub(crate) fn reading_now<T: Send + 'static>(
        &self,
        work: impl FnOnce(Reader<'_>) -> T + Send + 'static,
    ) -> Option<JoinHandle<Result<T, Error>>> {
        self.ledger.read_now(move |connection| Ok(work(Reader(connection))))
    }
}
