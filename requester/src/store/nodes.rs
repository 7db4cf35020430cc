//! Queries about nodes.

use skrei_ledger::rusqlite::{Connection, Result};
use skrei_scheduler::Node;

use super::{Error, Store, row};

impl Store {
    /// Every known node, by id.
    pub(crate) async fn nodes(&self) -> std::result::Result<Vec<Node>, Error> {
        self.read(all).await
    }
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Node>> {
    connection
        .prepare_cached("SELECT node FROM node ORDER BY id")?
        .query_map((), |row| row::parse(row.get_ref(0)?.as_str()?))?
        .collect()
}
