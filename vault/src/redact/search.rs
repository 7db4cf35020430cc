//! Looking for one form in a stream, byte by byte (Knuth, Morris and Pratt).

/// How much of one form the last bytes of a stream are.
///
/// Where to go on after a mismatch is worked out only as far as the stream has matched: most forms are never met, and
/// cost nothing.
#[derive(Debug, Default)]
pub(super) struct Search {
    matched: usize,
    /// For each beginning of the form that was met: the length of its longest end that is also its beginning.
    borders: Vec<u32>,
}

impl Search {
    /// How many of the last bytes are the beginning of the form.
    pub(super) fn matched(&self) -> usize {
        self.matched
    }

    /// Takes the next byte; says whether the form ends with it.
    pub(super) fn advance(&mut self, byte: u8, form: &[u8]) -> bool {
        while self.matched > 0 && form.get(self.matched) != Some(&byte) {
            self.matched = self.borders[self.matched - 1] as usize;
        }
        if form.is_empty() || form[self.matched] != byte {
            return false;
        }
        self.matched += 1;
        if self.borders.len() < self.matched {
            self.border(form);
        }
        if self.matched < form.len() {
            return false;
        }
        self.matched = self.borders[self.matched - 1] as usize;
        true
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
        let mut search = Search::default();
        (1..).zip(text).filter(|(_, byte)| search.advance(**byte, form)).map(|(end, _)| end).collect()
    }

    #[test]
    fn every_occurrence_is_found_also_within_another() {
        assert_eq!(ends(b"aa", b"aaaa"), [2, 3, 4]);
        assert_eq!(ends(b"abab", b"abababxab"), [4, 6]);
        assert_eq!(ends(b"abcabd", b"abcabcabd"), [9]);
        assert_eq!(ends(b"", b"abc"), []);
    }
}
