//! Identifiers: one newtype each, so that swapping two of them does not compile.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is; looking it up tells whether such a thing exists.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The full text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The prefix and the first eight characters after it (`j-78faf114`), for people.
            /// An id that is not of the generated form is returned whole.
            pub fn short(&self) -> &str {
                match self.0.split_once('-') {
                    Some((prefix, rest)) if prefix.len() == 1 && Uuid::try_parse(rest).is_ok() => {
                        &self.0[..prefix.len() + 9]
                    }
                    _ => &self.0,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// A job: `j-` and a UUID. It stays the same over all versions of the job.
    JobId
);
id!(
    /// One attempt to run one task on one node: `e-` and a UUID.
    ExecutionId
);
id!(
    /// A compute node: `n-` and a UUID, or the name its owner gave it.
    NodeId
);

id!(
    /// What Bacalhau calls an evaluation: the deciding about one version of a job. A UUID without a prefix.
    EvaluationId
);

impl JobId {
    /// A new job id from sixteen random bytes, in UUID version 4 form.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self::new(format!("j-{}", uuid::Builder::from_random_bytes(bytes).into_uuid()))
    }
}

impl NodeId {
    /// A new node id from sixteen random bytes, in UUID version 4 form.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self::new(format!("n-{}", uuid::Builder::from_random_bytes(bytes).into_uuid()))
    }
}

impl ExecutionId {
    /// The id of one attempt, made from what distinguishes it from every other attempt.
    ///
    /// The same decision taken twice (replayed after a crash, say) names the same execution, so that nothing
    /// downstream can run it twice.
    pub fn derive(job: &JobId, version: u64, node: &NodeId, partition: u32, attempt: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(job.as_str());
        hash.update([0]);
        hash.update(node.as_str());
        hash.update([0]);
        hash.update(version.to_le_bytes());
        hash.update(partition.to_le_bytes());
        hash.update(attempt.to_le_bytes());
        Self::new(format!("e-{}", uuid_of(hash)))
    }
}

impl EvaluationId {
    /// The id of the deciding about this version: whoever is answered twice reads the same.
    pub fn derive(job: &JobId, version: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update("evaluation");
        hash.update([0]);
        hash.update(job.as_str());
        hash.update([0]);
        hash.update(version.to_le_bytes());
        Self::new(uuid_of(hash).to_string())
    }
}

/// UUID version 8 (RFC 9562, 5.8) over what was hashed.
fn uuid_of(hash: Sha256) -> Uuid {
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_keeps_prefix_and_first_group() {
        let id = JobId::new("j-78faf114-6a45-457e-825c-40fd2fad768f");
        assert_eq!(id.short(), "j-78faf114");
        assert_eq!(NodeId::new("web-1").short(), "web-1");
    }

    #[test]
    fn the_same_attempt_has_the_same_id_and_another_attempt_another() {
        let (job, node) = (JobId::from_random([7; 16]), NodeId::new("a"));
        let first = ExecutionId::derive(&job, 1, &node, 0, 0);
        assert_eq!(first, ExecutionId::derive(&job, 1, &node, 0, 0));
        assert_ne!(first, ExecutionId::derive(&job, 1, &node, 0, 1));
        assert_ne!(first, ExecutionId::derive(&job, 2, &node, 0, 0));
        assert!(first.as_str().starts_with("e-"));
        let evaluation = EvaluationId::derive(&job, 1);
        assert_eq!(evaluation, EvaluationId::derive(&job, 1));
        assert_ne!(evaluation, EvaluationId::derive(&job, 2));
        assert!(Uuid::try_parse(evaluation.as_str()).is_ok(), "without a prefix: {evaluation}");
    }
}
