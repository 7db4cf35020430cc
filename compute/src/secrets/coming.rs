//! Secrets on their way to an execution that is being made ready.

use skrei_job::outcome::Refusal;
use skrei_protocol::link::{Assignment, WantSecrets};

use super::{Opened, Secrets, desk::Asked};

/// Where the secrets of an execution come from.
pub(crate) enum Coming<'a> {
    /// They came with the assignment.
    Here,
    /// The orchestrator was asked.
    Asked(Asked<'a>),
}

impl Secrets {
    /// Sees to it that an execution's secrets come while the rest is made ready.
    pub(crate) fn expect(&self, assignment: &Assignment) -> Coming<'_> {
        if assignment.secrets.is_empty() { Coming::Asked(self.ask(assignment)) } else { Coming::Here }
    }

    /// Opens them. It is the answer to a question that counts: what came with the assignment and is of no use is asked for.
    pub(crate) async fn opened(
        &self,
        assignment: &Assignment,
        coming: Coming<'_>,
    ) -> Result<Opened, Refusal> {
        let asked = match coming {
            Coming::Asked(asked) => asked,
            Coming::Here => match self.unseal(assignment, &assignment.secrets) {
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
