//! How a node hands results over to its orchestrator: one archive, piece by piece.
//!
//! Each piece is a `PUT` to [`Piece::path`] on the node listener, with the bytes as its body. The
//! answer says how much the orchestrator has ([`Received`]), with status 200, or with 409 if the piece did not begin
//! there; the node goes on from what it says. So an upload that breaks goes on where it was, whichever side stopped. When
//! everything is there and has the digest that was announced, the results are on disk and served before the last answer is
//! given. A piece of an archive that is there already changes nothing.

use serde::{Deserialize, Serialize};
use skrei_job::{Digest, ExecutionId, JobId};

use crate::client::segment;

/// Path under which the node listener takes results.
pub const RESULTS_PATH: &str = "/results";

/// The most bytes in one piece: small enough to keep in memory, and to be sent again.
pub const PIECE_BYTES_MAX: usize = 4 << 20;

/// What a piece belongs to; the query of its request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Of the whole archive.
    pub digest: Digest,
    /// Of the whole archive, in bytes.
    pub size: u64,
    /// Where the piece begins.
    pub offset: u64,
}

impl Piece {
    /// Path and query for a piece of the results of an execution.
    pub fn path(&self, job: &JobId, execution: &ExecutionId) -> String {
        let Self { digest, size, offset } = self;
        let [job, execution] = [job.as_str(), execution.as_str()].map(segment);
        let digest = segment(&digest.to_string());
        format!("{RESULTS_PATH}/{job}/{execution}?digest={digest}&size={size}&offset={offset}")
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Bytes from the beginning; all of them once the results are stored.
    pub received: u64,
}
