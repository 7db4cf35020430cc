//! A fleet at a glance: a bar, counts, and a matrix with one mark for each part.

use std::{collections::BTreeMap, time::Duration};

use skrei_protocol::api::told::Progress;

use super::{
    View, bar, clock,
    part::{Part, State},
};
use crate::terminal::{fit, style::Style};

/// How many guests' own words are shown at once.
const TOLD_MAX: usize = 5;

/// The matrix has no more rows, however high the terminal: it is there to be seen at a glance.
const MATRIX_ROWS_MAX: usize = 8;

/// Room for the words behind the bar: ` 12345 of 12345`.
const BAR_WORDS: usize = 16;

impl View {
    /// The lines about a fleet; the most important first, as many as fit.
    pub(super) fn fleet(&self, columns: usize, rows: usize, elapsed: Duration, style: Style) -> Vec<String> {
        let counts = self.counts();
        let total = self.total();
        let done = match self.is_kept_running {
            true => counts.get(&State::Running).copied().unwrap_or(0),
            // What ended in any way is behind us.
            false => counts.iter().filter(|(state, _)| !is_ahead(**state)).map(|(_, count)| count).sum(),
        };
        let title = format!("{}  {}", fit::cut(&self.name, columns.saturating_sub(10)), clock(elapsed));
        let width = columns.saturating_sub(BAR_WORDS);
        let bar = bar::bar(done as f64 / total.max(1) as f64, width);
        let mut lines = vec![
            style.bold(&fit::cut(&title, columns)),
            fit::cut(&format!("{bar} {done} of {total}"), columns),
        ];
        lines.extend(counted(&counts, columns, style));
        if !self.reason.is_empty() {
            lines.push(style.yellow(&fit::cut(&format!("nothing new starts: {}", self.reason), columns)));
        }
        if self.alike > 0 {
            let more = format!("{} more failures in the same words", self.alike);
            lines.push(style.red(&fit::cut(&more, columns)));
        }
        let told = self.told(columns);
        // The matrix gives way to words, down to one row.
        let left = rows.saturating_sub(lines.len());
        let room = left.saturating_sub(told.len()).clamp(left.min(1), MATRIX_ROWS_MAX);
        lines.extend(self.matrix(&counts, columns, room, style));
        lines.extend(told);
        lines
    }

    /// How many parts are in each state; none is not there.
    fn counts(&self) -> BTreeMap<State, usize> {
        let mut counts = BTreeMap::new();
        for part in self.parts.values() {
            *counts.entry(part.state).or_default() += 1;
        }
        let unbegun = self.total() - self.parts.len();
        let missed = self.missed.min(unbegun);
        for (state, count) in [(State::Missed, missed), (State::Waiting, unbegun - missed)] {
            if count > 0 {
                *counts.entry(state).or_default() += count;
            }
        }
        counts
    }

    /// One mark for each part, in their order; or one for several, the worst of which counts.
    fn matrix(
        &self,
        counts: &BTreeMap<State, usize>,
        columns: usize,
        rows: usize,
        style: Style,
    ) -> Vec<String> {
        let count = |state| std::iter::repeat_n(state, counts.get(&state).copied().unwrap_or(0));
        let begun = self.parts.values().map(|part| part.state);
        let states: Vec<State> = begun.chain(count(State::Waiting)).chain(count(State::Missed)).collect();
        let room = columns * rows;
        if room == 0 {
            return Vec::new();
        }
        let (each, rows) = match states.len().div_ceil(room) {
            1 => (1, rows),
            // A row less, for saying so.
            _ if rows > 1 => (states.len().div_ceil(columns * (rows - 1)), rows - 1),
            each => (each, rows),
        };
        let marks: Vec<State> =
            states.chunks(each).map(|chunk| chunk.iter().copied().max().unwrap_or_default()).collect();
        let mut lines: Vec<String> =
            marks.chunks(columns).take(rows).map(|row| painted(row, style)).collect();
        if each > 1 {
            lines
                .push(style.dim(&fit::cut(&format!("each mark is {each} nodes, the worst counts"), columns)));
        }
        lines
    }

    /// What guests say of themselves: those that are least far first.
    fn told(&self, columns: usize) -> Vec<String> {
        let mut telling: Vec<(&Part, _)> =
            self.parts.values().filter_map(|part| Some((part, part.progress.as_ref()?))).collect();
        telling.sort_by(|(_, one), (_, other)| one.fraction.total_cmp(&other.fraction));
        let shown = if telling.len() > TOLD_MAX { TOLD_MAX - 1 } else { telling.len() };
        let names = telling[..shown].iter().map(|(part, _)| fit::columns(&part.node)).max().unwrap_or(0);
        let names = names.min(columns / 3);
        let line = |(part, progress): &(&Part, &Progress)| {
            bar::told(&format!("{} ", fit::exactly(&part.node, names)), progress, columns)
        };
        let mut lines: Vec<String> = telling[..shown].iter().map(line).collect();
        if telling.len() > shown {
            lines.push(fit::cut(&format!("and {} more that are further", telling.len() - shown), columns));
        }
        lines
    }
}

/// Whether a part in this state is still to be done.
fn is_ahead(state: State) -> bool {
    matches!(state, State::Waiting | State::Assigned | State::Running)
}

/// The numbers with their words and marks, over as many lines as it takes.
fn counted(counts: &BTreeMap<State, usize>, columns: usize, style: Style) -> Vec<String> {
    const GAP: &str = "  ";
    let mut lines: Vec<(usize, String)> = vec![(0, String::new())];
    for state in State::ALL {
        let Some(count) = counts.get(&state) else { continue };
        let words = fit::cut(&format!("{} {count} {}", state.mark(), state.as_str()), columns);
        let width = fit::columns(&words);
        let painted = state.paint(style, &words);
        match lines.last_mut() {
            Some((taken, line)) if *taken > 0 && *taken + GAP.len() + width <= columns => {
                *line += &format!("{GAP}{painted}");
                *taken += GAP.len() + width;
            }
            Some((taken @ 0, line)) => (*taken, *line) = (width, painted),
            _ => lines.push((width, painted)),
        }
    }
    lines.into_iter().map(|(_, line)| line).filter(|line| !line.is_empty()).collect()
}

/// Marks of one row, each run of the same in one colour.
fn painted(row: &[State], style: Style) -> String {
    row.chunk_by(|one, other| one == other)
        .map(|run| {
            let marks: String = run.iter().map(|state| state.mark()).collect();
            run.first().map_or_else(String::new, |state| state.paint(style, &marks))
        })
        .collect()
}
