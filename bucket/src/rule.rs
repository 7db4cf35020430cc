//! Entries of the list of buckets.

use std::str::FromStr;

use skrei_job::wildcard;

/// Buckets that jobs may use with the machine's credentials: `NAME[:ro|:rw]`, `*` in the name for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketRule {
    name: String,
    writable: bool,
}

/// Why a text is no entry of the list of buckets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form `BUCKET`, `BUCKET:ro` or `BUCKET:rw`")]
pub struct NotARule(String);

impl FromStr for BucketRule {
    type Err = NotARule;

    fn from_str(text: &str) -> Result<Self, NotARule> {
        let (name, writable) = match text.split_once(':') {
            None => (text, false),
            Some((name, "ro")) => (name, false),
            Some((name, "rw")) => (name, true),
            Some(_) => return Err(NotARule(text.to_owned())),
        };
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._*".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(NotARule(text.to_owned()));
        }
        Ok(Self { name: name.to_owned(), writable })
    }
}

impl BucketRule {
    /// Whether it lets a job change what is in buckets.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Whether it lets a job read this bucket, or with `write` also change what is in it.
    pub(crate) fn covers(&self, bucket: &str, write: bool) -> bool {
        (self.writable || !write) && wildcard::fits(&self.name, bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_buckets_and_what_may_be_done_with_them() {
        let covers = |rule: &str, bucket, write| rule.parse::<BucketRule>().unwrap().covers(bucket, write);
        assert!(
            covers("logs", "logs", false)
                && !covers("logs", "logs", true)
                && !covers("logs", "logs-2", false)
        );
        assert!(covers("out-*:rw", "out-1", true) && !covers("out-*:rw", "in-1", false));
        assert!(
            covers("*", "anything", false)
                && covers("a*b*c", "a-b-b-c", false)
                && !covers("a*b", "abc", false)
        );
        for wrong in ["", ":rw", "logs:write", "Logs", "a/b", "a b"] {
            assert!(wrong.parse::<BucketRule>().is_err(), "{wrong}");
        }
    }
}
