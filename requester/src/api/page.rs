//! Page tokens: opaque to clients, understood by any orchestrator of this version.

use super::error::ApiError;

/// Where a job list goes on, and how it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListToken {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    pub(crate) newest_first: bool,
}

impl ListToken {
    pub(crate) fn write(self) -> String {
        format!("l-{}-{}-{}", self.offset, self.limit, u8::from(self.newest_first))
    }

    pub(crate) fn read(token: &str) -> Result<Self, ApiError> {
        let mut parts = token.strip_prefix("l-").unwrap_or_default().split('-');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        match (number(), number(), number()) {
            (Some(offset), Some(limit), Some(newest_first @ (0 | 1))) => {
                Ok(Self { offset, limit, newest_first: newest_first == 1 })
            }
            _ => Err(not_a_token()),
        }
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
        let token = ListToken { offset: 20, limit: 10, newest_first: true };
        assert_eq!(ListToken::read(&token.write()).ok(), Some(token));
        assert_eq!(read_history_token(&history_token(7)).ok(), Some(7));
        for token in ["l-1", "x", "l-1-2-3", "h-", "Ok46MTA6MTA"] {
            assert!(ListToken::read(token).is_err() && read_history_token(token).is_err(), "{token}");
        }
    }
}
