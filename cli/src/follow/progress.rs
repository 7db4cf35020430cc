//! How far guests say they are: one line that changes on a terminal, a line now and then elsewhere.

use std::collections::BTreeMap;

use skrei_job::ExecutionId;
use skrei_protocol::api::told::ProgressEvent;

use crate::terminal;

/// Where nobody watches, a guest's word is shown when it has come so many percent further.
const STEP_PERCENT: u8 = 10;

/// The latest word of each execution.
pub(super) struct Line {
    watched: bool,
    words: BTreeMap<String, Word>,
    is_drawn: bool,
}

struct Word {
    text: String,
    step: u8,
}

impl Line {
    pub(super) fn new(watched: bool) -> Self {
        Self { watched, words: BTreeMap::new(), is_drawn: false }
    }

    /// Shows a guest's word, in the place of the one before.
    pub(super) fn show(&mut self, event: &ProgressEvent) {
        let ProgressEvent { execution_id, node_id, progress } = event;
        // A cast of a float takes what is out of bounds to the nearest bound.
        let step = (progress.fraction * 100.0) as u8 / STEP_PERCENT;
        let word = Word { text: format!("{node_id} {}", plain(&progress.in_words())), step };
        let before = self.words.insert(execution_id.clone(), word);
        if self.watched {
            self.draw();
        } else if before.is_none_or(|before| before.step != step) {
            let execution = ExecutionId::new(execution_id.as_str());
            terminal::note(&format!(
                "{} Progress: {node_id}: {}",
                execution.short(),
                plain(&progress.in_words())
            ));
        }
    }

    /// An execution says nothing more.
    pub(super) fn forget(&mut self, execution: &str) {
        self.words.remove(execution);
    }

    /// Draws the line again, if there is one and somebody watches.
    pub(super) fn draw(&mut self) {
        if !self.watched || self.words.is_empty() {
            return self.clear();
        }
        let texts: Vec<&str> = self.words.values().map(|word| word.text.as_str()).collect();
        terminal::in_place(&fitted(&texts.join("  "), terminal::width() - 1));
        self.is_drawn = true;
    }

    /// Takes the line away, so that something else can be shown.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            terminal::in_place("");
        }
    }
}

/// What a guest says may not move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_says_is_cut_to_the_line_and_cannot_leave_it() {
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("abcd", 4), "abcd");
        assert_eq!(plain("a\x1b[2J\nb"), "a [2J b");
    }
}
