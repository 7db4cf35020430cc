//! Looking for one form in a stream, byte by byte (Knuth, Morris and Pratt).

/// How much of one form the last bytes of a stream are: at least its first byte.
///
/// Where to go on after a mismatch is worked out only as far as the stream has matched.
#[derive(Debug)]
pub(super) struct Search {
    matched: usize,
    /// For each beginning of the form that was met: the length of its longest end that is also its beginning.
    borders: Vec<u32>,
}

/// What the next byte of a stream came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// How many of the last bytes are the beginning of the form.
    pub(super) matched: usize,
    /// Whether the form ends with this byte.
    pub(super) is_end: bool,
}

impl Search {
    /// A search that has just met so many bytes of the beginning of a longer form.
    pub(super) fn met(matched: usize, form: &[u8]) -> Self {
        let mut search = Self { matched, borders: Vec::with_capacity(2 * matched) };
        while search.borders.len() < matched {
            search.border(form);
        }
        search
    }

    /// How many of the last bytes are the beginning of the form.
    pub(super) fn matched(&self) -> usize {
        self.matched
    }

    /// Takes the next byte.
    pub(super) fn advance(&mut self, byte: u8, form: &[u8]) -> Step {
        while self.matched > 0 && form.get(self.matched) != Some(&byte) {
            self.matched = self.borders[self.matched - 1] as usize;
        }
        if form.get(self.matched) != Some(&byte) {
            return Step { matched: 0, is_end: false };
        }
        self.matched += 1;
        if self.borders.len() < self.matched {
            self.border(form);
        }
        let is_end = self.matched == form.len();
        if is_end {
            self.matched = self.borders[self.matched - 1] as usize;
        }
        Step { matched: self.matched, is_end }
    }

    /// Works out the next border from those before it.
    fn border(&mut self, form: &[u8]) {
        let at = self.borders.len();
        let mut border = self.borders.last().map_or(0, |border| *border as usize);
        while border > 0 && form[at] != form[border] {
            border = self.borders[border - 1] as usize;
        }
        let longer = at > 0 && form[at] == form[border];
        // A form is no longer than 32 bits can say: secrets are bounded far below.
        self.borders.push(u32::try_from(border + usize::from(longer)).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(form: &[u8], text: &[u8]) -> Vec<usize> {
        let mut search = Search::met(0, form);
        (1..).zip(text).filter(|(_, byte)| search.advance(**byte, form).is_end).map(|(end, _)| end).collect()
    }

    #[test]
    fn every_occurrence_is_found_also_within_another() {
        assert_eq!(ends(b"aa", b"aaaa"), [2, 3, 4]);
        assert_eq!(ends(b"abab", b"abababxab"), [4, 6]);
        assert_eq!(ends(b"abcabd", b"abcabcabd"), [9]);
        assert_eq!(ends(b"", b"abc"), []);
    }

    #[test]
    fn a_search_may_begin_in_the_middle_of_a_form() {
        let mut search = Search::met(4, b"ababac");
        let steps: Vec<_> = b"abac".iter().map(|byte| search.advance(*byte, b"ababac")).collect();
        assert_eq!(steps[3], Step { matched: 0, is_end: true }, "{steps:?}");
    }
}
