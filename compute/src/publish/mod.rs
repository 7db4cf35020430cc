//! Publishing: what a run left goes where its job wants it.
//!
//! When a guest has exited, its results are packed into one archive in the `outbox`, and its outcome is written down
//! together with what the archive is (a [`Parcel`]). Then the archive is handed over, and only when it has arrived the
//! execution has ended: whoever reads `Completed` finds the results. If the node stops in between, its next start goes on
//! with the archive.

mod bucket;
mod error;
mod outbox;
mod pack;
mod upload;

use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use error::Error;
pub(crate) use outbox::Outbox;
use serde::{Deserialize, Serialize};
use skrei_job::{
    Digest, ExecutionId, JobId, NodeId, Timestamp,
    life::ExecutionState,
    objects::Bucket,
    outcome::{Cause, Failure, Published},
    spec::Publisher,
};
use skrei_protocol::{api::time::rfc3339, link::Assignment};
pub(crate) use upload::Uploads;

use crate::{fetch, results::Results};

/// An archive on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Whose results.
    pub execution: ExecutionId,
    /// Of which job.
    pub job: JobId,
    /// Of the archive.
    pub digest: Digest,
    /// Of the archive, in bytes.
    pub size: u64,
    /// Where it goes.
    pub to: Destination,
}

/// Where an archive goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// To the orchestrator, which serves it.
    Orchestrator,
    /// Into a bucket.
    Bucket {
        /// Which.
        bucket: Bucket,
        /// Under which key; with a `/` at its end, what is in it, each file under a key of its own below.
        key: String,
    },
}

/// Publishes what executions of one node leave.
#[derive(Debug)]
pub(crate) struct Publishing {
    pub(crate) outbox: Outbox,
    pub(crate) uploads: Uploads,
}

impl Publishing {
    /// Packs what a run left. The results are gone from where they were when this returns.
    pub(crate) async fn pack(
        &self,
        (execution, job): (&ExecutionId, &JobId),
        results: Results,
        exit_code: i32,
        to: Destination,
    ) -> Result<Parcel, Error> {
        let (digest, size) = self.outbox.pack(execution, results, exit_code).await?;
        Ok(Parcel { execution: execution.clone(), job: job.clone(), digest, size, to })
    }

    /// Hands an archive over; tries for as long as it may help.
    pub(crate) async fn deliver(&self, rules: &fetch::Rules, parcel: &Parcel) -> Result<Published, Error> {
        let archive = self.outbox.archive(&parcel.execution);
        match &parcel.to {
            Destination::Orchestrator => self.uploads.deliver(parcel, &archive).await,
            Destination::Bucket { bucket, key } => {
                bucket::deliver(rules, parcel, &archive, bucket, key).await
            }
        }
    }
}

/// Where the results of an execution go, if they go anywhere. The key of a bucket has the time of now in it.
pub(crate) fn destination(node: &NodeId, assignment: &Assignment) -> Option<Destination> {
    let spec = &assignment.spec;
    match &spec.task().publisher {
        // What is never done has no results.
        _ if spec.kind().is_kept_running() => None,
        Publisher::None | Publisher::Noop => None,
        Publisher::Local => Some(Destination::Orchestrator),
        Publisher::Bucket(publication) => {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now = rfc3339(Timestamp::from_nanos(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)));
            let (date, time) = now.split_at_checked(10).unwrap_or((&now, ""));
            let (date, time) = (digits(date), digits(time.get(..9).unwrap_or(time)));
            let key = publication.key(&assignment.job, &assignment.execution, node, (&date, &time));
            Some(Destination::Bucket { bucket: publication.bucket.clone(), key })
        }
    }
}

/// The exit code of a run that has results: its guest exited by itself. What was cut short is not whole.
pub(crate) fn exit_code(state: &ExecutionState) -> Option<i32> {
    match state {
        ExecutionState::Completed(output) => output.exit_code,
        ExecutionState::Failed(Failure { cause: Cause::Exited, output, .. }) => output.exit_code,
        _ => None,
    }
}

/// The outcome of a run whose results are published.
pub(crate) fn published(mut state: ExecutionState, place: Published) -> ExecutionState {
    if let ExecutionState::Completed(output) | ExecutionState::Failed(Failure { output, .. }) = &mut state {
        output.published = Some(place);
    }
    state
}

/// The outcome of a run whose results are not, and will not be. A run that failed has failed for its own reason.
pub(crate) fn unpublished(state: ExecutionState, error: &Error) -> ExecutionState {
    match state {
        ExecutionState::Completed(output) => ExecutionState::Failed(Failure {
            cause: Cause::NotPublished,
            message: format!("the guest is done, but its results cannot be published: {error}"),
            hint: error.hint().map(str::to_owned),
            output,
        }),
        ExecutionState::Failed(failure) => ExecutionState::Failed(Failure {
            message: format!("{}; its results cannot be published: {error}", failure.message),
            ..failure
        }),
        other => other,
    }
}
