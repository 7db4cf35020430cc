//! Who has joined, by which key and certificate.

use skrei_job::{NodeId, Timestamp};
use skrei_ledger::rusqlite::{
    Error as SqlError, OptionalExtension as _, Result, Row, Transaction, params, types::Type,
};
use skrei_tls::Fingerprint;

use super::{
    Error, Store, row,
    tokens::{self, SecretHash, TokenFault},
};

/// The SHA-256 of a public key.
pub(crate) type PublicKeyHash = [u8; 32];

/// A node that has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredIdentity {
    pub(crate) node: NodeId,
    pub(crate) public_key: PublicKeyHash,
    /// The certificate that speaks for it, and the one before, which still does.
    pub(crate) certificate: Fingerprint,
    pub(crate) before: Option<Fingerprint>,
    pub(crate) standing: Standing,
    /// Grows with every change.
    pub(crate) revision: u64,
}

/// Whether a node that has joined is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Admitted,
    /// Somebody turned it away; it may be admitted again.
    Rejected,
    /// Somebody removed it: its name is free, its certificates speak for nobody.
    Removed,
}

/// A node that wants to join.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    pub(crate) node: NodeId,
    pub(crate) public_key: PublicKeyHash,
    /// The certificate that it will get.
    pub(crate) certificate: Fingerprint,
    /// The token it shows, by id; none if it has shown by other means that it may join.
    pub(crate) token: Option<(String, SecretHash)>,
    pub(crate) now: Timestamp,
}

/// Why a node is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinFault {
    Token(TokenFault),
    /// Another node has this name: one with another key.
    NameTaken,
    Rejected,
}

impl Store {
    /// Every node that ever joined; on the calling thread.
    pub(crate) fn identities(&self) -> std::result::Result<Vec<StoredIdentity>, Error> {
        self.ledger.read_blocking(|connection| connection.prepare(SELECT)?.query_map((), identity)?.collect())
    }

    /// Lets a node in, if its token and its name allow it. The token is spent with it, or neither happens; a node that
    /// asks again, since the answer was lost, spends nothing.
    pub(crate) async fn join(
        &self,
        joining: Joining,
    ) -> std::result::Result<std::result::Result<StoredIdentity, JoinFault>, Error> {
        self.ledger.write(move |transaction| join(transaction, joining)).await.wait().await
    }

    /// A node that showed the one certificate goes on with the other. None if the one does not speak for it.
    pub(crate) async fn renew(
        &self,
        node: NodeId,
        shown: Fingerprint,
        public_key: PublicKeyHash,
        next: Fingerprint,
    ) -> std::result::Result<Option<StoredIdentity>, Error> {
        let renewed = self.ledger.write(move |transaction| {
            let Some(mut found) = find(transaction, &node)? else { return Ok(None) };
            let speaks = found.certificate == shown || found.before == Some(shown);
            if found.standing != Standing::Admitted || !speaks {
                return Ok(None);
            }
            found.before = Some(shown);
            (found.certificate, found.public_key) = (next, public_key);
            put(transaction, found).map(Some)
        });
        renewed.await.wait().await
    }

    /// A node is let in no more, or again. None if it never joined, or was removed.
    pub(crate) async fn set_standing(
        &self,
        node: NodeId,
        standing: Standing,
    ) -> std::result::Result<Option<StoredIdentity>, Error> {
        let set = self.ledger.write(move |transaction| {
            let Some(found) = find(transaction, &node)? else { return Ok(None) };
            if found.standing == Standing::Removed {
                return Ok(None);
            }
            put(transaction, StoredIdentity { standing, ..found }).map(Some)
        });
        set.await.wait().await
    }
}

fn join(
    transaction: &Transaction<'_>,
    joining: Joining,
) -> Result<std::result::Result<StoredIdentity, JoinFault>> {
    let Joining { node, public_key, certificate, token, now } = joining;
    let found = find(transaction, &node)?.filter(|found| found.standing != Standing::Removed);
    let is_again = found.as_ref().is_some_and(|found| found.public_key == public_key);
    if let Some((id, hash)) = &token {
        let token = match tokens::shown(transaction, id, hash)? {
            Ok(token) => token,
            Err(fault) => return Ok(Err(JoinFault::Token(fault))),
        };
        match token.fault(now) {
            Some(TokenFault::UsedUp) if is_again => {}
            Some(fault) => return Ok(Err(JoinFault::Token(fault))),
            None => {}
        }
    }
    // Only now: whoever has no token learns nothing of names.
    let (before, revision) = match found {
        Some(found) if found.standing == Standing::Rejected => return Ok(Err(JoinFault::Rejected)),
        Some(_) if !is_again => return Ok(Err(JoinFault::NameTaken)),
        Some(found) => (Some(found.certificate), found.revision),
        None => (None, find(transaction, &node)?.map_or(0, |removed| removed.revision)),
    };
    if let (Some((id, _)), false) = (&token, is_again) {
        tokens::spend(transaction, id)?;
    }
    let standing = Standing::Admitted;
    put(transaction, StoredIdentity { node, public_key, certificate, before, standing, revision }).map(Ok)
}

const SELECT: &str = "SELECT node, public_key, certificate, before, standing, revision FROM node_identity";

fn find(transaction: &Transaction<'_>, node: &NodeId) -> Result<Option<StoredIdentity>> {
    transaction.query_row(&format!("{SELECT} WHERE node = ?1"), [node.as_str()], identity).optional()
}

/// Stores it as the next revision.
fn put(transaction: &Transaction<'_>, identity: StoredIdentity) -> Result<StoredIdentity> {
    let identity = StoredIdentity { revision: identity.revision + 1, ..identity };
    transaction.execute(
        "INSERT OR REPLACE INTO node_identity (node, public_key, certificate, before, standing, revision)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            identity.node.as_str(),
            identity.public_key,
            identity.certificate.to_string(),
            identity.before.map(|before| before.to_string()).unwrap_or_default(),
            match identity.standing {
                Standing::Admitted => 1,
                Standing::Rejected => 2,
                Standing::Removed => 3,
            },
            row::signed(identity.revision),
        ],
    )?;
    Ok(identity)
}

fn identity(row: &Row<'_>) -> Result<StoredIdentity> {
    let fingerprint = |index: usize, text: &str| {
        text.parse::<Fingerprint>()
            .map_err(|error| SqlError::FromSqlConversionFailure(index, Type::Text, error.into()))
    };
    let before: String = row.get(3)?;
    Ok(StoredIdentity {
        node: NodeId::new(row.get::<_, String>(0)?),
        public_key: row.get(1)?,
        certificate: fingerprint(2, &row.get::<_, String>(2)?)?,
        before: if before.is_empty() { None } else { Some(fingerprint(3, &before)?) },
        standing: match row.get::<_, i64>(4)? {
            1 => Standing::Admitted,
            2 => Standing::Rejected,
            3 => Standing::Removed,
            other => return Err(SqlError::IntegralValueOutOfRange(4, other)),
        },
        revision: row::unsigned(row.get(5)?),
    })
}
