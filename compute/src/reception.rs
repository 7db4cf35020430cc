//! What becomes of an order about an execution, by what the node knows of it. Decides only; `supervisor` acts.
//!
//! Orders are repeated after every break of the link and may come late, twice, or for what was lost meanwhile. That an
//! execution runs once at most is decided here.

/// What a node knows of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    No,
    /// It was taken on, or how it ended is on its way into the journal.
    Live,
    /// How it ended is in the journal.
    Ended {
        /// The number of the report of it.
        report: u64,
    },
}

/// What becomes of an order to run one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRun {
    /// The node's rules are asked, and it runs or is refused.
    TakeOn,
    /// Nothing: it is under way, or its end is reported anyway.
    Nothing,
    /// How it ended is reported once more: the orchestrator had it, and lost it.
    ReportAgain,
    /// It ran here once, and nobody knows how far: what was written down of it is lost. It is said to have been interrupted,
    /// and does not run again.
    Interrupted,
}

/// What becomes of an order to stop one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// It is told to stop.
    Stop,
    /// Nothing: it ended before, and its end is reported anyway.
    Nothing,
    /// How it ended is reported once more: the orchestrator had it, and asks since it does not know.
    ReportAgain,
    /// Never heard of, so nothing runs. That is written down as its end: an order to run it that comes late finds it.
    WriteDown,
}

/// What becomes of an order to run an execution that had `started` here as far as the orchestrator knows, or had not;
/// `acknowledged` is the last report that it has.
pub fn on_run(known: Known, started: bool, acknowledged: u64) -> OnRun {
    match known {
        Known::No if started => OnRun::Interrupted,
        Known::No => OnRun::TakeOn,
        Known::Ended { report } if report <= acknowledged => OnRun::ReportAgain,
        Known::Live | Known::Ended { .. } => OnRun::Nothing,
    }
}

/// What becomes of an order to stop an execution; `acknowledged` is the last report that the orchestrator has.
pub fn on_cancel(known: Known, acknowledged: u64) -> OnCancel {
    match known {
        Known::No => OnCancel::WriteDown,
        Known::Live => OnCancel::Stop,
        Known::Ended { report } if report <= acknowledged => OnCancel::ReportAgain,
        Known::Ended { .. } => OnCancel::Nothing,
    }
}
