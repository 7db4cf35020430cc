//! Objects in a bucket of S3, or of something that speaks like it.

use std::fmt;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::{Digest, partition::Partition};

/// A bucket, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Where it lies; none if the node knows.
    pub region: Option<String>,
    /// Whose service it is, as a URL; none is Amazon's, or the node's own choice.
    pub endpoint: Option<String>,
}

/// Whether a text can be the name of a region: it becomes part of the name of a host.
pub fn is_region(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Objects of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    /// Where they are.
    pub bucket: Bucket,
    /// Which.
    pub key: Key,
    /// Of those below a prefix, the ones whose rest matches; a regular expression.
    pub filter: Option<String>,
    /// Which version of one object.
    pub version: Option<String>,
    /// What one object must contain.
    pub digest: Option<Digest>,
    /// How they are shared out among the partitions of a batch.
    pub partition: Partition,
}

/// Which objects of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// One.
    One(String),
    /// All whose key begins so.
    Below(String),
}

impl Key {
    /// Reads a key as Bacalhau does: nothing, and what ends in `*` or `/`, is a prefix.
    pub fn parse(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Below(prefix.to_owned()),
            None if text.is_empty() || text.ends_with('/') => Self::Below(text.to_owned()),
            None => Self::One(text.to_owned()),
        }
    }

    /// The beginning of every key it stands for.
    pub fn prefix(&self) -> &str {
        match self {
            Self::One(key) | Self::Below(key) => key,
        }
    }
}

impl Objects {
    /// Of the keys a bucket has, those one partition gets, each with the path at which the guest finds it. None for what
    /// would lead out of its directory, and for a directory itself.
    pub fn chosen<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k str>,
        partition: u32,
        partitions: u32,
    ) -> Vec<(&'k str, String)> {
        let filter = self.filter.as_deref().and_then(|filter| Regex::new(filter).ok());
        let place = self.partition.of(partitions);
        let chosen = |key: &'k str| {
            let rest = match &self.key {
                Key::One(one) => (key == one).then(|| key.rsplit('/').next().unwrap_or(key))?,
                Key::Below(prefix) => key.strip_prefix(prefix.as_str())?.trim_start_matches('/'),
            };
            let is_wanted = filter.as_ref().is_none_or(|filter| filter.is_match(rest));
            let is_path = !rest.is_empty()
                && rest
                    .split('/')
                    .all(|step| !matches!(step, "" | "." | "..") && !step.contains(['\0', '\\']));
            (is_wanted && is_path && place(key, rest).is_none_or(|found| found == partition))
                .then(|| (key, rest.to_owned()))
        };
        keys.into_iter().filter_map(chosen).collect()
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if matches!(self.key, Key::Below(_)) { "*" } else { "" };
        write!(f, "s3://{}/{}{star}", self.bucket.name, self.key.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(key: &str, filter: Option<&str>) -> Objects {
        Objects {
            bucket: Bucket { name: "b".to_owned(), region: None, endpoint: None },
            key: Key::parse(key),
            filter: filter.map(str::to_owned),
            version: None,
            digest: None,
            partition: Partition::None,
        }
    }

    #[test]
    fn keys_become_paths_below_the_target_and_none_leads_out() {
        let keys = ["logs/a.txt", "logs/2026/b.txt", "logs/", "logs/../x", "logs//c", "other", "logs/a//b"];
        let paths = |key: &str, filter| {
            let objects = objects(key, filter);
            objects.chosen(keys, 0, 1).into_iter().map(|(_, path)| path).collect::<Vec<_>>()
        };
        assert_eq!(paths("logs/", None), ["a.txt", "2026/b.txt", "c"]);
        assert_eq!(paths("logs/*", Some("\\.txt$")), ["a.txt", "2026/b.txt"]);
        assert_eq!(paths("logs/2026/b.txt", None), ["b.txt"]);
        assert_eq!(paths("lo*", Some("^gs/a")), ["gs/a.txt"]);
    }

    #[test]
    fn every_object_is_in_one_partition() {
        let keys: Vec<String> = (0..100).map(|number| format!("p/{number}.txt")).collect();
        let objects = Objects { partition: Partition::Object, ..objects("p/", None) };
        let counts: Vec<usize> =
            (0..4).map(|index| objects.chosen(keys.iter().map(String::as_str), index, 4).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 100);
        assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
    }
}
