//! Secrets on their way to an execution that is being made ready.

use std::time::Duration;

use skrei_job::outcome::Refusal;
use skrei_protocol::link::{Assignment, WantSecrets};
use tokio::time::Instant;

use super::{Opened, Secrets, desk::Asked};

/// Secrets that came with an assignment are opened within this time. An execution that gets ready later asks for them, so that
/// one that was removed meanwhile is not given.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Where the secrets of an execution come from.
pub(crate) enum Coming<'a> {
    /// They came with the assignment, at this time.
    Here(Instant),
    /// The orchestrator was asked.
    Asked(Asked<'a>),
}

impl Secrets {
    /// Sees to it that an execution's secrets come while the rest is made ready.
    pub(crate) fn expect(&self, assignment: &Assignment, arrived: Instant) -> Coming<'_> {
        match !assignment.secrets.is_empty() && is_recent(arrived) {
            true => Coming::Here(arrived),
            false => Coming::Asked(self.ask(assignment)),
        }
    }

    /// Opens them. It is the answer to a question that counts: what came with the assignment and is of no use, or no longer
    /// recent, is asked for.
    pub(crate) async fn opened(
        &self,
        assignment: &Assignment,
        coming: Coming<'_>,
    ) -> Result<Opened, Refusal> {
        let asked = match coming {
            Coming::Asked(asked) => asked,
            Coming::Here(arrived) if !is_recent(arrived) => self.ask(assignment),
            Coming::Here(_) => match self.unseal(assignment, &assignment.secrets) {
                Ok(opened) => return Ok(opened),
                Err(refusal) => {
                    let (execution, reason) = (&assignment.execution, refusal.message);
                    tracing::debug!(%execution, reason, "secrets that came with an assignment are asked for");
                    self.ask(assignment)
                }
            },
        };
        self.unseal(assignment, &asked.answer().await?)
    }

    fn ask(&self, assignment: &Assignment) -> Asked<'_> {
        let (execution, job) = (assignment.execution.clone(), assignment.job.clone());
        self.desk.ask(WantSecrets { execution, job })
    }
}

fn is_recent(arrived: Instant) -> bool {
    arrived.elapsed() <= AT_ONCE
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use skrei_job::{ExecutionId, JobId, Manifest, NodeId, Spec};
    use skrei_protocol::link::{SealedSecret, Secrets as Answer, delivery};
    use skrei_vault::Secret;

    use super::*;

    /// An execution `e-1` with its secret, sealed to this node.
    fn assignment(secrets: &Secrets) -> Assignment {
        let manifest: Manifest = serde_json::from_value(serde_json::json!({
            "Name": "deploy",
            "Type": "ops",
            "Tasks": [{
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {"EntryModule": "/main.wasm"}},
                "InputSources": [{"Source": {"Type": "inline", "Params": {"URL": "data:,x"}}, "Target": "/main.wasm"}],
                "Secrets": [{"Name": "key", "Target": "/secrets/key"}],
            }],
        }))
        .unwrap();
        let (execution, name) = (ExecutionId::new("e-1"), "key".parse().unwrap());
        let context = delivery(&secrets.node, &execution, &name);
        let sealer = secrets.key.recipient().sealer().unwrap();
        let sealed = sealer.seal(&Secret::from(b"value".as_slice()), &context).unwrap();
        Assignment {
            execution,
            job: JobId::new("j-1"),
            version: 1,
            partition: 0,
            partitions: 1,
            spec: Arc::new(Spec::try_from(manifest).unwrap()),
            started: false,
            secrets: vec![SealedSecret { name, sealed, content: None }],
        }
    }

    #[tokio::test]
    async fn what_came_with_an_assignment_counts_for_a_moment_and_is_asked_for_later() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(NodeId::new("n-1"), &directory.path().join("sealing-key")).unwrap();
        let assignment = assignment(&secrets);
        let now = Instant::now();
        let coming = secrets.expect(&assignment, now);
        assert!(matches!(coming, Coming::Here(_)));
        secrets.opened(&assignment, coming).await.unwrap();

        // Old when it is made ready, or by the time that it is ready.
        let old = now.checked_sub(AT_ONCE + Duration::from_millis(1)).unwrap();
        for coming in [secrets.expect(&assignment, old), Coming::Here(old)] {
            let answered = async {
                let asked = secrets.desk.next().await;
                assert_eq!(asked.execution.as_str(), "e-1");
                let removed = super::super::refusal("it was removed".to_owned(), None);
                secrets.desk.answer(Answer { execution: asked.execution, result: Err(removed) });
            };
            let (opened, ()) = tokio::join!(secrets.opened(&assignment, coming), answered);
            assert_eq!(opened.err().unwrap().message, "it was removed");
        }
    }
}
