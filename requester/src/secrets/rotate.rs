//! A new master key while everything goes on.

use skrei_vault::{KeyError, KeyId, KeyRing, LockError, Locked};

use super::{given, stored};
use crate::{
    decide::Refused,
    orchestrator::Orchestrator,
    store::{Error, Owner, Place, Row},
};

/// Rows that are locked again in one transaction.
const ROWS_AT_ONCE: usize = 256;

/// Why the key was not rotated, or not to the end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRotated {
    #[error("the keys come from outside, and cannot be replaced from here")]
    GivenKeys,
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Makes a new key, locks everything again with it, and forgets the others. Gives the key's name and how many secrets
/// were locked again.
///
/// Broken off at any point it leaves keys that open everything; the next rotation takes up what is left.
pub(crate) async fn rotate(orchestrator: &Orchestrator) -> Result<(KeyId, u64), NotRotated> {
    let keys = &orchestrator.keys;
    if !keys.is_writable() {
        return Err(NotRotated::GivenKeys);
    }
    // Nobody closes it, and nobody locks a stored secret with a key that is about to go.
    let _turn = orchestrator.keeper.acquire().await;
    // From here on everything is locked with the new key, and the old ones still open.
    keys.replace(keys.ring().with_new_key()?)?;
    let ring = keys.ring();
    // What was locked before with an old key is on the disk when this returns.
    orchestrator.settle().await?;
    let mut relocked = 0;
    let mut unknown = 0_usize;
    let mut after = None;
    loop {
        let rows = orchestrator.store.locked_rows(after.take(), ROWS_AT_ONCE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.place.clone());
        let mut changes = Vec::new();
        for row in rows {
            match lock_again(&ring, &row) {
                Ok(Some(locked)) => changes.push((row, locked.to_bytes())),
                Ok(None) => {}
                Err(error) => {
                    unknown += 1;
                    tracing::error!(secret = %row.place.name, %error, "a secret stays as it was locked");
                }
            }
        }
        relocked += orchestrator.store.relock(changes).await?;
    }
    // A key that something unknown may be locked with is kept: it costs nothing.
    if unknown == 0 {
        keys.replace(ring.without_older_keys())?;
    }
    tracing::info!(key = %ring.current_key(), relocked, "the key of secrets was rotated");
    Ok((ring.current_key(), relocked))
}

fn lock_again(ring: &KeyRing, row: &Row) -> Result<Option<Locked>, LockError> {
    let Place { owner, name } = &row.place;
    let context = match owner {
        Owner::Namespace(namespace) => stored(namespace, name),
        Owner::Job(job, _) => given(job, name),
    };
    ring.lock_again(&Locked::from_bytes(&row.locked)?, &context)
}
