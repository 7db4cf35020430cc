//! Marks in the text that survive rendering: where a piece of text came from, and where a value goes.
//!
//! A mark is a number between two copies of one character that is nowhere in the template. Everything else
//! in the rendered text comes from the template, so no value and no text can forge one.

use super::tags::advance;
use crate::document::Place;

/// A character that is not in this text. Candidates are noncharacters and private ones, a fixed list.
pub(super) fn unused_character(text: &str) -> Option<char> {
    ('\u{fdd0}'..='\u{fdef}').chain('\u{e000}'..='\u{f8ff}').find(|candidate| !text.contains(*candidate))
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// What follows was at this index of the list of places.
    Place(usize),
    /// The value at this index of the list of values.
    Value(usize),
}

impl Mark {
    pub(super) fn write(self, character: char) -> String {
        match self {
            Self::Place(index) => format!("{character}{index}{character}"),
            Self::Value(index) => format!("{character}v{index}{character}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix('v') {
            Some(index) => index.parse().ok().map(Self::Value),
            None => text.parse().ok().map(Self::Place),
        }
    }
}

/// Rendered text between marks.
pub(super) fn split(text: &str, character: char) -> Vec<(Option<Mark>, &str)> {
    let mut parts = text.split(character);
    let mut found = vec![(None, parts.next().unwrap_or(""))];
    while let Some(mark) = parts.next() {
        found.push((Mark::read(mark), parts.next().unwrap_or("")));
    }
    found
}

/// Leads from places in rendered text to those in the template.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(Place, Place)>);

impl Places {
    /// Records that the text at `rendered` was at `source`. Calls come in the order of the text.
    pub(super) fn record(&mut self, rendered: Place, source: Place) {
        self.0.push((rendered, source));
    }

    /// The place in the template of a place in the rendered text.
    pub(super) fn source(&self, rendered: Place) -> Place {
        let after = self.0.partition_point(|(known, _)| *known <= rendered);
        let Some((known, source)) = after.checked_sub(1).and_then(|index| self.0.get(index)) else {
            return rendered;
        };
        if known.0 == rendered.0 {
            (source.0, source.1 + (rendered.1 - known.1))
        } else {
            (source.0 + (rendered.0 - known.0), rendered.1)
        }
    }
}

/// Text that keeps track of its end.
#[derive(Default)]
pub(super) struct Tracked {
    pub(super) text: String,
    end: Option<Place>,
}

impl Tracked {
    pub(super) fn push(&mut self, text: &str) {
        self.end = Some(advance(self.end(), text));
        self.text.push_str(text);
    }

    /// The place of what is pushed next.
    pub(super) fn end(&self) -> Place {
        self.end.unwrap_or((1, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_out_of_the_text() {
        let mark = unused_character("abc\u{fdd0}").unwrap();
        assert_eq!(mark, '\u{fdd1}');
        let text = format!("a{}b{}", Mark::Place(7).write(mark), Mark::Value(0).write(mark));
        assert_eq!(
            split(&text, mark),
            [(None, "a"), (Some(Mark::Place(7)), "b"), (Some(Mark::Value(0)), "")]
        );
    }

    #[test]
    fn a_place_is_counted_from_the_last_one_known() {
        let mut places = Places::default();
        places.record((1, 1), (4, 3));
        places.record((1, 10), (4, 20));
        assert_eq!(places.source((1, 2)), (4, 4));
        assert_eq!(places.source((1, 12)), (4, 22));
        assert_eq!(places.source((3, 5)), (6, 5));
    }
}
