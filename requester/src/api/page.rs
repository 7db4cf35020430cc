//! Page tokens: opaque to clients, understood by any orchestrator of this version.

use super::error::ApiError;
use crate::store::{Cursor, ExecutionCursor, Order};

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
        let reverse = read_flag(parts.next()?, ["0", "1"])?;
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

/// Where a list of executions goes on, and how it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExecutionsToken {
    /// Of which version, or 0 for all: a job that is updated meanwhile does not mix its versions in one list.
    pub(crate) version: u64,
    pub(crate) by_change: bool,
    pub(crate) reverse: bool,
    pub(crate) limit: u32,
    /// The last execution of the page before.
    pub(crate) after: ExecutionCursor,
}

impl ExecutionsToken {
    pub(crate) fn write(&self) -> String {
        let Self { version, by_change, reverse, limit, after } = self;
        let order = if *by_change { 'm' } else { 'c' };
        format!("x.{version}.{order}.{}.{limit}.{}.{}", u8::from(*reverse), after.modified, after.seq)
    }

    pub(crate) fn read(token: &str) -> Result<Self, ApiError> {
        Self::parse(token).ok_or_else(not_a_token)
    }

    fn parse(token: &str) -> Option<Self> {
        let parts: Vec<_> = token.strip_prefix("x.")?.split('.').collect();
        let [version, order, reverse, limit, modified, seq] = parts[..] else { return None };
        Some(Self {
            version: version.parse().ok()?,
            by_change: read_flag(order, ["c", "m"])?,
            reverse: read_flag(reverse, ["0", "1"])?,
            limit: limit.parse().ok()?,
            after: ExecutionCursor { seq: seq.parse().ok()?, modified: modified.parse().ok()? },
        })
    }
}

fn read_flag(text: &str, words: [&str; 2]) -> Option<bool> {
    words.iter().position(|word| *word == text).map(|index| index == 1)
}

/// The token with which the versions of a job go on after this one.
pub(crate) fn version_token(after: u64) -> String {
    format!("v-{after}")
}

/// Reads a token of [`version_token`]; empty is the beginning.
pub(crate) fn read_version_token(token: &str) -> Result<u64, ApiError> {
    read_numbered(token, "v-")
}

/// The token with which a history goes on after this number.
pub(crate) fn history_token(after: u64) -> String {
    format!("h-{after}")
}

/// Reads a token of [`history_token`]; empty is the beginning.
pub(crate) fn read_history_token(token: &str) -> Result<u64, ApiError> {
    read_numbered(token, "h-")
}

fn read_numbered(token: &str, prefix: &str) -> Result<u64, ApiError> {
    match token {
        "" => Ok(0),
        token => token.strip_prefix(prefix).and_then(|number| number.parse().ok()).ok_or_else(not_a_token),
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
        for by_change in [false, true] {
            let after = ExecutionCursor { seq: 7, modified: -1 };
            let token = ExecutionsToken { version: 3, by_change, reverse: !by_change, limit: 10, after };
            assert_eq!(ExecutionsToken::read(&token.write()).ok(), Some(token));
        }
        assert_eq!(read_history_token(&history_token(7)).ok(), Some(7));
        assert_eq!(read_version_token(&version_token(7)).ok(), Some(7));
        for token in ["l.c.0.1", "x", "l.c.2.3.4", "l.c.0.x.1", "l.m.0.1.2", "l.i.0.1.", "h-", "Ok46MTA6MTA"]
        {
            assert!(ListToken::read(token).is_err() && read_history_token(token).is_err(), "{token}");
            assert!(ExecutionsToken::read(token).is_err() && read_version_token(token).is_err(), "{token}");
        }
    }
}
