//! What a caller may do: `read:job`, `write:*`, `*` (reference requester-api 5.5).

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Looking, or changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Changes nothing.
    Read,
    /// Everything else.
    Write,
}

/// What is looked at or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The server itself.
    Agent,
    /// Jobs and what belongs to them: executions, logs, artifacts, events.
    Job,
    /// Compute nodes.
    Node,
    /// Secrets of jobs: their names can be read, their values only set.
    Secret,
    /// The record of who changed what. `read:*` does not include it: it tells of people, not of work.
    Audit,
}

/// One grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Capability {
    /// `*`
    Everything,
    /// `read:*`, `write:*`: of agent, jobs, nodes and secrets.
    Each(Action),
    /// `read:job`
    One(Action, Resource),
}

/// Not a capability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a capability: `*`, or `read:` or `write:` with `job`, `node`, `agent`, `secret`, `audit` or `*`"
)]
pub struct NotACapability(String);

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl Resource {
    const ALL: [Self; 5] = [Self::Agent, Self::Job, Self::Node, Self::Secret, Self::Audit];

    fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Job => "job",
            Self::Node => "node",
            Self::Secret => "secret",
            Self::Audit => "audit",
        }
    }

    /// Whether `read:*` and `write:*` include it.
    fn is_in_each(self) -> bool {
        self != Self::Audit
    }
}

impl Capability {
    fn covers(self, action: Action, resource: Resource) -> bool {
        match self {
            Self::Everything => true,
            Self::Each(granted) => granted == action && resource.is_in_each(),
            Self::One(granted, on) => granted == action && on == resource,
        }
    }
}

impl FromStr for Capability {
    type Err = NotACapability;

    fn from_str(text: &str) -> Result<Self, NotACapability> {
        let unknown = || NotACapability(text.chars().take(100).collect());
        let written = text.trim().to_ascii_lowercase();
        if written == "*" {
            return Ok(Self::Everything);
        }
        let (action, resource) = written.split_once(':').ok_or_else(unknown)?;
        let action = match action {
            "read" => Action::Read,
            "write" => Action::Write,
            _ => return Err(unknown()),
        };
        if resource == "*" {
            return Ok(Self::Each(action));
        }
        let resource = Resource::ALL.into_iter().find(|known| known.as_str() == resource);
        resource.map(|resource| Self::One(action, resource)).ok_or_else(unknown)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("*"),
            Self::Each(action) => write!(f, "{}:*", action.as_str()),
            Self::One(action, resource) => write!(f, "{}:{}", action.as_str(), resource.as_str()),
        }
    }
}

impl TryFrom<String> for Capability {
    type Error = NotACapability;

    fn try_from(text: String) -> Result<Self, NotACapability> {
        text.parse()
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.to_string()
    }
}

/// Everything that was granted to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// `*`
    pub fn everything() -> Self {
        Self([Capability::Everything].into())
    }

    /// Whether this was granted.
    pub fn allow(&self, action: Action, resource: Resource) -> bool {
        self.0.iter().any(|granted| granted.covers(action, resource))
    }

    /// Whether `*` was granted: also what this version knows no word for.
    pub fn allow_everything(&self) -> bool {
        self.0.contains(&Capability::Everything)
    }

    /// Whether nothing was granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each as text.
    pub fn to_words(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(granted: I) -> Self {
        Self(granted.into_iter().collect())
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_words().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(words: &[&str]) -> Capabilities {
        words.iter().map(|word| word.parse::<Capability>().unwrap()).collect()
    }

    #[test]
    fn a_grant_covers_what_it_says_and_nothing_else() {
        use {Action::*, Resource::*};
        let reader = granted(&["read:*"]);
        assert!(reader.allow(Read, Job) && reader.allow(Read, Node) && reader.allow(Read, Agent));
        assert!(!reader.allow(Write, Job) && !reader.allow(Read, Audit));
        let runner = granted(&["write:job", "read:job"]);
        assert!(runner.allow(Write, Job) && !runner.allow(Read, Node) && !runner.allow(Write, Node));
        assert!(!granted(&["write:job"]).allow(Read, Job), "who may write may not therefore read");
        assert!(granted(&["*"]).allow(Read, Audit) && granted(&["read:audit"]).allow(Read, Audit));
        assert!(!Capabilities::default().allow(Read, Agent));
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for word in ["", "read", "read:", ":job", "delete:job", "read:jobs", "**", "read:job:x", "*:job"] {
            assert!(word.parse::<Capability>().is_err(), "{word}");
        }
        assert_eq!(" READ:Job ".parse::<Capability>().unwrap().to_string(), "read:job");
    }
}
