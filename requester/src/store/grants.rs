//! Which secrets a version of a job may have.

use std::{collections::BTreeMap, sync::Arc};

use skrei_job::{
    ExecutionId, JobId, NodeId,
    labels::Labels,
    life::ExecutionState,
    secret::{Name, SealedByClient},
};
use skrei_ledger::rusqlite::{self, Connection, OptionalExtension, Transaction, params};
use skrei_scheduler::{Grant, Membership, Node};

use super::{
    Error, Reader, Store, nodes, row,
    secrets::{StoredSecret, by_name, name},
};

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
    pub(crate) grants: Arc<[Grant]>,
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

/// Why nothing was added to what was sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAdded {
    #[error(
        "the secret `{0}` was not sealed by whoever submitted this version of the job, or the version has ended"
    )]
    NotSealed(Name),
    #[error("the secret `{0}` was sealed {ENVELOPES_MAX} times already for one node or another")]
    TooMany(Name),
    #[error("what was sealed of the secret `{0}` would have more than {SEALED_BYTES_MAX} bytes")]
    TooLarge(Name),
}

/// Envelopes that one secret of a version may have. One for all nodes takes the place of those before it.
const ENVELOPES_MAX: usize = 64;

/// What one secret of a version may have in its envelopes, with what is added to those it came with: enough for 50,000 nodes.
const SEALED_BYTES_MAX: usize = 12 << 20;

/// The label that says what a node is called.
const NAME_LABEL: &str = "name";

impl Store {
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
        self.read(move |connection| {
            let grants = grants(connection, &job, version)?;
            let stored = stored(connection, &namespace, &grants)?;
            Ok((grants, stored))
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
                if sealed.iter().map(bytes).sum::<usize>() > SEALED_BYTES_MAX {
                    return Ok(Err(NotAdded::TooLarge(name.clone())));
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
}

impl Reader<'_> {
    /// What a version may have, as far as that is not `known`, and the secrets of the namespace among that.
    pub(crate) fn granted(
        self,
        job: &JobId,
        version: u64,
        namespace: &str,
        known: Option<Arc<[Grant]>>,
    ) -> rusqlite::Result<(Arc<[Grant]>, Vec<StoredSecret>)> {
        let granted = match known {
            Some(known) => known,
            None => grants(self.0, job, version)?.into(),
        };
        let stored = stored(self.0, namespace, &granted)?;
        Ok((granted, stored))
    }

    /// What an execution is entitled to; none if there is no such execution.
    pub(crate) fn entitlement(
        self,
        job: &JobId,
        execution: &ExecutionId,
    ) -> rusqlite::Result<Option<Entitlement>> {
        let sql = "SELECT job.namespace, job.name, execution.version, execution.node, state.state
            FROM job JOIN execution ON execution.job = job.seq
            JOIN execution_state state ON state.execution = execution.seq
            WHERE job.id = ?1 AND execution.id = ?2";
        let found = self
            .0
            .prepare_cached(sql)?
            .query_row(params![job.as_str(), execution.as_str()], |found| {
                let state: ExecutionState = row::parse(found.get_ref(4)?.as_str()?)?;
                let version = row::unsigned(found.get(2)?);
                let (namespace, job_name): (String, String) = (found.get(0)?, found.get(1)?);
                Ok((namespace, job_name, version, found.get::<_, String>(3)?, state.is_terminal()))
            })
            .optional()?;
        let Some((namespace, job_name, version, node, has_ended)) = found else { return Ok(None) };
        let standing = nodes::by_id(self.0, &node)?.map(NodeStanding::from);
        let (grants, stored) = self.granted(job, version, &namespace, None)?;
        let (job, node) = (job.clone(), NodeId::new(node));
        Ok(Some(Entitlement { job, namespace, job_name, node, has_ended, standing, grants, stored }))
    }
}

/// Writes down what a version of a job may have. What was given with earlier ones is not needed any more.
pub(super) fn granted(
    transaction: &Transaction<'_>,
    job: &JobId,
    version: u64,
    grants: &[Grant],
) -> rusqlite::Result<()> {
    if version > 1 {
        forget_given(transaction, job, version - 1)?;
    }
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

fn bytes(envelope: &SealedByClient) -> usize {
    let keys = envelope.keys.iter().map(|(node, key)| node.as_str().len() + key.len());
    envelope.content.len() + keys.sum::<usize>()
}

/// The secrets of a namespace among these.
fn stored(connection: &Connection, namespace: &str, grants: &[Grant]) -> rusqlite::Result<Vec<StoredSecret>> {
    let mut stored = Vec::new();
    for grant in grants.iter().filter(|grant| !grant.given) {
        stored.extend(by_name(connection, namespace, &grant.name)?);
    }
    Ok(stored)
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
