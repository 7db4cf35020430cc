//! Page tokens: opaque to clients, understood by any orchestrator of this version.

use super::error::ApiError;
use crate::store::{Cursor, Order};

/// Where a job list goes on, and how it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListToken {
    pub(crate) order: Order,
    pub(crate) reverse: bool,
    pub(crate) limit: u32,
    /// The last job of the page before.
    pub(crate) after: Cursor,
}

impl ListToken {
    pub(crate) fn write(&self) -> String {
        let (order, key) = match (&self.order, &self.after) {
            (Order::Created, cursor) => ("c", cursor.seq.to_string()),
            (Order::Modified, cursor) => ("m", format!("{}.{}", cursor.modified, cursor.seq)),
            (Order::Id, cursor) => ("i", cursor.id.clone()),
        };
        format!("l.{order}.{}.{}.{key}", u8::from(self.reverse), self.limit)
    }

    pub(crate) fn read(token: &str) -> Result<Self, ApiError> {
        Self::parse(token).ok_or_else(not_a_token)
    }

    fn parse(token: &str) -> Option<Self> {
        let mut parts = token.strip_prefix("l.")?.splitn(4, '.');
        let order = parts.next()?;
        let reverse = match parts.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        let limit = parts.next()?.parse().ok()?;
        let key = parts.next()?;
        let mut after = Cursor::default();
        let order = match order {
            "c" => {
                after.seq = key.parse().ok()?;
                Order::Created
            }
            "m" => {
                let (modified, seq) = key.split_once('.')?;
                (after.modified, after.seq) = (modified.parse().ok()?, seq.parse().ok()?);
                Order::Modified
            }
            "i" if !key.is_empty() => {
                key.clone_into(&mut after.id);
                Order::Id
            }
            _ => return None,
        };
        Some(Self { order, reverse, limit, after })
    }
}

/// The token with which a history goes on after this number.
pub(crate) fn history_token(after: u64) -> String {
    format!("h-{after}")
}

/// Reads a token of [`history_token`]; empty is the beginning.
pub(crate) fn read_history_token(token: &str) -> Result<u64, ApiError> {
    match token {
        "" => Ok(0),
        token => token.strip_prefix("h-").and_then(|number| number.parse().ok()).ok_or_else(not_a_token),
    }
}

fn not_a_token() -> ApiError {
    ApiError::bad_request("`next_token` is not one that this list gave out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_foreign_one_is_refused() {
        for (order, after) in [
            (Order::Created, Cursor { seq: 7, ..Cursor::default() }),
            (Order::Modified, Cursor { seq: 7, modified: 1_770_000_000_000_000_000, id: String::new() }),
            (Order::Id, Cursor { id: "j-1.2".to_owned(), ..Cursor::default() }),
        ] {
            let token = ListToken { order, reverse: true, limit: 10, after };
            assert_eq!(ListToken::read(&token.write()).ok(), Some(token));
        }
        assert_eq!(read_history_token(&history_token(7)).ok(), Some(7));
        for token in ["l.c.0.1", "x", "l.c.2.3.4", "l.c.0.x.1", "l.m.0.1.2", "l.i.0.1.", "h-", "Ok46MTA6MTA"]
        {
            assert!(ListToken::read(token).is_err() && read_history_token(token).is_err(), "{token}");
        }
    }
}
