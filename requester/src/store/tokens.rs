//! Join tokens as they are kept: their hashes, and what is left of them.

use skrei_job::Timestamp;
use skrei_ledger::rusqlite::{OptionalExtension as _, Result, Row, Transaction, params};
use subtle::ConstantTimeEq as _;

use super::{Error, Store, row};

/// A token that lets nobody in any more is listed until it was made so long ago, or has expired so long ago.
const SPENT_KEPT_NANOS: i64 = 30 * 86_400 * 1_000_000_000;

/// The SHA-256 of a token's secret.
pub(crate) type SecretHash = [u8; 32];

/// A join token, but for what lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredToken {
    pub(crate) id: String,
    /// What it is for, in the words of whoever made it.
    pub(crate) note: String,
    pub(crate) made: Timestamp,
    /// None: never.
    pub(crate) expires: Option<Timestamp>,
    /// How many nodes it lets in; none: any number.
    pub(crate) uses: Option<u64>,
    pub(crate) used: u64,
    pub(crate) revoked: bool,
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// There is no such token, or its secret is another.
    Unknown,
    Expired,
    UsedUp,
    Revoked,
}

impl StoredToken {
    /// What is wrong with it at a time, if anything is.
    pub(crate) fn fault(&self, now: Timestamp) -> Option<TokenFault> {
        if self.revoked {
            Some(TokenFault::Revoked)
        } else if self.expires.is_some_and(|expires| expires <= now) {
            Some(TokenFault::Expired)
        } else if self.uses.is_some_and(|uses| self.used >= uses) {
            Some(TokenFault::UsedUp)
        } else {
            None
        }
    }
}

impl Store {
    /// Keeps a new token, unless there are `most` already that let somebody in; says whether it did. Those that let
    /// nobody in for long are forgotten, but for `remembered`.
    pub(crate) async fn keep_token(
        &self,
        token: StoredToken,
        hash: SecretHash,
        most: u64,
        remembered: Option<String>,
    ) -> std::result::Result<bool, Error> {
        let kept = self.ledger.write(move |transaction| {
            let spent = token.made.as_nanos().saturating_sub(SPENT_KEPT_NANOS);
            transaction.execute(
                "DELETE FROM join_token WHERE id IS NOT ?2
                 AND (expires < ?1 OR made < ?1 AND (revoked = 1 OR used >= uses))",
                params![spent, remembered],
            )?;
            let good: i64 = transaction.query_row(
                "SELECT count(*) FROM join_token
                 WHERE revoked = 0 AND (expires IS NULL OR expires > ?1) AND (uses IS NULL OR used < uses)",
                [token.made.as_nanos()],
                |row| row.get(0),
            )?;
            if row::unsigned(good) >= most {
                return Ok(false);
            }
            transaction.execute(
                "INSERT INTO join_token (id, hash, note, made, expires, uses, used, revoked)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)",
                params![
                    token.id,
                    hash,
                    token.note,
                    token.made.as_nanos(),
                    token.expires.map(Timestamp::as_nanos),
                    token.uses.map(row::signed),
                ],
            )?;
            Ok(true)
        });
        kept.await.wait().await
    }

    /// Every token, the newest first.
    pub(crate) async fn tokens(&self) -> std::result::Result<Vec<StoredToken>, Error> {
        self.read(|connection| {
            connection.prepare(&format!("{SELECT} ORDER BY made DESC"))?.query_map((), token)?.collect()
        })
        .await
    }

    /// Whether there is or was a token of this id; on the calling thread.
    pub(crate) fn knows_token(&self, id: &str) -> std::result::Result<bool, Error> {
        self.ledger.read_blocking(|connection| {
            connection
                .query_row("SELECT EXISTS (SELECT 1 FROM join_token WHERE id = ?1)", [id], |row| row.get(0))
        })
    }

    /// A token lets nobody in any more. False if there is no such token, or that was so before.
    pub(crate) async fn revoke_token(&self, id: String) -> std::result::Result<bool, Error> {
        let revoked = self.ledger.write(move |transaction| {
            let sql = "UPDATE join_token SET revoked = 1 WHERE id = ?1 AND revoked = 0";
            transaction.execute(sql, [id]).map(|changed| changed == 1)
        });
        revoked.await.wait().await
    }
}

const SELECT: &str = "SELECT id, note, made, expires, uses, used, revoked, hash FROM join_token";

fn token(row: &Row<'_>) -> Result<StoredToken> {
    Ok(StoredToken {
        id: row.get(0)?,
        note: row.get(1)?,
        made: row::time(row.get(2)?),
        expires: row.get::<_, Option<i64>>(3)?.map(row::time),
        uses: row.get::<_, Option<i64>>(4)?.map(row::unsigned),
        used: row::unsigned(row.get(5)?),
        revoked: row.get(6)?,
    })
}

/// The token of this id, if its secret has this hash. Takes as long whatever the hash.
pub(super) fn shown(
    transaction: &Transaction<'_>,
    id: &str,
    hash: &SecretHash,
) -> Result<std::result::Result<StoredToken, TokenFault>> {
    let found = transaction
        .query_row(&format!("{SELECT} WHERE id = ?1"), [id], |row| {
            Ok((token(row)?, row.get::<_, SecretHash>(7)?))
        })
        .optional()?;
    Ok(match found {
        Some((token, kept)) if bool::from(kept.ct_eq(hash)) => Ok(token),
        _ => Err(TokenFault::Unknown),
    })
}

/// A token has let a node in.
pub(super) fn spend(transaction: &Transaction<'_>, id: &str) -> Result<()> {
    transaction.execute("UPDATE join_token SET used = used + 1 WHERE id = ?1", [id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_lets_nobody_in_for_long_is_forgotten_and_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let day = |day: i64| Timestamp::from_nanos(day * 86_400 * 1_000_000_000);
        let keep = async |id: &str, made: i64| {
            let token = StoredToken {
                id: id.to_owned(),
                note: String::new(),
                made: day(made),
                expires: None,
                uses: None,
                used: 0,
                revoked: false,
            };
            store.keep_token(token, [0; 32], 3, Some("of-the-file".to_owned())).await.unwrap()
        };
        for id in ["of-the-file", "revoked", "good"] {
            assert!(keep(id, 1).await);
        }
        assert!(!keep("one too many", 1).await, "three may be good at once");
        for id in ["of-the-file", "revoked"] {
            assert!(store.revoke_token(id.to_owned()).await.unwrap());
        }
        assert!(keep("soon after", 2).await && store.knows_token("revoked").unwrap());
        assert!(keep("long after", 40).await);
        let known = ["of-the-file", "revoked", "good", "soon after", "long after"];
        let known = known.map(|id| store.knows_token(id).unwrap());
        assert_eq!(known, [true, false, true, true, true], "the token of the file stays revoked");
    }
}
