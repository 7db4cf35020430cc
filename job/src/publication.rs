//! Results in a bucket.

use serde::{Deserialize, Serialize};

use crate::{ExecutionId, JobId, NodeId, objects::Bucket};

/// Where in a bucket results go, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Which bucket.
    pub bucket: Bucket,
    /// The key, with placeholders.
    pub key: String,
    /// In which form.
    pub encoding: Encoding,
}

/// The form of results in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// One archive.
    #[default]
    Gzip,
    /// An object for each file.
    Plain,
}

/// What stands for a part of a key that is not known before.
const PLACEHOLDERS: &[&str] = &["{jobID}", "{executionID}", "{nodeID}", "{date}", "{time}"];

impl Publication {
    /// The key of one execution's results. `date` and `time` are digits alone.
    pub fn key(
        &self,
        job: &JobId,
        execution: &ExecutionId,
        node: &NodeId,
        (date, time): (&str, &str),
    ) -> String {
        let values = [job.as_str(), execution.as_str(), node.as_str(), date, time];
        let filled = PLACEHOLDERS
            .iter()
            .zip(values)
            .fold(self.key.trim_start_matches('/').to_owned(), |key, (name, value)| key.replace(name, value));
        let bare = filled.trim_end_matches('/');
        match self.encoding {
            Encoding::Gzip if bare.ends_with(".tar.gz") => bare.to_owned(),
            Encoding::Gzip => format!("{bare}.tar.gz"),
            Encoding::Plain => format!("{bare}/"),
        }
    }

    /// Whether this can be the key of an execution's results, at whatever time they were published.
    pub fn may_be_key(&self, (job, execution, node): (&JobId, &ExecutionId, &NodeId), key: &str) -> bool {
        let (date, time) = ('\u{1}', '\u{2}');
        let pattern = self.key(job, execution, node, (&date.to_string(), &time.to_string()));
        let mut rest = key;
        for c in pattern.chars() {
            let digits = match c {
                c if c == date => 8,
                c if c == time => 6,
                c => match rest.strip_prefix(c) {
                    Some(after) => {
                        rest = after;
                        continue;
                    }
                    None => return false,
                },
            };
            match rest.split_at_checked(digits) {
                Some((found, after)) if found.bytes().all(|byte| byte.is_ascii_digit()) => rest = after,
                _ => return false,
            }
        }
        rest.is_empty()
    }

    /// Whether two executions of one job have the same key.
    pub fn is_shared(&self) -> bool {
        !self.key.contains("{executionID}")
    }
}

/// A placeholder in a key that stands for nothing.
pub(crate) fn unknown_placeholder(key: &str) -> Option<&str> {
    let mut rest = key;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end + 1);
        if !PLACEHOLDERS.contains(&&rest[start..end]) {
            return Some(&rest[start..end]);
        }
        rest = &rest[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(key: &str, encoding: Encoding) -> Publication {
        let bucket = Bucket { name: "b".to_owned(), region: None, endpoint: None };
        Publication { bucket, key: key.to_owned(), encoding }
    }

    #[test]
    fn placeholders_are_filled_in_and_the_end_says_what_it_is() {
        let key = |text: &str, encoding| {
            let of = (JobId::new("j"), ExecutionId::new("e"), NodeId::new("n"));
            publication(text, encoding).key(&of.0, &of.1, &of.2, ("20261126", "080910"))
        };
        assert_eq!(key("/r/{jobID}/{executionID}", Encoding::Gzip), "r/j/e.tar.gz");
        assert_eq!(key("{nodeID}-{date}-{time}.tar.gz", Encoding::Gzip), "n-20261126-080910.tar.gz");
        assert_eq!(key("r/{nodeID}", Encoding::Plain), "r/n/");
        assert_eq!(key("r/", Encoding::Plain), "r/");
        let of = (&JobId::new("j"), &ExecutionId::new("e"), &NodeId::new("n"));
        let dated = publication("{executionID}/{date}-{time}", Encoding::Gzip);
        assert!(dated.may_be_key(of, "e/20261126-080910.tar.gz"));
        for other in ["e/20261126-080910", "f/20261126-080910.tar.gz", "e/2026112x-080910.tar.gz", "", "e/é"]
        {
            assert!(!dated.may_be_key(of, other), "{other}");
        }
        assert_eq!(unknown_placeholder("a/{jobID}/{execID}"), Some("{execID}"));
        assert_eq!(unknown_placeholder("a/{jobID}/{nodeID"), Some("{nodeID"));
        assert_eq!(unknown_placeholder("a/{jobID}"), None);
    }
}
