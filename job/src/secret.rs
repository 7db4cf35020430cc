//! Secrets as a job knows them: by name, never by value.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    NodeId,
    labels::{Labels, Requirement},
    ownership::FileMode,
    wildcard,
};

/// A variable of the guest with this before the name of a secret has that secret's value.
const REFERENCE: &str = "secret:";

/// Longest name.
const NAME_BYTES_MAX: usize = 64;

/// Largest value, in bytes. A secret is a key or a token, not a document.
pub const VALUE_BYTES_MAX: usize = 64 << 10;

/// Secrets that one job may have.
pub const SECRETS_MAX: usize = 32;

/// A secret's name: letters, digits, `_`, `-` and `.`, a letter or digit first, 64 at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Text that names no secret. It is not shown: values end up in the place of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret's name has letters, digits, `_`, `-` and `.`, a letter or digit first, {NAME_BYTES_MAX} at most"
)]
pub struct NotAName;

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a variable of the guest has in the secret's place in a job.
    pub fn reference(&self) -> String {
        format!("{REFERENCE}{}", self.0)
    }
}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let starts = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        let is_name = starts && text.len() <= NAME_BYTES_MAX && text.bytes().all(fits);
        if is_name { Ok(Self(text.to_owned())) } else { Err(NotAName) }
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands after `secret:` in a value, if it starts so.
pub fn referenced(value: &str) -> Option<&str> {
    value.strip_prefix(REFERENCE)
}

/// One secret of a task, and where its guest finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Which secret.
    pub name: Name,
    /// Where.
    pub place: Place,
}

/// Where a guest finds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A read-only file that exists for the one execution.
    File {
        /// Absolute, normalised guest path.
        target: String,
        /// What a job says of it; a guest can read it and do nothing else, whatever that is.
        mode: FileMode,
    },
    /// A variable of the guest.
    Env {
        /// Its name.
        name: String,
    },
}

/// A secret as whoever submits a job sealed it, for one job as it is written and for nodes by their names. Nobody in between
/// can make anything of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SealedByClient {
    /// The value, under a key of its own, in base64.
    pub content: String,
    /// That key, sealed to each node's key, by the name of the node.
    #[schema(value_type = BTreeMap<String, String>)]
    pub keys: BTreeMap<NodeId, String>,
}

/// Who may have a stored secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Scope {
    /// Names of jobs, with `*` for any text. No name, no job.
    pub jobs: Vec<String>,
    /// What must hold for the labels of a node. Nothing: any node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Requirement>,
}

impl Scope {
    /// Whether a job of this name may have the secret.
    pub fn covers_job(&self, name: &str) -> bool {
        self.jobs.iter().any(|pattern| wildcard::fits(pattern, name))
    }

    /// Whether a node with these labels may have it; if not, the first requirement that does not hold.
    ///
    /// # Errors
    /// That requirement.
    pub fn covers_node(&self, labels: &Labels) -> Result<(), &Requirement> {
        self.nodes.iter().find(|requirement| !requirement.matches(labels)).map_or(Ok(()), Err)
    }

    /// For people: `jobs deploy-*; nodes zone = eu`.
    pub fn shown(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(ToString::to_string).collect();
        let nodes =
            if nodes.is_empty() { "any node".to_owned() } else { format!("nodes {}", nodes.join(", ")) };
        format!("jobs {}; {nodes}", self.jobs.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_what_is_none_is_not_shown() {
        for name in ["privkey", "tls.key-2", "9", "A_b"] {
            assert_eq!(name.parse::<Name>().unwrap().reference(), format!("secret:{name}"));
        }
        for text in ["", ".a", "-a", "a b", "a/b", "ü", "a\n", &"x".repeat(65)] {
            assert_eq!(text.parse::<Name>(), Err(NotAName), "{text}");
        }
    }

    #[test]
    fn a_scope_names_jobs_by_pattern_and_nodes_by_label() {
        for (pattern, name, expected) in [
            ("deploy", "deploy", true),
            ("deploy", "deploy-2", false),
            ("deploy-*", "deploy-", true),
            ("*-certs", "deploy-certs", true),
            ("a*b*c", "a-bb-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            let scope = Scope { jobs: vec![pattern.to_owned()], nodes: Vec::new() };
            assert_eq!(scope.covers_job(name), expected, "{pattern} {name}");
        }
        assert!(!Scope::default().covers_job("deploy"), "nobody unless somebody is named");
    }
}
