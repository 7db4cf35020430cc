//! What a person sees of a job that goes on: a pure function of what was heard, the size of the terminal, and the time.
//!
//! Some lines stay, and scroll away in their order: events and output of a single execution, failures of a fleet.
//! Others stand below them for the moment, and are drawn again whenever something has changed: how far the job is. They
//! never take more than the terminal has. Who draws them is [`super::live`].

mod bar;
mod fleet;
mod part;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::tz::TimeZone;
use skrei_job::JobId;
use skrei_protocol::api::{
    history::{HistoryEntry, Level},
    job::GetJobResponse,
    rollout,
    told::ProgressEvent,
};

use self::part::{Part, Place, State};
use super::words;
use crate::terminal::{fit, harmless, style::Style};

/// How many different failures are remembered, so that each is shown once.
const FAILURES_KNOWN_MAX: usize = 64;

/// Lines that are not the view's own: the one the cursor waits on, and one of what was there before.
const ROWS_SPARED: usize = 2;

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// How things are written.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Colours or none.
    pub(super) style: Style,
    /// Whose time of day.
    pub(super) zone: TimeZone,
}

/// A line that stays, until it is taken to be written.
enum News {
    Event(Box<HistoryEntry>),
    Output(String),
    Remark(String),
}

/// All that is known of a job, as far as it is shown.
pub(super) struct View {
    name: String,
    id: String,
    /// Whether its parts are numbered, and may go from one node to another.
    is_counted: bool,
    /// Whether it is to run for ever: then running is as well as it gets.
    is_kept_running: bool,
    parts: BTreeMap<Place, Part>,
    /// Where each execution belongs.
    places: BTreeMap<String, Place>,
    /// How many parts there are to be, and how many of them are given up; as the orchestrator counted last.
    total: usize,
    missed: usize,
    /// Why nothing new starts.
    reason: String,
    /// Whether the counts may have changed since.
    is_recount_due: bool,
    news: Vec<News>,
    has_header: bool,
    failure_shown: bool,
    /// What failures said, without the node's name.
    failures: BTreeSet<String>,
    /// Failures that said what others had said before.
    alike: usize,
}

impl View {
    /// A job as it stands at first; with its executions, and how far it is.
    pub(super) fn new(answer: &GetJobResponse) -> Self {
        let job = &answer.job;
        let kind = job.manifest.kind.to_lowercase();
        let mut view = Self {
            name: harmless::line(&job.manifest.name).into_owned(),
            id: JobId::new(job.id.as_str()).short().to_owned(),
            is_counted: matches!(kind.as_str(), "batch" | "service"),
            is_kept_running: matches!(kind.as_str(), "daemon" | "service"),
            parts: BTreeMap::new(),
            places: BTreeMap::new(),
            total: 0,
            missed: 0,
            reason: String::new(),
            is_recount_due: answer.progress.is_none(),
            news: Vec::new(),
            has_header: false,
            failure_shown: false,
            failures: BTreeSet::new(),
            alike: 0,
        };
        let mut executions: Vec<_> = answer.executions.iter().flat_map(|list| &list.items).collect();
        executions.retain(|execution| execution.job_version == job.version);
        executions.sort_by_key(|execution| execution.create_time);
        for execution in executions {
            let place = view.place(&execution.node_id, execution.partition_index);
            // What became of it is told by its events, from the first one on.
            view.put(place, &execution.id, &execution.node_id, State::Assigned);
        }
        if let Some(progress) = &answer.progress {
            view.count(progress);
        }
        view
    }

    /// Takes an event in.
    pub(super) fn notice(&mut self, entry: &HistoryEntry) {
        if let (Some(node), Some(state)) =
            (entry.event.detail("NodeID"), entry.event.detail("ExecutionState"))
            && let Some(state) = State::parse(state)
        {
            let partition = entry.event.detail("Partition").and_then(|number| number.parse().ok());
            let place = self.place(node, partition.unwrap_or(0));
            self.put(place, &entry.execution_id, node, state);
        }
        self.is_recount_due |=
            matches!(entry.event.topic.as_str(), "Scheduling" | "Queueing" | "State Update");
        let is_shown = match self.is_fleet() {
            true => self.is_news_of_fleet(entry),
            false => words::is_news(entry, self.failure_shown),
        };
        if is_shown {
            self.news.push(News::Event(Box::new(entry.clone())));
        }
        self.failure_shown |= entry.event.is_error();
        if words::is_halt(entry) {
            self.news.push(News::Remark(words::after_halt(&self.id)));
        }
    }

    /// Of a fleet, only what went wrong; what many nodes say in the same words, once.
    fn is_news_of_fleet(&mut self, entry: &HistoryEntry) -> bool {
        if !entry.event.is_error() || entry.kind == Level::Job {
            return words::is_halt(entry)
                || (entry.kind == Level::Job && words::is_news(entry, self.failure_shown));
        }
        let node = entry.event.detail("NodeID").unwrap_or_default();
        let said = entry.event.message.replace(node, "");
        let is_new = self.failures.len() < FAILURES_KNOWN_MAX && self.failures.insert(said);
        self.alike += usize::from(!is_new);
        is_new
    }

    /// Takes in how far a guest says it is.
    pub(super) fn tell(&mut self, event: &ProgressEvent) {
        let place = self.places.get(&event.execution_id).cloned();
        let part = place.and_then(|place| self.parts.get_mut(&place));
        if let Some(part) = part.filter(|part| part.execution == event.execution_id && part.state.is_open()) {
            part.progress = Some(event.progress.clone());
        }
    }

    /// Takes in what a guest has written; of a fleet, nobody could read it.
    pub(super) fn say(&mut self, text: &str) {
        if !self.is_fleet() {
            let lines = harmless::lines(text);
            self.news.extend(lines.lines().map(|line| News::Output(line.to_owned())));
        }
    }

    /// Takes in how the orchestrator counts.
    pub(super) fn count(&mut self, progress: &rollout::Progress) {
        let rollout::Progress { done, running, failed, refused, waiting, missed, .. } = progress;
        self.total = done + running + failed + refused + waiting + missed;
        self.missed = *missed;
        self.reason = harmless::line(&progress.reason).into_owned();
        self.is_recount_due = false;
    }

    /// Whether the orchestrator should be asked how it counts.
    pub(super) fn is_recount_due(&self) -> bool {
        self.is_recount_due
    }

    /// Whether there is more than one part.
    pub(super) fn is_fleet(&self) -> bool {
        self.total().max(self.parts.len()) > 1
    }

    /// How many lines wait to be taken.
    pub(super) fn lines_waiting(&self) -> usize {
        self.news.len()
    }

    /// The lines that stay, which are not given again.
    pub(super) fn take_lines(&mut self, size: Size, look: &Look) -> Vec<String> {
        let news = std::mem::take(&mut self.news);
        let rows = rows::Rows { columns: size.columns, look, is_fleet: self.is_fleet() };
        let mut lines = Vec::with_capacity(news.len());
        for one in news {
            match one {
                News::Event(entry) => {
                    if !std::mem::replace(&mut self.has_header, true) {
                        lines.extend(rows.header());
                    }
                    lines.extend(rows.event(&entry));
                }
                // The terminal breaks what is too long: whoever copies it has it whole.
                News::Output(line) => lines.push(format!("{} {line}", look.style.dim("|"))),
                News::Remark(text) => lines.extend(text.lines().map(str::to_owned)),
            }
        }
        lines
    }

    /// What stands there for the moment: lines that fit into the terminal, with a row to spare.
    pub(super) fn frame(&self, size: Size, elapsed: Duration, look: &Look) -> Vec<String> {
        let rows = size.rows.saturating_sub(ROWS_SPARED);
        // The last column is left free: some terminals go to the next line once it is taken.
        let columns = size.columns.saturating_sub(1);
        let mut lines = match self.is_fleet() {
            true => self.fleet(columns, rows, elapsed, look.style),
            false => self.single(columns, elapsed, look.style),
        };
        lines.truncate(rows);
        lines
    }

    fn single(&self, columns: usize, elapsed: Duration, style: Style) -> Vec<String> {
        let part = self.parts.values().next();
        let what = match part {
            None => "waiting for a node".to_owned(),
            Some(part) => format!("{} on {}", part.state.as_str(), part.node),
        };
        let mut lines = vec![style.dim(&fit::cut(&format!("{}  {what}", clock(elapsed)), columns))];
        if let Some(progress) = part.and_then(|part| part.progress.as_ref()) {
            lines.push(bar::told("", progress, columns));
        }
        lines
    }

    fn place(&self, node: &str, partition: u32) -> Place {
        if self.is_counted { Place::Partition(partition) } else { Place::Node(node.to_owned()) }
    }

    fn put(&mut self, place: Place, execution: &str, node: &str, state: State) {
        let known = self.places.insert(execution.to_owned(), place.clone()).is_some();
        let part = self.parts.entry(place).or_default();
        // A word about an attempt that another has replaced is history.
        if known && part.execution != execution {
            return;
        }
        if !state.is_open() || part.execution != execution {
            part.progress = None;
        }
        execution.clone_into(&mut part.execution);
        part.node = harmless::line(node).into_owned();
        part.state = state;
    }

    fn total(&self) -> usize {
        self.total.max(self.parts.len())
    }
}

/// `1:05`, `2:00:00`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
