//! The node link: what a compute node and its orchestrator say to each other.
//!
//! The node dials; each websocket text message is one JSON object. The node speaks first ([`FromNode::Hello`]),
//! the orchestrator answers [`ToNode::Welcome`] or [`ToNode::Rejected`]. Two rules make a break harmless:
//!
//! - *Reports are a sequence.* The node numbers them, keeps them on disk, and sends them again from the first one
//!   that is not acknowledged. The orchestrator acknowledges what is in its store.
//! - *Assignments are state.* After each hello the orchestrator sends every assignment that is not over; a node
//!   that knows the execution's id ignores the repetition.

mod plan;
mod secrets;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skrei_job::{
    ExecutionId, JobId, NodeId, Spec, Timestamp, labels::Labels, life::ExecutionState, resources::Resources,
    told::Progress,
};

pub use plan::{Granted, Judge, Judgement};
pub use secrets::{SealedSecret, Secrets, WantSecrets, by_client, delivery};

/// The version of this protocol. Both sides must have the same.
pub const PROTOCOL: &str = "skrei/2";

/// Path of the websocket on the node listener.
pub const LINK_PATH: &str = "/link/v1";

/// Path under which the node listener serves artifacts, followed by the digest's hexadecimal digits.
pub const ARTIFACTS_PATH: &str = "/artifacts";

/// Largest message either side accepts: an assignment carries a whole job, inline content included.
pub const MESSAGE_MAX_BYTES: usize = 16 << 20;

/// What a node says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FromNode {
    /// First message on every connection.
    Hello(Hello),
    /// It lives, and has this much to give right now.
    Heartbeat(Load),
    /// Something became true of an execution.
    Report(Report),
    /// Answer to [`ToNode::ReadLog`].
    Log(LogPage),
    /// How far guests say they are. Lost on the way it is not sent again: the next word counts.
    Told(Vec<Told>),
    /// It is about to run an execution that came without its secrets, or some time ago, and asks for them.
    WantSecrets(WantSecrets),
    /// Answer to [`ToNode::Judge`].
    Judged(Judgement),
    /// It is shutting down on purpose and will not take more work.
    Leaving,
}

/// Who is calling.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: String,
    /// Version of the program.
    pub version: String,
    /// Its id, the same over restarts, and that of its certificate.
    pub node: NodeId,
    /// What it can do.
    pub info: NodeInfo,
    /// Executions it has accepted that have not ended; it is told to cancel those it should not run.
    pub holds: Vec<ExecutionId>,
}

/// What a node can do and has to give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Configured and automatic labels.
    pub labels: Labels,
    /// Engine types, `wasm`.
    pub engines: Vec<String>,
    /// Input source types.
    pub sources: Vec<String>,
    /// Publisher types.
    pub publishers: Vec<String>,
    /// What it shares out in all.
    pub capacity: Resources,
    /// The key that secrets for it are sealed to: an X25519 public key in base64. Empty: it takes none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sealing_key: String,
    /// Whether it answers [`ToNode::Judge`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub judges: bool,
}

/// How busy a node is, and whether it does well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Executions running.
    pub running: u32,
    /// Executions accepted and waiting.
    pub waiting: u32,
    /// What is free.
    pub available: Resources,
    /// Why it can do nothing new for now, in words for people; none if it does well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwell: Option<String>,
}

/// Something became true of an execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Grows by one; the node's own, the same over restarts.
    pub number: u64,
    /// Which execution.
    pub execution: ExecutionId,
    /// `Running`, or how it ended.
    pub state: ExecutionState,
}

/// How far a guest says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Whose guest.
    pub execution: ExecutionId,
    /// Its latest word.
    pub progress: Progress,
}

/// Part of an execution's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogPage {
    /// From [`ToNode::ReadLog`].
    pub request: u64,
    /// What there is from the asked position on, or why there is nothing.
    pub result: Result<LogChunk, String>,
}

/// Consecutive output of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogChunk {
    /// Pieces in the order they were written.
    pub pieces: Vec<LogPiece>,
    /// Where the next read goes on.
    pub next: u64,
    /// Whether the execution is over and nothing follows.
    pub end: bool,
}

/// What was written to one stream at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPiece {
    /// Which stream.
    pub stream: Stream,
    /// When it was begun, by the node's clock. None from a node of a version that keeps no times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The text; invalid UTF-8 replaced.
    pub text: String,
}

/// An output stream of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What the orchestrator says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToNode {
    /// The node may go on.
    Welcome(Welcome),
    /// The node may not; the connection ends.
    Rejected {
        /// Why, for the node's log.
        message: String,
        /// The way out.
        hint: String,
    },
    /// Run this, unless its id is known already.
    Run(Box<Assignment>),
    /// Stop this if it runs; report how it ended.
    Cancel {
        /// Which.
        execution: ExecutionId,
        /// Why.
        reason: String,
    },
    /// Reports up to this number are stored and may be forgotten.
    Acknowledge {
        /// The number.
        number: u64,
    },
    /// Asks for output of an execution.
    ReadLog(ReadLog),
    /// Answer to [`FromNode::WantSecrets`].
    Secrets(Secrets),
    /// Asks what the node would make of a job. Only for nodes that say that they answer.
    Judge(Judge),
    /// Get the next certificate now: another authority vouches for the orchestrator, and gives it.
    Renew,
}

/// The terms of a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// Who answers.
    pub orchestrator: NodeId,
    /// The node is taken for gone after this much silence, in milliseconds.
    pub silence_max_millis: u64,
}

/// One execution to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// Its id.
    pub execution: ExecutionId,
    /// The job.
    pub job: JobId,
    /// Its version.
    pub version: u64,
    /// Which part of a batch, from 0.
    pub partition: u32,
    /// How many parts there are.
    pub partitions: u32,
    /// What to run. Checked again where it is read.
    pub spec: Arc<Spec>,
    /// Whether the node has said that it runs. One that knows nothing of it any more does not run it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub started: bool,
    /// All its secrets, as they were sealed when it was placed, for a node that runs it at once; or none. A node that runs it
    /// later, or cannot open them, asks ([`FromNode::WantSecrets`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SealedSecret>,
}

/// Asks for output of an execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadLog {
    /// Repeated in the answer.
    pub request: u64,
    /// Which execution.
    pub execution: ExecutionId,
    /// Where to go on: 0, or what the last answer said.
    pub from: u64,
    /// Wait for output if there is none yet and the execution is not over.
    pub wait: bool,
    /// Pass over what was written before. A node of a version that keeps no times does not know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}
