//! Queries about nodes.

use skrei_ledger::rusqlite::{Connection, OptionalExtension as _, Result};
use skrei_scheduler::Node;

use super::{Error, Store, row};

impl Store {
    /// Every known node, by id.
    pub(crate) async fn nodes(&self) -> std::result::Result<Vec<Node>, Error> {
        self.read(all).await
    }
}

/// One of them.
pub(super) fn by_id(connection: &Connection, id: &str) -> Result<Option<Node>> {
    connection
        .prepare_cached("SELECT node FROM node WHERE id = ?1")?
        .query_row([id], |row| row::parse(row.get_ref(0)?.as_str()?))
        .optional()
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Node>> {
    connection
        .prepare_cached("SELECT node FROM node ORDER BY id")?
        .query_map((), |row| row::parse(row.get_ref(0)?.as_str()?))?
        .collect()
}
