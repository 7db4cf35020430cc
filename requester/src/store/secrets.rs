//! Secrets of namespaces as they are kept: locked, each for its place.

use skrei_job::{
    Timestamp,
    secret::{Name, Scope},
};
use skrei_ledger::rusqlite::{self, Connection, OptionalExtension, Row as SqlRow, params, types::Type};

use super::{Error, Store, row};

/// A secret of a namespace.
#[derive(Clone, Debug)]
pub(crate) struct StoredSecret {
    pub(crate) namespace: String,
    pub(crate) name: Name,
    pub(crate) version: u64,
    pub(crate) locked: Vec<u8>,
    pub(crate) fingerprint: String,
    pub(crate) scope: Scope,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

const STORED: &str = "namespace, name, version, locked, fingerprint, scope, created, modified FROM secret";

impl Store {
    /// Every secret of a namespace, or of all (empty), by name.
    pub(crate) async fn secrets(&self, namespace: String) -> Result<Vec<StoredSecret>, Error> {
        self.read(move |connection| {
            let order = "ORDER BY namespace, name";
            // Two statements: one for both would look at every row.
            match namespace.as_str() {
                "" => {
                    let sql = format!("SELECT {STORED} {order}");
                    connection.prepare_cached(&sql)?.query_map((), stored)?.collect()
                }
                namespace => {
                    let sql = format!("SELECT {STORED} WHERE namespace = ?1 {order}");
                    connection.prepare_cached(&sql)?.query_map([namespace], stored)?.collect()
                }
            }
        })
        .await
    }

    /// A secret of a namespace, if it is there, and how many there are.
    pub(crate) async fn secret_among(
        &self,
        namespace: String,
        name: Name,
    ) -> Result<(Option<StoredSecret>, u64), Error> {
        self.read(move |connection| {
            let sql = "SELECT count(*) FROM secret WHERE namespace = ?1";
            let count =
                connection.prepare_cached(sql)?.query_row([&namespace], |found| found.get::<_, i64>(0))?;
            Ok((by_name(connection, &namespace, &name)?, row::unsigned(count)))
        })
        .await
    }

    /// A secret of a namespace; for the event loop, which has its own thread.
    pub(crate) fn secret(&self, namespace: &str, name: &Name) -> Result<Option<StoredSecret>, Error> {
        self.ledger.read_blocking(|connection| by_name(connection, namespace, name))
    }

    /// Puts a secret into its place; the version and the time it was first set are those of the one there, if there is
    /// one. Gives what was there before and what is there now, once that is on the disk.
    pub(crate) async fn put_secret(
        &self,
        secret: StoredSecret,
    ) -> Result<(Option<StoredSecret>, StoredSecret), Error> {
        let change = self.ledger.write(move |transaction| {
            let before = by_name(transaction, &secret.namespace, &secret.name)?;
            let mut secret = secret;
            if let Some(before) = &before {
                secret.version = before.version + 1;
                secret.created = before.created;
            }
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO secret
                     (namespace, name, version, locked, fingerprint, scope, created, modified)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    secret.namespace,
                    secret.name.as_str(),
                    row::signed(secret.version),
                    secret.locked,
                    secret.fingerprint,
                    row::json(&secret.scope)?,
                    secret.created.as_nanos(),
                    secret.modified.as_nanos(),
                ])?;
            Ok((before, secret))
        });
        change.await.wait().await
    }

    /// Takes a secret away; says whether there was one.
    pub(crate) async fn remove_secret(&self, namespace: String, name: Name) -> Result<bool, Error> {
        let change = self.ledger.write(move |transaction| {
            transaction
                .prepare_cached("DELETE FROM secret WHERE namespace = ?1 AND name = ?2")?
                .execute(params![namespace, name.as_str()])
                .map(|removed| removed > 0)
        });
        change.await.wait().await
    }
}

pub(super) fn by_name(
    connection: &Connection,
    namespace: &str,
    name: &Name,
) -> rusqlite::Result<Option<StoredSecret>> {
    let sql = format!("SELECT {STORED} WHERE namespace = ?1 AND name = ?2");
    connection.prepare_cached(&sql)?.query_row([namespace, name.as_str()], stored).optional()
}

fn stored(found: &SqlRow<'_>) -> rusqlite::Result<StoredSecret> {
    Ok(StoredSecret {
        namespace: found.get(0)?,
        name: name(found, 1)?,
        version: row::unsigned(found.get(2)?),
        locked: found.get(3)?,
        fingerprint: found.get(4)?,
        scope: row::parse(found.get_ref(5)?.as_str()?)?,
        created: row::time(found.get(6)?),
        modified: row::time(found.get(7)?),
    })
}

pub(super) fn name(found: &SqlRow<'_>, column: usize) -> rusqlite::Result<Name> {
    let text = found.get_ref(column)?.as_str()?;
    text.parse().map_err(|error: skrei_job::secret::NotAName| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
