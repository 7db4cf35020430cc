//! Secrets as they are kept: locked, each for its place.

use std::collections::BTreeMap;

use skrei_job::{
    ExecutionId, JobId, NodeId, Timestamp,
    labels::Labels,
    life::ExecutionState,
    secret::{Name, Scope, SealedByClient},
};
use skrei_ledger::rusqlite::{
    self, Connection, OptionalExtension, Row as SqlRow, Transaction, params, types::Type,
};
use skrei_scheduler::{Grant, Membership, Node};

use super::{Error, Store, nodes, row};

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

/// What an execution is entitled to, as it is stored.
#[derive(Debug)]
pub(crate) struct Entitlement {
    pub(crate) job: JobId,
    pub(crate) namespace: String,
    pub(crate) job_name: String,
    /// Whose the execution is.
    pub(crate) node: NodeId,
    pub(crate) has_ended: bool,
    /// What is decided about that node; none if it is no node of the fleet any more.
    pub(crate) standing: Option<NodeStanding>,
    pub(crate) grants: Vec<Grant>,
    /// Those of the namespace that are granted.
    pub(crate) stored: Vec<StoredSecret>,
}

/// What a scope is asked about: what people decided about a node, and what it says itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeStanding {
    pub(crate) is_approved: bool,
    /// Labels that people gave it here, and its `name`: that is who it is, by its certificate.
    pub(crate) vouched: Labels,
    /// Those, over what it says of itself: what jobs are placed by.
    pub(crate) labels: Labels,
}

impl From<Node> for NodeStanding {
    fn from(Node { info, orders, .. }: Node) -> Self {
        let mut vouched = orders.labels;
        vouched.entry(NAME_LABEL.to_owned()).or_insert_with(|| info.id.to_string());
        Self { is_approved: info.membership == Membership::Approved, vouched, labels: info.labels }
    }
}

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

/// Why nothing was added to what was sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAdded {
    #[error(
        "the secret `{0}` was not sealed by whoever submitted this version of the job, or the version has ended"
    )]
    NotSealed(Name),
    #[error("the secret `{0}` was sealed {ENVELOPES_MAX} times already for one node or another")]
    TooMany(Name),
}

/// Envelopes that one secret of a version may have. One for all nodes takes the place of those before it.
const ENVELOPES_MAX: usize = 64;

/// The label that says what a node is called.
const NAME_LABEL: &str = "name";

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

    /// Whether anything is locked; on the calling thread.
    pub(crate) fn has_locked(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM secret)
            OR EXISTS (SELECT 1 FROM secret_grant WHERE locked IS NOT NULL)";
        self.ledger.read_blocking(|connection| connection.query_row(sql, (), |found| found.get(0)))
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

    /// What a version of a job may have; for the event loop, which has its own thread.
    pub(crate) fn grants_of(&self, job: &JobId, version: u64) -> Result<Vec<Grant>, Error> {
        self.ledger.read_blocking(|connection| grants(connection, job, version))
    }

    /// What a version of a job may have, and the secrets of the namespace among that.
    pub(crate) async fn granted(
        &self,
        job: JobId,
        version: u64,
        namespace: String,
    ) -> Result<(Vec<Grant>, Vec<StoredSecret>), Error> {
        self.read(move |connection| with_stored(connection, &namespace, grants(connection, &job, version)?))
            .await
    }

    /// What an execution is entitled to; none if there is no such execution.
    pub(crate) async fn entitlement(
        &self,
        job: JobId,
        execution: ExecutionId,
    ) -> Result<Option<Entitlement>, Error> {
        self.read(move |connection| {
            let sql = "SELECT job.namespace, job.name, execution.version, execution.node, state.state
                FROM job JOIN execution ON execution.job = job.seq
                JOIN execution_state state ON state.execution = execution.seq
                WHERE job.id = ?1 AND execution.id = ?2";
            let found = connection
                .prepare_cached(sql)?
                .query_row(params![job.as_str(), execution.as_str()], |found| {
                    let state: ExecutionState = row::parse(found.get_ref(4)?.as_str()?)?;
                    let version = row::unsigned(found.get(2)?);
                    let (namespace, job_name): (String, String) = (found.get(0)?, found.get(1)?);
                    Ok((namespace, job_name, version, found.get::<_, String>(3)?, state.is_terminal()))
                })
                .optional()?;
            let Some((namespace, job_name, version, node, has_ended)) = found else { return Ok(None) };
            let standing = nodes::by_id(connection, &node)?.map(NodeStanding::from);
            let (grants, stored) = with_stored(connection, &namespace, grants(connection, &job, version)?)?;
            let node = NodeId::new(node);
            Ok(Some(Entitlement { job, namespace, job_name, node, has_ended, standing, grants, stored }))
        })
        .await
    }

    /// Adds what was sealed for more nodes to what a version of a job was given so: all of it, or nothing and why.
    pub(crate) async fn add_sealed(
        &self,
        job: JobId,
        version: u64,
        envelopes: BTreeMap<Name, SealedByClient>,
    ) -> Result<Result<(), NotAdded>, Error> {
        let change = self.ledger.write(move |transaction| {
            let grants = grants(transaction, &job, version)?;
            let mut changed = Vec::new();
            for (name, envelope) in &envelopes {
                let grant = grants.iter().find(|grant| grant.name == *name);
                let sealed =
                    grant.and_then(|grant| grant.sealed.as_ref()).filter(|sealed| !sealed.is_empty());
                let Some(sealed) = sealed else { return Ok(Err(NotAdded::NotSealed(name.clone()))) };
                let sealed = added(sealed, envelope);
                if sealed.len() > ENVELOPES_MAX {
                    return Ok(Err(NotAdded::TooMany(name.clone())));
                }
                changed.push((name, sealed));
            }
            for (name, sealed) in changed {
                transaction
                    .prepare_cached(
                        "UPDATE secret_grant SET sealed = ?4 WHERE job = ?1 AND version = ?2 AND name = ?3",
                    )?
                    .execute(params![
                        job.as_str(),
                        row::signed(version),
                        name.as_str(),
                        row::json(&sealed)?
                    ])?;
            }
            Ok(Ok(()))
        });
        change.await.wait().await
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

/// Writes down what a version of a job may have. What was given with earlier ones is not needed any more.
pub(super) fn granted(
    transaction: &Transaction<'_>,
    job: &JobId,
    version: u64,
    grants: &[Grant],
) -> rusqlite::Result<()> {
    forget_given(transaction, job, version.saturating_sub(1))?;
    for grant in grants {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO secret_grant (job, version, name, given, locked, fingerprint, at, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                job.as_str(),
                row::signed(version),
                grant.name.as_str(),
                grant.given,
                grant.locked,
                grant.fingerprint,
                grant.at.as_nanos(),
                grant.sealed.as_ref().map(row::json).transpose()?
            ])?;
    }
    Ok(())
}

/// Removes what was given with a version of a job and those before it.
pub(super) fn forget_given(transaction: &Transaction<'_>, job: &JobId, version: u64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE secret_grant SET locked = NULL, sealed = iif(sealed IS NULL, NULL, '[]')
             WHERE job = ?1 AND version <= ?2 AND (locked IS NOT NULL OR sealed <> '[]')",
        )?
        .execute(params![job.as_str(), row::signed(version)])?;
    Ok(())
}

/// With one more envelope, and without those that are of no use to anybody then: the last one for a node counts.
fn added(sealed: &[SealedByClient], envelope: &SealedByClient) -> Vec<SealedByClient> {
    let mut sealed = sealed.to_vec();
    for earlier in &mut sealed {
        earlier.keys.retain(|node, _| !envelope.keys.contains_key(node));
    }
    sealed.retain(|earlier| !earlier.keys.is_empty());
    sealed.push(envelope.clone());
    sealed
}

fn by_name(connection: &Connection, namespace: &str, name: &Name) -> rusqlite::Result<Option<StoredSecret>> {
    let sql = format!("SELECT {STORED} WHERE namespace = ?1 AND name = ?2");
    connection.prepare_cached(&sql)?.query_row([namespace, name.as_str()], stored).optional()
}

fn with_stored(
    connection: &Connection,
    namespace: &str,
    grants: Vec<Grant>,
) -> rusqlite::Result<(Vec<Grant>, Vec<StoredSecret>)> {
    let mut stored = Vec::new();
    for grant in grants.iter().filter(|grant| !grant.given) {
        stored.extend(by_name(connection, namespace, &grant.name)?);
    }
    Ok((grants, stored))
}

fn grants(connection: &Connection, job: &JobId, version: u64) -> rusqlite::Result<Vec<Grant>> {
    let sql = "SELECT name, given, locked, fingerprint, at, sealed FROM secret_grant
        WHERE job = ?1 AND version = ?2 ORDER BY name";
    connection
        .prepare_cached(sql)?
        .query_map(params![job.as_str(), row::signed(version)], |found| {
            Ok(Grant {
                name: name(found, 0)?,
                given: found.get(1)?,
                locked: found.get(2)?,
                fingerprint: found.get(3)?,
                at: row::time(found.get(4)?),
                sealed: found.get_ref(5)?.as_str_or_null()?.map(row::parse).transpose()?,
            })
        })?
        .collect()
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

fn name(found: &SqlRow<'_>, column: usize) -> rusqlite::Result<Name> {
    let text = found.get_ref(column)?.as_str()?;
    text.parse().map_err(|error: skrei_job::secret::NotAName| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
