//! One part of a job: a node's, or a numbered one's.

use skrei_protocol::api::told::Progress;

use crate::terminal::style::Style;

/// Which part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Of `ops` and `daemon`: the node's.
    Node(String),
    /// Of `batch` and `service`: wherever it runs.
    Partition(u32),
}

/// The latest attempt at a part.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) execution: String,
    pub(super) node: String,
    pub(super) state: State,
    /// How far its guest says it is.
    pub(super) progress: Option<Progress>,
}

/// Where a part stands, from the best to the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Completed,
    /// Given up before it was begun.
    Missed,
    Waiting,
    #[default]
    Assigned,
    Running,
    Cancelled,
    Lost,
    Refused,
    Failed,
}

impl State {
    /// In the order in which they are counted.
    pub(super) const ALL: [Self; 9] = [
        Self::Completed,
        Self::Running,
        Self::Assigned,
        Self::Waiting,
        Self::Failed,
        Self::Refused,
        Self::Lost,
        Self::Cancelled,
        Self::Missed,
    ];

    /// From the word in an event.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(word))
    }

    /// The word for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Missed => "missed",
            Self::Waiting => "waiting",
            Self::Assigned => "assigned",
            Self::Running => "running",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// One letter that says it without colour.
    pub(super) fn mark(self) -> char {
        match self {
            Self::Completed => '#',
            Self::Missed => '-',
            Self::Waiting => '.',
            Self::Assigned => ':',
            Self::Running => '>',
            Self::Cancelled => 'o',
            Self::Lost => '?',
            Self::Refused => '!',
            Self::Failed => 'x',
        }
    }

    /// Whether it is under way.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Assigned | Self::Running)
    }

    /// Something about a part in this state.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Completed => style.green(text),
            Self::Running | Self::Assigned => style.yellow(text),
            Self::Failed | Self::Refused | Self::Lost => style.red(text),
            Self::Cancelled | Self::Waiting | Self::Missed => style.dim(text),
        }
    }
}
