//! Everything that is locked, wherever it is kept.

use skrei_job::{JobId, secret::Name};
use skrei_ledger::rusqlite::{self, params};

use super::{Error, Store, row, secrets::name};

/// Something locked, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) locked: Vec<u8>,
}

/// Where something locked is; in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) owner: Owner,
    pub(crate) name: Name,
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Namespace(String),
    /// A version of a job.
    Job(JobId, u64),
}

impl Store {
    /// Whether anything is locked; on the calling thread.
    pub(crate) fn has_locked(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM secret)
            OR EXISTS (SELECT 1 FROM secret_grant WHERE locked IS NOT NULL)";
        self.ledger.read_blocking(|connection| connection.query_row(sql, (), |found| found.get(0)))
    }

    /// The next locked rows after a place.
    pub(crate) async fn locked_rows(&self, after: Option<Place>, limit: usize) -> Result<Vec<Row>, Error> {
        self.read(move |connection| {
            let mut rows = Vec::new();
            let (after_stored, after_given) = match after {
                None => (Some((String::new(), String::new())), (String::new(), 0, String::new())),
                Some(Place { owner: Owner::Namespace(namespace), name }) => {
                    (Some((namespace, String::from(name))), (String::new(), 0, String::new()))
                }
                Some(Place { owner: Owner::Job(job, version), name }) => {
                    (None, (job.as_str().to_owned(), row::signed(version), String::from(name)))
                }
            };
            if let Some((namespace, after_name)) = after_stored {
                let sql = "SELECT namespace, name, locked FROM secret WHERE (namespace, name) > (?1, ?2)
                    ORDER BY namespace, name LIMIT ?3";
                let mut statement = connection.prepare_cached(sql)?;
                let found = statement.query_map(params![namespace, after_name, limit as i64], |found| {
                    let place = Place { owner: Owner::Namespace(found.get(0)?), name: name(found, 1)? };
                    Ok(Row { place, locked: found.get(2)? })
                })?;
                rows = found.collect::<rusqlite::Result<Vec<_>>>()?;
            }
            let sql = "SELECT job, version, name, locked FROM secret_grant
                WHERE locked IS NOT NULL AND (job, version, name) > (?1, ?2, ?3) ORDER BY job, version, name LIMIT ?4";
            let (job, version, after_name) = after_given;
            let left = limit.saturating_sub(rows.len()) as i64;
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_map(params![job, version, after_name, left], |found| {
                let owner = Owner::Job(JobId::new(found.get::<_, String>(0)?), row::unsigned(found.get(1)?));
                Ok(Row { place: Place { owner, name: name(found, 2)? }, locked: found.get(3)? })
            })?;
            rows.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
            Ok(rows)
        })
        .await
    }

    /// Puts what was locked again in the place of what it was, unless that has changed meanwhile; says how many.
    pub(crate) async fn relock(&self, rows: Vec<(Row, Vec<u8>)>) -> Result<u64, Error> {
        let change = self.ledger.write(move |transaction| {
            let mut changed = 0;
            for (Row { place: Place { owner, name }, locked }, new) in &rows {
                changed += match owner {
                    Owner::Namespace(namespace) => transaction
                        .prepare_cached(
                            "UPDATE secret SET locked = ?4 WHERE namespace = ?1 AND name = ?2 AND locked = ?3",
                        )?
                        .execute(params![namespace, name.as_str(), locked, new])?,
                    Owner::Job(job, version) => transaction
                        .prepare_cached(
                            "UPDATE secret_grant SET locked = ?5
                             WHERE job = ?1 AND version = ?2 AND name = ?3 AND locked = ?4",
                        )?
                        .execute(params![job.as_str(), row::signed(*version), name.as_str(), locked, new])?,
                };
            }
            Ok(changed as u64)
        });
        change.await.wait().await
    }
}
